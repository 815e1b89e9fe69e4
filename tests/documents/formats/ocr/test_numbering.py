"""Numbers and signs that do not fit what stands around them."""

from __future__ import annotations

import pytest

from playground.documents.formats.ocr import numbering
from playground.documents.formats.pieces import Extract, Piece, assemble


def extract(*paragraphs: str) -> Extract:
    return assemble([Piece("paragraph", text) for text in paragraphs], max_characters=10_000)


def found(*paragraphs: str) -> list[tuple[str, str]]:
    read = extract(*paragraphs)
    return [(read.text[start:end], reason) for start, end, reason in numbering.doubts(read)]


def test_a_list_number_read_twice_is_doubtful() -> None:
    assert found("(i) rent", "(ii) rates", "(ii) repairs", "(iv) insurance") == [
        ("(ii)", numbering.OUT_OF_ORDER),
        ("(iv)", numbering.OUT_OF_ORDER),
    ]


@pytest.mark.parametrize(
    "paragraphs",
    [
        ("(i) rent", "(ii) rates", "(iii) repairs"),
        ("(a) rent", "(b) of these:", "(i) rates", "(ii) repairs", "(c) insurance"),
        ("(g) rent", "(h) rates", "(i) repairs", "(j) insurance"),
        ("1.1 Rent", "1.2 Rates", "2. Repairs", "2.1 Walls", "2.2 Roofs", "2.2.1 Tiles", "2.3 Doors"),
        ("4.1 Rent", "(a) is paid", "4.2 Rates", "(a) are paid"),
    ],
)
def test_a_sound_numbering_has_no_doubts(paragraphs: tuple[str, ...]) -> None:
    assert found(*paragraphs) == []


def test_a_section_that_is_skipped_or_misread_is_doubtful() -> None:
    assert found("3.1 Rent", "3.2 Rates", "3.8 Repairs") == [("3.8", numbering.OUT_OF_ORDER)]


def test_a_reference_to_a_section_that_is_not_there_is_doubtful() -> None:
    sections = [f"{chapter}.{part} Text of it." for chapter in (1, 2) for part in (1, 2, 3, 4)]
    assert found(*sections, "As clause 2.3 and Section 2.8 say.") == [("2.8", numbering.NO_SUCH_SECTION)]
    assert found("Clause 12.3 of the Agreement is amended.") == []


@pytest.mark.parametrize("text", ["as S 4 says", "under S4.2 of it", "see 8 4.2 below", "in $ 12.3 of it"])
def test_what_may_be_a_section_sign_is_doubtful(text: str) -> None:
    assert [reason for _token, reason in found(text)] == [numbering.SECTION_SIGN]


@pytest.mark.parametrize("text", ["§ 4 says", "it costs $12.30", "8 days", "Schedule S of 2019"])
def test_what_is_no_section_sign_is_not(text: str) -> None:
    assert found(text) == []


def test_list_numbers_that_are_none_become_roman_ones_and_are_told() -> None:
    text, places = numbering.with_roman_letters("(ili) rent (iv) and (1i) rates, (l) one, (11) eleven, (iii) repairs")
    assert text == "(iii) rent (iv) and (ii) rates, (l) one, (11) eleven, (iii) repairs"
    assert [text[start:end] for start, end in places] == ["(iii)", "(ii)"]
