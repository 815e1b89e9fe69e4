"""A page of a PDF -> words with boxes (pdfium), and stretches of text without a wide gap inside.

pdfium tells of characters one by one, so that every call counts. The text of a page is taken at once. A line whose
width is the sum of its characters' widths has no wide gap in it and is taken as one "word"; of the others each word's
ends are looked at.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
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
_RUN = re.compile(
    f"[^\x00-\x1f\x20\xa0\u3000{_LINE_END_HYPHENS}](?:[^\r\n{_LINE_END_HYPHENS}]*[^\x00-\x1f\x20\xa0\u3000{_LINE_END_HYPHENS}])?"
)
_ODD = re.compile("[\x00\ufffe\uffff]")  # what pdfium writes for a hyphen at a line's end, and for what it cannot write
_HAS_DIGIT = re.compile(r"\d")
# A word of several characters with a figure in it, which may be raised: "30¹", "days1".
_FIGURE = re.compile(r"(?<!\S)(?=\S\S)[^\s\d]*\d\S*")
_UNTIDY = re.compile(r"[\x00-\x1f\x7f]|  ")
_PLAIN_NUMBER = re.compile(r"[$\d.,/:-]+")
_PARTS = 4
_UNEVEN = 0.1  # of the height by which a word of a justified line may be off its place
_SHORTEST_LINE = 12  # characters, from which it pays to look at a line as a whole
_TIGHTEST = 0.04  # of the height by which each character may be nearer to the next than its width says
# A gap wider than this many times the line height separates columns. Where the file has a space of its own, only
# justification can have stretched it that far. Where the file moves on without one (pdfium then generates a space), a
# small gap is enough in a file that writes its spaces, but not in one that never does, as TeX.
_COLUMN_GAP_OVER_SPACE = 4.0
_COLUMN_GAP_BESIDE_SPACES = 0.5
_COLUMN_GAP = 1.2
_FILLED_GAP = 30.0  # what is filled into a form stands where the form has room for it
_SHIFT = 0.15  # of the height by which a raised or lowered figure is off the line
_DIAGONAL = math.radians(10)  # further off the horizontal and the vertical than a page is ever scanned askew


# pypdfium2's own binding makes an object of every pointer; these are only compared.
_text_object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
    ctypes.cast(pdfium.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
)
_object_font = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(
    ctypes.cast(pdfium.FPDFTextObj_GetFont, ctypes.c_void_p).value or 0
)


def _font_of(text_page: Any, index: int) -> int:
    """Return the address of a character's font, which tells fonts apart while the page is open; 0 for none."""
    drawn = _text_object(text_page, index)
    return (_object_font(drawn) or 0) if drawn else 0


class Word:
    """A run of characters without a wide gap inside, one word or a whole line: its text and box.

    ``first`` and ``last`` are the indices of its outer characters; ``font`` is known when it is one all along.
    ``hyphen``: a line-end hyphen follows; ``spaced``: the file has a space before it; ``diagonal``: it runs across the
    page. ``size`` is the font size in points of what was filled in and has no characters on the page; else 0.
    """

    __slots__ = (
        "diagonal",
        "first",
        "font",
        "hyphen",
        "joins",
        "last",
        "size",
        "spaced",
        "text",
        "x0",
        "x1",
        "y0",
        "y1",
    )

    def __init__(
        self,
        text: str,
        box: Box,
        *,
        first: int = -1,
        last: int = -1,
        hyphen: bool = False,
        spaced: bool = False,
        diagonal: bool = False,
        size: float = 0.0,
        font: int | None = None,
    ) -> None:
        self.text = text
        self.first = first
        self.last = last
        self.x0, self.y0, self.x1, self.y1 = box
        self.hyphen = hyphen
        self.spaced = spaced
        self.diagonal = diagonal
        self.font = font
        self.size = size
        self.joins = False  # with the word before on its line, as what stood between them was left out


class PageText:
    """The characters of one open page."""

    def __init__(self, page: Any) -> None:
        """``page`` is an open page of pypdfium2; it must stay open until :meth:`close`."""
        self._text_page = page.get_textpage()
        self._raw = self._text_page.raw
        self._rect = pdfium.FS_RECTF()
        self.count = max(0, pdfium.FPDFText_CountChars(self._raw))
        self.text = self._characters()
        self.turns = self._quarter_turns()
        width, height = page.get_size()
        if page.get_rotation() in (90, 270):
            width, height = height, width  # boxes are in the page's own coordinates, before it is turned for display
        self._width, self._height = width, height
        self.height = width if self.turns % 2 else height
        self._bold: dict[int, bool] = {}  # by font
        self._sizes: dict[tuple[int, float], float] = {}  # by font and height of a box
        self._widths: dict[tuple[int, float], dict[str, float]] = {}  # of characters, by the same

    def close(self) -> None:
        self._text_page.close()

    def _characters(self) -> str:
        """Return the page's characters, one for each index; codes that are no characters come as U+FFFD."""
        buffer = ctypes.create_string_buffer(2 * self.count + 2)
        units = pdfium.FPDFText_GetText(self._raw, 0, self.count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
        if units - 1 == self.count:
            text = buffer.raw[: 2 * self.count].decode("utf-16-le", "surrogatepass")
            if len(text) == self.count:
                return _ODD.sub(lambda match: self._character(match.start()), text)
        return "".join(map(self._character, range(self.count)))

    def _character(self, index: int) -> str:
        """Return one character: a glyph may be named or numbered beyond what Unicode has ("/u110000")."""
        code = pdfium.FPDFText_GetUnicode(self._raw, index)
        return "\ufffd" if code > 0x10FFFF or code == 0xFFFF else chr(code)

    def lines(self) -> list[Word]:
        """Return the words of the page in content order, with lines that have no wide gap as one."""
        found: list[Word] = []
        for run in _RUN.finditer(self.text):
            line = self._line(*run.span())
            if line is None:
                found += self._words(*run.span())
            else:
                found.append(line)
        return found

    def words(self) -> list[Word]:
        """Return the words of the page in content order, each by itself."""
        return [word for run in _RUN.finditer(self.text) for word in self._words(*run.span())]

    @cached_property
    def writes_spaces(self) -> bool:
        """Whether the file writes the spaces between most of its words, rather than moving on without one."""
        starts = [match.start() for match in _WORD.finditer(self.text)]
        sample = starts[1 :: max(1, len(starts) // 60)]
        return sum(self._spaced(start) for start in sample) * 2 > len(sample)

    def _spaced(self, first: int) -> bool:
        """Whether the file has a space before the word that begins at ``first``."""
        before = first - 1
        while before >= 0 and not _WORD.match(self.text, before):
            if not pdfium.FPDFText_IsGenerated(self._raw, before):
                return True
            before -= 1
        return False

    def _line(self, first: int, stop: int) -> Word | None:
        """Return a line as one word, or None when it may have a gap, another direction or raised figures inside."""
        raw = self.text[first:stop]
        if len(raw) < _SHORTEST_LINE or self.turns or not raw.isascii() or _UNTIDY.search(raw):
            return None
        start, end = self.box(first), self.box(stop - 1)
        if start[1] != end[1] or start[3] != end[3] or self.is_diagonal(first):
            return None
        font = _font_of(self._raw, first)
        if font != _font_of(self._raw, stop - 1):
            return None
        figures = [match.span() for match in _FIGURE.finditer(self.text, first, stop)]
        if not self._is_even(raw, first, font, start, end) or not all(self._on_one_line(*span) for span in figures):
            return None
        return Word(
            raw,
            (start[0], start[1], end[2], start[3]),
            first=first,
            last=stop - 1,
            hyphen=self._hyphen_at(stop),
            spaced=first > 0 and self.text[first - 1] == " " and self._spaced(first),
            font=font,
        )

    def _is_even(self, raw: str, first: int, font: int, start: Box, end: Box) -> bool:
        """Whether no gap inside a line is wide enough to part columns.

        Either the line is hardly wider than its characters together, or what it is wider by (as justified lines are)
        goes to all its spaces alike: a few words in between stand where they must. Otherwise every space must be one
        that the file writes.
        """
        height = start[3] - start[1]
        widths = self._widths.setdefault((font, round(height, 2)), {})
        for character in set(raw).difference(widths):
            box = self.box(first + raw.index(character))
            widths[character] = box[2] - box[0]
        parts = _quarters(raw)
        natural = [sum(map(widths.__getitem__, part)) for part in parts]
        extra = end[2] - start[0] - sum(natural)
        if extra < -_TIGHTEST * height * len(raw) or extra > _COLUMN_GAP_OVER_SPACE * height:
            return False
        if extra < 0.8 * _COLUMN_GAP_BESIDE_SPACES * height:
            return True
        stretch = extra / max(1, raw.count(" "))
        x, at = start[0], first
        for part, width in zip(parts[:-1], natural[:-1], strict=True):
            x += width + stretch * part.count(" ")
            at += len(part)
            if abs(self.box(at)[0] - x) > _UNEVEN * height:
                break
        else:
            if len(parts) == _PARTS:
                return True
        return not any(pdfium.FPDFText_IsGenerated(self._raw, first + i) for i, c in enumerate(raw) if c == " ")

    def _on_one_line(self, first: int, stop: int) -> bool:
        """Whether no character of a word with figures in it is raised or lowered."""
        if _PLAIN_NUMBER.fullmatch(self.text, first, stop):
            start, end = self.box(first), self.box(stop - 1)
            return abs(end[3] - start[3]) <= _SHIFT * max(start[3] - start[1], end[3] - end[1])
        boxes = [self.box(i) for i in range(first, stop)]
        tolerance = _SHIFT * max(box[3] - box[1] for box in boxes)
        return all(abs(box[3] - boxes[0][3]) <= tolerance for box in boxes)

    def _hyphen_at(self, stop: int) -> bool:
        return stop < self.count and self.text[stop] in _LINE_END_HYPHENS

    def _words(self, first_of_run: int, stop_of_run: int) -> Iterator[Word]:
        across = self.is_diagonal(first_of_run) or self.is_diagonal(stop_of_run - 1)
        for match in _WORD.finditer(self.text, first_of_run, stop_of_run):
            first, stop = match.span()
            decoded = _decoded(match[0])
            if not decoded:
                continue
            start, end = self.box(first), self.box(stop - 1)
            if stop - first > 1 and _HAS_DIGIT.search(decoded):
                decoded = self._with_raised_parted(match[0], first) or decoded
            yield Word(
                decoded,
                (min(start[0], end[0]), min(start[1], end[1]), max(start[2], end[2]), max(start[3], end[3])),
                first=first,
                last=stop - 1,
                hyphen=self._hyphen_at(stop),
                spaced=self._spaced(first),
                diagonal=across and self.is_diagonal(first),
            )

    def box(self, index: int) -> Box:
        """Return the box of a character."""
        rect = self._rect
        pdfium.FPDFText_GetLooseCharBox(self._raw, index, rect)
        if self.turns == 0:
            return rect.left, self._height - rect.top, rect.right, self._height - rect.bottom
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
        font = _font_of(self._raw, word.first) if word.font is None else word.font
        key = (font, round(word.y1 - word.y0, 2))
        if key not in self._sizes:
            matrix = pdfium.FS_MATRIX()
            size: float = pdfium.FPDFText_GetFontSize(self._raw, word.first)
            if size > 0 and pdfium.FPDFText_GetMatrix(self._raw, word.first, matrix):
                size *= math.hypot(matrix.c, matrix.d)
            self._sizes[key] = size if size > 0 else max(word.y1 - word.y0, 1.0)
        return self._sizes[key]

    def is_bold(self, index: int, font: int | None = None) -> bool:
        """Whether a character is set in a bold font; ``font`` is its font where that is known."""
        if index < 0:
            return False
        if font is None:
            font = _font_of(self._raw, index)
        if font not in self._bold:
            self._bold[font] = self._says_bold(index)
        return self._bold[font]

    def _says_bold(self, index: int) -> bool:
        if pdfium.FPDFText_GetFontWeight(self._raw, index) >= 600:
            return True
        name = ctypes.create_string_buffer(128)
        flags = ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self._raw, index, name, len(name), flags)
        lowered = name.value.decode("utf-8", "replace").lower()
        return any(mark in lowered for mark in _BOLD_NAMES)

    def _quarter_turns(self) -> int:
        """Return how most of the text is turned, in quarter turns counter-clockwise."""
        turns: Counter[int] = Counter()
        for i in range(0, self.count, max(1, self.count // 32)):
            angle = pdfium.FPDFText_GetCharAngle(self._raw, i)
            if angle >= 0 and self.text[i] > " ":
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


def _quarters(raw: str) -> list[str]:
    """Cut a line into up to four parts of whole words, about as long."""
    parts: list[str] = []
    cut = 0
    for quarter in range(1, _PARTS):
        at = raw.find(" ", len(raw) * quarter // _PARTS) + 1
        if cut < at < len(raw):
            parts.append(raw[cut:at])
            cut = at
    parts.append(raw[cut:])
    return parts


def _decoded(raw: str) -> str:
    if not raw.isascii():
        # Characters beyond the basic plane may come as surrogate pairs.
        raw = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_TRANSLATED)
    return normalise_text(raw).strip()


def segments_of(words: Sequence[Word], page: PageText, number: int) -> list[Segment]:
    """Join words in content order into stretches of one line without a wide gap; ``number`` is the page's index."""
    segments: list[Segment] = []
    run: list[Word] = []
    for word in words:
        if run and not _continues(run[-1], word, page):
            segments.append(_segment(run, page, number))
            run = []
        run.append(word)
    if run:
        segments.append(_segment(run, page, number))
    return segments


def _continues(previous: Word, word: Word, page: PageText) -> bool:
    height = max(previous.y1 - previous.y0, 1.0)
    overlap = min(previous.y1, word.y1) - max(previous.y0, word.y0)
    gap = word.x0 - previous.x1
    if previous.hyphen or overlap <= 0.5 * min(height, max(word.y1 - word.y0, 1.0)):
        return False
    if previous.size or word.size or word.joins:
        return -height < gap < _FILLED_GAP * height
    if word.spaced:
        return -0.5 * height < gap < _COLUMN_GAP_OVER_SPACE * height
    return -0.5 * height < gap < (_COLUMN_GAP_BESIDE_SPACES if page.writes_spaces else _COLUMN_GAP) * height


def _segment(words: Sequence[Word], page: PageText, number: int) -> Segment:
    first, last = words[0], words[-1]
    bold = page.is_bold(first.first, first.font) and (
        (first is last and first.font is not None) or page.is_bold(last.last, last.font)
    )
    if first is last:
        size = page.font_size(first)
        return Segment(first.text, first.x0, first.x1, first.y0, first.y1, size, bold, first.hyphen, number)
    # The middle size of a few words: a bullet or a word in code may have another size.
    sizes = sorted(page.font_size(word) for word in words[:: max(1, len(words) // 5)])
    return Segment(
        text=" ".join(word.text for word in words),
        x0=first.x0,
        x1=max(word.x1 for word in words),
        y0=min(word.y0 for word in words),
        y1=max(word.y1 for word in words),
        size=sizes[(len(sizes) - 1) // 2],
        bold=bold,
        hyphen=last.hyphen,
        page=number,
    )
