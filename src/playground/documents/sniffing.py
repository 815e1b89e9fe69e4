"""Which format bytes are in: what they contain decides, the suffix only tells the text formats apart."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

from playground.errors import DocumentError

Format = Literal["pdf", "docx", "html", "markdown", "text", "scan", "picture"]

FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".text": "text",
}
SUPPORTED_SUFFIXES: tuple[str, ...] = tuple(FORMAT_OF_SUFFIX)
ACCEPTED = "PDF, DOCX, Markdown, HTML or plain text"

NO_TEXT_IN_IMAGE = "This is an image, which has no text layer. Load the document as PDF with text, DOCX or text."
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")  # PNG, JPEG, TIFF

# Leading bytes of formats that people try, and what to tell them.
_KNOWN_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "This is an RTF file. Save it as DOCX or PDF and load that."),
    (b"GIF8", "This is a GIF, which is not read. Save the image as PNG, or load the document as PDF, DOCX or text."),
    (b"\x1f\x8b", f"This is a compressed archive. Unpack it and load the {ACCEPTED} file inside."),
    (b"7z\xbc\xaf\x27\x1c", f"This is a compressed archive. Unpack it and load the {ACCEPTED} file inside."),
    (b"Rar!", f"This is a compressed archive. Unpack it and load the {ACCEPTED} file inside."),
    (b"MZ", f"This is a program, not a document. Load a {ACCEPTED} file."),
    (b"\x7fELF", f"This is a program, not a document. Load a {ACCEPTED} file."),
    (b"SQLite format 3", f"This is a database, not a document. Load a {ACCEPTED} file."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_MARKDOWN_SIGN = re.compile(r"^(?: {0,3}#{1,6} +\S|\|? *:?-{3,}:? *\|[ |:-]*$|\[[^\]\n]+\]\([^)\s]+\)|```)", re.M)
_PLAIN_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


def suffix_of(name: str) -> str:
    """Return the lower-case suffix of a file name, dot included; empty when it has none."""
    return PurePosixPath(name).suffix.lower()


def is_pdf(data: bytes) -> bool:
    """Tell whether bytes are a PDF: its mark may stand behind what another program put in front."""
    return b"%PDF-" in data[:1024]


def detect_container(data: bytes, name: str) -> Format | None:
    """Return "pdf", "docx" or "picture" for those, None for what must be text.

    A zip archive counts as "docx" here; the DOCX parser looks inside under its bounds.

    Raises:
        DocumentError: the content is of another known type, or the suffix promises a PDF or DOCX that is not there.
    """
    if is_pdf(data):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "docx"
    if data.startswith(_PICTURES):
        return "picture"
    if data.startswith(_OLE):
        raise DocumentError(_ole_message(data))
    for magic, message in _KNOWN_UNSUPPORTED:
        if data.startswith(magic) and not (magic == b"MZ" and _is_text(data)):
            raise DocumentError(message)
    suffix = suffix_of(name)
    if suffix == ".pdf":
        raise DocumentError(
            "The file is named .pdf but is not a PDF, or its beginning is damaged. Export the PDF again, or rename "
            "the file if it is of another type."
        )
    if suffix == ".docx":
        raise DocumentError(
            "The file is named .docx but is not a Word document, or it is damaged. Save it again as DOCX, or rename "
            "the file if it is of another type."
        )
    if suffix and suffix not in FORMAT_OF_SUFFIX:
        shown = f"Files of type {suffix}" if _PLAIN_SUFFIX.fullmatch(suffix) else "Files of this type"
        raise DocumentError(f"{shown} are not supported. Load a {ACCEPTED} file.")
    return None


def detect_text_format(text: str, name: str) -> Format:
    """Return "html", "markdown" or "text" for decoded text; a whole HTML page is HTML whatever its suffix."""
    if _HTML_START.match(text[:4096].lstrip("\ufeff \t\r\n")):
        return "html"
    return FORMAT_OF_SUFFIX.get(suffix_of(name), "text")


def looks_like_markdown(text: str) -> bool:
    """Whether pasted text has a heading, a table, a link or a code fence of Markdown."""
    return bool(_MARKDOWN_SIGN.search(text))


def _is_text(data: bytes) -> bool:
    return not any(byte < 9 for byte in data[:512])


def _ole_message(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "The file is protected by a password. Open it in Word, remove the password, save it and load it again."
    return "This is an old Office file (.doc, .xls, .ppt). Save it as DOCX or PDF and load that."
