"""Figures against values worked by hand and against the formulas themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from playground.measuring.estimates import (
    balanced_accuracy,
    mean,
    percentiles,
    proportion,
    resources_used,
    total_cost_usd,
)
from playground.types import Prediction, RunRecord, Usage

RECORD = RunRecord("run", "rag", "m", None, "q", 0, None, {}, 0.0, None, "2026-01-01T00:00:00+00:00", "pc", "abc")


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The score interval written out, with z = 1.959964."""
    z, share = 1.959963984540054, successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half


@pytest.mark.parametrize(("successes", "n"), [(0, 27), (3, 10), (43, 105), (73, 73)])
def test_proportion_has_the_wilson_interval(successes: int, n: int) -> None:
    found = proportion(successes, n)
    assert found is not None
    assert found.value == successes / n
    assert (found.low, found.high) == pytest.approx(wilson(successes, n), abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_proportion_of_nothing_is_unknown() -> None:
    assert proportion(0, 0) is None


def test_balanced_accuracy_weighs_both_classes_alike() -> None:
    found = balanced_accuracy([True] * 30 + [False] * 70, [True] * 6 + [False] * 4)
    assert found is not None
    assert found.value == pytest.approx(0.45)
    # Normal approximation of the same interval: half of sqrt(.3 * .7 / 100 + .6 * .4 / 10), 1.96 of them each way.
    half = 1.96 * 0.5 * math.sqrt(0.3 * 0.7 / 100 + 0.6 * 0.4 / 10)
    assert found.low == pytest.approx(0.45 - half, abs=0.02)
    assert found.high == pytest.approx(0.45 + half, abs=0.02)


def test_balanced_accuracy_is_the_same_every_time_and_needs_both_classes() -> None:
    first, second = [True, False, True], [False, True]
    assert balanced_accuracy(first, second) == balanced_accuracy(first, second)
    assert balanced_accuracy([], second) is None
    assert balanced_accuracy(first, []) is None


def test_balanced_accuracy_without_variation_has_no_width() -> None:
    found = balanced_accuracy([True, True], [False])
    assert found is not None
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_percentiles_mean_and_cost() -> None:
    assert percentiles([3.0, 1.0, 2.0, 4.0]) == pytest.approx({"p50": 2.5, "p95": 3.85})
    assert percentiles([]) is None
    assert mean([1, 2, 6]) == 3
    assert mean([]) is None
    assert total_cost_usd([0.25, 0.5]) == 0.75
    assert total_cost_usd([0.25, None]) is None


def test_resources_leave_out_what_a_failed_row_does_not_have() -> None:
    def row(usage: Usage | None, first_token_s: float) -> RunRecord:
        timings = {"first_token_s": first_token_s, "total_s": first_token_s + 1}
        return replace(RECORD, prediction=Prediction("x", usage, timings), cost_usd=0.5)

    rows = [row(Usage(100, 10, 40), 1.0), row(Usage(300, 30), 3.0), row(None, 5.0)]
    failed = replace(RECORD, error="gone", cost_usd=0.0)
    assert resources_used([*rows, failed]) == {
        "first_token_s": {"p50": 3.0, "p95": pytest.approx(4.8)},
        "total_s": {"p50": 4.0, "p95": pytest.approx(5.8)},
        "input_tokens": 200.0,
        "cached_tokens": 20.0,
        "output_tokens": 20.0,
        "cost_usd": 1.5,
    }
    assert resources_used([replace(failed, cost_usd=None), *rows])["cost_usd"] is None
    assert resources_used([failed])["first_token_s"] is None
