"""Files of the kinds that other readers got wrong, in tests/data/documents, each with what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.documents import load_document
from playground.types import Document
from tests.support.document_checks import assert_sound, outline

CASES = Path(__file__).parents[2] / "data" / "documents"


def case(name: str) -> Document:
    return load_document((CASES / name).read_bytes(), name)


# Per file: what the text holds, and what it must not hold. Line ends count as spaces.
RIGHT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "h_accordion.html": (
        (
            "How long do I have to return a lamp? You have 60 days from delivery.",
            "How long do I have to return a mattress? You have 90 days from delivery.",
            "Who pays for return shipping? We do, for faulty items.",
        ),
        (),
    ),
    "h_colspan.html": (
        (
            "Item | Return window: Members | Return window: Guests",
            "Lamps | 90 days | 45 days",
            "Plants | 7 days | 7 days",
        ),
        (),
    ),
    "h_contract.html": (
        ("1. Payment.", "a. within 30 days", "b. without any set-off", "2. Cap. Liability", "5. Law. The laws"),
        (),
    ),
    "h_price.html": (("costs $49.99.", "within 30 1 days", "1 45 days for members"), ("4999", "301", "145")),
    "h_rowspan.html": (
        (
            "Lamps | Unopened | 60 days Lamps | Opened | 21 days",
            "Mattresses | Unopened | 90 days Mattresses | Opened | 7 days",
        ),
        (),
    ),
    "h_saved.html": (
        (
            "How long do I have to return a plant? You have 7 days.",
            "Who pays for shipping? We pay for faulty items.",
            "Free return | Yes | No",
            "Pick-up | No | ✓",
            "H2O damage",
        ),
        ("cookies", "365", "Accept", "BDbusiness"),
    ),
    "m_comment.md": (("You have 45 days", "Refunds go to the card"), ("14 days", "restocking", "<!--", "-->")),
    "m_span.md": (
        (
            "1. Liability",
            "1. Exceptions.  The limit in section 1.2 does not apply to Unlimited Claims or to Provider\u2019s",
        ),
        ("<span", "</span>", "class="),
    ),
    "p_form.pdf": (
        (
            "Monthly rent: 1,250 crowns",
            "Liability of the Tenant is limited to: 9,000 crowns",
            "Option to purchase: Yes, for 500 crowns at the end of the term.",
        ),
        (),
    ),
    "p_hyphen.pdf": (("Licensor-owned", "twenty-year", "royalty-free", "non-transferable"), ("Licensorowned",)),
    "p_pleading2.pdf": (
        (
            "from the date on which both have signed it. The Supplier shall deliver the goods to the Customer at",
            "2. Release. The Plaintiff releases the Defendant from every claim",
            "3. Indemnity. The Defendant",
        ),
        ("22", "28"),
    ),
    "p_schedules.pdf": (("Schedule 1", "Schedule 2", "Schedule 3"), ("Page 2", "of 4")),
    "p_super.pdf": (("within 30 1 days of delivery. The pick-up costs $49.99 a lamp.",), ("301", "4999")),
    "p_trailing.pdf": (("Monthly rent: 1,250 crowns",), ()),
    "p_watermark.pdf": (
        (
            "finds. The total liability of the Supplier",
            "The Supplier shall deliver the goods to the Customer at the depot",
        ),
        ("CONFIDENTIAL", "DRAFT"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_case_is_read_as_it_is_shown(name: str) -> None:
    document = case(name)
    assert_sound(document)
    text = " ".join(document.text.split())
    held, not_held = RIGHT[name]
    for words in held:
        assert " ".join(words.split()) in text
    for words in not_held:
        assert words not in text


WARNINGS = {
    "h_saved.html": "The page has a cookie banner, which was left out.",
    "m_comment.md": "2 comments of the Markdown source were left out.",
    "p_pleading2.pdf": "The line numbers in the margin were left out (page 1).",
    "p_watermark.pdf": "A watermark was left out: “CONFIDENTIAL DRAFT” (pages 1, 2, 3).",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_left_out_of_a_case_is_said_and_nothing_else(name: str) -> None:
    assert case(name).warnings == ((WARNINGS[name],) if name in WARNINGS else ())


def test_buttons_and_schedules_are_headings() -> None:
    headings = [text for kind, _, text in outline(case("h_accordion.html")) if kind == "heading"]
    assert headings[1:] == [
        "How long do I have to return a lamp?",
        "How long do I have to return a mattress?",
        "Who pays for return shipping?",
    ]
    schedules = [text for kind, _, text in outline(case("p_schedules.pdf")) if kind == "heading"]
    assert schedules[1:] == ["Schedule 1", "Prices", "Schedule 2", "Service levels", "Schedule 3", "Insurance"]


def test_a_watermark_is_no_heading_and_cuts_no_sentence() -> None:
    kinds = {kind for kind, _, _ in outline(case("p_watermark.pdf"))}
    assert kinds == {"paragraph"}
    paragraphs = [text for _, _, text in outline(case("p_watermark.pdf"))]
    assert all(text.endswith(".") and text[0].isupper() for text in paragraphs)


def test_span_tags_change_nothing() -> None:
    import re

    source = (CASES / "m_span.md").read_text(encoding="utf-8")
    without = load_document(re.sub(r"</?span[^>]*>", "", source).encode(), "m.md")
    document = case("m_span.md")
    assert (document.text, document.blocks) == (without.text, without.blocks)
