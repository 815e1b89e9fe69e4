"""Stale facts: the file, the figures from its answers, the questions, the measuring with scripted techniques."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from playground.comparison.claims.stale_facts import RecoveryTime, StaleFacts, read_stale_facts, write_stale_facts
from playground.errors import EvaluationError, TrainingError
from playground.paths import POLICIES
from playground.text.bounded_patterns import all_found
from scenarios.return_policy.closed_book.pairs import closed_book_examples, policies_of, read_facts
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS as EVALUATED
from scenarios.return_policy.scenario import system_prompt
from scenarios.return_policy.stale_facts import (
    NEW,
    OLD,
    QUESTIONS,
    ChangedQuestion,
    ChangingTechnique,
    Updated,
    is_right,
    measure_change,
    read_changed_questions,
)
from tests.support.evidence_samples import PROVENANCE, STALE, stale

ROWS = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def test_figures_by_hand_with_wilsons_interval() -> None:
    rag, closed = STALE.figures
    assert (rag.before.value, rag.stale.value, rag.recovered.value) == (0.75, 0.05, 0.75)
    # Wilson for 30 of 40, z = 1.96: 0.5981 to 0.8581.
    assert (rag.before.low, rag.before.high) == pytest.approx((0.5981, 0.8581), abs=5e-4)
    assert (closed.recovery, closed.recovery_s, closed.title) == ("training", 200.0, "Closed-book LoRA")
    assert STALE.of("rag") == rag and STALE.of("rag+lora") is None


def test_a_recovery_without_answers_is_not_drawn() -> None:
    alone = replace(STALE, recoveries=(*STALE.recoveries, RecoveryTime("rag+lora", "indexing", 1.0)))
    assert [one.strategy for one in alone.figures] == ["rag", "closed-book-lora"]


def test_the_file_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "stale_facts.json"
    assert read_stale_facts(path) is None
    write_stale_facts(path, STALE)
    found = read_stale_facts(path)
    assert found == STALE
    assert found is not None and "n = 40" in found.provenance.stamp and "commit abc1234" in found.provenance.stamp


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row["answers"][0].pop("stale"),
        lambda row: row["answers"][0].update(before="yes"),
        lambda row: row["recoveries"][0].update(recovery="prayer"),
        lambda row: row["recoveries"][0].update(recovery_s=-1),
        lambda row: row.pop("machine"),
        lambda row: row.update(n=True),
        lambda row: row.update(answers={}),
        lambda row: row.update(kind="learning_curve"),
    ],
)
def test_a_file_that_was_edited_is_refused_with_a_sentence(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "stale_facts.json"
    write_stale_facts(path, STALE)
    row = json.loads(path.read_text(encoding="utf-8"))
    damage(row)  # type: ignore[operator]
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"stale_facts\.json"):
        read_stale_facts(path)


def test_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stale_facts.json"
    write_stale_facts(path, STALE)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(EvaluationError, match="damaged"):
        read_stale_facts(path)


def test_measuring_asks_before_and_after_and_scores_the_old_answer_twice() -> None:
    question = ChangedQuestion("q1", "window", "How long?", {OLD: ("60 days",), NEW: ("45 days",)})
    log: list[str] = []

    def prepare() -> object:
        log.append("prepare")
        return lambda question: log.append(f"old {question}") or "60 days."

    def update() -> Updated:
        log.append("update")
        return Updated(lambda _question: "45 days.", 7.0, 180)

    told: list[tuple[str, int, int]] = []
    technique = ChangingTechnique("closed-book-lora", "training", prepare, update)  # type: ignore[arg-type]
    ((recovery, (answer,)),) = measure_change([question], [technique], lambda *done: told.append(done))
    assert log == ["prepare", "old How long?", "update"]
    assert recovery == RecoveryTime("closed-book-lora", "training", 7.0, 180)
    assert (answer.before, answer.stale, answer.recovered) == (True, False, True)
    assert (answer.old_answer, answer.new_answer) == ("60 days.", "45 days.")
    assert told == [("closed-book-lora", 1, 2), ("closed-book-lora", 2, 2)]
    facts = StaleFacts(PROVENANCE, (answer,), (recovery,))
    assert facts.figures[0].stale.value == 0.0


def test_a_refusal_and_silence_are_never_right() -> None:
    assert is_right("You have 45 days.", ["45 days"])
    assert not is_right("I don't know.", [])
    assert not is_right("  ", [])


def test_each_question_tells_the_versions_apart() -> None:
    questions = read_changed_questions()
    assert len(questions) == 30 and len({one.fact for one in questions}) == 6
    for question, row in zip(questions, ROWS, strict=True):
        for policy, answer in row["example_answer"].items():
            for other in (OLD, NEW):
                assert all_found(question.expect[other], answer) == (policy == other), (question.id, policy, other)


def test_the_closed_book_pairs_hold_the_policys_facts_and_no_evaluation_question() -> None:
    facts = read_facts()
    assert policies_of(facts) == (OLD, NEW)
    asked = {_folded(question) for fact in facts for question in fact.questions}
    evaluated = {_folded(example.input) for example in read_questions(EVALUATED, POLICIES)}
    assert not asked & (evaluated | {_folded(row["question"]) for row in ROWS})
    # Where the versions differ, each answer's numbers stand in its own policy.
    for policy in (OLD, NEW):
        text = (POLICIES / policy).read_text(encoding="utf-8")
        for fact in facts:
            for word in (word.strip(".,;%$") for word in fact.answer(policy).split()):
                if any(character.isdigit() for character in word):
                    assert word in text, (policy, fact.name, word)


def test_both_versions_are_trained_on_the_same_questions_and_other_answers() -> None:
    old, new = (closed_book_examples(name, read_facts(), 0) for name in (OLD, NEW))
    assert [one.messages for one in old] == [one.messages for one in new]
    changed = {a.completion for a, b in zip(old, new, strict=True) if a.completion != b.completion}
    assert len(changed) == 7  # the six facts and the version line
    assert old[0].messages[0].content == system_prompt() and old[0].messages[1].content.startswith("Question: ")
    assert "Text:" not in old[0].messages[1].content
    with pytest.raises(TrainingError, match="no question-answer pairs of voltara"):
        closed_book_examples("voltara-electronics.pdf", read_facts(), 0)


def test_no_fact_file_and_damaged_rows_are_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_facts(tmp_path / "none.jsonl")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"fact": "a", "questions": ["b?"], "answer": "c"}\n{"fact": "a"}\n', encoding="utf-8")
    with pytest.raises(TrainingError, match="Line 2"):
        read_facts(bad)
    with pytest.raises(EvaluationError, match="two expectations"):
        read_changed_questions(bad)


def test_techniques_keep_their_order() -> None:
    found = stale(("rag+lora", "indexing", 1.0, 3, 2, 3), ("rag", "indexing", 1.0, 3, 2, 3))
    assert [one.strategy for one in found.figures] == ["rag+lora", "rag"]


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip("?. ")
