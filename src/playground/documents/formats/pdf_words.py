"""A page of a PDF -> words with boxes (pdfium), and stretches of text without a wide gap inside.

pdfium gives characters one by one, so that every call counts: the text of a page is taken at once, boxes are taken
for the ends of words only.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2.raw as pdfium

from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.raised import after_shifted, before_lowered, before_raised
from playground.text.normalise import normalise_text

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in points, with y downwards, turned so that the text is upright."""

_TRANSLATED = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
    | dict.fromkeys("\uf0b7\uf0a7\uf0d8\uf076\uf0fc", "•")  # bullets of the Symbol and Wingdings fonts
)
_BOLD_NAMES = ("bold", "black", "heavy", "semibold", "demi")
# pdfium marks a hyphen at a line end with one of these instead of a line break.
_LINE_END_HYPHENS = "\x02\ufffe"
_WORD = re.compile(f"[^\x00-\x20\xa0\u3000{_LINE_END_HYPHENS}]+")
_HAS_DIGIT = re.compile(r"\d")
# A gap wider than this many times the line height separates columns. Where the file has a space of its own, only
# justification can have stretched it that far. Where the file moves on without one (pdfium then generates a space), a
# small gap is enough in a file that writes its spaces, but not in one that never does, as TeX.
_COLUMN_GAP_OVER_SPACE = 4.0
_COLUMN_GAP_BESIDE_SPACES = 0.5
_COLUMN_GAP = 1.2
_FILLED_GAP = 30.0  # what is filled into a form stands where the form has room for it
_SHIFT = 0.15  # of the height by which a raised or lowered figure is off the line
_DIAGONAL = math.radians(10)  # further off the horizontal and the vertical than a page is ever scanned askew


class Word:
    """A run of characters without white space: its text, box and the index of its first character.

    ``hyphen``: a line-end hyphen follows; ``spaced``: the file has a space before it. ``size`` is the font size in
    points of a word that was filled in and has no characters on the page; 0 for all others.
    """

    __slots__ = ("first", "hyphen", "size", "spaced", "text", "x0", "x1", "y0", "y1")

    def __init__(
        self, text: str, box: Box, *, first: int = -1, hyphen: bool = False, spaced: bool = False, size: float = 0.0
    ) -> None:
        self.text = text
        self.first = first
        self.x0, self.y0, self.x1, self.y1 = box
        self.hyphen = hyphen
        self.spaced = spaced
        self.size = size


class PageText:
    """The characters of one open page."""

    def __init__(self, page: Any) -> None:
        """``page`` is an open page of pypdfium2; it must stay open until :meth:`close`."""
        self._text_page = page.get_textpage()
        self._raw = self._text_page.raw
        self._rect = pdfium.FS_RECTF()
        self.count = max(0, pdfium.FPDFText_CountChars(self._raw))
        self.turns = self._quarter_turns()
        width, height = page.get_size()
        if page.get_rotation() in (90, 270):
            width, height = height, width  # boxes are in the page's own coordinates, before it is turned for display
        self._width, self._height = width, height
        self.height = width if self.turns % 2 else height

    def close(self) -> None:
        self._text_page.close()

    def text(self) -> str:
        """Return the page's characters, one for each index; codes that are no characters come as U+FFFD."""
        buffer = ctypes.create_string_buffer(2 * self.count + 2)
        units = pdfium.FPDFText_GetText(self._raw, 0, self.count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
        if units - 1 == self.count:
            text = buffer.raw[: 2 * self.count].decode("utf-16-le", "surrogatepass")
            if len(text) == self.count:
                return text
        codes = (pdfium.FPDFText_GetUnicode(self._raw, i) for i in range(self.count))
        return "".join(chr(code) if code <= 0x10FFFF else "\ufffd" for code in codes)

    def words(self, text: str) -> Iterator[Word]:
        """Yield the words of the page in content order."""
        end = 0
        for match in _WORD.finditer(text):
            first, stop = match.span()
            decoded = _decoded(match[0])
            if not decoded:
                continue
            start_box, end_box = self.box(first), self.box(stop - 1)
            if stop - first > 1 and _HAS_DIGIT.search(decoded):
                decoded = self._with_raised_parted(match[0], first) or decoded
            yield Word(
                decoded,
                (
                    min(start_box[0], end_box[0]),
                    min(start_box[1], end_box[1]),
                    max(start_box[2], end_box[2]),
                    max(start_box[3], end_box[3]),
                ),
                first=first,
                hyphen=text[stop : stop + 1] in _LINE_END_HYPHENS and stop < len(text),
                spaced=any(not pdfium.FPDFText_IsGenerated(self._raw, i) for i in range(end, first)),
            )
            end = stop

    def box(self, index: int) -> Box:
        """Return the box of a character."""
        rect = self._rect
        pdfium.FPDFText_GetLooseCharBox(self._raw, index, rect)
        return self.upright(rect.left, rect.top, rect.right, rect.bottom)

    def upright(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Turn a rectangle of the page's own coordinates, with y upwards, so that the text is upright."""
        if self.turns == 0:
            return left, self._height - top, right, self._height - bottom
        if self.turns == 1:  # text runs upwards
            return bottom, left, top, right
        if self.turns == 2:
            return self._width - right, bottom, self._width - left, top
        return self._height - top, self._width - right, self._height - bottom, self._width - left

    def is_diagonal(self, index: int) -> bool:
        """Whether a character runs neither along the page nor across it."""
        angle = pdfium.FPDFText_GetCharAngle(self._raw, index)
        off = angle % (math.pi / 2)
        return bool(angle >= 0 and _DIAGONAL < off < math.pi / 2 - _DIAGONAL)

    def font_size(self, word: Word) -> float:
        """Return the size on the page: the font's own size times the scale of the text matrix."""
        if word.size:
            return word.size
        matrix = pdfium.FS_MATRIX()
        size: float = pdfium.FPDFText_GetFontSize(self._raw, word.first)
        if size > 0 and pdfium.FPDFText_GetMatrix(self._raw, word.first, matrix):
            size *= math.hypot(matrix.c, matrix.d)
        return size if size > 0 else max(word.y1 - word.y0, 1.0)

    def is_bold(self, word: Word) -> bool:
        if word.first < 0:
            return False
        if pdfium.FPDFText_GetFontWeight(self._raw, word.first) >= 600:
            return True
        name = ctypes.create_string_buffer(128)
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._raw, word.first, name, len(name), flags)
        lowered = name.value.decode("utf-8", "replace").lower()
        return any(mark in lowered for mark in _BOLD_NAMES)

    def _quarter_turns(self) -> int:
        """Return how most of the text is turned, in quarter turns counter-clockwise."""
        turns: Counter[int] = Counter()
        for i in range(0, self.count, max(1, self.count // 40)):
            angle = pdfium.FPDFText_GetCharAngle(self._raw, i)
            if angle >= 0 and pdfium.FPDFText_GetUnicode(self._raw, i) > 0x20:
                turns[-round(angle / (math.pi / 2)) % 4] += 1  # pdfium counts clockwise
        return turns.most_common(1)[0][0] if turns else 0

    def _with_raised_parted(self, characters: str, first: int) -> str:
        """Return a word with its raised and lowered parts set apart, or "" when all of it stands on one line."""
        boxes = [self.box(first + i) for i in range(len(characters))]
        base = max(boxes, key=lambda box: box[3] - box[1])
        tolerance = _SHIFT * (base[3] - base[1])
        if all(abs(box[3] - base[3]) <= tolerance for box in boxes):
            return ""
        runs: list[tuple[int, str]] = []  # -1 raised, 0 on the line, 1 lowered; the characters
        for character, box in zip(characters, boxes, strict=True):
            off = box[3] - base[3]
            shift = 0 if abs(off) <= tolerance else int(math.copysign(1, off))
            if runs and runs[-1][0] == shift:
                runs[-1] = (shift, runs[-1][1] + character)
            else:
                runs.append((shift, character))
        parted, before = "", 0
        for shift, run in runs:
            piece = _decoded(run)
            if parted and shift:
                parted += before_raised(parted, piece) if shift < 0 else before_lowered(parted, piece)
            elif parted and before:
                parted += after_shifted(parted, piece, raised=before < 0)
            parted += piece
            before = shift
        return parted


def _decoded(raw: str) -> str:
    if not raw.isascii():
        # Characters beyond the basic plane may come as surrogate pairs.
        raw = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_TRANSLATED)
    return normalise_text(raw).strip()


def segments_of(words: Sequence[Word], page: PageText, number: int) -> list[Segment]:
    """Join words in content order into stretches of one line without a wide gap; ``number`` is the page's index."""
    segments: list[Segment] = []
    run: list[Word] = []
    writes_spaces = sum(word.spaced for word in words) * 2 > len(words)
    gap = _COLUMN_GAP_BESIDE_SPACES if writes_spaces else _COLUMN_GAP
    for word in words:
        if run and not _continues(run[-1], word, gap):
            segments.append(_segment(run, page, number))
            run = []
        run.append(word)
    if run:
        segments.append(_segment(run, page, number))
    return segments


def _continues(previous: Word, word: Word, gap: float) -> bool:
    if previous.hyphen:
        return False
    size = max(previous.y1 - previous.y0, 1.0)
    overlap = min(previous.y1, word.y1) - max(previous.y0, word.y0)
    same_line = overlap > 0.5 * min(size, max(word.y1 - word.y0, 1.0))
    if previous.size or word.size:
        return same_line and -size < word.x0 - previous.x1 < _FILLED_GAP * size
    widest = (_COLUMN_GAP_OVER_SPACE if word.spaced else gap) * size
    return same_line and -0.5 * size < word.x0 - previous.x1 < widest


def _segment(words: Sequence[Word], page: PageText, number: int) -> Segment:
    bold = page.is_bold(words[0]) and (len(words) == 1 or page.is_bold(words[-1]))
    return Segment(
        text=" ".join(word.text for word in words),
        x0=words[0].x0,
        x1=max(word.x1 for word in words),
        y0=min(word.y0 for word in words),
        y1=max(word.y1 for word in words),
        # The middle one of a few words: a bullet or a word in code may have another size.
        size=median_low_size(words, page),
        bold=bold,
        hyphen=words[-1].hyphen,
        page=number,
    )


def median_low_size(words: Sequence[Word], page: PageText) -> float:
    sizes = sorted(page.font_size(word) for word in words[:: max(1, len(words) // 5)])
    return sizes[(len(sizes) - 1) // 2]
