"""PDF whose pages are pictures or garbled, all or some -> text by OCR; the other pages keep their text."""

from __future__ import annotations

import time
from typing import Any

from playground.documents.formats import pdf
from playground.documents.formats.ocr.extract import OnPage, Readings, finished
from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pieces import Extract
from playground.documents.limits import Limits

DPI = 200
_BEGIN_SHARE = 0.9
"""No page is begun when this share of the time is over."""
_LONGEST_SIDE = 3_000
"""Most pixels of a page's side: a page as large as a poster is read at fewer dots an inch."""


def parse(data: bytes, limits: Limits, on_page: OnPage) -> Extract:
    """Return the text of a PDF; pages without a text layer, or with a garbled one, are drawn at 200 dpi and read.

    ``limits.max_scanned_pages`` pages are read at most, and none is begun when ``limits.timeout_s`` is nearly over: the
    others are named in a warning.

    Raises:
        DocumentError: as ``pdf.parse``, or text recognition cannot be started.
    """
    import numpy as np

    from playground.documents.formats.ocr.engine import load_recogniser
    from playground.documents.formats.ocr.page import read_page

    started = time.monotonic()
    first = pdf.parse(data, limits)
    wanted = first.pages_without_text + first.garbled_pages
    recogniser = load_recogniser()
    readings = Readings()
    left_out: list[int] = []
    most = min(len(wanted), limits.max_scanned_pages)

    def read(page: Any, number: int) -> tuple[list[Segment], float]:
        if len(readings.pages) >= most or time.monotonic() - started > _BEGIN_SHARE * limits.timeout_s:
            if number + 1 not in first.garbled_pages:  # those keep the text that they have
                left_out.append(number)
            return [], page.get_height()
        on_page(len(readings.pages), most)
        scale = min(DPI / 72, _LONGEST_SIDE / max(page.get_size()))
        image = np.ascontiguousarray(page.render(scale=scale, rev_byteorder=True).to_numpy()[..., :3])
        read = read_page(image, recogniser)
        segments = readings.add(number, read, 1 / scale)
        on_page(len(readings.pages), most)
        return segments, read.height / scale

    extract = pdf.parse(data, limits, read)
    why = f"At most {limits.max_scanned_pages} pages, and {limits.timeout_s:g} s, are given to it; split the file."
    return finished(extract, readings, unread_pages=left_out, why=why)
