"""The child process that draws one page of an untrusted PDF with marks on it; ``page_view`` starts it.

    python -m playground.documents.page_worker '{"page": 3, "marks": [...], "limits": {...}}' < FILE

Writes one JSON object to standard output: the picture as PNG in base64, the number of pages, and which marks were
found; or ``{"error": sentence}``.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from ctypes import byref, c_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.documents.limits import Limits
from playground.documents.worker import guarded, limit_resources

_WIDTH_PX = 1_000
_MOST_PIXELS = 4_000_000
_PIECE = 24
"""Letters that are looked for as one where a stretch does not stand on the page as a whole."""
_FEWEST_LETTERS = 6
_FEWEST_OF_A_PART = 32
_MARGIN_PX = 2

Box = tuple[float, float, float, float]


def main(job: str) -> None:
    """Draw the page that ``job`` asks for, of the PDF on standard input."""
    request = json.loads(job)
    limits = Limits(**request["limits"])
    import PIL.Image  # noqa: F401 - before the limits, so that they leave room for the page only
    import pypdfium2  # noqa: F401

    limit_resources(limits)
    sys.stdout.buffer.write(guarded(lambda: _drawn(sys.stdin.buffer.read(), request), limits))


def _drawn(data: bytes, request: dict[str, Any]) -> bytes:
    import pypdfium2
    from PIL import Image

    document = pypdfium2.PdfDocument(data)
    number = min(max(int(request["page"]), 1), len(document))
    page = document[number - 1]
    width, height = page.get_size()
    scale = min(_WIDTH_PX / max(width, 1), (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
    pixels = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False).to_numpy()[..., :3].copy()
    letters, boxes = _letters_of(page, pixels.shape[1], pixels.shape[0])
    found = []
    for mark in request["marks"]:
        lines = [_in_pixels(box, pixels) for box in mark["boxes"]] or list(_lines(letters, boxes, mark["text"]))
        for line in lines:
            _tint(pixels, line, mark["colour"])
        found.append(bool(lines))
    picture = io.BytesIO()
    Image.fromarray(pixels).save(picture, "PNG")
    encoded = base64.b64encode(picture.getvalue()).decode("ascii")
    return json.dumps({"png": encoded, "page": number, "pages": len(document), "found": found}).encode("ascii")


def _letters_of(page: Any, width_px: int, height_px: int) -> tuple[str, list[Box]]:
    """Return the letters and digits of a page in its own order, and the box of each in pixels of the picture."""
    from pypdfium2 import raw

    text = page.get_textpage()
    letters: list[str] = []
    boxes: list[Box] = []
    for index in range(text.count_chars()):
        reduced = _reduced(chr(min(raw.FPDFText_GetUnicode(text, index), sys.maxunicode)))
        if not reduced:
            continue
        left, bottom, right, top = text.get_charbox(index, loose=True)
        x0, y0 = _to_device(page, left, top, width_px, height_px)
        x1, y1 = _to_device(page, right, bottom, width_px, height_px)
        letters.append(reduced)
        boxes += [(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))] * len(reduced)
    return "".join(letters), boxes


def _to_device(page: Any, x: float, y: float, width_px: int, height_px: int) -> tuple[int, int]:
    from pypdfium2 import raw

    device_x, device_y = c_int(), c_int()
    raw.FPDF_PageToDevice(page, 0, 0, width_px, height_px, 0, x, y, byref(device_x), byref(device_y))
    return device_x.value, device_y.value


def _reduced(text: str) -> str:
    """Reduce text to what survives extraction: letters and digits, without case, accents and ligatures."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def _lines(letters: str, boxes: Sequence[Box], stretch: str) -> Iterator[Box]:
    """Yield a box for each line of ``stretch`` that stands on the page; a part of it is enough."""
    wanted = _reduced(stretch)
    if len(wanted) < _FEWEST_LETTERS:
        return
    start = letters.find(wanted)
    if start >= 0:
        yield from _joined(boxes[start : start + len(wanted)])
        return
    for first, last in _pieces(letters, wanted):
        yield from _joined(boxes[first:last])


def _pieces(letters: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Yield where parts of ``wanted`` stand in ``letters``: of a stretch over two pages, or with a foot line inside.

    A short part may stand elsewhere by chance, so each is followed as far as it agrees and has to be long.
    """
    place = position = 0
    while place + _PIECE <= len(wanted):
        at = letters.find(wanted[place : place + _PIECE], position)
        if at < 0:
            place += _PIECE
            continue
        first, last, end = at, at + _PIECE, place + _PIECE
        while first > position and place > 0 and letters[first - 1] == wanted[place - 1]:
            first, place = first - 1, place - 1
        while last < len(letters) and end < len(wanted) and letters[last] == wanted[end]:
            last, end = last + 1, end + 1
        if last - first >= _FEWEST_OF_A_PART:
            yield first, last
            position = last
        place = end


def _joined(boxes: Sequence[Box]) -> Iterator[Box]:
    """Yield boxes of characters joined along their lines."""
    line: Box | None = None
    for left, top, right, bottom in boxes:
        if line and top < line[3] and bottom > line[1] and left >= line[0] - (bottom - top):
            line = (min(line[0], left), min(line[1], top), max(line[2], right), max(line[3], bottom))
        else:
            if line:
                yield line
            line = (left, top, right, bottom)
    if line:
        yield line


def _in_pixels(box: Sequence[float], pixels: NDArray[np.uint8]) -> Box:
    height, width = pixels.shape[:2]
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _tint(pixels: NDArray[np.uint8], box: Box, colour: Sequence[int]) -> None:
    """Colour a box as a marker pen does: dark letters stay dark."""
    left, top, right, bottom = (round(side) for side in box)
    rows = slice(max(top - _MARGIN_PX, 0), max(bottom + _MARGIN_PX, 0))
    columns = slice(max(left - _MARGIN_PX, 0), max(right + _MARGIN_PX, 0))
    part = pixels[rows, columns].astype(np.uint16)
    pixels[rows, columns] = (part * np.array(colour, np.uint16) // 255).astype(np.uint8)


if __name__ == "__main__":
    main(sys.argv[1])
