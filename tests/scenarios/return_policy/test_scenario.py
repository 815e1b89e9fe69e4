"""The scenario's files are found, and its suggestions fit policies that it has never seen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from playground.answering.prompt import Mode
from playground.documents import load_pasted
from playground.paths import POLICIES
from scenarios.return_policy import scenario
from scenarios.return_policy.request import QUESTIONS
from scenarios.return_policy.scenario import (
    DEFAULT_POLICY,
    MODES,
    few_shot_examples,
    sample_policies,
    suggested_questions,
    system_prompt,
)
from tests.support.fakes_rag import policy

OUTSIDE = """# Bean & Leaf

Beans can be sent back within 20 days. The refund arrives in 3 working days.
A return fee of $4 applies. Opened bags cannot be returned.
"""


def suggestions(text: str) -> tuple[str, ...]:
    return suggested_questions(load_pasted(text, "outside.md"))


# Files


def test_the_system_prompt_is_the_article_s() -> None:
    assert system_prompt() == (
        "You are a helpful assistant. Use the provided text to answer the user. "
        "If the answer is not in the text, say 'I don't know.'"
    )


def test_there_are_three_to_five_examples_with_reasoning_and_one_abstention() -> None:
    examples = few_shot_examples()
    assert 3 <= len(examples) <= 5
    assert all(e.passages and e.question and e.answer and e.reasoning for e in examples)
    assert [e.answer for e in examples].count("I don't know.") == 1
    described = next(mode.explanation for mode in MODES if mode.mode == "rag_few_shot")
    assert {3: "three", 4: "four", 5: "five"}[len(examples)] in described


def test_every_mode_is_described_once() -> None:
    assert [mode.mode for mode in MODES] == list(get_args(Mode))
    for field in ("strategy", "title", "explanation"):
        assert len({getattr(mode, field) for mode in MODES}) == len(MODES)


def test_the_sample_policies_are_found() -> None:
    names = [path.name for path in sample_policies()]
    assert names == sorted(names)
    assert len(names) == 6
    assert DEFAULT_POLICY in names
    assert all(path.is_file() and path.parent == POLICIES for path in sample_policies())
    assert QUESTIONS.is_file()


def test_other_files_beside_the_samples_are_no_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.md", "a.pdf", "README.md", ".DS_Store", ".hidden.md", "b.md~", "notes.xlsx"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.md").mkdir()
    monkeypatch.setattr(scenario, "POLICIES", tmp_path)
    assert [path.name for path in sample_policies()] == ["a.pdf", "b.md"]


# Suggestions


def test_a_shipped_policy_has_its_own_suggestions() -> None:
    for path in sample_policies():
        questions = suggested_questions(policy(path.name))
        assert 3 <= len(questions) <= 5
        assert len(set(questions)) == len(questions)
    assert suggested_questions(policy(DEFAULT_POLICY))[2].startswith("How long after the inspection")


def test_an_outside_policy_has_questions_on_what_it_mentions_and_one_it_does_not() -> None:
    assert suggestions(OUTSIDE) == (
        "How long do I have to return something?",
        "Is there a fee for returning an item?",
        "Which items cannot be returned?",
        "How long does a refund take?",
        "Do you repair items after the warranty has ended?",
    )


@pytest.mark.parametrize("name", [path.name for path in sample_policies()])
def test_a_shipped_policy_under_another_name_has_five(name: str) -> None:
    questions = suggested_questions(replace(policy(name), source="outside.txt"))
    assert len(set(questions)) == 5


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("You have fourteen days.", "How long do I have to return something?"),
        ("A 30-day window applies.", "How long do I have to return something?"),
        ("Restocking fees apply.", "Is there a fee for returning an item?"),
        ("Hats can\u2019t be returned.", "Which items cannot be returned?"),
        ("Socks are non-returnable.", "Which items cannot be returned?"),
        ("ALL SALES ARE FINAL SALE", "Which items cannot be returned?"),
        ("If it arrives broken, write to us.", "What should I do if my item arrives damaged?"),
        ("The return label is free.", "Who pays for return shipping?"),
        ("Exchanges are free.", "Can I exchange an item instead of returning it?"),
        ("A gift is refunded to the giver.", "Can I return a gift?"),
        ("We issue refunds quickly.", "How long does a refund take?"),
    ],
)
def test_a_subject_brings_its_question(text: str, question: str) -> None:
    assert question in suggestions(text)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Open on Monday and every day.", "How long do I have to return something?"),
        ("Coffee and feedback are welcome.", "Is there a fee for returning an item?"),
        ("Gift cards are sold here.", "Can I return a gift?"),
        ("We are exchange students.", "Who pays for return shipping?"),
    ],
)
def test_a_word_that_only_looks_like_the_subject_does_not(text: str, question: str) -> None:
    assert question not in suggestions(text)


@pytest.mark.parametrize(
    ("mentioned", "unanswerable"),
    [
        ("", "Do you repair items after the warranty has ended?"),
        ("We repair boots.", "Is there a discount for students?"),
        ("We repair boots. Discounts exist.", "Where can I park at your store?"),
        ("We repair boots. Discounts exist. Parking is free.", "How do I apply for a job at your company?"),
    ],
)
def test_the_last_question_is_about_nothing_in_the_policy(mentioned: str, unanswerable: str) -> None:
    assert suggestions(f"{OUTSIDE} {mentioned}")[-1] == unanswerable


def test_with_every_subject_mentioned_there_are_at_most_five() -> None:
    everything = f"{OUTSIDE} repairs, discounts, parking, jobs, gifts, exchanges, postage, damaged"
    questions = suggestions(everything)
    assert len(questions) == 4
    assert not any(re.search("repair|student|park|job", question) for question in questions)


@pytest.mark.parametrize("text", ["Lorem ipsum dolor sit amet.", "R\u00fcckgabe nur mit Beleg."])
def test_a_text_about_something_else_has_one_question_that_fits_any(text: str) -> None:
    assert len(suggestions(text)) == 1


def test_subjects_are_found_across_line_ends() -> None:
    assert "Is there a fee for returning an item?" in suggestions("We charge a return\nfee.")
