"""Documents inside a DOCX (``w:altChunk``), which Word shows as part of it: HTML, MHTML, text and other DOCX files."""

from __future__ import annotations

import codecs
import email
import re
from collections.abc import Callable

from playground.documents.formats import html
from playground.documents.formats.pieces import Extract
from playground.documents.formats.plain import parse_plain
from playground.documents.limits import Limits
from playground.errors import DocumentError

_PAGE = re.compile(r"\s*<(?:!doctype|!--|\?xml|html|head|body|div|p|table|h[1-6]|ul|ol)\b", re.IGNORECASE)
_SAVED_PAGE = re.compile(rb"\s*(?:mime-version|content-type):", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*((?:windows-|cp|iso-8859-|utf-)\w+)", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f]")
_UNREADABLE = (b"%PDF", b"{\\rtf", b"\xd0\xcf\x11\xe0")  # PDF, RTF, old Office files
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read_chunk(data: bytes, limits: Limits, parse_docx: Callable[[bytes], Extract] | None) -> Extract | None:
    """Return the text of an embedded document, or None where it cannot be read.

    ``parse_docx`` reads a DOCX; None where documents are nested too deeply for one more.
    """
    try:
        if data.startswith(b"PK"):
            return None if parse_docx is None else parse_docx(data)
        page = _page_of(data) if _SAVED_PAGE.match(data[:200]) else data
        if page is None or page.startswith(_UNREADABLE):
            return None
        text = _decoded(page)
        if _CONTROLS.search(text):  # no text at all
            return None
        if _PAGE.match(text[:4096]):
            return html.parse(text.encode("utf-8", "replace"), limits)
        return parse_plain(text, limits)
    except DocumentError:
        return None


def _page_of(data: bytes) -> bytes | None:
    """Return the page of a web page that was saved with its pictures (MHTML)."""
    for part in email.message_from_bytes(data).walk():
        if part.get_content_type() in ("text/html", "text/plain"):
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None


def _decoded(data: bytes) -> str:
    """Decode by byte order mark, as UTF-8, as declared, else as Windows-1252."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    declared = _CHARSET.search(data[:2048])
    for encoding in ("utf-8", *([declared[1].decode("ascii", "replace")] if declared else [])):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")
