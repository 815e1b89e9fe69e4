"""The pages of a contract as they look, flagged clauses marked at their place."""

from __future__ import annotations

from collections.abc import Sequence

from playground.documents.page_view import PageMark
from playground.flagging.report import ReportRow
from playground.flagging.report.risk_style import RISK_COLOURS
from playground.types import Document, FlaggedContract
from playground.ui.contract_clauses.contract import HEIGHT
from playground.ui.contract_clauses.state import ContractEntry, Key, session
from playground.ui.shared.page_view import PagedDocument, chooses_page, draw_page, is_on_page, mark_on


def shows_pages(entry: ContractEntry, document: Document) -> bool:
    """Draw the choice between text and page where the contract is a PDF; tell whether pages are chosen."""
    if not document.page_starts or not entry.is_pdf:
        return False
    return chooses_page("Show the contract as", Key.SHOWN_AS)


def draw_pages(entry: ContractEntry, flagged: FlaggedContract, rows: Sequence[ReportRow]) -> None:
    """Draw the page of the clause that was jumped to, else of the first flag; others are a click away."""
    document, jump = flagged.document, session().jump
    target = jump.clause_id if jump else rows[0].clause.id if rows else ""
    clause = next((one for one in flagged.clauses if one.id == target), None)
    opened_at = (document.page_at(clause.start) if clause else None) or 1

    def marks_on(page: int) -> tuple[PageMark, ...]:
        here = (row for row in reversed(rows) if is_on_page(document, row.clause.start, row.clause.end, page))
        return tuple(_mark(document, row, page) for row in {row.clause.id: row for row in here}.values())

    paged = PagedDocument(document, entry.data or b"", Key.PDF_PAGE, Key.PDF, HEIGHT)
    draw_page(paged, opened_at, marks_on, "what is flagged on it", "flagged clause")


def _mark(document: Document, row: ReportRow, page: int) -> PageMark:
    colour = RISK_COLOURS[row.label.risk].light.background
    return mark_on(document, row.clause.start, row.clause.end, page, colour)
