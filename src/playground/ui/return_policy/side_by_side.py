"""Two answers side by side: from two versions of the policy, or from prompting alone and RAG + LoRA."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.documents.diff import changed_lines, diff_documents
from playground.ui.return_policy import state
from playground.ui.return_policy.advance import request_sample
from playground.ui.return_policy.answer import draw_answer, draw_stamp
from playground.ui.return_policy.highlight import diff_html
from playground.ui.return_policy.policy import HEIGHT, SECOND_VERSION
from playground.ui.return_policy.state import Comparison, ComparisonKind, Key, PendingComparison, Side, session
from playground.ui.shared.markup import escape_markdown, shortened
from scenarios.return_policy.scenario import READER_MODE

Places = tuple[DeltaGenerator, DeltaGenerator]

_PROMPTING, _LORA = "Prompting only (RAG)", "RAG + LoRA"
_FIRST_QUESTION = "How long do I have to return something?"


def draw_versions() -> Places | None:
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
    old, new = _draw_version_form([version.number for version in versions])
    places = _draw_answers("versions")
    _draw_difference(old, new)
    return places


def draw_techniques() -> Places | None:
    """Draw the same question put to the bare model and to the adapter, on the same passages. Returns the places."""
    if problem := state.reader_problem():
        st.caption(problem)
        return None
    active = _LORA if state.mode() == READER_MODE else state.mode_title(state.mode())
    st.caption(
        "The same question, the same passages, the same weights underneath; on the right a LoRA layer is added that "
        f"was trained to read and to decline. In the chat, **{active}** answers now."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _draw_question(Key.TECHNIQUES_QUESTION, "Question for both techniques")
        _draw_button("techniques", Key.ASK_TECHNIQUES, "Ask both", _ask_techniques)
    return _draw_answers("techniques")


def _draw_question(key: Key, label: str) -> None:
    turn = state.latest_answered()
    st.text_input(label, turn.question if turn else _FIRST_QUESTION, key=key, width=420, max_chars=2_000)


def _draw_button(kind: ComparisonKind, key: Key, label: str, ask: object) -> None:
    comparison = session().comparison
    if comparison and comparison.kind == kind and comparison.job:
        st.button("Stop", key=f"stop_{kind}", icon=":material/stop_circle:", on_click=_stop)
    else:
        st.button(label, key=key, type="primary", on_click=ask)  # type: ignore[arg-type]


def _draw_difference(old: int, new: int) -> None:
    shelf = session().shelf
    lines = diff_documents(shelf.get(old).document, shelf.get(new).document)
    count = changed_lines(lines)
    st.markdown(f"**What version {new} changes in version {old}: {count:,} line{'' if count == 1 else 's'}**")
    with st.container(key=Key.DIFF, height=HEIGHT, border=True):
        st.html(diff_html(lines))


def _draw_answers(kind: ComparisonKind) -> Places | None:
    data = session()
    pending = data.pending_both if data.pending_both and data.pending_both.kind == kind else None
    comparison = data.comparison if data.comparison and data.comparison.kind == kind else None
    if data.notice_both and data.notice_both[0] == kind:
        st.error(escape_markdown(data.notice_both[1]), icon=":material/error:")
    if comparison is None and pending is None:
        return None
    with st.container(key=f"{Key.BOTH_ANSWERS}_{kind}"):
        if comparison:
            _draw_heading(comparison)
        left, right = st.columns(2, gap="medium")
    if comparison is None:
        return left.empty(), right.empty()
    if comparison.job:
        return _place(left, comparison.left), _place(right, comparison.right)
    _draw_side(left, comparison.left)
    _draw_side(right, comparison.right)
    # A second comparison may be due; its places are above the finished one's.
    return left.empty(), right.empty()


def _draw_version_form(numbers: list[int]) -> tuple[int, int]:
    label = "Version {}".format
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _draw_question(Key.BOTH_QUESTION, "Question for both")
        old = st.selectbox("First", numbers, len(numbers) - 2, format_func=label, key=Key.BOTH_OLD, width=150)
        new = st.selectbox("Second", numbers, len(numbers) - 1, format_func=label, key=Key.BOTH_NEW, width=150)
        _draw_button("versions", Key.ASK_BOTH, "Ask both", _ask_versions)
    return old, new


def _ask_versions() -> None:
    typed, technique = st.session_state, state.mode()
    numbers = int(typed[Key.BOTH_OLD]), int(typed[Key.BOTH_NEW])
    first, second = ((f"Version {number}", number, technique) for number in numbers)
    _ask(PendingComparison("versions", str(typed[Key.BOTH_QUESTION] or ""), (first, second)))


def _ask_techniques() -> None:
    number = session().shelf.active_number
    if number is not None:
        question = str(st.session_state[Key.TECHNIQUES_QUESTION] or "")
        sides = (_PROMPTING, number, state.PROMPTING_MODE), (_LORA, number, READER_MODE)
        _ask(PendingComparison("techniques", question, sides))


def _ask(pending: PendingComparison) -> None:
    _stop()
    session().pending_both, session().comparison, session().notice_both = pending, None, None


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
        st.markdown(f"**{side.title}**")
        return st.empty()


def _draw_side(column: DeltaGenerator, side: Side) -> None:
    if side.answer is None:
        return
    with column.container(border=True):
        st.markdown(f"**{side.title}**")
        draw_answer(side.answer)
        draw_stamp(side.stamp)
