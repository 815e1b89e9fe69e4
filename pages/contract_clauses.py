"""Scenario B: a contract goes in, its risky clauses are marked, by a LoRA layer trained on annotated clauses."""

import streamlit as st

from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.advance import Slots, advance, follow_address
from playground.ui.contract_clauses.base_or_lora import draw_switch, perform_steps
from playground.ui.contract_clauses.being_judged import draw_being_judged
from playground.ui.contract_clauses.contract import draw_notes, draw_stamp, draw_style
from playground.ui.contract_clauses.flagged import draw_flagged
from playground.ui.contract_clauses.flagger_choice import flagger_choices
from playground.ui.contract_clauses.kept import CONTRACTS
from playground.ui.contract_clauses.prompting import draw_prompting
from playground.ui.contract_clauses.replay import draw_replay
from playground.ui.contract_clauses.sources import draw_adapter_notes, draw_bar, draw_first_screen, draw_last_notice
from playground.ui.contract_clauses.state import TABS, Key
from playground.ui.shared import resources
from playground.ui.shared.keeping import keep_up
from playground.ui.shared.layout import begin_page

keep_up(CONTRACTS)
begin_page(
    "Contract flagger",
    "Scenario B. Fine-tuning changes the weights: a small LoRA layer learned from annotated clauses flags new ones.",
)
draw_style()
if draw_replay():
    st.stop()
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
if entry is not None and judged is not None:
    draw_stamp(status, judged)
    draw_notes(notes, judged.scored.document, judged.scored.notes)
    contract, tabs = st.container(), st.tabs(TABS, key=Key.TABS, on_change="rerun")
    draw_flagged(entry, judged, choice, contract, tabs)
    if tabs[-1].open:
        with tabs[-1]:
            prompting = draw_prompting(entry, judged)
elif entry is not None and entry.document is not None:
    draw_notes(notes, entry.document, entry.document.warnings)
    draw_being_judged(entry, choice)
else:
    with invitation.container():
        draw_first_screen()

advance(Slots(status, prompting), choice)
