"""PDF -> pages of lines with positions (pdfium); ``pdf_paragraphs`` makes paragraphs, headings and tables of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from playground.documents.formats.legibility import GARBLED_SHARE, WARNED_SHARE, Legibility, legibility
from playground.documents.formats.pdf_annotations import read_annotations, set_among
from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pdf_margins import may_have_line_numbers, without_line_numbers
from playground.documents.formats.pdf_paragraphs import rebuild
from playground.documents.formats.pdf_scans import is_scan
from playground.documents.formats.pdf_strikes import drawn_lines, without_struck
from playground.documents.formats.pdf_words import PageText, Word, segments_of
from playground.documents.formats.pieces import NO_TEXT_LAYER, Extract, assemble, check_length
from playground.documents.limits import Limits
from playground.errors import DocumentError

_END = b"%%EOF"
# What a file that was cut off holds behind its last end mark: the beginning of a later part.
_PART_OF_A_FILE = re.compile(rb"\d+\s+\d+\s+obj\b|\bxref\b|\bstartxref\b|\btrailer\b")
_MAX_QUOTED = 60
_DAMAGED = "The PDF is damaged and could not be opened. Export it again from the program that made it."
_CUT_OFF = "The PDF is damaged: its end is missing. Download or export it again."


@dataclass(slots=True)
class _LeftOut:
    """What is not in the text: page numbers from 1, counts, words.

    ``illegible`` are the pages whose text is not what is printed, as far as it tells; ``garbled`` those where it is of
    no use, ``replaced`` those of them that were read by OCR instead.
    """

    unreadable: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    numbered: list[int] = field(default_factory=list)
    diagonal: dict[str, list[int]] = field(default_factory=dict)
    illegible: dict[int, Legibility] = field(default_factory=dict)
    garbled: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    struck: int = 0
    comments: int = 0
    stamps: int = 0


ReadScan = Callable[[Any, int], tuple[list[Segment], float]]
"""Reads a page (pdfium's, its index) as a picture: its lines in reading order, and its height in points. No lines where
the page was left out."""


def parse(data: bytes, limits: Limits, read_scan: ReadScan | None = None) -> Extract:
    """Return the text of a PDF in reading order, with its pages and the values of its form.

    Running heads and page numbers are left out; so are line numbers, watermarks and struck text, with a warning.

    Pages that are pictures are read by ``read_scan``; without it they are named in ``pages_without_text``, and the
    text is empty where there is no other page. Pages whose text is garbled are read by it, too; without it they are
    named in ``garbled_pages`` and keep their text.

    Raises:
        DocumentError: the file is damaged, protected, too long, or has neither text nor pictures.
    """
    document = _open(_whole(data))
    page_count = len(document)
    if page_count == 0:
        raise DocumentError(_DAMAGED)
    if page_count > limits.max_pages:
        raise DocumentError(f"The PDF has {page_count:,} pages; at most {limits.max_pages:,} can be loaded. Split it.")
    form = None
    if document.get_formtype() != pdfium.FORMTYPE_NONE:
        document.init_forms()  # before any page is opened
        form = document.formenv
    pages: list[list[Segment]] = []
    heights: list[float] = []
    left_out = _LeftOut()
    scanned: list[int] = []
    characters = 0
    for number in range(page_count):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            left_out.unreadable.append(number + 1)
            pages.append([])
            heights.append(0.0)
            continue
        segments, height = _read_page(page, form, number, left_out)
        characters += sum(len(segment.text) for segment in segments)
        check_length(characters, limits.max_characters)
        if is_scan(page, segments):
            scanned.append(number + 1)
            if read_scan is not None:
                segments, height = read_scan(page, number)
                characters += sum(len(segment.text) for segment in segments)
        elif number + 1 in left_out.illegible and left_out.illegible[number + 1].share >= GARBLED_SHARE:
            read, seen_height = ([], 0.0) if read_scan is None else read_scan(page, number)
            if read:
                segments, height = read, seen_height
                characters += sum(len(segment.text) for segment in segments)
            (left_out.replaced if read else left_out.garbled).append(number + 1)
        pages.append(segments)
        heights.append(height)
        page.close()
    if len(left_out.unreadable) == page_count:
        raise DocumentError(_DAMAGED)
    pictures, garbled = tuple(scanned), tuple(left_out.garbled)
    if characters == 0 and not (pictures or garbled):
        raise DocumentError(NO_TEXT_LAYER)
    if characters == 0:
        return Extract("", (), (0,) * page_count, pages_without_text=pictures, garbled_pages=garbled)
    left_out.pictures = scanned if read_scan is None else []
    extract = assemble(
        rebuild(pages, heights),
        max_characters=limits.max_characters,
        page_count=page_count,
        warnings=_warnings(left_out),
    )
    return replace(extract, pages_without_text=pictures, garbled_pages=garbled)


def _whole(data: bytes) -> bytes:
    """Return the file from its beginning to its end mark. What a server or mail program put around it does no harm.

    Raises:
        DocumentError: the file was cut off; pdfium would repair it and silently lose pages.
    """
    end = data.rfind(_END)
    if end < 0 or _PART_OF_A_FILE.search(data, end):
        raise DocumentError(_CUT_OFF)
    return data[data.find(b"%PDF-") : end + len(_END)] + b"\n"


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


def _read_page(page: Any, form: Any, number: int, left_out: _LeftOut) -> tuple[list[Segment], float]:
    """Return the stretches of text of one page in content order, and the height of the page."""
    text = PageText(page)
    over = read_annotations(page, form, text)
    lines = drawn_lines(page, text) if text.count else []
    whole_lines = not (lines or over.strikes or over.fills or may_have_line_numbers(text.text))
    words = _without_diagonal(text.lines() if whole_lines else text.words(), number, left_out)
    words, struck = without_struck(words, over.strikes, lines)
    words, numbered = without_line_numbers(set_among(words, over.fills))
    if numbered:
        left_out.numbered.append(number + 1)
    found = legibility(text.text)
    if found.share >= WARNED_SHARE:
        left_out.illegible[number + 1] = found
    left_out.struck += struck
    left_out.comments += over.comments
    left_out.stamps += over.stamps
    segments = segments_of(words, text, number)
    text.close()
    return segments, text.height


def _without_diagonal(words: list[Word], number: int, left_out: _LeftOut) -> list[Word]:
    """Remove a watermark: words that run across the page, where most of the words do not."""
    diagonal = [word for word in words if word.diagonal]
    if not diagonal or len(diagonal) * 2 > len(words):
        return words
    left_out.diagonal.setdefault(" ".join(word.text for word in diagonal), []).append(number + 1)
    gone = {id(word) for word in diagonal}
    return [word for word in words if id(word) not in gone]


def _warnings(left_out: _LeftOut) -> list[str]:
    warnings = []
    if left_out.unreadable:
        warnings.append(f"Not readable, so missing from the text: {_pages(left_out.unreadable)}.")
    if left_out.pictures:
        warnings.append(
            f"Without a text layer (pictures or scans), so missing from the text: {_pages(left_out.pictures)}."
        )
    for words, pages in list(left_out.diagonal.items())[:5]:
        quoted = words if len(words) <= _MAX_QUOTED else words[:_MAX_QUOTED].rstrip() + "…"
        warnings.append(f"A watermark was left out: “{quoted}” ({_pages(pages)}).")
    if left_out.numbered:
        warnings.append(f"The line numbers in the margin were left out ({_pages(left_out.numbered)}).")
    if left_out.struck:
        warnings.append(f"Struck-through text was left out in {_times(left_out.struck, 'place')}.")
    if left_out.comments:
        warnings.append(f"{_times(left_out.comments, 'comment')} on the pages {_was(left_out.comments)} left out.")
    if left_out.stamps:
        warnings.append(f"{_times(left_out.stamps, 'stamp')} on the pages {_was(left_out.stamps)} left out.")
    warnings += _illegible_text(left_out)
    return warnings


def _illegible_text(left_out: _LeftOut) -> list[str]:
    """Say which pages' text is not what is printed, how much of it, and what was done."""
    kept = {page: found for page, found in left_out.illegible.items() if page not in left_out.replaced}
    sentences = []
    for pages, end in (
        (left_out.replaced, "The page as it looks was read by OCR instead."),
        (list(kept), "The file does not say which letters its fonts draw: compare with the page as it is printed."),
    ):
        if not pages:
            continue
        worst = max((left_out.illegible[page] for page in pages), key=lambda found: found.share)
        example = f", for example \u201c{worst.example}\u201d" if worst.example else ""
        most = "up to " if len(pages) > 1 else ""
        sentences.append(
            f"Of the file's text on {_pages(pages)}, {most}{worst.share:.0%} is not made of words{example}. {end}"
        )
    return sentences


def _times(count: int, name: str) -> str:
    return f"{count} {name}{'s' if count > 1 else ''}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{' and others' if len(numbers) > 10 else ''}"
