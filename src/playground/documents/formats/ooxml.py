"""Opens the parts of a DOCX archive under bounds that are checked before anything is unpacked."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import unquote

from lxml import etree

from playground.documents.limits import MIB
from playground.errors import DocumentError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_OVERRIDE = "{http://schemas.openxmlformats.org/package/2006/content-types}Override"
# ISO 29500 "strict" files use other namespaces for the same elements.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", W[1:-1].encode()),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", M[1:-1].encode()),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", R[1:-1].encode()),
)
_STRICT_MARK = b"http://purl.oclc.org/ooxml/"

_USUAL_DOCUMENT_PART = re.compile(r"word/document\d{0,2}\.xml")
_WORD_CONTENT = re.compile(r"(?:wordprocessingml\.(?:document|template)|ms-word\.(?:document|template)\S*)\.main\+xml$")
_OTHER_PROGRAMS = ("xl/", "ppt/", "visio/")

_WHOLE = re.compile(r"[0-9]{1,9}")

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
    """Return the name of the part that holds the text: what the package says it is, whatever its name.

    The package's relationships say it, else its content types, else the name that Word gives it.

    Raises:
        DocumentError: the archive holds no Word document, or its relationships cannot be read.
    """
    names = archive.namelist()
    related = (link.part for link in load_relationships(archive, "").values() if link.kind == "officeDocument")
    usual = sorted(name for name in names if _USUAL_DOCUMENT_PART.fullmatch(name))
    for name in chain(related, _declared_documents(archive), usual):
        found = None if name is None else _stored_name(archive, name)
        if found is not None and not found.lower().startswith(_OTHER_PROGRAMS):
            return found
    raise DocumentError(_not_word(set(names)))


def _declared_documents(archive: zipfile.ZipFile) -> Iterator[str]:
    types = load_part(archive, "[Content_Types].xml")
    for override in () if types is None else types.iterfind(_OVERRIDE):
        if _WORD_CONTENT.search(override.get("ContentType", "")):
            yield override.get("PartName", "").lstrip("/")


@dataclass(frozen=True, slots=True)
class Relationship:
    """What a part refers to. ``kind`` is the last word of its type ("styles"); ``part`` is None outside the package."""

    kind: str
    part: str | None


def load_relationships(archive: zipfile.ZipFile, part: str) -> dict[str, Relationship]:
    """Return what a part refers to, by relationship id; ``part`` "" stands for the package itself.

    Raises:
        DocumentError: the relationships are too large, damaged or define entities.
    """
    folder, name = posixpath.split(part)
    root = load_part(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    links: dict[str, Relationship] = {}
    for element in () if root is None else root.iterfind(_RELATIONSHIP):
        target = unquote(element.get("Target", "")).replace("\\", "/")
        inside = element.get("TargetMode") != "External"
        links[element.get("Id", "")] = Relationship(
            kind=element.get("Type", "").rsplit("/", 1)[-1],
            part=posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/") if inside and target else None,
        )
    return links


def load_related(archive: zipfile.ZipFile, links: dict[str, Relationship], kind: str) -> Any | None:
    """Return the root of the part of a kind ("styles") that a document refers to, else of the part that Word names so.

    Raises:
        DocumentError: the part is too large, damaged or defines entities.
    """
    linked = next((link.part for link in links.values() if link.kind == kind and link.part is not None), None)
    return load_part(archive, linked or f"word/{kind}.xml")


def read_part(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return the bytes of a part, or None when the archive has no such part.

    Raises:
        DocumentError: the part is too large or damaged.
    """
    found = _stored_name(archive, name)
    if found is None:
        return None
    try:
        with archive.open(found) as stream:
            data = stream.read(MAX_PART_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise DocumentError(_DAMAGED) from None
    if len(data) > MAX_PART_BYTES:
        raise DocumentError(_BOMB)
    return data


def _stored_name(archive: zipfile.ZipFile, name: str) -> str | None:
    """Return the name under which a part is stored: the case of letters does not count (ISO 29500 part 2, 6.2.2)."""
    if name in archive.NameToInfo:
        return name
    return next((stored for stored in archive.namelist() if stored.lower() == name.lower()), None)


def load_part(archive: zipfile.ZipFile, name: str) -> Any | None:
    """Return the root element of an XML part, or None when the archive has no such part.

    Raises:
        DocumentError: the part is too large, damaged or defines entities.
    """
    data = read_part(archive, name)
    return None if data is None else parse_xml(data)


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
    if _STRICT_MARK in data:
        for strict, usual in _STRICT:
            data = data.replace(strict, usual)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from None
        raise DocumentError(_DAMAGED) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise DocumentError(_WITH_DTD)
    return root


def value(element: Any | None, path: str) -> str | None:
    """Return the ``w:val`` of the element at ``path`` ("pPr/pStyle"), or None."""
    if element is None:
        return None
    found = element.find("/".join(W + step for step in path.split("/")))
    result: str | None = None if found is None else found.get(W + "val")
    return result


def is_on(switch: Any | None) -> bool:
    """Whether a switch such as ``w:b`` is there and not set to false."""
    return switch is not None and switch.get(W + "val", "true") not in ("0", "false", "off", "none")


def whole(text: str | None) -> int | None:
    """Return a count such as a level or a span as a number, or None where the text is none."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def _not_word(names: set[str]) -> str:
    if any(name.startswith("xl/") for name in names):
        return "This is a spreadsheet. Save the sheet as PDF or paste its text."
    if any(name.startswith("ppt/") for name in names):
        return "This is a presentation. Save it as PDF and load that."
    if "content.xml" in names:
        return "This is an OpenDocument file. Save it as DOCX or PDF and load that."
    return "This is an archive, not a document. Unpack it and load the PDF, DOCX, Markdown, HTML or text file inside."
