"""Lines of a page -> reading order: columns of prose one after the other, everything else row by row."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Protocol, TypeVar

_LEAST_LINES = 3
"""A column has at least so many lines ..."""
_LEAST_CHARACTERS = 14
"""... of so many characters in the middle one: shorter ones are cells, numbers or labels ..."""
_FILLED = 0.6
"""... that fill so much of its width."""
_EMPTY_LINES = 1.8
"""Parts of a page with so many line heights of nothing between them are read one after the other."""
_CORE = 0.42
"""Share of a line's height, above and below its middle, that must meet that of a line beside it."""
_ROWS_BACK = 6
_STEPS = 100


class Placed(Protocol):
    """A line in an upright page: its box with y downwards, and its text."""

    @property
    def x0(self) -> float: ...
    @property
    def x1(self) -> float: ...
    @property
    def y0(self) -> float: ...
    @property
    def y1(self) -> float: ...
    @property
    def text(self) -> str: ...


Line = TypeVar("Line", bound=Placed)


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines as they are read.

    Where a gutter has prose at both sides, the left side is read before the right one, between one line that crosses
    the gutter (a title over both) and the next. Elsewhere rows are read from top to bottom and each from left to right.
    """
    gutter = _gutter(lines)
    if gutter is None:
        return _by_rows(lines)
    crossing, left, right = _sides(lines, gutter)
    ordered: list[Line] = []
    top = float("-inf")
    for bar in [*sorted(crossing, key=_middle), None]:
        bottom = float("inf") if bar is None else _middle(bar)
        for band in _bands([line for line in (*left, *right) if top <= _middle(line) < bottom]):
            sides = [line for line in band if line.x1 <= gutter], [line for line in band if line.x0 >= gutter]
            if all(_is_prose(side, 1) for side in sides):
                ordered += [*reading_order(sides[0]), *reading_order(sides[1])]
            else:
                ordered += _by_rows(band)
        if bar is not None:
            ordered.append(bar)
        top = bottom
    return ordered


def _bands(lines: Sequence[Line]) -> list[list[Line]]:
    """Part lines where nothing stands across the page for the height of two lines: what is below is read later."""
    bands: list[list[Line]] = []
    end = float("-inf")
    for line in sorted(lines, key=lambda line: line.y0):
        if line.y0 - end > _EMPTY_LINES * median(other.y1 - other.y0 for other in lines):
            bands.append([])
        bands[-1].append(line)
        end = max(end, line.y1)
    return bands


def _gutter(lines: Sequence[Line], *, within: bool = False) -> float | None:
    """Return x of the best gutter between two columns of prose, None where there is none."""
    if len(lines) < 2 * _LEAST_LINES:
        return None
    begin, end = min(line.x0 for line in lines), max(line.x1 for line in lines)
    best: tuple[int, float] | None = None
    for step in range(10, _STEPS - 10):
        x = begin + (end - begin) * step / _STEPS
        crossing, left, right = _sides(lines, x)
        if 2 * len(crossing) > len(lines) or not left or not right:
            continue
        score = min(len(left), len(right)) - len(crossing)
        if best is not None and score <= best[0]:
            continue
        fits = _is_column if within else _is_prose
        if fits(left, _LEAST_LINES) and fits(right, _LEAST_LINES):
            best = (score, x)
    return None if best is None else best[1]


def _sides(lines: Sequence[Line], x: float) -> tuple[list[Line], list[Line], list[Line]]:
    crossing = [line for line in lines if line.x0 < x < line.x1]
    return crossing, [line for line in lines if line.x1 <= x], [line for line in lines if line.x0 >= x]


def _is_prose(lines: Sequence[Line], least: int) -> bool:
    """Whether lines are one column, or two side by side."""
    return _is_column(lines, least) or _gutter(lines, within=True) is not None


def _is_column(lines: Sequence[Line], least: int) -> bool:
    if len(lines) < least:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    return (
        median(len(line.text) for line in lines) >= _LEAST_CHARACTERS
        and median(line.x1 - line.x0 for line in lines) >= _FILLED * width
    )


def _by_rows(lines: Sequence[Line]) -> list[Line]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        beside = [row for row in rows[-_ROWS_BACK:] if any(_is_beside(line, other) for other in row)]
        if beside:
            beside[0].append(line)
            for row in beside[1:]:  # it stands beside both lines of a cell
                beside[0].extend(row)
                rows.remove(row)
        else:
            rows.append([line])
    return [line for row in rows for line in _by_cells(row)]


def _is_beside(line: Line, other: Line) -> bool:
    apart = line.x0 >= other.x1 or other.x0 >= line.x1
    reach = _CORE * (line.y1 - line.y0 + other.y1 - other.y0)
    return apart and abs(_middle(line) - _middle(other)) < reach


def _by_cells(row: Sequence[Line]) -> list[Line]:
    """Return the lines of a row, cell by cell: a cell's lines stand one above the other."""
    cells: list[list[Line]] = []
    for line in sorted(row, key=lambda line: line.x0):
        if cells and line.x0 < max(other.x1 for other in cells[-1]):
            cells[-1].append(line)
        else:
            cells.append([line])
    return [line for cell in cells for line in sorted(cell, key=_middle)]


def _middle(line: Placed) -> float:
    return (line.y0 + line.y1) / 2
