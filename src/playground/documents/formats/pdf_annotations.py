"""What lies over the pages of a PDF: filled form fields, typed notes, strikes and comments (pdfium).

pdfium's text of a page has none of it. Values and boxes are read from the fields themselves, so they are found even
where the file has no picture of them; then they are set among the words of the page, where a reader sees them.
"""

from __future__ import annotations

import ctypes
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from playground.documents.formats.pdf_words import Box, PageText, Word
from playground.text.normalise import normalise_text

_NOT_SEEN = 0x02 | 0x20  # annotation flags "hidden" and "no view"
_PASSWORD = 0x2000  # field flag
_MAX_ANNOTATIONS = 5_000  # of one page
_MAX_CHARACTERS = 100_000  # of one value
_MAX_SIZE = 12.0  # points, of a value whose size the form leaves to the program that shows it
_CHARACTER_WIDTH = 0.5  # of the font size, on average
_LINE_PITCH = 1.2
_SIZE = re.compile(rb"([\d.]+)\s+Tf")
_BLANK = re.compile(r"[_.\u2026]{2,}")
_COMMENTS = (pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_HIGHLIGHT, pdfium.FPDF_ANNOT_UNDERLINE,
             pdfium.FPDF_ANNOT_SQUIGGLY, pdfium.FPDF_ANNOT_CARET)  # fmt: skip
TICKED, NOT_TICKED = "☒", "☐"


@dataclass(frozen=True, slots=True)
class Fill:
    """A value or note that stands on the page: its box, font size in points and text."""

    text: str
    box: Box
    size: float


@dataclass(frozen=True, slots=True)
class Annotations:
    """What lies over one page: ``strikes`` are the boxes of struck lines, ``comments`` and ``stamps`` are counts."""

    fills: tuple[Fill, ...] = ()
    strikes: tuple[tuple[Box, ...], ...] = ()
    comments: int = 0
    stamps: int = 0


def read_annotations(page: Any, form: Any, text: PageText) -> Annotations:
    """Read what lies over an open page. ``form`` is the document's form environment, or None when it has no form."""
    fills: list[Fill] = []
    strikes: list[tuple[Box, ...]] = []
    comments = stamps = 0
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind != pdfium.FPDF_ANNOT_LINK and not pdfium.FPDFAnnot_GetFlags(annotation) & _NOT_SEEN:
            if kind == pdfium.FPDF_ANNOT_WIDGET and form is not None:
                fills += _fill(annotation, _field_value(form, annotation), _field_size(form, annotation), text)
            elif kind == pdfium.FPDF_ANNOT_FREETEXT:
                fills += _fill(annotation, _string(annotation, b"Contents"), _typed_size(annotation), text)
            elif kind == pdfium.FPDF_ANNOT_STRIKEOUT:
                strikes.append(_quads(annotation, text))
            elif kind == pdfium.FPDF_ANNOT_STAMP:
                stamps += 1
            elif kind in _COMMENTS:
                comments += bool(_string(annotation, b"Contents"))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return Annotations(tuple(fills), tuple(strikes), comments, stamps)


def _fill(annotation: Any, value: str, size: float, text: PageText) -> list[Fill]:
    rect = pdfium.FS_RECTF()
    if not value or not pdfium.FPDFAnnot_GetRect(annotation, rect):
        return []
    box = text.upright(rect.left, rect.top, rect.right, rect.bottom)
    return [Fill(value, box, size or min(_MAX_SIZE, max(4.0, 0.7 * (box[3] - box[1]))))]


def _field_value(form: Any, annotation: Any) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else NOT_TICKED
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        chosen = [
            _option(form, annotation, i)
            for i in range(min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), 1000))
            if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, i)
        ]
        if chosen:
            return ", ".join(chosen)
    elif kind != pdfium.FPDF_FORMFIELD_TEXTFIELD or (pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD):
        return ""
    return _read(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))


def _option(form: Any, annotation: Any, index: int) -> str:
    return _read(lambda buffer, size: pdfium.FPDFAnnot_GetOptionLabel(form, annotation, index, buffer, size))


def _field_size(form: Any, annotation: Any) -> float:
    size = ctypes.c_float()
    return size.value if pdfium.FPDFAnnot_GetFontSize(form, annotation, size) else 0.0


def _typed_size(annotation: Any) -> float:
    match = _SIZE.search(_string(annotation, b"DA").encode("ascii", "ignore"))
    return float(match[1]) if match and match[1].count(b".") < 2 and match[1] != b"." else 0.0


def _string(annotation: Any, key: bytes) -> str:
    return _read(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _read(get: Callable[[Any, int], int]) -> str:
    """Read a string of pdfium: ``get(buffer, bytes)`` returns how many bytes it needs, the final zero included."""
    size = min(get(None, 0), 2 * _MAX_CHARACTERS)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return normalise_text(buffer.raw[: size - 2].decode("utf-16-le", "replace")).strip()


def _quads(annotation: Any, text: PageText) -> tuple[Box, ...]:
    quads = []
    points = pdfium.FS_QUADPOINTSF()
    for index in range(min(pdfium.FPDFAnnot_CountAttachmentPoints(annotation), 1000)):
        if pdfium.FPDFAnnot_GetAttachmentPoints(annotation, index, points):
            xs = (points.x1, points.x2, points.x3, points.x4)
            ys = (points.y1, points.y2, points.y3, points.y4)
            quads.append(text.upright(min(xs), max(ys), max(xs), min(ys)))
    return tuple(quads)


def set_among(words: Sequence[Word], fills: Sequence[Fill]) -> list[Word]:
    """Return the words of a page with each filled value behind the word at its left, or before the one at its right.

    Blanks that a value is written over ("______") go.
    """
    placed = list(words)
    for fill in sorted(fills, key=lambda fill: (fill.box[1], fill.box[0])):
        filled = _words_of(fill)
        if not filled:
            continue
        placed = [word for word in placed if not (_BLANK.fullmatch(word.text) and _overlaps(word, fill.box))]
        at = _place(placed, filled[0])
        placed[at:at] = filled
    return placed


def _words_of(fill: Fill) -> list[Word]:
    left, top, right, bottom = fill.box
    per_line = max(10, int((right - left) / (_CHARACTER_WIDTH * fill.size)))
    one_line = "\n" not in fill.text and bottom - top < 2 * _LINE_PITCH * fill.size
    lines = [fill.text] if one_line else [
        line for part in fill.text.split("\n") for line in textwrap.wrap(part, per_line)
    ]  # fmt: skip
    y = (top + bottom - fill.size) / 2 if len(lines) == 1 and one_line else top
    words: list[Word] = []
    for line in lines:
        advance = min(_CHARACTER_WIDTH * fill.size, (right - left) / max(1, len(line)))
        for match in re.finditer(r"\S+", line):
            box = (left + advance * match.start(), y, left + advance * match.end(), y + fill.size)
            words.append(Word(match[0], box, spaced=True, size=fill.size))
        y += _LINE_PITCH * fill.size
    return words


def _overlaps(word: Word, box: Box) -> bool:
    return min(word.x1, box[2]) > max(word.x0, box[0]) and min(word.y1, box[3]) > max(word.y0, box[1])


def _place(words: Sequence[Word], filled: Word) -> int:
    """Return the index at which a filled value belongs in the reading order."""
    left = right = above = None
    for index, word in enumerate(words):
        height = min(word.y1 - word.y0, filled.y1 - filled.y0)
        if min(word.y1, filled.y1) - max(word.y0, filled.y0) > 0.4 * height:
            if word.x1 <= filled.x0 + filled.size and (left is None or word.x1 >= words[left].x1):
                left = index
            elif word.x0 >= filled.x0 - filled.size and (right is None or word.x0 < words[right].x0):
                right = index
        elif word.y1 <= filled.y0 + 1 and (above is None or (word.y1, word.x1) >= (words[above].y1, words[above].x1)):
            above = index
    if left is not None:
        return left + 1
    if right is not None:
        return right
    return 0 if above is None else above + 1
