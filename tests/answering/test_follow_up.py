"""Follow-ups are searched with the question that they lean on, other questions alone."""

from __future__ import annotations

import pytest

from playground.answering.follow_up import is_follow_up, standalone_query
from tests.support.fakes_rag import QUESTIONS, read_rows

FOLLOW_UPS = (
    "Is that refunded?",
    "and for opened ones?",
    "And in Alaska?",
    "what about gift cards?",
    "How about shoes?",
    "Can I return it if I opened it?",
    "How long does it take?",
    "Does that apply to shoes?",
    "Can I return that?",
    "Why?",
    "Why not?",
    "So how long?",
    "What if I opened it?",
    "For members?",
    "Opened ones?",
    "Shoes?",
    "Is it free if I live in Alaska?",
    "What does it cost if I live in Hawaii?",
    "How much is that?",
    "Do they refund them in cash?",
    "Are those free?",
    "Is that fee refundable?",
    "Or can I get my money back?",
    "Who pays for it?",
    "Same for boots?",
    "And if it's broken?",
    "without the box?",
    "if opened?",
    "But why?",
    "Is there a fee for that?",
    "Can I bring it there?",
    "Does it also cover zippers?",
    "How long do I have then?",
    "Also for sale items?",
    "and how much is it for 12 kg",
)
STANDALONE = (
    "How is an order refunded that was paid with PayPal?",
    "Is it free to call off my booking two days before pick-up?",
    "How many days do I have to tell you that you sent the wrong variety?",
    "How long does a refund take?",
    "Is there a fee for returning an item?",
    "How long does it take to get a refund?",
    "Is it possible to exchange shoes?",
    "Can I return boots if I wore them outside?",
    "My tent arrived damaged, can I return it?",
    "I want to return shoes that I wore once.",
    "Can I return this jacket?",
    "What does a Summit Club membership cost per year?",
    "How many days do I have to return something?",
    "Who pays for return shipping?",
    "Which items cannot be returned?",
    "What if my parcel arrives damaged?",
    "Why do you charge a restocking fee?",
    "Do you repair items after the warranty has ended?",
    "What is the phone number?",
    "Can I return a gift?",
    "Are there items that cannot be returned?",
    "Is the return label free for a $90 order?",
    "So is the restocking fee refunded for faulty kayaks?",
    "Does one of your stores take back kayaks?",
    "How much does it cost to return a kayak?",
    "When are you open?",
    "What time does the chat close on a Tuesday?",
    "Max length of a pause?",
    "Where is the Bend store?",
    "What if the box is gone?",
    "",
    "?",
    "I ordered a tent and two sleeping bags last week and would like to know whether they can be returned to you.",
)


@pytest.mark.parametrize("question", FOLLOW_UPS)
def test_follow_up_is_recognised(question: str) -> None:
    assert is_follow_up(question)
    assert is_follow_up(f"  \u201c{question.upper()}\n") == is_follow_up(f"\u201c{question}")


@pytest.mark.parametrize("question", STANDALONE)
def test_question_of_its_own_is_left_alone(question: str) -> None:
    assert not is_follow_up(question)


def test_none_of_the_project_s_questions_is_taken_for_one() -> None:
    questions = [row["question"] for row in read_rows(QUESTIONS)]
    assert len(questions) > 200
    assert [question for question in questions if is_follow_up(question)] == []


def test_a_question_is_searched_with_what_it_leans_on() -> None:
    boots = "How long can I return boots?"
    assert standalone_query("And for opened ones?", [boots]) == f"{boots} And for opened ones?"
    assert standalone_query("How long does a refund take?", [boots]) == "How long does a refund take?"
    assert standalone_query("And for opened ones?", []) == "And for opened ones?"


def test_a_chain_of_follow_ups_reaches_its_first_question_and_no_further() -> None:
    earlier = ["What does a label cost?", "How long can I return boots?", "and for opened ones?"]
    assert (
        standalone_query("and in Alaska?", earlier)
        == "How long can I return boots? and for opened ones? and in Alaska?"
    )


@pytest.mark.parametrize("piece", ["it ", "is it ", "one ", "and ", "how ", "?", " "])
def test_long_questions_are_read_in_bounded_time(piece: str) -> None:
    # Backtracking that grows with the square of the text would take minutes here.
    assert not is_follow_up(piece * 20_000)
