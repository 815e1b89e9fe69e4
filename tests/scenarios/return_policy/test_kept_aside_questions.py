"""The kept-aside questions and policies are their own, and nothing of the app or its training knows them.

What every question must be, theirs included, is tested in test_return_policy_content.py.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from playground.answering.abstention import is_abstention
from playground.documents import SUPPORTED_SUFFIXES
from playground.paths import ROOT
from playground.types import Prediction
from scenarios.return_policy.evaluation import is_right
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.scenario import sample_policies
from tests.support.fakes_rag import QUESTIONS, read_rows

SCENARIO = ROOT / "scenarios" / "return_policy"
POLICIES = ROOT / "data" / "policies_kept_aside"
KEPT_ASIDE = SCENARIO / "questions_kept_aside.jsonl"
ROWS = read_rows(KEPT_ASIDE)
PHRASINGS = read_rows(ROOT / "tests" / "data" / "return_policy_kept_aside_phrasings.jsonl")
EXAMPLES = read_questions(KEPT_ASIDE, POLICIES)
NAMES = sorted(path.name for path in POLICIES.iterdir() if path.name != "README.md")


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def prediction(answer: str) -> Prediction:
    return Prediction(answer, None, {}, {"abstained": is_abstention(answer)})


def word_runs(text: str, length: int) -> set[str]:
    words = plain(text).split()
    return {" ".join(words[start : start + length]) for start in range(len(words) - length + 1)}


def test_there_are_enough_of_every_kind() -> None:
    tags = Counter(tag for row in ROWS for tag in row["tags"])
    per_policy = Counter(row["policy"] for row in ROWS)
    assert len(ROWS) >= 160
    assert sorted(per_policy) == NAMES
    assert len(NAMES) == 5
    assert min(per_policy.values()) >= 36
    assert 0.3 <= tags["unanswerable"] / len(ROWS) <= 0.4
    assert tags["two-passages"] >= 15
    assert tags["paraphrase"] >= 30
    assert tags["computed"] >= 20
    assert tags["table"] >= 10
    for name in NAMES:
        assert sum(not row["answerable"] for row in ROWS if row["policy"] == name) >= 12


def test_neither_always_yes_nor_always_no_pays() -> None:
    words = Counter(re.split(r"\W", row["example_answer"])[0] for row in ROWS if "yes-no" in row["tags"])
    assert set(words) == {"Yes", "No"}
    assert 0.4 <= words["Yes"] / words.total() <= 0.6


def test_no_policy_and_no_question_is_shared_with_the_main_set() -> None:
    main = read_rows(QUESTIONS)
    assert {row["policy"] for row in main}.isdisjoint(NAMES)
    assert {plain(row["question"]) for row in main}.isdisjoint(plain(row["question"]) for row in ROWS)
    assert {row["id"] for row in main}.isdisjoint(row["id"] for row in ROWS)
    assert len({plain(row["question"]) for row in ROWS}) == len(ROWS)


def test_no_kept_aside_policy_is_a_sample() -> None:
    assert all(name.endswith(SUPPORTED_SUFFIXES) for name in NAMES)
    assert {path.name for path in sample_policies()}.isdisjoint(NAMES)
    assert all(path.parent != POLICIES for path in sample_policies())


def test_nothing_that_is_trained_on_or_shown_to_a_model_holds_them() -> None:
    shops = {name.split("-")[0] for name in NAMES}
    questions = {plain(row["question"]) for row in ROWS if len(row["question"].split()) >= 6}
    phrases = set().union(*(word_runs((POLICIES / name).read_text(encoding="utf-8"), 12) for name in NAMES))
    texts = [
        *(path for folder in ("reader", "closed_book") for path in (SCENARIO / folder).rglob("*") if path.is_file()),
        *(SCENARIO / name for name in ("few_shot.json", "suggested.json", "system_prompt.txt", "changed_facts.jsonl")),
    ]
    read = [path for path in texts if path.suffix in {".py", ".json", ".jsonl", ".md", ".txt"}]
    assert len(read) > 10
    for path in read:
        text = plain(path.read_text(encoding="utf-8"))
        assert not [shop for shop in shops if shop in text], path
        assert not [question for question in questions if question in text], path
        assert not phrases & word_runs(text, 12), path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_the_metric_judges_an_example_answer_and_an_abstention(example: Any) -> None:
    answerable = bool(example.metadata["answerable"])
    for abstention in ("I don't know.", "The text does not say."):
        assert is_right(prediction(abstention), example) == float(not answerable)
    if answerable:
        assert is_right(prediction(example.target), example) == 1.0
    else:
        for guess in ("Yes.", "No.", "30 days.", "$25."):
            assert is_right(prediction(guess), example) == 0.0


def test_no_answer_to_them_is_taken_for_an_abstention() -> None:
    texts = [row["example_answer"] for row in ROWS if row["answerable"]]
    texts += [text for row in PHRASINGS for text in row["right"] + row["wrong"]]
    assert len(texts) > 500
    assert [text for text in texts if is_abstention(text)] == []


def test_every_question_has_two_wrong_answers_to_refuse() -> None:
    assert [row["id"] for row in PHRASINGS if len(row["wrong"]) < 2 or not row["right"]] == []
