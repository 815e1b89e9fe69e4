"""What the recordings of all pages have in common: how large a file may be, how it is opened, and the bar above it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from playground.errors import DocumentError
from playground.typed_json import fault, json_of, typed_json
from playground.ui.shared.markup import escape_html, escape_markdown

Kind = TypeVar("Kind")

_MOST_MEGABYTES = 8
MOST_BYTES = _MOST_MEGABYTES * 2**20


def recorded(value: object) -> bytes:
    """Return a recording, an immutable dataclass, as a file.

    Raises:
        ValueError: it is longer than what is opened again.
    """
    data = json_of(value)
    if len(data) > MOST_BYTES:
        raise ValueError(f"It has {len(data) // 2**20} MB; a recording has at most {MOST_BYTES // 2**20}.")
    return data


def opened(kind: type[Kind], data: bytes, check: Callable[[Kind], None], what: str) -> Kind:
    """Return what a file holds; ``what`` is its name in the sentence for the user, such as "recording".

    Raises:
        DocumentError: it is none, or ``check`` raised ValueError; the message is a sentence for the user.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(f"The file is larger than {MOST_BYTES // 2**20} MB: it is no recording of this app.")
    try:
        recording = typed_json(kind, data, only_known=True)
        check(recording)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"This is no {what} that can be played ({fault(error)[:200]}).") from error
    return recording


def draw_upload(key: str, on_change: Callable[[], None], problem: str) -> None:
    """Draw where a recording is handed in, and what was wrong with the last one."""
    st.file_uploader("Play a recording", type=["json"], max_upload_size=_MOST_MEGABYTES, key=key, on_change=on_change)
    if problem:
        st.error(escape_markdown(problem), icon=":material/error:")


def label_html(step: int, steps: int, where: str) -> str:
    """Return the label above what is played: that it is a recording, which step, and of when and where."""
    return (
        f'<div class="presenter-step"><span class="pill missing">recorded</span> <b>{step}/{steps}</b> '
        f'<span class="cite-place">{escape_html(where)}</span></div>'
    )
