"""A sentence goes on over the end of a line, a paragraph or a page where its words say so."""

from __future__ import annotations

import pytest

from playground.text.line_breaks import ends_sentence, runs_on, tail_of
from playground.text.page_furniture import PageFurniture, is_page_line

SENTENCE = "The Supplier shall deliver the goods to the Customer"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{SENTENCE} within", "30 days after the order."),
        ("and shall pay interest on late sums at the rate of", "4 percent a year."),
        ("A claim for a price adjustment must be brought under", "Section 5 of this Agreement."),
        ("in the manner that is set out in paragraph", "(b) of that section."),
        ("as is set out in paragraphs (a) and", "(b) of that section."),
        ("subject to the requirements of Sections 10.3, 10.4 and", "10.7 of this Agreement."),
        ("shall not exceed the sum of", "2.5 million crowns in any year."),
        ("on notice of not less than sixty", "(60) days given to the other party."),
        ("and on the events that are listed in Article", "IV of the Master Terms."),
        ("is granted for each of the sites", "- other than the site in Norden - and for no other purpose."),
        ("shall be governed by the laws of the", "State of Narvia."),
        ("the Customer, the Supplier and their affiliates,", "Inc. or Ltd., shall keep it."),
        ("shall pay a fee of $", "500 each year."),
        (f"{SENTENCE} at", "1234 Main Street."),
        ("IN NO EVENT IS THE LIABILITY OF EITHER PARTY UNDER THIS", "SECTION 9 LIMITED."),
    ],
)
def test_the_next_line_goes_on_with_the_sentence(before: str, after: str) -> None:
    assert runs_on(before, after, blank=False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{SENTENCE}.", "30 days later it is due."),
        (f"{SENTENCE}:", "(a) at its cost; and"),
        (f"{SENTENCE}; and", "(b) at its risk."),
        ("The Supplier shall, and shall make its agents,", "(a) pay the fee."),
        ("1. DEFINITIONS", "Section 2 of the Master Terms applies."),
        ("by and between", "ACME INC."),
        ("We take back what you bought in our shops", "- shoes\n- hats"),
        ("We take back what you bought - by post", "- shoes - unworn\n- hats - with a label"),
        (f"{SENTENCE} and", "(c) it pays."),
        ("for the purpose of this paragraph by notice given pursuant to this paragraph", "9.6. NO AGENCY. The parties"),
        ("Fees from the sales of the site that are named in this article", "14.1 The Site sells."),
        ("The price list of the goods", "2.1 Steel is sold by weight."),
        ("The Parties therefore agree on the terms that follow, and", "WHEREAS the Supplier makes goods."),
        ("", "Text."),
        (SENTENCE, ""),
    ],
)
def test_the_next_line_begins_something(before: str, after: str) -> None:
    assert not runs_on(before, after, blank=False)


def test_over_a_blank_line_a_number_begins_a_row_unless_the_sentence_needs_one() -> None:
    assert runs_on(f"{SENTENCE} within", "30 days after the order.", blank=True)
    assert not runs_on("Month-end support for the accounts of the Customer", "12 months from the start", blank=True)
    assert not runs_on(f"{SENTENCE}; and", "the other goods.", blank=True)
    assert runs_on(f"{SENTENCE}, and", "the other goods.", blank=True)


def test_what_ends_a_sentence() -> None:
    assert all(map(ends_sentence, ("It ends.", 'He said "no."', "as follows:", "first;", "(It ends.)", "really?")))
    assert not any(map(ends_sentence, ("it goes on", "one,", "(a)", "")))


def test_only_the_paragraph_before_a_break_is_read() -> None:
    assert tail_of("One.\n\nTwo words  \n", 18) == "Two words"


@pytest.mark.parametrize(
    "line", ["12", "- 12 -", "Page 3 of 12", "iv", "A-15", "<PAGE>", "<PAGE>  7", "<S>   <C>", "CONFIDENTIAL", "(3)"]
)
def test_lines_of_a_page(line: str) -> None:
    assert is_page_line(line)


@pytest.mark.parametrize("line", ["12 days", "Page the driver", "Schedule 1", "civil", "<NAME>", "Draft Terms", "5.1"])
def test_lines_of_a_text(line: str) -> None:
    assert not is_page_line(line)


def test_a_sentence_goes_on_behind_a_running_head_that_stands_three_times() -> None:
    head = "Acme Supply Agreement, draft {0}\n\n"
    text = f"{head.format(1)}{SENTENCE} and\n\n{head.format(2)}Norden. It ends here.\n\n{head.format(3)}It begins.\n"
    pages = PageFurniture.of(text)
    assert pages.sentence_runs_on(text, text.index("Acme", 5))
    assert pages.sentence_runs_on(text, text.index("Norden"))
    assert not pages.sentence_runs_on(text, text.rindex("Acme"))
    assert not pages.sentence_runs_on(text, text.index("It begins"))
    assert not PageFurniture().sentence_runs_on(text, text.index("Norden"))


def test_the_last_word_of_sentences_is_no_running_head() -> None:
    part = "The Parties keep the terms of this\nAgreement.\n\nSection {0}. Payment is due.\n\n"
    paged = "The Parties keep the terms of this\n\n {0}\n\nAgreement.\n\nSection {0}. Payment is due.\n\n"
    text = "".join((part + paged).format(number) for number in range(1, 9))
    pages = PageFurniture.of(text)
    assert "Agreement." not in pages.repeated
    for number in range(1, 9):
        assert not pages.sentence_runs_on(text, text.index(f"Section {number}"))
