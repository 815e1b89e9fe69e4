"""Text for a terminal: nothing steers it, and columns stand under each other."""

from __future__ import annotations

from playground.text.terminal import text_table

ROWS = [("", "first", "n"), ("one", "0.5", "10"), ("longer", "0.25", "1,000")]


def test_the_first_column_stands_left_and_the_others_right_two_apart() -> None:
    assert text_table(ROWS).splitlines() == [
        "        first      n",
        "one       0.5     10",
        "longer   0.25  1,000",
    ]


def test_columns_are_as_wide_as_asked_and_even() -> None:
    rows = [("a", "b", "ccc")]
    assert text_table(rows, label_width=3) == "a    b  ccc"
    assert text_table(rows, label_width=3, cell_width=6) == "a       b   ccc"
    assert text_table(rows, is_even=True) == "a    b  ccc"


def test_a_cell_is_one_printable_line() -> None:
    assert text_table([("a\x1b[2J", "x\ny"), ("b", "z")]) == "a [2J  x y\nb        z"


def test_a_table_may_have_no_columns_beside_the_first() -> None:
    assert text_table([("a",), ("b",)]) == "a\nb"
