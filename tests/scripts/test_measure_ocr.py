"""The figures of the two scripts that measure reading: distances, flags that are paired, words lost."""

from __future__ import annotations

import pytest

from scripts.measure_ocr import PageRow, edit_distance, figures
from scripts.measure_reading import difference


@pytest.mark.parametrize(
    ("one", "other", "edits"), [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_edit_distance(one: str, other: str, edits: int) -> None:
    assert edit_distance(one, other) == edits


def test_error_rate_counts_characters_over_all_pages() -> None:
    rows = [
        PageRow("one column", "a", n, 200, characters, edits, 9, 0, 0, 0)
        for n, characters, edits in ((1, 100, 5), (2, 300, 1))
    ]
    found = figures(rows)["one column, 200 dpi"]
    assert found["error_rate"] == 0.015
    assert found["pages"] == 2
    assert found["ci"] == [pytest.approx(1 / 300, abs=1e-4), 0.05]


def test_words_lost_doubled_and_out_of_order_are_counted() -> None:
    found = difference("a.pdf", "other", "one two two four five six", "One two three, four five six")
    assert (found.lost, found.more, found.order, found.most_lost) == (1, 1, 0, ("three",))
    assert difference("a.pdf", "other", "four five six one two three", "one two three four five six").order == 2
