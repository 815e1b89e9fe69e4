"""Whether a difference between two techniques is real, tested on the examples that both of them answered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from playground.comparison.figures import PairedDifference
from playground.comparison.outcomes import Outcome
from playground.measuring.estimates import Estimate, proportion

RESAMPLES = 10_000
BOOTSTRAP_SEED = 20260101
_MOST_DRAWS_AT_ONCE = 4_000_000


def paired_outcomes(
    first: str, second: str, of_first: Mapping[str, Outcome], of_second: Mapping[str, Outcome]
) -> PairedDifference | None:
    """Compare the outcomes of two techniques on what both were asked; None where that is nothing.

    Outcomes that stand alone are tested by McNemar's test. Those that cluster (clauses of a contract) are resampled by
    cluster instead, because McNemar's test takes them for independent.
    """
    shared = [name for name in of_first if name in of_second]
    if not any(of_first[name].cluster for name in shared):
        return paired_rates(
            first,
            second,
            {name: of_first[name].right for name in shared},
            {name: of_second[name].right for name in shared},
        )
    return paired_scores(
        first,
        second,
        {name: float(of_first[name].right) for name in shared},
        {name: float(of_second[name].right) for name in shared},
        clusters={name: of_first[name].cluster for name in shared},
    )


def paired_rates(
    first: str, second: str, of_first: Mapping[str, bool], of_second: Mapping[str, bool]
) -> PairedDifference | None:
    """Compare right and wrong answers by example; None where no example is shared.

    The p-value is McNemar's (1947, Psychometrika 12) in its exact form: how likely is a split at least as uneven among
    the examples that only one of the two got right, were each as likely to be either's? The interval of the difference
    is Newcombe's (1998, Statistics in Medicine 17, method 10): Wilson's intervals of both shares, joined by their
    correlation.
    """
    from scipy.stats import binomtest

    shared = [name for name in of_first if name in of_second]
    if not shared:
        return None
    pairs = [(bool(of_first[name]), bool(of_second[name])) for name in shared]
    both, only_first, only_second, neither = (
        pairs.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))
    )
    discordant = only_first + only_second
    p_value = float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    difference = newcombe_difference(both, only_first, only_second, neither)
    return PairedDifference(first, second, len(shared), difference, p_value)


def newcombe_difference(both: int, only_first: int, only_second: int, neither: int) -> Estimate:
    """Return the difference of two paired shares with its 95 % interval; the four counts add up to n > 0.

    Newcombe, 1998, method 10: score intervals, with the correlation of the fourfold table corrected for continuity.
    """
    n = both + only_first + only_second + neither
    one, other = proportion(both + only_first, n), proportion(both + only_second, n)
    if one is None or other is None:
        raise ValueError("The table is empty.")
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - n / 2, 0.0)
    correlation = product / math.sqrt(margins) if margins else 0.0

    def reach(of_one: float, of_other: float) -> float:
        return math.sqrt(max(of_one**2 - 2 * correlation * of_one * of_other + of_other**2, 0.0))

    value = (only_first - only_second) / n
    low = value - reach(one.value - one.low, other.high - other.value)
    high = value + reach(one.high - one.value, other.value - other.low)
    return Estimate(value, max(low, -1.0), min(high, 1.0))


def paired_scores(
    first: str,
    second: str,
    of_first: Mapping[str, float],
    of_second: Mapping[str, float],
    *,
    clusters: Mapping[str, str] | None = None,
) -> PairedDifference | None:
    """Compare scores by example with the paired bootstrap; None where no example is shared.

    Examples (or, with ``clusters``, whole clusters of them) are drawn with replacement, each with the scores of both
    techniques (Efron and Tibshirani, 1993, chapter 16). The interval has the percentiles of the resampled
    differences; the p-value is the share of them that, moved to a mean of zero, lie at least as far from it as the
    difference found. Fixed seed. With fewer than two clusters nothing can be drawn: the interval is [-1, 1], p is 1.
    """
    shared = [name for name in of_first if name in of_second]
    if not shared:
        return None
    differences = np.asarray([of_first[name] - of_second[name] for name in shared], dtype=float)
    names = [clusters[name] if clusters else name for name in shared]
    _found, places = np.unique(names, return_inverse=True)
    sums, counts = np.bincount(places, differences), np.bincount(places).astype(float)
    value = float(differences.mean())
    if len(counts) < 2:
        return PairedDifference(first, second, len(shared), Estimate(value, -1.0, 1.0), 1.0)
    drawn = _resampled(sums, counts)
    low, high = np.quantile(drawn, [0.025, 0.975])
    # The tolerance lets differences that are equal but for rounding count as equally far.
    further = int((np.abs(drawn - value) >= abs(value) - 1e-12).sum())
    p_value = (1 + further) / (1 + len(drawn))
    return PairedDifference(first, second, len(shared), Estimate(value, float(low), float(high)), min(p_value, 1.0))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for how many there are (Holm, 1979, Scandinavian Journal of Statistics 6).

    Of ten tests of nothing, one is below 0.05 in four comparisons out of ten; after this, in less than one of twenty.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        highest = max(highest, min((len(p_values) - rank) * p_values[place], 1.0))
        adjusted[place] = highest
    return adjusted


def _resampled(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return RESAMPLES means over clusters drawn with replacement; ``sums`` and ``counts`` are float [clusters]."""
    n = len(counts)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    # In portions, so that 50,000 examples do not ask for gigabytes.
    resamples = max(min(RESAMPLES, 50 * _MOST_DRAWS_AT_ONCE // n), 1_000)
    portion = max(_MOST_DRAWS_AT_ONCE // n, 1)
    found = []
    for start in range(0, resamples, portion):
        drawn = generator.integers(n, size=(min(portion, resamples - start), n))
        found.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(found)
