from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.documents import load_document
from playground.documents.diff import (
    DiffLine,
    DiffSpan,
    PlacedChange,
    changed_lines,
    diff_documents,
    placed_changes,
)
from playground.paths import POLICIES
from playground.types import Document
from tests.support.scripted_document import scripted_document


def document(text: str) -> Document:
    return Document(id="d", title="d", text=text, source="d.txt", sha256="d")


def marked(spans: Sequence[DiffSpan]) -> str:
    return "".join(f"[{span.text}]" if span.changed else span.text for span in spans)


def drawn(lines: Sequence[DiffLine]) -> list[str]:
    signs = {"same": " ", "removed": "-", "added": "+", "changed": "~"}
    return [
        signs[line.kind]
        + (
            f"({line.note})"
            if line.note
            else "|".join(dict.fromkeys(marked(side) for side in (line.old, line.new) if side))
        )
        for line in lines
    ]


def compare(old: str, new: str) -> list[str]:
    return drawn(diff_documents(document(old), document(new)))


def test_equal_texts_say_so() -> None:
    assert compare("a b\nc", "a  b\n\nc") == [" (The two versions have the same text.)"]


def test_changed_words_are_marked_in_both_versions() -> None:
    assert compare("Pay $7.95 within 60 days.", "Pay $14.50 within 45 days.") == [
        "~Pay $[7.95] within [60] days.|Pay $[14.50] within [45] days."
    ]


def test_changed_words_next_to_each_other_are_one_span() -> None:
    assert compare("Refunds take five business days here.", "Refunds take about two calendar days here.") == [
        "~Refunds take [five business] days here.|Refunds take [about two calendar] days here."
    ]


def test_added_and_removed_lines_stand_in_order() -> None:
    old = "Intro stays.\nBoots need their box.\nEnd stays."
    new = "Intro stays.\nWhales are free.\nEnd stays.\nA last word."
    assert compare(old, new) == [
        " Intro stays.",
        "-[Boots need their box.]",
        "+[Whales are free.]",
        " End stays.",
        "+[A last word.]",
    ]


def test_similar_lines_are_paired_within_a_replaced_block() -> None:
    old = "The label costs $5 per carton.\nKayaks need freight pickup always."
    new = "Something entirely new is here.\nThe label costs $9 per carton."
    assert compare(old, new) == [
        "+[Something entirely new is here.]",
        "~The label costs $[5] per carton.|The label costs $[9] per carton.",
        "-[Kayaks need freight pickup always.]",
    ]


def test_unchanged_lines_away_from_a_change_are_collapsed() -> None:
    lines = [f"Line {i}" for i in range(10)]
    assert compare("\n".join(lines), "\n".join([*lines[:5], "Other words", *lines[5:]])) == [
        " (4 unchanged lines)",
        " Line 4",
        "+[Other words]",
        " Line 5",
        " (4 unchanged lines)",
    ]
    assert compare("a\nb\nc", "a\nb\nc\nd e") == [" (2 unchanged lines)", " c", "+[d e]"]


def test_blocks_are_compared_however_they_are_wrapped() -> None:
    old = scripted_document("# Returns", "Items may be returned\nwithin 60 days.")
    new = scripted_document("# Returns", "Items may be returned within\n60 days.", "- Keep the box.")
    assert drawn(diff_documents(old, new)) == [
        " # Returns",
        " Items may be returned within 60 days.",
        "+[- Keep the box.]",
    ]


def test_moved_line_is_removed_and_added() -> None:
    assert sorted(compare("a one\nb two\nc three", "b two\nc three\na one")) == [
        " b two",
        " c three",
        "+[a one]",
        "-[a one]",
    ]


lines = st.lists(st.sampled_from(["a b c", "a b d", "x", "y z", "", "a  b c", "q r s t"]), max_size=14)


@settings(max_examples=200, deadline=None)
@given(old=lines, new=lines)
def test_comparison_holds_both_texts(old: list[str], new: list[str]) -> None:
    """Whatever is not collapsed reads, line by line, as the old and as the new text."""
    result = diff_documents(document("\n".join(old)), document("\n".join(new)))
    for side, whole in (("old", old), ("new", new)):
        folded = [" ".join(line.split()) for line in whole if line.strip()]
        position = 0
        for line in result:
            spans = getattr(line, side)
            if spans:
                assert "".join(span.text for span in spans) == folded[position]
                position += 1
            elif line.note:
                position += len(folded) if "same text" in line.note else int(line.note.split()[0])
        assert position == len(folded)
    for line in result:
        if line.kind == "changed":
            assert any(span.changed for span in (*line.old, *line.new))


def test_one_edit_in_a_huge_line_is_found_and_shown_short() -> None:
    filler = "every parcel counts " * 50_000
    (line,) = diff_documents(document(f"{filler} 60 days {filler}"), document(f"{filler} 45 days {filler}"))
    assert line.kind == "changed"
    assert line.note == ""
    assert [span.text for span in line.old if span.changed] == ["60"]
    assert [span.text for span in line.new if span.changed] == ["45"]
    assert sum(len(span.text) for span in line.old) < 20_000


def test_lines_too_large_to_compare_say_so() -> None:
    old = "shared words here now " * 10 + " ".join(f"old{i} x" for i in range(5_000))
    new = "shared words here now " * 10 + " ".join(f"new{i} x" for i in range(5_000))
    (line,) = diff_documents(document(old), document(new))
    assert line.kind == "changed"
    assert "too large to compare word by word" in line.note


HUGE = {
    "distinct lines": (
        "\n".join(f"old line {i}" for i in range(100_000)),
        "\n".join(f"new {i}" for i in range(100_000)),
    ),
    "two lines in turn": ("a\nb\n" * 400_000, "b\na\na\n" * 300_000),
    "every tenth line changed": (
        "\n".join(f"line {i} of the policy" for i in range(60_000)),
        "\n".join(f"line {i} of the policy{' here' * (i % 10 == 0)}" for i in range(60_000)),
    ),
    "one line each": ("a " * 1_000_000, "b " * 1_000_000),
    "shuffled": (
        "\n".join(f"line {i}" for i in range(100_000)),
        "\n".join(f"line {i * 7919 % 100_000}" for i in range(100_000)),
    ),
    "emptied": ("\n".join(f"line {i}" for i in range(100_000)), "x"),
}


@pytest.mark.parametrize("name", HUGE)
def test_texts_of_any_size_are_compared_within_bounds(name: str) -> None:
    """What is shown stays bounded, and the test ends: difflib alone takes many minutes for some of these."""
    old, new = HUGE[name]
    result = diff_documents(document(old), document(new))
    assert 1 <= len(result) <= 1_001
    assert sum(len(span.text) for line in result for span in (*line.old, *line.new)) < 10_000_000
    if name != "one line each":
        assert result[-1].note == "The comparison is long; its rest is not shown."


def test_the_two_samples_differ_in_six_facts_and_the_line_of_the_version() -> None:
    first, second = (
        load_document((POLICIES / name).read_bytes(), name)
        for name in ("northtrail-outdoor-v1.md", "northtrail-outdoor-v2.md")
    )
    lines = diff_documents(first, second)
    assert changed_lines(lines) == len(placed_lines(second.text, placed_changes(first, second))) == 7
    assert changed_lines(diff_documents(first, first)) == 0


def placed_lines(text: str, changes: tuple[PlacedChange, ...]) -> set[int]:
    """Return the numbers of the lines of ``text`` in which something changed."""
    return {text[: change.start].count("\n") for change in changes}
