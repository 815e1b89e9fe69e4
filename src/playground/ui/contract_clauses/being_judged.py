"""A contract while it is being judged: its text at once, its marks as they are found."""

from __future__ import annotations

import streamlit as st

from playground.flagging.flags import PartlyJudged, flag_contract, unjudged
from playground.flagging.report import report_rows
from playground.ui.contract_clauses import flag_filter, state
from playground.ui.contract_clauses.contract import draw_contract
from playground.ui.contract_clauses.contract_html import count_chips_html
from playground.ui.contract_clauses.flagger_choice import FlaggerChoice
from playground.ui.contract_clauses.state import ContractEntry, catalogue, session

_REDRAWN_EVERY_S = 1.0


def draw_being_judged(entry: ContractEntry, choice: FlaggerChoice) -> None:
    """Draw a contract that is read but not judged to its end; redrawn every second while somebody judges it."""
    judging = session().judging
    is_under_way = judging is not None and judging.entry is entry
    # The same function either way, so that text and marks stay in place when the judging ends or is stopped.
    st.fragment(_draw, run_every=_REDRAWN_EVERY_S if is_under_way else None)(entry, choice)


def _draw(entry: ContractEntry, choice: FlaggerChoice) -> None:
    if entry.document is None:
        return
    partly = entry.partly
    scored = partly.scored if partly else unjudged(entry.document, entry.clauses)
    flagged = flag_contract(scored, catalogue(), shift=state.shift(), shown=state.shown_labels())
    rows = report_rows(flagged, state.labels_of_side())
    contract, found = st.columns([11, 9], gap="medium")
    with contract:
        draw_contract(flagged, rows, probabilities=choice.gives_probabilities)
    with found:
        st.markdown(so_far(entry, partly))
        st.html(count_chips_html(flag_filter.label_counts(rows), {row.label.name: row.label.risk for row in rows}))


def so_far(entry: ContractEntry, partly: PartlyJudged | None) -> str:
    """Return in a sentence how much of a contract is judged, and what that means for what carries no mark."""
    total, done = len(entry.clauses), int(partly.judged.sum()) if partly else 0
    if not done:
        return f"**{total:,} clauses, none of them judged yet.** Marks appear as they are found."
    rest = (
        "The rest was not judged: a clause without a mark says nothing."
        if entry.stopped
        else ("Marks appear as they are found.")
    )
    return f"**{done:,} of {total:,} clauses are judged.** {rest}"
