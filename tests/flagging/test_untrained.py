"""Judging without trained weights: the untrained encoder and keywords."""

from __future__ import annotations

import numpy as np
import pytest

from playground.annotations import load_written_clauses
from playground.annotations.gold import gold_matrix
from playground.errors import AnnotationError
from playground.flagging.untrained import fit_zero_shot, keyword_model
from playground.measuring.clause_metrics import micro_ap
from playground.paths import CLAUSES
from playground.types import AnnotatedClause, Label
from scenarios.contract_clauses.scenario import keywords, labels

LABELS = (
    Label("Insurance", "Must a party keep insurance policies?", "medium", "", ""),
    Label("Audit Rights", "May a party audit records and books?", "medium", "", ""),
)


def clause(text: str, *names: str, heading: str = "") -> AnnotatedClause:
    return AnnotatedClause(id=text[:20], text=text, labels=names, contract="c", heading=heading)


TRAIN = (
    clause("The supplier must keep insurance policies in force.", "Insurance"),
    clause("Insurance policies must be kept by the supplier.", "Insurance"),
    clause("The customer may audit the books and records.", "Audit Rights"),
    clause("A party may audit records at any time.", "Audit Rights"),
    clause("Delivery takes place on Monday mornings."),
    clause("Payment follows within thirty days."),
)


def test_the_nearer_label_is_flagged_and_nothing_where_neither_is_near(fake_embedder):
    model = fit_zero_shot(TRAIN, LABELS, fake_embedder)
    judged = [
        clause("Party must keep insurance policies"),
        clause("Party may audit records and books"),
        clause("Zebra, xylophone"),
    ]
    flagged = model.probabilities(judged) >= model.thresholds
    assert flagged.tolist() == [[True, False], [False, True], [False, False]]
    assert model.adapter is None
    assert "untrained" in model.model_id


def test_the_heading_is_read_with_the_clause(fake_embedder):
    model = fit_zero_shot(TRAIN, LABELS, fake_embedder)
    bare, headed = model.cosines([clause("It must be kept."), clause("It must be kept.", heading="Insurance policies")])
    assert headed[0] > bare[0]


def test_vectors_at_hand_give_the_same_model(fake_embedder):
    from playground.flagging.baselines import embed_clauses

    with_vectors = fit_zero_shot(TRAIN, LABELS, fake_embedder, vectors=embed_clauses(TRAIN, fake_embedder))
    assert with_vectors.thresholds == pytest.approx(fit_zero_shot(TRAIN, LABELS, fake_embedder).thresholds)


def test_progress_reaches_one_and_may_end_the_work(fake_embedder):
    model = fit_zero_shot(TRAIN, LABELS, fake_embedder)
    shares: list[float] = []
    scores = model.probabilities(TRAIN * 12, shares.append)
    assert scores.shape == (72, 2)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 1

    def stop(_share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.probabilities(TRAIN, stop)


def test_no_threshold_can_be_chosen_without_an_annotated_clause(fake_embedder):
    with pytest.raises(AnnotationError, match="no threshold"):
        fit_zero_shot(TRAIN[4:], LABELS, fake_embedder)


def test_keywords_are_found_across_line_breaks_and_one_is_enough():
    model = keyword_model({"Insurance": [r"insurance\spolic", "insurer"]}, ["Insurance", "Audit Rights"])
    shares: list[float] = []
    scores = model.probabilities(
        [clause("keep Insurance \n  policies"), clause("insurance policies of the insurer"), clause("none")],
        shares.append,
    )
    assert scores[:, 0] == pytest.approx([1 / 2, 2 / 3, 0])
    assert (scores >= model.thresholds).tolist() == [[True, False], [True, False], [False, False]]
    assert shares[-1] == 1.0


def test_the_projects_keywords_find_clauses_of_the_project():
    written = load_written_clauses(CLAUSES, [label.name for label in labels()])
    model = keyword_model(keywords(), [label.name for label in labels()])
    gold = gold_matrix(written.test, model.labels)
    flagged = model.probabilities(written.test) >= model.thresholds
    assert (flagged & gold).sum() / gold.sum() > 0.3


@pytest.mark.models
def test_the_real_encoder_is_better_than_chance_on_unseen_clauses(embedder):
    known = [label for label in labels() if label.liability]
    written = load_written_clauses(CLAUSES, [label.name for label in labels()])
    train, test = written.train[::8], written.test[::8]
    model = fit_zero_shot(train, known, embedder)
    scores, gold = model.probabilities(test), gold_matrix(test, model.labels)
    chance = micro_ap(np.zeros_like(scores), gold)
    found = micro_ap(scores, gold)
    assert found is not None
    assert chance is not None
    assert found > 3 * chance
