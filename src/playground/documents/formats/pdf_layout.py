"""Positioned lines of a PDF -> pieces: reading order, table rows, columns.

Geometry only; the distances are multiples of the font size, so they hold for any page. Content order is trusted
unless it jumps about: producers write columns and cells in the order in which they are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from playground.documents.formats.structure import is_list_item

_MAX_CELL_LINES = 10
_MAX_RISE = 4  # most line heights by which a cell begins above those at its left
_SECTION_MARKER = re.compile(r"\d{1,3}(\.\d{1,3})*[.)]?|o")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one line: its box in points with y downwards, font size in points, page index.

    ``hyphen``: a line-end hyphen followed, which is not part of ``text``.
    """

    text: str
    x0: float
    x1: float
    y0: float
    y1: float
    size: float
    bold: bool
    hyphen: bool
    page: int

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        return max(self.y1 - self.y0, 1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """Cells side by side, each with its lines from top to bottom."""

    cells: tuple[tuple[Segment, ...], ...]

    @property
    def x0(self) -> float:
        return self.cells[0][0].x0

    @property
    def y0(self) -> float:
        return min(cell[0].y0 for cell in self.cells)

    @property
    def y1(self) -> float:
        return max(cell[-1].y1 for cell in self.cells)


Item = Segment | Row


def order_page(segments: Sequence[Segment]) -> list[Segment]:
    """Return segments in reading order: as written, or from top to bottom when the writing order jumps about."""
    backward = sum(_jumps_back(before, after) for before, after in pairwise(segments))
    if backward >= 3 and backward * 4 > len(segments):
        return sorted(segments, key=lambda s: (round(s.y0 / max(s.height * 0.6, 1.0)), s.x0))
    return list(segments)


def _jumps_back(before: Segment, after: Segment) -> bool:
    return after.y1 < before.y0 and after.x0 < before.x1


def group_rows(segments: Iterable[Segment]) -> list[Item]:
    """Put segments that stand side by side into rows; a cell may have several lines."""
    items: list[Item] = []
    for segment in segments:
        last = items[-1] if items else None
        if isinstance(last, Row):
            grown = _grow(last, segment, _bottom(items[:-1][-1:], segment))
            if grown:
                items[-1] = grown
                continue
        first = _row_start(items, segment)
        if first is not None:
            cell = tuple(item for item in items[first:] if isinstance(item, Segment))
            items[first:] = [Row((cell, (segment,)))]
        else:
            items.append(segment)
    return _checked_rows(items)


def _bottom(before: Sequence[Item], segment: Segment) -> float:
    """Return where what precedes a row ends. Cells are centred, so one may begin above the others, but not higher."""
    limit = segment.y0 - 1
    return max((item.y1 - 0.3 * segment.height for item in before if item.y0 < segment.y1), default=limit)


def _grow(row: Row, segment: Segment, ceiling: float) -> Row | None:
    """Add a segment to a row: as a new cell at its right, or as the next line of its last cell."""
    last_cell = row.cells[-1]
    line = last_cell[-1]
    highest = max(ceiling, row.y0 - _MAX_RISE * segment.height)
    inside = highest <= segment.y0 and segment.middle <= row.y1 + 0.3 * segment.height
    if segment.x0 >= max(s.x1 for s in last_cell) and inside:
        return Row((*row.cells, (segment,)))
    below = line.y0 < segment.y0 <= line.y1 + line.height
    in_column = segment.x0 >= max(s.x1 for s in row.cells[-2]) and segment.x0 <= line.x1
    if below and in_column and not is_list_item(f"{segment.text} x"):
        return Row((*row.cells[:-1], (*last_cell, segment)))
    return None


def _row_start(items: Sequence[Item], segment: Segment) -> int | None:
    """Return where the cell begins that stands at the left of ``segment``, or None when none does."""
    first = len(items)
    while first > 0 and len(items) - first <= _MAX_CELL_LINES:
        item = items[first - 1]
        if not isinstance(item, Segment) or item.x1 > segment.x0 or item.y1 <= segment.y0 + 0.2 * item.height:
            break
        if first < len(items) and items[first].y0 <= item.y0:
            break  # not one column any more
        first -= 1
    lines = len(items) - first
    if lines == 0 or lines > _MAX_CELL_LINES:
        return None
    rise = items[first].y0 - segment.y0
    if rise > _MAX_RISE * segment.height or segment.y0 < _bottom(items[:first][-1:], segment):
        return None
    return _centred_start(items, first, segment)


def _centred_start(items: Sequence[Item], first: int, segment: Segment) -> int:
    """Move the start of a cell up when the cell at its right is centred on it: evenly spaced lines, same middle."""
    bottom = items[-1].y1
    for start in range(first - 1, max(-1, len(items) - 1 - _MAX_CELL_LINES), -1):
        item, below = items[start], items[start + 1]
        if not isinstance(item, Segment) or item.x1 > segment.x0 or abs(item.x0 - below.x0) > item.height:
            break
        pitch = below.y0 - item.y0
        if not 0 < pitch < 2 * item.height or abs(pitch - _pitch_below(items, start + 1, pitch)) > 0.1 * pitch:
            break
        if abs((item.y0 + bottom) / 2 - segment.middle) < 0.3 * item.height:
            return start
    return first


def _pitch_below(items: Sequence[Item], start: int, default: float) -> float:
    return items[start + 1].y0 - items[start].y0 if start + 1 < len(items) else default


def _checked_rows(items: Sequence[Item]) -> list[Item]:
    """Keep rows that have a neighbour like them; the others are list markers, labels or columns of text."""
    checked: list[Item] = []
    for position, item in enumerate(items):
        if isinstance(item, Segment):
            checked.append(item)
        elif _is_marker(item):
            checked += [_joined(item.cells[0][0], item.cells[1][0]), *item.cells[1][1:]]
        elif max(len(cell) for cell in item.cells) > _MAX_CELL_LINES:
            checked += [segment for cell in item.cells for segment in cell]
        elif _has_neighbour(items, position, item):
            checked.append(item)
        elif all(len(cell) == 1 for cell in item.cells):
            line = item.cells[0][0]
            for cell in item.cells[1:]:
                line = _joined(line, cell[0])
            checked.append(line)
        else:
            checked += [segment for cell in item.cells for segment in cell]
    return checked


def _is_marker(row: Row) -> bool:
    """Whether a row is a list marker or section number with its text at a distance."""
    first = row.cells[0]
    marker = first[0]
    if len(row.cells) != 2 or len(first) != 1 or len(marker.text) > 12:
        return False
    # A bare number is a section number when its text is near; far away it is a cell.
    near = row.cells[1][0].x0 - marker.x1 < 4 * marker.size
    return is_list_item(f"{marker.text} x") or (near and bool(_SECTION_MARKER.fullmatch(marker.text)))


def _has_neighbour(items: Sequence[Item], position: int, row: Row) -> bool:
    for other in items[max(0, position - 1) : position + 2]:
        if other is row or not isinstance(other, Row) or _is_marker(other):
            continue
        distance = max(other.y0 - row.y1, row.y0 - other.y1)
        if abs(other.x0 - row.x0) < 2 * row.cells[0][0].size and distance < 4 * row.cells[0][0].height:
            return True
    return False


def _joined(left: Segment, right: Segment) -> Segment:
    return Segment(
        text=f"{left.text} {right.text}",
        x0=left.x0,
        x1=right.x1,
        y0=min(left.y0, right.y0),
        y1=max(left.y1, right.y1),
        size=right.size,
        bold=left.bold and right.bold,
        hyphen=right.hyphen,
        page=left.page,
    )


def body_style(lines: Iterable[Segment]) -> tuple[float, bool]:
    """Return the font size that most characters have, and whether most are bold."""
    sizes: Counter[float] = Counter()
    bold = total = 0
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
        bold += len(line.text) * line.bold
        total += len(line.text)
    return (sizes.most_common(1)[0][0] or 1.0) if sizes else 1.0, bold * 2 > total


def usual_pitch(flows: Iterable[Sequence[Segment]]) -> float:
    """Return the usual distance of neighbouring lines as a multiple of the font size."""
    ratios = [
        (below.y0 - above.y0) / above.size
        for lines in flows
        for above, below in pairwise(lines)
        if abs(below.size - above.size) < 0.1 * above.size and 0.8 < (below.y0 - above.y0) / above.size < 2.5
    ]
    return median(ratios) if ratios else 1.2
