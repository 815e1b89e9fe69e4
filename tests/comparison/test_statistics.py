"""Intervals and tests of the comparison against what statsmodels and scipy compute for the same counts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from playground.comparison.claims.article import examples_to_beat_prompting
from playground.comparison.claims.learning_curve import CurveRow, LearningCurve
from playground.comparison.claims.provenance import Provenance
from playground.comparison.outcomes import Outcome
from playground.comparison.paired import holm, paired_outcomes, paired_rates, paired_scores
from playground.comparison.technique_figures import percentile
from playground.measuring.clause_metrics import bootstrap_over_contracts
from playground.measuring.estimates import Estimate, balanced_accuracy, proportion

NONE_AND_ALL = [(0, 1), (1, 1), (0, 14), (14, 14), (0, 241), (241, 241)]
SOME = [(1, 2), (3, 10), (4, 14), (22, 60), (43, 105), (98, 241), (1, 50_000)]


@pytest.mark.parametrize(("successes", "n"), [*NONE_AND_ALL, *SOME])
def test_the_interval_of_a_rate_is_wilsons_of_statsmodels(successes: int, n: int) -> None:
    found = proportion(successes, n)
    assert found is not None
    expected = proportion_confint(successes, n, alpha=0.05, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


TABLES = [
    (20, 10, 3, 27),
    (0, 9, 0, 0),  # one technique was always right, the other never
    (0, 0, 9, 0),
    (30, 0, 0, 30),  # they never differ
    (0, 0, 0, 14),  # both 0 of n
    (14, 0, 0, 0),  # both n of n
    (40, 1, 0, 19),
    (5, 7, 7, 5),
    (57, 130, 28, 26),
]
"""Both right, only the first, only the second, neither."""


def _answers(table: tuple[int, int, int, int]) -> tuple[dict[str, bool], dict[str, bool]]:
    kinds = [(True, True), (True, False), (False, True), (False, False)]
    pairs = [kind for kind, count in zip(kinds, table, strict=True) for _ in range(count)]
    first, second = ({str(place): pair[side] for place, pair in enumerate(pairs)} for side in (0, 1))
    return first, second


@pytest.mark.parametrize("table", TABLES)
def test_the_p_value_is_that_of_mcnemars_exact_test_in_statsmodels(table: tuple[int, int, int, int]) -> None:
    found = paired_rates("a", "b", *_answers(table))
    both, only_first, only_second, neither = table
    expected = mcnemar([[both, only_first], [only_second, neither]], exact=True)
    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.difference.value == pytest.approx((only_first - only_second) / sum(table))


@pytest.mark.parametrize(
    "p_values", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.0, 1.0, 0.02], [0.04, 0.04, 0.04], [1e-9, 0.9, 0.8, 0.011]]
)
def test_holms_adjustment_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


@pytest.mark.parametrize(
    ("trained", "prompted", "n"), [(60, 50, 100), (64, 50, 100), (65, 50, 100), (60, 0, 60), (38, 30, 60), (50, 30, 60)]
)
def test_more_than_chance_is_where_newcombes_interval_of_statsmodels_is_above_zero(
    trained: int, prompted: int, n: int
) -> None:
    rows = tuple(
        CurveRow(strategy, 4, 0, right, n, None, "now", "here", "abc")
        for strategy, right in (("few-shot", prompted), ("lora", trained))
    )
    crossing = examples_to_beat_prompting(LearningCurve(Provenance("now", "here", "abc", n, "m", "python x"), rows))
    low, _high = confint_proportions_2indep(trained, n, prompted, n, method="newcomb", compare="diff")
    assert (crossing is not None) == (low > 0)


# Bootstraps draw from seeds of their own: each bound has to cut off the tail that it should of what scipy draws.

TAIL, DRAWS = 0.025, 20_000
TOLERANCE = 0.006
"""Three standard errors of such a tail, of DRAWS draws there and 10,000 here."""


def assert_bounds_are_scipys(found: Estimate | None, data: tuple[np.ndarray, ...], statistic: object, **more: object):
    assert found is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of data without any spread
        drawn = stats.bootstrap(
            data,
            statistic,
            n_resamples=DRAWS,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(7),
            **more,
        ).bootstrap_distribution
    slack = 1e-9
    for beyond, reached in (
        ((drawn < found.low - slack).mean(), (drawn <= found.low + slack).mean()),
        ((drawn > found.high + slack).mean(), (drawn >= found.high - slack).mean()),
    ):
        # Where few values can be drawn, many draws stand on the bound itself.
        assert beyond <= TAIL + TOLERANCE
        assert reached >= TAIL - TOLERANCE


@pytest.mark.parametrize(
    ("first", "second"),
    [((22, 40), (1, 20)), ((65, 159), (74, 82)), ((0, 40), (7, 20)), ((40, 40), (20, 20)), ((0, 9), (0, 5))],
)
def test_balanced_accuracy_has_scipys_bootstrap_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    classes = [np.arange(n) < right for right, n in (first, second)]
    found = balanced_accuracy(*([bool(one) for one in each] for each in classes))

    def mean_of_rates(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
        return (one.mean(axis=axis) + other.mean(axis=axis)) / 2

    assert_bounds_are_scipys(found, tuple(each.astype(float) for each in classes), mean_of_rates)


@pytest.mark.parametrize("n", [14, 60, 241])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_interval_of_a_percentile_of_times_is_scipys_bootstrap(n: int, share: float) -> None:
    values = np.sort(np.random.default_rng(n).lognormal(0.0, 0.6, n))
    found = percentile(values, share)
    assert_bounds_are_scipys(found, (values,), lambda one, axis: np.quantile(one, share, axis=axis))


@pytest.mark.parametrize(("right_1", "right_2"), [(45, 30), (60, 0), (0, 0), (60, 60), (31, 30)])
def test_a_paired_difference_has_scipys_bootstrap_interval(right_1: int, right_2: int) -> None:
    generator = np.random.default_rng(right_1 + 100 * right_2)
    first, second = (generator.permutation(np.arange(60) < right).astype(float) for right in (right_1, right_2))
    scores = [{str(place): float(score) for place, score in enumerate(each)} for each in (first, second)]
    found = paired_scores("a", "b", *scores)
    assert found is not None
    assert_bounds_are_scipys(
        found.difference, (first, second), lambda one, other, axis: (one - other).mean(axis=axis), paired=True
    )


def test_clusters_are_drawn_whole_as_scipy_draws_them() -> None:
    # Twelve contracts of two to eight pairs.
    generator = np.random.default_rng(11)
    sizes = generator.integers(2, 9, 12)
    names = [(f"c{contract}", pair) for contract, size in enumerate(sizes) for pair in range(size)]
    first = {f"{c}-{p}": Outcome(bool(generator.random() < 0.85), c) for c, p in names}
    second = {f"{c}-{p}": Outcome(bool(generator.random() < 0.5), c) for c, p in names}
    found = paired_outcomes("a", "b", first, second)
    assert found is not None
    differences = [
        sum(first[f"c{c}-{p}"].right - second[f"c{c}-{p}"].right for p in range(size)) for c, size in enumerate(sizes)
    ]
    assert_bounds_are_scipys(
        found.difference,
        (np.array(differences, dtype=float), sizes.astype(float)),
        lambda sums, counts, axis: sums.sum(axis=axis) / counts.sum(axis=axis),
        paired=True,
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_figures_over_contracts_have_scipys_bootstrap_interval(share: float) -> None:
    values = (np.random.default_rng(2).random(39) < share).astype(float)
    found = bootstrap_over_contracts({"mean": lambda weights: float(weights @ values / 39)}, 39, resamples=10_000)
    assert_bounds_are_scipys(found["mean"], (values,), lambda one, axis: one.mean(axis=axis))
