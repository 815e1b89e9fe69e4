"""Headings, their levels and the numbers of clauses, told from the line and from the document's blocks."""

from __future__ import annotations

import pytest

from playground.clauses.headings import (
    Outline,
    clean_title,
    is_attachment,
    is_heading,
    number_of,
    opens_numbers,
    run_in_heading,
)
from playground.types import Block

HEADING = Block("heading", 0, 1, 2)
ROW = Block("table_row", 0, 1)


@pytest.mark.parametrize(
    ("piece", "number"),
    [
        ("7.2 The fee", "7.2"),
        ("7.2(a) The fee", "7.2(a)"),
        ("12. Notices", "12"),
        ("1 Definitions", "1"),
        ("(iv) a sum", "(iv)"),
        ("(12) a sum", "(12)"),
        ("Section 2.1. Fees", "2.1"),
        ("ARTICLE IV", "IV"),
        ("IV. FEES", "IV"),
        ("b) the rent", "b"),
        ("30 days after", ""),
        ("1 June 2025, or later", ""),
        ("100 Main Street", ""),
        ("I agree to pay", ""),
        ("A party that", ""),
        ("mix. it", ""),
        ("c: drive", ""),
        ("10:30 is the time", ""),
        ("2024/2025", ""),
        ("Section", ""),
        ("", ""),
    ],
)
def test_numbers(piece: str, number: str) -> None:
    assert number_of(piece) == number


@pytest.mark.parametrize(
    "line",
    [
        "GOVERNING LAW",
        "8. Limitation of Liability",
        "4.4 Return of Materials.",
        "WHAT THE RECIPIENT MUST DO",
        "Schedule 2: Service levels and what they cost",
        "EXHIBIT A PROGRAMS AND AFFILIATES",
        "Annex 3.",
        "ARTICLE 12 - TERM",
        "- 14 -",
        "3.",
        "______",
    ],
)
def test_headings(line: str) -> None:
    assert is_heading(line)


@pytest.mark.parametrize(
    "line",
    [
        "IN NO EVENT WILL EITHER PARTY BE LIABLE FOR",
        "SUPPLIER SHALL NOT BE LIABLE FOR LOST PROFITS.",
        "CUSTOMER MUST INSURE THE GOODS.",
        "Part of the price shall be refunded.",
        "Schedule 1 applies to the fees.",
        "Exhibit A shall bind the parties",
        "Section 5 shall survive.",
        "Tenant shall pay Base Rent",
        "The fee is due.",
        '(1) Halden Bioplastics Ltd, of 12 Kiln Street, Marrow Bay ("Halden"); and',
        "Halden Bioplastics Ltd; and",
        "Sums Due Under Schedule A:",
        'The "Blue Sky" Plan',
        "Term And Fees As Of 2024",
        "A Title " * 20,
    ],
)
def test_clauses_are_no_headings(line: str) -> None:
    assert not is_heading(line)


def test_a_block_says_that_a_line_is_a_heading_but_not_that_a_sentence_is() -> None:
    for line in ("2. Commencement and duration", "Basic terms:", "9. Data protection.", "Price list as of 2024"):
        assert not is_heading(line)
        assert is_heading(line, HEADING)
    for line in (
        "8.1 The Supplier shall not be liable for loss of profit.",
        "The Customer may end this Agreement on thirty days' notice.",
        "SUPPLIER SHALL NOT BE LIABLE FOR LOST PROFITS",
        "the price; and",
        "The Supplier keeps records of the work " * 4,
    ):
        assert not is_heading(line, HEADING)


def test_a_row_of_a_table_is_no_heading() -> None:
    for line in ("Guarantor | None", "Security Deposit | $36,000", "ITEM | RATE", "12 | 13"):
        assert is_heading(line)
        assert not is_heading(line, ROW)


def test_a_numbered_line_is_a_title_where_its_own_sections_follow() -> None:
    assert opens_numbers("2. Term and renewal", "2.1 The term")
    assert opens_numbers("12 Term and renewal", "12.1 The term")
    for line, following in [
        ("2. Term and renewal", "3.1 The term"),
        ("2. Term and renewal", "20.1 The term"),
        ("2. Term and renewal", "The term"),
        ("2. Tenant pays the rent.", "2.1 The rent"),
        ("2. Tenant shall pay", "2.1 The rent"),
        ("2. The following are the words that the parties use in this contract", "2.1 The rent"),
        ("Term and renewal", "2.1 The term"),
    ]:
        assert not opens_numbers(line, following)


@pytest.mark.parametrize(
    ("piece", "title"),
    [
        ("4.4 Return of Materials. Upon request the party", "Return of Materials"),
        ("14.1 Force majeure. A party that is hindered", "Force majeure"),
        ("Notices. A notice is in writing", "Notices"),
        ("(b) Cap on Fees: The fees", "Cap on Fees"),
        ("5.1 The fee is due. It shall be paid", ""),
        ("5.1 Any Fee. It shall be paid", "Any Fee"),
        ("5.1 Invoices fall due. They are paid", "Invoices fall due"),
        ("The parties meet. They talk", ""),
        ("MARLOW & TATE SCIENTIFIC PTE. LTD., a company", ""),
        ("Acme Inc. A company", ""),
        ("4.4 upon request. The party", ""),
    ],
)
def test_titles_that_run_into_the_text(piece: str, title: str) -> None:
    assert run_in_heading(piece) == title


def test_attachments() -> None:
    for line in ("Schedule 1", "EXHIBIT A", "Annex: Tests", "Appendix B-2", 'Exhibit "C"', "ATTACHMENT"):
        assert is_attachment(line)
    for line in ("Exhibit 10.1", "EXHIBIT 4.12", "Schedule of fees", "Exhibits are attached", "The Schedule 1"):
        assert not is_attachment(line)


def test_titles_lose_their_number_and_their_length() -> None:
    assert clean_title("  8.1.  Limitation\n of   Liability. ") == "Limitation of Liability"
    assert clean_title("ARTICLE 3 - FEES") == "ARTICLE 3 - FEES"
    assert clean_title("(c) Fees:") == "Fees"
    assert len(clean_title("Fees " * 100)) <= 100


def test_levels_follow_the_numbers() -> None:
    outline = Outline()

    def levels(*lines: str) -> list[int]:
        return [outline.heading_level(line, None) for line in lines]

    title, section, below = levels("LEASE", "1. Rent", "1.1 Base Rent")
    assert (title, section) == (3, 3)
    assert below > section
    part, schedule = levels("Part A: Rooms", "Schedule 1")
    assert schedule < part < section
    article, under, deeper = levels("ARTICLE II", "Section 1. Fees", "2.1 Late Fees")
    assert article < under < deeper
    assert levels("1. Rent")[0] > article
    assert levels("Schedule 2", "1. Rent")[1] == section
    assert levels("(a) Costs")[0] > deeper


def test_levels_of_headings_without_a_number_follow_the_blocks() -> None:
    outline = Outline()
    assert outline.heading_level("LEASE", Block("heading", 0, 1, 1)) == 3
    assert outline.heading_level("Background", Block("heading", 0, 1, 2)) == 4
    section = outline.heading_level("1. Rent", Block("heading", 0, 1, 2))
    assert outline.heading_level("Signatures", Block("heading", 0, 1, 2)) == section
    assert outline.heading_level("Details", Block("heading", 0, 1, 3)) == section + 1
    assert Outline().heading_level("BACKGROUND", None) < Outline().heading_level("Background", None)


def test_levels_of_titles_that_run_into_the_text() -> None:
    outline = Outline()
    assert outline.run_in_level("4.4 Return. Upon", "Return") == outline.run_in_level("4.5 Upon request", "") == 4
    assert outline.run_in_level("Notices. A notice", "Notices") > 4
    assert outline.run_in_level("(a) Costs. The", "Costs") > 5
    assert outline.run_in_level("The fee", "") == 0
