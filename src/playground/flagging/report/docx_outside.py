"""What a Word file fetches from outside or runs: taken out of a copy that is handed on.

A file that someone uploaded may name a template, pictures or data on another machine, which Word fetches as it opens
the file, and links that run a script. Links to web pages and mail addresses stay: they do nothing until clicked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from playground.documents.formats.docx_fields import complex_fields
from playground.documents.formats.ooxml import R, W, parse_xml

_HARMLESS_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|\\\\|//", re.IGNORECASE)
_FETCHING_FIELD = re.compile(
    r"\s*(?:INCLUDEPICTURE|INCLUDETEXT|INCLUDE|IMPORT|DDE|DDEAUTO|LINK|DATABASE|RD)\b", re.IGNORECASE
)
_LINK_FIELD = re.compile(r"\s*HYPERLINK\s+(?!\\)\"?([^\"]*)", re.IGNORECASE)
_MAY_REACH_OUT = re.compile(rb"instr|href|src", re.IGNORECASE)
_VML = "{urn:schemas-microsoft-com:vml}"
_NAMES = {"attachedTemplate": "template", "image": "picture", "hyperlink": "link", "field": "field"}
_OTHER = "other reference"


def drop_outside(word: Any) -> Counter[str]:
    """Take out of an opened Word document what it fetches from outside or runs; text stays.

    Returns how many of each kind there were ("template", "picture", "link", "field", "other reference").

    Raises:
        DocumentError: a part's XML is damaged or defines entities.
    """
    dropped: Counter[str] = Counter()
    package = word.part.package
    for relationship_id in [key for key, link in package.rels.items() if _is_dropped(link)]:
        dropped[_name(package.rels.pop(relationship_id))] += 1
    for part in package.parts:
        gone = {key: link for key, link in part.rels.items() if _is_dropped(link)}
        for key, link in gone.items():
            dropped[_name(link)] += 1
            del part.rels[key]
        if str(part.partname).endswith(".xml"):
            _clean(part, gone, dropped)
    return dropped


def told(dropped: Counter[str]) -> str:
    """Return a sentence that says what was dropped, or nothing where nothing was."""
    if not dropped:
        return ""
    counts = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in sorted(dropped.items()))
    return f"Left out of the Word file, because it would be fetched from outside or run: {counts}."


def _is_dropped(link: Any) -> bool:
    if not link.is_external:
        return False
    return not (_kind(link) == "hyperlink" and _HARMLESS_LINK.match(link.target_ref.strip()))


def _kind(link: Any) -> str:
    return str(link.reltype).rsplit("/", 1)[-1]


def _name(link: Any) -> str:
    return _NAMES.get(_kind(link), _OTHER)


def _clean(part: Any, gone: dict[str, Any], dropped: Counter[str]) -> None:
    """Take what refers to dropped relationships, and fields and shapes that reach outside, out of a part's XML."""
    loaded = getattr(part, "element", None)
    if loaded is None and not gone and not _MAY_REACH_OUT.search(part.blob):
        return
    root = parse_xml(part.blob) if loaded is None else loaded
    changed = False
    for element, attribute in list(_references(root, gone)):
        changed = True
        if _kind(gone[element.get(attribute)]) == "hyperlink" and element.tag == W + "hyperlink":
            del element.attrib[attribute]  # its text stays
        elif attribute == R + "link":
            del element.attrib[attribute]
        elif element.getparent() is not None:
            element.getparent().remove(element)
    for count, name in ((_drop_fields(root), "field"), (_drop_shape_links(root), "link")):
        changed = changed or bool(count)
        if count:
            dropped[name] += count
    if changed and loaded is None:
        part._blob = _serialised(root)  # python-docx offers no way to change a part that it does not know


def _references(root: Any, gone: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    if not gone:
        return
    for element in root.iter():
        for name, reference in element.attrib.items():
            if name.startswith(R) and reference in gone:
                yield element, name


def _drop_fields(root: Any) -> int:
    """Make plain text of fields that fetch from outside or link to a script; what they show stays."""
    count = 0
    for simple in list(root.iter(W + "fldSimple")):
        if _reaches_out(simple.get(W + "instr", "")):
            count += 1
            simple.set(W + "instr", "QUOTE")
    for found in list(complex_fields(root)):
        if _reaches_out(found.instruction):
            count += 1
            for element in (*found.marks, *found.codes):
                element.getparent().remove(element)
    return count


def _reaches_out(instruction: str) -> bool:
    link = _LINK_FIELD.match(instruction)
    if link and link[1].strip():
        return not _HARMLESS_LINK.match(link[1].strip())
    return bool(_FETCHING_FIELD.match(instruction))


def _drop_shape_links(root: Any) -> int:
    """Drop the links and picture addresses that old drawings (VML) hold in attributes."""
    count = 0
    for element in root.iter(f"{_VML}*"):
        for name in ("href", "src", "{urn:schemas-microsoft-com:office:office}href"):
            target = (element.get(name) or "").strip()
            is_fine = name == "href" and _HARMLESS_LINK.match(target)
            if target and _ELSEWHERE.match(target) and not is_fine:
                count += 1
                del element.attrib[name]
    return count


def _serialised(root: Any) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
