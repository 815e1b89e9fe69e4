"""DOCX -> pieces, read from the archive's XML: python-docx skips tracked insertions, text boxes and list labels.

What is printed is read: numbers as Word counts them, ticked boxes and choices, embedded documents. Tracked insertions
are kept and deletions left out, as if all changes had been accepted. Hidden and struck-through text, comments, headers,
footers and tables of contents are left out. Notes follow the paragraph that refers to them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from playground.documents.formats.docx_chunks import read_chunk
from playground.documents.formats.docx_fields import DELETED, settle_fields
from playground.documents.formats.docx_numbering import BULLET, Label, Numbering, load_numbering
from playground.documents.formats.docx_runs import GAP, INSERTED, LineText, Seen, bits_of
from playground.documents.formats.docx_styles import Style, Styles, outline_level, read_styles
from playground.documents.formats.docx_tables import Cell, read_table, spread
from playground.documents.formats.ooxml import (
    R,
    Relationship,
    W,
    document_part,
    is_on,
    load_part,
    load_related,
    load_relationships,
    open_archive,
    read_part,
    value,
    whole,
)
from playground.documents.formats.pieces import Extract, Piece, assemble
from playground.documents.formats.structure import is_all_caps, is_list_item, is_title_like
from playground.documents.limits import Limits
from playground.errors import DocumentError

_CONTAINERS = frozenset(W + tag for tag in ("sdt", "sdtContent", "customXml")) | INSERTED
_EMBEDDED = "{urn:schemas-microsoft-com:office:office}OLEObject"
_GRAPHIC_DATA = "{http://schemas.openxmlformats.org/drawingml/2006/main}graphicData"
_DRAWN_TEXT = ("/chart", "/diagram")
_UNSTYLED_LEVEL = 90  # of a heading that only looks like one; lowered once the styled levels are known
_DEEPEST_CHUNK = 2
_ENDS_SENTENCE = (".", ";", ":", ",", "!", "?")

_REVISIONS = (
    "The document has tracked changes: insertions are part of the text, deletions are left out. Check that this is the "
    "version you mean."
)
_HIDDEN = "The document has hidden text, which was left out."


def parse(data: bytes, limits: Limits) -> Extract:
    """Return the text of a DOCX with headings, list items with their labels and table rows as "cell | cell".

    Raises:
        DocumentError: the file is damaged, protected, a bomb, or without text.
    """
    return _parse(data, limits, 0)


def _parse(data: bytes, limits: Limits, depth: int) -> Extract:
    archive = open_archive(data)
    name = document_part(archive)
    root = load_part(archive, name)
    body = None if root is None else root.find(W + "body")
    if body is None:
        raise DocumentError("The Word document has no body; it is damaged. Save it again as DOCX and load that.")
    reader = _load_reader(archive, name, limits, depth)
    reader.computed += settle_fields(root)
    pieces = _level_headings(list(reader.flow(body)))
    extract = assemble(pieces, max_characters=limits.max_characters, warnings=_warnings(reader, body))
    if not extract.text:
        raise DocumentError(
            "The Word document has no text; perhaps its pages are pictures. Load a version whose text can be selected."
        )
    return extract


def _load_reader(archive: zipfile.ZipFile, name: str, limits: Limits, depth: int) -> _Reader:
    links = load_relationships(archive, name)
    styles = read_styles(load_related(archive, links, "styles"))
    notes = {}
    computed = 0
    for kind in ("footnote", "endnote"):
        root = load_related(archive, links, f"{kind}s")
        if root is None:
            continue
        computed += settle_fields(root)
        for note in root.iterfind(W + kind):
            if note.get(W + "type", "normal") == "normal":
                notes[kind, note.get(W + "id", "")] = note
    numbering = load_numbering(load_related(archive, links, "numbering"), styles.list_of)
    return _Reader(archive, links, limits, depth, styles, numbering, notes, computed=computed)


def _warnings(reader: _Reader, body: Any) -> list[str]:
    seen = reader.seen
    warnings = [sentence for sentence, found in ((_REVISIONS, seen.revised), (_HIDDEN, seen.hidden)) if found]
    if seen.struck_words:
        words, places = _counted(seen.struck_words, "word"), _counted(seen.struck_places, "place")
        warnings.append(f"Struck-through text was left out: {words} in {places}.")
    if reader.unread_chunks:
        were = "was" if reader.unread_chunks == 1 else "were"
        warnings.append(f"{_counted(reader.unread_chunks, 'document')} inside the Word document {were} not read.")
    drawn = sum(element.get("uri", "").endswith(_DRAWN_TEXT) for element in body.iter(_GRAPHIC_DATA))
    embedded = sum(1 for _ in body.iter(_EMBEDDED, W + "control")) + drawn
    if embedded:
        objects = _counted(embedded, "embedded object")
        warnings.append(
            f"The document has {objects}, such as a spreadsheet, chart or diagram; text in there was not read."
        )
    if reader.computed:
        numbers = _counted(reader.computed, "number")
        warnings.append(
            f"The document has {numbers} that Word works out as it prints (LISTNUM or AUTONUM), left out here."
        )
    inner = [sentence for chunk in reader.chunks.values() if chunk is not None for sentence in chunk.warnings]
    return list(dict.fromkeys((*warnings, *inner)))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True, slots=True)
class _Lead:
    """What a paragraph whose end mark is not shown hands to the next: both are one line."""

    text: str
    label: Label | None = None
    heading: int | None = None
    hidden_mark: bool = False  # else the mark was deleted, and the line takes the form of the next paragraph


@dataclass(slots=True)
class _Reader:
    """Turns body elements into pieces. ``seen`` and the counts say what was met on the way."""

    archive: zipfile.ZipFile
    links: dict[str, Relationship]
    limits: Limits
    depth: int
    styles: Styles
    numbering: Numbering
    notes: dict[tuple[str, str], Any]
    table: int = 0
    computed: int = 0
    unread_chunks: int = 0
    seen: Seen = field(default_factory=Seen)
    lead: _Lead | None = None
    chunks: dict[str, Extract | None] = field(default_factory=dict)

    def flow(self, container: Any) -> Iterator[Piece]:
        """Yield the pieces of a body, cell, note or text box."""
        for child in container:
            if child.tag == W + "p":
                yield from self._paragraph(child)
            elif child.tag == W + "tbl":
                yield from self._rest()
                yield from self._table(child)
            elif child.tag in DELETED:
                self.seen.revised = True
            elif child.tag == W + "altChunk":
                yield from self._chunk(child)
            elif child.tag == W + "subDoc":
                self.unread_chunks += 1
            elif child.tag in _CONTAINERS:
                yield from self.flow(child)
        if container.tag not in _CONTAINERS:
            yield from self._rest()

    def _rest(self) -> Iterator[Piece]:
        """Yield what waits for a next paragraph that does not come."""
        lead, self.lead = self.lead, None
        if lead is not None:
            yield from self._line(lead.text.strip(), lead.label, lead.heading)

    def _paragraph(self, paragraph: Any) -> Iterator[Piece]:
        properties = paragraph.find(W + "pPr")
        style = self.styles.of_paragraph(properties)
        lead, self.lead = self.lead, None
        struck_before = self.seen.struck_words
        line = LineText("" if lead is None else lead.text)
        if lead is not None and lead.hidden_mark:
            line.add(GAP)
        for bit in bits_of(paragraph, style, self.styles, self.seen):
            line.add(bit.text, bit.position)
        text = str(line)
        boxes, self.seen.boxes = self.seen.boxes, []
        notes, self.seen.notes = self.seen.notes, []
        mark = None if properties is None else properties.find(W + "rPr")
        if mark is not None and any(mark.find(tag) is not None for tag in DELETED):
            self.seen.revised = True
            self.lead = replace(lead, text=text) if lead else _Lead(text)
        elif self._is_hidden(mark, style):
            self.lead = lead
            if text.strip():
                self.lead = self._run_in(text, properties, style, lead)
        else:
            if mark is not None and any(mark.find(tag) is not None for tag in INSERTED):
                self.seen.revised = True
            if not style.name.startswith("toc"):
                is_struck = not text.strip() and self.seen.struck_words > struck_before
                yield from self._ended(text.strip(), paragraph, style, lead, is_struck)
        held, self.lead = self.lead, None
        for container in (*boxes, *(note for key in notes if (note := self.notes.pop(key, None)) is not None)):
            yield from self.flow(container)
        self.lead = held

    def _is_hidden(self, mark: Any | None, style: Style) -> bool:
        """Whether a paragraph's end mark is hidden; a style separator's always is."""
        if mark is not None and is_on(mark.find(W + "specVanish")):
            return True
        return bool(self.styles.look(mark, style).hidden)

    def _run_in(self, text: str, properties: Any, style: Style, lead: _Lead | None) -> _Lead:
        """Hand a paragraph with a hidden mark to the next one; the first of them gives the line its number."""
        if lead is not None and lead.hidden_mark:
            return replace(lead, text=text)
        heading = outline_level(properties) if style.heading is None else style.heading
        return _Lead(text, self._label(properties, style), heading, hidden_mark=True)

    def _label(self, properties: Any | None, style: Style) -> Label | None:
        """Count a paragraph in its list and return its label, or None where it is in no list."""
        list_id = value(properties, "numPr/numId") or style.list_id
        if list_id is None or list_id == "0":
            return None
        level = whole(value(properties, "numPr/ilvl"))
        if level is None:
            level = self.numbering.level_of(list_id, style.chain)
        return self.numbering.count(list_id, level)

    def _ended(self, text: str, paragraph: Any, style: Style, lead: _Lead | None, is_struck: bool) -> Iterator[Piece]:
        """Yield the line that ends with this paragraph."""
        properties = paragraph.find(W + "pPr")
        if lead is not None and lead.hidden_mark and (lead.label is not None or lead.heading is not None):
            grown = len(text) > len(lead.text.strip())
            yield from self._line(text, lead.label, None if grown else lead.heading)
            return
        label = self._label(properties, style)
        if is_struck:  # Word strikes its number as well, and counts it
            return
        heading = outline_level(properties) if style.heading is None else style.heading
        if heading is None and self._looks_like_heading(text, paragraph):
            heading = _UNSTYLED_LEVEL
        yield from self._line(text, label, heading)

    def _line(self, text: str, label: Label | None, heading: int | None) -> Iterator[Piece]:
        printed = "" if label is None else label.text
        if not text:
            if label is not None and printed not in ("", BULLET):  # Word prints the number of an empty paragraph
                is_title = heading is not None and is_title_like(printed)
                yield (
                    Piece("heading", printed, heading or 0)
                    if is_title
                    else Piece("list_item", printed, depth=label.depth)
                )
        elif heading is not None:
            titled = text if label is None or printed in ("", BULLET) else label.before(text)
            yield Piece("heading", " ".join(titled.split()), heading)
        elif label is not None and printed:
            yield Piece("list_item", label.before(text), depth=label.depth)
        else:
            yield Piece("list_item" if is_list_item(text) else "paragraph", text)  # its label may be typed

    def _looks_like_heading(self, text: str, paragraph: Any) -> bool:
        if not is_title_like(text):
            return False
        runs = [run for run in paragraph.iter(W + "r") if any((t.text or "").strip() for t in run.iterfind(W + "t"))]
        return is_all_caps(text) or (bool(runs) and all(is_on(run.find(f"{W}rPr/{W}b")) for run in runs))

    def _table(self, element: Any) -> Iterator[Piece]:
        table = read_table(element)
        self.seen.revised = self.seen.revised or table.revised
        self.seen.hidden = self.seen.hidden or table.hidden
        if table.is_frame:
            for cells in table.rows:
                for cell in cells:
                    yield from self.flow(cell.element)
            return
        self.table += 1
        number = self.table
        texts = [[self._cell(cell) for cell in cells] for cells in table.rows]
        for row in spread(table, texts):
            if any(row):
                yield Piece("table_row", " | ".join(row), table=number)

    def _cell(self, cell: Cell) -> str:
        # Word shows nothing of a merged cell's later parts, so the number of an empty paragraph there is no number.
        merged = cell.continues_above or cell.continues_left
        if merged and not any((text.text or "").strip() for text in cell.element.iter(W + "t")):
            return ""
        return _joined(self.flow(cell.element))

    def _chunk(self, element: Any) -> Iterator[Piece]:
        link = self.links.get(element.get(R + "id", ""))
        name = None if link is None else link.part
        if name is None:
            self.unread_chunks += 1
            return
        if name not in self.chunks:
            self.chunks[name] = self._read_chunk(name)
        inner = self.chunks[name]
        if inner is None:
            self.unread_chunks += 1
            return
        for block in inner.blocks:
            yield Piece(block.kind, inner.text[block.start : block.end], block.level)

    def _read_chunk(self, name: str) -> Extract | None:
        data = read_part(self.archive, name)

        def parse_deeper(inner: bytes) -> Extract:
            return _parse(inner, self.limits, self.depth + 1)

        if data is None:
            return None
        return read_chunk(data, self.limits, parse_deeper if self.depth < _DEEPEST_CHUNK else None)


def _joined(pieces: Iterator[Piece]) -> str:
    """Return the paragraphs of a cell on one line, told apart by semicolons where they end without a mark."""
    joined = ""
    for piece in pieces:
        text = " ".join(piece.text.removeprefix(f"{BULLET} ").split())
        if joined and text:
            joined += " " if joined.endswith(_ENDS_SENTENCE) else "; "
        joined += text
    return joined


def _level_headings(pieces: list[Piece]) -> list[Piece]:
    """Give headings their final levels: those under a title one deeper, and unstyled ones below all styled ones."""
    headings = [piece for piece in pieces if piece.kind == "heading"]
    styled = [piece.level for piece in headings if piece.level != _UNSTYLED_LEVEL]
    shift = 1 if 0 in styled else 0
    deepest = max(styled, default=0) + shift
    leveled = []
    for position, piece in enumerate(pieces):
        if piece.kind != "heading":
            leveled.append(piece)
        elif piece.level != _UNSTYLED_LEVEL:
            leveled.append(replace(piece, level=piece.level + shift))
        else:
            is_title = not styled and position == 0
            leveled.append(replace(piece, level=1 if is_title else deepest + (1 if styled else 2)))
    return leveled
