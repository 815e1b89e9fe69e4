"""Pages read by OCR -> text and structure with exact offsets, words with their places, and what to say of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from playground.documents.formats.ocr import numbering
from playground.documents.formats.ocr.page import Box, ReadLine, ReadPage, ReadWord, usual_height
from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pieces import Extract
from playground.text.normalise import normalise_text
from playground.types import RecognisedWord

OnPage = Callable[[int, int], None]
"""Called with how many pages were read, of how many."""

UNSURE = "read with little certainty"
COVERED = "a stamp or a drawing lies over it"

_LEAST_SURE = 0.6
"""A word one of whose characters is less probable is doubtful."""
_FONT_SHARE = 0.85
"""Font size as a share of the height at which lines are found, measured on pages of known size."""
_SAME_SIZE = (0.75, 1.35)
"""Lines of one font are found at heights that differ so much, by what letters they have."""
_NEAR = 0.01
_MOST_SENTENCES = 12
_MOST_WORDS = 12
# "(a)with" and "1.Definitions": a narrow space after a number at a line's start is often not seen.
_GLUED_NUMBER = re.compile(r"(\((?:[a-z]{1,2}|[ivx]{1,5}|\d{1,2})\)|\d{1,2}\.)(?=[A-Za-z]{2})")


@dataclass(slots=True)
class Readings:
    """The pages read so far, by page index. ``size`` is the font size in points of the first page's usual line."""

    pages: dict[int, ReadPage] = field(default_factory=dict)
    lines: dict[int, list[tuple[Segment, ReadLine]]] = field(default_factory=dict)
    size: float = 0.0

    def add(self, number: int, page: ReadPage, points: float) -> list[Segment]:
        """Take a page in and return its lines as segments, in reading order.

        Args:
            number: page index.
            page: what was read.
            points: of one pixel.
        """
        usual = usual_height(page.lines)
        size = _rounded(_FONT_SHARE * usual * points)
        if self.size and abs(size - self.size) <= 0.2 * self.size:
            size = self.size  # pages of one document are set in one size, whatever the scanner made of it
        self.size = self.size or size
        placed = []
        for line in page.lines:
            mended = _mended(line)
            height = line.y1 - line.y0
            same = _SAME_SIZE[0] < height / usual < _SAME_SIZE[1]
            middle = (line.y0 + line.y1) / 2
            shown = (usual if same else height) / 2
            segment = Segment(
                text=normalise_text(mended.text).strip(),
                x0=line.x0 * points,
                x1=line.x1 * points,
                y0=(middle - shown) * points,
                y1=(middle + shown) * points,
                size=size if same else _rounded(_FONT_SHARE * height * points),
                bold=False,
                hyphen=False,
                page=number,
            )
            if segment.text:
                placed.append((segment, mended))
        self.pages[number] = page
        self.lines[number] = placed
        return [segment for segment, _line in placed]


def finished(extract: Extract, readings: Readings, *, unread_pages: Sequence[int] = (), why: str = "") -> Extract:
    """Return the extract with its recognised words, doubts and sentences.

    Args:
        extract: of all pages.
        readings: the pages that were read by OCR.
        unread_pages: page indices that should have been read and were not.
        why: what kept them from it.
    """
    read = sorted(readings.pages)
    words = _located(extract, readings)
    text, mended = numbering.with_roman_letters(extract.text)
    extract = replace(extract, text=text)
    found = numbering.doubts(extract)
    found += [(start, end, numbering.LETTERS_LIKE_I) for start, end in mended]
    words = _doubted(words, found)
    sentences = _sentences(extract, readings, words)
    if unread_pages:
        sentences.append(f"Not read by OCR, so missing from the text: {page_names(unread_pages)}. {why}")
    return replace(
        extract,
        words=tuple(words),
        pages_without_text=tuple(number + 1 for number in unread_pages),
        recognised_pages=tuple(number + 1 for number in read),
        warnings=(*extract.warnings, *sentences),
    )


def page_names(numbers: Sequence[int]) -> str:
    """Return "page 3" or "pages 1 to 4, 7" of page indices."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [f"{first + 1}" if first == last else f"{first + 1} to {last + 1}" for first, last in runs[:10]]
    return f"page{'s' if len(numbers) > 1 else ''} {', '.join(shown)}{' and others' if len(runs) > 10 else ''}"


def _rounded(size: float) -> float:
    return max(round(size * 2) / 2, 1.0)


def _mended(line: ReadLine) -> ReadLine:
    """Part a number at the line's start from the word that it is glued to."""
    first = line.words[0]
    match = _GLUED_NUMBER.match(first.text)
    if match is None:
        return line
    share = match.end() / len(first.text)
    x = first.x0 + share * (first.x1 - first.x0)
    left, top, right, bottom = first.box
    cut = left + share * (right - left)
    parts = (
        replace(first, text=match[0], x1=x, box=(left, top, cut, bottom)),
        replace(first, text=first.text[match.end() :], x0=x, box=(cut, top, right, bottom)),
    )
    return replace(line, words=(*parts, *line.words[1:]))


def _located(extract: Extract, readings: Readings) -> list[RecognisedWord]:
    """Find the words of each page in its part of the text: line by line, and word by word where a line was changed."""
    words: list[RecognisedWord] = []
    ends = [*extract.page_starts[1:], len(extract.text)]
    for number, placed in sorted(readings.lines.items()):
        page = readings.pages[number]
        begin, end = extract.page_starts[number], ends[number]
        cursor = begin
        for segment, line in placed:
            at = extract.text.find(segment.text, cursor, end)
            if at < 0:  # the order was changed after the reading
                at = extract.text.find(segment.text, begin, end)
            exact = at >= 0
            position = at if exact else cursor
            for word in line.words:
                text = normalise_text(word.text).strip()
                start = extract.text.find(text, position, position + len(segment.text) + 1 if exact else end)
                if start < 0 and text.endswith("-"):  # joined to the next line without its hyphen
                    text = text[:-1]
                    start = extract.text.find(text, position, end)
                if start < 0 or not text:
                    continue
                position = start + len(text)
                words.append(RecognisedWord(start, position, number + 1, word.box, _reason(word, page)))
            if exact:
                cursor = max(cursor, position)
    kept: list[RecognisedWord] = []
    for found in sorted(words, key=lambda found: (found.start, found.end)):
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept


def _reason(word: ReadWord, page: ReadPage) -> str:
    if word.covered or any(_touches(word.box, box) for box in page.unread):
        return COVERED
    return UNSURE if word.least < _LEAST_SURE else ""


def _touches(one: Box, other: Box) -> bool:
    return one[0] < other[2] + _NEAR and other[0] < one[2] + _NEAR and one[1] < other[3] and other[1] < one[3]


def _doubted(words: Sequence[RecognisedWord], found: Sequence[numbering.Doubt]) -> list[RecognisedWord]:
    """Put the doubts of the numbering on the words in which they stand."""
    starts = [word.start for word in words]
    doubted = list(words)
    for start, end, reason in found:
        position = max(bisect_right(starts, start) - 1, 0)
        while position < len(words) and words[position].start < end:
            if words[position].end > start:
                doubted[position] = replace(words[position], doubt=reason)
            position += 1
    return doubted


def _sentences(extract: Extract, readings: Readings, words: Sequence[RecognisedWord]) -> list[str]:
    if not readings.pages:
        return []
    said = [
        f"Read by OCR: {page_names(list(readings.pages))}. Letters and figures may be wrong; compare what matters with "
        "the scan."
    ]
    of_pages: list[str] = []
    for number, page in sorted(readings.pages.items()):
        name = f"Page {number + 1}"
        if not page.lines:
            of_pages.append(f"{name}: no text was found.")
        if page.quarter_turns:
            of_pages.append(f"{name} lay on its side or upside down and was turned upright.")
        if page.stamps:
            quoted = ", ".join(f"“{stamp[:60]}”" for stamp in page.stamps[:3])
            of_pages.append(f"{name}: a stamp or watermark seems to say {quoted}; it was left out of the text.")
        if page.unread:
            of_pages.append(
                f"{name}: something {_where(page.unread)} was not read: a stamp, a signature, handwriting or a "
                "picture. Look at the scan."
            )
    said += of_pages[:_MOST_SENTENCES]
    if len(of_pages) > _MOST_SENTENCES:
        said.append(f"{len(of_pages) - _MOST_SENTENCES} more such notes on other pages.")
    doubtful = [word for word in words if word.doubt]
    if doubtful:
        said.append(_doubt_sentence(extract.text, doubtful))
    return said


def _doubt_sentence(text: str, doubtful: Sequence[RecognisedWord]) -> str:
    # What the numbering says comes first: it is the rarest and the surest.
    first = sorted(doubtful, key=lambda word: (word.doubt in (UNSURE, COVERED), word.doubt == COVERED, word.start))
    shown = ", ".join(
        f"“{text[word.start : word.end][:40]}” (page {word.page}: {word.doubt})" for word in first[:_MOST_WORDS]
    )
    more = f", and {len(doubtful) - _MOST_WORDS} more" if len(doubtful) > _MOST_WORDS else ""
    count = "1 word is" if len(doubtful) == 1 else f"{len(doubtful)} words are"
    return f"{count} doubtful: {shown}{more}."


def _where(boxes: Sequence[Box]) -> str:
    """Return where on a page the largest of some boxes is."""
    left, top, right, bottom = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    row = ("at the top", "in the middle", "at the bottom")[min(int(median((top, bottom)) * 3), 2)]
    side = ("left", "", "right")[min(int(median((left, right)) * 3), 2)]
    more = f" and at {len(boxes) - 1} other place{'s' if len(boxes) > 2 else ''}" if len(boxes) > 1 else ""
    return f"{row}{' ' + side if side else ''}{more}"
