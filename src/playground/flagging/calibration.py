"""From the scores of a flagger to probabilities that mean what they say, and to thresholds that decide.

Arrays as in ``clause_metrics``: ``scores`` float [n_clauses, n_labels], ``gold`` bool of the same shape, one threshold
or one calibration per label. A rare label has too few positives to choose for itself and borrows from all labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.measuring.estimates import Estimate, proportion

__all__ = [
    "Calibration",
    "OperatingPoint",
    "ReliabilityBin",
    "best_thresholds",
    "expected_calibration_error",
    "fit_calibration",
    "operating_points",
    "reliability_curve",
    "shifted_thresholds",
]

SHIFTS = tuple(float(shift) for shift in np.arange(-5.0, 5.5, 0.5))
"""Log-odds by which a slider moves the thresholds, from "miss nothing" to "only sure ones"."""

_EDGE = 1e-6  # log-odds are taken of probabilities no nearer to 0 and 1
_SLOPE_BOUND = 4.0  # log a of a fit; separable scores would send it to infinity


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability of a label = sigmoid(a x score + b), by label; the scores are log-odds or any real numbers."""

    a: tuple[float, ...]
    b: tuple[float, ...]

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of ``scores`` [n_clauses, n_labels], of the same shape."""
        return _sigmoid(np.asarray(self.a) * scores + np.asarray(self.b))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The pairs whose probability is in [low, high): what was predicted on average and what share came true."""

    low: float
    high: float
    count: int
    mean_probability: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What moving all thresholds by ``shift`` log-odds gives; rates over pairs, None where they are not defined."""

    shift: float
    recall: float | None
    precision: float | None
    flags: int


def best_thresholds(scores: np.ndarray, gold: np.ndarray, *, shrinkage: float = 10.0) -> np.ndarray:
    """Return the thresholds [n_labels] of highest F1, drawn towards a shared one for rare labels.

    Args:
        scores: probabilities in [0, 1].
        gold: which are right.
        shrinkage: a label with so many positives gets the mean, in log-odds, of its own best threshold and of the one
            that is best for all pairs together; with fewer it is nearer to the shared one.
    """
    shared = _log_odds(np.asarray(_best_threshold(scores.ravel(), gold.ravel())))
    support = gold.sum(axis=0)
    thresholds = np.full(scores.shape[1], float(shared))
    for column in np.nonzero(support)[0]:
        own = _log_odds(np.asarray(_best_threshold(scores[:, column], gold[:, column])))
        weight = support[column] / (support[column] + shrinkage)
        thresholds[column] = weight * own + (1 - weight) * shared
    return _sigmoid(thresholds)


def _best_threshold(scores: np.ndarray, gold: np.ndarray) -> float:
    """Return the threshold of highest F1, half way to the next lower score; 0.5 without positives."""
    if not gold.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    found = np.cumsum(gold[order])
    f1 = 2 * found / (np.arange(1, len(ranked) + 1) + gold.sum())
    f1[:-1][ranked[1:] == ranked[:-1]] = -1.0  # a threshold cannot part equal scores
    best = int(np.argmax(f1))
    below = float(ranked[best + 1]) if best + 1 < len(ranked) else 0.0
    return (float(ranked[best]) + below) / 2


def shifted_thresholds(thresholds: np.ndarray, shift: float) -> np.ndarray:
    """Return ``thresholds`` [n_labels] moved by ``shift`` log-odds: below 0 flags more, above 0 fewer."""
    return _sigmoid(_log_odds(np.asarray(thresholds, dtype=float)) + shift)


def operating_points(
    scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, shifts: Sequence[float] = SHIFTS
) -> tuple[OperatingPoint, ...]:
    """Return the recall and precision over all pairs, measured at each of ``shifts`` of the thresholds."""
    positives = int(gold.sum())
    points = []
    for shift in shifts:
        flagged = scores >= shifted_thresholds(thresholds, shift)
        flags, found = int(flagged.sum()), int((flagged & gold).sum())
        points.append(
            OperatingPoint(
                shift=float(shift),
                recall=found / positives if positives else None,
                precision=found / flags if flags else None,
                flags=flags,
            )
        )
    return tuple(points)


def fit_calibration(scores: np.ndarray, gold: np.ndarray, *, shrinkage: float = 4.0) -> Calibration:
    """Fit a sigmoid per label to scores that were not trained on, rare labels close to the fit of all labels.

    Platt, 1999 ("Probabilistic outputs for support vector machines"), with a normal prior around the pooled fit in
    place of his smoothed targets: on the log of the slope, and on the shift at the score where the pooled fit says
    one half, which hardly depend on each other there.

    Args:
        scores: log-odds, or any real numbers that rise with the label.
        gold: which are right.
        shrinkage: precision of the prior; 4 is a standard deviation of 0.5 log-odds of the shift.
    """
    pooled_slope, pooled_shift = _fit_sigmoid(scores.ravel(), gold.ravel(), np.zeros(2), np.array([0.25, 0.0]))
    middle = -pooled_shift / np.exp(pooled_slope)
    slopes, shifts = [], []
    for column in range(scores.shape[1]):
        slope, shift = _fit_sigmoid(
            scores[:, column] - middle,
            gold[:, column],
            np.array([pooled_slope, 0.0]),
            np.array([shrinkage, shrinkage]),
        )
        slopes.append(float(np.exp(slope)))
        shifts.append(float(shift - np.exp(slope) * middle))
    return Calibration(tuple(slopes), tuple(shifts))


def _fit_sigmoid(scores: np.ndarray, gold: np.ndarray, centre: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return (log a, b) of least log loss plus half of precision x squared distance from centre."""
    from scipy.optimize import minimize

    x = np.asarray(scores, dtype=np.float64)
    sign = np.where(gold, 1.0, -1.0)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        slope = np.exp(theta[0])
        z = slope * x + theta[1]
        error = _sigmoid(z) - gold
        away = theta - centre
        value = np.logaddexp(0.0, -sign * z).sum() + 0.5 * (precision * away * away).sum()
        gradient = np.array([(error * x).sum() * slope, error.sum()]) + precision * away
        return float(value), gradient

    bounds = [(-_SLOPE_BOUND, _SLOPE_BOUND), (None, None)]
    return np.asarray(minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds).x)


def reliability_curve(
    probabilities: np.ndarray, gold: np.ndarray, bins: int | Sequence[float] = 10
) -> tuple[ReliabilityBin, ...]:
    """Return what came true in each bin of predicted probability, with Wilson intervals; empty bins are left out.

    Args:
        probabilities: in [0, 1], any shape.
        gold: of the same shape.
        bins: how many of equal width, or their edges, rising. Start the edges above 0 to leave out the pairs that
            nobody would call: most have a probability near 0 and drown the rest.
    """
    edges = np.linspace(0.0, 1.0, bins + 1) if isinstance(bins, int) else np.asarray(bins, dtype=float)
    flat, positive = np.ravel(probabilities), np.ravel(gold)
    bin_of = np.searchsorted(edges, flat, side="right") - 1
    bin_of[flat == edges[-1]] = len(edges) - 2  # the last bin includes its upper edge
    curve = []
    for number in range(len(edges) - 1):
        inside = bin_of == number
        observed = proportion(int(positive[inside].sum()), int(inside.sum()))
        if observed is not None:
            low, high = float(edges[number]), float(edges[number + 1])
            curve.append(ReliabilityBin(low, high, int(inside.sum()), float(flat[inside].mean()), observed))
    return tuple(curve)


def expected_calibration_error(
    probabilities: np.ndarray, gold: np.ndarray, bins: int | Sequence[float] = 10
) -> float | None:
    """Return the mean distance between predicted and observed, by bin, weighted by its pairs; None without pairs.

    Naeini, Cooper and Hauskrecht, 2015 (AAAI). Arguments as for ``reliability_curve``.
    """
    curve = reliability_curve(probabilities, gold, bins)
    n = sum(part.count for part in curve)
    return sum(part.count * abs(part.mean_probability - part.observed.value) for part in curve) / n if n else None


def _sigmoid(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(values))


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.clip(probabilities, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
