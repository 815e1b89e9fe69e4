"""The chat: what was said, suggestions while nothing was, the input and what can be done with the conversation."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.paths import POLICIES
from playground.ui.return_policy import state
from playground.ui.return_policy.answer import draw_turn
from playground.ui.return_policy.conversation import ChatTurn, Stamp, new_conversation_line, to_json, to_markdown
from playground.ui.return_policy.policy import HEIGHT
from playground.ui.return_policy.replay import draw_recordings
from playground.ui.return_policy.resources import sample_document
from playground.ui.return_policy.shared_page import conversation_html
from playground.ui.return_policy.state import Key, session
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.sharing import draw_link
from scenarios.return_policy.scenario import DEFAULT_POLICY, suggested_questions

_MOST_TURNS_DRAWN = 40


def draw_chat(selected: ChatTurn | None) -> DeltaGenerator:
    """Draw the conversation and the input. Returns the place for the answer under way."""
    data = session()
    with st.container(height=HEIGHT + 75, border=True, key="chat"):
        busy = data.answering is not None or data.pending_question is not None
        # A place of its own, so that it is gone at once while the first answer comes.
        invitation = st.empty()
        if not data.turns and not busy:
            with invitation.container(gap="small"):
                _draw_invitation()
        _draw_turns(selected, busy=busy)
        slot = st.empty()
    question = st.chat_input("Ask about the policy", key=Key.CHAT_INPUT)
    if question is not None:
        state.ask(question)
        st.rerun()
    _draw_actions()
    return slot


def _draw_invitation() -> None:
    active = session().shelf.active
    document = active.document if active else sample_document(POLICIES / DEFAULT_POLICY)
    st.header("Ask the shop a question", anchor=False)
    st.caption("The bot answers from the policy beside this chat and shows the sentences it stands on. Try one:")
    for number, question in enumerate(suggested_questions(document)):
        st.button(
            escape_markdown(question),
            key=f"suggestion_{number}",
            icon=":material/chat_bubble:",
            on_click=state.ask,
            args=(question,),
        )


def _draw_turns(selected: ChatTurn | None, *, busy: bool) -> None:
    turns = session().turns
    if len(turns) > _MOST_TURNS_DRAWN:
        st.caption(f"The first {len(turns) - _MOST_TURNS_DRAWN} questions are not shown; downloads have all of them.")
    previous: ChatTurn | None = None
    for turn in turns[-_MOST_TURNS_DRAWN:]:
        if previous:
            _draw_new_conversation(previous.stamp, turn.stamp)
        latest = turn is turns[-1] and not busy
        draw_turn(turn, latest=latest, selected=selected is turn and state.evidence_is_marked(turn))
        previous = turn
    version = session().shelf.active
    if turns and version and not busy:
        _draw_new_conversation(turns[-1].stamp, state.stamp_for(version, state.mode()))


def _draw_new_conversation(before: Stamp, stamp: Stamp) -> None:
    if line := new_conversation_line(before, stamp):
        st.html(f'<div class="swap-line"><span>{escape_html(line)}</span></div>')


def _draw_actions() -> None:
    # Taken now: what makes a file runs when its button is clicked, outside of this session.
    turns, policies = session().turns, {version.number: version.document for version in session().shelf.versions}
    with st.container(horizontal=True, gap="small", key="chat_actions"):
        st.button(
            "New conversation",
            key=Key.NEW_CONVERSATION,
            icon=":material/add_comment:",
            on_click=state.new_conversation,
            disabled=not turns and session().answering is None,
        )
        for label, make, suffix, mime in (
            ("Page", lambda: conversation_html(turns, policies), "html", "text/html"),
            ("Markdown", lambda: to_markdown(turns), "md", "text/markdown"),
            ("JSON", lambda: to_json(turns), "json", "application/json"),
        ):
            # Made when its button is clicked: a long chat is not written three times at every click.
            st.download_button(
                label,
                make,
                f"conversation.{suffix}",
                mime,
                key=f"download_{suffix}",
                icon=":material/download:",
                disabled=not turns,
                on_click="ignore",
            )
        draw_recordings()
        draw_link()
