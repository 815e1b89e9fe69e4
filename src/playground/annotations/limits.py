"""Bytes -> text for annotation files, bounded, with errors that speak of annotations."""

from __future__ import annotations

from playground.documents.decoding import decode_text
from playground.errors import AnnotationError, DocumentError

ACCEPTED = "CUAD's JSON, CSV, or JSON lines"


def checked_text(data: bytes, name: str, max_bytes: int) -> tuple[str, tuple[str, ...]]:
    """Decode a file; return its text without a byte order mark, and warnings about a guessed encoding.

    Raises:
        AnnotationError: the file is empty, larger than ``max_bytes``, or not text.
    """
    if len(data) > max_bytes:
        size_mb, most_mb = len(data) / 2**20, max_bytes / 2**20
        raise AnnotationError(f"{name} has {size_mb:,.0f} MB; at most {most_mb:,.0f} MB are read. Load a part of it.")
    try:
        text, warnings = decode_text(data)
    except DocumentError as error:
        raise AnnotationError(f"{name} holds binary data, not text. Load annotations as {ACCEPTED}.") from error
    if not text.strip():
        raise AnnotationError(f"{name} is empty. Load annotations as {ACCEPTED}.")
    return text.removeprefix("\ufeff"), warnings
