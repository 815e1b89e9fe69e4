"""Abstentions are recognised in every natural form; an answer that states a fact of its own is none."""

from __future__ import annotations

import pytest

from playground.answering.abstention import is_abstention
from playground.text.sentences import cited_units
from tests.support.fakes_rag import PHRASINGS, QUESTIONS, policy, read_rows

ABSTENTIONS = (
    "I don't know.",
    "I don\u2019t know",
    "I do not know",
    "'I don't know.'",
    '"I don\'t know."',
    "**I don't know.**",
    "i dont know",
    "Sorry, I don't know.",
    "I'm sorry, but I don't know.",
    "I\u2019m sorry, but I don\u2019t know the answer to that question.",
    "I am afraid I don't know.",
    "Unfortunately, I don't know.",
    "I'm not sure.",
    "I am not sure about that.",
    "I'm unsure.",
    "I don't know about the parking.",
    "Don't know.",
    "No idea.",
    "Unknown.",
    "The text does not mention parking.",
    "The provided text doesn't mention parking.",
    "The text provided does not contain any information about parking.",
    "The text does not say.",
    "The policy does not specify whether gift wrapping is refunded.",
    "This document doesn\u2019t state the price of a membership.",
    "The passages do not answer the question.",
    "The answer is not in the text.",
    "The answer isn't in the provided text.",
    "That information is not provided.",
    "There is no information about parking in the text.",
    "There's no mention of parking.",
    "No information is given about parking.",
    "It is not mentioned in the text.",
    "It's not mentioned.",
    "Not mentioned in the text.",
    "Based on the provided text, I don't know.",
    "Based on the provided text, there is no information about parking.",
    "According to the text, it is not specified.",
    "Answer: I don't know.",
    "The answer is: I don't know.",
    "I cannot answer that.",
    "I can't find that in the text.",
    "I cannot find any information about parking in the provided text.",
    "I'm unable to answer this question.",
    "I do not have enough information to answer.",
    "I don't have that information.",
    "I have no information about that.",
    "I couldn't find an answer in the policy.",
    "The cost of gift wrapping is not mentioned in the text.",
    "The price of membership isn't stated.",
    "None of the passages mention parking.",
    "Nothing in the text says that.",
    "The policy is silent on parking.",
    "The text says nothing about parking.",
    "I don't know. Please contact customer service.",
    "I don't know. The text does not mention parking.",
    "I don't know, sorry.",
    "I don't know; it's not in the text.",
    "I don't know - the text only covers returns.",
    "I don't know. The passages name the return days of the studio shop but say nothing about parking.",
    "The text does not mention gloves. However, it says that boots come back within 21 days.",
    "I don't know, but you can ask the shop.",
    "The text doesn't mention parking, so I don't know.",
    "No, the text does not mention parking.",
    "I'm not sure, please check with the store.",
    "It doesn't say.",
    "Sorry, the text does not say anything about that. Is there anything else I can help with?",
    "I don't know whether you can return it in a store.",
    "I don't know if, in that case, the fee is refunded.",
    "I don't see anything about that in the policy.",
    "I don't know. I don't know.",
    "  \n I don't know.\n",
    "I DON'T KNOW",
    "I do not have access to that information.",
    "I was unable to find an answer.",
    "No information about parking is available.",
    "The terms do not address this.",
    "I don't think the text mentions it.",
    "The text does not mention parking. It only covers returns.",
    "Unfortunately, the policy doesn't say. You may want to contact the shop.",
    "It isn't clear from the text.",
)
ANSWERS = (
    "I don't know about X, but you can return it within 30 days.",
    "I don't know about gloves, but they come back within 30 days.",
    "I'm not sure, but I think it is 30 days.",
    "I don't know, you can return it within 30 days.",
    "You can return it within 30 days.",
    "60 days.",
    "No.",
    "No, it cannot be returned.",
    "Unfortunately, climbing gear cannot be returned.",
    "I'm sorry, but ropes cannot be returned once the tag is removed.",
    "The warranty does not cover campfire burns.",
    "Campfire burns are not covered.",
    "The policy does not cover dog bites.",
    "The policy does not include shipping charges.",
    "It does not have to reach us by then.",
    "It is not refundable.",
    "The text does not say so directly, but it states that all sales are final.",
    "The policy does not specifically mention gloves, but it says all clothing can be returned within 60 days.",
    "Boots: 21 days. I don't know about gloves.",
    "The text does not mention gloves, so they can be returned within 60 days.",
    "I don't know. You have 60 days.",
    "There is no restocking fee.",
    "There is no fee for faulty items.",
    "No information is needed to return it.",
    "Requests made by telephone are not accepted.",
    "You don't know the deadline until the parcel is scanned.",
    "Express delivery is not included.",
    "We do not provide labels outside the United States.",
    "The text says you have 60 days.",
    "Yes, if you know the order number.",
    "They cannot be found in stores.",
    "Customers who do not know the order number can call us.",
    "Original packaging is not required.",
    "The label is not free.",
    "There's nothing to refund.",
    "The information is on the label.",
    "Unknown items cannot be returned.",
    "",
    "?",
    "I don't know. It costs $5.",
    "The text does not mention gloves, but gloves can be returned.",
    "I know that you have 60 days.",
    "Nothing is deducted.",
    "No, only within 14 days.",
    "There is nothing to pay.",
    "Not covered.",
)


@pytest.mark.parametrize("text", ABSTENTIONS)
def test_declining_is_an_abstention(text: str) -> None:
    assert is_abstention(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_stating_a_fact_is_none(text: str) -> None:
    assert not is_abstention(text)


@pytest.mark.parametrize(
    ("before", "after"), [("\u201c", "\u201d"), ("'", "'"), ("**", "**"), ("> ", ""), ("Answer: ", ""), ("", "\n\n")]
)
def test_what_surrounds_the_answer_does_not_matter(before: str, after: str) -> None:
    assert is_abstention(f"{before}I don't know.{after}")
    assert not is_abstention(f"{before}60 days.{after}")


def test_no_answer_to_the_project_s_questions_is_taken_for_one() -> None:
    texts = [row["example_answer"] for row in read_rows(QUESTIONS) if row["answerable"]]
    texts += [text for row in read_rows(PHRASINGS) for text in row["right"] + row["wrong"]]
    assert len(texts) > 400
    assert [text for text in texts if is_abstention(text)] == []


def test_no_sentence_of_a_policy_is_taken_for_one() -> None:
    for name in ("northtrail-outdoor-v1.md", "hearth-and-oak-furniture.html", "pawsome-pantry.txt"):
        document = policy(name)
        sentences = [document.text[start:end] for start, end in cited_units(document, 0, len(document.text))]
        assert len(sentences) > 60
        assert [sentence for sentence in sentences if is_abstention(sentence)] == []


@pytest.mark.parametrize(
    "piece", ["i ", "the ", "the text ", "sorry ", "in a, ", "and ", "no, ", "\n", ". ", "a", "(", " "]
)
def test_long_text_is_read_to_its_bound(piece: str) -> None:
    # Backtracking that grows with a power of the text would take minutes here.
    assert not is_abstention(piece * 20_000)
    assert not is_abstention("You have 60 days. " + piece * 20_000)
    assert is_abstention("I don't know." + " " * 2_000 + "You have 60 days.") == is_abstention("I don't know.")
