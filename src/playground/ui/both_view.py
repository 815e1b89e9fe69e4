"""Two versions of the policy compared: one question to both, the answers side by side, and what differs in the text."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.policy_diff import diff_documents
from playground.ui import state
from playground.ui.answer_view import draw_answer, draw_stamp
from playground.ui.bot import request_sample
from playground.ui.highlight import diff_html
from playground.ui.markup import escape_markdown, shortened
from playground.ui.policy_view import HEIGHT, SECOND_VERSION
from playground.ui.state import Comparison, Key, Side, session


def draw_both() -> tuple[DeltaGenerator, DeltaGenerator] | None:
    """Draw the form, the last comparison and the differences. Returns the two places for answers under way."""
    versions = session().shelf.versions
    if len(versions) < 2:
        st.caption("Two versions are needed: load another policy under Replace, or the second NorthTrail version here.")
        st.button(
            "Load NorthTrail version 2",
            key="both_load",
            on_click=lambda: state.load_policy(request_sample(SECOND_VERSION)),
        )
        return None
    old, new = _draw_form([version.number for version in versions])
    places = _draw_answers()
    _draw_difference(old, new)
    return places


def _draw_difference(old: int, new: int) -> None:
    shelf = session().shelf
    st.markdown(f"**What version {new} changes in version {old}**")
    with st.container(key=Key.DIFF, height=HEIGHT, border=True):
        st.html(diff_html(diff_documents(shelf.get(old).document, shelf.get(new).document)))


def _draw_answers() -> tuple[DeltaGenerator, DeltaGenerator] | None:
    data = session()
    comparison = data.comparison
    if comparison is None and data.pending_both is None:
        return None
    with st.container(key=Key.BOTH_ANSWERS):
        if comparison:
            _draw_heading(comparison)
        left, right = st.columns(2, gap="medium")
    if comparison is None:
        return left.empty(), right.empty()
    if comparison.job:
        return _place(left, comparison.old), _place(right, comparison.new)
    _draw_side(left, comparison.old)
    _draw_side(right, comparison.new)
    # A second comparison may be due; its places are above the finished one's.
    return left.empty(), right.empty()


def _draw_form(numbers: list[int]) -> tuple[int, int]:
    label = "Version {}".format
    turn = state.latest_answered()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Question for both",
            turn.question if turn else "How long do I have to return something?",
            key=Key.BOTH_QUESTION,
            width=420,
        )
        old = st.selectbox("First", numbers, len(numbers) - 2, format_func=label, key=Key.BOTH_OLD, width=150)
        new = st.selectbox("Second", numbers, len(numbers) - 1, format_func=label, key=Key.BOTH_NEW, width=150)
        comparison = session().comparison
        if comparison and comparison.job:
            st.button("Stop", key="stop_both", icon=":material/stop_circle:", on_click=_stop)
        else:
            st.button("Ask both", key=Key.ASK_BOTH, type="primary", on_click=_ask)
    return old, new


def _ask() -> None:
    typed = st.session_state
    old, new = int(typed[Key.BOTH_OLD]), int(typed[Key.BOTH_NEW])
    session().pending_both = (str(typed[Key.BOTH_QUESTION] or ""), old, new)
    session().comparison = None


def _stop() -> None:
    comparison = session().comparison
    if comparison and comparison.job:
        comparison.job.cancel.set()


def _draw_heading(comparison: Comparison) -> None:
    st.text(shortened(comparison.question, 400))
    if comparison.error:
        st.error(escape_markdown(comparison.error), icon=":material/error:")


def _place(column: DeltaGenerator, side: Side) -> DeltaGenerator:
    with column.container(border=True):
        st.markdown(f"**Version {side.version.number}**")
        return st.empty()


def _draw_side(column: DeltaGenerator, side: Side) -> None:
    if side.answer is None:
        return
    with column.container(border=True):
        st.markdown(f"**Version {side.version.number}**")
        draw_answer(side.answer)
        draw_stamp(side.stamp)
