"""Regular expressions from outside cannot hang, fill the memory or pass unnoticed."""

from __future__ import annotations

import re
import sys

import pytest

from playground.errors import EvaluationError
from playground.patterns import MOST_CHARACTERS, all_found, find_invalid

BACKTRACKS = r"(a|a)+$"


def test_all_must_be_found_whatever_the_case() -> None:
    assert all_found([r"\b30 days\b", "REFUND"], "A refund within 30 Days.")
    assert not all_found([r"\b30 days\b", "credit"], "A refund within 30 Days.")
    assert all_found([], "anything")
    assert all_found(["^caf\u00e9$"], "CAF\u00c9")


def test_catastrophic_backtracking_is_stopped_and_named() -> None:
    with pytest.raises(EvaluationError, match="was stopped") as caught:
        all_found(["fine", BACKTRACKS], "a" * 60 + "!", timeout_s=0.5)
    assert BACKTRACKS in str(caught.value)


def test_an_invalid_expression_is_named_with_the_reason() -> None:
    with pytest.raises(EvaluationError, match=re.escape("(open")):
        all_found(["(open"], "text")
    invalid = find_invalid(["fine", "(open", "a**", r"[z-a]"])
    assert set(invalid) == {"(open", "a**", "[z-a]"}
    assert "unterminated" in invalid["(open"]


def test_nesting_too_deep_to_compile_is_invalid() -> None:
    deep = "(" * 2000 + ")" * 2000
    assert set(find_invalid(["fine", deep])) == {deep}


def test_one_that_takes_the_compiler_down_is_told_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground import patterns

    honest = patterns._ask_child

    def dies_on_bad(given: list[str], text: str | None, timeout_s: float) -> object:
        return None if "bad" in given else honest(given, text, timeout_s)

    monkeypatch.setattr(patterns, "_ask_child", dies_on_bad)
    assert set(find_invalid(["one", "two", "bad", "(", "five"])) == {"bad", "("}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bound the time only")
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground import patterns

    large = "a" * 400_000
    assert not all_found([large], "b")
    monkeypatch.setattr(patterns, "_MEMORY_BYTES", 40 << 20)
    assert not all_found(["a"], "b")
    with pytest.raises(EvaluationError):
        all_found([large], "b")


def test_a_long_text_is_searched_up_to_the_limit() -> None:
    text = "x" * (MOST_CHARACTERS - 3) + "endbeyond"
    assert all_found(["end"], text)
    assert not all_found(["beyond"], text)


def test_text_that_ascii_cannot_write_reaches_the_child() -> None:
    assert all_found(["\u20ac\\d+", "\U0001f436"], "\u20ac30 for the \U0001f436")
