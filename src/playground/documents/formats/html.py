"""HTML -> pieces. Only text survives: no tag, no script, no style, nothing hidden, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from playground.documents.formats.pieces import Extract, Piece, assemble
from playground.documents.limits import Limits
from playground.errors import DocumentError
from playground.types import BlockKind

# Never text of the document: code, styles, metadata, embedded media, controls, menus of the site.
_DROPPED = (
    "script", "style", "head", "template", "noscript", "iframe", "object", "embed", "svg", "math", "canvas", "audio",
    "video", "img", "picture", "map", "button", "select", "datalist", "textarea", "input", "dialog", "nav", "applet",
    "frame", "frameset", "noframes", "link", "meta", "base",
)  # fmt: skip
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
))  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")


def parse(data: bytes, limits: Limits) -> Extract:
    """Return the visible text of an HTML page (``data`` in UTF-8) with headings, list items and table rows.

    Raises:
        DocumentError: the page holds no visible text, or too much.
    """
    # Without huge_tree libxml2 refuses nesting that could exhaust the stack; it never loads what a page refers to.
    parser = HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = document_fromstring(data, parser=parser)
    except etree.ParserError:
        raise DocumentError("The HTML file holds no text. Choose a file that has text in it.") from None
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from None
        raise DocumentError(
            "The HTML file is damaged. Save it again, or save it as plain text and load that."
        ) from None
    _refuse_incomplete(parser)
    hidden = [element for element in root.iter() if _is_hidden(element)]
    for element in hidden:
        if element is not root:
            element.drop_tree()
    etree.strip_elements(root, *_DROPPED, with_tail=False)
    warnings = ["The page has hidden text, which was left out."] if hidden else []
    return assemble(_Walk().pieces(root), max_characters=limits.max_characters, warnings=warnings)


def _refuse_incomplete(parser: HTMLParser) -> None:
    """The parser recovers from bad markup, but at a limit of its own it stops and would lose the rest silently."""
    codes = {entry.type for entry in parser.error_log}
    if etree.ErrorTypes.ERR_NO_MEMORY in codes:
        raise MemoryError
    if etree.ErrorTypes.ERR_RESOURCE_LIMIT in codes:
        raise DocumentError("The HTML is nested too deeply to be read. Save it as plain text or PDF and load that.")


def _is_hidden(element: Any) -> bool:
    if element.get("hidden") is None and not _HIDDEN.search(element.get("style", "")):
        return False
    return bool("".join(element.itertext()).strip())


@dataclass(slots=True)
class _List:
    """An open list: the number of its next item, or None when it is not ordered."""

    number: int | None


@dataclass(slots=True)
class _Walk:
    """Walks over the tree without recursion, collecting text until a block ends."""

    buffer: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    item_depth: int = 0
    marker: str = ""
    table: int = 0
    preformatted: int = 0

    def pieces(self, root: Any) -> Iterator[Piece]:
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag = element.tag
            if event == "start":
                if tag == "table" and _is_data_table(element):
                    yield from self._flush()
                    yield from self._rows(element)
                    walk.skip_subtree()
                else:
                    yield from self._open(element, tag)
                    self._add(element.text)
            else:
                yield from self._close(tag)
                if element is not root:
                    self._add(element.tail)
        yield from self._flush()

    def _open(self, element: Any, tag: str) -> Iterator[Piece]:
        if tag in ("ul", "ol", "menu"):
            yield from self._flush()
            self.lists.append(_List(_first_number(element) if tag == "ol" else None))
        elif tag == "li":
            yield from self._flush()
            self.item_depth += 1
            self.marker = self._next_marker()
        elif tag == "br":
            self.buffer.append("\n")
        elif tag in _HEADINGS or (tag in _BLOCKS and not self.item_depth):
            yield from self._flush()
        elif tag in _BLOCKS:
            self.buffer.append("\n")  # an item stays whole, with its paragraphs on lines of their own
        if tag == "pre":
            self.preformatted += 1

    def _close(self, tag: str) -> Iterator[Piece]:
        if tag in _HEADINGS:
            yield from self._flush("heading", _HEADINGS[tag])
        elif tag in ("ul", "ol", "menu"):
            yield from self._flush()
            self.lists.pop()
        elif tag == "li":
            yield from self._flush()
            self.item_depth -= 1
        elif tag in _BLOCKS and not self.item_depth:
            yield from self._flush()
        elif tag in _BLOCKS:
            self.buffer.append("\n")
        if tag == "pre":
            self.preformatted -= 1

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if not self.preformatted:
            text = _SPACE.sub(" ", text)
            if self.buffer and self.buffer[-1][-1:].isspace():
                text = text.lstrip(" ")
        if text:
            self.buffer.append(text)

    def _flush(self, kind: BlockKind = "paragraph", level: int = 0) -> Iterator[Piece]:
        text = _tidy("".join(self.buffer))
        self.buffer.clear()
        if not text:
            return
        if kind == "heading":
            yield Piece(kind, text.replace("\n", " "), level)
        elif self.item_depth:
            marker, self.marker = self.marker, ""
            yield Piece("list_item", marker + text, depth=max(0, len(self.lists) - 1))
        else:
            yield Piece(kind, text)

    def _next_marker(self) -> str:
        if not self.lists or self.lists[-1].number is None:
            return "- "
        number = self.lists[-1].number
        self.lists[-1].number = number + 1
        return f"{number}. "

    def _rows(self, table: Any) -> Iterator[Piece]:
        self.table += 1
        for row in table.iter("caption", "tr"):
            if row.tag == "caption":
                yield Piece("paragraph", _cell_text(row))
                continue
            cells = [_cell_text(cell) for cell in row.iterchildren("td", "th")]
            if any(cells):
                yield Piece("table_row", " | ".join(cells), table=self.table)


def _is_data_table(table: Any) -> bool:
    """Whether a table holds data: several columns, and no structure of its own inside the cells."""
    if next(table.iterdescendants("table", "ul", "ol", "pre", *_HEADINGS), None) is not None:
        return False
    return any(len(row.findall("td")) + len(row.findall("th")) > 1 for row in table.iter("tr"))


def _cell_text(cell: Any) -> str:
    parts: list[str] = []
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        if event == "start":
            if element.tag in _BLOCKS or element.tag == "br":
                parts.append(" ")
            parts.append(element.text or "")
        elif element is not cell:
            parts.append(" " if element.tag in _BLOCKS else "")
            parts.append(element.tail or "")
    return " ".join("".join(parts).split())


def _tidy(text: str) -> str:
    """Trim each line and drop empty ones; runs of spaces collapse except at the start of preformatted lines."""
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(
        line if line[:1] != " " or line[:2] == "  " else line[1:] for line in lines if line.strip()
    ).strip()


def _first_number(element: Any) -> int:
    start = element.get("start", "1")
    return int(start) if re.fullmatch(r"-?\d{1,6}", start) else 1
