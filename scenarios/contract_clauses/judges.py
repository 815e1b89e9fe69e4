"""The ways of judging all clauses of a contract: the LoRA flagger, and the baselines that it has to beat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from playground.annotations import load_written_clauses, read_annotations, split_by_contract
from playground.annotations.gold import (
    gold_matrix,
)
from playground.errors import AnnotationError
from playground.flagging.baselines import (
    RememberingEmbedder,
    embed_clauses,
    fit_frozen_embedding,
    fit_nearest,
    fit_tfidf,
)
from playground.flagging.calibration import best_thresholds
from playground.flagging.model import ClauseModel, ScoringModel, undecided
from playground.flagging.untrained import keyword_model
from playground.paths import CLAUSES
from playground.types import AnnotatedClause, Embedder, Example, Prediction, Strategy
from scenarios.contract_clauses.measured_contracts import LABELS, clause_units, contract_of, read_bytes
from scenarios.contract_clauses.scenario import keywords

FITTED = ("tfidf", "frozen", "nearest")
EMBEDDED = ("frozen", "nearest")

LEAST_SCORE = 0.001
"""Rows leave out lower scores: a contract has a thousand pairs of a clause and a label, nearly all of them near 0."""
_DIGITS = 4
_HELD_OUT_SHARE = 0.25

Fitted = Literal["tfidf", "frozen", "nearest"]


@dataclass(frozen=True, slots=True)
class TrainingClauses:
    """What the baselines are fitted on."""

    name: str
    sha256: str
    clauses: tuple[AnnotatedClause, ...]

    @property
    def contracts(self) -> int:
        """From how many contracts the clauses are."""
        return len({clause.contract for clause in self.clauses})


@dataclass(slots=True)
class SharedEmbedder:
    """Embeds the clauses of a contract once for all strategies, and says for each how long it would have taken."""

    load: Callable[[], Embedder]
    _embedder: RememberingEmbedder | None = None
    _embed_s: dict[str, float] = field(default_factory=dict)

    def load_embedder(self) -> RememberingEmbedder:
        """Return the embedder, loaded when it is first wanted."""
        if self._embedder is None:
            self._embedder = RememberingEmbedder(self.load())
        return self._embedder

    def embed(self, title: str, clauses: Sequence[AnnotatedClause]) -> float:
        """Embed the clauses of the contract ``title`` and return how many seconds that took, now or the first time."""
        if title not in self._embed_s:
            started = time.perf_counter()
            embed_clauses(clauses, self.load_embedder())
            self._embed_s[title] = time.perf_counter() - started
        return self._embed_s[title]


def load_training_clauses(path: Path | None) -> TrainingClauses:
    """Read the clauses that the baselines are fitted on: the project's own training split where ``path`` is None.

    Raises:
        EvaluationError: the file cannot be read.
        AnnotationError: it cannot be used.
    """
    if path is None:
        written = load_written_clauses(CLAUSES, LABELS)
        return TrainingClauses("the project's own training clauses", written.annotations.sha256, written.train)
    annotations = read_annotations(read_bytes(path, "--train"), path.name, LABELS, split=clause_units)
    return TrainingClauses(path.name, annotations.sha256, annotations.examples)


def model_judge(model: ClauseModel) -> ScoringModel:
    """Return a flagger of LABELS; labels that it does not know score 0, others of its own do not count."""
    thresholds = np.ones(len(LABELS))
    for column, name in enumerate(model.labels):
        if name in LABELS:
            thresholds[LABELS.index(name)] = model.thresholds[column]
    return ScoringModel(
        LABELS,
        lambda clauses: in_columns(model.probabilities(clauses), model.labels),
        thresholds,
        model.model_id,
        model.adapter,
    )


def in_columns(scores: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Return scores [clauses, labels] as [clauses, LABELS]; labels that are not of LABELS do not count."""
    placed = np.zeros((len(scores), len(LABELS)))
    for column, name in enumerate(labels):
        if name in LABELS:
            placed[:, LABELS.index(name)] = scores[:, column]
    return placed


def keyword_judge() -> ScoringModel:
    """Return the regular expressions of ``keywords.json`` as a judge: one that matches is enough to flag."""
    return model_judge(keyword_model(keywords(), LABELS))


def fit_judge(name: Fitted, train: TrainingClauses, embedder: Callable[[], Embedder], seed: int) -> ScoringModel:
    """Fit a baseline on all of ``train``, and its thresholds by best F1 on a part that a first fit has not seen.

    Raises:
        AnnotationError: none of the clauses carries a label.
    """

    def fit(clauses: Sequence[AnnotatedClause]) -> ScoringModel:
        if name == "tfidf":
            return fit_tfidf(clauses, LABELS, seed=seed)
        if name == "frozen":
            return fit_frozen_embedding(clauses, LABELS, embedder(), seed=seed)
        return fit_nearest(clauses, LABELS, embedder())

    return replace(fit(train.clauses), thresholds=_thresholds(fit, train.clauses, seed))


def strategy_of(load_judge: Callable[[], ClauseModel], embedder: SharedEmbedder | None = None) -> Strategy:
    """Return a judge as a strategy; it is loaded (fitted) with the first example that it gets.

    Args:
        load_judge: called once.
        embedder: what the judge embeds with, so that the time of embedding counts for each strategy that needs it.
    """
    loaded: list[ClauseModel] = []

    def judge_contract(example: Example) -> Prediction:
        if not loaded:
            loaded.append(load_judge())
        judge, contract = loaded[0], contract_of(example)
        embed_s = embedder.embed(contract.title, contract.clauses) if embedder else 0.0
        started = time.perf_counter()
        scores = judge.probabilities(contract.clauses)
        judge_s = time.perf_counter() - started
        flags = int((scores >= judge.thresholds).sum())
        return Prediction(
            output=f"{flags} flags on {len(contract.clauses)} clauses",
            usage=None,
            timings={"embed_s": embed_s, "judge_s": judge_s, "total_s": embed_s + judge_s},
            detail={
                "clauses": len(contract.clauses),
                "scores": compact(scores),
                "thresholds": [round(float(threshold), 6) for threshold in judge.thresholds],
                "cost_usd": 0.0,
            },
        )

    return judge_contract


def compact(scores: np.ndarray) -> dict[str, dict[str, float]]:
    """Return scores [clauses, LABELS] as {clause: {label: score}}, both numbered from 0, rounded, low ones left out."""
    rows: dict[str, dict[str, float]] = {}
    for row, column in np.argwhere(scores >= LEAST_SCORE).tolist():
        rows.setdefault(str(row), {})[str(column)] = round(float(scores[row, column]), _DIGITS)
    return rows


def expanded(rows: Mapping[str, Mapping[str, float]], n_clauses: int) -> np.ndarray:
    """Return what ``compact`` kept as float [clauses, LABELS]; what it left out is 0."""
    scores = np.zeros((n_clauses, len(LABELS)))
    for row, columns in rows.items():
        for column, score in columns.items():
            scores[int(row), int(column)] = score
    return scores


def _thresholds(
    fit: Callable[[Sequence[AnnotatedClause]], ClauseModel], clauses: Sequence[AnnotatedClause], seed: int
) -> np.ndarray:
    # On the clauses that a fit has seen its scores are far too sure: nearest neighbours would find each clause itself.
    try:
        seen, held_out = split_by_contract(clauses, _HELD_OUT_SHARE, seed)
        return best_thresholds(fit(seen).probabilities(held_out), gold_matrix(held_out, LABELS))
    except AnnotationError:  # all of one contract, or no label left on one side
        return undecided(LABELS)
