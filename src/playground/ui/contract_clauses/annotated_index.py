"""The evidence beside a flag: the most similar of the clauses that were annotated for this project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.annotations import load_written_clauses
from playground.flagging.baselines import embed_clauses
from playground.flagging.similar_clauses import evidence_from
from playground.types import AnnotatedClause, Embedder, SimilarClause

Pair = tuple[str, str]
"""Text of a clause and a label."""

_BATCH_PAIRS = 32


@dataclass(frozen=True, slots=True)
class AnnotatedIndex:
    """Annotated clauses with their vectors, float32 [n, d]; the first ``n_train`` are for choosing thresholds."""

    clauses: tuple[AnnotatedClause, ...]
    vectors: np.ndarray
    n_train: int
    embedder: Embedder

    @property
    def train(self) -> tuple[AnnotatedClause, ...]:
        """The clauses of the training split."""
        return self.clauses[: self.n_train]

    def similar(
        self, pairs: Sequence[Pair], on_share: Callable[[float], None] | None = None
    ) -> dict[Pair, tuple[SimilarClause, ...]]:
        """Return the most similar annotated clauses that carry the label, for each pair."""
        find = evidence_from(self.clauses, self.vectors, self.embedder)
        found: dict[Pair, tuple[SimilarClause, ...]] = {}
        for start in range(0, len(pairs), _BATCH_PAIRS):
            batch = pairs[start : start + _BATCH_PAIRS]
            found.update(zip(batch, find(batch), strict=True))
            if on_share is not None:
                on_share((start + len(batch)) / len(pairs))
        return found


def load_annotated_index(folder: Path, known_labels: Sequence[str], embedder: Embedder) -> AnnotatedIndex:
    """Read and embed the clauses written for the project.

    Raises:
        AnnotationError: they cannot be read.
    """
    written = load_written_clauses(folder, known_labels)
    clauses = (*written.train, *written.test)
    return AnnotatedIndex(clauses, embed_clauses(clauses, embedder), len(written.train), embedder)
