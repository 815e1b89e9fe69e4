"""Scenario B: a contract goes in, its risky clauses are marked, by a LoRA layer trained on annotated clauses."""

import streamlit as st

from playground.flagging.report import report_rows
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.advance import Slots, advance, follow_address
from playground.ui.contract_clauses.base_or_lora import draw_switch, perform_steps
from playground.ui.contract_clauses.contract import draw_contract, draw_notes, draw_stamp, draw_style
from playground.ui.contract_clauses.exports import draw_exports
from playground.ui.contract_clauses.flagger_choice import flagger_choices
from playground.ui.contract_clauses.flags import draw_panel
from playground.ui.contract_clauses.kept import CONTRACTS
from playground.ui.contract_clauses.page_view import draw_pages, shows_pages
from playground.ui.contract_clauses.prompting import draw_prompting
from playground.ui.contract_clauses.side_by_side import draw_comparison, draw_table
from playground.ui.contract_clauses.sources import draw_adapter_notes, draw_bar, draw_first_screen, draw_last_notice
from playground.ui.contract_clauses.state import Key
from playground.ui.shared import resources
from playground.ui.shared.keeping import keep_up
from playground.ui.shared.layout import begin_page

keep_up(CONTRACTS)
begin_page(
    "Contract flagger",
    "Scenario B. Fine-tuning changes the weights: a small LoRA layer learned from annotated clauses flags new ones.",
)
draw_style()
follow_address()

choices = flagger_choices(resources.adapter_store())
perform_steps(choices)
draw_adapter_notes(choices)
choice = draw_bar(choices)
draw_switch(state.selected(), choice, choices)
with st.container(key=Key.STATUS):
    status = st.empty()
    draw_last_notice()

entry = state.selected()
judged = entry.result(choice) if entry else None
prompting = None
# Places of their own, so that what is not drawn any more is gone at once while work goes on.
invitation, notes = st.empty(), st.empty()
if entry is None or judged is None:
    with invitation.container():
        draw_first_screen()
else:
    flagged = state.flagged(entry, judged)
    rows = report_rows(flagged, state.catalogue(), entry.corrections)
    draw_stamp(status, judged)
    draw_notes(notes, flagged)
    contract, panel = st.columns([11, 9], gap="medium")
    with contract:
        if shows_pages(entry, flagged.document):
            draw_pages(entry, flagged, rows)
        else:
            draw_contract(flagged, rows, judged)
    with panel:
        draw_panel(entry, judged, flagged, rows)
    draw_exports(entry, judged, flagged, rows)

    table, base, prompts = st.tabs(["Contracts", "Base against LoRA", "Prompting for contrast"], key="contract_tabs")
    with table:
        draw_table(choice)
    with base:
        draw_comparison(entry, choice)
    with prompts:
        prompting = draw_prompting(entry, rows)

advance(Slots(status, prompting), choice)
