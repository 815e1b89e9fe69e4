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
        for side in (left, right):
            ordered += reading_order([line for line in side if top <= _middle(line) < bottom])
        if bar is not None:
            ordered.append(bar)
        top = bottom
    return ordered


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return x of the best gutter between two columns of prose, None where there is none."""
    if len(lines) < 2 * _LEAST_LINES:
        return None
    begin, end = min(line.x0 for line in lines), max(line.x1 for line in lines)
    best: tuple[int, float] | None = None
    for step in range(10, _STEPS - 10):
        x = begin + (end - begin) * step / _STEPS
        crossing, left, right = _sides(lines, x)
        if 2 * len(crossing) > len(lines) or not (_is_column(left) and _is_column(right)):
            continue
        if max(line.x1 for line in left) > min(line.x0 for line in right):
            continue
        score = min(len(left), len(right)) - len(crossing)
        if best is None or score > best[0]:
            best = (score, x)
    return None if best is None else best[1]


def _sides(lines: Sequence[Line], x: float) -> tuple[list[Line], list[Line], list[Line]]:
    crossing = [line for line in lines if line.x0 < x < line.x1]
    return crossing, [line for line in lines if line.x1 <= x], [line for line in lines if line.x0 >= x]


def _is_column(lines: Sequence[Line]) -> bool:
    if len(lines) < _LEAST_LINES:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    return (
        median(len(line.text) for line in lines) >= _LEAST_CHARACTERS
        and median(line.x1 - line.x0 for line in lines) >= _FILLED * width
    )


def _by_rows(lines: Sequence[Line]) -> list[Line]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        last = rows[-1] if rows else None
        if last and _middle(line) - _middle(last[0]) < 0.5 * min(line.y1 - line.y0, last[0].y1 - last[0].y0):
            last.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.x0)]


def _middle(line: Placed) -> float:
    return (line.y0 + line.y1) / 2
