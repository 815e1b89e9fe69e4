"""What the steps of a presentation do on the bot's page. See ``shared.presenting``."""

from __future__ import annotations

import streamlit as st

from playground.ui.return_policy import state
from playground.ui.return_policy.advance import request_sample
from playground.ui.return_policy.state import Key, PolicyRequest, session
from playground.ui.shared import presenting
from scenarios.return_policy.scenario import MODES


def perform_steps() -> None:
    """Do what is due of the presentation's step."""
    presenting.perform(
        {
            "new": lambda _: state.new_conversation(),
            "mode": _choose_mode,
            "policy": _use_policy,
            "edit": _edit,
            "ask": state.ask,
        },
        _busy,
    )


def _busy() -> bool:
    data = session()
    under_way = data.preparing or data.wanted_policy or data.answering or data.kept_versions or data.restoring
    # No policy yet is nothing to wait for: the step brings its own, also where another could not be read.
    return bool(under_way or data.pending_question is not None)


def _choose_mode(mode: str) -> None:
    if any(known.mode == mode for known in MODES):
        st.session_state[Key.MODE] = mode
        session().linked_mode = st.query_params["mode"] = mode


def _use_policy(name: str) -> None:
    """Let a sample answer: the version that is on the shelf already, else it is loaded."""
    shelf = session().shelf
    known = [v for v in shelf.versions if v.note == "sample" and v.document.source == name]
    if known and known[-1].number == shelf.active_number:
        return
    if known:
        state.activate(known[-1].number)
    else:
        state.load_policy(request_sample(name))


def _edit(words: str) -> None:
    """Replace words of the active policy, "old -> new", and save it as a new version."""
    old, _, new = words.partition(" -> ")
    version = session().shelf.active
    if version is None or not old or version.document.text.count(old) != 1:
        return
    document = version.document
    text = document.text.replace(old, new)
    markdown = document.source.lower().endswith((".md", ".markdown")) or None
    state.load_policy(PolicyRequest(name=document.title, note="edited", text=text, markdown=markdown))
