"""One question put to every technique at once, in columns that stream side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

from playground.answering.answer import answer_question
from playground.answering.policy_versions import PolicyVersion
from playground.answering.prompt import Mode
from playground.errors import PlaygroundError
from playground.types import Answer
from playground.ui.return_policy import state
from playground.ui.return_policy.advance import draw_stream
from playground.ui.return_policy.answer import draw_answer
from playground.ui.return_policy.state import session
from playground.ui.shared import jobs, resources
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.presenting import presenting
from playground.ui.shared.session import part_of_session
from playground.ui.shared.session import session as shared_session
from scenarios.return_policy.scenario import READER_MODE, few_shot_examples

TECHNIQUES: tuple[Mode, ...] = ("no_text", "rag", "rag_few_shot", "rag_lora")
"""What is shown side by side, from the bare model to the adapter."""
_QUESTION = "How long do I have to return something?"
_POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class Column:
    """One technique's answer: under way, there, or refused with a reason."""

    mode: Mode
    job: jobs.Job[Answer] | None
    problem: str = ""


@dataclass(slots=True)
class EveryTechnique:
    """The question asked last, on which version of the policy, and its columns."""

    question: str = ""
    version: int = 0
    columns: tuple[Column, ...] = field(default_factory=tuple)

    @property
    def is_running(self) -> bool:
        """True while a column is under way."""
        return any(column.job and not column.job.done.is_set() for column in self.columns)


def strip() -> EveryTechnique:
    """Return what this session asked every technique last."""
    return part_of_session("playground_every_technique", EveryTechnique)


def draw_every_technique() -> None:
    """Draw the strip while presenting: the question, and a column for each technique."""
    if not presenting().on:
        return
    with st.expander("Same question, every technique", icon=":material/view_column:", key="every_technique"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            question = st.text_input("Question", _QUESTION, key="every_question", max_chars=2_000)
            st.button("Ask all", key="ask_every", type="primary", on_click=_start, args=(question,), shortcut="Alt+A",
                      disabled=session().shelf.active is None)  # fmt: skip
        if strip().is_running:
            _draw_running()
        else:
            _draw_columns()


def _start(typed: str) -> None:
    data, shown = session(), strip()
    for column in shown.columns:
        if column.job:
            column.job.cancel.set()
    version = data.shelf.active
    if version is None:
        return
    question = str(st.session_state.get("every_question") or typed)
    shown.question, shown.version = question, version.number
    shown.columns = tuple(_column(question, mode, version) for mode in TECHNIQUES)


def _column(question: str, mode: Mode, version: PolicyVersion) -> Column:
    try:
        settings = state.bot_settings(mode)
        choice = shared_session().model_choice
        # An endpoint is this session's own; a model of this machine may still be loading: its column waits for it.
        own = resources.chat_model(choice) if choice.source == "endpoint" else None
    except PlaygroundError as error:
        return Column(mode, None, str(error))

    def work(report: jobs.Report) -> Answer:
        def on_token(text: str) -> None:
            report("" if settings.withhold_unsupported else text)

        model = own or resources.chat_model(choice)
        return answer_question(
            question, version.index, model, settings, examples=few_shot_examples(), on_token=on_token
        )

    return Column(mode, jobs.start(work))


@st.fragment(run_every=_POLL_S)
def _draw_running() -> None:
    _draw_columns()
    if not strip().is_running:
        st.rerun()


def _draw_columns() -> None:
    shown = strip()
    if not shown.columns:
        ready = "The question goes to the bare model, to prompting, and to the adapter, one beside the other."
        st.caption(ready if session().shelf.active else "You can ask as soon as the policy is read.")
        return
    for place, column in zip(st.columns(len(shown.columns), gap="small"), shown.columns, strict=True):
        with place.container(border=True, height="stretch"):
            title = "RAG + LoRA" if column.mode == READER_MODE else state.mode_title(column.mode)
            st.markdown(f"**{escape_markdown(title)}**")
            _draw_column(column)


def _draw_column(column: Column) -> None:
    job = column.job
    if job is None:
        st.caption(escape_markdown(column.problem))
        return
    job.watched_at = time.monotonic()
    if not job.done.is_set():
        draw_stream(st.empty(), job.text(), job.elapsed_s, job.place)
    elif job.result is not None:
        draw_answer(job.result)
    else:
        st.caption(escape_markdown(job.error or "Stopped."))
