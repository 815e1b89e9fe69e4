"""PDF -> lines with positions (pdfium); ``pdf_layout`` makes paragraphs, headings, lists and tables of them."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator
from statistics import median_low
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pdf_paragraphs import rebuild
from playground.documents.formats.pieces import Extract, assemble, check_length
from playground.documents.limits import Limits
from playground.errors import DocumentError
from playground.text.normalise import normalise_text

# pdfium marks a hyphen at a line end with one of these instead of a line break.
_LINE_END_HYPHENS = (0x02, 0xFFFE)
_TRANSLATED = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
    | dict.fromkeys("\uf0b7\uf0a7\uf0d8\uf076\uf0fc", "•")  # bullets of the Symbol and Wingdings fonts
)
_BOLD_NAMES = ("bold", "black", "heavy", "semibold", "demi")
# A gap wider than this many times the line height separates columns. Where the file has a space of its own, only
# justification can have stretched it that far. Where the file moves on without one (pdfium then generates a space), a
# small gap is enough in a file that writes its spaces, but not in one that never does, as TeX.
_COLUMN_GAP_OVER_SPACE = 4.0
_COLUMN_GAP_BESIDE_SPACES = 0.5
_COLUMN_GAP = 1.2
_SCAN = (
    "The PDF has no text layer: its pages are pictures, probably a scan. Run text recognition (OCR) on it, or load the "
    "original document."
)
_DAMAGED = "The PDF is damaged and could not be opened. Export it again from the program that made it."
_CUT_OFF = "The PDF is damaged: its end is missing. Download or export it again."


def parse(data: bytes, limits: Limits) -> Extract:
    """Return the text of a PDF in reading order, with its pages; running heads and page numbers are left out.

    Raises:
        DocumentError: the file is damaged, protected, too long, or has no text layer.
    """
    start = data.find(b"%PDF-")
    if b"%%EOF" not in data[-4096:]:
        raise DocumentError(_CUT_OFF)  # pdfium would repair it and silently lose pages
    document = _open(data[start:])
    page_count = len(document)
    if page_count == 0:
        raise DocumentError(_DAMAGED)
    if page_count > limits.max_pages:
        raise DocumentError(f"The PDF has {page_count:,} pages; at most {limits.max_pages:,} can be loaded. Split it.")
    pages: list[list[Segment]] = []
    heights: list[float] = []
    unreadable: list[int] = []
    pictures: list[int] = []
    characters = 0
    for number in range(page_count):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            unreadable.append(number + 1)
            pages.append([])
            heights.append(0.0)
            continue
        segments, height = _segments(page, number)
        characters += sum(len(segment.text) for segment in segments)
        check_length(characters, limits.max_characters)
        if not segments and _has_picture(page):
            pictures.append(number + 1)
        pages.append(segments)
        heights.append(height)
        page.close()
    if len(unreadable) == page_count:
        raise DocumentError(_DAMAGED)
    if characters == 0:
        raise DocumentError(_SCAN)
    text_sample = "".join(segment.text for segments in pages for segment in segments)
    return assemble(
        rebuild(pages, heights),
        max_characters=limits.max_characters,
        page_count=page_count,
        warnings=_warnings(unreadable, pictures, text_sample),
    )


def _open(data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise DocumentError(
                "The PDF is protected by a password. Save it without the password and load it again."
            ) from None
        if error.err_code == pdfium.FPDF_ERR_SECURITY:
            raise DocumentError(
                "The PDF is protected in a way that cannot be read. Save it without protection and load it again."
            ) from None
        raise DocumentError(_DAMAGED) from None


def _warnings(unreadable: list[int], pictures: list[int], text: str) -> list[str]:
    warnings = []
    if unreadable:
        warnings.append(f"Not readable, so missing from the text: {_pages(unreadable)}.")
    if pictures:
        warnings.append(f"Without a text layer (pictures or scans), so missing from the text: {_pages(pictures)}.")
    private = sum("\ue000" <= c <= "\uf8ff" or c == "\ufffd" for c in text)
    if private * 20 > len(text):
        warnings.append("Many characters of the PDF have no known letter; parts of the text may be wrong.")
    return warnings


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{' and others' if len(numbers) > 10 else ''}"


def _has_picture(page: Any) -> bool:
    kinds = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
    count = min(pdfium.FPDFPage_CountObjects(page), 1000)
    return any(pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, i)) in kinds for i in range(count))


def _segments(page: Any, number: int) -> tuple[list[Segment], float]:
    """Return the stretches of text of one page without a wide gap inside, in content order, and the page height."""
    text_page = page.get_textpage()
    count = pdfium.FPDFText_CountChars(text_page)
    width, height = page.get_size()
    turns = _quarter_turns(text_page, count)
    if page.get_rotation() in (90, 270):
        width, height = height, width  # boxes are in the page's own coordinates, before it is turned for display
    segments: list[Segment] = []
    words: list[_Word] = []
    found = list(_words(text_page, count, turns, width, height))
    writes_spaces = sum(word.spaced for word in found) * 2 > len(found)
    gap = _COLUMN_GAP_BESIDE_SPACES if writes_spaces else _COLUMN_GAP
    for word in found:
        if words and not _continues(words[-1], word, gap):
            segments.append(_segment(text_page, words, number))
            words = []
        words.append(word)
    if words:
        segments.append(_segment(text_page, words, number))
    text_page.close()
    return segments, (width if turns % 2 else height)


class _Word:
    """A run of characters without white space: its text, box (top down) and first character.

    ``hyphen``: a line-end hyphen follows; ``spaced``: the file has a space before it.
    """

    __slots__ = ("first", "hyphen", "spaced", "text", "x0", "x1", "y0", "y1")

    def __init__(
        self, text: str, first: int, box: tuple[float, float, float, float], *, hyphen: bool, spaced: bool
    ) -> None:
        self.text = text
        self.first = first
        self.x0, self.y0, self.x1, self.y1 = box
        self.hyphen = hyphen
        self.spaced = spaced


def _words(text_page: Any, count: int, turns: int, width: float, height: float) -> Iterator[_Word]:
    codes: list[int] = []
    first = 0
    spaced = False
    for i in range(count + 1):
        code = pdfium.FPDFText_GetUnicode(text_page, i) if i < count else 0x20
        hyphen = code in _LINE_END_HYPHENS
        if not (hyphen or code <= 0x20 or code in (0xA0, 0x3000)):
            if not codes:
                first = i
            codes.append(code)
            continue
        text = _decoded(codes)
        if text:
            start = _box(text_page, first, turns, width, height)
            end = _box(text_page, i - 1, turns, width, height)
            box = (min(start[0], end[0]), min(start[1], end[1]), max(start[2], end[2]), max(start[3], end[3]))
            yield _Word(text, first, box, hyphen=hyphen, spaced=spaced)
            spaced = False
        codes.clear()
        spaced = spaced or (i < count and not pdfium.FPDFText_IsGenerated(text_page, i))


def _decoded(codes: list[int]) -> str:
    if not codes:
        return ""
    raw = "".join(map(chr, codes))
    if not raw.isascii():
        # Characters beyond the basic plane may come as surrogate pairs.
        raw = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_TRANSLATED)
    return normalise_text(raw).strip()


def _box(text_page: Any, index: int, turns: int, width: float, height: float) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of a character with y downwards, turned so that the text is upright."""
    rect = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, index, rect)
    left, right, top, bottom = rect.left, rect.right, rect.top, rect.bottom
    if turns == 0:
        return left, height - top, right, height - bottom
    if turns == 1:  # text runs upwards
        return bottom, left, top, right
    if turns == 2:
        return width - right, bottom, width - left, top
    return height - top, width - right, height - bottom, width - left  # text runs downwards


def _quarter_turns(text_page: Any, count: int) -> int:
    """Return how most of the text is turned, in quarter turns counter-clockwise."""
    turns: Counter[int] = Counter()
    for i in range(0, count, max(1, count // 40)):
        angle = pdfium.FPDFText_GetCharAngle(text_page, i)
        if angle >= 0 and pdfium.FPDFText_GetUnicode(text_page, i) > 0x20:
            turns[-round(angle / (math.pi / 2)) % 4] += 1  # pdfium counts clockwise
    return turns.most_common(1)[0][0] if turns else 0


def _continues(previous: _Word, word: _Word, gap: float) -> bool:
    if previous.hyphen:
        return False
    size = max(previous.y1 - previous.y0, 1.0)
    overlap = min(previous.y1, word.y1) - max(previous.y0, word.y0)
    same_line = overlap > 0.5 * min(size, max(word.y1 - word.y0, 1.0))
    widest = (_COLUMN_GAP_OVER_SPACE if word.spaced else gap) * size
    return same_line and -0.5 * size < word.x0 - previous.x1 < widest


def _segment(text_page: Any, words: list[_Word], number: int) -> Segment:
    bold = _is_bold(text_page, words[0].first) and (len(words) == 1 or _is_bold(text_page, words[-1].first))
    return Segment(
        text=" ".join(word.text for word in words),
        x0=words[0].x0,
        x1=max(word.x1 for word in words),
        y0=min(word.y0 for word in words),
        y1=max(word.y1 for word in words),
        # The middle one of a few words: a bullet or a word in code may have another size.
        size=median_low(_font_size(text_page, word) for word in words[:: max(1, len(words) // 5)]),
        bold=bold,
        hyphen=words[-1].hyphen,
        page=number,
    )


def _font_size(text_page: Any, word: _Word) -> float:
    """Return the size on the page: the font's own size times the scale of the text matrix."""
    matrix = pdfium.FS_MATRIX()
    size: float = pdfium.FPDFText_GetFontSize(text_page, word.first)
    if size > 0 and pdfium.FPDFText_GetMatrix(text_page, word.first, matrix):
        size *= math.hypot(matrix.c, matrix.d)
    return size if size > 0 else max(word.y1 - word.y0, 1.0)


def _is_bold(text_page: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    lowered = name.value.decode("utf-8", "replace").lower()
    return any(mark in lowered for mark in _BOLD_NAMES)
