"""A recorded demo played on the bot's page: labelled as recorded, step by step, without a model."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from playground.errors import DocumentError
from playground.types import Answer, Citation, Passage
from playground.ui.return_policy.answer import AVATAR, draw_question, draw_turn
from playground.ui.return_policy.conversation import ChatTurn
from playground.ui.return_policy.highlight import document_html
from playground.ui.return_policy.policy import HEIGHT
from playground.ui.return_policy.recording import Recording, playing_time_s, read_recording, recording_of
from playground.ui.return_policy.state import Key, session
from playground.ui.shared.presenting import arrows_are_taken
from playground.ui.shared.recordings import draw_upload, label_html
from playground.ui.shared.session import part_of_session

_UPLOAD = "recording_upload"
_TICK_S = 0.1


@dataclass(slots=True)
class Replay:
    """``shown`` turns of ``recording`` are on the screen; ``began_at`` is when the last began, None once whole."""

    recording: Recording | None = None
    shown: int = 0
    began_at: float | None = None
    problem: str = ""
    uploads: int = 0


def replay() -> Replay:
    """Return what this session plays."""
    return part_of_session("playground_replay", Replay)


def draw_recordings() -> None:
    """Draw the ways to make a recording of the conversation and to play one."""
    state = replay()
    # Taken now: what makes a file runs when its button is clicked, outside of this session.
    turns, policies = session().turns, {version.number: version.document for version in session().shelf.versions}
    with st.popover("Recording", icon=":material/movie:", key="recordings"):
        st.caption("A recording holds the questions, answers and policies of this chat. It plays without a model.")
        st.download_button(
            "Save this chat as a recording",
            lambda: recording_of(turns, policies),
            "demo-recording.json",
            "application/json",
            key="recording_save",
            icon=":material/download:",
            on_click="ignore",
            disabled=not turns,
        )
        draw_upload(f"{_UPLOAD}_{state.uploads}", _take, state.problem)


def draw_replay() -> bool:
    """Draw the recording that is played in place of the page. Returns False where none is."""
    state = replay()
    if state.recording is None:
        return False
    arrows_are_taken()
    recording, turn = state.recording, state.recording.turns[max(state.shown - 1, 0)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="replay_bar"):
        st.button("Back", key="replay_back", icon=":material/arrow_back:", on_click=_step, args=(-1,), shortcut="Left",
                  disabled=state.shown <= 1)  # fmt: skip
        st.button("Next", key="replay_next", icon=":material/arrow_forward:", on_click=_step, args=(1,),
                  shortcut="Right", type="primary", disabled=state.shown >= len(recording.turns))  # fmt: skip
        st.html(_label_html(recording, state.shown), width="stretch")
        st.button("End", key="replay_end", icon=":material/close:", on_click=_end)
    chat, policy = st.columns([11, 9], gap="medium")
    with chat, st.container(height=HEIGHT + 75, border=True, key="chat"):
        for number, earlier in enumerate(recording.turns[: state.shown]):
            last = number == state.shown - 1
            if last and state.began_at is not None and earlier.answer is not None:
                _draw_playing()
            else:
                draw_turn(earlier, latest=last, selected=True)
    with policy, st.container(height=HEIGHT + 75, border=True, key=Key.POLICY_VIEW):
        _draw_policy(recording, turn, whole=state.began_at is None)
    return True


def _draw_policy(recording: Recording, turn: ChatTurn, *, whole: bool) -> None:
    document = recording.policy_of(turn)
    if document is None:
        st.caption("The policy of this answer is not in the recording.")
        return
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    if whole and turn.answer is not None:
        citations, passages = turn.answer.citations, turn.answer.passages
    st.html(document_html(document, citations, passages))


@st.fragment(run_every=_TICK_S)
def _draw_playing() -> None:
    state = replay()
    turn = state.recording.turns[state.shown - 1] if state.recording else None
    if turn is None or turn.answer is None or state.began_at is None:
        return
    text = text_after(turn.answer, time.monotonic() - state.began_at)
    if text is None:
        state.began_at = None
        st.rerun()
    draw_question(turn.question)
    st.chat_message("assistant", avatar=AVATAR).text(f"{text} ▌")


def text_after(answer: Answer, seconds: float) -> str | None:
    """Return what of an answer is shown so long after the question, at an even pace; None once it is whole."""
    first, last = playing_time_s(answer)
    if seconds >= last:
        return None
    share = (seconds - first) / (last - first) if last > first else 0.0
    return answer.text[: int(len(answer.text) * max(share, 0.0))]


def _label_html(recording: Recording, shown: int) -> str:
    models = " and ".join(dict.fromkeys(turn.stamp.model for turn in recording.turns))
    where = f"{recording.recorded_at[:10]} · {models} · {recording.machine}"
    return label_html(shown, len(recording.turns), where)


def _take() -> None:
    state = replay()
    file = st.session_state.get(f"{_UPLOAD}_{state.uploads}")
    if file is None:
        return
    state.uploads += 1
    try:
        state.recording, state.problem = read_recording(file.getvalue()), ""
    except DocumentError as error:
        state.problem = str(error)
        return
    state.shown, state.began_at = 1, time.monotonic()


def _step(by: int) -> None:
    state = replay()
    if state.recording is not None:
        state.shown = min(max(state.shown + by, 1), len(state.recording.turns))
        state.began_at = time.monotonic() if by > 0 else None


def _end() -> None:
    state = replay()
    state.recording, state.shown, state.began_at = None, 0, None
