"""From the log-odds of a trained flagger to its flags: words beside them, calibration, thresholds.

All three are fitted on clauses that the weights were not trained on (the words' own weights are the exception).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.errors import TrainingError
from playground.flagging.calibration import Calibration, best_thresholds, fit_calibration
from playground.flagging.head import load_head
from playground.flagging.words import WEIGHTS_PER_LABEL, ClauseWords, fit_words
from playground.training.clauses.plan import TrainingSplit
from playground.types import AnnotatedClause

_MOST_WORD_WEIGHTS = 820_000
"""Of all labels together: 20,000 for each of CUAD's 41, 8 MB in the adapter."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How log-odds become flags: ``thresholds`` float [labels] are of calibrated probabilities."""

    calibration: Calibration
    thresholds: np.ndarray
    words: ClauseWords | None = None

    def with_words(self, scores: np.ndarray, clauses: Sequence[AnnotatedClause]) -> np.ndarray:
        """Return ``scores`` [clauses, labels] with the words' log-odds added."""
        return scores if self.words is None else scores + self.words.log_odds(clauses)


def decide(scores: np.ndarray, split: TrainingSplit, words: ClauseWords | None = None, weight: float = 1.0) -> Decision:
    """Weigh the words beside the flagger, calibrate the sum and choose thresholds, on the validation clauses.

    Args:
        scores: the flagger's log-odds on the validation clauses, float [n_validation, labels].
        split: what was learnt from and what is decided on.
        words: as fitted; None for none.
        weight: of the words' log-odds beside the flagger's, each as once it is calibrated.
    """
    gold = split.validation_gold
    if words is not None:
        own = words.log_odds(split.validation)
        words = _weighed(words, fit_calibration(scores, gold), fit_calibration(own, gold), weight)
        scores = scores + words.log_odds(split.validation)
    calibration = fit_calibration(scores, gold)
    return Decision(calibration, best_thresholds(calibration.probabilities(scores), gold), words)


def fitted_words(split: TrainingSplit, seed: int) -> ClauseWords:
    """Fit the linear layer on the words of the clauses to train on, small enough to travel with an adapter."""
    most = min(WEIGHTS_PER_LABEL, _MOST_WORD_WEIGHTS // len(split.labels))
    return fit_words(split.train, split.train_gold, seed=seed, weights_per_label=most)


def words_of(folder: Path, labels: Sequence[str]) -> ClauseWords:
    """Return the words of another adapter of the same labels, to be weighed and calibrated anew.

    Raises:
        AdapterError: its head cannot be read.
        TrainingError: it has no words, or other labels.
    """
    head = load_head(folder)
    if head.words is None or head.labels != tuple(labels):
        raise TrainingError(
            f"The adapter {folder.name} has no words of the same labels. Leave --words-of out to fit them."
        )
    return head.words


def _weighed(words: ClauseWords, of_flagger: Calibration, of_words: Calibration, weight: float) -> ClauseWords:
    """Return the layer so that its log-odds have ``weight`` beside the flagger's, each as once it is calibrated."""
    slope = np.asarray(of_flagger.a)
    return words.scaled(
        weight * np.asarray(of_words.a) / slope,
        (np.asarray(of_flagger.b) + weight * np.asarray(of_words.b)) / slope,
    )
