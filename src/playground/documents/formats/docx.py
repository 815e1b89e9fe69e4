"""DOCX -> pieces, read from the archive's XML: python-docx skips tracked insertions, text boxes and list labels.

Tracked insertions are kept and deletions left out, as if all changes had been accepted. Hidden text, comments,
headers, footers and tables of contents are left out. Notes follow the paragraph that refers to them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from playground.documents.formats.docx_styles import (
    BULLET,
    Numbering,
    Style,
    load_numbering,
    outline_level,
    read_numbering,
    read_styles,
    value,
)
from playground.documents.formats.ooxml import W, document_part, load_part, open_archive
from playground.documents.formats.pieces import Extract, Piece, assemble
from playground.documents.formats.structure import is_all_caps, is_list_item, is_title_like
from playground.documents.limits import Limits
from playground.errors import DocumentError

_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DELETED = frozenset(W + tag for tag in ("del", "moveFrom"))
_INSERTED = frozenset(W + tag for tag in ("ins", "moveTo"))
_TYPED = {W + "tab": "\t", W + "ptab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
_NOTE_REFERENCES = {W + "footnoteReference": "footnote", W + "endnoteReference": "endnote"}
# Never part of the text: properties (they hold old formatting and deleted marks), field codes, old versions.
_SKIPPED = frozenset(W + tag for tag in ("pPr", "rPr", "instrText", "delText", "delInstrText", "tblPr", "sectPr"))
_UNSTYLED_LEVEL = 90  # of a heading that only looks like one; lowered once the styled levels are known

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
    archive = open_archive(data)
    reader = _load_reader(archive)
    root = load_part(archive, document_part(archive))
    body = None if root is None else root.find(W + "body")
    if body is None:
        raise DocumentError("The Word document has no body; it is damaged. Save it again as DOCX and load that.")
    pieces = _level_headings(list(reader.flow(body)))
    warnings = [sentence for sentence, found in ((_REVISIONS, reader.revised), (_HIDDEN, reader.hid)) if found]
    extract = assemble(pieces, max_characters=limits.max_characters, warnings=warnings)
    if not extract.text:
        raise DocumentError(
            "The Word document has no text; perhaps its pages are pictures. Load a version whose text can be selected."
        )
    return extract


def _load_reader(archive: zipfile.ZipFile) -> _Reader:
    notes = {}
    for kind in ("footnote", "endnote"):
        root = load_part(archive, f"word/{kind}s.xml")
        for note in () if root is None else root.iterfind(W + kind):
            if note.get(W + "type", "normal") == "normal":
                notes[kind, note.get(W + "id")] = note
    return _Reader(
        styles=read_styles(load_part(archive, "word/styles.xml")),
        numbering=load_numbering(load_part(archive, "word/numbering.xml")),
        notes=notes,
    )


@dataclass(slots=True)
class _Reader:
    """Turns body elements into pieces. ``revised`` and ``hid`` say what was met on the way."""

    styles: dict[str, Style]
    numbering: Numbering
    notes: dict[tuple[str, str], Any]
    table: int = 0
    revised: bool = False
    hid: bool = False
    carried: str = ""  # text of a paragraph whose end mark was deleted: it continues in the next
    aside: list[Any] = field(default_factory=list)  # text boxes and notes met in the current paragraph

    def flow(self, container: Any) -> Iterator[Piece]:
        """Yield the pieces of a body, cell, note or text box."""
        for child in container:
            if child.tag == W + "p":
                yield from self._paragraph(child)
            elif child.tag == W + "tbl":
                yield from self._table(child)
            elif child.tag in _DELETED:
                self.revised = True
            elif child.tag in (W + "sdt", W + "sdtContent", W + "customXml") or child.tag in _INSERTED:
                yield from self.flow(child)
        rest, self.carried = self.carried.strip(), ""
        if rest:
            yield Piece("paragraph", rest)

    def _paragraph(self, paragraph: Any) -> Iterator[Piece]:
        properties = paragraph.find(W + "pPr")
        text = self.carried + self._text(paragraph)
        self.carried = ""
        aside, self.aside = self.aside, []
        if properties is not None and properties.find(f"{W}rPr/{W}del") is not None:
            self.revised = True
            self.carried = text
        else:
            if properties is not None and properties.find(f"{W}rPr/{W}ins") is not None:
                self.revised = True
            style_id = value(properties, "pStyle") or "Normal"
            style = self.styles.get(style_id, Style())
            if not style.name.startswith("toc"):
                yield from self._classified(text.strip(), paragraph, style, style_id)
        held, self.carried = self.carried, ""
        for container in aside:
            yield from self.flow(container)
        self.carried = held

    def _classified(self, text: str, paragraph: Any, style: Style, style_id: str) -> Iterator[Piece]:
        properties = paragraph.find(W + "pPr")
        numbered = read_numbering(properties) or style.numbering
        if not text:
            return
        label, depth = "", 0
        if numbered and numbered[0] != "0":
            label, depth = self.numbering.label(*numbered, style_id)
        heading = outline_level(properties) if style.heading is None else style.heading
        unstyled = heading is None and self._looks_like_heading(text, paragraph)
        if heading is not None or unstyled:
            level = _UNSTYLED_LEVEL if heading is None else heading
            prefix = "" if label == BULLET else label
            yield Piece("heading", " ".join(f"{prefix} {text}".split()), level)
        elif label:
            yield Piece("list_item", f"{label} {text}", depth=depth)
        else:
            yield Piece("list_item" if is_list_item(text) else "paragraph", text)  # its label may be typed

    def _looks_like_heading(self, text: str, paragraph: Any) -> bool:
        if not is_title_like(text):
            return False
        runs = [run for run in paragraph.iter(W + "r") if any((t.text or "").strip() for t in run.iterfind(W + "t"))]
        return is_all_caps(text) or (bool(runs) and all(_switched_on(run, "b") for run in runs))

    def _text(self, element: Any) -> str:
        """Return the text of a paragraph or of a part of it, tracked changes accepted."""
        parts: list[str] = []
        for child in element:
            tag = child.tag
            if tag == W + "t" or tag == _MATH_TEXT:
                parts.append(child.text or "")
            elif tag in _TYPED:
                parts.append(_TYPED[tag])
            elif tag in _DELETED:
                self.revised = True
            elif tag in _NOTE_REFERENCES:
                note = self.notes.pop((_NOTE_REFERENCES[tag], child.get(W + "id")), None)
                if note is not None:
                    self.aside.append(note)
            elif tag == W + "txbxContent":
                self.aside.append(child)
            elif tag == W + "r" and (_switched_on(child, "vanish") or _switched_on(child, "webHidden")):
                self.hid = self.hid or bool("".join(child.itertext(W + "t")).strip())
            elif tag not in _SKIPPED and tag != _FALLBACK:
                self.revised = self.revised or tag in _INSERTED
                parts.append(self._text(child))
        return "".join(parts)

    def _table(self, table: Any) -> Iterator[Piece]:
        rows = [row for row in table.iter(W + "tr") if _nearest_table(row) is table]
        kept = [row for row in rows if row.find(f"{W}trPr/{W}del") is None]
        self.revised = self.revised or len(kept) < len(rows)
        cells_of = [[cell for cell in row.iter(W + "tc") if _nearest_row(cell) is row] for row in kept]
        if all(len(cells) < 2 for cells in cells_of):  # a frame around text, not a table
            for cells in cells_of:
                for cell in cells:
                    yield from self.flow(cell)
            return
        self.table += 1
        number = self.table
        spanning: dict[int, str] = {}  # column -> text of the cell that spans rows from above
        for row, cells in zip(kept, cells_of, strict=True):
            self.revised = self.revised or row.find(f"{W}trPr/{W}ins") is not None
            texts = list(self._cells(cells, spanning))
            if any(texts):
                yield Piece("table_row", " | ".join(texts), table=number)

    def _cells(self, cells: list[Any], spanning: dict[int, str]) -> Iterator[str]:
        column = 0
        for cell in cells:
            text = " ".join(" ".join(piece.text for piece in self.flow(cell)).split())
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            if merge is None:
                spanning.pop(column, None)
            elif merge.get(W + "val") == "restart":
                spanning[column] = text
            else:
                text = text or spanning.get(column, "")
            yield text
            span = value(cell, "tcPr/gridSpan") or "1"
            column += int(span) if span.isdigit() else 1


def _nearest_table(row: Any) -> Any:
    return next(row.iterancestors(W + "tbl"))


def _nearest_row(cell: Any) -> Any:
    return next(cell.iterancestors(W + "tr"))


def _switched_on(run: Any, name: str) -> bool:
    """Whether a run has a switch such as bold set directly."""
    switch = run.find(f"{W}rPr/{W}{name}")
    return switch is not None and switch.get(W + "val", "true") not in ("0", "false", "off", "none")


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
