"""The baselines learn what is learnable, say nothing about what they never saw, and repeat themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from playground.annotations.gold import (
    gold_matrix,
)
from playground.errors import AnnotationError
from playground.flagging.baselines import (
    MOST_CHARACTERS,
    RememberingEmbedder,
    embed_clauses,
    fit_frozen_embedding,
    fit_nearest,
    fit_tfidf,
    keyword_scorer,
    nearest_clauses,
)
from playground.measuring.clause_metrics import macro_ap
from playground.models.embedding import SentenceEmbedder
from playground.types import AnnotatedClause, Embedder
from tests.support.scripted_embedder import ScriptedEmbedder

LABELS = ("Insurance", "Audit Rights", "Governing Law", "Source Code Escrow")  # nothing carries the last


def clause(text: str, *labels: str, heading: str = "", contract: str = "one") -> AnnotatedClause:
    return AnnotatedClause(f"{contract}-{text[:40]}", text, labels, contract, heading)


TRAIN = [
    clause("The carrier shall insure the goods against fire and theft.", "Insurance"),
    clause("Each party shall maintain insurance cover of one million.", "Insurance", heading="Insurance"),
    clause("The hirer keeps a policy of insurance in force.", "Insurance"),
    clause("The licensor may audit the books on ten days' notice.", "Audit Rights"),
    clause("Records shall be open to inspection and audit by an accountant.", "Audit Rights"),
    clause("An accountant may inspect the records and books of the agent.", "Audit Rights", heading="Audit"),
    clause("This agreement is governed by the laws of Kenya.", "Governing Law"),
    clause("The laws of Ontario govern this agreement and its breach.", "Governing Law", heading="Law"),
    clause("Governing law: the laws of the State of Maine.", "Governing Law"),
    clause("Notices are sent by post to the address above."),
    clause("The parties met in the spring and shook hands."),
    clause("Headings are for convenience only."),
    clause("Insurance certificates and audit of the policy records are due yearly.", "Insurance", "Audit Rights"),
]
UNSEEN = [
    clause("The tenant shall insure the goods under a policy of insurance.", "Insurance", contract="two"),
    clause("The owner may audit the records and books.", "Audit Rights", contract="two"),
    clause("The laws of Peru govern this agreement.", "Governing Law", contract="two"),
    clause("Notices are sent to the address below.", contract="two"),
]
GOLD = gold_matrix(UNSEEN, LABELS)
Scores = Callable[[Sequence[AnnotatedClause]], np.ndarray]
FITS: dict[str, Callable[[Sequence[AnnotatedClause], Embedder], Scores]] = {
    "tfidf": lambda train, _embedder: fit_tfidf(train, LABELS, seed=3).probabilities,
    "tfidf, unbalanced": lambda train, _embedder: fit_tfidf(train, LABELS, seed=3, balanced=False).probabilities,
    "frozen": lambda train, embedder: fit_frozen_embedding(train, LABELS, embedder, seed=3).probabilities,
    "frozen, balanced": lambda train, embedder: (
        fit_frozen_embedding(train, LABELS, embedder, seed=3, balanced=True).probabilities
    ),
    "nearest": lambda train, embedder: fit_nearest(train, LABELS, embedder, k=3).probabilities,
}


def test_gold_has_a_column_per_label() -> None:
    assert gold_matrix([TRAIN[-1], TRAIN[9], clause("x", "Rent")], LABELS).tolist() == [
        [True, True, False, False],
        [False] * 4,
        [False] * 4,
    ]


@pytest.mark.parametrize("name", FITS)
def test_what_was_learnt_ranks_unseen_clauses(name: str, fake_embedder: ScriptedEmbedder) -> None:
    scores = FITS[name](TRAIN, fake_embedder)(UNSEEN)
    assert scores.shape == (4, 4)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert macro_ap(scores, GOLD) == 1.0
    assert scores[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert (scores[:, 3] == 0).all()  # no training clause carries it


@pytest.mark.parametrize("name", FITS)
def test_training_twice_gives_the_same_scores(name: str, fake_embedder: ScriptedEmbedder) -> None:
    first, second = (FITS[name](TRAIN, fake_embedder)(UNSEEN) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", FITS)
def test_the_heading_is_read(name: str, fake_embedder: ScriptedEmbedder) -> None:
    text = "This section has the following terms."
    bare, under = FITS[name](TRAIN, fake_embedder)([clause(text), clause(text, heading="Audit of books and records")])
    assert under[1] > bare[1]


@pytest.mark.parametrize("name", FITS)
def test_no_clause_has_no_scores(name: str, fake_embedder: ScriptedEmbedder) -> None:
    assert FITS[name](TRAIN, fake_embedder)([]).shape == (0, 4)


@pytest.mark.parametrize("name", FITS)
def test_a_label_that_every_clause_carries_is_certain(name: str, fake_embedder: ScriptedEmbedder) -> None:
    scores = FITS[name](TRAIN[:3], fake_embedder)(TRAIN[:2])
    assert scores[:, 0] == pytest.approx(1.0)
    assert (scores[:, 1:] == 0).all()


@pytest.mark.parametrize("name", FITS)
def test_clauses_without_labels_teach_nothing(name: str, fake_embedder: ScriptedEmbedder) -> None:
    for train in ([], TRAIN[9:12], [clause("Rent is due.", "Rent")]):
        with pytest.raises(AnnotationError, match=f"None of the {len(train)} annotated clauses"):
            FITS[name](train, fake_embedder)


def test_clauses_without_words_teach_tfidf_nothing() -> None:
    with pytest.raises(AnnotationError, match="no words"):
        fit_tfidf([clause("...", "Insurance"), clause("--")], LABELS)


@pytest.mark.parametrize("name", ["frozen", "nearest"])
def test_vectors_at_hand_are_used(name: str, fake_embedder: ScriptedEmbedder) -> None:
    vectors = embed_clauses(TRAIN, fake_embedder)
    assert vectors.shape == (len(TRAIN), fake_embedder.dimensions)
    fit = fit_frozen_embedding if name == "frozen" else fit_nearest
    fake_embedder.batches.clear()
    with_vectors = fit(TRAIN, LABELS, fake_embedder, vectors=vectors).probabilities
    assert fake_embedder.batches == []
    without = fit(TRAIN, LABELS, fake_embedder).probabilities
    assert with_vectors(UNSEEN).tolist() == without(UNSEEN).tolist()
    with pytest.raises(ValueError, match="13 clauses have 2 vectors"):
        fit(TRAIN, LABELS, fake_embedder, vectors=vectors[:2])


def test_a_remembering_embedder_embeds_no_text_twice(fake_embedder: ScriptedEmbedder) -> None:
    remembering = RememberingEmbedder(fake_embedder)
    assert (remembering.model_id, remembering.max_tokens) == (fake_embedder.model_id, 256)
    assert remembering.count_tokens("two words") == 2
    first = remembering.embed(["a b", "c", "a b"])
    again = remembering.embed(["c", "d"])
    assert fake_embedder.batches == [("a b", "c"), ("d",)]
    assert first.tolist() == fake_embedder.embed(["a b", "c", "a b"]).tolist()
    assert again[0].tolist() == first[1].tolist()
    assert remembering.embed([]).shape == (0, fake_embedder.dimensions)


def test_neighbours_vote_by_their_cosine() -> None:
    class Fixed(ScriptedEmbedder):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            angles = {"east": 0.0, "north-east": 45.0, "north": 90.0, "west": 180.0}
            radians = np.radians([angles[text] for text in texts])
            return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)

    train = [clause("east", "Insurance"), clause("north", "Audit Rights"), clause("west", "Governing Law")]
    east, middle = fit_nearest(train, LABELS, Fixed(), k=3).probabilities([clause("east"), clause("north-east")])
    assert east.tolist() == pytest.approx([1, 0, 0, 0], abs=1e-6)  # at right angles, and behind: no say
    assert middle.tolist() == pytest.approx([0.5, 0.5, 0, 0], abs=1e-6)
    (opposite,) = fit_nearest(train[:1], LABELS, Fixed(), k=9).probabilities([clause("west")])
    assert opposite.tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="at least 1"):
        fit_nearest(train, LABELS, Fixed(), k=0)


def test_a_clause_too_long_for_the_embedder_is_read_from_its_beginning() -> None:
    embedder = ScriptedEmbedder(max_tokens=4)
    long, short = clause("one two three four five six"), clause("one two three four")
    assert embed_clauses([long], embedder).tolist() == embed_clauses([short], embedder).tolist()


PATTERNS = {"Insurance": [r"\binsur", r"\bpolic(y|ies)\b"], "Audit Rights": [r"\baudit", "inspect", "books"]}


def test_keywords_count_different_patterns() -> None:
    score = keyword_scorer(PATTERNS, LABELS).probabilities
    scores = score(
        [
            clause("INSURANCE, insurance and more insurance."),
            clause("A policy to insure the books."),
            clause("Audit the books by inspection."),
            clause("Nothing."),
            clause("Terms.", heading="Audit"),
        ]
    )
    assert scores[:, 0].tolist() == pytest.approx([1 / 2, 2 / 3, 0, 0, 0])
    assert scores[:, 1].tolist() == pytest.approx([0, 1 / 2, 3 / 4, 0, 1 / 2])
    assert (scores[:, 2:] == 0).all()
    assert score([]).shape == (0, 4)


def test_keywords_are_looked_for_in_a_bounded_stretch() -> None:
    scores = keyword_scorer(PATTERNS, LABELS).probabilities([clause("x" * MOST_CHARACTERS + " insurance")])
    assert scores[0, 0] == 0


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(AnnotationError, match=r"'\(' of Insurance is no regular expression"):
        keyword_scorer({"Insurance": ["("]}, LABELS)


def test_evidence_is_the_nearest_annotated_clauses(fake_embedder: ScriptedEmbedder) -> None:
    annotated = [*TRAIN, clause(TRAIN[3].text, contract="copy")]
    vectors = embed_clauses(annotated, fake_embedder)
    books, law = nearest_clauses([TRAIN[3].text, TRAIN[7].text], annotated, vectors, fake_embedder)
    assert books[0].text == TRAIN[3].text
    assert (books[0].labels, books[0].contract) == (("Audit Rights",), "one")
    assert books[0].similarity == pytest.approx(1.0)
    assert books[1].text != books[0].text  # the copy says nothing new
    assert 1 > books[1].similarity > 0
    assert [found.text for found in law][:1] == [TRAIN[7].text]
    assert len(books) == len(law) == 2
    # The same as sorting all by their cosine.
    cosines = vectors[: len(TRAIN)] @ fake_embedder.embed([TRAIN[3].text])[0]
    assert [found.text for found in books] == [TRAIN[i].text for i in np.argsort(-cosines, kind="stable")[:2]]


def test_evidence_may_have_to_carry_a_label(fake_embedder: ScriptedEmbedder) -> None:
    vectors = embed_clauses(TRAIN, fake_embedder)
    text = TRAIN[3].text
    law, anything, nothing = nearest_clauses(
        [text, text, text], TRAIN, vectors, fake_embedder, k=5, carrying=["Governing Law", None, "Source Code Escrow"]
    )
    assert len(law) == 3
    assert all(found.labels == ("Governing Law",) for found in law)
    assert [found.similarity for found in law] == sorted((found.similarity for found in law), reverse=True)
    assert len(anything) == 5
    assert nothing == ()


def test_evidence_of_nothing_is_empty(fake_embedder: ScriptedEmbedder) -> None:
    vectors = embed_clauses(TRAIN, fake_embedder)
    assert nearest_clauses([], TRAIN, vectors, fake_embedder) == []
    assert nearest_clauses(["a", "b"], [], vectors[:0], fake_embedder) == [(), ()]
    with pytest.raises(ValueError, match="as many"):
        nearest_clauses(["a"], TRAIN, vectors[:3], fake_embedder)
    with pytest.raises(ValueError, match="as many"):
        nearest_clauses(["a"], TRAIN, vectors, fake_embedder, carrying=["Insurance", None])


@pytest.mark.models
def test_the_bundled_embedder_tells_clauses_apart(embedder: SentenceEmbedder) -> None:
    """Words that training never saw: only an encoder that knows the language can rank these."""
    unseen = [
        clause("The shipper carries coverage against loss, with an underwriter of good standing.", "Insurance"),
        clause("Our bookkeeper may examine your ledgers once a year.", "Audit Rights"),
        clause("Disputes are decided under the statutes of France.", "Governing Law"),
        clause("Email goes to the office."),
    ]
    remembering = RememberingEmbedder(embedder)
    for fit in (fit_frozen_embedding, fit_nearest):
        assert macro_ap(fit(TRAIN, LABELS, remembering).probabilities(unseen), gold_matrix(unseen, LABELS)) == 1.0
    ((found,),) = nearest_clauses([unseen[1].text], TRAIN, embed_clauses(TRAIN, remembering), remembering, k=1)
    assert "Audit Rights" in found.labels
    long = clause("The insurer shall pay. " * 400, "Insurance")
    assert embed_clauses([long], embedder).shape == (1, 384)
