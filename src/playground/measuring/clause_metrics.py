"""How well clauses were flagged: average precision, F1, presence in contracts, confusions, with intervals.

Everything is over pairs of a clause and a label. Arrays, throughout: ``scores`` float [n_clauses, n_labels], ``gold``
bool of the same shape, ``contracts`` int [n_clauses] (which contract a clause is from), ``thresholds`` float
[n_labels]; a clause is flagged where its score is at least the threshold.

Intervals are percentiles of the cluster bootstrap: contracts are drawn with replacement, not clauses, because the
clauses of one contract resemble each other (Field and Welsh, 2007, JRSS B 69(3)). A resample is a weight per contract,
so the pairs are sorted once and each resample is a weighted sum over them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.measuring.estimates import Estimate

__all__ = [
    "Confusion",
    "LabelFigures",
    "bootstrap_over_contracts",
    "confusion_pairs",
    "contract_presence_f1",
    "macro_ap",
    "macro_f1",
    "measure",
    "micro_ap",
    "micro_f1",
    "per_label",
    "precision_at_recall",
    "statistics_of",
]

Statistic = Callable[[np.ndarray], float]
"""Weights of the contracts, float [n_contracts] -> a figure; NaN where it is not defined for these weights."""

RESAMPLES = 1_000
BOOTSTRAP_SEED = 20260101


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label's row: rates in [0, 1], None where they are not defined; ``support`` clauses carry the label."""

    label: str
    support: int
    flagged: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    threshold: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """``count`` clauses were wrongly flagged as ``predicted`` and carry ``gold``; None: they carry no label at all."""

    predicted: str
    gold: str | None
    count: int


def micro_ap(scores: np.ndarray, gold: np.ndarray) -> float | None:
    """Return the average precision over all pairs as one ranking; None without a positive.

    The sum of the precisions at each distinct score, weighted by the recall gained there (no interpolation), as in
    scikit-learn.
    """
    return _whole(_micro_ap(scores, gold, _one_contract(gold)))


def macro_ap(scores: np.ndarray, gold: np.ndarray) -> float | None:
    """Return the mean over labels of their average precision; labels without positives are left out."""
    return _whole(_macro_ap(scores, gold, _one_contract(gold)))


def precision_at_recall(scores: np.ndarray, gold: np.ndarray, recall: float = 0.8) -> float | None:
    """Return the highest precision of any one threshold, shared by all labels, that finds ``recall`` of the pairs."""
    return _whole(_precision_at_recall(scores, gold, _one_contract(gold), recall))


def micro_f1(scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray) -> float | None:
    """Return the F1 over all pairs; None where nothing is flagged and nothing is there to flag."""
    return _whole(_micro_f1(_pair_counts(scores, gold, thresholds, _one_contract(gold))))


def macro_f1(scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray) -> float | None:
    """Return the mean over labels of their F1; labels without positives are left out."""
    return _whole(_macro_f1(_pair_counts(scores, gold, thresholds, _one_contract(gold))))


def contract_presence_f1(
    scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, contracts: np.ndarray
) -> float | None:
    """Return the F1 over pairs of a contract and a label: does some clause of the contract carry the label?"""
    index = _contract_index(contracts)
    statistic = _micro_f1(_presence_counts(scores, gold, thresholds, index))
    return _defined(statistic(np.ones(_count(index))))


def per_label(
    scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, labels: Sequence[str]
) -> tuple[LabelFigures, ...]:
    """Return a row per label, in the order of ``labels``."""
    true, wrong, missed = _pair_counts(scores, gold, thresholds, _one_contract(gold)).sum(axis=1)
    rows = []
    for column, label in enumerate(labels):
        tp, fp, fn = int(true[column]), int(wrong[column]), int(missed[column])
        rows.append(
            LabelFigures(
                label=label,
                support=tp + fn,
                flagged=tp + fp,
                precision=tp / (tp + fp) if tp + fp else None,
                recall=tp / (tp + fn) if tp + fn else None,
                f1=2 * tp / (2 * tp + fp + fn) if tp + fn else None,
                average_precision=micro_ap(scores[:, column : column + 1], gold[:, column : column + 1]),
                threshold=float(thresholds[column]),
            )
        )
    return tuple(rows)


def confusion_pairs(
    scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, labels: Sequence[str]
) -> tuple[Confusion, ...]:
    """Return, for the wrong flags, which labels their clauses carry instead; the most frequent first.

    A wrong flag on a clause with two labels counts for both.
    """
    _check(scores, gold)
    wrong = (scores >= thresholds) & ~gold
    counts = wrong.T.astype(np.int64) @ gold.astype(np.int64)
    on_nothing = (wrong & ~gold.any(axis=1, keepdims=True)).sum(axis=0)
    pairs = [Confusion(labels[p], labels[g], int(counts[p, g])) for p, g in np.argwhere(counts).tolist()]
    pairs += [Confusion(labels[p], None, int(on_nothing[p])) for p in np.nonzero(on_nothing)[0].tolist()]
    return tuple(sorted(pairs, key=lambda pair: (-pair.count, pair.predicted, pair.gold or "")))


def measure(
    scores: np.ndarray,
    gold: np.ndarray,
    contracts: np.ndarray,
    thresholds: np.ndarray,
    *,
    resamples: int = RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> dict[str, Estimate | None]:
    """Return the figures of a flagger with their 95 % intervals over contracts; None where one is not defined.

    Keys: ``micro_ap``, ``macro_ap``, ``micro_f1``, ``macro_f1``, ``contract_presence_f1`` and
    ``clause_precision_at_80_recall`` (over clauses; CUAD's span metric has a figure of nearly that name).
    """
    statistics = statistics_of(scores, gold, contracts, thresholds)
    return bootstrap_over_contracts(statistics, _count(_contract_index(contracts)), resamples=resamples, seed=seed)


def statistics_of(
    scores: np.ndarray, gold: np.ndarray, contracts: np.ndarray, thresholds: np.ndarray
) -> dict[str, Statistic]:
    """Return the figures of ``measure`` as functions of the contracts' weights, by name.

    To be resampled together with those of another flagger, for the interval of a difference. The weights are in the
    order of the contracts' numbers.
    """
    index = _contract_index(contracts)
    pairs = _pair_counts(scores, gold, thresholds, index)
    return {
        "micro_ap": _micro_ap(scores, gold, index),
        "macro_ap": _macro_ap(scores, gold, index),
        "micro_f1": _micro_f1(pairs),
        "macro_f1": _macro_f1(pairs),
        "contract_presence_f1": _micro_f1(_presence_counts(scores, gold, thresholds, index)),
        "clause_precision_at_80_recall": _precision_at_recall(scores, gold, index, 0.8),
    }


def bootstrap_over_contracts(
    statistics: Mapping[str, Statistic], n_contracts: int, *, resamples: int = RESAMPLES, seed: int = BOOTSTRAP_SEED
) -> dict[str, Estimate | None]:
    """Return each statistic of the whole sample with its 95 % percentile interval; None where it is not defined.

    All statistics see the same resamples. A resample for which a statistic is not defined (it drew no positive) is
    left out of that statistic's interval.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(resamples):
        weights = np.bincount(generator.integers(n_contracts, size=n_contracts), minlength=n_contracts).astype(float)
        for name, statistic in statistics.items():
            found[name].append(statistic(weights))
    estimates: dict[str, Estimate | None] = {}
    for name, statistic in statistics.items():
        value = statistic(np.ones(n_contracts))
        resampled = np.asarray(found[name])
        resampled = resampled[~np.isnan(resampled)]
        if np.isnan(value) or not len(resampled):
            estimates[name] = None
            continue
        low, high = np.percentile(resampled, [2.5, 97.5])
        estimates[name] = Estimate(value, float(low), float(high))
    return estimates


class _Ranking:
    """Pairs sorted by falling score, per label or all together, and cut where the sum can change.

    A segment ends with the pairs of one score of which at least one is positive, and begins after the segment before;
    only there does average precision gain, and only there can the precision at a recall be highest. Pairs below the
    last positive decide nothing and are dropped. ``group_starts`` are the first segments of the labels.
    """

    def __init__(self, scores: np.ndarray, gold: np.ndarray, contracts: np.ndarray, *, by_label: bool) -> None:
        _check(scores, gold)
        n_clauses, n_labels = scores.shape
        flat, positive = scores.ravel(), gold.ravel()
        groups = np.tile(np.arange(n_labels if by_label else 1, dtype=np.int32), n_clauses)
        groups = groups if by_label else np.zeros(flat.size, dtype=np.int32)
        order = np.lexsort((-flat, groups))
        flat, positive, groups = flat[order], positive[order], groups[order]
        owners = np.repeat(contracts.astype(np.int32), n_labels)[order]
        last_of_tie = np.ones(flat.size, dtype=bool)
        last_of_tie[:-1] = (flat[1:] != flat[:-1]) | (groups[1:] != groups[:-1])
        tie_ends = np.nonzero(last_of_tie)[0]
        positives_up_to = np.cumsum(positive)
        ends = tie_ends[np.diff(positives_up_to[tie_ends], prepend=0) > 0]
        next_end = np.searchsorted(ends, np.arange(flat.size))  # the segment that a pair would belong to
        kept = next_end < len(ends)
        kept[kept] = groups[ends[next_end[kept]]] == groups[kept]
        self._all = _Tally(next_end[kept], owners[kept], len(ends))
        self._positive = _Tally(next_end[kept & positive], owners[kept & positive], len(ends))
        self.group_starts = np.nonzero(np.diff(groups[ends], prepend=-1))[0]

    def counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return, per segment, its weight of positives, and the weights of positives and of all pairs up to its end."""
        gained = self._positive.weigh(weights)
        return gained, self._up_to(gained), self._up_to(self._all.weigh(weights))

    def _up_to(self, values: np.ndarray) -> np.ndarray:
        total = np.cumsum(values)
        before = np.concatenate([[0.0], total])[self.group_starts]
        lengths = np.diff(self.group_starts, append=len(values))
        return np.asarray(total - np.repeat(before, lengths))


class _Tally:
    """How many pairs of each contract are in each segment; every segment has at least one."""

    def __init__(self, segments: np.ndarray, owners: np.ndarray, n_segments: int) -> None:
        # A contract has many pairs in a segment (all that score 0, for instance): counted once, not at each resample.
        n_owners = int(owners.max()) + 1 if len(owners) else 1
        cells, counts = np.unique(segments.astype(np.int64) * n_owners + owners, return_counts=True)
        self._owners, self._counts = cells % n_owners, counts.astype(float)
        self._starts = np.searchsorted(cells // n_owners, np.arange(n_segments))

    def weigh(self, weights: np.ndarray) -> np.ndarray:
        """Return the weight of the pairs of each segment."""
        return np.asarray(np.add.reduceat(weights[self._owners] * self._counts, self._starts))


def _micro_ap(scores: np.ndarray, gold: np.ndarray, contracts: np.ndarray) -> Statistic:
    return _mean_ap(_Ranking(scores, gold, contracts, by_label=False))


def _macro_ap(scores: np.ndarray, gold: np.ndarray, contracts: np.ndarray) -> Statistic:
    return _mean_ap(_Ranking(scores, gold, contracts, by_label=True))


def _mean_ap(ranking: _Ranking) -> Statistic:
    def statistic(weights: np.ndarray) -> float:
        if not len(ranking.group_starts):
            return float("nan")
        gained, found, ranked = ranking.counts(weights)
        precision = found / np.maximum(ranked, 1)  # nothing is ranked only where nothing is found
        support = np.add.reduceat(gained, ranking.group_starts)
        sums = np.add.reduceat(gained * precision, ranking.group_starts)
        return _mean(sums[support > 0] / support[support > 0])

    return statistic


def _precision_at_recall(scores: np.ndarray, gold: np.ndarray, contracts: np.ndarray, recall: float) -> Statistic:
    ranking = _Ranking(scores, gold, contracts, by_label=False)

    def statistic(weights: np.ndarray) -> float:
        if not len(ranking.group_starts):
            return float("nan")
        _, found, ranked = ranking.counts(weights)
        if found[-1] == 0:
            return float("nan")
        enough = found / found[-1] >= recall
        return float(np.max(found[enough] / np.maximum(ranked[enough], 1)))

    return statistic


def _pair_counts(scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, contracts: np.ndarray) -> np.ndarray:
    """Return [3, n_contracts, n_labels]: flagged rightly, flagged wrongly, missed."""
    _check(scores, gold)
    flagged = scores >= thresholds
    counts = np.zeros((3, _count(contracts), scores.shape[1]))
    for row, pairs in enumerate((flagged & gold, flagged & ~gold, ~flagged & gold)):
        np.add.at(counts[row], contracts, pairs.astype(float))
    return counts


def _presence_counts(scores: np.ndarray, gold: np.ndarray, thresholds: np.ndarray, contracts: np.ndarray) -> np.ndarray:
    """Return [3, n_contracts, n_labels]: present and flagged, flagged only, present only."""
    true, wrong, missed = _pair_counts(scores, gold, thresholds, contracts)
    flagged, present = true + wrong > 0, true + missed > 0
    return np.stack([flagged & present, flagged & ~present, ~flagged & present]).astype(float)


def _micro_f1(counts: np.ndarray) -> Statistic:
    of_contract = counts.sum(axis=2)

    def statistic(weights: np.ndarray) -> float:
        true, wrong, missed = of_contract @ weights
        return float(2 * true / (2 * true + wrong + missed)) if true + wrong + missed else float("nan")

    return statistic


def _macro_f1(counts: np.ndarray) -> Statistic:
    def statistic(weights: np.ndarray) -> float:
        true, wrong, missed = np.einsum("kcl,c->kl", counts, weights)
        there = true + missed > 0
        return _mean(2 * true[there] / (2 * true + wrong + missed)[there])

    return statistic


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _whole(statistic: Statistic) -> float | None:
    return _defined(statistic(np.ones(1)))


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value


def _one_contract(gold: np.ndarray) -> np.ndarray:
    return np.zeros(len(gold), dtype=np.int64)


def _contract_index(contracts: np.ndarray) -> np.ndarray:
    """Return the contracts numbered from 0 without gaps."""
    return np.unique(contracts, return_inverse=True)[1]


def _count(contracts: np.ndarray) -> int:
    return int(contracts.max()) + 1 if len(contracts) else 1


def _check(scores: np.ndarray, gold: np.ndarray) -> None:
    if scores.ndim != 2 or scores.shape != gold.shape or gold.dtype != bool:
        raise ValueError(
            f"scores and gold must be float and bool of one shape [n_clauses, n_labels], not {scores.shape} and "
            f"{gold.dtype} {gold.shape}"
        )
    if np.isnan(scores).any():
        raise ValueError("scores must not hold NaN")
