"""What a trained flagger has to beat: keywords, TF-IDF, frozen embeddings and nearest neighbours.

Each is made from annotated clauses and becomes a ``ClauseModel`` of ``labels``, whose thresholds are one half: nobody
chose them. A clause is read under its heading. A label that no training clause carries scores 0. With one seed and one
machine, training twice gives the same scores.

To embed clauses once for several baselines, give them one ``RememberingEmbedder``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.annotations.gold import gold_matrix
from playground.errors import AnnotationError
from playground.flagging.model import ScoringModel, undecided
from playground.flagging.words import read_under_heading
from playground.models.embedding import EmbedderAround, fit_query
from playground.types import AnnotatedClause, Embedder, SimilarClause

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = [
    "RememberingEmbedder",
    "embed_clauses",
    "fit_frozen_embedding",
    "fit_nearest",
    "fit_tfidf",
    "gold_matrix",
    "keyword_scorer",
    "nearest_clauses",
]


MOST_CHARACTERS = 20_000
"""Longest stretch of a clause that is searched for keywords."""

_SMALL_TRAINING_SET = 500  # below it a word that occurs in one clause only is worth keeping


def keyword_scorer(patterns: Mapping[str, Sequence[str]], labels: Sequence[str]) -> ScoringModel:
    """Score a clause by how many different patterns of a label occur in it: n / (n + 1).

    Args:
        patterns: label -> regular expressions, matched whatever the case. They are run as they are, without a time
            limit: pass none that a user wrote.
        labels: what to score; one without patterns scores 0.

    Raises:
        AnnotationError: a pattern is no regular expression.
    """
    compiled = [[_compiled(label, pattern) for pattern in patterns.get(label, ())] for label in labels]

    def score(clauses: Sequence[AnnotatedClause]) -> np.ndarray:
        scores = np.zeros((len(clauses), len(labels)))
        for row, clause in enumerate(clauses):
            text = read_under_heading(clause)[:MOST_CHARACTERS]
            for column, expressions in enumerate(compiled):
                hits = sum(1 for expression in expressions if expression.search(text))
                scores[row, column] = hits / (hits + 1)
        return scores

    return _model("keywords", labels, score)


def _model(
    model_id: str, labels: Sequence[str], score: Callable[[Sequence[AnnotatedClause]], np.ndarray]
) -> ScoringModel:
    return ScoringModel(tuple(labels), score, undecided(labels), model_id)


def _compiled(label: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise AnnotationError(
            f"The keyword pattern {pattern[:80]!r} of {label} is no regular expression ({error}). Correct it."
        ) from error


def fit_tfidf(
    train: Sequence[AnnotatedClause],
    labels: Sequence[str],
    *,
    seed: int = 0,
    inverse_regularisation: float = 10.0,
    balanced: bool = True,
) -> ScoringModel:
    """Fit TF-IDF of words and pairs of words, and a logistic regression per label.

    Args:
        train: annotated clauses.
        labels: what to score.
        seed: of the solver.
        inverse_regularisation: scikit-learn's C.
        balanced: weigh positives and negatives alike, whatever their numbers. On CUAD's contracts that is the stronger
            baseline, by precision at 80 % recall.

    Raises:
        AnnotationError: no clause has a word, or none of them a label.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    gold = _training_gold(train, labels)
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(train) >= _SMALL_TRAINING_SET else 1, dtype=np.float32
    )
    try:
        features = vectorizer.fit_transform([read_under_heading(clause) for clause in train])
    except ValueError as error:  # scikit-learn's word for an empty vocabulary
        raise AnnotationError("The annotated clauses hold no words to learn from. Check their text column.") from error
    probabilities = _fit_one_per_label(
        features, gold, solver="liblinear", inverse_regularisation=inverse_regularisation, balanced=balanced, seed=seed
    )

    def score(clauses: Sequence[AnnotatedClause]) -> np.ndarray:
        if not clauses:
            return np.zeros((0, len(labels)))
        return probabilities(vectorizer.transform([read_under_heading(clause) for clause in clauses]))

    return _model("TF-IDF", labels, score)


def fit_frozen_embedding(
    train: Sequence[AnnotatedClause],
    labels: Sequence[str],
    embedder: Embedder,
    *,
    seed: int = 0,
    vectors: np.ndarray | None = None,
    inverse_regularisation: float = 10.0,
    balanced: bool = False,
) -> ScoringModel:
    """Fit a logistic regression per label on the embeddings of an untrained encoder.

    Args:
        train: annotated clauses.
        labels: what to score.
        embedder: of the clauses, also of those scored later.
        seed: of the solver.
        vectors: ``embed_clauses(train, embedder)`` where it is at hand, float [n_train, d].
        inverse_regularisation: scikit-learn's C.
        balanced: weigh positives and negatives alike, whatever their numbers.

    Raises:
        AnnotationError: none of the clauses has a label.
    """
    gold = _training_gold(train, labels)
    features = _training_vectors(train, embedder, vectors)
    probabilities = _fit_one_per_label(
        features, gold, solver="lbfgs", inverse_regularisation=inverse_regularisation, balanced=balanced, seed=seed
    )
    model_id = f"{embedder.model_id} (frozen)"
    return _model(model_id, labels, lambda clauses: probabilities(embed_clauses(clauses, embedder)))


def fit_nearest(
    train: Sequence[AnnotatedClause],
    labels: Sequence[str],
    embedder: Embedder,
    *,
    k: int = 10,
    vectors: np.ndarray | None = None,
) -> ScoringModel:
    """Score a label by the share of the ``k`` nearest training clauses that carry it, each weighed by its cosine.

    ``vectors`` and errors as for ``fit_frozen_embedding``. A neighbour of negative cosine has no say.
    """
    import faiss

    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    gold = _training_gold(train, labels).astype(np.float64)
    features = np.ascontiguousarray(_training_vectors(train, embedder, vectors), dtype=np.float32)
    index = faiss.IndexFlatIP(features.shape[1])
    index.add(features)

    def score(clauses: Sequence[AnnotatedClause]) -> np.ndarray:
        if not clauses:
            return np.zeros((0, len(labels)))
        cosines, neighbours = index.search(embed_clauses(clauses, embedder), min(k, len(train)))
        weights = np.maximum(cosines.astype(np.float64), 0.0)
        votes = np.einsum("nk,nkl->nl", weights, gold[neighbours])
        return np.asarray(votes / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12))

    return _model(f"{embedder.model_id} (nearest)", labels, score)


def nearest_clauses(
    texts: Sequence[str],
    annotated: Sequence[AnnotatedClause],
    vectors: np.ndarray,
    embedder: Embedder,
    *,
    k: int = 2,
    carrying: Sequence[str | None] | None = None,
) -> list[tuple[SimilarClause, ...]]:
    """Return, for each text, the ``k`` annotated clauses nearest to it: the evidence beside a flag.

    Of annotated clauses with the same text only the first counts.

    Args:
        texts: clauses of a contract, each with its heading where it has one.
        annotated: what to look among.
        vectors: ``embed_clauses(annotated, embedder)``, float [n_annotated, d].
        embedder: of the texts.
        k: most clauses to return for a text; fewer where there are not so many.
        carrying: for each text, the label that its neighbours must carry; None for any clause.
    """
    wanted = carrying if carrying is not None else [None] * len(texts)
    if len(vectors) != len(annotated) or len(wanted) != len(texts):
        raise ValueError("vectors must be as many as annotated clauses, and carrying as many as texts")
    if not texts or not annotated:
        return [()] * len(texts)
    similarities = embedder.embed([fit_query(text, embedder) for text in texts]) @ vectors.T
    evidence = []
    for row, label in zip(similarities, wanted, strict=True):
        found: dict[str, SimilarClause] = {}
        for position in np.argsort(-row, kind="stable"):
            clause = annotated[position]
            if len(found) == k:
                break
            if clause.text not in found and (label is None or label in clause.labels):
                cosine = min(max(float(row[position]), -1.0), 1.0)
                found[clause.text] = SimilarClause(clause.text, clause.labels, clause.contract, cosine)
        evidence.append(tuple(found.values()))
    return evidence


def embed_clauses(clauses: Sequence[AnnotatedClause], embedder: Embedder) -> np.ndarray:
    """Return float32 unit vectors [n_clauses, d]; a clause too long for ``embedder`` is read from its beginning."""
    return embedder.embed([fit_query(read_under_heading(clause), embedder) for clause in clauses])


class RememberingEmbedder(EmbedderAround):
    """An ``Embedder`` that embeds no text twice. Keeps all of them: for one evaluation, not for the life of an app."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder)
        self._vectors: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 unit vectors [len(texts), d]; errors as for the embedder that is remembered."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        embedded = self._embedder.embed(new)
        self._vectors.update(zip(new, embedded, strict=True))
        return np.stack([self._vectors[text] for text in texts]) if texts else embedded


def _training_gold(train: Sequence[AnnotatedClause], labels: Sequence[str]) -> np.ndarray:
    gold = gold_matrix(train, labels)
    if not gold.any():
        raise AnnotationError(
            f"None of the {len(train)} annotated clauses carries any of the {len(labels)} labels to learn. Check how "
            "the labels are spelt, or choose others."
        )
    return gold


def _training_vectors(train: Sequence[AnnotatedClause], embedder: Embedder, vectors: np.ndarray | None) -> np.ndarray:
    if vectors is None:
        return embed_clauses(train, embedder)
    if len(vectors) != len(train):
        raise ValueError(f"{len(train)} clauses have {len(vectors)} vectors; one each is needed")
    return vectors


def _fit_one_per_label(
    features: np.ndarray | csr_matrix,
    gold: np.ndarray,
    *,
    solver: str,
    inverse_regularisation: float,
    balanced: bool,
    seed: int,
) -> Callable[[Any], np.ndarray]:
    """Fit a logistic regression per column of ``gold`` and return features -> probabilities [n, n_labels]."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((features.shape[1], gold.shape[1]))
    intercepts = np.full(gold.shape[1], -np.inf)  # the probability of a label that was never seen is 0
    for column in np.nonzero(gold.any(axis=0))[0]:
        if gold[:, column].all():  # nothing to tell it from
            intercepts[column] = np.inf
            continue
        model = LogisticRegression(
            C=inverse_regularisation,
            solver=solver,
            class_weight="balanced" if balanced else None,
            random_state=seed,
            max_iter=1000,
            dual=solver == "liblinear",  # the same fit, twice as fast where features outnumber clauses
        )
        model.fit(features, gold[:, column])
        weights[:, column], intercepts[column] = model.coef_[0], model.intercept_[0]
    return lambda rows: np.asarray(expit(rows @ weights + intercepts))
