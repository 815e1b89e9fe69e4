"""Scans for the tests: what needs the OCR extra, and pages made by ``scripts/degraded_pages.py``."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from playground.documents.recognition import is_installed
from playground.paths import ROOT

needs_ocr = pytest.mark.skipif(
    not is_installed(), reason="Text recognition is not installed: pip install -r requirements-ocr.txt"
)


def degraded_pages() -> ModuleType:
    """Return the script that makes pages look like scans."""
    spec = importlib.util.spec_from_file_location("degraded_pages", ROOT / "scripts" / "degraded_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
