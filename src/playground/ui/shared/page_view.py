"""The pages of a PDF as they look, with stretches of its text marked at their place: what the text does not show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.documents import page_view
from playground.documents.limits import CONTRACT_LIMITS, Limits
from playground.documents.page_view import PageMark, PagePicture, page_picture
from playground.errors import DocumentError
from playground.types import Document
from playground.ui.shared.markup import escape_markdown

_MOST_PICTURES = 64
_TTL_S = 3600
_TEXT, _PAGE = "Text", "Page"


@dataclass(frozen=True, slots=True)
class PagedDocument:
    """A PDF with its text, and the keys and size of its view."""

    document: Document
    data: bytes
    page_key: str
    container_key: str
    height: int
    limits: Limits = CONTRACT_LIMITS


def chooses_page(label: str, key: str) -> bool:
    """Draw the choice between text and page; tell whether pages are chosen."""
    chosen = st.segmented_control(
        label,
        (_TEXT, _PAGE),
        default=_TEXT,
        required=True,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen == _PAGE


def draw_page(
    paged: PagedDocument, opened_at: int, marks_on: Callable[[int], tuple[PageMark, ...]], what: str, missing: str
) -> None:
    """Draw a page with its marks; others are a click away.

    Args:
        paged: the document and how it is shown.
        opened_at: the page that is shown first, from 1.
        marks_on: page -> what is to be marked on it.
        what: what the marks are, behind "Page 1 of 2, with"; said where there are some.
        missing: one of what could not be placed, in words ("flagged clause").
    """
    pages = len(paged.document.page_starts)
    page = min(max(int(st.session_state.get(paged.page_key) or opened_at), 1), pages)
    marks = marks_on(page)
    try:
        picture = _picture(paged.document.sha256, page, marks, paged.limits, paged.data)
    except DocumentError as error:
        st.warning(escape_markdown(f"The page cannot be shown. {error}"), icon=":material/warning:")
        return
    caption = f"Page {page} of {pages}{f', with {what}' if marks else ''}"
    with st.container(height=paged.height, border=True, key=paged.container_key):
        st.image(picture.png, width="stretch", caption=caption)
    if lost := picture.found.count(False):
        words = f"One {missing}" if lost == 1 else f"{lost} {missing}s"
        st.caption(f"{words} of this page could not be placed on the picture. The text has them.")
    st.pagination(pages, default=opened_at, key=paged.page_key)


def mark_on(document: Document, start: int, end: int, page: int, colour: str) -> PageMark:
    """Return the mark of what stands on a page of ``document.text[start:end]``; ``colour`` is as in CSS (#rrggbb)."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return page_view.mark_on(document, start, end, page, (red, green, blue))


def is_on_page(document: Document, start: int, end: int, page: int) -> bool:
    """Tell whether a stretch of the text stands on ``page``, wholly or in part."""
    first, last = document.page_at(start), document.page_at(max(end - 1, start))
    return first is not None and last is not None and first <= page <= last


@st.cache_data(max_entries=_MOST_PICTURES, ttl=_TTL_S, show_spinner="Drawing the page…", scope="session")
def _picture(
    sha256: str,  # noqa: ARG001 - the key, in place of the bytes
    page: int,
    marks: tuple[PageMark, ...],
    limits: Limits,
    _data: bytes,
) -> PagePicture:
    return page_picture(_data, page, marks, limits)
