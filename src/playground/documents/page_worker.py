"""The child process that draws one page of an untrusted PDF with marks on it; ``page_view`` starts it.

    python -m playground.documents.page_worker '{"page": 3, "limits": {...}}' < MARKS_AND_FILE

Standard input is a line with the marks in JSON, which are too long for an argument, and the file. Writes one JSON
object to standard output: the picture as PNG in base64, the number of pages, and which marks were found; or
``{"error": sentence}``.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from ctypes import byref, c_int
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from playground.documents.limits import Limits
from playground.documents.worker import guarded, limit_resources

_WIDTH_PX = 1_000
_LONGEST_PX = 8_000
_MOST_PIXELS = 4_000_000
_PIECE = 24
"""Letters that are looked for as one where a stretch does not stand on the page as a whole."""
_STEP = 8
"""Letters between the places where such a piece is tried."""
_FEWEST_LETTERS = 6
_FEWEST_OF_A_PART = 32
_MARGIN_PX = 2

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; of letters in points of the page before its turn, with y downwards."""
Letters = list[tuple[str, Box]]


def main(job: str) -> None:
    """Draw the page that ``job`` asks for, of the PDF on standard input, marked."""
    request = json.loads(job)
    limits = Limits(**request["limits"])
    import PIL.Image  # noqa: F401 - before the limits, so that they leave room for the page only
    import pypdfium2  # noqa: F401

    limit_resources(limits)
    sys.stdout.buffer.write(guarded(lambda: _drawn(request["page"], sys.stdin.buffer), limits))


def _drawn(wanted: int, given: IO[bytes]) -> bytes:
    import pypdfium2
    from PIL import Image

    marks, data = json.loads(given.readline()), given.read()
    document = pypdfium2.PdfDocument(data)
    document.init_forms()  # before any page is opened; without it the values of a form are not drawn
    number = min(max(wanted, 1), len(document))
    page = document[number - 1]
    width, height = (max(side, 1) for side in page.get_size())
    scale = min(_WIDTH_PX / width, _LONGEST_PX / height, (_MOST_PIXELS / (width * height)) ** 0.5)
    pixels = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()[..., :3].copy()
    page = _with_values(document, page, number)
    orders = [letters := _letters_of(page), _by_rows(letters)]
    found = []
    for mark in marks:
        lines = [_in_pixels(box, pixels) for box in mark["boxes"]]
        lines = lines or [_seen(page, box, pixels) for box in _lines(orders, mark)]
        _tint(pixels, lines, mark["colour"])
        found.append(bool(lines))
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "PNG")
    encoded = base64.b64encode(picture.getvalue()).decode("ascii")
    return json.dumps({"png": encoded, "page": number, "pages": len(document), "found": found}).encode("ascii")


def _with_values(document: Any, page: Any, number: int) -> Any:
    """Return a page whose text holds what is filled into its form; the picture is drawn before, as it looks."""
    from pypdfium2 import PdfiumError

    if document.formenv is None:
        return page
    try:
        page.flatten()
    except PdfiumError:  # the values are seen then, but not found
        return page
    return document[number - 1]


def _letters_of(page: Any) -> Letters:
    """Return the letters and digits of a page in its own order, and the box of each."""
    from pypdfium2 import raw

    text = page.get_textpage()
    letters: Letters = []
    for index in range(text.count_chars()):
        reduced = _reduced(chr(min(raw.FPDFText_GetUnicode(text, index), sys.maxunicode)))
        if reduced:
            left, bottom, right, top = text.get_charbox(index, loose=True)
            letters += [(letter, (left, -top, right, -bottom)) for letter in reduced]
    return letters


def _by_rows(letters: Letters) -> Letters:
    """Return letters as they are seen, row by row: a page's own order has the values of a form at its end."""
    rows: list[Letters] = []
    for letter in sorted(letters, key=lambda one: one[1][3]):
        _, (_, top, _, bottom) = letter
        if not rows or bottom - rows[-1][0][1][3] > (bottom - top) / 2:
            rows.append([])
        rows[-1].append(letter)
    return [letter for row in rows for letter in sorted(row, key=lambda one: one[1][0])]


def _seen(page: Any, box: Box, pixels: NDArray[np.uint8]) -> Box:
    """Return where a box of the page stands on the picture, in pixels."""
    height, width = pixels.shape[:2]
    x0, y0 = _to_device(page, box[0], -box[1], width, height)
    x1, y1 = _to_device(page, box[2], -box[3], width, height)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _to_device(page: Any, x: float, y: float, width_px: int, height_px: int) -> tuple[int, int]:
    from pypdfium2 import raw

    device_x, device_y = c_int(), c_int()
    raw.FPDF_PageToDevice(page, 0, 0, width_px, height_px, 0, x, y, byref(device_x), byref(device_y))
    return device_x.value, device_y.value


def _reduced(text: str) -> str:
    """Reduce text to what survives extraction: letters and digits, without case, accents and ligatures."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def _lines(orders: Sequence[Letters], mark: Mapping[str, str]) -> Iterator[Box]:
    """Yield a box for each line of a mark's text that stands on the page, in one of its orders; a part is enough."""
    wanted, before, after = (_reduced(mark[name]) for name in ("text", "before", "after"))
    texts = ["".join(letter for letter, _ in letters) for letters in orders]
    for text, letters in zip(texts, orders, strict=True):
        start = _place(text, wanted, before, after)
        if start is not None:
            yield from _joined([box for _, box in letters[start : start + len(wanted)]])
            return
    for first, last in _pieces(texts[0], wanted, before, after):
        yield from _joined([box for _, box in orders[0][first:last]])


def _place(text: str, wanted: str, before: str, after: str) -> int | None:
    """Return where ``wanted`` stands in ``text``: of several places the one whose letters around agree furthest.

    A few letters stand anywhere by chance: they need letters around them that agree.
    """
    best: tuple[int, int] | None = None
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        around = _agreeing(text[:start][::-1], before[::-1]) + _agreeing(text[start + len(wanted) :], after)
        if len(wanted) + around >= _FEWEST_LETTERS and (best is None or around > best[0]):
            best = around, start
        start = text.find(wanted, start + 1)
    return best[1] if best else None


def _agreeing(left: str, right: str) -> int:
    """Return how many letters two texts have in common at their beginning."""
    return next(
        (at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other),
        min(len(left), len(right)),
    )


def _pieces(letters: str, wanted: str, before: str, after: str) -> Iterator[tuple[int, int]]:
    """Yield where parts of ``wanted`` stand in ``letters``: of a stretch with a foot line inside, or letters changed.

    A short part may stand elsewhere by chance, so each is followed as far as it agrees, into the text around it too,
    and has to be long with that.
    """
    stretch = before + wanted + after
    place = position = 0
    while place + _PIECE <= len(stretch):
        at = letters.find(stretch[place : place + _PIECE], position)
        if at < 0:
            place += _STEP
            continue
        first, last, end = at, at + _PIECE, place + _PIECE
        while first > position and place > 0 and letters[first - 1] == stretch[place - 1]:
            first, place = first - 1, place - 1
        while last < len(letters) and end < len(stretch) and letters[last] == stretch[end]:
            last, end = last + 1, end + 1
        # What of it is wanted: the rest is the text around.
        inside = max(first, first + len(before) - place), min(last, last - (end - len(before) - len(wanted)))
        if last - first >= _FEWEST_OF_A_PART and inside[0] < inside[1]:
            yield inside
        if last - first >= _FEWEST_OF_A_PART:
            position = last
        place = end


def _joined(boxes: Sequence[Box]) -> Iterator[Box]:
    """Yield boxes of characters joined along their lines; where lines are set tight, a step back begins the next."""
    line: Box | None = None
    before = 0.0
    for left, top, right, bottom in boxes:
        if line and top < line[3] and bottom > line[1] and left >= before - (bottom - top):
            line = (min(line[0], left), min(line[1], top), max(line[2], right), max(line[3], bottom))
        else:
            if line:
                yield line
            line = (left, top, right, bottom)
        before = left
    if line:
        yield line


def _in_pixels(box: Sequence[float], pixels: NDArray[np.uint8]) -> Box:
    height, width = pixels.shape[:2]
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _tint(pixels: NDArray[np.uint8], boxes: Sequence[Box], colour: Sequence[int]) -> None:
    """Colour boxes as a marker pen does: dark letters stay dark, and lines that touch are not coloured twice."""
    marked = np.zeros(pixels.shape[:2], bool)
    for left, top, right, bottom in boxes:
        rows = slice(max(round(top) - _MARGIN_PX, 0), max(round(bottom) + _MARGIN_PX, 0))
        marked[rows, max(round(left) - _MARGIN_PX, 0) : max(round(right) + _MARGIN_PX, 0)] = True
    pixels[marked] = (pixels[marked].astype(np.uint16) * np.array(colour, np.uint16) // 255).astype(np.uint8)


if __name__ == "__main__":
    main(sys.argv[1])
