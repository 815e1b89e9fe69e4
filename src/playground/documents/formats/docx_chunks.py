"""Documents inside a DOCX (``w:altChunk``), which Word shows as part of it: HTML, MHTML, text and other DOCX files."""

from __future__ import annotations

import email
from typing import TYPE_CHECKING

from playground.documents.decoding import decode_text
from playground.documents.formats.pieces import Extract
from playground.documents.limits import Limits
from playground.documents.sniffing import detect_container, detect_text_format, suffix_of
from playground.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAIL_SUFFIXES = (".mht", ".mhtml", ".eml")


def read_chunk(data: bytes, name: str, limits: Limits, parse_docx: Callable[[bytes], Extract] | None) -> Extract | None:
    """Return the text of an embedded document, or None where it cannot be read.

    ``name`` is its part's name. ``parse_docx`` reads a DOCX; None where documents are nested too deeply for one more.
    """
    try:
        return _read(data, name, limits, parse_docx)
    except DocumentError:
        return None


def _read(data: bytes, name: str, limits: Limits, parse_docx: Callable[[bytes], Extract] | None) -> Extract | None:
    if suffix_of(name) in _MAIL_SUFFIXES or data[:64].lstrip().lower().startswith(b"mime-version:"):
        return _read_text(*_page_of(data), limits)
    container = detect_container(data, "")
    if container == "docx":
        return None if parse_docx is None else parse_docx(data)
    if container is not None:
        return None
    text, _ = decode_text(data, html=b"<" in data[:4096])
    return _read_text(text, detect_text_format(text, name) == "html", limits)


def _read_text(text: str, is_html: bool, limits: Limits) -> Extract:
    from playground.documents.formats import html
    from playground.documents.formats.plain import parse_plain

    return html.parse(text.encode("utf-8", "replace"), limits) if is_html else parse_plain(text, limits)


def _page_of(data: bytes) -> tuple[str, bool]:
    """Return the text of a saved web page (MHTML) and whether it is HTML.

    Raises:
        DocumentError: it holds no text that can be decoded.
    """
    message = email.message_from_bytes(data)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "text/plain"):
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                is_html = part.get_content_type() == "text/html"
                return decode_text(payload, html=is_html)[0], is_html
    raise DocumentError("The web page inside the Word document holds no text.")
