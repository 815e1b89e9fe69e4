"""Probabilities that were drawn from a known curve must come back from the fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.flagging.calibration import (
    best_thresholds,
    expected_calibration_error,
    fit_calibration,
    operating_points,
    reliability_curve,
    shifted_thresholds,
)
from playground.measuring.clause_metrics import micro_f1
from playground.measuring.estimates import proportion

Drawn = tuple[np.ndarray, np.ndarray]


def drawn(a: float, b: float, n: int, seed: int, n_labels: int = 1) -> Drawn:
    """Return scores and labels of which the probability is sigmoid(a x score + b)."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(0, 2, (n, n_labels))
    return scores, generator.random((n, n_labels)) < 1 / (1 + np.exp(-(a * scores + b)))


def test_a_fit_finds_the_curve_of_each_label() -> None:
    first, second = drawn(0.5, -1.0, 20_000, 1), drawn(2.0, 1.0, 20_000, 2)
    scores, gold = np.hstack([first[0], second[0]]), np.hstack([first[1], second[1]])
    fit = fit_calibration(scores, gold)
    assert fit.a == pytest.approx((0.5, 2.0), rel=0.08)
    assert fit.b == pytest.approx((-1.0, 1.0), abs=0.08)
    by_hand = 1 / (1 + math.exp(-(fit.a[1] * scores[3, 1] + fit.b[1])))
    assert fit.probabilities(scores)[3, 1] == pytest.approx(by_hand)
    assert expected_calibration_error(fit.probabilities(scores), gold) == pytest.approx(0, abs=0.02)


def test_a_rare_label_stays_near_the_fit_of_all() -> None:
    common, odd = drawn(1.0, -1.0, 20_000, 3), drawn(1.0, 3.0, 20_000, 4)
    few = odd[0].copy(), odd[1].copy()
    few[0][8:], few[1][8:] = -30.0, False  # eight clauses say something about the label, the rest nothing
    scores, gold = np.hstack([common[0], few[0]]), np.hstack([common[1], few[1]])
    near, free = fit_calibration(scores, gold, shrinkage=1000.0), fit_calibration(scores, gold, shrinkage=0.01)
    assert abs(near.b[1] - near.b[0]) < 0.3
    assert free.b[1] - free.b[0] > 1.0


def test_a_label_without_a_positive_gets_finite_low_probabilities() -> None:
    scores, gold = drawn(1.0, 0.0, 2000, 5, n_labels=2)
    gold[:, 1] = False
    fit = fit_calibration(scores, gold)
    probabilities = fit.probabilities(scores)
    assert np.isfinite(probabilities).all()
    assert probabilities[:, 1].mean() < 0.3 * probabilities[:, 0].mean()


def test_scores_that_separate_perfectly_stay_finite() -> None:
    scores = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    fit = fit_calibration(scores, scores > 0)
    assert np.isfinite([*fit.a, *fit.b]).all()
    assert fit.probabilities(scores)[:, 0].round().tolist() == [0, 0, 1, 1]


def test_calibration_keeps_the_order_within_a_label() -> None:
    scores, gold = drawn(-1.0, 0.0, 500, 6)  # scores that are worse than useless
    assert fit_calibration(scores, gold).a[0] > 0


def test_the_bins_say_what_came_true() -> None:
    probabilities = np.array([0.05, 0.1, 0.3, 0.35, 1.0])
    gold = np.array([False, True, False, True, True])
    low, middle, high = reliability_curve(probabilities, gold, bins=4)
    assert (low.low, low.high, low.count, low.observed) == (0.0, 0.25, 2, proportion(1, 2))
    assert low.mean_probability == pytest.approx(0.075)
    assert (middle.low, middle.high, middle.count) == (0.25, 0.5, 2)
    assert (high.low, high.high, high.count, high.observed.value) == (0.75, 1.0, 1, 1.0)
    expected = (2 * abs(0.075 - 0.5) + 2 * abs(0.325 - 0.5) + 0) / 5
    assert expected_calibration_error(probabilities, gold, bins=4) == pytest.approx(expected)


def test_edges_may_leave_pairs_out() -> None:
    probabilities, gold = np.array([[0.05, 0.6], [0.2, 0.9]]), np.array([[False, True], [True, True]])
    curve = reliability_curve(probabilities, gold, bins=[0.2, 0.5, 0.9])
    assert [(part.low, part.count) for part in curve] == [(0.2, 1), (0.5, 2)]
    assert expected_calibration_error(probabilities, gold, bins=[0.95, 1.0]) is None


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_without_shrinkage_no_threshold_is_better(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(1, 8, (15, 1)) / 8
    gold = generator.random((15, 1)) < scores
    if gold.any():
        best = micro_f1(scores, gold, best_thresholds(scores, gold, shrinkage=0.0))
        others = [micro_f1(scores, gold, np.array([level])) or 0.0 for level in np.unique(scores)]
        assert best == pytest.approx(max(others))


def test_rare_labels_share_a_threshold() -> None:
    generator = np.random.default_rng(8)
    # The first two labels are best cut at 0.3 and 0.7; the third has two positives, the fourth none.
    scores = generator.random((3000, 4))
    gold = scores > np.array([0.3, 0.7, 2.0, 2.0])
    gold[np.argsort(-scores[:, 2])[:2], 2] = True
    thresholds = best_thresholds(scores, gold)
    assert thresholds[0] == pytest.approx(0.3, abs=0.01)
    assert thresholds[1] == pytest.approx(0.7, abs=0.01)
    shared = thresholds[3]
    assert 0.3 < shared < 1.0
    assert shared < thresholds[2] < scores[:, 2].max()
    assert best_thresholds(scores, gold, shrinkage=1e9) == pytest.approx(np.full(4, shared), abs=1e-4)


def test_thresholds_of_nothing_are_one_half() -> None:
    assert best_thresholds(np.full((3, 2), 0.2), np.zeros((3, 2), dtype=bool)).tolist() == [0.5, 0.5]


def test_the_slider_trades_recall_for_precision() -> None:
    scores, gold = drawn(1.0, -2.0, 3000, 9, n_labels=3)
    probabilities = 1 / (1 + np.exp(-scores))
    thresholds = np.array([0.4, 0.5, 0.6])
    points = operating_points(probabilities, gold, thresholds)
    assert [point.shift for point in points] == sorted(point.shift for point in points)
    recalls = [point.recall or 0.0 for point in points]
    assert recalls == sorted(recalls, reverse=True)
    assert recalls[0] > 0.95
    assert recalls[-1] < 0.3
    middle = next(point for point in points if point.shift == 0)
    flagged = probabilities >= thresholds
    assert (middle.flags, middle.recall, middle.precision) == (
        flagged.sum(),
        (flagged & gold).sum() / gold.sum(),
        (flagged & gold).sum() / flagged.sum(),
    )


def test_an_end_of_the_slider_that_flags_nothing_has_no_precision() -> None:
    (point,) = operating_points(np.array([[0.6]]), np.array([[True]]), np.array([0.5]), shifts=[9.0])
    assert (point.flags, point.recall, point.precision) == (0, 0.0, None)


def test_a_shift_adds_to_the_log_odds() -> None:
    # One half has odds of 1: adding log 3 makes them 3 to 1.
    assert shifted_thresholds(np.array([0.5, 0.25]), math.log(3)).tolist() == pytest.approx([0.75, 0.5])
    assert shifted_thresholds(np.array([0.0, 1.0]), 0.0).tolist() == pytest.approx([0.0, 1.0], abs=1e-5)
