"""PNG, JPEG or TIFF -> text by OCR, a page a frame."""

from __future__ import annotations

import io
import time
import warnings
from typing import Any

from playground.documents.formats.ocr.extract import OnPage, Readings, finished
from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pdf_paragraphs import rebuild
from playground.documents.formats.pieces import Extract, assemble
from playground.documents.limits import Limits
from playground.errors import DocumentError

_FORMATS = ("PNG", "JPEG", "TIFF")
_BEGIN_SHARE = 0.9
"""No frame is begun when this share of the time is over."""
_LONGEST_SIDE = 3_000
_SHORT_SIDE = 1_000
"""A picture whose long side is shorter, such as a screenshot of a paragraph, is enlarged."""
_PAGE_HEIGHT = 842.0
"""In points, of A4: a picture says little of its size on paper, and only ratios count."""
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")
_DAMAGED = "The image is damaged or not complete. Scan or export it again as PNG, JPEG, TIFF or PDF."


def parse(data: bytes, limits: Limits, on_page: OnPage) -> Extract:
    """Return the text of a picture. Its size is looked up in its header, before anything is decoded.

    Raises:
        DocumentError: it is damaged, too large, has too many frames, or text recognition cannot be started.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    warnings.simplefilter("ignore")  # Pillow's own bound is not ours
    Image.MAX_IMAGE_PIXELS = None
    started = time.monotonic()
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        frames = _frames(picture, limits)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise DocumentError(_DAMAGED) from None

    from playground.documents.formats.ocr.engine import load_recogniser
    from playground.documents.formats.ocr.page import read_page

    recogniser = load_recogniser()
    readings = Readings()
    pages: list[list[Segment]] = []
    heights: list[float] = []
    left_out: list[int] = []
    for number in range(frames):
        if time.monotonic() - started > _BEGIN_SHARE * limits.timeout_s:
            left_out.append(number)
            pages.append([])
            heights.append(_PAGE_HEIGHT)
            continue
        on_page(number, frames)
        try:
            picture.seek(number)
            image = np.asarray(_upright_rgb(picture))
        except (OSError, ValueError, SyntaxError, EOFError):
            raise DocumentError(_DAMAGED) from None
        read = read_page(image, recogniser)
        pages.append(readings.add(number, read, _PAGE_HEIGHT / max(read.height, 1)))
        heights.append(_PAGE_HEIGHT)
        on_page(number + 1, frames)
    pieces = rebuild(pages, heights) if any(pages) else ()
    extract = assemble(pieces, max_characters=limits.max_characters, page_count=frames)
    why = f"At most {limits.timeout_s:g} s are given to it; split the file."
    return finished(extract, readings, unread_pages=left_out, why=why)


def _frames(picture: Any, limits: Limits) -> int:
    """Count the frames, and check the size of each, without decoding any.

    Raises:
        DocumentError: there are too many, or one has too many pixels.
    """
    count = 0
    while True:  # only a TIFF has pages; those of an animated PNG are not
        if picture.width * picture.height > limits.max_pixels:
            raise DocumentError(
                f"The image has {picture.width:,} by {picture.height:,} pixels; at most {limits.max_pixels:,} can be "
                "read. Scan it at 200 to 300 dpi."
            )
        if picture.mode not in _MODES:
            raise DocumentError("The image has colours of an unusual kind. Save it as an ordinary PNG, JPEG or PDF.")
        count += 1
        if picture.format != "TIFF":
            return count
        if count > limits.max_scanned_pages:
            raise DocumentError(
                f"The image has more than {limits.max_scanned_pages} pages. Split it, or load the pages you need."
            )
        try:
            picture.seek(count)
        except EOFError:
            picture.seek(0)
            return count


def _upright_rgb(picture: Any) -> Any:
    """Return a frame in RGB, as its camera held it, on white, at a size that reads well."""
    from PIL import Image, ImageOps

    if max(picture.size) > _LONGEST_SIDE:
        picture.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))  # a JPEG is decoded smaller; others ignore it
    frame = ImageOps.exif_transpose(picture)
    if frame.mode == "I;16":
        frame = frame.point(lambda value: value / 256).convert("L")
    longest = max(frame.size)
    factor = min(1.0, _LONGEST_SIDE / longest) if longest > _SHORT_SIDE else min(3.0, _SHORT_SIDE / longest)
    size = (max(1, round(frame.width * factor)), max(1, round(frame.height * factor)))
    if frame.mode in ("LA", "P", "RGBA"):
        frame = frame.convert("RGBA")
        ground = Image.new("RGBA", frame.size, "white")
        ground.alpha_composite(frame)
        frame = ground
    return frame.convert("RGB").resize(size, Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC)
