"""An answer that says the opposite of what it cites is warned of; an answer that is right is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.answering.contradictions import contradicting
from playground.types import Citation


def cited(text: str, heading: str = "") -> Citation:
    return Citation("d", "p.md", 0, len(text), text, 1.0, 1, heading_path=(heading,) if heading else ())


@pytest.mark.parametrize(
    ("question", "answer", "text", "heading"),
    [
        ("Is the label free?", "Yes, the label is free of charge.", "A prepaid label costs $7.95.", ""),
        ("What does the label cost?", "The label is free.", "A prepaid label costs $7.95.", ""),
        (
            "Do I pay for the exchange?",
            "Yes, you pay a fee of 5 dollars.",
            "An exchange ships at no charge.",
            "",
        ),
        (
            "Can I return a gift card?",
            "Yes, gift cards can be returned.",
            "Gift cards and passes.",
            "Items we cannot take back",
        ),
        ("Is cat litter returnable?", "Yes.", "Cat litter is non-returnable.", ""),
        (
            "May I bring it to Antwerp?",
            "No, Antwerp takes none.",
            "You may return online orders in Lyon and Antwerp.",
            "",
        ),
        (
            "I took the hygiene seal off. Can I return them?",
            "Yes, earbuds can be returned.",
            "Earbuds, once the hygiene seal has been removed;",
            "Goods excluded from return",
        ),
    ],
)
def test_the_opposite_is_warned_of(question: str, answer: str, text: str, heading: str) -> None:
    assert contradicting(answer, (cited(text, heading),), question) == (cited(text, heading),)


@pytest.mark.parametrize(
    ("question", "answer", "text", "heading"),
    [
        ("Is the label free?", "No, it costs $7.95.", "A prepaid label costs $7.95.", ""),
        ("What does the label cost?", "The label is free.", "The label is free when the order was above $75.", ""),
        ("Can I return a gift card?", "No.", "Gift cards and passes.", "Items we cannot take back"),
        ("Can I return unopened filters?", "Yes.", "Filters once the bag is opened.", "Items we cannot take back"),
        (
            "Can I return a rope?",
            "Yes, if the tag is on.",
            "Ropes once the seal is removed.",
            "Items we cannot take back",
        ),
        ("How long do I have?", "You have 60 days.", "You cannot return ropes.", ""),
        ("Can I return shoes?", "Yes, you can return shoes.", "You may return most items within 60 days.", ""),
    ],
)
def test_what_agrees_or_cannot_be_told_is_not(question: str, answer: str, text: str, heading: str) -> None:
    assert contradicting(answer, (cited(text, heading),), question) == ()


def test_where_the_cited_sentences_say_both_there_is_no_warning() -> None:
    both = cited("A second label costs $7.95."), replace(cited("The first label is free of charge."), start=40)
    assert contradicting("The label is free.", both, "What does the label cost?") == ()
    assert contradicting("The label is free.", (), "What does the label cost?") == ()
