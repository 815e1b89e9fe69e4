"""Sentences end where a reader would end them; list items and table rows stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.documents import load_pasted
from playground.text.sentences import cited_units, sentence_spans
from playground.types import Block, Document
from tests.support.fakes_rag import policy


def sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentence_spans(text, 0, len(text))]


def units(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in cited_units(document, 0, len(document.text))]


@pytest.mark.parametrize(
    "text",
    [
        "The label costs $6.95 and not $7.50.",
        "Use a box, e.g. the original one, i.e. the blue one, etc. and close it.",
        "Open from 7 a.m. to 7 p.m. Pacific time.",
        "See No. 5 of the terms.",
        "Write to returns@northtrail.example or see northtrail.example/returns today.",
        "Ask Mr. Smith of Acme Inc. in Bend.",
        "It is 31.5 kg",
        "1. Open the page",
        "(a) remote control: EUR 18.00;",
        "One line\nthat goes on in the next",
        "Items ending in .97 are clearance",
        "J. Smith signs it.",
    ],
)
def test_one_sentence_stays_one(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You have 60 days. Then it ends.", ["You have 60 days.", "Then it ends."]),
        ("you have 60 days. then it ends", ["you have 60 days.", "then it ends"]),
        ("Really? Yes! Good\u2026 So", ["Really?", "Yes!", "Good\u2026", "So"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("It costs $6. 3.2 Goods follow.", ["It costs $6.", "3.2 Goods follow."]),
        ("One\n\nTwo", ["One", "Two"]),
        ("Is it covered? No. Sorry.", ["Is it covered?", "No.", "Sorry."]),
        ("\u8fd4\u54c1\u3002\u4e09\u5341\u65e5\u3002", ["\u8fd4\u54c1\u3002", "\u4e09\u5341\u65e5\u3002"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_only_the_stretch_asked_for_is_cut() -> None:
    text = "First one. Second one. Third one."
    assert [text[a:b].strip() for a, b in sentence_spans(text, 11, 22)] == ["Second one."]


def test_list_items_and_table_rows_stay_whole() -> None:
    document = load_pasted(
        "# Fees\n\nWe charge fees. They are low.\n\n- Boxes cost $6. Bags are free\n- Crates: $9\n\n"
        "| Item | Fee |\n| --- | --- |\n| Sofa. Large. | $49 |\n",
        "fees.md",
    )
    found = units(document)
    assert "We charge fees." in found
    assert "They are low." in found
    assert "Boxes cost $6. Bags are free" in found
    assert "Crates: $9" in found
    assert any("Sofa. Large." in unit and "$49" in unit for unit in found)
    assert not any(unit.startswith(("-", "*", "#")) and "Fees" not in unit for unit in found)


def test_a_long_list_item_is_cut_into_sentences() -> None:
    item = "- " + " ".join(f"Sentence number {i} of this item is here." for i in range(20))
    assert len(units(load_pasted(item, "x.md"))) == 20


def test_a_row_of_a_policy_s_table_is_one_piece() -> None:
    assert "Sofas | £65 | £79 | £115" in units(policy("hearth-and-oak-furniture.html"))


def test_lines_wrapped_by_hand_are_joined() -> None:
    found = units(policy("pawsome-pantry.txt"))
    assert any(unit.startswith("Tell us within 40 days") and unit.endswith("the bag left.") for unit in found)


def test_without_blocks_blank_lines_part_paragraphs() -> None:
    text = "no full stop here\n\nanother one\n\n***"
    assert units(Document("d", "t", text, "s", "0")) == ["no full stop here", "another one"]


def test_blocks_outside_the_stretch_are_left_out() -> None:
    text = "aaa bbb ccc"
    blocks = (Block("paragraph", 0, 3), Block("paragraph", 4, 7), Block("paragraph", 8, 11))
    document = Document("d", "t", text, "s", "0", blocks)
    assert list(cited_units(document, 4, 7)) == [(4, 7)]
    assert list(cited_units(document, 5, 9)) == [(5, 7), (8, 9)]
    assert list(cited_units(document, 3, 4)) == []


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab1 .!?\n\"'-\u2026(e.g)\u3002", max_size=200))
def test_every_readable_character_is_in_exactly_one_sentence(text: str) -> None:
    spans = list(sentence_spans(text, 0, len(text)))
    covered = [position for start, end in spans for position in range(start, end)]
    assert covered == sorted(set(covered))
    assert all(text[i].isspace() for i in set(range(len(text))) - set(covered))


@pytest.mark.parametrize("piece", [".", ". ", "\n", "\n ", "a.", "1. ", "No. ", "e.g. ", "'", "... "])
def test_long_text_is_cut_in_bounded_time(piece: str) -> None:
    # Backtracking that grows with the square of the text would take minutes here.
    text = piece * (200_000 // len(piece))
    assert sum(end - start for start, end in sentence_spans(text, 0, len(text))) <= len(text)
