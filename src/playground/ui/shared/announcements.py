"""What everybody on this machine is told, whichever page they look at: a training under way, another adapter for all.

Pages do not know each other. The one that trains leaves here what the others say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from playground.adapters import Task
from playground.ui.shared import resources
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.session import part_of_session

_WORK: dict[Task, str] = {"clauses": "flags contracts", "reader": "reads for the bot"}


@dataclass(slots=True)
class BusyMachine:
    """Whether something heavy is under way: ``said`` returns it in a sentence, "" while nothing is."""

    said: Callable[[], str] = field(default=lambda: "")


BUSY = BusyMachine()


@dataclass(slots=True)
class _Seen:
    active: dict[Task, str] = field(default_factory=dict)
    news: str = ""


def draw_announcements() -> None:
    """Draw what concerns everybody."""
    if busy := BUSY.said():
        st.info(escape_markdown(busy), icon=":material/model_training:")
    seen = part_of_session("playground_announcements", _Seen)
    store = resources.adapter_store()
    for task, work in _WORK.items():
        active = store.active(task)
        identity = active.identity if active else ""
        if seen.active.setdefault(task, identity) != identity:
            seen.active[task] = identity
            seen.news = f"{identity or 'Nothing'} {work} for everybody on this machine from now on."
    if seen.news:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(escape_markdown(seen.news), icon=":material/campaign:")
            st.button("Understood", key="announcement_read", on_click=_read)


def know(task: Task, identity: str) -> None:
    """Note what this session itself made the adapter for everybody: it need not be told."""
    part_of_session("playground_announcements", _Seen).active[task] = identity


def _read() -> None:
    part_of_session("playground_announcements", _Seen).news = ""
