"""What the tests of scans need: the OCR extra, or a reason to be skipped."""

from __future__ import annotations

import pytest

from playground.documents.recognition import is_installed

needs_ocr = pytest.mark.skipif(
    not is_installed(), reason="Text recognition is not installed: pip install -r requirements-ocr.txt"
)
