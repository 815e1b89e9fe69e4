"""CUAD's own metric: are the spans that lawyers marked among the spans that were predicted?

Hendrycks, Burns, Chen and Ball, 2021 (arXiv 2103.06268); the rules are those of its authors' evaluate.py. A question is
a contract and a category; its gold answers are texts, its predictions texts with a score. At a threshold:

- a gold answer that some prediction matches is a true positive, any other a false negative;
- a prediction that matches no gold answer of its question is a false positive; one that matches is not counted;
- two texts match when the Jaccard index of their sets of words is at least 0.5.

Precision and recall are over all questions together. So recall can only rise as the threshold falls, and a threshold
changes nothing but how many entries of two sorted lists lie above it: the scores at which each gold answer is first
matched, and the scores of the false positives. The whole curve and its bootstrap come from these two lists.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import EvaluationError
from playground.measuring.clause_metrics import BOOTSTRAP_SEED, RESAMPLES, Statistic, bootstrap_over_contracts
from playground.measuring.estimates import Estimate
from playground.types import Clause

__all__ = [
    "LEFT_OUT",
    "PAPER_THRESHOLDS",
    "CuadCurve",
    "CurvePoint",
    "Gold",
    "Predictions",
    "cuad_curve",
    "cuad_intervals",
    "cuad_statistics",
    "predicted_spans",
    "word_jaccard",
]

Gold = Sequence[Mapping[str, Sequence[str]]]
"""Per contract, label -> texts of the gold answers."""
Predictions = Sequence[Mapping[str, Sequence[tuple[str, float]]]]
"""Per contract, label -> predicted texts with their scores."""

LEFT_OUT = ("Document Name", "Parties", "Agreement Date", "Effective Date")
"""Names and dates: found in every contract, and no clauses."""
PAPER_THRESHOLDS = (*(round(0.99 - 0.01 * step, 2) for step in range(99)), 0.001, 0.0)
"""The thresholds of the authors' program; a prediction counts when its score is above one."""
MOST_SPANS = 20

_JACCARD = 0.5
_RECALL = 0.8
_WITHOUT = str.maketrans({".": "", ",": "", ";": "", ":": "", "/": " "})


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Precision and recall, in [0, 1], of the predictions whose score is at least ``threshold``."""

    threshold: float
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class CuadCurve:
    """The curve and its two figures, in [0, 1] (the paper writes them in percent).

    ``points`` are as measured, from the highest threshold to the lowest; the figures are of the curve on which a
    precision is never below that of a higher recall. ``precision_at_80_recall`` is 0 where 0.8 is not reached.
    """

    aupr: float
    precision_at_80_recall: float
    points: tuple[CurvePoint, ...]
    gold_answers: int
    predictions: int


def word_jaccard(first: str, second: str) -> float:
    """Return the Jaccard index in [0, 1] of the two sets of words; 0 where neither text has a word.

    Lower case, without full stops, commas, colons and semicolons; a slash parts words.
    """
    one, other = _words(first), _words(second)
    return len(one & other) / len(one | other) if one or other else 0.0


def cuad_curve(
    gold: Gold,
    predictions: Predictions,
    *,
    labels: Sequence[str] | None = None,
    thresholds: Sequence[float] | None = None,
) -> CuadCurve:
    """Return the precision-recall curve over all contracts and labels.

    Args:
        gold: per contract, label -> gold answers; a label without answers, or not there, has none.
        predictions: per contract, in the same order, label -> (text, score); empty texts do not count, and of equal
            texts the one with the highest score does.
        labels: the labels that count; None: all that occur. ``LEFT_OUT`` never count.
        thresholds: None for every distinct score (exact); ``PAPER_THRESHOLDS`` for the grid of the authors' program,
            where a prediction counts when its score is above a threshold, not at it.

    Raises:
        EvaluationError: no gold answer for any of the labels.
        ValueError: gold and predictions are not of the same length, or a score is NaN.
    """
    events = _events(gold, predictions, labels)
    levels = np.unique(events.scores)[::-1] if thresholds is None else np.sort(np.asarray(thresholds, float))[::-1]
    counted = np.searchsorted(-events.scores, -levels, side="right" if thresholds is None else "left")
    # The authors' program takes the next precision that is defined, which is what interpolating makes of 0.
    recall, precision = events.rates(np.ones(len(gold)), counted, of_nothing=0.0)
    points = tuple(
        CurvePoint(float(level), float(r), float(p))
        for level, r, p, count in zip(levels, recall, precision, counted, strict=True)
        if count
    )
    return CuadCurve(
        aupr=_aupr(recall, precision),
        precision_at_80_recall=_precision_at(_RECALL, recall, precision),
        points=points,
        gold_answers=int(events.answers.sum()),
        predictions=events.predictions,
    )


def cuad_intervals(
    gold: Gold,
    predictions: Predictions,
    *,
    labels: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> dict[str, Estimate | None]:
    """Return ``cuad_aupr`` and ``precision_at_80_recall``, in [0, 1], with 95 % bootstrap intervals over contracts.

    Arguments and errors as for ``cuad_curve``; every distinct score is a threshold.
    """
    statistics = cuad_statistics(gold, predictions, labels=labels)
    return bootstrap_over_contracts(statistics, len(gold), resamples=resamples, seed=seed)


def cuad_statistics(
    gold: Gold, predictions: Predictions, *, labels: Sequence[str] | None = None
) -> dict[str, Statistic]:
    """Return the figures of ``cuad_intervals`` as functions of the contracts' weights, by name.

    To be resampled together with those of another flagger, for the interval of a difference. Arguments and errors as
    for ``cuad_curve``; a figure is NaN where the weights leave no gold answer.
    """
    events = _events(gold, predictions, labels)
    ends = np.nonzero(np.diff(events.scores, append=-np.inf))[0] + 1

    def statistic(name: str) -> Statistic:
        def of_weights(weights: np.ndarray) -> float:
            if weights @ events.answers == 0:
                return float("nan")
            recall, precision = events.rates(weights, ends)
            return _aupr(recall, precision) if name == "aupr" else _precision_at(_RECALL, recall, precision)

        return of_weights

    return {"cuad_aupr": statistic("aupr"), "precision_at_80_recall": statistic("precision")}


@dataclass(frozen=True, slots=True)
class _Events:
    """What happens as the threshold falls: gold answers found and false positives made, by falling score.

    ``owners`` are the contracts, ``found`` tells the two apart; ``answers`` counts gold answers by contract.
    """

    scores: np.ndarray
    owners: np.ndarray
    found: np.ndarray
    answers: np.ndarray
    predictions: int

    def rates(
        self, weights: np.ndarray, counted: np.ndarray, *, of_nothing: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return recall and precision after the first ``counted`` events, contracts counted ``weights`` times.

        Where nothing is predicted precision is ``of_nothing``. 1 repeats the point from which the curve starts, so
        that a threshold at which a resample has no prediction does not bend it.
        """
        weight = weights[self.owners]
        true = np.concatenate([[0.0], np.cumsum(weight * self.found)])[counted]
        either = np.concatenate([[0.0], np.cumsum(weight)])[counted]
        precision = np.divide(true, either, out=np.full(len(either), of_nothing), where=either > 0)
        return true / (weights @ self.answers), precision


def _events(gold: Gold, predictions: Predictions, labels: Sequence[str] | None) -> _Events:
    if len(gold) != len(predictions):
        raise ValueError(f"gold has {len(gold)} contracts and predictions {len(predictions)}; they must be the same")
    scores: list[float] = []
    owners: list[int] = []
    found: list[bool] = []
    answers = np.zeros(len(gold))
    n_predictions = 0
    for contract, (of_gold, predicted) in enumerate(zip(gold, predictions, strict=True)):
        for label in _counted(labels if labels is not None else (*of_gold, *predicted)):
            spans = _distinct(predicted.get(label, ()))
            texts = [answer for answer in of_gold.get(label, ()) if answer.strip()]
            matched, wrong = _match(texts, spans)
            answers[contract] += len(texts)
            n_predictions += len(spans)
            scores += matched + wrong
            found += [True] * len(matched) + [False] * len(wrong)
            owners += [contract] * (len(matched) + len(wrong))
    if not answers.sum():
        raise EvaluationError(
            "The contracts hold no gold answer for the labels that are measured. Use a contracts file with answers, "
            "such as CUAD's own."
        )
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    return _Events(
        scores=np.asarray(scores, dtype=float)[order],
        owners=np.asarray(owners, dtype=np.int64)[order],
        found=np.asarray(found, dtype=bool)[order],
        answers=answers,
        predictions=n_predictions,
    )


def _counted(labels: Sequence[str]) -> list[str]:
    return [label for label in dict.fromkeys(labels) if label not in LEFT_OUT]


def _distinct(predicted: Sequence[tuple[str, float]]) -> dict[str, float]:
    spans: dict[str, float] = {}
    for text, score in predicted:
        if math.isnan(score):
            raise ValueError("a predicted span has the score NaN")
        if text.strip():
            spans[text] = max(score, spans.get(text, score))
    return spans


def _match(answers: Sequence[str], spans: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """Return the scores at which answers are first matched, and those of the predictions that match none."""
    gold_words = [_words(answer) for answer in answers]
    first = [-math.inf] * len(answers)
    wrong = []
    for text, score in spans.items():
        words = _words(text)
        matches = [position for position, gold in enumerate(gold_words) if _same(gold, words)]
        for position in matches:
            first[position] = max(first[position], score)
        if not matches:
            wrong.append(score)
    return [score for score in first if score > -math.inf], wrong


def _same(gold: frozenset[str], words: frozenset[str]) -> bool:
    shared = len(gold & words)
    return shared > 0 and shared >= _JACCARD * (len(gold) + len(words) - shared)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.translate(_WITHOUT).lower().split())


def _interpolated(recall: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve from recall 0 and precision 1, with no precision below that of a higher recall."""
    best = np.maximum.accumulate(np.concatenate([[1.0], precision])[::-1])[::-1]
    return np.concatenate([[0.0], recall]), best


def _aupr(recall: np.ndarray, precision: np.ndarray) -> float:
    """Return the area under the interpolated curve by trapezoids; it ends at the highest recall that is reached."""
    recalls, precisions = _interpolated(recall, precision)
    return float(np.trapezoid(precisions, recalls))


def _precision_at(least: float, recall: np.ndarray, precision: np.ndarray) -> float:
    recalls, precisions = _interpolated(recall, precision)
    reached = np.nonzero(recalls >= least)[0]
    return float(precisions[reached[0]]) if len(reached) else 0.0


def predicted_spans(
    text: str, clauses: Sequence[Clause], probabilities: np.ndarray, *, floor: float, join: float, alone: float
) -> list[tuple[str, float]]:
    """Return what a clause flagger predicts for one contract and one label: spans of text with scores, best first.

    Every clause of at least ``floor`` is a span, scored by its probability. Neighbours of at least ``join`` each are
    one span together, scored by the highest of them, and each of them on its own counts ``alone`` times its
    probability: lawyers mark a run of clauses now as one answer, now as several.

    Args:
        text: the contract; the clauses' offsets are into it.
        clauses: in the order of the text.
        probabilities: float [n_clauses], of the label.
        floor: lowest probability worth a span.
        join: lowest probability of clauses that are joined; above 1 joins none. Never below ``floor``.
        alone: in [0, 1]; at 0 joined clauses are one span only.

    Returns:
        At most ``MOST_SPANS``, stripped of white space around them; empty ones are dropped.
    """
    if len(clauses) != len(probabilities):
        raise ValueError(f"{len(clauses)} clauses have {len(probabilities)} probabilities; one each is needed")
    runs: list[list[int]] = []
    for position, probability in enumerate(probabilities):
        if probability < floor:
            continue
        last = runs[-1][-1] if runs else -2
        if last == position - 1 and min(probability, probabilities[last]) >= join:
            runs[-1].append(position)
        else:
            runs.append([position])
    scored = [(run, float(max(probabilities[run]))) for run in runs]
    if alone > 0:
        scored += [([one], alone * float(probabilities[one])) for run in runs if len(run) > 1 for one in run]
    spans = [(text[clauses[run[0]].start : clauses[run[-1]].end].strip(), score) for run, score in scored]
    return sorted(((span, score) for span, score in spans if span), key=lambda found: -found[1])[:MOST_SPANS]
