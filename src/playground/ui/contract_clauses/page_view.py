"""The pages of a PDF as they look, flagged clauses marked at their place: what the text alone does not show."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.documents.page_view import PageMark, PagePicture, boxes_of, page_picture
from playground.errors import DocumentError
from playground.flagging.report import ReportRow
from playground.flagging.report.risk_style import RISK_COLOURS
from playground.types import Clause, Document, FlaggedContract
from playground.ui.contract_clauses.contract import HEIGHT
from playground.ui.contract_clauses.state import ContractEntry, Key, session
from playground.ui.shared.markup import escape_markdown

_MOST_PICTURES = 64
_TTL_S = 3600
_TEXT, _PAGE = "Text", "Page"


def shows_pages(entry: ContractEntry, document: Document) -> bool:
    """Draw the choice between text and page where the contract is a PDF; tell whether pages are chosen."""
    if not document.page_starts or not entry.is_pdf:
        return False
    chosen = st.segmented_control(
        "Show the contract as",
        (_TEXT, _PAGE),
        default=_TEXT,
        required=True,
        key=Key.SHOWN_AS,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen == _PAGE


def draw_pages(entry: ContractEntry, flagged: FlaggedContract, rows: Sequence[ReportRow]) -> None:
    """Draw the page of the clause that was jumped to, else of the first flag; others are a click away."""
    document, jump = flagged.document, session().jump
    pages = len(document.page_starts)
    target = jump.clause_id if jump else rows[0].clause.id if rows else ""
    clause = next((one for one in flagged.clauses if one.id == target), None)
    opened_at = (document.page_at(clause.start) if clause else None) or 1
    page = min(max(int(st.session_state.get(Key.PDF_PAGE) or opened_at), 1), pages)
    here = list({row.clause.id: row for row in reversed(rows) if _is_on(document, row.clause, page)}.values())
    marks = tuple(_mark(document, row, page) for row in here)
    try:
        picture = _picture(document.sha256, page, marks, entry.data or b"")
    except DocumentError as error:
        st.warning(escape_markdown(f"The page cannot be shown. {error}"), icon=":material/warning:")
        return
    caption = f"Page {page} of {pages}{', with what is flagged on it' if marks else ''}"
    with st.container(height=HEIGHT, border=True, key=Key.PDF):
        st.image(picture.png, width="stretch", caption=caption)
    if missing := picture.found.count(False):
        what = "One flagged clause" if missing == 1 else f"{missing} flagged clauses"
        st.caption(f"{what} of this page could not be placed on the picture. The text has them.")
    st.pagination(pages, default=opened_at, key=Key.PDF_PAGE)


def _is_on(document: Document, clause: Clause, page: int) -> bool:
    first, last = document.page_at(clause.start), document.page_at(max(clause.end - 1, clause.start))
    return first is not None and last is not None and first <= page <= last


def _mark(document: Document, row: ReportRow, page: int) -> PageMark:
    clause, colour = row.clause, RISK_COLOURS[row.label.risk].light.background
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return PageMark(clause.text, (red, green, blue), boxes_of(document, clause.start, clause.end, page))


@st.cache_data(max_entries=_MOST_PICTURES, ttl=_TTL_S, show_spinner="Drawing the page…", scope="session")
def _picture(sha256: str, page: int, marks: tuple[PageMark, ...], _data: bytes) -> PagePicture:  # noqa: ARG001 - the key
    return page_picture(_data, page, marks)
