"""What the words of a clause alone say about its labels: TF-IDF and a linear layer, which a flagger adds to its own.

An encoder reads meaning, and misses now and then what a single term of art gives away; the words do the opposite. Their
log-odds are added up (a product of experts; Hinton, 2002, "Training products of experts by minimizing contrastive
divergence"). Words and pairs of words are hashed, so that no vocabulary has to be kept (Weinberger et al., 2009,
"Feature hashing for large scale multitask learning").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.types import AnnotatedClause

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BUCKETS = 2**20
WEIGHTS_PER_LABEL = 20_000
_FEWEST_CLAUSES = 2  # that a word must stand in, to count
_MOST_CHARACTERS = 20_000
_PREFIX = "words_"


@dataclass(frozen=True, slots=True)
class ClauseWords:
    """A linear layer on hashed TF-IDF.

    ``idf`` float32 [BUCKETS]. The layer is sparse: ``values`` float32 [k] stand at ``buckets`` int32 [k] and
    ``columns`` int32 [k], the latter by the order of the labels; ``intercepts`` are float32 [labels].
    """

    idf: np.ndarray
    buckets: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    intercepts: np.ndarray

    def log_odds(self, clauses: Sequence[AnnotatedClause]) -> np.ndarray:
        """Return float32 [clauses, labels]."""
        from scipy.sparse import coo_matrix

        if not clauses:
            return np.zeros((0, len(self.intercepts)), np.float32)
        shape = (len(self.idf), len(self.intercepts))
        weights = coo_matrix((self.values, (self.buckets, self.columns)), shape=shape).tocsr()
        return np.asarray((_features(clauses, self.idf) @ weights).toarray() + self.intercepts, np.float32)

    def scaled(self, factors: np.ndarray, shifts: np.ndarray) -> ClauseWords:
        """Return the layer whose log-odds are ``factors`` x these + ``shifts``, both float [labels]."""
        return ClauseWords(
            idf=self.idf,
            buckets=self.buckets,
            columns=self.columns,
            values=(self.values * factors[self.columns]).astype(np.float32),
            intercepts=(self.intercepts * factors + shifts).astype(np.float32),
        )


def read_under_heading(clause: AnnotatedClause) -> str:
    """Return a clause's text with its heading above it."""
    return f"{clause.heading}\n{clause.text}" if clause.heading else clause.text


def fit_words(
    train: Sequence[AnnotatedClause],
    gold: np.ndarray,
    *,
    seed: int = 0,
    inverse_regularisation: float = 10.0,
    weights_per_label: int = WEIGHTS_PER_LABEL,
) -> ClauseWords:
    """Fit a logistic regression per label, positives and negatives weighed alike.

    Only the ``weights_per_label`` weights that move the scores most are kept: by size times the root mean square of
    their feature. Labels without a positive get log-odds of 0 for every clause.

    Args:
        train: annotated clauses.
        gold: bool [n_train, labels].
        seed: of the solver.
        inverse_regularisation: scikit-learn's C.
        weights_per_label: most to keep, of 2**20.
    """
    from sklearn.linear_model import LogisticRegression

    counts = _counts(train)
    held_by = np.bincount(counts.indices, minlength=BUCKETS)
    idf = np.where(held_by >= _FEWEST_CLAUSES, np.log((1 + len(train)) / (1 + held_by)) + 1, 0)
    idf = idf.astype(np.float16).astype(np.float32)  # as it is stored
    # Of the buckets only those are fitted that hold something: a twentieth of them, or fewer.
    used = np.flatnonzero(idf)
    features = _weighed(counts, idf)[:, used]
    spread = np.sqrt(np.asarray(features.multiply(features).mean(axis=0)).ravel())
    intercepts = np.zeros(gold.shape[1], np.float32)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for column in np.nonzero(gold.any(axis=0) & ~gold.all(axis=0))[0]:
        model = LogisticRegression(
            C=inverse_regularisation, solver="liblinear", class_weight="balanced", random_state=seed, max_iter=1000,
            dual=True,
        )  # fmt: skip
        model.fit(features, gold[:, column])
        weights = model.coef_[0].astype(np.float32)
        intercepts[column] = model.intercept_[0]
        chosen = np.argsort(-np.abs(weights) * spread, kind="stable")[:weights_per_label]
        chosen = np.sort(chosen[weights[chosen] != 0])
        kept.append((used[chosen].astype(np.int32), np.full(len(chosen), column, np.int32), weights[chosen]))
    if not kept:
        empty = np.zeros(0, np.int32)
        return ClauseWords(idf, empty, empty, np.zeros(0, np.float32), intercepts)
    buckets, columns, values = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return ClauseWords(idf, buckets, columns, values, intercepts)


def words_tensors(words: ClauseWords) -> dict[str, np.ndarray]:
    """Return the tensors to store, weights in float16."""
    return {
        f"{_PREFIX}idf": words.idf.astype(np.float16),
        f"{_PREFIX}buckets": words.buckets.astype(np.int32),
        f"{_PREFIX}columns": words.columns.astype(np.uint8 if len(words.intercepts) <= 256 else np.int32),
        f"{_PREFIX}values": words.values.astype(np.float16),
        f"{_PREFIX}intercepts": words.intercepts.astype(np.float32),
    }


def words_from(tensors: Mapping[str, np.ndarray], labels: int) -> ClauseWords | None:
    """Return what ``words_tensors`` made, or None where there is none of it.

    Raises:
        ValueError: the tensors do not fit each other or ``labels``.
    """
    found = {name.removeprefix(_PREFIX): values for name, values in tensors.items() if name.startswith(_PREFIX)}
    if not found:
        return None
    if found.keys() != {"idf", "buckets", "columns", "values", "intercepts"}:
        raise ValueError("parts of its word weights are missing")
    idf, values, intercepts = (np.asarray(found[name], np.float32) for name in ("idf", "values", "intercepts"))
    buckets, columns = (np.asarray(found[name], np.int32) for name in ("buckets", "columns"))
    if idf.shape != (BUCKETS,) or intercepts.shape != (labels,):
        raise ValueError("its word weights are for other labels or features")
    if not (buckets.ndim == 1 and buckets.shape == columns.shape == values.shape):
        raise ValueError("its word weights differ in number")
    if len(buckets) and not (buckets.min() >= 0 and buckets.max() < BUCKETS and 0 <= columns.min() < labels):
        raise ValueError("a word weight stands outside")
    if len(columns) and columns.max() >= labels:
        raise ValueError("a word weight is for no label")
    if not all(np.isfinite(part).all() for part in (idf, values, intercepts)):
        raise ValueError("a word weight is no number")
    return ClauseWords(idf, buckets, columns, values, intercepts)


def _features(clauses: Sequence[AnnotatedClause], idf: np.ndarray) -> csr_matrix:
    return _weighed(_counts(clauses), idf)


def _counts(clauses: Sequence[AnnotatedClause]) -> csr_matrix:
    return _vectorizer().transform([read_under_heading(clause)[:_MOST_CHARACTERS] for clause in clauses])


def _weighed(counts: csr_matrix, idf: np.ndarray) -> csr_matrix:
    """Return rows of unit length: (1 + ln count) x idf."""
    from sklearn.preprocessing import normalize

    features = counts.astype(np.float32)
    features.data = (1 + np.log(features.data)) * idf[features.indices]
    return normalize(features, copy=False)


@lru_cache(maxsize=1)
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=BUCKETS, ngram_range=(1, 2), alternate_sign=False, norm=None, dtype=np.float32)
