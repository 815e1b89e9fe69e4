"""Plain text as filings and printers make it: wrapped, paged, tagged, with footnotes. Sentences stay whole."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.clauses.splitting import split_clauses
from playground.documents import load_document, load_pasted
from playground.documents.formats.plain_pages import without_pages
from playground.paths import ROOT
from playground.types import Document

CASES = ROOT / "tests" / "data" / "documents"
SENTENCES = (
    "The total liability of the Supplier under this Agreement is limited to the fees that the Customer paid in the "
    "Contract Year. The Receiving Party shall keep the Confidential Information of the Disclosing Party secret for a "
    "period of sixty (60) months, and shall return it within 30 days of the end of the term under Section 5 of this "
    "Agreement or Article IV of the Master Terms, whichever is the later. "
)


def case(name: str) -> Document:
    return load_document((CASES / name).read_bytes(), name)


def clauses(document: Document) -> list[str]:
    return [" ".join(clause.text.split()) for clause in split_clauses(document)]


def test_the_case_of_a_wrapped_contract() -> None:
    document = case("t_wrap.txt")
    found = clauses(document)
    for whole in (
        "without any deduction within 30 days after the date",
        "at the rate of 4 percent a year.",
        "must be brought under Section 5 of this Agreement",
        "set out in paragraph (b) of that section, failing which it is lost.",
        "shall not exceed the sum of 2.5 million crowns in any year.",
        "not less than sixty (60) days given to the other party",
        "the events in Article IV of the Master Terms.",
        "each of the sites - other than the site in Norden - and for no other purpose.",
    ):
        assert any(whole in clause for clause in found), whole
    assert [clause.number for clause in split_clauses(document) if clause.number] == ["1", "2"]


def test_the_case_of_a_filing_with_its_tags() -> None:
    document = case("t_edgar.txt")
    assert document.title == "SUPPLY AGREEMENT"
    assert "<" not in document.text
    headings = [document.text[block.start : block.end] for block in document.blocks if block.kind == "heading"]
    assert headings == ["SUPPLY AGREEMENT", "1. PRICES"]
    rows = [document.text[block.start : block.end].split() for block in document.blocks if block.kind == "table_row"]
    assert rows == [["Goods", "Price"], ["Steel", "90"], ["Zinc", "120"]]
    assert any("is limited to the fees that the Customer paid in that year" in clause for clause in clauses(document))
    assert document.warnings == ("Left out of the text: 6 tags of a filing and 1 page number.",)


@pytest.mark.parametrize("width", [50, 60, 72, 80, 100, 130, 160])
def test_wrapping_changes_no_clause(width: int) -> None:
    text = "\n\n".join(f"{i}. Terms of kind {i}. {SENTENCES * 2}".strip() for i in range(1, 6))
    wrapped = "\n\n".join(textwrap.fill(paragraph, width) for paragraph in text.split("\n\n"))
    assert clauses(load_pasted(wrapped)) == clauses(load_pasted(text))


@pytest.mark.parametrize(
    "end", ["\n\n      7\n<PAGE>\n\n", "\n\f", "\n\n- 7 -\n\f\n", "\n<PAGE>   7\n", "\n\nPage 7 of 9\n\f\n\n"]
)
def test_a_page_ends_no_sentence(end: str) -> None:
    text = f"1. CAP\n\nThe liability of the Supplier is limited to the fees{end}that the Customer paid in that year."
    document = load_pasted(text)
    assert (
        clauses(document)[-1]
        == "The liability of the Supplier is limited to the fees that the Customer paid in that year."
    )
    assert "7" not in document.text


def test_a_page_number_without_a_mark_stays_in_the_text_and_cuts_nothing() -> None:
    document = load_pasted(
        "CAP\n\nThe liability of the Supplier is limited to the fees\n\n   7\n\nthat the Customer paid.\n"
    )
    assert clauses(document)[-1] == "The liability of the Supplier is limited to the fees 7 that the Customer paid."


def test_a_page_that_ends_with_a_sentence_parts_paragraphs() -> None:
    document = load_pasted("The Supplier delivers the goods.\n\n  7\n\fThe Customer pays for them in cash.\n")
    assert [block.kind for block in document.blocks] == ["paragraph", "paragraph"]
    assert document.text == "The Supplier delivers the goods.\n\nThe Customer pays for them in cash.\n"


def test_a_number_in_a_table_is_no_page_number() -> None:
    document = load_pasted("Goods    Price\nSteel    90\nZinc     120\n120\n\fThe end of the list is here.\n")
    assert "120\n120" in document.text


@pytest.mark.parametrize("end", ["\n", "\n\n    7\n\f\n", "\n\n    7\n<PAGE>\n\n"])
def test_a_footnote_stands_behind_the_paragraph_that_it_interrupts(end: str) -> None:
    document = load_pasted(
        "1. CAP\n\nThe liability of the Supplier is limited to the fees\n\n__________\n"
        f"1  Fees are set out in Annex 2 of the\n   Master Terms.\n{end}\n"
        "that the Customer paid in that year.\n\n2. TERM\n"
    )
    found = clauses(document)
    assert "The liability of the Supplier is limited to the fees that the Customer paid in that year." in found
    assert "1 Fees are set out in Annex 2 of the Master Terms." in found
    assert "One footnote that interrupted a sentence stands behind its paragraph." in document.warnings


def test_a_footnote_between_sentences_keeps_its_place() -> None:
    rule = "__________"
    text = f"The Supplier delivers the goods.\n\n{rule}\n1  See Annex 2 of the Terms.\n\nThe Customer pays for it.\n"
    document = load_pasted(text)
    assert document.text == text
    assert document.warnings == ()


def test_the_header_of_a_filing_is_left_out_and_said() -> None:
    document = load_document(
        b"<DOCUMENT>\n<TYPE>EX-10.1\n<SEQUENCE>2\n<DESCRIPTION>SUPPLY AGREEMENT\n<TEXT>\n\nSUPPLY AGREEMENT\n\n"
        b"The parties agree.\n</TEXT>\n</DOCUMENT>\n",
        "contract.txt",
    )
    assert document.text.split() == ["SUPPLY", "AGREEMENT", "The", "parties", "agree."]
    assert document.warnings == ("Left out of the text: 7 tags of a filing.",)


def test_signs_that_are_no_tags_of_a_filing_stay() -> None:
    text = "Write <NAME> here and <S> there.\n\nPrices are < 5.\n"
    assert without_pages(text) == (text, ())


def test_a_sentence_like_a_title_at_a_line_end_is_no_heading() -> None:
    document = load_pasted(
        "2. TERM\n\n2.1 Term of this Agreement. This Agreement begins on the\nEffective Date and ends with the year.\n"
    )
    assert [block.kind for block in document.blocks] == ["heading", "paragraph"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1 .\n\f_<>PAGEx", max_size=200))
def test_any_text_keeps_its_words(text: str) -> None:
    kept, _ = without_pages(text)
    assert sorted(word for word in kept.split() if "a" in word or "b" in word) == sorted(
        word for word in text.split() if "a" in word or "b" in word
    )


@pytest.mark.parametrize("piece", ["\f", "\n\f1\n", "____\n1 a note\n\n", "<PAGE>\n", "1\n", "\n", "<S>", "a the\n\n"])
def test_pages_cost_time_in_proportion(piece: str) -> None:
    # Work that grows with the square of the text would take minutes here.
    text = piece * (100_000 // len(piece))
    kept, _ = without_pages(text)
    assert len(kept) <= 2 * len(text)
