"""Greetings, thanks, the wish for a person and a language nobody reads are answered by a rule, and nothing else is."""

from __future__ import annotations

import pytest

from playground.answering.answer import BotSettings, answer_question
from playground.answering.rules import answer_by_rule, contact_of
from playground.documents import load_pasted
from playground.paths import ROOT
from tests.support.fakes import FakeChatModel
from tests.support.fakes_rag import QUESTIONS, ScriptedIndex, policy, read_rows

NORTHTRAIL = policy("northtrail-outdoor-v1.md")
KEPT_ASIDE = ROOT / "scenarios" / "return_policy" / "questions_kept_aside.jsonl"
GERMAN = "Sie können die Ware innerhalb von 14 Tagen zurückgeben, wenn sie nicht benutzt wurde. Das Porto zahlen wir."


def rule_of(message: str) -> str:
    ruled = answer_by_rule(message, NORTHTRAIL, english_only="Small")
    return ruled.rule if ruled else ""


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("hello", "greeting"),
        ("Hi there!", "greeting"),
        ("HELLO???", "greeting"),
        ("Good morning, how are you?", "greeting"),
        ("thanks", "thanks"),
        ("Ok great, thank you so much!", "thanks"),
        ("bye", "thanks"),
        ("a human, please", "hand-over"),
        ("a human pls", "hand-over"),
        ("Can I talk to a real person?", "hand-over"),
        ("I want to speak to someone about my order", "hand-over"),
        ("hi, can you connect me with customer service please", "hand-over"),
        ("Wie lange habe ich Zeit für die Rückgabe?", "language"),
        ("Combien de temps pour retourner un article ?", "language"),
        ("返品できますか", "language"),
        ("hi, can I return shoes?", ""),
        ("Can I phone you on a Monday?", ""),
        ("Who is the manager of the Boulder store?", ""),
        ("Thanks. How long do I have?", ""),
        ("how lnog do i have to retrun a jaket", ""),
        ("Is a person needed to sign for the pickup?", ""),
    ],
)
def test_a_rule_answers_a_whole_message_only(message: str, rule: str) -> None:
    assert rule_of(message) == rule


def test_no_question_that_is_measured_is_taken_by_a_rule() -> None:
    questions = [row["question"] for path in (QUESTIONS, KEPT_ASIDE) for row in read_rows(path)]
    assert len(questions) > 500
    assert [question for question in questions if rule_of(question)] == []


def test_who_wants_a_person_gets_the_contact_of_the_policy() -> None:
    ruled = answer_by_rule("a human, please", NORTHTRAIL)
    assert ruled is not None
    assert "1-800-555-0142" in ruled.text and "returns@northtrail.example" in ruled.text
    for citation in ruled.citations:
        assert NORTHTRAIL.text[citation.start : citation.end] == citation.text
    assert "repairs@" not in ruled.text  # the heading "Contact" comes first


def test_a_policy_without_a_contact_says_so() -> None:
    document = load_pasted("# Returns\n\nYou have 30 days. Order 12345 is an example.", "p.md")
    ruled = answer_by_rule("a human, please", document)
    assert contact_of(document) == ()
    assert ruled is not None and "names no phone number or email address" in ruled.text


def test_a_model_that_reads_english_only_declines_another_language_and_a_larger_one_tries() -> None:
    german = load_pasted(GERMAN, "p.md")
    model = FakeChatModel(lambda _: "14 Tage.")
    small, large = (
        BotSettings("Answer.", "whole_document", english_only="Small"),
        BotSettings("Answer.", "whole_document"),
    )
    declined = answer_question("How long do I have?", ScriptedIndex(german), model, small)
    assert declined.abstained and declined.rule == "language"
    assert declined.text.startswith("The policy is in German, and Small reads English only.")
    assert model.questions == []
    assert answer_question("Wie lange habe ich Zeit?", ScriptedIndex(german), model, large).text == "14 Tage."


def test_the_model_is_not_asked_what_a_rule_answers() -> None:
    model = FakeChatModel(lambda _: "I don't know.")
    answer = answer_question("hello", ScriptedIndex(NORTHTRAIL), model, BotSettings("Answer."))
    assert answer.text.startswith("Hello!") and answer.rule == "greeting" and not answer.abstained
    assert model.questions == [] and answer.completion.messages == ()
