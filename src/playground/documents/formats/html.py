"""HTML -> pieces. Only text survives: no tag, no script, no style, nothing hidden, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from playground.documents.formats.html_inline import buttons_as_headings, label_icons, part_raised
from playground.documents.formats.html_lists import BULLET, ItemMarkers
from playground.documents.formats.html_live import drop_what_is_not_live
from playground.documents.formats.html_styles import Style, read_styles
from playground.documents.formats.html_tables import is_data_table, read_table
from playground.documents.formats.pieces import Extract, Piece, assemble
from playground.documents.limits import Limits
from playground.errors import DocumentError
from playground.types import BlockKind

# Never text of the document: code, styles, metadata, embedded media, controls, menus of the site.
_DROPPED = (
    "script", "style", "head", "template", "noscript", "iframe", "object", "embed", "svg", "math", "canvas", "audio",
    "video", "img", "picture", "map", "select", "datalist", "textarea", "input", "nav", "applet", "frame",
    "frameset", "noframes", "link", "meta", "base",
)  # fmt: skip
# Not even looked into for anything else.
_NO_TEXT = ("script", "head", "template", "noscript", "nav", "frameset", "noframes")
_ROLES = {"table": "table", "row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th"}
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
))  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
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
    styles = read_styles(root)
    etree.strip_elements(root, *_NO_TEXT, with_tail=False)
    warnings = drop_what_is_not_live(root, styles)
    _tables_by_role(root)
    buttons_as_headings(root)
    pictures = label_icons(root)
    if pictures:
        cells = f"{pictures} table cells hold" if pictures > 1 else "1 table cell holds"
        warnings.append(f"{cells} only a picture without a description, so nothing of it is in the text.")
    part_raised(root, styles)
    etree.strip_elements(root, *_DROPPED, with_tail=False)
    return assemble(_Walk(styles).pieces(root), max_characters=limits.max_characters, warnings=warnings)


def _refuse_incomplete(parser: HTMLParser) -> None:
    """The parser recovers from bad markup, but at a limit of its own it stops and would lose the rest silently."""
    codes = {entry.type for entry in parser.error_log}
    if etree.ErrorTypes.ERR_NO_MEMORY in codes:
        raise MemoryError
    if etree.ErrorTypes.ERR_RESOURCE_LIMIT in codes:
        raise DocumentError("The HTML is nested too deeply to be read. Save it as plain text or PDF and load that.")


def _tables_by_role(root: Any) -> None:
    """Read what only says that it is a table (``role="table"``) as one."""
    for table in [element for element in root.iter() if element.get("role") in ("table", "grid")]:
        table.tag = "table"
        for element in table.iterdescendants():
            if element.get("role") in _ROLES:
                element.tag = _ROLES[element.get("role")]
            elif element.get("role") == "rowgroup":
                element.tag = "tbody"


@dataclass(slots=True)
class _Walk:
    """Walks over the tree without recursion, collecting text until a block ends."""

    styles: dict[Any, Style]
    buffer: list[str] = field(default_factory=list)
    lists: list[ItemMarkers] = field(default_factory=list)
    item_depth: int = 0
    marker: str = ""
    table: int = 0
    preformatted: int = 0

    def pieces(self, root: Any) -> Iterator[Piece]:
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag = element.tag
            if event == "start":
                if tag == "table" and is_data_table(element):
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
            self.lists.append(ItemMarkers(element, self.styles))
        elif tag == "li":
            yield from self._flush()
            self.item_depth += 1
            self.marker = self.lists[-1].marker(element) if self.lists else BULLET
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

    def _rows(self, element: Any) -> Iterator[Piece]:
        self.table += 1
        table = read_table(element, self.styles)
        for caption in table.captions:
            yield Piece("paragraph", caption)
        for row in table.rows:
            yield Piece("table_row", " | ".join(row), table=self.table)


def _tidy(text: str) -> str:
    """Trim each line and drop empty ones; runs of spaces collapse except at the start of preformatted lines."""
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(
        line if line[:1] != " " or line[:2] == "  " else line[1:] for line in lines if line.strip()
    ).strip()
