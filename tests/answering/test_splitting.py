"""Two questions in one message are taken apart, and one question is left as it is."""

from __future__ import annotations

import pytest

from playground.answering.splitting import split_questions


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        (
            "What does a label cost and how long does the refund take?",
            ("What does a label cost?", "How long does the refund take?"),
        ),
        (
            "My tent arrived broken. Who pays the shipping? And how long does a refund take?",
            ("My tent arrived broken. Who pays the shipping?", "How long does a refund take?"),
        ),
        ("Can I return shoes, and what about opened ones?", ("Can I return shoes?", "What about opened ones?")),
        (
            "whats the label cost and how long til i get my money",
            ("Whats the label cost?", "How long til i get my money?"),
        ),
        ("How long do I have? And for members?", ("How long do I have?", "And for members?")),
        (
            "A dress I bought was 60% off. How many days do I have and what form is the refund?",
            (
                "A dress I bought was 60% off. How many days do I have?",
                "A dress I bought was 60% off. What form is the refund?",
            ),
        ),
    ],
)
def test_questions_are_taken_apart(message: str, questions: tuple[str, ...]) -> None:
    assert split_questions(message) == questions


@pytest.mark.parametrize(
    "message",
    [
        "How long do I have?",
        "How and when do I get my money?",
        "Who pays and how much is it?",
        "Can I return shoes and boots?",
        "What is the fee for kayaks and paddle boards?",
        "Really? Why?",
        "hello",
        "",
        "a? " * 200,
        "What is this and how is that " * 60 + "?",
    ],
)
def test_one_question_stays_one(message: str) -> None:
    assert split_questions(message) == (message,)
