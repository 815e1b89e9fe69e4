"""What reading a file gave: its pages and words, what was left out or decided, which words are doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from playground.types import Document

_KINDS = {
    "heading": ("heading", "headings"),
    "paragraph": ("paragraph", "paragraphs"),
    "list_item": ("list item", "list items"),
    "table_row": ("table row", "table rows"),
}


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """``pages`` is None where the format has none, ``blocks`` how many there are of each kind.

    ``recognised_pages`` (from 1) were read by OCR; ``doubtful`` are the words there that may be wrong, as (word, page,
    why). ``notes`` are the sentences about what was left out, and why, and what was decided.
    """

    source: str
    pages: int | None
    words: int
    characters: int
    blocks: Mapping[str, int]
    recognised_pages: tuple[int, ...]
    doubtful: tuple[tuple[str, int, str], ...]
    notes: tuple[str, ...]


def reading_report(document: Document) -> ReadingReport:
    """Return the report of a document."""
    return ReadingReport(
        source=document.source,
        pages=len(document.page_starts) or None,
        words=len(document.text.split()),
        characters=len(document.text),
        blocks=Counter(block.kind for block in document.blocks),
        recognised_pages=document.recognised_pages,
        doubtful=tuple(
            (document.text[word.start : word.end], word.page, word.doubt)
            for word in document.recognised_words
            if word.doubt
        ),
        notes=document.warnings,
    )


def report_lines(report: ReadingReport) -> list[str]:
    """Return the report for people: a line of figures, one of structure, and the notes."""
    figures = [_counted(report.words, "word", "words"), _counted(report.characters, "character", "characters")]
    if report.pages is not None:
        figures.insert(0, _counted(report.pages, "page", "pages"))
    structure = [_counted(count, *_KINDS.get(kind, (kind, kind))) for kind, count in report.blocks.items()]
    lines = [", ".join(figures), ", ".join(structure) or "no structure"]
    if report.recognised_pages:
        read = _counted(len(report.recognised_pages), "page", "pages")
        lines.append(f"read by OCR: {read}, {_counted(len(report.doubtful), 'word', 'words')} doubtful")
    return lines


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
