"""Arithmetic beside the model: every line is right, and says nothing that its two numbers do not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.answering.arithmetic import MOST_LINES, worked_lines

WINDOW = "Return it within 60 days. Members get 15 extra days. Lamps: thirty (30) days. Refund in 5 business days."
FEES = "The pickup costs $49. A fee of 10% of the price applies. Free above $75."


@pytest.mark.parametrize(
    ("question", "passage", "line"),
    [
        ("Delivered on May 3, what is the last day?", WINDOW, "60 days after May 3 is July 2."),
        ("It came on 3 May. Last day?", WINDOW, "60 days after 3 May is 2 July."),
        ("It came on December 20.", "You have 3 weeks.", "3 weeks after December 20 is January 10."),
        ("Bought on January 31.", "One month, that is 1 month.", "1 month after January 31 is February 28."),
        ("How many days in total for members?", WINDOW, "60 days plus 15 days is 75 days."),
        ("I have had it for 40 days.", WINDOW, "40 days is less than 60 days."),
        ("I have had it for six weeks.", "Within 30 days.", "6 weeks is more than 30 days."),
        ("My kayak was $640, what fee?", FEES, "10% of $640 is $64; without it $576, with it added $704."),
        ("The order was $82, is it free?", FEES, "$82 is more than $75."),
        ("I paid 120 dollars, what do I get back?", FEES, "$120 less $49 is $71."),
        ("Der Preis war 20,50 €?", "A label costs 5,25 €.", "20,50 € is more than 5,25 €."),
    ],
)
def test_a_line_follows_from_two_numbers(question: str, passage: str, line: str) -> None:
    assert line in worked_lines(question, [passage])


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("Hello!", WINDOW),
        ("How long do I have?", WINDOW),
        ("It cost $20.", "You have 30 days."),
        ("It cost €20.", "A label costs $5."),
        ("Delivered on February 30.", WINDOW),
        ("How much in total?", "It takes 3 days. The label costs $5."),
        ("How many days in total?", "3 days. 5 business days."),
    ],
)
def test_numbers_that_have_nothing_to_do_with_each_other_give_none(question: str, passage: str) -> None:
    assert worked_lines(question, [passage]) == ()


@given(st.integers(1, 900), st.integers(1, 900), st.integers(1, 90))
def test_every_line_is_right(price: int, fee: int, share: int) -> None:
    lines = worked_lines(f"I paid ${price}. What do I get back in total?", [f"We keep ${fee} or {share}%."])
    for line in lines:
        if found := re.fullmatch(r"\$([\d,.]+) less \$([\d,.]+) is \$([\d,.]+)\.", line):
            whole, part, rest = (float(number.replace(",", "")) for number in found.groups())
            assert whole - part == pytest.approx(rest)
        elif found := re.match(r"(\d+)% of \$(\d+) is \$([\d,.]+);", line):
            assert float(found[3].replace(",", "")) == pytest.approx(price * share / 100, abs=0.0051)
        elif found := re.match(r"\$(\d+) is (more than|less than|exactly) \$(\d+)", line):
            assert (int(found[1]) > int(found[3])) == (found[2] == "more than")
    assert any(line.startswith(f"{share}% of ${price} is ") for line in lines)


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_is_survived(question: str, passage: str) -> None:
    assert len(worked_lines(question, [passage])) <= MOST_LINES


def test_a_very_long_text_takes_no_longer_than_its_beginning() -> None:
    text = "5 days, $3, 7%, " * 100_000
    assert worked_lines("It cost $9 on May 3. Total back?", [text]) == worked_lines(
        "It cost $9 on May 3. Total back?", [text[:6_000]]
    )
