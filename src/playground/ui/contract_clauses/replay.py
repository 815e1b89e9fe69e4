"""Recorded contracts played on the contract page: labelled as recorded, flagger by flagger, without a model."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.errors import DocumentError
from playground.flagging.flags import flag_contract
from playground.ui.contract_clauses import flag_filter
from playground.ui.contract_clauses.contract import HEIGHT
from playground.ui.contract_clauses.contract_html import contract_html, count_chips_html
from playground.ui.contract_clauses.flags import card_html
from playground.ui.contract_clauses.recording import ContractRecording, read_recording, recording_of
from playground.ui.contract_clauses.state import Key, catalogue, session, shift, shown_labels
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.presenting import arrows_are_taken
from playground.ui.shared.recordings import draw_upload, label_html
from playground.ui.shared.session import part_of_session

_UPLOAD = "contract_recording_upload"
_MOST_CARDS = 60
_NO_EVIDENCE = "a recording has none."


@dataclass(slots=True)
class Replay:
    """``step`` of ``recording`` is on the screen, from 0."""

    recording: ContractRecording | None = None
    step: int = 0
    problem: str = ""
    uploads: int = 0


def replay() -> Replay:
    """Return what this session plays."""
    return part_of_session("playground_contract_replay", Replay)


def draw_recordings() -> None:
    """Draw the ways to record the contracts of this session and to play a recording."""
    state, entries = replay(), session().entries
    # Taken now: what makes a file runs when its button is clicked, outside of this session.
    results = [(entry, judged) for entry in entries for judged in entry.results.values()]
    at_shift, shown = shift(), shown_labels()

    def make() -> bytes:
        return recording_of(
            [
                (entry, judged, flag_contract(judged.scored, catalogue(), shift=at_shift, shown=shown))
                for entry, judged in results
            ]
        )

    st.caption("A recording holds the contracts and what each flagger marked in them. It plays without a model.")
    st.download_button(
        "Save these contracts as a recording",
        make,
        "contracts-recording.json",
        "application/json",
        key="contract_recording_save",
        icon=":material/download:",
        on_click="ignore",
        disabled=not results,
    )
    draw_upload(f"{_UPLOAD}_{state.uploads}", _take, state.problem)


def draw_replay() -> bool:
    """Draw the recording that is played in place of the page. Returns False where none is."""
    state = replay()
    if state.recording is None:
        return False
    arrows_are_taken()
    recording, last = state.recording, len(state.recording.steps) - 1
    step = recording.steps[state.step]
    contract = recording.contracts[step.contract]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="contract_replay_bar"):
        st.button("Back", key="contract_replay_back", icon=":material/arrow_back:", on_click=_step, args=(-1,),
                  shortcut="Left", disabled=state.step <= 0)  # fmt: skip
        st.button("Next", key="contract_replay_next", icon=":material/arrow_forward:", on_click=_step, args=(1,),
                  shortcut="Right", type="primary", disabled=state.step >= last)  # fmt: skip
        st.html(_label_html(recording, state.step), width="stretch")
        st.button("End", key="contract_replay_end", icon=":material/close:", on_click=_end)
    st.header(escape_markdown(f"{contract.name}: {step.flagger}"), anchor=False)
    text, panel = st.columns([11, 9], gap="medium")
    with text, st.container(height=HEIGHT, border=True, key=Key.TEXT):
        st.html(contract_html(contract.clauses, step.rows, probabilities=step.gives_probabilities))
    with panel, st.container(height=HEIGHT, border=False, key=Key.PANEL):
        count = len(step.rows)
        flags = "1 flag" if count == 1 else f"{count} flags"
        st.markdown(f"**{flags}**, judged in {step.judge_s:.1f} s by {escape_markdown(step.model)}")
        st.html(
            count_chips_html(flag_filter.label_counts(step.rows), {row.label.name: row.label.risk for row in step.rows})
        )
        for row in step.rows[:_MOST_CARDS]:
            st.html(card_html(row, probabilities=step.gives_probabilities, note=_NO_EVIDENCE))
        if count > _MOST_CARDS:
            st.caption(f"{count - _MOST_CARDS} more are marked in the text.")
    return True


def _label_html(recording: ContractRecording, step: int) -> str:
    where = f"{recording.recorded_at[:10]} · {recording.machine}"
    return label_html(step + 1, len(recording.steps), where)


def _take() -> None:
    state = replay()
    file = st.session_state.get(f"{_UPLOAD}_{state.uploads}")
    if file is None:
        return
    state.uploads += 1
    try:
        state.recording, state.step, state.problem = read_recording(file.getvalue()), 0, ""
    except DocumentError as error:
        state.problem = str(error)


def _step(by: int) -> None:
    state = replay()
    if state.recording is not None:
        state.step = min(max(state.step + by, 0), len(state.recording.steps) - 1)


def _end() -> None:
    state = replay()
    state.recording, state.step = None, 0
