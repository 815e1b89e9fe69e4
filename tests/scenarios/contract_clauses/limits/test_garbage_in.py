"""Labels made wrong, clauses that confident learning doubts, and what the rows of both show."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import EvaluationError
from playground.limits.experiment import LimitRequest, Size
from playground.limits.finding import Finding
from playground.measuring.evaluation import evaluate
from playground.types import ChatModel, Prediction, RunRecord
from scenarios.contract_clauses.limits import garbage_in
from scenarios.contract_clauses.limits.garbage_in import RIGHT, doubted, found, prepare, with_wrong_labels
from scenarios.contract_clauses.measured_contracts import MeasuredContract, MeasuredSet
from tests.support.fakes_limits import limit_row
from tests.support.fakes_training import LABELS, clauses
from tests.support.scripted_embedder import ScriptedEmbedder

GOLD = np.eye(4, dtype=bool)[np.arange(40) % 4]


def test_as_many_rows_as_asked_for_get_one_label_that_is_wrong() -> None:
    spoilt, changed = with_wrong_labels(GOLD, 0.25, seed=0)
    assert changed.sum() == 10
    assert (spoilt[~changed] == GOLD[~changed]).all()
    assert (spoilt[changed].sum(axis=1) == 1).all() and not (spoilt & GOLD)[changed].any()


def test_a_larger_share_has_the_rows_of_a_smaller_one_and_another_seed_others() -> None:
    few, many = (with_wrong_labels(GOLD, share, seed=1)[1] for share in (0.1, 0.4))
    assert (few <= many).all()
    assert (with_wrong_labels(GOLD, 0.4, seed=2)[1] != many).any()


def test_the_most_confusable_label_is_the_likeliest_wrong_one() -> None:
    readily = np.tile([0.9, 0.8, 0.1, 0.0], (40, 1))
    spoilt, changed = with_wrong_labels(GOLD, 1.0, seed=0, readily=readily)
    assert changed.all()
    assert [int(row.argmax()) for row in spoilt[:4]] == [1, 0, 0, 0]


def test_confident_learning_doubts_what_the_probabilities_contradict_and_nothing_else() -> None:
    probabilities = np.where(GOLD, 0.9, 0.05)
    assert not doubted(GOLD, probabilities).any()
    spoilt = GOLD.copy()
    spoilt[0] = [False, True, False, False]
    assert np.flatnonzero(doubted(spoilt, probabilities)).tolist() == [0]
    missing = GOLD.copy()
    missing[0] = False
    assert not doubted(missing, probabilities).any()  # only a label that is given is doubted


def test_a_label_that_no_row_has_says_nothing() -> None:
    gold = np.concatenate([GOLD, np.zeros((40, 1), dtype=bool)], axis=1)
    assert not doubted(gold, np.concatenate([np.where(GOLD, 0.9, 0.05), np.full((40, 1), 0.99)], axis=1)).any()


def no_model() -> ChatModel:
    raise AssertionError("no chat model is asked")


def test_heads_are_trained_on_right_wrong_and_cleaned_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = clauses(contracts=12)
    train, test = examples[:40], examples[40:]

    class Train:
        name, sha256, clauses = "train", "a" * 64, train

    gold = np.asarray([[label in clause.labels for label in LABELS] for clause in test])
    measured = MeasuredSet("test", "b" * 64, (), LABELS)
    monkeypatch.setattr(garbage_in, "LABELS", LABELS)
    monkeypatch.setattr(garbage_in, "load_training_clauses", lambda _path: Train)
    monkeypatch.setattr(garbage_in, "load_measured_set", lambda *_given: measured)
    object.__setattr__(measured, "examples", ("contract",))
    monkeypatch.setattr(garbage_in, "contract_of", lambda _example: MeasuredContract("test", test, gold))
    names = (RIGHT, "random and cleaned, 40 %", "confusable, 40 %")
    plan = prepare(LimitRequest(size=Size(1, names)), load_model=no_model, load_embedder=ScriptedEmbedder)
    rows = {row.strategy: row for row in evaluate(plan)}
    assert [row.error for row in rows.values()] == [None] * 3
    details = {name: row.prediction.detail for name, row in rows.items() if row.prediction}
    assert [details[name]["wrong"] for name in names] == [0, 16, 16]
    cleaned = details["random and cleaned, 40 %"]
    assert int(str(cleaned["dropped"])) > 0 and cleaned["clauses"] == 40 - int(str(cleaned["dropped"]))
    assert rows[RIGHT].scores["average_precision"] == 1.0 > rows["confusable, 40 %"].scores["average_precision"]


def scored(condition: str, *scores: float) -> list[RunRecord]:
    detail: dict[str, object] = {"dropped": 10, "wrong": 8, "dropped_wrong": 6}
    return [
        limit_row(
            condition,
            f"seed {seed}",
            right=True,
            scores={"average_precision": score},
            prediction=Prediction("", None, {}, detail),
        )
        for seed, score in enumerate(scores)
    ]


def finding(random: tuple[float, ...], confusable: tuple[float, ...]) -> Finding:
    return found(
        [
            *scored(RIGHT, 0.80, 0.82, 0.81),
            *scored("random, 40 %", *random),
            *scored("random and cleaned, 40 %", 0.70, 0.71, 0.72),
            *scored("confusable, 40 %", *confusable),
        ]
    )


def test_wrong_labels_show_where_every_seed_falls_for_both_ways_of_being_wrong() -> None:
    both = finding((0.6, 0.6, 0.6), (0.3, 0.4, 0.5))
    assert both.verdict == "shows here" and both.n == 3 and not both.is_small
    assert "Wrong at random, 40 %: 21 points are lost, and cleaning wins 11 back" in both.sentence
    assert any("60 % had a wrong label; 75 % of the wrong ones found" in line for line in both.lines)
    assert finding((0.6, 0.6, 0.6), (0.3, 0.4, 0.81)).verdict == "shows in part"
    assert finding((0.9, 0.6, 0.6), (0.3, 0.4, 0.81)).verdict == "does not show here"


def test_a_point_has_the_lowest_and_the_highest_seed() -> None:
    point = next(one for one in finding((0.5, 0.7, 0.6), (0.3, 0.4, 0.5)).points if one.x == "40 %")
    assert (point.value.low, point.value.high, point.n) == (0.5, 0.7, 3)
    assert point.value.value == pytest.approx(0.6)


def test_wrong_labels_alone_say_nothing() -> None:
    with pytest.raises(EvaluationError, match="right labels and on wrong ones are needed"):
        found(scored("random, 40 %", 0.5))
