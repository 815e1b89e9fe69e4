"""Judging clauses without training any weights: the untrained encoder, and keywords. A LoRA adapter is held to them.

The zero-shot score of a clause for a label is the cosine similarity of their embeddings: the clause under its heading,
the label as its name and question (Yin, Hay and Roth, 2019, arXiv 1909.00161, in the form of sentence embeddings). Such
cosines mean nothing by themselves, so that annotated clauses give each label two numbers, a calibration and a
threshold. This flatters the untrained model: nobody would tune it by hand as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.annotations.gold import gold_matrix
from playground.errors import AnnotationError
from playground.flagging.baselines import embed_clauses, keyword_scorer
from playground.flagging.calibration import Calibration, best_thresholds, fit_calibration
from playground.flagging.model import OnShare, ScoringModel
from playground.models.embedding import fit_query
from playground.types import AnnotatedClause, Embedder, Label

_BATCH_CLAUSES = 32


@dataclass(frozen=True, slots=True)
class ZeroShotModel:
    """A ``ClauseModel`` of an untrained encoder. Made by ``fit_zero_shot``; safe to use from several threads.

    ``label_vectors`` is float32 [labels, d], ``thresholds`` float [labels] of calibrated probabilities.
    """

    embedder: Embedder
    labels: tuple[str, ...]
    label_vectors: np.ndarray
    calibration: Calibration
    thresholds: np.ndarray
    adapter: None = None

    @property
    def model_id(self) -> str:
        """Name of the encoder and of what is done with it."""
        return f"{self.embedder.model_id} (untrained, zero-shot)"

    def cosines(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return the cosine similarity of each clause and label, float32 [clauses, labels], in [-1, 1]."""
        found = np.zeros((len(clauses), len(self.labels)), dtype=np.float32)
        for start in range(0, len(clauses), _BATCH_CLAUSES):
            batch = clauses[start : start + _BATCH_CLAUSES]
            found[start : start + len(batch)] = embed_clauses(batch, self.embedder) @ self.label_vectors.T
            if on_share is not None:
                on_share((start + len(batch)) / len(clauses))
        return found

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return calibrated probabilities, float [clauses, labels]."""
        return self.calibration.probabilities(self.cosines(clauses, on_share))


def fit_zero_shot(
    train: Sequence[AnnotatedClause],
    labels: Sequence[Label],
    embedder: Embedder,
    *,
    vectors: np.ndarray | None = None,
) -> ZeroShotModel:
    """Embed the labels, and choose calibration and threshold of each on annotated clauses. No weight changes.

    Args:
        train: annotated clauses.
        labels: what to judge; one that no clause of ``train`` carries shares the thresholds of the others.
        embedder: the untrained encoder.
        vectors: ``embed_clauses(train, embedder)`` where it is at hand, float [n_train, d].

    Raises:
        AnnotationError: none of the clauses carries any of the labels.
    """
    names = tuple(label.name for label in labels)
    gold = gold_matrix(train, names)
    if not gold.any():
        raise AnnotationError(
            f"None of the {len(train)} annotated clauses carries any of the {len(names)} labels, so that no threshold "
            "can be chosen. Check the annotated clauses."
        )
    clause_vectors = embed_clauses(train, embedder) if vectors is None else vectors
    label_vectors = embedder.embed([fit_query(f"{label.name}. {label.question}", embedder) for label in labels])
    cosines = clause_vectors @ label_vectors.T
    calibration = fit_calibration(cosines, gold)
    model = ZeroShotModel(embedder, names, label_vectors, calibration, np.zeros(len(names)))
    return replace(model, thresholds=best_thresholds(calibration.probabilities(cosines), gold))


def keyword_model(patterns: Mapping[str, Sequence[str]], labels: Sequence[str]) -> ScoringModel:
    """Return a model that flags a clause in which an expression of the label occurs, whatever the case.

    Its scores, n / (n + 1) for n expressions found, are no probabilities; one expression is enough for its thresholds.

    Raises:
        AnnotationError: a pattern is no regular expression.
    """
    found = keyword_scorer(patterns, labels)
    return replace(found, score=lambda clauses: found.score([_on_one_line(clause) for clause in clauses]))


def _on_one_line(clause: AnnotatedClause) -> AnnotatedClause:
    # Runs of white space are folded, because a space of an expression stands for one character.
    return replace(clause, text=" ".join(clause.text.split()), heading=" ".join(clause.heading.split()))
