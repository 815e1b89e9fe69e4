"""Contracts are cut along their own structure, without gap or overlap, in linear time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.clauses.splitting import MOST_CHARACTERS, split_clauses
from playground.documents import load_document, load_pasted
from playground.paths import ROOT
from playground.types import Block, Clause, Document

CONTRACTS = ROOT / "data" / "contracts"
GOLD = json.loads((CONTRACTS / "gold.json").read_text(encoding="utf-8"))
LIABILITIES = {
    row["name"]
    for row in json.loads((ROOT / "scenarios" / "contract_clauses" / "labels.json").read_text(encoding="utf-8"))
    if row["liability"]
}
Span = tuple[int, int, Clause]


def plain(text: str, **changes: object) -> Document:
    return Document(**({"id": "d", "title": "", "text": text, "source": "a.txt", "sha256": ""} | changes))  # type: ignore[arg-type]


def texts(text: str) -> list[str]:
    return [clause.text.strip() for clause in split_clauses(plain(text))]


def one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def contract(name: str) -> tuple[Document, tuple[Clause, ...]]:
    document = load_document((CONTRACTS / name).read_bytes(), name)
    return document, split_clauses(document)


def clause_with(name: str, beginning: str) -> Clause:
    (found,) = [
        clause
        for clause in contract(name)[1]
        if one_line(clause.text).startswith(beginning) and clause.kind != "table_of_contents"
    ]
    return found


def gold_spans(name: str) -> list[tuple[str, str, list[Clause]]]:
    """Return label, text and the clauses that hold it, for each gold clause of a sample contract."""
    line = ""
    spans: list[Span] = []
    for clause in contract(name)[1]:
        start = len(line) + bool(line)
        line = f"{line} {one_line(clause.text)}".strip()
        spans.append((start, len(line), clause))
    found = []
    for row in GOLD[name]["clauses"]:
        text = one_line(row["text"])
        start = line.index(text)
        holders = [clause for low, high, clause in spans if low < start + len(text) and high > start]
        found.append((row["label"], text, holders))
    return found


def check_cover(document: Document) -> tuple[Clause, ...]:
    """Assert what holds for the clauses of any document."""
    clauses = split_clauses(document)
    text = document.text
    assert "".join(clause.text for clause in clauses) == text
    position = 0
    for number, clause in enumerate(clauses, 1):
        assert (clause.start, clause.text) == (position, text[clause.start : clause.end])
        assert clause.id == f"c{number}"
        assert clause.document_id == document.id
        assert clause.text.strip() or not text.strip()
        assert len(clause.heading_path) <= 4
        assert clause.number == "" or clause.number in clause.text
        position = clause.end
    for before, after in pairwise(clauses):
        # CJK full stops end a sentence without a space; everything else is cut at white space only.
        assert before.text[-1].isspace() or before.text[-1] in "\u3002\uff01\uff1f"
        assert not after.text[0].isspace()
    return clauses


MARKERS = "1. |1.1 |2.3.4 |(a) |(ii) |ARTICLE IV |Section 2.1. |SCHEDULE 1|Exhibit A|- |\u2022 |I. |No. 5 ".split("|")
BREAKS = ["\n", "\n\n", "   ", "\t", "\u2003", "\x0c", "; and ", ". ", ", ", "...... 12", "\u3002"]
FORMS = [
    "By: ______",
    "Name: A",
    "IN WITNESS WHEREOF ",
    "\u201cTerm\u201d means ",
    '"Fee": ',
    "CONTENTS\n",
    "GOVERNING LAW",
]
PROSE = [
    "the Supplier shall pay the Customer ",
    "word" * 90,
    "a party that breaks this promise pays " * 9,
    "\u00e9",
    "_" * 40,
]
PIECES = st.sampled_from([*MARKERS, *BREAKS, *FORMS, *PROSE])


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_contract_like_text_is_covered_without_gap_or_overlap(text: str) -> None:
    check_cover(plain(text))


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_covered_without_gap_or_overlap(text: str) -> None:
    check_cover(plain(text))


@given(st.lists(PIECES, min_size=1, max_size=40).map("".join).filter(lambda text: bool(text.strip())))
@settings(max_examples=60, deadline=None)
def test_a_pasted_contract_with_its_blocks_is_covered(text: str) -> None:
    check_cover(load_pasted(text))


@pytest.mark.parametrize("name", GOLD)
def test_the_sample_contracts_are_covered(name: str) -> None:
    document = contract(name)[0]
    clauses = check_cover(document)
    assert all(len(clause.text) <= MOST_CHARACTERS for clause in clauses)
    assert all(clause.page == document.page_at(clause.start) for clause in clauses)
    assert {clause.page for clause in clauses} == set(range(1, len(document.page_starts) + 1) or [None])


@pytest.mark.parametrize("name", GOLD)
def test_every_liability_of_the_gold_annotation_lies_in_one_clause_that_binds(name: str) -> None:
    found = [row for row in gold_spans(name) if row[0] in LIABILITIES]
    assert len(found) >= 8
    for label, text, clauses in found:
        assert [clause.kind for clause in clauses] == ["body"], (label, text)


def test_most_liabilities_of_the_gold_annotation_are_exactly_one_clause() -> None:
    """The others are one sentence of a short section that is kept whole."""
    rows = [row for name in GOLD for row in gold_spans(name) if row[0] in LIABILITIES]
    exact = [
        text
        for _label, text, (clause,) in rows
        if one_line(clause.text).endswith(text) and len(one_line(clause.text)) - len(text) <= 40
    ]
    assert len(exact) / len(rows) > 0.8


def test_empty_and_blank_texts() -> None:
    assert split_clauses(plain("")) == ()
    (blank,) = split_clauses(plain(" \n\n\t "))
    assert (blank.text, blank.kind) == (" \n\n\t ", "heading")


def test_white_space_is_never_a_clause_of_its_own() -> None:
    text = "          LEASE\n\n   \n\n  1. Rent. Tenant pays.   \n\n \n"
    blocks = (Block("heading", 10, 15, 1), Block("paragraph", text.index("1."), len(text.rstrip())))
    assert [clause.text for clause in split_clauses(plain(text, blocks=blocks))] == [
        text[: text.index("1.")],
        text[text.index("1.") :],
    ]


def test_sections_items_and_sentences_are_clauses() -> None:
    assert texts("1. Rent. Tenant pays rent.\n2. Term. One year.") == [
        "1. Rent. Tenant pays rent.",
        "2. Term. One year.",
    ]
    assert texts("Tenant shall:\n(a) pay rent; and\n(b) keep quiet.") == [
        "Tenant shall:",
        "(a) pay rent; and",
        "(b) keep quiet.",
    ]
    assert texts("The fee is due. 4.4 Return of Materials. Upon request the party returns them.")[1].startswith("4.4 R")
    short = "The Supplier shall pay. The Customer shall wait."
    assert texts(short) == [short]
    sentence = (
        "The Supplier shall, within thirty days of its receipt, return every copy of the documents to the Customer."
    )
    assert texts(" ".join([sentence] * 4)) == [sentence] * 4


def test_references_and_numbers_are_not_cut() -> None:
    for text in (
        "The duties in Section 5.1 The Fee and clause 3.2 Notices survive.",
        "The rate is 3.5 per cent. of the sum due under No. 4.2 Main Street.",
        "as described in Article 7. Nothing else applies",
    ):
        assert texts(text) == [text]


def test_a_sentence_that_runs_over_a_page_end_is_one_clause() -> None:
    text = "The Supplier shall deliver the goods to the\n\nwarehouse of the Customer."
    assert texts(text) == [text]
    assert len(texts("The Supplier shall deliver the goods.\n\nwarehouse of the Customer.")) == 2


def test_a_page_number_and_a_running_head_are_within_the_sentence_that_they_interrupt() -> None:
    head = "Acme Supply Agreement, page {0}"
    text = (
        f"The Supplier shall deliver all of the goods to the\n\n12\n\n{head.format(13)}\n\nCustomer in Ostby."
        f"\n\n{head.format(14)}\n\nThe Customer pays.\n\n{head.format(15)}\n\nThe Supplier is paid."
    )
    found = texts(text)
    assert found[0].startswith("The Supplier shall") and found[0].endswith("Customer in Ostby.")
    assert found[1:] == [head.format(14), "The Customer pays.", head.format(15), "The Supplier is paid."]


def test_a_sentence_is_cut_at_no_comma_of_its_list() -> None:
    items = ", ".join(f"({letter}) the costs of repairing what is broken in room {letter}" for letter in "abcdefgh")
    sentence = f"The Tenant shall pay on demand to the Landlord {items}."
    assert len(sentence) > 400
    assert texts(sentence) == [sentence]


def test_a_title_that_opens_a_section_stays_with_its_first_sentence() -> None:
    text = (
        "5.1 Warranty of the Works of the Landlord. The Landlord warrants for one year after delivery that the works "
        "are free of defects in material. The Landlord shall begin to correct a defect within ten days of notice."
    )
    assert [len(piece.split(". ")) for piece in texts(text)] == [2, 1]


@pytest.mark.parametrize(
    "citation", ["Pub. L. No. 111-148", "Cal. Civ. Code 1542", "12 Del. C. 3801", "Fed. R. Civ. P. 4", "Ex. A"]
)
def test_a_legal_citation_ends_no_sentence(citation: str) -> None:
    filler = "and each party waives whatever right it may have under it in any place and at any time during the term"
    text = f"The release of the claims that are named in this section is governed by {citation} as amended, {filler}."
    assert len(text) > 150
    assert texts(f"{text} {text}") == [text, text]


def test_a_reference_at_the_beginning_of_a_clause_is_not_its_number() -> None:
    clauses = split_clauses(plain("Section 5 of this Agreement survives.\n\nSection 6. The rest ends.\n\n(a) It."))
    assert [clause.number for clause in clauses] == ["", "6", "(a)"]


def test_long_lists_and_texts_without_structure_are_cut_between_words() -> None:
    items = "; ".join(
        f"({letter}) the costs of repairing whatever the tenant has broken in room {letter}" for letter in "abcdefghij"
    )
    cut = texts(f"The Tenant shall pay on demand: {items}.")
    assert len(cut) >= 4
    assert all(piece.startswith(("The", "(")) for piece in cut)
    words = " ".join(f"word{number}" for number in range(2_000))
    pieces = texts(words)
    assert [word for piece in pieces for word in piece.split()] == words.split()
    assert max(map(len, pieces)) <= MOST_CHARACTERS
    assert texts("x" * 5_000) == ["x" * 5_000]


def test_heading_paths_follow_the_numbers() -> None:
    text = (
        "LEASE\n\n1. Premises and term\n\n1.1 Area. About ten rooms.\n\n1.2 The term is one year.\n\n"
        "2. Rent and costs\n\n2.1 Tenant pays.\n\n(a) the rent;\n\n3. GENERAL\n\n"
        "Notices are in writing.\n\nSchedule 1\n\nPart A: Rooms\n\n"
        "1. Hall\n\nSchedule 2: Prices\n\nAll prices are net.\n\nSignatures\n\nBy: ______"
    )
    paths = {clause.text.strip(): clause.heading_path for clause in split_clauses(plain(text))}
    assert paths["1. Premises and term"] == ()
    assert paths["1.1 Area. About ten rooms."] == ("Premises and term", "Area")
    assert paths["1.2 The term is one year."] == ("Premises and term",)
    assert paths["2. Rent and costs"] == ()
    assert paths["(a) the rent;"] == ("Rent and costs",)
    assert paths["Notices are in writing."] == ("GENERAL",)
    assert paths["Schedule 1"] == ()
    assert paths["1. Hall"] == ("Schedule 1", "Part A: Rooms")
    assert paths["All prices are net."] == ("Schedule 2: Prices",)
    assert paths["By: ______"] == ("Signatures",)


@pytest.mark.parametrize(
    ("name", "beginning", "path"),
    [
        ("services-agreement.pdf", "2.2 Unless", ("Commencement and duration",)),
        ("services-agreement.pdf", "7.3 In each", ("Charges and payment",)),
        ("services-agreement.pdf", "This Agreement is dated", ()),
        ("services-agreement.pdf", "21.2 Entire agreement", ("General", "Entire agreement")),
        ("services-agreement.pdf", "Travel within", ("Schedule 4: Charges",)),
        ("services-agreement.pdf", "(a) Service desk", ("Schedule 1: Systems and services", "Part B: Services")),
        ("software-licence.docx", "6.2 Licensee", ("ARTICLE VI PROPRIETARY RIGHTS",)),
        ("lease.docx", "1 and 2 | $34.00", ("Rent", "Base Rent")),
        ("lease.docx", "5. Recycling", ("Exhibit C: Rules of the Building",)),
        ("distribution-agreement.pdf", "1.2 The Annexes", ("ARTICLE 1 - DEFINITIONS",)),
        ("distribution-agreement.pdf", "Spare parts", ("ANNEX 2 - TARGETS, DISCOUNTS AND RATES",)),
        ("nda.txt", "10.1 Neither", ("GENERAL",)),
    ],
)
def test_heading_paths_of_the_sample_contracts(name: str, beginning: str, path: tuple[str, ...]) -> None:
    assert clause_with(name, beginning).heading_path == path


@pytest.mark.parametrize(
    ("name", "beginning", "kind"),
    [
        ("services-agreement.pdf", "1. Definitions and interpretation", "heading"),
        ("services-agreement.pdf", "7. Charges and payment", "heading"),
        ("services-agreement.pdf", "PENNARD & MOSS RETAIL PLC", "heading"),
        ("services-agreement.pdf", '"Charges":', "definition"),
        ("services-agreement.pdf", "This Agreement has been entered into", "signature"),
        ("services-agreement.pdf", "Till support | till and month", "body"),
        ("lease.docx", "Tenant | Juniper", "body"),
        ("lease.docx", "Guarantor | None", "body"),
        ("lease.docx", "LANDLORD: COPPERLINE", "signature"),
        ("lease.docx", "Name: Beatriz", "signature"),
        ("lease.docx", "Exhibit A: The Premises", "heading"),
        ("software-licence.docx", "1.1 \u201cAffiliate\u201d shall mean", "definition"),
        ("software-licence.docx", "BRANTWOOD MUTUAL", "signature"),
        ("distribution-agreement.pdf", '"Territory" means', "definition"),
        ("distribution-agreement.pdf", "For SOLENNE INSTRUMENTS SA", "signature"),
        ("distribution-agreement.pdf", "Desmond Tan", "signature"),
        ("distribution-agreement.pdf", "ANNEX 1 - PRODUCTS", "heading"),
        ("distribution-agreement.pdf", "2024/2025 | 900,000", "body"),
        ("nda.txt", "(1) Halden Bioplastics", "body"),
        ("nda.txt", "MUTUAL NON-DISCLOSURE AGREEMENT", "heading"),
        ("nda.txt", "ANNEX: TESTS", "heading"),
    ],
)
def test_kinds_of_the_sample_contracts(name: str, beginning: str, kind: str) -> None:
    assert clause_with(name, beginning).kind == kind


def test_the_table_of_contents_is_recognised() -> None:
    clauses = contract("services-agreement.pdf")[1]
    contents = [clause for clause in clauses if clause.kind == "table_of_contents"]
    assert len(contents) == 30
    assert {clause.page for clause in contents} == {2}
    assert all(clause.heading_path == () for clause in contents)


def test_rows_of_a_table_have_no_number() -> None:
    assert clause_with("lease.docx", "9 and 10 |").number == ""
    assert clause_with("lease.docx", "2.3 Reset").number == "2.3"
    assert clause_with("software-licence.docx", "ARTICLE VI PROPRIETARY").number == "VI"


def test_a_block_begins_a_clause_and_a_sentence_runs_over_blocks() -> None:
    text = "price list\nmonth | 10\ngoods go to the\nwarehouse"
    blocks = (
        Block("heading", 0, 10, 2),
        Block("table_row", 11, 21),
        Block("paragraph", 22, 37),
        Block("paragraph", 38, 47),
    )
    assert [clause.text for clause in split_clauses(plain(text, blocks=blocks))] == [text[:11], text[11:22], text[22:]]


HOSTILE: dict[str, Callable[[int], str]] = {
    "dots": lambda n: "." * n,
    "items": lambda n: "(a) " * (n // 4),
    "items in a sentence": lambda n: "; and (a) it" * (n // 12),
    "new lines": lambda n: "\n" * n,
    "spaces": lambda n: " " * n,
    "lines of spaces": lambda n: "x\n         " * (n // 11),
    "quotes": lambda n: '"' * n,
    "nested quotes": lambda n: '"\u201c(' * (n // 3),
    "digits and dots": lambda n: "1." * (n // 2),
    "numbers": lambda n: "1.1 " * (n // 4),
    "one word": lambda n: "a" * n,
    "dotted lines": lambda n: " . . . . . 3 " * (n // 13),
    "definitions": lambda n: '"Term" means ' * (n // 13),
    "contents": lambda n: "Contents\n\n" * (n // 10),
    "signatures": lambda n: "By: ____\n\nName: x\n\n" * (n // 19),
    "titles": lambda n: "A Title. " * (n // 9),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_time_grows_with_the_length(name: str) -> None:
    """Four times the text takes about four times as long; what is quadratic takes sixteen times as long."""

    def seconds(characters: int) -> float:
        document = plain(HOSTILE[name](characters))
        times = []
        for _ in range(3):
            started = time.process_time()
            split_clauses(document)
            times.append(time.process_time() - started)
        return min(times)

    assert seconds(48_000) < 9 * seconds(12_000) + 0.01
