"""DOCX files written by hand: a body of raw XML and whatever parts a test needs beside it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NAMESPACES = {
    "w": W,
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
}
XMLNS = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMESPACES.items())
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archived(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def by_hand(body: str, **parts: str) -> bytes:
    """Return a DOCX whose body is the given XML; other parts by name ("footnotes")."""
    document = f"<w:document {XMLNS}><w:body>{body}</w:body></w:document>"
    others = {f"word/{name}.xml": xml for name, xml in parts.items()}
    return archived({"[Content_Types].xml": "<Types/>", "word/document.xml": document, **others})


def relationships(**targets: str) -> str:
    """Return a ``.rels`` part: ``numbering="numbering2.xml"`` is relationship "numbering" of that type."""
    links = "".join(
        f'<Relationship Id="{kind}" Type="{OFFICE}/{kind}" Target="{target}"/>' for kind, target in targets.items()
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'
    )


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(content)}</w:p>"


def in_list(list_id: int | None = None, level: int | None = None, style: str = "") -> str:
    """Return paragraph properties: a style and a list with a level, each where it is given."""
    style_xml = f'<w:pStyle w:val="{style}"/>' if style else ""
    level_xml = "" if level is None else f'<w:ilvl w:val="{level}"/>'
    list_xml = "" if list_id is None else f'<w:numId w:val="{list_id}"/>'
    return style_xml + (f"<w:numPr>{level_xml}{list_xml}</w:numPr>" if level_xml or list_xml else "")


def level(
    index: int, pattern: str | None = None, number_format: str = "decimal", start: int = 1, more: str = ""
) -> str:
    """Return a ``w:lvl``; without a pattern it prints all numbers down to its own ("%1.%2")."""
    shown = ".".join(f"%{n + 1}" for n in range(index + 1)) if pattern is None else pattern
    return (
        f'<w:lvl w:ilvl="{index}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>{more}'
        f'<w:lvlText w:val="{shown}"/></w:lvl>'
    )


def override(index: int, start: int | None = None, own: str = "") -> str:
    start_xml = "" if start is None else f'<w:startOverride w:val="{start}"/>'
    return f'<w:lvlOverride w:ilvl="{index}">{start_xml}{own}</w:lvlOverride>'


def numbering(definitions: dict[int, str], lists: dict[int, tuple[int, str]]) -> str:
    """Return ``numbering.xml``: levels by definition, and for each list its definition and its overrides."""
    abstracts = "".join(
        f'<w:abstractNum w:abstractNumId="{number}">{xml}</w:abstractNum>' for number, xml in definitions.items()
    )
    nums = "".join(
        f'<w:num w:numId="{list_id}"><w:abstractNumId w:val="{definition}"/>{overrides}</w:num>'
        for list_id, (definition, overrides) in lists.items()
    )
    return f"<w:numbering {XMLNS}>{abstracts}{nums}</w:numbering>"


def styles(*entries: str) -> str:
    return f"<w:styles {XMLNS}>{''.join(entries)}</w:styles>"


def style(
    style_id: str, name: str = "", *, kind: str = "paragraph", based_on: str = "", paragraph: str = "", text: str = ""
) -> str:
    """Return a ``w:style``; ``paragraph`` and ``text`` are its paragraph's and its run's properties."""
    base = f'<w:basedOn w:val="{based_on}"/>' if based_on else ""
    return (
        f'<w:style w:type="{kind}" w:styleId="{style_id}"><w:name w:val="{name or style_id}"/>{base}'
        f"<w:pPr>{paragraph}</w:pPr><w:rPr>{text}</w:rPr></w:style>"
    )
