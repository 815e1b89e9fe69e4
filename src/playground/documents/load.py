"""The two ways into the application: a file's bytes and pasted text."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from playground.documents.decoding import decode_text
from playground.documents.formats.pieces import Extract, check_length
from playground.documents.formats.plain import parse_plain
from playground.documents.formats.structure import clean_heading
from playground.documents.injection import instruction_warning
from playground.documents.isolation import extract_isolated
from playground.documents.limits import MIB, POLICY_LIMITS, Limits
from playground.documents.sniffing import (
    SUPPORTED_SUFFIXES,
    detect_container,
    detect_text_format,
    looks_like_markdown,
)
from playground.errors import DocumentError
from playground.text.normalise import clean_name, clean_title
from playground.types import Document

__all__ = ["SUPPORTED_SUFFIXES", "load_document", "load_generated", "load_pasted"]


def load_document(data: bytes, name: str, *, limits: Limits = POLICY_LIMITS) -> Document:
    """Turn a file into a document.

    Args:
        data: the file's bytes.
        name: its name; only the base name is kept, and only its suffix matters to the parsing.
        limits: bounds on size, time and memory.

    Raises:
        DocumentError: the file is empty, too large, of an unsupported type, protected, damaged or without text.
    """
    source = clean_name(name, "document")
    if not data:
        raise DocumentError("The file is empty. Choose a file that has text in it.")
    if len(data) > limits.max_bytes:
        raise DocumentError(
            f"The file has {len(data) / MIB:.1f} MB; at most {limits.max_bytes / MIB:g} MB can be loaded. Remove "
            "images or split it."
        )
    container = detect_container(data, source)
    if container:
        return _document(extract_isolated(data, container, limits), source)
    text, warnings = decode_text(data, html=b"<" in data[:4096])
    return _document(_extract_text(text, source, limits, warnings), source)


def load_pasted(
    text: str, title: str = "", *, limits: Limits = POLICY_LIMITS, markdown: bool | None = None
) -> Document:
    """Turn pasted or edited text into a document.

    Args:
        text: what was pasted: plain text, Markdown or a whole HTML page.
        title: the document's title; empty takes its first heading.
        limits: bounds on size, time and memory.
        markdown: whether to read it as Markdown; None decides by its look.

    Raises:
        DocumentError: the text is empty or too long.
    """
    source = clean_title(title, "Pasted text")
    if not text.strip():
        raise DocumentError("The pasted text is empty. Paste the document's text and try again.")
    check_length(len(text), limits.max_characters)
    as_markdown = looks_like_markdown(text) if markdown is None else markdown
    extract = _extract_text(text, "pasted.md" if as_markdown else "pasted.txt", limits, ())
    return _document(extract, source, title=clean_title(title, ""))


def load_generated(text: str, title: str) -> Document:
    """Turn Markdown that this program wrote itself into a document: nothing to guard against, so no process of its own.

    Raises:
        DocumentError: the text is empty or too long.
    """
    from playground.documents.formats import markdown

    return _document(markdown.parse(text.encode("utf-8"), POLICY_LIMITS), title, title=title)


def _extract_text(text: str, name: str, limits: Limits, warnings: tuple[str, ...]) -> Extract:
    document_format = detect_text_format(text, name)
    if document_format == "text":
        extract = parse_plain(text, limits)
    else:
        extract = extract_isolated(text.encode("utf-8", "replace"), document_format, limits)
    return Extract(extract.text, extract.blocks, extract.page_starts, warnings + extract.warnings)


def _document(extract: Extract, source: str, title: str = "") -> Document:
    if not extract.text.strip():
        raise DocumentError("The document holds no text, only white space. Choose a file that has text in it.")
    digest = hashlib.sha256(extract.text.encode("utf-8")).hexdigest()
    injected = instruction_warning(extract.text)
    return Document(
        id=digest[:16],
        title=title or _first_heading(extract) or clean_title(PurePosixPath(source).stem, source),
        text=extract.text,
        source=source,
        sha256=digest,
        blocks=extract.blocks,
        page_starts=extract.page_starts,
        warnings=(*extract.warnings, injected) if injected else extract.warnings,
    )


def _first_heading(extract: Extract) -> str:
    heading = next((block for block in extract.blocks if block.kind == "heading"), None)
    return "" if heading is None else clean_title(clean_heading(extract.text[heading.start : heading.end]), "")
