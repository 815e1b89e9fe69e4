"""Lines of a page into reading order."""

from __future__ import annotations

import random
from dataclasses import dataclass

from playground.documents.formats.ocr.order import reading_order

HEIGHT, PITCH = 30.0, 40.0


@dataclass(frozen=True)
class Line:
    text: str
    x0: float
    y0: float
    width: float = 600

    @property
    def x1(self) -> float:
        return self.x0 + self.width

    @property
    def y1(self) -> float:
        return self.y0 + HEIGHT


def column(name: str, x0: float, y0: float, count: int, width: float = 600) -> list[Line]:
    return [Line(f"{name}{number} of this column's text", x0, y0 + number * PITCH, width) for number in range(count)]


def read(lines: list[Line]) -> list[str]:
    shuffled = random.Random(3).sample(lines, len(lines))
    return [line.text for line in reading_order(shuffled)]


def texts(*parts: list[Line]) -> list[str]:
    return [line.text for part in parts for line in part]


def test_two_columns_are_read_one_after_the_other() -> None:
    left, right = column("l", 100, 200, 12), column("r", 800, 210, 11)
    assert read(left + right) == texts(left, right)


def test_three_columns() -> None:
    parts = [column(name, x, 200, 9, 400) for name, x in (("a", 100), ("b", 600), ("c", 1100))]
    assert read([line for part in parts for line in part]) == texts(*parts)


def test_a_title_over_both_columns_parts_what_is_above_from_what_is_below() -> None:
    above, below = (
        (column("l", 100, 200, 5), column("r", 800, 200, 5)),
        (column("m", 100, 500, 6), column("s", 800, 500, 6)),
    )
    title = [Line("A title that runs over both columns", 100, 430, 1300)]
    assert read([*above[0], *above[1], *title, *below[0], *below[1]]) == texts(*above, title, *below)


def test_a_heading_under_both_columns_is_read_after_them() -> None:
    left, right = column("l", 100, 200, 8), column("r", 800, 200, 12)
    heading = [Line("Schedule 4: Charges", 100, 200 + 12 * PITCH + 100, 300)]
    assert read(left + right + heading) == texts(left, right, heading)


def test_a_table_is_read_row_by_row_and_a_cell_whole() -> None:
    rows = [
        [Line("Fixed charge for service", 100, 200, 400), Line("desk and monitoring", 100, 240, 330)],
        [Line("month", 700, 220, 90), Line("£48,000", 1100, 218, 110)],
        [Line("Till support", 100, 300, 200), Line("till and month", 700, 300, 220), Line("£14.50", 1100, 300, 90)],
        [Line("Laptop", 100, 360, 140), Line("device", 700, 360, 110), Line("£6.20", 1100, 360, 80)],
    ]
    assert read([line for row in rows for line in row]) == texts(*rows)


def test_numbers_before_their_paragraphs_are_no_column() -> None:
    numbered = [
        (Line(f"2.{n}", 100, 200 + 80 * n, 60), Line(f"The parties agree on this {n}", 220, 200 + 80 * n, 1100))
        for n in range(1, 7)
    ]
    assert read([line for pair in numbered for line in pair]) == [line.text for pair in numbered for line in pair]
