"""What a trained flagger is worth: figures on contracts it has not seen, and the same of what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from playground.errors import ModelError
from playground.flagging.baselines import fit_frozen_embedding, fit_tfidf, keyword_scorer
from playground.flagging.calibration import (
    OperatingPoint,
    ReliabilityBin,
    best_thresholds,
    expected_calibration_error,
    fit_calibration,
    operating_points,
    reliability_curve,
)
from playground.flagging.model import ClauseModel
from playground.measuring.clause_metrics import (
    Confusion,
    LabelFigures,
    confusion_pairs,
    macro_ap,
    macro_f1,
    measure,
    micro_ap,
    micro_f1,
    per_label,
)
from playground.measuring.estimates import Estimate
from playground.models.embedding import load_embedder
from playground.training.clauses.decision import Decision
from playground.training.clauses.plan import TrainingSplit, contracts_of
from playground.types import AnnotatedClause

MOST_ERRORS = 100
_MOST_ERROR_CHARACTERS = 1_200
# Most pairs have a probability near 0 and would drown the rest.
_ERROR_EDGES = tuple(0.05 * step for step in range(1, 21))
_RELIABILITY_EDGES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)

Figures = dict[str, float | None]
"""``micro_ap``, ``macro_ap``, ``micro_f1`` and ``macro_f1``, in [0, 1]; None where not defined."""
FIGURES = ("micro_ap", "macro_ap", "micro_f1", "macro_f1")


@dataclass(frozen=True, slots=True)
class LabelError:
    """A clause and a label that was missed there, or flagged wrongly with ``probability``."""

    kind: Literal["missed", "wrong"]
    label: str
    probability: float
    text: str
    contract: str
    gold: tuple[str, ...]
    predicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A flagger on clauses it was not trained on; ``errors`` begin with those it was surest of.

    ``calibration_error`` is the expected calibration error of the probabilities above 5 %.
    """

    estimates: Mapping[str, Estimate | None]
    per_label: tuple[LabelFigures, ...]
    confusions: tuple[Confusion, ...]
    errors: tuple[LabelError, ...]
    operating_points: tuple[OperatingPoint, ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float | None = None

    def value(self, name: str) -> float | None:
        """Return a figure without its interval."""
        estimate = self.estimates.get(name)
        return None if estimate is None else estimate.value


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was measured of a new flagger: on the test clauses, but for ``validation``.

    ``without_words`` are the figures of the network alone, calibrated for itself; None where there are no words.
    """

    test: Measurement
    validation: Figures
    without_words: Figures | None
    baselines: Mapping[str, Figures]
    measured_on: str


def measure_all(
    decision: Decision,
    split: TrainingSplit,
    validation_scores: np.ndarray,
    test_scores: np.ndarray,
    baselines: Mapping[str, Figures],
) -> Findings:
    """Measure a flagger by its log-odds without the words, float [clauses of the side, labels] each."""
    labels = split.labels
    on_validation, on_test = (
        decision.calibration.probabilities(decision.with_words(scores, clauses))
        for scores, clauses in ((validation_scores, split.validation), (test_scores, split.test))
    )
    without_words = None
    if decision.words is not None:
        alone = fit_calibration(validation_scores, split.validation_gold)
        thresholds = best_thresholds(alone.probabilities(validation_scores), split.validation_gold)
        without_words = figures_of(alone.probabilities(test_scores), thresholds, split.test_gold)
    return Findings(
        test=measure_flagger(on_test, decision.thresholds, split.test, labels, split.test_gold),
        validation=figures_of(on_validation, decision.thresholds, split.validation_gold),
        without_words=without_words,
        baselines=baselines,
        measured_on=(f"{len(split.test):,} clauses of {contracts_of(split.test)} contracts that were not trained on"),
    )


def measure_flagger(
    probabilities: np.ndarray,
    thresholds: np.ndarray,
    clauses: Sequence[AnnotatedClause],
    labels: Sequence[str],
    gold: np.ndarray,
) -> Measurement:
    """Measure calibrated ``probabilities`` [n_clauses, n_labels] at ``thresholds`` [n_labels] against ``gold``."""
    return Measurement(
        estimates=measure(probabilities, gold, _contract_numbers(clauses), thresholds),
        per_label=per_label(probabilities, gold, thresholds, labels),
        confusions=confusion_pairs(probabilities, gold, thresholds, labels),
        errors=_errors(probabilities, gold, thresholds, clauses, labels),
        operating_points=operating_points(probabilities, gold, thresholds),
        reliability=reliability_curve(probabilities, gold, _RELIABILITY_EDGES),
        calibration_error=expected_calibration_error(probabilities, gold, _ERROR_EDGES),
    )


def measure_baselines(
    split: TrainingSplit,
    keywords: Mapping[str, Sequence[str]],
    encoder_folder: Path | None,
    *,
    on_share: Callable[[float], object] = lambda _share: None,
) -> tuple[dict[str, Figures], tuple[str, ...]]:
    """Return the figures of the untrained base and of TF-IDF and keywords on the same test clauses, and notes.

    Each learns from the training clauses and takes its thresholds from the validation clauses, as the flagger does.
    ``encoder_folder`` is the untrained encoder whose frozen embeddings are read by a logistic regression.
    """
    fits: dict[str, Callable[[], ClauseModel]] = {}
    if encoder_folder is not None:
        folder = encoder_folder
        fits["untrained base"] = lambda: fit_frozen_embedding(split.train, split.labels, load_embedder(folder))
    fits["TF-IDF"] = lambda: fit_tfidf(split.train, split.labels)
    if keywords:
        fits["keywords"] = lambda: keyword_scorer(keywords, split.labels)
    figures: dict[str, Figures] = {}
    notes: list[str] = []
    for number, (name, fit) in enumerate(fits.items(), start=1):
        try:
            model = fit()
        except ModelError as error:
            # An encoder from elsewhere need not be a sentence embedder.
            notes.append(f"The {name} could not be measured: {error}")
            continue
        thresholds = best_thresholds(model.probabilities(split.validation), split.validation_gold)
        figures[name] = figures_of(model.probabilities(split.test), thresholds, split.test_gold)
        on_share(number / len(fits))
    return figures, tuple(notes)


def figures_of(scores: np.ndarray, thresholds: np.ndarray, gold: np.ndarray) -> Figures:
    """Return the figures of any scorer."""
    scores = np.asarray(scores, dtype=np.float64)
    return {
        "micro_ap": micro_ap(scores, gold),
        "macro_ap": macro_ap(scores, gold),
        "micro_f1": micro_f1(scores, gold, thresholds),
        "macro_f1": macro_f1(scores, gold, thresholds),
    }


def _contract_numbers(clauses: Sequence[AnnotatedClause]) -> np.ndarray:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(clause.contract, len(numbers)) for clause in clauses], dtype=np.int64)


def _errors(
    probabilities: np.ndarray,
    gold: np.ndarray,
    thresholds: np.ndarray,
    clauses: Sequence[AnnotatedClause],
    labels: Sequence[str],
) -> tuple[LabelError, ...]:
    flagged = probabilities >= thresholds
    pairs = np.argwhere(flagged != gold)
    # How far on the wrong side of its threshold: labels have thresholds of their own.
    distance = np.abs(probabilities - thresholds)[tuple(pairs.T)]
    errors = []
    for row, column in pairs[np.argsort(-distance, kind="stable")][:MOST_ERRORS].tolist():
        clause = clauses[row]
        text = clause.text if not clause.heading else f"{clause.heading}. {clause.text}"
        errors.append(
            LabelError(
                kind="wrong" if flagged[row, column] else "missed",
                label=labels[column],
                probability=float(probabilities[row, column]),
                text=text[:_MOST_ERROR_CHARACTERS],
                contract=clause.contract,
                gold=clause.labels,
                predicted=tuple(label for label, hit in zip(labels, flagged[row], strict=True) if hit),
            )
        )
    return tuple(errors)
