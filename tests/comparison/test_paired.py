"""Paired tests against the formulas, simulation and values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.comparison.outcomes import Outcome
from playground.comparison.paired import holm, newcombe_difference, paired_outcomes, paired_rates, paired_scores
from playground.measuring.estimates import Estimate


def answers(both: int, only_first: int, only_second: int, neither: int) -> tuple[dict[str, bool], dict[str, bool]]:
    kinds = [(True, True)] * both + [(True, False)] * only_first + [(False, True)] * only_second
    kinds += [(False, False)] * neither
    return (
        {f"q{place}": kind[0] for place, kind in enumerate(kinds)},
        {f"q{place}": kind[1] for place, kind in enumerate(kinds)},
    )


@pytest.mark.parametrize(("only_first", "only_second"), [(8, 1), (1, 8), (5, 5), (0, 6), (0, 0), (12, 3)])
def test_the_p_value_is_the_binomial_sum(only_first: int, only_second: int) -> None:
    found = paired_rates("a", "b", *answers(20, only_first, only_second, 10))
    assert found is not None
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1)) / 2**n
    assert found.p_value == pytest.approx(min(2 * tail, 1.0))
    assert found.difference.value == pytest.approx((only_first - only_second) / (30 + n))
    assert (found.first, found.second, found.n) == ("a", "b", 30 + n)


def test_only_shared_examples_count() -> None:
    found = paired_rates("a", "b", {"q1": True, "q2": True, "q3": False}, {"q2": False, "q3": False, "q4": True})
    assert found is not None
    assert (found.n, found.difference.value) == (2, 0.5)
    assert paired_rates("a", "b", {"q1": True}, {"q2": True}) is None
    assert paired_scores("a", "b", {"q1": 1.0}, {"q2": 1.0}) is None
    assert paired_outcomes("a", "b", {}, {}) is None


def test_newcombes_interval_is_the_one_worked_out_by_hand() -> None:
    # Wilson's intervals of 30/50 and 20/50, and a correlation of (16 * 16 - 14 * 4 - 25) / (30 * 20).
    found = newcombe_difference(16, 14, 4, 16)
    z = 1.959963984540054

    def wilson(share: float) -> tuple[float, float]:
        centre, half = share + z * z / 100, z * math.sqrt(share * (1 - share) / 50 + z * z / 10_000)
        return (centre - half) / (1 + z * z / 50), (centre + half) / (1 + z * z / 50)

    (low_1, high_1), (low_2, high_2) = wilson(0.6), wilson(0.4)
    phi = (16 * 16 - 14 * 4 - 25) / 600
    below = math.sqrt((0.6 - low_1) ** 2 - 2 * phi * (0.6 - low_1) * (high_2 - 0.4) + (high_2 - 0.4) ** 2)
    above = math.sqrt((high_1 - 0.6) ** 2 - 2 * phi * (high_1 - 0.6) * (0.4 - low_2) + (0.4 - low_2) ** 2)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.2 - below, 0.2 + above), abs=1e-9)


@given(*[st.integers(0, 60)] * 4)
def test_the_interval_holds_the_difference_and_turns_round_with_it(a: int, b: int, c: int, d: int) -> None:
    if a + b + c + d == 0:
        return
    found, turned = newcombe_difference(a, b, c, d), newcombe_difference(a, c, b, d)
    assert -1 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    tables = generator.multinomial(60, [0.4, 0.2, 0.1, 0.3], size=1_000)
    found = [newcombe_difference(*[int(count) for count in table]) for table in tables]
    assert 0.93 <= sum(one.low <= 0.1 <= one.high for one in found) / len(found) <= 0.98


def test_the_bootstrap_agrees_with_the_normal_approximation() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.normal(0.3, 1.0, 400), generator.normal(0.0, 1.0, 400)
    found = paired_scores(
        "a", "b", {str(i): float(x) for i, x in enumerate(first)}, {str(i): float(x) for i, x in enumerate(second)}
    )
    assert found is not None
    differences = first - second
    half = 1.96 * differences.std() / math.sqrt(400)
    assert found.difference.value == pytest.approx(differences.mean())
    assert found.difference.low == pytest.approx(differences.mean() - half, abs=0.01)
    assert found.difference.high == pytest.approx(differences.mean() + half, abs=0.01)
    normal = math.erfc(abs(differences.mean()) / (differences.std() / math.sqrt(400)) / math.sqrt(2))
    assert found.p_value == pytest.approx(normal, abs=0.003)


def test_equal_scores_differ_by_nothing() -> None:
    found = paired_scores("a", "b", {"q1": 0.5, "q2": 1.0}, {"q1": 0.5, "q2": 1.0})
    assert found is not None
    assert (found.difference, found.p_value) == (Estimate(0.0, 0.0, 0.0), 1.0)


def test_clusters_widen_the_interval() -> None:
    # Ten contracts of ten clauses, all of whose clauses are alike.
    names = [f"c{contract}-{clause}" for contract in range(10) for clause in range(10)]
    first = {name: Outcome(int(name[1]) < 6, name[:2]) for name in names}
    second = {name: Outcome(int(name[1]) < 3, name[:2]) for name in names}
    found = paired_outcomes("a", "b", first, second)
    alone = paired_outcomes(
        "a", "b", {n: Outcome(o.right) for n, o in first.items()}, {n: Outcome(o.right) for n, o in second.items()}
    )
    assert found is not None
    assert alone is not None
    assert found.difference.value == pytest.approx(alone.difference.value) == pytest.approx(0.3)
    assert found.difference.high - found.difference.low > 2 * (alone.difference.high - alone.difference.low)
    assert alone.p_value < 0.001 < found.p_value


def test_one_cluster_says_nothing() -> None:
    outcomes = {"1": Outcome(True, "c"), "2": Outcome(True, "c")}
    found = paired_outcomes("a", "b", outcomes, {name: Outcome(False, "c") for name in outcomes})
    assert found is not None
    assert (found.difference, found.p_value) == (Estimate(1.0, -1.0, 1.0), 1.0)


def test_holms_adjustment_is_the_one_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
