"""The two ways into the application: a file's bytes and pasted text."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath

from playground.documents.decoding import decode_text
from playground.documents.formats.pieces import NO_LETTERS, NO_TEXT_LAYER, Extract, check_length
from playground.documents.formats.plain import parse_plain
from playground.documents.formats.structure import clean_heading
from playground.documents.injection import instruction_warning
from playground.documents.isolation import extract_isolated
from playground.documents.limits import MIB, POLICY_LIMITS, Limits
from playground.documents.recognition import OnPage, recognise_isolated, unavailable
from playground.documents.sniffing import (
    NO_TEXT_IN_IMAGE,
    SUPPORTED_SUFFIXES,
    Format,
    detect_container,
    detect_text_format,
    looks_like_markdown,
)
from playground.errors import DocumentError
from playground.text.normalise import clean_name, clean_title
from playground.text.sentences import cited_units
from playground.types import Document

__all__ = ["SUPPORTED_SUFFIXES", "load_document", "load_generated", "load_pasted"]


def load_document(
    data: bytes, name: str, *, limits: Limits = POLICY_LIMITS, ocr: bool = True, on_page: OnPage | None = None
) -> Document:
    """Turn a file into a document.

    Pictures, and pages of a PDF that are pictures or whose text is garbled, are read by OCR where it is there.

    Args:
        data: the file's bytes.
        name: its name; only the base name is kept, and only its suffix matters to the parsing.
        limits: bounds on size, time and memory; OCR has wider ones of time and memory.
        ocr: False reads no pictures.
        on_page: called with the pages that OCR has read, of how many, a few times a second while it reads. What it
            raises stops the reading and reaches the caller.

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
    if container in ("pdf", "picture"):
        return _document(_extract_pages(data, container, limits, ocr, on_page), source)
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


def _extract_pages(data: bytes, container: Format, limits: Limits, ocr: bool, on_page: OnPage | None) -> Extract:
    """Extract a PDF's own text, and that of pictures by OCR."""
    remedy = unavailable(ocr)
    if container == "picture":
        if remedy:
            raise DocumentError(f"{NO_TEXT_IN_IMAGE} {remedy}")
        extract = recognise_isolated(data, "picture", limits, on_page)
    else:
        extract = extract_isolated(data, "pdf", limits)
        wanted = extract.pages_without_text or extract.garbled_pages
        if wanted and not remedy:
            extract = recognise_isolated(data, "scan", limits, on_page)
        elif wanted:
            if not extract.text:
                raise DocumentError(f"{NO_LETTERS if extract.garbled_pages else NO_TEXT_LAYER} {remedy}")
            return replace(extract, warnings=(*extract.warnings, remedy))
    if not extract.text.strip():
        raise DocumentError(
            "No text was found in the pictures, also not by text recognition. Scan it again at 200 dpi."
        )
    return extract


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
    document = Document(
        id=digest[:16],
        title=title or _first_heading(extract) or clean_title(PurePosixPath(source).stem, source),
        text=extract.text,
        source=source,
        sha256=digest,
        blocks=extract.blocks,
        page_starts=extract.page_starts,
        warnings=extract.warnings,
        recognised_pages=extract.recognised_pages,
        recognised_words=extract.words,
    )
    injected = instruction_warning(document.text, cited_units(document, 0, len(document.text)))
    return replace(document, warnings=(*document.warnings, injected)) if injected else document


def _first_heading(extract: Extract) -> str:
    heading = next((block for block in extract.blocks if block.kind == "heading"), None)
    return "" if heading is None else clean_title(clean_heading(extract.text[heading.start : heading.end]), "")
