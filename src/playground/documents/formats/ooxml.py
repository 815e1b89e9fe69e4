"""Opens the parts of a DOCX archive under bounds that are checked before anything is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any

from lxml import etree

from playground.documents.limits import MIB
from playground.errors import DocumentError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# ISO 29500 "strict" files use another namespace for the same elements.
_STRICT_W = b"http://purl.oclc.org/ooxml/wordprocessingml/main"

_DOCUMENT_PART = re.compile(r"word/document\d{0,2}\.xml")

MAX_ENTRIES = 5_000
MAX_PART_BYTES = 64 * MIB
MAX_TOTAL_BYTES = 512 * MIB
# Word's own XML reaches about 40 times; deflate's most is 1,032.
MAX_RATIO = 200
_RATIO_APPLIES_ABOVE_BYTES = MIB

_BOMB = (
    "The file unpacks to far more than a document needs and was not opened, because it may be an archive bomb. Save it "
    "again from Word and load that."
)
_DAMAGED = "The Word document is damaged and could not be opened. Save it again as DOCX and load that."
_WITH_DTD = (
    "The Word document holds a document type definition, which Word never writes, and was not read. Save it again from "
    "Word and load that."
)


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Open a DOCX archive after checking its directory: entries, sizes, ratio, encryption, kind.

    Raises:
        DocumentError: it is damaged, not a Word document, encrypted or a bomb.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise DocumentError(_DAMAGED) from None
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise DocumentError(_BOMB)
    for entry in entries:
        if entry.flag_bits & 1:
            raise DocumentError("The file is protected by a password. Remove the password and load it again.")
        too_dense = entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        if too_dense and entry.file_size > _RATIO_APPLIES_ABOVE_BYTES:
            raise DocumentError(_BOMB)
    document_part(archive)
    return archive


def document_part(archive: zipfile.ZipFile) -> str:
    """Return the name of the part that holds the text; Word on the web writes "document2.xml".

    Raises:
        DocumentError: the archive holds no Word document.
    """
    names = archive.namelist()
    found = sorted(name for name in names if _DOCUMENT_PART.fullmatch(name))
    if not found:
        raise DocumentError(_not_word(set(names)))
    return found[0]


def load_part(archive: zipfile.ZipFile, name: str) -> Any | None:
    """Return the root element of an XML part, or None when the archive has no such part.

    Raises:
        DocumentError: the part is too large, damaged or defines entities.
    """
    if name not in archive.namelist():
        return None
    try:
        with archive.open(name) as stream:
            data = stream.read(MAX_PART_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise DocumentError(_DAMAGED) from None
    if len(data) > MAX_PART_BYTES:
        raise DocumentError(_BOMB)
    return parse_xml(data)


def parse_xml(data: bytes) -> Any:
    """Parse XML without entities, network or huge nodes.

    Raises:
        DocumentError: the XML is damaged or has a document type definition (the place of entity bombs).
    """
    # Entities in attributes expand even with resolve_entities=False, so a definition is refused before parsing.
    if any("<!DOCTYPE".encode(encoding) in data for encoding in ("ascii", "utf-16-le", "utf-16-be")):
        raise DocumentError(_WITH_DTD)
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data.replace(_STRICT_W, W[1:-1].encode()), parser)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from None
        raise DocumentError(_DAMAGED) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise DocumentError(_WITH_DTD)
    return root


def _not_word(names: set[str]) -> str:
    if any(name.startswith("xl/") for name in names):
        return "This is a spreadsheet. Save the sheet as PDF or paste its text."
    if any(name.startswith("ppt/") for name in names):
        return "This is a presentation. Save it as PDF and load that."
    if "content.xml" in names:
        return "This is an OpenDocument file. Save it as DOCX or PDF and load that."
    return "This is an archive, not a document. Unpack it and load the PDF, DOCX, Markdown, HTML or text file inside."
