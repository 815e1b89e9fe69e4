"""JSON as typed values: what has another type is refused, never converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from playground.typed_json import Count, Seconds, fault, typed, typed_json


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    kind: Literal["a", "b"]
    count: Count
    time: Seconds | None = None
    right: bool = True
    parts: tuple[str, ...] = ()


GOOD: dict[str, Any] = {"name": "x", "kind": "a", "count": 3, "time": 1, "right": False, "parts": ["p"], "more": 1}


def test_an_object_becomes_a_dataclass_and_a_list_a_tuple() -> None:
    assert typed(tuple[Row, ...], [GOOD, {"name": "", "kind": "b", "count": 0}]) == (
        Row("x", "a", 3, 1.0, False, ("p",)),
        Row("", "b", 0),
    )
    assert typed_json(dict[str, list[str]], '{"a": ["b"]}') == {"a": ["b"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 1},
        {"name": None},
        {"kind": "c"},
        {"count": "3"},
        {"count": 3.0},
        {"count": True},
        {"count": -1},
        {"time": "1"},
        {"time": True},
        {"time": -0.5},
        {"time": float("nan")},
        {"time": float("inf")},
        {"right": 1},
        {"right": "true"},
        {"parts": "p"},
        {"parts": [1]},
        {"parts": {"p": 1}},
    ],
)
def test_nothing_is_converted(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        typed(Row, {**GOOD, **changes})


def test_unknown_fields_are_refused_where_a_reader_asks_for_that() -> None:
    assert typed_json(Row, '{"name": "x", "kind": "a", "count": 1, "naem": 2}').count == 1
    with pytest.raises(ValueError, match="naem"):
        typed_json(Row, '{"name": "x", "kind": "a", "count": 1, "naem": 2}', only_known=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"name": "x", "kind": "c", "count": 1}]', "0.kind: Input should be 'a' or 'b'"),
        ('[{"name": "x", "kind": "a"}]', "0.count: Field required"),
        ("[", "Invalid JSON: EOF while parsing"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded"),
    ],
)
def test_a_fault_is_said_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        typed_json(tuple[Row, ...], text)
    assert fault(caught.value).startswith(words)
