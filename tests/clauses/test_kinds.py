"""Signatures, tables of contents and definitions are told from the clauses that bind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from playground.clauses.kinds import Kind, kinds_of
from playground.types import Block

BODY = "The Supplier shall pay the Customer the sums that are due under this Agreement."


def kinds(*pieces: str, blocks: Sequence[Block | None] = ()) -> list[str]:
    return [kind.kind for kind in kinds_of([f"{piece}\n\n" for piece in pieces], blocks)]


def test_a_signature_page_begins_with_its_title_and_ends_with_an_attachment() -> None:
    assert kinds(
        BODY,
        "Signatures",
        "Done in two originals.",
        "For ACME LTD",
        "Ann Day, Director",
        "Schedule 1",
        "All prices are net.",
    ) == ["body", "heading", "signature", "signature", "signature", "heading", "body"]


def test_a_signature_page_begins_with_in_witness_whereof() -> None:
    pieces = (
        "IN WITNESS WHEREOF, the parties shall sign below.",
        "ACME LTD",
        "By: ______",
        "Name: Ann Day",
        "EXHIBIT B",
    )
    assert kinds(BODY, *pieces) == ["body", *["signature"] * 4, "heading"]


@pytest.mark.parametrize(
    "after",
    [
        BODY,
        "1. The Supplier keeps records.",
        "2.1 Rent is due monthly.",
        "The Supplier keeps the records of its work, " * 8,
        "ARTICLE 4",
    ],
)
def test_a_clause_after_the_signatures_binds(after: str) -> None:
    found = kinds("Signatures", "By: ______", after, "Small print.")
    assert found[1] == "signature"
    assert found[2:] == ["heading" if after.startswith("ARTICLE") else "body", "body"]


def test_terms_below_the_signatures_of_an_order_are_no_signatures() -> None:
    assert kinds("SIGNED", "By: ______", "TERMS AND CONDITIONS", "1. Fees. The fees are due.") == [
        "heading",
        "signature",
        "heading",
        "body",
    ]


def test_signatures_without_a_page_take_their_labels_and_names_along() -> None:
    assert kinds(BODY, "ACME LTD", "By: /s/ Ann Day", "Name: Ann Day", "Title: Director", BODY) == [
        "body",
        "signature",
        "signature",
        "signature",
        "signature",
        "body",
    ]
    assert kinds("8. GENERAL", "By: ______") == ["heading", "signature"]
    assert kinds("Name: the buyer of goods", BODY) == ["body", "body"]


def test_several_signatures_in_one_piece() -> None:
    block = "ACME LTD By: /s/ Ann Day Name: Ann Day Title: Director OTHER INC. By: /s/ Bo Lee Name: Bo Lee Title: CEO"
    assert kinds(block, f"{block} {block} {block}") == ["signature", "signature"]


@pytest.mark.parametrize(
    "line",
    [
        "Licensee shall pay $________ on ________ of each year.",
        "The rent is $________ a month and is due on the ________ day of each month.",
        "The cap is ________ dollars; it covers ________ and ________ and all else,",
        "The goods are approved by: the buyer, who will state its name: and the date:",
    ],
)
def test_a_blank_in_a_sentence_is_no_signature(line: str) -> None:
    assert kinds(line) == ["body"]


def test_contents_under_their_title_and_by_their_page_numbers() -> None:
    assert kinds("Contents", "1. Fees ...... 2", "2. Term 4", "Annex", "3. Law 9", BODY, BODY) == [
        *["table_of_contents"] * 5,
        "body",
        "body",
    ]
    rows = [f"{number}. Fees ........ {number}" for number in range(1, 5)]
    assert kinds(*rows, BODY) == [*["table_of_contents"] * 4, "body"]
    assert kinds(*rows[:2], BODY)[:2] != ["table_of_contents"] * 2
    assert kinds("Fees .... 1 Term .... 2 Law .... 3 Notices .... 4")[0] == "table_of_contents"


def test_nothing_stands_above_a_table_of_contents() -> None:
    assert [kind.resets for kind in kinds_of(["Contents\n", "Fees .... 2\n", "Schedule 1\n", BODY])] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "piece",
    [
        '"Territory" means Singapore, Malaysia, Indonesia, Thailand and the Philippines.',
        "1.1 \u201cAffiliate\u201d shall mean any corporation.",
        '(a) "Fee" has the meaning given in Schedule 1.',
        "The term \u201cTerm\u201d or \u201cDuration\u201d refers to one year.",
        '"SEC" means the Securities and Exchange Commission.',
        '"Charges": the sums payable.',
    ],
)
def test_definitions(piece: str) -> None:
    assert kinds(piece) == ["definition"]


@pytest.mark.parametrize(
    "piece",
    [
        '"Losses" means all losses, and the Supplier shall indemnify the Customer against all of them.',
        '"Cap" means that in no event shall the aggregate liability of the Supplier exceed the fees paid.',
        '"Exclusive Territory" means Norway, in which the Supplier shall not appoint any other distributor.',
    ],
)
def test_a_definition_that_binds_somebody_is_no_mere_definition(piece: str) -> None:
    assert [kind.kind for kind in kinds_of([piece])] == ["body"]


def test_quoted_terms_are_definitions_in_a_section_of_definitions_only() -> None:
    term = '"Fee" - the sum in Schedule 1, without tax.'
    assert kinds("1. DEFINITIONS", term, "2. FEES", term) == ["heading", "definition", "heading", "body"]
    row = Block("table_row", 0, 1)
    assert kinds("1. DEFINITIONS", '"Fee" | the sum', "Item | Sum", blocks=[None, row, row])[1:] == [
        "definition",
        "body",
    ]


def test_a_definition_goes_on_until_somebody_is_bound() -> None:
    def of(*pieces: str) -> list[str]:
        return [kind.kind for kind in kinds_of(pieces)]

    term = '"Sales" means the price of all goods. '
    assert of(term, "It includes taxes. ", "Tenant shall report them. ", "It is done.") == [
        "definition",
        "definition",
        "body",
        "body",
    ]
    assert of(term, "It grants no licence. ")[1] == "body"
    assert of(term.strip() + "\n\n", "It includes taxes.")[1] == "body"
    block = Block("paragraph", 0, 1)
    assert kinds(term, "It includes taxes.", blocks=[block, block]) == ["definition", "definition"]
    assert kinds(term, "It includes taxes.", blocks=[block, Block("paragraph", 2, 3)]) == ["definition", "body"]
    assert kinds("1. DEFINITIONS", term, "(a) goods; and", "(b) Tenant will pay;")[2:] == ["definition", "body"]


def test_a_running_head_is_a_heading_without_a_title() -> None:
    found = kinds_of(["ACME LEASE\n", BODY] * 3)
    assert found[::2] == [Kind("heading")] * 3
    assert kinds_of(["ACME LEASE\n", BODY])[0].title == "ACME LEASE"


def test_words_between_the_parties_of_a_cover_are_headings() -> None:
    assert kinds("between", "- and -", "ACME LTD", "and the rest") == ["heading", "heading", "heading", "body"]


def test_no_pieces() -> None:
    assert kinds_of([]) == []
