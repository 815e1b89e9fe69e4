"""HTML tables as a reader sees them: spanning cells are repeated where they reach, header rows become one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from playground.documents.formats.html_lists import ItemMarkers
from playground.documents.formats.html_styles import Style

_BREAKS = frozenset(
    ("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
     "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "ol", "p", "pre", "section", "summary", "td", "th",
     "ul")
)  # fmt: skip
_MAX_COLUMNS = 1000  # over which spans reach
_MAX_SLOTS = 200_000  # places in one table; beyond, spans are not repeated any more
_MAX_REPEATED = 300  # characters of a cell that is repeated


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    spans: bool
    heads: bool


_Grid = list[list[_Cell | None]]


@dataclass(frozen=True, slots=True)
class Table:
    """A data table: ``captions`` stand over it, ``rows`` hold the texts of the cells."""

    captions: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def is_data_table(table: Any) -> bool:
    """Whether a table holds data, not the layout of a page.

    It has several columns; and header cells, or several rows of cells without a structure of their own.
    """
    if table.get("role") in ("presentation", "none"):
        return False
    rows = [cells for cells in (row.findall("td") + row.findall("th") for _, row in _rows(table)) if len(cells) > 1]
    if not rows:
        return False
    nested = {element.tag for element in table.iterdescendants("table", "pre", "h1", "h2", "h3", "h4", "h5", "h6")}
    headed = any(cell.tag == "th" for cells in rows for cell in cells)
    if nested:
        return headed and "table" not in nested
    lists = next(table.iterdescendants("ul", "ol", "menu"), None) is not None
    return not lists or headed or len(rows) > 1


def read_table(table: Any, styles: dict[Any, Style]) -> Table:
    """Return the cells of a table as they are seen: each text in every row and column that its cell reaches."""
    captions = [cell_text(caption, styles) for caption in table.findall("caption")]
    grid, header_rows = _grid(table, styles)
    grid = _without_spacers(grid)
    headers = grid[:header_rows]
    while headers and _is_title(headers[0]):
        captions.append(_texts(headers.pop(0), set())[0])
    written: set[int] = set()
    rows = [_texts(row, written) for row in grid[header_rows:]]
    if len(headers) > 1 and any(cell is not None and cell.spans for row in headers for cell in row):
        rows.insert(0, _merged(headers))
    else:
        rows[:0] = [_texts(row, written) for row in headers]
    return Table(tuple(text for text in captions if text), tuple(tuple(row) for row in rows if any(row)))


def cell_text(cell: Any, styles: dict[Any, Style]) -> str:
    """Return the text of a cell on one line; items of a list are parted by semicolons."""
    parts: list[str] = []
    lists: list[ItemMarkers] = []
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag in ("ol", "ul", "menu"):
                lists.append(ItemMarkers(element, styles))
            if tag == "li":
                marker = lists[-1].marker(element) if lists else ""
                parts.append(_parted("".join(parts[-4:])) + (marker if marker != "- " else ""))
            elif tag == "tr" and element is not cell:
                parts.append(_parted("".join(parts[-4:])))
            elif tag in _BREAKS:
                parts.append(" ")
            parts.append(element.text or "")
        else:
            if tag in ("ol", "ul", "menu"):
                lists.pop()
            if element is not cell:
                parts.append(" " if tag in _BREAKS else "")
                parts.append(element.tail or "")
    return " ".join("".join(parts).split())


def _parted(before: str) -> str:
    last = before.rstrip()[-1:]
    return " " if not last or last in ":;,.(" else "; "


def _rows(table: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (group, row) for the rows of this table, not of one inside it."""
    for child in table:
        if child.tag == "tr":
            yield table, child
        elif child.tag in ("thead", "tbody", "tfoot"):
            for row in child.iterchildren("tr"):
                yield child, row


def _grid(table: Any, styles: dict[Any, Style]) -> tuple[_Grid, int]:
    """Put cells into rows and columns (HTML standard, "forming a table"); also return how many rows are headers."""
    grid: _Grid = []
    header_rows = slots = 0
    only_headers = True
    reaching: dict[int, tuple[int, _Cell]] = {}  # column: rows that a cell above still covers, the cell
    group: Any = None
    for this_group, row in _rows(table):
        if this_group is not group:
            group, reaching = this_group, {}  # no cell reaches into the next group of rows
        line: dict[int, _Cell] = {}
        for column, (left, cell) in list(reaching.items()):
            line[column] = cell
            if left == 1:
                del reaching[column]
            else:
                reaching[column] = (left - 1, cell)
        column = 0
        cells = row.xpath("td | th")
        for element in cells:
            while column in line:
                column += 1
            width = max(1, min(_span(element, "colspan"), _MAX_COLUMNS - column)) if slots < _MAX_SLOTS else 1
            height = _span(element, "rowspan") if slots < _MAX_SLOTS and column < _MAX_COLUMNS else 1
            cell = _Cell(cell_text(element, styles), width > 1 or height != 1, element.tag == "th")
            for place in range(column, column + width):
                line.setdefault(place, cell)
                if height != 1:
                    reaching[place] = (height - 1 if height else len(grid) + 10**6, cell)
            column += width
        slots += len(line)
        if slots >= _MAX_SLOTS:
            reaching.clear()
        if not line:
            continue
        grid.append([line.get(place) for place in range(max(line) + 1)])
        is_header = bool(cells) and (getattr(group, "tag", "") == "thead" or all(each.tag == "th" for each in cells))
        only_headers = only_headers and is_header
        header_rows += only_headers
    return grid, header_rows if header_rows < len(grid) else min(1, len(grid))


def _span(element: Any, name: str) -> int:
    """Return a span; 0 (for rows only) reaches to the end of the group."""
    value = element.get(name, "1").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def _without_spacers(grid: _Grid) -> _Grid:
    """Leave out columns in which no cell says anything of its own: they only hold gaps, or the rest of wide cells."""
    width = max((len(row) for row in grid), default=0)
    rows = [row + [None] * (width - len(row)) for row in grid]
    kept: list[int] = []
    for column in range(width):
        neighbours = (kept[-1:] or [column]) + [min(column + 1, width - 1)]
        if any(_says_something(row, column, neighbours) for row in rows):
            kept.append(column)
    return [[row[column] for column in kept] for row in rows] if kept else rows


def _says_something(row: Sequence[_Cell | None], column: int, neighbours: Sequence[int]) -> bool:
    cell = row[column]
    if cell is None or not cell.text:
        return False
    return not any(place != column and row[place] is cell for place in neighbours)


def _is_title(row: Sequence[_Cell | None]) -> bool:
    """Whether one cell reaches over a whole row of several columns."""
    return len(row) > 1 and row[0] is not None and all(cell is row[0] for cell in row)


def _texts(row: Sequence[_Cell | None], written: set[int]) -> list[str]:
    """Return the texts of a row; ``written`` remembers long cells, which are not repeated."""
    if _is_title(row):
        row = row[:1]
    texts: list[str] = []
    for cell in row:
        texts.append("" if cell is None or id(cell) in written else cell.text)
        if cell is not None and len(cell.text) > _MAX_REPEATED:
            written.add(id(cell))
    return texts


def _merged(headers: Sequence[Sequence[_Cell | None]]) -> list[str]:
    """Make one row of header rows: "Return window" over "Members" becomes "Return window: Members"."""
    merged: list[str] = []
    for column in zip(*headers, strict=True):
        texts = dict.fromkeys(cell.text for cell in column if cell is not None and cell.text)
        merged.append(": ".join(texts))
    return merged
