"""Untrusted words -> markup that shows them and does nothing else.

What a model, a document or a file name says is text. Where Streamlit takes text (``st.text``, ``st.code``) it is given
as it is; where Streamlit takes Markdown or HTML it goes through here.
"""

from __future__ import annotations

import html
import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(text: str) -> str:
    """Return ``text`` so that Markdown shows it letter for letter: no image, link, colour, icon or formula."""
    return _PUNCTUATION.sub(r"\\\1", text).replace("\n", "  \n")


def spoken(label: str, what: str) -> str:
    """Return a button's label with what it is about: the second part is heard by screen readers and not shown.

    The style sheet hides what is emphasised in a button.
    """
    return f"{label} *{escape_markdown(' '.join(what.split()))}*" if what.strip() else label


def escape_html(text: str) -> str:
    """Return ``text`` so that HTML shows it letter for letter, inside an attribute too."""
    return html.escape(text, quote=True)


def shortened(text: str, most_characters: int) -> str:
    """Return ``text``, or its beginning and its length."""
    if len(text) <= most_characters:
        return text
    return f"{text[:most_characters].rstrip()} … ({len(text):,} characters)"


def human_bytes(size_bytes: int) -> str:
    """Return a size such as ``7.4 kB``."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.1f} kB"
    return f"{size_bytes / 1_000_000:.0f} MB"
