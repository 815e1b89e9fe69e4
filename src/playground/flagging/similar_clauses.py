"""The evidence beside a flag: the annotated clauses that carry its label and resemble its clause most."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from playground.annotations import load_written_clauses
from playground.atomic import replace_file
from playground.flagging.baselines import RememberingEmbedder, embed_clauses, nearest_clauses
from playground.flagging.flags import Evidence
from playground.models.bundled import cache_folder
from playground.types import AnnotatedClause, Embedder, SimilarClause

SIMILAR = 2

_log = logging.getLogger(__name__)


def evidence_from(clauses: Sequence[AnnotatedClause], vectors: np.ndarray, embedder: Embedder) -> Evidence:
    """Return what finds the two most similar of ``clauses`` for each flag; ``vectors`` are theirs, float [n, d]."""

    def find(pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[SimilarClause, ...]]:
        texts, labels = [text for text, _label in pairs], [label for _text, label in pairs]
        # A clause with several flags is embedded once.
        return nearest_clauses(texts, clauses, vectors, RememberingEmbedder(embedder), k=SIMILAR, carrying=labels)

    return find


def load_written_evidence(folder: Path, known_labels: Sequence[str], embedder: Embedder) -> Evidence:
    """Read the clauses written for the project, embed those that carry a label, and return what finds similar ones.

    Their vectors are kept in the cache folder: embedding them takes longer than flagging a contract.

    Raises:
        AnnotationError: they cannot be read.
    """
    written = load_written_clauses(folder, known_labels)
    clauses = [clause for clause in written.annotations.examples if clause.labels]
    key = hashlib.sha256(f"{written.annotations.sha256} {embedder.model_id} {len(clauses)}".encode()).hexdigest()[:16]
    path = cache_folder() / "vectors" / f"written-clauses-{key}.npy"
    vectors = _load_vectors(path, len(clauses))
    if vectors is None:
        vectors = embed_clauses(clauses, embedder)
        _keep(path, vectors)
    return evidence_from(clauses, vectors, embedder)


def _load_vectors(path: Path, count: int) -> np.ndarray | None:
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(vectors, np.ndarray) and vectors.ndim == 2 and len(vectors) == count
    return vectors if fits and vectors.dtype == np.float32 else None


def _keep(path: Path, vectors: np.ndarray) -> None:
    import io

    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    try:
        replace_file(path, buffer.getvalue())
    except OSError as error:  # a full disk costs time, not evidence
        _log.warning("vectors were not kept: %s", error)
