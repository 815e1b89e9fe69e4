"""A sentence about what just happened, kept in the session until the next thing happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from playground.ui.shared.markup import escape_markdown


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened. It is plain text: a file's name may be in it; each of ``details`` gets a line of its own."""

    kind: Literal["success", "info", "error"]
    text: str
    details: tuple[str, ...] = ()


def draw_notice(notice: Notice | None) -> None:
    """Draw a notice, if there is one, in the colour of its kind."""
    if notice is None:
        return
    box = {"success": st.success, "info": st.info, "error": st.error}[notice.kind]
    box("  \n".join(escape_markdown(text) for text in (notice.text, *notice.details)))
