"""Words of a PDF page that are struck through: by an annotation, or by a line drawn across them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pypdfium2.raw as pdfium

from playground.documents.formats.pdf_words import Box, PageText, Word

_MAX_OBJECTS = 20_000  # of one page that are looked at
_THICKEST, _SHORTEST = 2.0, 3.0  # points
# Where a strike crosses a word, from the top of its box; an underline lies lower, a table's border outside.
_HIGHEST, _LOWEST = 0.4, 0.76
_COVERED = 0.7  # of a word's width, and of the line's length


def drawn_lines(page: Any, text: PageText) -> list[Box]:
    """Return the thin level lines on an open page: strikes among them, and underlines, blanks and borders."""
    lines: list[Box] = []
    sides = [ctypes.c_float() for _ in range(4)]
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        drawn = pdfium.FPDFPage_GetObject(page, index)
        if pdfium.FPDFPageObj_GetType(drawn) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if pdfium.FPDFPageObj_GetBounds(drawn, *sides):
            left, bottom, right, top = (side.value for side in sides)
            box = text.upright(left, top, right, bottom)
            if box[3] - box[1] <= _THICKEST and box[2] - box[0] >= _SHORTEST:
                lines.append(box)
    return lines


def without_struck(
    words: Sequence[Word], marks: Sequence[Sequence[Box]], lines: Sequence[Box]
) -> tuple[list[Word], int]:
    """Return the words that nothing strikes, and how many marks and lines struck some.

    ``marks`` are the boxes of each annotation, ``lines`` what :func:`drawn_lines` found.
    """
    kept = list(words)
    strikes = 0
    for mark in marks:
        struck = [word for word in kept if any(_middle_inside(word, box) for box in mark)]
        strikes += bool(struck)
        kept = _without(kept, struck)
    for line in lines:
        struck = [word for word in kept if _crosses(line, word)]
        if struck and sum(word.x1 - word.x0 for word in struck) >= _COVERED * (line[2] - line[0]):
            strikes += 1
            kept = _without(kept, struck)
    return kept, strikes


def _without(words: Sequence[Word], gone: Sequence[Word]) -> list[Word]:
    """Remove words; what stands behind them joins what stood before, however wide the gap is."""
    ids = {id(word) for word in gone}
    for before, word in pairwise(words):
        word.joins = word.joins or id(before) in ids
    return [word for word in words if id(word) not in ids]


def _middle_inside(word: Word, box: Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return box[0] <= x <= box[2] and box[1] - 1 <= y <= box[3] + 1


def _crosses(line: Box, word: Word) -> bool:
    height = word.y1 - word.y0
    at = (line[1] + line[3]) / 2 - word.y0
    across = min(line[2], word.x1) - max(line[0], word.x0)
    return _HIGHEST * height <= at <= _LOWEST * height and across >= _COVERED * (word.x1 - word.x0) > 0
