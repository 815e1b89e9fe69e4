"""Spelled-out numbers have their values; words that only look like numbers have none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.text.number_words import spelled_numbers


def found(text: str) -> list[tuple[str, int]]:
    return [(text[start:end], value) for start, end, value in spelled_numbers(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two", 2),
        ("Twelve", 12),
        ("zero", 0),
        ("twenty", 20),
        ("twenty-one", 21),
        ("twenty one", 21),
        ("NINETY-NINE", 99),
        ("hundred", 100),
        ("a hundred", 100),
        ("one hundred", 100),
        ("a hundred and twenty", 120),
        ("one hundred and twenty-two", 122),
        ("two hundred fifty", 250),
        ("fifteen hundred", 1500),
        ("one thousand two hundred", 1200),
        ("two thousand and five", 2005),
        ("two hundred thousand", 200_000),
        ("three million", 3_000_000),
        ("a dozen", 12),
        ("two dozen", 24),
        ("twenty-first", 21),
        ("twenty\none", 21),
    ],
)
def test_one_number_is_read_whole(text: str, value: int) -> None:
    assert found(text) == [(text, value)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two three", [2, 3]),
        ("two and three", [2, 3]),
        ("two-three days", [2, 3]),
        ("twenty to thirty", [20, 30]),
        ("ten twenty", [10, 20]),
        ("twenty and five", [20, 5]),
        ("forty, fifty", [40, 50]),
        ("one two three weeks", [2, 3]),
    ],
)
def test_several_numbers_are_told_apart(text: str, values: list[int]) -> None:
    assert [value for _, value in found(text)] == values


@pytest.mark.parametrize("text", ["one week", "one business day", "one-year warranty", "one per cent", "one dollar"])
def test_one_counts_before_a_unit(text: str) -> None:
    assert [value for _, value in found(text)] == [1]


@pytest.mark.parametrize(
    "text",
    ["the blue one", "one of them", "no one", "one cannot know", "first", "the third time", "tenth", "someone", "often",
     "weight", "none", "hundreds of", "and", "a", ""],
)  # fmt: skip
def test_other_words_are_no_numbers(text: str) -> None:
    assert found(text) == []


_WORDS = "one two nine ten nineteen twenty ninety hundred thousand million dozen and first zero a days".split()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=30))
def test_any_run_of_words_is_read_in_order_without_overlap(words: list[str]) -> None:
    text = " ".join(words)
    spans = [(start, end) for start, end, _ in spelled_numbers(text)]
    assert all(start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
