"""A page of a PDF as it looks, with stretches of its text marked at their place.

PDFs are untrusted, so a child process draws the page under the limits of ``Limits``; what comes back is a picture.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from playground.documents.isolation import run_isolated
from playground.documents.limits import CONTRACT_LIMITS, Limits
from playground.documents.sniffing import is_pdf
from playground.errors import DocumentError
from playground.types import Document

MOST_MARKS = 200
_AROUND = 120
"""Characters on each side of a mark by which its place is told from others."""


@dataclass(frozen=True, slots=True)
class PageMark:
    """What is to be marked: the text of a stretch, and its colour as red, green and blue from 0 to 255.

    ``boxes`` are left, top, right, bottom as shares of the page, where they are known (of a scan); else the text is
    looked for on the page, and where it stands there more than once, ``before`` and ``after``, the text around it,
    tell which one is meant.
    """

    text: str
    colour: tuple[int, int, int]
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page drawn as PNG. ``found`` tells for each mark whether it stands on this page."""

    png: bytes
    page: int
    pages: int
    found: tuple[bool, ...]


def page_picture(
    data: bytes, page: int, marks: Sequence[PageMark] = (), limits: Limits = CONTRACT_LIMITS
) -> PagePicture:
    """Draw ``page`` (from 1; the nearest where there is no such page) of the PDF ``data`` with ``marks`` on it.

    Raises:
        DocumentError: the file is damaged, no PDF, or takes more time or memory than ``limits`` allow.
    """
    if not is_pdf(data):
        raise DocumentError("Only a PDF has pages to show. Read the text instead.")
    job = json.dumps({"page": page, "limits": asdict(limits)})
    given = json.dumps([asdict(mark) for mark in marks[:MOST_MARKS]]).encode("ascii") + b"\n" + data
    reply = json.loads(run_isolated("playground.documents.page_worker", job, given, limits))
    if "error" in reply:
        raise DocumentError(str(reply["error"]))
    return PagePicture(base64.b64decode(reply["png"]), reply["page"], reply["pages"], tuple(reply["found"]))


def mark_on(document: Document, start: int, end: int, page: int, colour: tuple[int, int, int]) -> PageMark:
    """Return the mark of what stands on ``page`` (from 1) of ``document.text[start:end]``."""
    pages = (*document.page_starts, len(document.text))
    page_start, page_end = pages[page - 1], pages[page]
    first, last = max(start, page_start), max(min(end, page_end), page_start)
    return PageMark(
        document.text[first:last],
        colour,
        boxes_of(document, start, end, page),
        before=document.text[max(first - _AROUND, page_start) : first],
        after=document.text[last : min(last + _AROUND, page_end)],
    )


def boxes_of(document: Document, start: int, end: int, page: int) -> tuple[tuple[float, float, float, float], ...]:
    """Return the boxes of the words of ``document.text[start:end]`` on a page that was read by OCR; else none."""
    words = document.recognised_words
    return tuple(word.box for word in words if word.page == page and word.start < end and word.end > start)
