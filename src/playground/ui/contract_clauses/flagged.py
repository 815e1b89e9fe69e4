"""A judged contract: its text beside its flags, what can be downloaded of it, and the tables below.

All of it is one fragment: a move of the slider draws this and nothing else of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_tab_container import TabContainer

from playground.flagging.report import report_rows
from playground.ui.contract_clauses import state
from playground.ui.contract_clauses.advance import search_evidence
from playground.ui.contract_clauses.clause_click import follow_clicks
from playground.ui.contract_clauses.contract import draw_contract
from playground.ui.contract_clauses.exports import draw_exports
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.flags import draw_panel
from playground.ui.contract_clauses.kept import CONTRACTS
from playground.ui.contract_clauses.page_view import draw_pages, shows_pages
from playground.ui.contract_clauses.side_by_side import draw_comparison, draw_table
from playground.ui.contract_clauses.state import ContractEntry, Judged
from playground.ui.shared.keeping import keep_up


@st.fragment
def draw_flagged(
    entry: ContractEntry, judged: Judged, choice: FlaggerChoice, place: DeltaGenerator, tabs: Sequence[TabContainer]
) -> None:
    """Draw a judged contract in ``place``, and the tab below it that is open."""
    flagged = state.flagged(entry, judged)
    rows = report_rows(flagged, state.labels_of_side(), entry.corrections)
    with place:
        contract, panel = st.columns([11, 9], gap="medium")
        with contract:
            if shows_pages(entry, flagged.document):
                draw_pages(entry, flagged, rows)
            else:
                draw_contract(flagged, rows, probabilities=judged.choice.gives_probabilities)
        with panel:
            follow_clicks(frozenset(clause.id for clause in flagged.clauses))
            draw_panel(entry, judged, flagged, rows)
        draw_exports(entry, judged, flagged, rows)
    table, base, _prompts = tabs
    if table.open:
        with table:
            draw_table(choice)
    if base.open:
        with base:
            draw_comparison(entry, choice)
    search_evidence(choice)
    keep_up(CONTRACTS)  # decisions are made in here, without the page's own beginning
