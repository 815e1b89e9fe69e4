"""What rows show: shares, paired tests, and a sentence where there are too few."""

from __future__ import annotations

import pytest

from playground.errors import EvaluationError
from playground.limits.finding import by_condition, enough, paired_tests, share_right
from tests.support.fakes_limits import limit_row, limit_rows, tiny_finding


def test_a_row_that_failed_is_wrong() -> None:
    rows = [limit_row("first", "a", right=True), limit_row("first", "b", right=True, error="The model is gone.")]
    assert share_right(rows).value == 0.5


def test_conditions_are_paired_by_what_both_were_asked_and_adjusted_for_their_number() -> None:
    rows = [
        *limit_rows("a", lambda _number: True),
        *limit_rows("b", lambda number: number < 20),
        *limit_rows("c", lambda number: number != 7, count=30),
    ]
    tests = paired_tests([("a", "b"), ("a", "c")], by_condition(rows))
    assert [test.difference.n for test in tests] == [40, 30]
    assert tests[0].difference.difference.value == 0.5 and tests[0].is_real
    assert tests[1].adjusted_p == 1.0 and not tests[1].is_real
    assert tests[0].adjusted_p == pytest.approx(2 * 2 * 0.5**20)


def test_too_few_rows_are_a_sentence_that_says_what_is_kept() -> None:
    rows = by_condition(limit_rows("first", lambda _number: True, count=4))
    with pytest.raises(EvaluationError, match="first has 4 answers, .* fewer than 5. What was measured is kept"):
        enough(rows, ["first"], 5, "answers")
    with pytest.raises(EvaluationError, match="second has 0 answers"):
        enough(rows, ["second"], 1, "answers")


def test_a_small_sample_says_so() -> None:
    for count, small in ((29, True), (30, False)):
        rows = [row for name in ("first", "second") for row in limit_rows(name, lambda _number: True, count=count)]
        assert tiny_finding(rows).is_small is small
