"""Which pages of a PDF are pictures of text: scans, faxes, photographs, and text drawn as shapes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import pypdfium2.raw as pdfium

from playground.documents.formats.pdf_layout import Segment

_LITTLE_TEXT = 300
"""Characters: a page with fewer may be a scan with a line set over it, such as the number of a signing service."""
_COVERED = 0.6
"""Share of such a page that its pictures cover."""
_MOST_OBJECTS = 2_000
_SHAPES = 60
"""A page without text that draws so many shapes may have its letters among them."""


def is_scan(page: Any, segments: Sequence[Segment]) -> bool:
    """Whether a page's text is a picture: it has none of its own, or little and a picture over most of the page."""
    characters = sum(len(segment.text) for segment in segments)
    if characters > _LITTLE_TEXT:
        return False
    pictures, shapes = 0.0, 0
    width, height = page.get_size()
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        drawn = pdfium.FPDFPage_GetObject(page, index)
        kind = pdfium.FPDFPageObj_GetType(drawn)
        if kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM):
            if not characters:
                return True
            pictures += _area(drawn) if kind == pdfium.FPDF_PAGEOBJ_IMAGE else 0.0
        shapes += kind == pdfium.FPDF_PAGEOBJ_PATH
    return pictures > _COVERED * width * height if characters else shapes >= _SHAPES


def _area(drawn: Any) -> float:
    sides = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(drawn, *sides):
        return 0.0
    left, bottom, right, top = (side.value for side in sides)
    return max(right - left, 0.0) * max(top - bottom, 0.0)
