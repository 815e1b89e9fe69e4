"""Against scikit-learn, against samples written out in full, and against small cases worked by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

from playground.measuring.clause_metrics import (
    Confusion,
    bootstrap_over_contracts,
    confusion_pairs,
    contract_presence_f1,
    macro_ap,
    macro_f1,
    measure,
    micro_ap,
    micro_f1,
    per_label,
    precision_at_recall,
)

LABELS = ("Insurance", "Audit Rights", "Non-Compete")
# Four clauses of two contracts; at 0.5: Insurance right once and wrong once, Audit Rights missed once and right once.
SCORES = np.array([[0.9, 0.4, 0.1], [0.8, 0.2, 0.1], [0.3, 0.7, 0.2], [0.2, 0.1, 0.6]])
GOLD = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0]], dtype=bool)
CONTRACTS = np.array([0, 0, 1, 1])
HALF = np.full(3, 0.5)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, gold labels, of which some column may be empty, and contracts."""
    n_clauses, n_labels = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = generator.integers(0, draw(st.sampled_from([2, 5, 1000])), (n_clauses, n_labels)) / 1000
    gold = generator.random((n_clauses, n_labels)) < draw(st.sampled_from([0.1, 0.5]))
    return scores, gold, generator.integers(0, 4, n_clauses)


def large_sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 600 clauses of 30 contracts, 5 labels; the contracts differ in how hard they are."""
    generator = np.random.default_rng(7)
    contracts = np.repeat(np.arange(30), 20)
    latent = generator.normal(size=(600, 5))
    noise = generator.uniform(0.2, 3.0, 30)[contracts, None] * generator.normal(size=(600, 5))
    return 1 / (1 + np.exp(-latent)), latent + noise > 2, contracts


@settings(deadline=None)
@given(samples())
def test_average_precision_is_that_of_scikit_learn(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    scores, gold, _ = sample
    columns = [column for column in range(gold.shape[1]) if gold[:, column].any()]
    if not columns:
        assert micro_ap(scores, gold) is None
        assert macro_ap(scores, gold) is None
        return
    expected = [average_precision_score(gold[:, column], scores[:, column]) for column in columns]
    assert micro_ap(scores, gold) == pytest.approx(average_precision_score(gold.ravel(), scores.ravel()))
    assert macro_ap(scores, gold) == pytest.approx(np.mean(expected))


@settings(deadline=None)
@given(samples(), st.sampled_from([0.5, 0.8, 1.0]))
def test_precision_at_recall_is_the_best_of_scikit_learns_curve(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray], recall: float
) -> None:
    scores, gold, _ = sample
    if gold.any():
        precisions, recalls, _ = precision_recall_curve(gold.ravel(), scores.ravel())
        assert precision_at_recall(scores, gold, recall) == pytest.approx(precisions[recalls >= recall].max())
    else:
        assert precision_at_recall(scores, gold, recall) is None


@settings(deadline=None)
@given(samples(), st.sampled_from([0.0005, 0.0025, 0.5]))
def test_f1_is_that_of_scikit_learn(sample: tuple[np.ndarray, np.ndarray, np.ndarray], threshold: float) -> None:
    scores, gold, _ = sample
    thresholds = np.full(gold.shape[1], threshold)
    flagged = scores >= thresholds
    if (flagged | gold).any():
        assert micro_f1(scores, gold, thresholds) == pytest.approx(f1_score(gold.ravel(), flagged.ravel()))
    else:
        assert micro_f1(scores, gold, thresholds) is None
    expected = [f1_score(gold[:, c], flagged[:, c]) for c in range(gold.shape[1]) if gold[:, c].any()]
    assert macro_f1(scores, gold, thresholds) == (pytest.approx(np.mean(expected)) if expected else None)


def test_presence_counts_a_contract_and_label_once() -> None:
    # Found: Insurance in 0, Audit Rights in 1. Missed: Audit Rights in 0. Invented: Non-Compete in 1.
    assert contract_presence_f1(SCORES, GOLD, HALF, CONTRACTS) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    # Numbers of contracts are names: any will do.
    assert contract_presence_f1(SCORES, GOLD, HALF, CONTRACTS * 70 + 3) == pytest.approx(4 / 6)


def test_the_table_has_a_row_per_label() -> None:
    insurance, audit, compete = per_label(SCORES, GOLD, HALF, LABELS)
    assert (insurance.support, insurance.flagged, insurance.precision, insurance.recall) == (1, 2, 0.5, 1.0)
    assert insurance.f1 == pytest.approx(2 / 3)
    assert insurance.average_precision == 1.0
    assert (audit.support, audit.flagged, audit.precision) == (3, 1, 1.0)
    assert audit.recall == pytest.approx(1 / 3)
    assert audit.f1 == pytest.approx(0.5)
    # By falling score: 0.7 right, 0.4 right, 0.2 wrong, 0.1 right.
    assert audit.average_precision == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert (compete.label, compete.support, compete.flagged, compete.threshold) == ("Non-Compete", 0, 1, 0.5)
    assert (compete.precision, compete.recall, compete.f1, compete.average_precision) == (0.0, None, None, None)


def test_a_label_that_is_never_flagged_has_no_precision() -> None:
    row = per_label(SCORES, GOLD, np.full(3, 0.95), LABELS)[1]
    assert (row.precision, row.recall, row.f1) == (None, 0.0, 0.0)


def test_wrong_flags_name_what_the_clause_carries_instead() -> None:
    # Clause 1 was called Insurance and carries nothing; clause 3 was called Non-Compete and is Audit Rights.
    assert set(confusion_pairs(SCORES, GOLD, HALF, LABELS)) == {
        Confusion("Insurance", None, 1),
        Confusion("Non-Compete", "Audit Rights", 1),
    }
    # With everything flagged: Non-Compete on three Audit Rights, one of which is Insurance too.
    all_flagged = confusion_pairs(SCORES, GOLD, np.zeros(3), LABELS)
    assert all_flagged[0] == Confusion("Non-Compete", "Audit Rights", 3)
    assert Confusion("Non-Compete", "Insurance", 1) in all_flagged
    assert [pair.count for pair in all_flagged] == sorted((pair.count for pair in all_flagged), reverse=True)


@settings(max_examples=50, deadline=None)
@given(samples(), st.integers(0, 1000))
def test_weights_stand_for_contracts_drawn_so_many_times(
    sample: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
) -> None:
    """Each figure of a bootstrap with one resample is the figure of the clauses written out as they were drawn."""
    scores, gold, contracts = sample
    thresholds = np.full(gold.shape[1], 0.0025)
    names = np.unique(contracts)
    drawn = names[np.random.default_rng(seed).integers(len(names), size=len(names))]
    rows = np.concatenate([np.nonzero(contracts == name)[0] for name in drawn])
    copies = np.concatenate([np.full((contracts == name).sum(), copy) for copy, name in enumerate(drawn)])
    again = scores[rows], gold[rows]
    expected = {
        "micro_ap": micro_ap(*again),
        "macro_ap": macro_ap(*again),
        "micro_f1": micro_f1(*again, thresholds),
        "macro_f1": macro_f1(*again, thresholds),
        "contract_presence_f1": contract_presence_f1(*again, thresholds, copies),
        "clause_precision_at_80_recall": precision_at_recall(*again),
    }
    found = measure(scores, gold, contracts, thresholds, resamples=1, seed=seed)
    assert found.keys() == expected.keys()
    for name, estimate in found.items():
        if expected[name] is None:
            assert estimate is None, name
        else:
            assert estimate is not None, name
            assert estimate.low == estimate.high == pytest.approx(expected[name]), name


def test_figures_come_with_intervals_that_hold_them() -> None:
    scores, gold, contracts = large_sample()
    thresholds = np.full(5, 0.9)
    found = measure(scores, gold, contracts, thresholds, resamples=300)
    whole = {
        "micro_ap": micro_ap(scores, gold),
        "macro_ap": macro_ap(scores, gold),
        "micro_f1": micro_f1(scores, gold, thresholds),
        "macro_f1": macro_f1(scores, gold, thresholds),
        "contract_presence_f1": contract_presence_f1(scores, gold, thresholds, contracts),
        "clause_precision_at_80_recall": precision_at_recall(scores, gold),
    }
    for name, estimate in found.items():
        assert estimate is not None
        assert estimate.value == whole[name]
        assert estimate.low < estimate.value < estimate.high
    assert found == measure(scores, gold, contracts, thresholds, resamples=300)


def test_clauses_of_one_contract_are_not_independent() -> None:
    """Clauses repeated within their contracts say nothing new: the interval stays, where one over clauses shrinks."""
    scores, gold, contracts = large_sample()
    once = measure(scores, gold, contracts, np.full(5, 0.9), resamples=300)["micro_f1"]
    repeated = measure(
        np.tile(scores, (4, 1)), np.tile(gold, (4, 1)), np.tile(contracts, 4), np.full(5, 0.9), resamples=300
    )["micro_f1"]
    assert once is not None
    assert repeated is not None
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))


def test_a_resample_without_a_positive_is_left_out() -> None:
    only_in_the_first = np.array([[True], [False], [False]])
    estimate = measure(np.array([[0.9], [0.5], [0.1]]), only_in_the_first, np.arange(3), np.array([0.7]), resamples=200)
    assert estimate["micro_ap"] is not None
    assert estimate["micro_ap"].low == 1.0  # wherever the positive is drawn it is ranked first


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=400)
    found = bootstrap_over_contracts({"mean": lambda weights: float(weights @ values / 400)}, 400, resamples=4000)
    estimate = found["mean"]
    assert estimate is not None
    half = 1.96 * values.std() / np.sqrt(400)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_nothing_to_measure() -> None:
    scores, gold = np.full((3, 2), 0.1), np.zeros((3, 2), dtype=bool)
    found = measure(scores, gold, np.arange(3), np.full(2, 0.5), resamples=5)
    assert set(found.values()) == {None}
    assert micro_ap(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool)) is None


@pytest.mark.parametrize(
    ("scores", "gold"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2), dtype=bool)),
        (np.zeros((2, 3)), np.zeros((2, 3))),
        (np.zeros(3), np.zeros(3, dtype=bool)),
        (np.full((2, 3), np.nan), np.zeros((2, 3), dtype=bool)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(scores: np.ndarray, gold: np.ndarray) -> None:
    with pytest.raises(ValueError, match="scores"):
        micro_ap(scores, gold)


def test_more_positives_ranked_first_is_never_worse() -> None:
    scores, gold, _ = large_sample()
    figures = [micro_ap(scores + step * gold, gold) for step in (0.0, 0.2, 0.5, 1.0)]
    assert all(low < high for low, high in pairwise([figure or 0.0 for figure in figures]))
    assert figures[-1] == 1.0
