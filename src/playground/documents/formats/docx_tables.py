"""Tables of a DOCX as rows of cells in columns, merged cells repeated where a reader sees them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from playground.documents.formats.ooxml import W, is_on, value, whole

_MOST_COLUMNS = 63  # Word's own limit; a file may say anything


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and the columns of the grid that it covers. ``continues`` is set in a merged cell's later parts."""

    element: Any
    start: int
    end: int
    continues_above: bool = False
    continues_left: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that are shown; ``revised`` and ``hidden`` say that some were deleted or hidden."""

    rows: tuple[tuple[Cell, ...], ...]
    revised: bool
    hidden: bool

    @property
    def is_frame(self) -> bool:
        """Whether it has one column only and is a frame around text."""
        return all(len(cells) < 2 for cells in self.rows)


def read_table(table: Any) -> Table:
    """Read the rows of a ``w:tbl`` without those of tables in its cells; tracked changes count as accepted."""
    rows: list[tuple[Cell, ...]] = []
    revised = hidden = False
    for row in table.iter(W + "tr"):
        if next(row.iterancestors(W + "tbl")) is not table:
            continue
        properties = row.find(W + "trPr")
        if properties is not None:
            revised = revised or any(properties.find(W + tag) is not None for tag in ("del", "ins"))
            if properties.find(W + "del") is not None:
                continue
            if is_on(properties.find(W + "hidden")):
                hidden = True
                continue
        cells = tuple(_cells(row, whole(value(properties, "gridBefore")) or 0))
        revised = revised or any(cell.element.find(f"{W}tcPr/{W}cellDel") is not None for cell in cells)
        rows.append(tuple(cell for cell in cells if cell.element.find(f"{W}tcPr/{W}cellDel") is None))
    return Table(tuple(rows), revised, hidden)


def _cells(row: Any, first: int) -> Iterator[Cell]:
    column = min(first, _MOST_COLUMNS)
    for element in row.iter(W + "tc"):
        if next(element.iterancestors(W + "tr")) is not row:
            continue
        properties = element.find(W + "tcPr")
        end = column + min(max(whole(value(properties, "gridSpan")) or 1, 1), _MOST_COLUMNS)
        yield Cell(element, column, end, _continues(properties, "vMerge"), _continues(properties, "hMerge"))
        column = end


def _continues(properties: Any | None, name: str) -> bool:
    merge = None if properties is None else properties.find(W + name)
    return merge is not None and merge.get(W + "val") != "restart"


def spread(table: Table, texts: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Yield the texts of each row's cells, those of merged cells repeated in every row and column they cover.

    The columns are those of the row with most cells: Word's grid has more where the edges of cells do not line up. A
    cell across all columns stands once, for it is a title.
    """
    columns = max(table.rows, key=len, default=())
    centres = [(cell.start + cell.end) / 2 for cell in columns]
    above: dict[int, str] = {}  # column -> text of the cell that reaches down from above
    for cells, row in zip(table.rows, texts, strict=True):
        begins = cells[0].start if cells else 0
        spread_row = [""] * bisect_left(centres, begins)  # the row begins further to the right
        left = ""
        for cell, written in zip(cells, row, strict=True):
            text = written
            if cell.continues_above:
                text = text or above.get(cell.start, "")
            elif cell.continues_left:
                text = text or left
            above[cell.start] = left = text
            covered = bisect_left(centres, cell.end) - bisect_right(centres, cell.start)
            spread_row += [text] * (1 if covered == len(centres) else max(covered, 1))
        yield spread_row
