"""Reading annotated clauses: CUAD's JSON, tables, the project's own files; gold labels; splitting by contract.

Set PLAYGROUND_CUAD to a file in CUAD's layout to read that one too.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example as hypothesis_example
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.annotations import (
    AnnotatedContract,
    AnnotatedSpan,
    AnnotationSet,
    ColumnMapping,
    RejectedRow,
    TablePreview,
    check_usable,
    clauses_from_contracts,
    columns_of,
    cuad,
    gold,
    gold_labels,
    guess_mapping,
    label_counts,
    label_names,
    load_written_clauses,
    read_annotations,
    read_csv,
    read_cuad,
    read_json_lines,
    split_by_contract,
    split_paragraphs,
    tables,
)
from playground.annotations.units import contract_units
from playground.errors import AnnotationError
from playground.paths import ROOT
from playground.text.normalise import normalise_text
from playground.types import AnnotatedClause

LABELS = ("Insurance", "Audit Rights", "Cap On Liability", "Non-Compete")
MAPPING = ColumnMapping("text", "labels", "contract", "heading")
BARE = ColumnMapping("text", "labels")
DOCUMENTS = ROOT / "tests" / "data" / "documents"
CONTRACT = (
    "SUPPLY AGREEMENT\n\n1. Cover. The Seller shall keep product cover of EUR 2,000,000.\n\n"
    "2. Books. The Buyer may look into the books once a year.\n\n3. General. Nothing else."
)


def question(label: str, *answers: str | dict[str, object], text: str = CONTRACT, **more: object) -> dict[str, object]:
    given_answers = [a if isinstance(a, dict) else {"text": a, "answer_start": text.index(a)} for a in answers]
    asked = f'Which parts are about "{label}"? Details: where the word "cover" stands.'
    return {"id": f"A__B__{label}", "question": asked, "answers": given_answers, "is_impossible": not answers, **more}


def contract(title: object, *questions: object, text: object = CONTRACT) -> dict[str, object]:
    return {"title": title, "paragraphs": [{"context": text, "qas": list(questions)}]}


def layout(*contracts: object) -> bytes:
    return json.dumps({"version": "x", "data": list(contracts)}).encode()


def table(*rows: str, header: str = "text,labels,contract,heading") -> bytes:
    return "\n".join([header, *rows]).encode()


def lines(*rows: object) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def reasons(rejected: Sequence[RejectedRow]) -> dict[int, str]:
    assert len({row.number for row in rejected}) == len(rejected), "use the rows themselves here"
    return {row.number: row.reason for row in rejected}


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(AnnotationError) as caught:
        read()
    return str(caught.value)


# CUAD's JSON


def test_cuad_contracts_keep_text_and_offsets() -> None:
    second = CONTRACT + " And more."
    data = layout(
        contract("One", question("Insurance", "The Seller shall keep product cover"), question("Non-Compete")),
        contract("Two", question("Audit Rights", "look into the books", "once a year"), text=second),
    )
    contracts, rejected = read_cuad(data, "c.json", LABELS)
    assert rejected == ()
    assert [(c.title, c.text, c.warnings) for c in contracts] == [("One", CONTRACT, ()), ("Two", second, ())]
    assert [(s.label, second[s.start : s.end]) for s in contracts[1].spans] == [
        ("Audit Rights", "look into the books"),
        ("Audit Rights", "once a year"),
    ]


def test_cuad_answers_may_be_one_object_of_lists() -> None:
    """As the data sets of Hugging Face hold them."""
    answers = {"text": ["product cover"], "answer_start": [CONTRACT.index("product cover")]}
    data = layout(
        contract(
            "T",
            question("Insurance", answers=answers, is_impossible=False),
            question("Audit Rights", answers={"text": [], "answer_start": []}),
        )
    )
    (one,), rejected = read_cuad(data, "c.json", LABELS)
    assert [(span.label, CONTRACT[span.start : span.end]) for span in one.spans] == [("Insurance", "product cover")]
    assert rejected == ()


def test_the_case_of_answers_in_one_object() -> None:
    names = ["Cap On Liability", "Anti-Assignment", "Governing Law", "Insurance"]
    read = read_annotations((DOCUMENTS / "c_cuad_dict.json").read_bytes(), "c.json", names, split=contract_units)
    assert read.labels == ("Cap On Liability", "Anti-Assignment", "Governing Law")
    assert read.rejected == ()
    for example in read.examples:
        begins = {
            "The Supplier": "Cap On Liability",
            "The Licensee": "Anti-Assignment",
            "This agreement": "Governing Law",
        }
        expected = [label for words, label in begins.items() if example.text.startswith(words)]
        assert list(example.labels) == expected


def test_answers_that_cannot_be_read_are_the_reason_why_no_clause_has_a_label() -> None:
    text = "\n\n".join(f"The Seller shall keep product cover number {i} at all times." for i in range(12))
    asked = question("Insurance", answers={"text": "cover", "answer_start": 3}, is_impossible=False)
    message = refusal(
        lambda: read_annotations(layout(contract("T", asked, text=text)), "c.json", LABELS, split=split_paragraphs)
    )
    assert '"answers" is an object whose "text" and "answer_start" are not lists of the same length' in message
    assert "Fill in" not in message


def test_cuad_category_comes_from_the_id_or_from_the_question() -> None:
    hashed = question("Insurance", "product cover", id="5f3a")
    renamed = question("Audit Rights", "once a year", question="What about it?")
    (one,), rejected = read_cuad(layout(contract("T", hashed, renamed)), "c.json", LABELS)
    assert [span.label for span in one.spans] == ["Insurance", "Audit Rights"]
    assert rejected == ()


def test_cuad_paragraphs_are_joined_with_their_offsets() -> None:
    parts = [
        {"context": text, "qas": [question("Insurance", "cover", text=text)]} for text in ("a cover", "the cover b")
    ]
    (one,), _ = read_cuad(layout({"title": "T", "paragraphs": parts}), "c.json", LABELS)
    assert one.text == "a cover\n\nthe cover b"
    assert [(s.start, one.text[s.start : s.end]) for s in one.spans] == [(2, "cover"), (13, "cover")]


def test_cuad_span_elsewhere_is_moved_only_where_its_text_occurs_once() -> None:
    moved = {"text": "look into the books", "answer_start": 3}
    outside = {"text": "product cover", "answer_start": 10**9}
    negative = {"text": "The", "answer_start": -1}
    absent = {"text": "product recall", "answer_start": 5}
    asked = question("Audit Rights", moved, outside, negative, absent, is_impossible=False)
    (one,), rejected = read_cuad(layout(contract("T", asked)), "c.json", LABELS)
    assert [one.text[s.start : s.end] for s in one.spans] == ["product cover", "look into the books"]
    assert one.warnings == ("T: 2 span(s) were not at their offset and were moved to where their text occurs once.",)
    assert rejected == (
        RejectedRow(1, 'Audit Rights: the offset -1 of "The" lies outside the contract.'),
        RejectedRow(1, 'Audit Rights: the text "product recall" is not at offset 5.'),
    )


def test_cuad_search_for_misplaced_texts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuad, "_MAX_REPAIRS", 1)
    answers = [{"text": text, "answer_start": 0} for text in ("product cover", "once a year")]
    (one,), rejected = read_cuad(layout(contract("T", question("Insurance", *answers))), "c.json", LABELS)
    assert [one.text[s.start : s.end] for s in one.spans] == ["product cover"]
    assert len(rejected) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (question("Insurence"), 'Unknown label "Insurence". Did you mean Insurance?'),
        (question("Weather"), 'Unknown label "Weather".'),
        ("?", "A question is not a JSON object."),
        ({"id": "7", "question": "What?"}, 'A question names no category: neither in quotes nor after "__" in its id.'),
        (question("Insurance", answers="x"), 'Insurance: "answers" is not a list.'),
        (
            question("Insurance", "cover", is_impossible=True),
            "Insurance: marked as impossible but has answers; neither is used.",
        ),
        (
            question("Insurance", {"text": "cover"}),
            'Insurance: an answer has no "text" or no whole number "answer_start".',
        ),
        (
            question("Insurance", {"text": "S", "answer_start": True}),
            'Insurance: an answer has no "text" or no whole number "answer_start".',
        ),
        (question("Insurance", {"text": " \n", "answer_start": 0}), "Insurance: an answer is empty."),
    ],
)
def test_cuad_bad_question_is_left_out_with_its_reason(bad: object, reason: str) -> None:
    data = layout(contract("Good", question("Insurance")), contract("T", bad, question("Audit Rights", "once a year")))
    contracts, rejected = read_cuad(data, "c.json", LABELS)
    assert rejected == (RejectedRow(2, reason),)
    assert [span.label for span in contracts[1].spans] == ["Audit Rights"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("text", 'The contract has no list "paragraphs".'),
        ({"title": "T", "paragraphs": ["x"]}, 'A paragraph has no text "context" or no list "qas".'),
        (contract("T", question("Insurance"), text=7), 'A paragraph has no text "context" or no list "qas".'),
        (contract("T", question("Insurance"), text="  "), "The contract has no text."),
        (contract("T", question("Insurance"), text="a\ud800b"), "The contract's text is broken Unicode."),
        (contract("T"), "The contract has no question about a known label."),
        (contract("Good", question("Insurance")), 'The contract "Good" is in the file twice; the first is used.'),
    ],
)
def test_cuad_bad_contract_is_left_out_with_its_reason(bad: object, reason: str) -> None:
    contracts, rejected = read_cuad(layout(contract("Good", question("Insurance")), bad), "c.json", LABELS)
    assert [c.title for c in contracts] == ["Good"]
    assert rejected == (RejectedRow(2, reason),)


def test_cuad_titles_become_unique() -> None:
    asked = question("Insurance")
    data = layout(*(contract(title, asked, text=f"text {i}") for i, title in enumerate(["A", "A", None, "A (2)", "A"])))
    titles = [c.title for c in read_cuad(data, "c.json", LABELS)[0]]
    assert titles == ["A", "A (2)", "contract-3", "A (2) (2)", "A (3)"]


def test_cuad_repeated_reasons_are_counted_and_bounded() -> None:
    unknown = [question(f"Weather{i}x{'y' * i}") for i in range(60)]
    data = layout(contract("T", question("Insurance"), *unknown, *unknown))
    _, rejected = read_cuad(data, "c.json", LABELS)
    assert len(rejected) == 51
    assert rejected[0].reason.endswith("(2 times)")
    assert rejected[-1].reason == "20 more of its spans cannot be used."


def test_cuad_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    data = layout(*(contract(f"T{i}", question("Insurance"), text=f"{i} " * (i + 1)) for i in range(4)))
    monkeypatch.setattr(cuad, "MAX_CONTRACT_CHARACTERS", 6)
    contracts, rejected = read_cuad(data, "c.json", LABELS)
    assert [c.title for c in contracts] == ["T0", "T1", "T2"]
    assert reasons(rejected) == {4: "The contract is longer than 6 characters."}
    monkeypatch.setattr(cuad, "MAX_CONTRACTS", 3)
    assert "holds 4 contracts; at most 3" in refusal(lambda: read_cuad(data, "c.json", LABELS))
    monkeypatch.setattr(cuad, "_MAX_JSON_VALUES", 10)
    assert "too many values" in refusal(lambda: read_cuad(data, "c.json", LABELS))
    monkeypatch.setattr(cuad, "MAX_CUAD_BYTES", 10)
    assert "are read. Load a part of it." in refusal(lambda: read_cuad(data, "c.json", LABELS))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"data": [{"title": "x"', "is not valid JSON at line 1"),
        (b'{"data": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"data": []}', 'has no list "data" of contracts'),
        (b'{"text": "x"}', 'has no list "data" of contracts'),
        (b'{"data": [' + b"1" * 5_000 + b"]}", "is not valid JSON"),
        (layout(contract("T", question("Weather"))), 'The first: contract 1: Unknown label "Weather".'),
        (b" \n", "is empty"),
    ],
)
def test_cuad_that_cannot_be_used_is_refused(data: bytes, message: str) -> None:
    assert message in refusal(lambda: read_cuad(data, "c.json", LABELS))


# Gold labels


def spans_of(*spans: tuple[str, int, int]) -> list[AnnotatedSpan]:
    return [AnnotatedSpan(*span) for span in spans]


def test_gold_needs_half_of_the_clause_or_half_of_the_span() -> None:
    text = "aaaa bbbb\n\ncccccc dd\n\neeee"
    units = [(0, 9, ""), (11, 20, ""), (22, 26, "")]
    spans = spans_of(
        ("half of the clause", 0, 5),  # 4 of its 8 characters
        ("less of both", 8, 12),  # 1 of 8, and half of this span's two: both sides get it
        ("long", 9, 26),  # all of the second and the third
        ("mostly second", 6, 20),  # 3 of 8 and of 11, all of the second
    )
    assert gold_labels(text, units, spans) == [
        {"half of the clause", "less of both"},
        {"less of both", "long", "mostly second"},
        {"long"},
    ]


def test_gold_counts_no_white_space() -> None:
    text = "a" + " " * 50 + "bbb"
    assert gold_labels(text, [(0, 54, "")], spans_of(("x", 0, 51), ("y", 1, 51), ("z", 51, 54))) == [{"x", "z"}]


@pytest.mark.parametrize(("words", "labelled"), [(19, False), (20, True)])
def test_gold_counts_twenty_words_as_enough(words: int, labelled: bool) -> None:
    text = "one " * 100 + "\n\n" + "two " * 200
    units = [(0, 400, ""), (402, len(text), "")]
    start = 400 - 4 * words
    spans = spans_of(("x", start, 402 + 4 * 60))
    assert gold_labels(text, units, spans)[0] == ({"x"} if labelled else set())
    # An overlap that begins within a word counts that word.
    assert gold_labels(text, units, spans_of(("x", start + 1, 402 + 4 * 60)))[0] == ({"x"} if labelled else set())


def test_gold_refuses_units_and_spans_that_make_no_sense() -> None:
    for units in ([(0, 3, ""), (2, 4, "")], [(3, 4, ""), (0, 2, "")], [(0, 99, "")], [(3, 2, "")]):
        with pytest.raises(ValueError, match="out of order"):
            gold_labels("abcdef", units, [])
    for start, end in ((-1, 2), (0, 7), (4, 3)):
        with pytest.raises(ValueError, match="leaves the text"):
            gold_labels("abcdef", [(0, 6, "")], spans_of(("x", start, end)))


def plain_gold(text: str, units: Sequence[tuple[int, int, str]], spans: Sequence[AnnotatedSpan]) -> list[set[str]]:
    """The rule, written as it reads."""

    def visible(start: int, end: int) -> int:
        return len("".join(text[start:end].split()))

    found = []
    for start, end, _ in units:
        labels = set()
        for span in spans:
            low, high = max(start, span.start), min(end, span.end)
            shared = visible(low, high) if high > low else 0
            enough = (
                2 * shared >= visible(start, end)
                or 2 * shared >= visible(span.start, span.end)
                or len(text[low:high].split()) >= gold.MIN_OVERLAP_WORDS
            )
            if shared and enough:
                labels.add(span.label)
        found.append(labels)
    return found


@st.composite
def annotated_texts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]], list[AnnotatedSpan]]:
    text = draw(st.text(alphabet="ab \n", max_size=200))
    offsets = st.integers(0, len(text))
    cuts = sorted({0, len(text), *draw(st.lists(offsets, max_size=8))})
    units = [(start, end, "") for start, end in pairwise(cuts)]
    pairs = draw(st.lists(st.tuples(offsets, offsets, st.sampled_from("xyz")), max_size=6))
    return text, units, [AnnotatedSpan(label, min(a, b), max(a, b)) for a, b, label in pairs]


@given(annotated_texts())
def test_gold_is_the_rule_and_loses_no_span(drawn: tuple[str, list[tuple[int, int, str]], list[AnnotatedSpan]]) -> None:
    text, units, spans = drawn
    found = gold_labels(text, units, spans)
    assert found == plain_gold(text, units, spans)
    # Units that cover the text: every span with a character in it labels one of the units that it touches.
    for span in spans:
        if text[span.start : span.end].strip():
            touched = [i for i, (start, end, _) in enumerate(units) if start < span.end and end > span.start]
            assert any(span.label in found[i] for i in touched)


def test_gold_looks_only_at_the_units_a_span_touches() -> None:
    class Counted(list[int]):
        reads = 0

        def __getitem__(self, place):  # type: ignore[no-untyped-def,override]
            type(self).reads += 1
            return super().__getitem__(place)

    text = "word " * 60_000
    units = [(start, start + 150, "") for start in range(0, 300_000, 150)]
    checked = gold._checked
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gold, "_checked", lambda *args: tuple(Counted(each) for each in checked(*args)))
        found = gold_labels(text, units, spans_of(*(("x", start, start + 300) for start in range(0, 299_000, 1_000))))
    assert sum(map(bool, found)) >= 299
    assert 0 < Counted.reads < 299 * 100  # not 299 spans * 2,000 units


def test_clauses_of_contracts_have_place_heading_and_labels() -> None:
    spans = tuple(spans_of(("Non-Compete", 0, 5), ("Insurance", 0, 5)))
    contracts = [AnnotatedContract("T", "alpha \n   \nbeta", spans), AnnotatedContract("U", "Alpha\nbeta", spans)]

    def split(text: str) -> list[tuple[int, int, str]]:
        return [(0, 7, "First"), (7, 11, ""), (11, 15, "Third")] if text.startswith("alpha") else []

    first, second = clauses_from_contracts(contracts, split)  # U repeats T
    assert first == AnnotatedClause("T#0", "alpha", ("Insurance", "Non-Compete"), "T", "First", 0)
    assert second == AnnotatedClause("T#2", "beta", (), "T", "Third", 2)


@given(st.text(alphabet="ab \n\t", max_size=80))
def test_paragraphs_hold_all_that_is_not_white_space(text: str) -> None:
    units = split_paragraphs(text)
    assert "".join("".join(text[a:b].split()) for a, b, _ in units) == "".join(text.split())
    assert all(text[a:b].strip() and "\n\n" not in text[a:b] for a, b, _ in units)
    assert all(before[1] <= after[0] for before, after in pairwise(units))


# Tables


def test_csv_rows_become_clauses() -> None:
    data = table(
        '"Keep cover, always.",Insurance; audit_rights,A,Cover',
        'Two\u00a0lines.,"[""Non-Compete""]",B,',
        "Plain.,,A,",
        "Barred.,Non-Compete|Insurance|Insurance,,",
    )
    read = read_csv(data, MAPPING, "folder/mine.csv", LABELS)
    assert read.examples == (
        AnnotatedClause("row-2", "Keep cover, always.", ("Insurance", "Audit Rights"), "A", "Cover"),
        AnnotatedClause("row-3", "Two lines.", ("Non-Compete",), "B"),
        AnnotatedClause("row-4", "Plain.", (), "A"),
        AnnotatedClause("row-5", "Barred.", ("Insurance", "Non-Compete"), "row-5"),
    )
    assert (read.name, read.sha256) == ("mine.csv", hashlib.sha256(data).hexdigest())
    assert read.labels == ("Insurance", "Audit Rights", "Non-Compete")
    assert read.rejected == ()
    assert read.warnings == (
        "1 clause(s) have no contract: training and test are split by clause there, so the measured figures can be too "
        "good.",
    )


def test_one_row_a_label_is_one_clause_with_all_of_them() -> None:
    """As tables in long format have it; a label that is dropped would be learnt as absent."""
    data = table(
        "The same clause.,Insurance,A,",
        "The  same clause.,Audit Rights,A,Cover",
        "Another.,,A,",
        "the same clause.,Insurance,A,",
        "The same clause.,Audit Rights,B,",
        "The same clause.,Insurance,B,",
        "The same clause.,Non-Compete,C,",
        "Another.,Insurance,A,",
    )
    read = read_csv(data, MAPPING, "x.csv", LABELS)
    assert read.examples == (
        AnnotatedClause("row-2", "The same clause.", ("Insurance", "Audit Rights"), "A", "Cover"),
        AnnotatedClause("row-4", "Another.", (), "A"),
    )
    assert reasons(read.rejected) == {
        5: "Duplicate: the same clause and labels as row 2.",
        6: "Duplicate: the same clause and labels as row 2.",
        7: "Duplicate: the same clause and labels as row 2.",
        8: (
            "Conflict: the same clause as row 2, which is used, but labelled Non-Compete and not Insurance; Audit "
            "Rights."
        ),
        9: "Conflict: the same clause as row 4, which is used, but labelled Insurance and not as none.",
    }
    assert read.warnings == ("1 row(s) repeat a clause with another label; the labels were put together.",)


def test_one_row_a_label_needs_no_contract_column() -> None:
    read = read_csv(table("A clause,Insurance,A,", "A clause,Audit Rights,A,"), BARE, "x.csv", LABELS)
    assert [example.labels for example in read.examples] == [("Insurance", "Audit Rights")]
    assert read.rejected == ()


def test_the_case_of_one_row_a_label() -> None:
    names = ["Cap On Liability", "Uncapped Liability", "Anti-Assignment", "Governing Law"]
    read = read_annotations((DOCUMENTS / "c_long.csv").read_bytes(), "c_long.csv", names)
    both = [example for example in read.examples if example.labels == ("Cap On Liability", "Uncapped Liability")]
    assert (len(read.examples), len(both), read.rejected) == (24, 6, ())


def test_csv_without_a_contract_column_groups_each_row_alone_and_warns() -> None:
    read = read_csv(table("a clause,Insurance,A,", "another,,A,"), BARE, "x.csv", LABELS)
    assert [example.contract for example in read.examples] == ["row-2", "row-3"]
    assert [warning.split(":")[0] for warning in read.warnings] == ["No column names the contract of a clause"]


def test_csv_bad_rows_are_named_by_their_row_in_the_sheet() -> None:
    data = table(
        "good one,Insurance,A,",
        "",
        '" ",Insurance,A,',
        "a,Insurence,A,",
        "b,Weather,A,",
        "Good   ONE,insurance,B,",
        "good one,Audit Rights,B,",
        f"{'x' * 20_001},,A,",
        "c,Insurance,A,,extra",
        "d,Insurance",
        "e,\"['Insurance']\",A,",
        'f,"Insurance, Audit Rights",A,',
        "g,None,A,",
        '"two\nlines",[1],A,',
        "after,,A,",
    )
    read = read_csv(data, MAPPING, "x.csv", LABELS)
    assert [example.id for example in read.examples] == ["row-2", "row-16"]
    assert reasons(read.rejected) == {
        4: "The clause is empty.",
        5: 'Unknown label "Insurence". Did you mean Insurance?',
        6: 'Unknown label "Weather".',
        7: "Duplicate: the same clause and labels as row 2.",
        8: "Conflict: the same clause as row 2, which is used, but labelled Audit Rights and not Insurance.",
        9: "The clause has 20,001 characters; at most 20,000 are read.",
        10: ("The row has 5 cells, the header 4. Put cells that contain the separator or a line end in double quotes."),
        11: ("The row has 2 cells, the header 4. Put cells that contain the separator or a line end in double quotes."),
        12: (
            "The labels \"['Insurance']\" are not a JSON list. Write them in double quotes, or without brackets and "
            "separated by a semicolon."
        ),
        13: 'Unknown label "Insurance, Audit Rights". Separate labels with a semicolon.',
        14: 'Unknown label "None". Leave the labels empty where a clause carries none.',
        15: "The labels are a list, not text or a list of texts.",
    }


def test_csv_cell_beyond_the_default_limit_of_the_reader_ends_nothing() -> None:
    before = csv.field_size_limit(131_072)
    try:
        read = read_csv(table(f'"{"x" * 200_000}",,A,', "after,Insurance,A,"), MAPPING, "x.csv", LABELS)
    finally:
        csv.field_size_limit(before)
    assert [example.id for example in read.examples] == ["row-3"]
    assert reasons(read.rejected) == {2: "The clause has 200,000 characters; at most 20,000 are read."}


def test_csv_unclosed_quotation_mark_is_explained() -> None:
    rows = ["fine,Insurance,A,", '"open,Insurance,A,', *(f"{'word ' * 200}{i},Insurance,A," for i in range(30))]
    read = read_csv(table(*rows), MAPPING, "x.csv", LABELS)
    assert len(read.examples) == 31, "the rows after it are read"
    assert [row.number for row in read.rejected] == [3]
    assert "quotation mark" in read.rejected[0].reason


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_delimiter_and_encoding_are_recognised(delimiter: str, encoding: str) -> None:
    rows = ("text", "labels"), ('"Gebühr, 5 € ; für | alles"', '"Insurance;Audit Rights"'), ("Zwei", "")
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    read = read_csv(text.encode(encoding), BARE, "x.csv", LABELS)
    assert [(e.text, e.labels) for e in read.examples] == [
        ("Gebühr, 5 € ; für | alles", ("Insurance", "Audit Rights")),
        ("Zwei", ()),
    ]
    assert any("Windows-1252" in warning for warning in read.warnings) == (encoding == "cp1252")


def test_csv_separator_line_and_labels_with_semicolons_do_not_mislead() -> None:
    excel = codecs.BOM_UTF8 + b'sep=;\r\ntext;labels\r\n"a, b, c";Insurance\r\n'
    assert [(e.id, e.text) for e in read_csv(excel, BARE, "x.csv", LABELS).examples] == [("row-3", "a, b, c")]
    many = table("one,Insurance;Audit Rights", "two,Insurance;Non-Compete", header="text,labels")
    assert [len(e.labels) for e in read_csv(many, BARE, "x.csv", LABELS).examples] == [2, 2]


def test_csv_formulas_are_text() -> None:
    read = read_csv(table("=1+1,Insurance,=A1,@x"), MAPPING, "x.csv", LABELS)
    assert read.examples == (AnnotatedClause("row-2", "=1+1", ("Insurance",), "=A1", "@x"),)


def test_csv_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    three = [f"clause {i},Insurance" for i in range(3)]
    assert len(read_csv(table(*three, "", "", header="text,labels"), BARE, "x.csv", LABELS).examples) == 3
    four = table(*three, "one more,", header="text,labels")
    assert "has more than 3 rows" in refusal(lambda: read_csv(four, BARE, "x.csv", LABELS))
    monkeypatch.setattr(tables, "MAX_SHEET_ROWS", 5)
    blank = table(*[""] * 9, header="text,labels")
    assert "has more than 3 rows" in refusal(lambda: read_csv(blank, BARE, "x.csv", LABELS))
    wide = table("a" + ",b" * 300, header="a" + ",b" * 300)
    assert "has 301 columns" in refusal(lambda: read_csv(wide, BARE, "x.csv", LABELS))
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", 20)
    assert "are read. Load a part of it." in refusal(lambda: read_csv(four, BARE, "x.csv", LABELS))


def test_suggestions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_names, "_MAX_SUGGESTIONS", 2)
    rows = [f"clause {i},Insurenc{letter}" for i, letter in enumerate("qwrq")]
    read = read_csv(table(*rows, header="text,labels"), BARE, "x.csv", LABELS)
    assert ["mean" in row.reason for row in read.rejected] == [True, True, False, True]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (ColumnMapping("txt", "labels"), 'has no column "txt". Did you mean "text"? Its columns are: "text", "labels"'),
        (ColumnMapping("text", "labels", heading="h"), 'has no column "h".'),
        (ColumnMapping("text", "text"), "The same column is chosen twice."),
    ],
)
def test_mapping_that_does_not_fit_is_refused(mapping: ColumnMapping, message: str) -> None:
    assert message in refusal(lambda: read_csv(table("a,,,"), mapping, "x.csv", LABELS))
    rows = lines({"text": "a", "labels": [], "contract": "c", "heading": ""})
    assert message in refusal(lambda: read_json_lines(rows, mapping, "x.jsonl", LABELS))


def test_json_lines_become_clauses() -> None:
    data = lines(
        {"text": "One\u2028two.", "labels": ["Insurance", "audit rights"], "contract": 7, "heading": "H"},
        "",
        {"text": "Three.", "labels": "Non-Compete; Insurance"},
        {"text": "Four.", "labels": None, "contract": "C", "heading": None},
        '{"text": "raw \u2028 separator", "labels": []}',
    )
    read = read_json_lines(data, MAPPING, "x.jsonl", LABELS)
    assert read.examples == (
        AnnotatedClause("row-1", "One\ntwo.", ("Insurance", "Audit Rights"), "7", "H"),
        AnnotatedClause("row-3", "Three.", ("Insurance", "Non-Compete"), "row-3"),
        AnnotatedClause("row-4", "Four.", (), "C"),
        AnnotatedClause("row-5", "raw \n separator", (), "row-5"),
    )
    assert read.rejected == ()


def test_json_lines_bad_lines_are_named_by_number() -> None:
    data = lines(
        {"text": "fine", "labels": ["Insurance"]},
        '{"text": "broken", ',
        "[" * 100_000,
        "[1]",
        {"text": 5, "labels": []},
        {"text": "no labels"},
        {"text": "a", "labels": {"Insurance": True}},
        {"text": "b", "labels": ["Insurance", 3]},
        {"text": "c", "labels": ["x"] * 101},
        {"text": "d", "labels": [], "contract": ["c"]},
        {"text": "e", "labels": ";" * 10_001},
        {"text": "\u200b\x00 ", "labels": []},
        '{"text": "' + "x" * 1_000_000 + '", "labels": []}',
        {"text": None, "labels": []},
        '{"text": "f", "labels": [], "contract": ' + "9" * 5_000 + "}",
    )
    mapping = ColumnMapping("text", "labels", "contract")
    data = data.replace(b'{"text": "fine"', b'{"contract": "A", "text": "fine"')
    read = read_json_lines(data, mapping, "x.jsonl", LABELS)
    assert [example.id for example in read.examples] == ["row-1"]
    assert reasons(read.rejected) == {
        2: "The line is not valid JSON at column 20.",
        3: "The line is nested too deeply.",
        4: "The line is not a JSON object.",
        5: "The clause is a number, not text.",
        6: 'The line has no field "labels".',
        7: "The labels are an object, not text or a list of texts.",
        8: "The labels are a list, not text or a list of texts.",
        9: "The row has 101 labels.",
        10: "The contract is a list, not text.",
        11: "The labels have 10,001 characters.",
        12: "The clause is empty.",
        13: "The line has 1,000,026 characters; at most 1,000,000 are read.",
        14: "The clause is missing, not text.",
        15: "The line is not valid JSON.",
    }


def test_columns_preview_rows_of_csv_and_json_lines() -> None:
    long = "x" * 600
    shown = columns_of(table(f"{long},Insurance", "", "b,,C,H", header="text,labels,,text"), rows=2)
    assert shown.columns == ("text", "labels", "column 3", "text (column 4)")
    assert shown.rows == (("x" * 500, "Insurance", "", ""), ("b", "", "C", "H"))
    objects = lines({"clause": "a", "labels": ["Insurance"]}, "broken", {"clause": "b", "n": 3})
    assert columns_of(objects) == TablePreview(("clause", "labels", "n"), (("a", '["Insurance"]', ""), ("b", "", "3")))
    assert "no columns to choose" in refusal(lambda: columns_of(layout(contract("T")), "c.json"))


@pytest.mark.parametrize(
    ("columns", "mapping"),
    [
        (("id", "Clause Text", "Label", "File name"), ColumnMapping("Clause Text", "Label", "File name")),
        (("labels", "text", "contract", "heading"), MAPPING),
        (("text", "clause type", "Section"), ColumnMapping("text", "clause type", None, "Section")),
        (("a", "labels"), None),
        (("text", "b"), None),
        ((), None),
    ],
)
def test_mapping_is_guessed_from_names(columns: tuple[str, ...], mapping: ColumnMapping | None) -> None:
    assert guess_mapping(columns) == mapping


# Any file


def test_every_format_is_recognised_by_what_it_holds() -> None:
    rows = [{"text": f"clause {i}", "labels": ["Insurance"] if i % 2 else []} for i in range(12)]
    as_csv = table(*(f"{row['text']},{';'.join(row['labels'])}" for row in rows), header="text,labels")  # type: ignore[arg-type]
    text = "\n\n".join(f"{i}. Clause about cover {i}." for i in range(12))
    whole = {"data": [contract("T", question("Insurance", "about cover 7", text=text), text=text)]}
    from_csv = read_annotations(as_csv, "misleading.json", LABELS)
    from_lines = read_annotations(lines(*rows), "misleading.csv", LABELS)
    assert from_csv.labels == from_lines.labels == ("Insurance",)
    assert [(e.text, e.labels) for e in from_csv.examples] == [(e.text, e.labels) for e in from_lines.examples]
    for data in (json.dumps(whole).encode(), json.dumps(whole, indent=1).encode("utf-16")):
        annotations = read_annotations(data, "misleading.csv", LABELS)
        assert [e.labels for e in annotations.examples] == [("Insurance",) if i == 7 else () for i in range(12)]
        assert annotations.sha256 == hashlib.sha256(data).hexdigest()
    broken_first = b'{"text": \n' + lines(*rows)
    assert reasons(read_annotations(broken_first, "x", LABELS).rejected) == {
        1: "The line is not valid JSON at column 10."
    }


def test_whole_contracts_are_cut_by_the_given_splitter_and_repeats_are_announced() -> None:
    text = "Cover. " * 20
    asked = question("Insurance", {"text": "Cover.", "answer_start": 0}, {"text": "ver. C", "answer_start": 4})
    data = layout(contract("One", asked, text=text), contract("Two", asked, text=text.upper()))
    # The second answer is not at its offset and occurs many times; those of the second contract differ in case.
    annotations = read_annotations(
        data, "c.json", LABELS, split=lambda text: [(i, i + 7, "H") for i in range(0, len(text), 7)]
    )
    assert len(annotations.examples) == 20
    assert {e.heading for e in annotations.examples} == {"H"}
    assert annotations.warnings == ("Two: left out, because another contract has the same text.",)
    assert {row.number for row in annotations.rejected} == {1, 2}


def test_mapping_is_used_and_an_unclear_one_is_asked_for() -> None:
    data = table(*(f"clause {i},{'Insurance' if i % 2 else ''}" for i in range(10)), header="first,second")
    message = refusal(lambda: read_annotations(data, "x.csv", LABELS))
    assert 'Its columns are: "first", "second". Choose them' in message
    assert len(read_annotations(data, "x.csv", LABELS, ColumnMapping("first", "second")).examples) == 10


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "text,labels")
    return buffer.getvalue()


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("the pickle was opened",))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        *((pickle.dumps([Bomb()], protocol), "is a Python pickle") for protocol in (0, 2, 5)),
        (zipped("xl/workbook.xml"), "is an Excel workbook. Save the sheet as CSV"),
        (zipped("word/document.xml"), "is a Word document"),
        (zipped("archive/data.pkl"), "is a PyTorch file"),
        (zipped("clauses.csv"), "is a zip archive. Unpack it"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"PAR1....", "is a Parquet file"),
        (b"\x1f\x8b\x08", "is compressed"),
        ((70).to_bytes(8, "little") + b'{"w": {"dtype": "F32"}}', "is a safetensors file"),
        (bytes(range(32)) * 50, "holds binary data"),
        (b"", "is empty"),
        (b"<html><table>", "is an HTML or XML file"),
        (b'[{"text": "a", "labels": []}]', "is one JSON list. Write one object a line"),
        (b'{\n "text": 3\n}', "begins like JSON but is neither"),
        (b"Just a sentence.\nAnd another one.", "has only one column"),
        (b"This Agreement, made today, binds all.\nIt ends, if at all, soon.", "hold clauses and labels is not clear"),
    ],
)
def test_what_is_not_annotations_is_named(data: bytes, message: str) -> None:
    assert message in refusal(lambda: read_annotations(data, "upload.bin", LABELS))


def labelled(*label_lists: tuple[str, ...]) -> bytes:
    return lines(*({"text": f"clause {i}", "labels": labels} for i, labels in enumerate(label_lists)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (labelled(*[("Insurance",), ()] * 4, ("Insurance",)), "has only 9 usable examples; at least 10 are needed."),
        (
            labelled(*[("Weather",)] * 12),
            "has no usable row; at least 10 are needed. Rows left out: 12; the first is 1: ",
        ),
        (labelled(*[("Insurance",)] * 12), "All 12 clauses of x carry the same label (Insurance)"),
        (labelled(*[("Insurance", "Non-Compete")] * 10), "carry the same label (Insurance; Non-Compete)"),
        (labelled(*[()] * 10), "None of the 10 clauses of x carries a label."),
    ],
)
def test_sets_that_cannot_train_are_refused_with_the_next_step(data: bytes, message: str) -> None:
    assert message in refusal(lambda: read_annotations(data, "x", LABELS))


def test_one_label_with_negatives_is_enough() -> None:
    data = labelled(*[("Insurance",)] * 9, ())
    annotations = read_annotations(data, "x", LABELS)
    check_usable(annotations)
    assert label_counts(annotations.examples) == {"Insurance": 9}


@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for prefix in (b"", b"text,labels\n", b'{"text": "a", "labels": []}\n', b'{"data": [{"paragraphs": '):
        try:
            annotations = read_annotations(prefix + data, "x", LABELS)
        except AnnotationError as error:
            assert str(error).endswith((".", "}."))
        else:
            assert len(annotations.examples) >= 10


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["title", "paragraphs", "context", "qas", "id", "question", "answers", "text", "answer_start"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON_VALUES, max_size=4), st.lists(st.tuples(st.text(max_size=6), st.integers(-9, 200)), max_size=5))
def test_cuad_survives_any_values_and_keeps_only_exact_spans(
    entries: list[object], answers: list[tuple[str, int]]
) -> None:
    given_answers = [{"text": text, "answer_start": start} for text, start in answers]
    asked = question("Insurance", answers=given_answers, is_impossible=False)
    data = layout(*entries, contract("T", asked, {"qas": entries}), *[contract("U", *entries)])
    contracts, _ = read_cuad(data, "c.json", LABELS)
    assert "T" in [c.title for c in contracts]
    kept = [c.text[s.start : s.end] for c in contracts for s in c.spans if c.title == "T"]
    assert all(text in [answer[0] for answer in answers] and text.strip() for text in kept)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
            st.sets(st.sampled_from(LABELS)),
        ),
        max_size=12,
    )
)
@hypothesis_example([("0", {"Insurance"}), ("0\U000e0000", {"Audit Rights", "Insurance"})])
def test_csv_and_json_lines_agree(rows: list[tuple[str, set[str]]]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["text", "labels"])
    writer.writerows([text, "; ".join(sorted(labels))] for text, labels in rows)
    from_csv = read_csv(buffer.getvalue().encode("utf-8-sig"), BARE, "x", LABELS)
    header = [json.dumps({"text": "", "labels": []})]
    objects = [json.dumps({"text": text, "labels": sorted(labels)}) for text, labels in rows]
    from_lines = read_json_lines("\n".join(header + objects).encode(), BARE, "x", LABELS)
    assert [(e.id, e.text, e.labels) for e in from_csv.examples] == [
        (e.id, e.text, e.labels) for e in from_lines.examples
    ]
    # Every row is a clause, is rejected, or has its labels on the clause with its text as it is read, without what is
    # invisible; no clause is there twice.
    carried = {" ".join(e.text.split()).casefold(): set(e.labels) for e in from_csv.examples}
    numbers = {int(e.id.removeprefix("row-")) for e in from_csv.examples} | {r.number for r in from_csv.rejected}
    assert numbers <= {i for i, _ in enumerate(rows, start=2)}
    for number, (text, labels) in enumerate(rows, start=2):
        assert number in numbers or (labels and labels <= carried[" ".join(normalise_text(text).split()).casefold()])
    assert len({" ".join(e.text.split()).casefold() for e in from_csv.examples}) == len(from_csv.examples)


# Splitting


def example(number: int, source: str, *labels: str) -> AnnotatedClause:
    return AnnotatedClause(f"{source}-{number}", f"text {number}", labels, source)


@st.composite
def example_lists(draw: st.DrawFn) -> list[AnnotatedClause]:
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 9), st.sets(st.sampled_from(LABELS))), min_size=2, max_size=40).filter(
            lambda rows: len({row[0] for row in rows}) > 1
        )
    )
    return [example(i, f"c{source}", *sorted(labels)) for i, (source, labels) in enumerate(pairs)]


@given(example_lists(), st.floats(0.05, 0.95), st.integers(0, 5), st.randoms(use_true_random=False))
def test_split_has_whole_contracts_on_either_side(examples, share, seed, random) -> None:  # type: ignore[no-untyped-def]
    train, test = split_by_contract(examples, share, seed)
    assert train
    assert test
    assert {e.contract for e in train}.isdisjoint(e.contract for e in test)
    kept = [e for e in examples if e in set(train)]
    assert list(train) == kept
    assert sorted(train + test, key=examples.index) == examples
    shuffled = list(examples)
    random.shuffle(shuffled)
    again = split_by_contract(shuffled, share, seed)
    assert (set(again[0]), set(again[1])) == (set(train), set(test))


@pytest.mark.parametrize("seed", range(5))
def test_split_puts_rare_labels_on_both_sides_and_keeps_the_share(seed: int) -> None:
    examples = []
    for source in range(40):
        examples += [example(i, f"c{source}") for i in range(10)]
        examples += [example(10, f"c{source}", "Insurance")]
        if source % 4 == 0:
            examples += [example(11, f"c{source}", "Audit Rights")]
        if source in (4, 17):
            examples += [example(12, f"c{source}", "Non-Compete")]
    train, test = split_by_contract(examples, 0.2, seed)
    assert len(test) / len(examples) == pytest.approx(0.2, abs=0.03)
    counts = label_counts(train), label_counts(test)
    assert [count["Non-Compete"] for count in counts] == [1, 1]
    assert counts[1]["Audit Rights"] == 2
    assert counts[1]["Insurance"] == pytest.approx(8, abs=1)


@pytest.mark.parametrize("seed", range(5))
def test_split_leaves_a_contract_larger_than_the_share_to_training(seed: int) -> None:
    examples = [example(i, "large") for i in range(800)] + [example(i, f"c{i}") for i in range(200)]
    assert len(split_by_contract(examples, 0.2, seed)[1]) == pytest.approx(200, abs=2)


def test_split_puts_a_label_on_both_sides_even_where_one_is_full() -> None:
    # The rarest label sends a large contract to either side; the test side then has more than its share.
    examples = [example(i, source, "Non-Compete") for source in ("c0", "c1") for i in range(500)]
    examples += [example(0, source, "Audit Rights") for source in ("d0", "d1", "d2")]
    sides = split_by_contract(examples, 0.2, 0)
    assert [set(label_counts(side)) for side in sides] == [{"Non-Compete", "Audit Rights"}] * 2


def test_split_keeps_a_contract_for_testing_even_where_each_has_a_label_of_its_own() -> None:
    examples = [example(i, "a", "Insurance") for i in range(3)] + [example(9, "b", "Audit Rights")]
    assert split_by_contract(examples, 0.5, 0)[1] == (examples[3],)


def test_split_depends_on_the_seed() -> None:
    examples = [example(i, f"c{i}") for i in range(30)]
    sides = {frozenset(e.contract for e in split_by_contract(examples, 0.3, seed)[1]) for seed in range(4)}
    assert len(sides) == 4
    assert {len(side) for side in sides} == {9}


def test_split_needs_two_contracts_and_a_share() -> None:
    alone = [example(i, "c") for i in range(5)]
    assert "of one contract" in refusal(lambda: split_by_contract(alone, 0.2, 0))
    for share in (0, 1, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            split_by_contract([*alone, example(9, "d")], share, 0)


def test_label_counts_are_by_frequency_and_name() -> None:
    examples = [example(0, "c", "B", "A"), example(1, "c", "C"), example(2, "c", "C"), example(3, "c")]
    assert list(label_counts(examples).items()) == [("C", 2), ("A", 1), ("B", 1)]


# The project's own files


def written(identity: str, source: str, split: str, text: str, *labels: str, **more: object) -> dict[str, object]:
    row = {"id": identity, "contract": source, "split": split, "heading": "H", "text": text, "labels": list(labels)}
    return row | {"style": "plain"} | more


def test_written_clauses_keep_their_split(tmp_path: Path) -> None:
    first = lines(written("a1", "A", "train", "one", "Insurance"), "", written("a2", "A", "train", "two"))
    second = lines(written("b1", "B", "test", "three", "non-compete"))
    (tmp_path / "1.jsonl").write_bytes(first)
    (tmp_path / "2.jsonl").write_bytes(second)
    (tmp_path / "README.md").write_text("not read")
    read = load_written_clauses(tmp_path, LABELS)
    assert [e.id for e in read.train] == ["a1", "a2"]
    assert read.test == (AnnotatedClause("b1", "three", ("Non-Compete",), "B", "H"),)
    assert read.annotations.examples == read.train + read.test
    assert read.annotations.labels == ("Insurance", "Non-Compete")
    assert read.annotations.rejected == ()
    assert read.annotations.sha256 == hashlib.sha256(first + second).hexdigest()


def test_written_clauses_that_are_wrong_are_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(lines(written("a1", "A", "train", "one")))
    (tmp_path / "2.jsonl").write_bytes(
        lines(
            "",
            written("a1", "B", "test", "two"),
            written("b2", "B", "dev", "three"),
            written("b3", "", "test", "four"),
            written("b4", "B", "test", "five", heading=None),
            {key: value for key, value in written("b5", "B", "test", "six").items() if key != "labels"},
            written("b6", "B", "test", "ONE"),
            written("b7", "B", "test", "seven", "Insurence"),
            "{",
        )
    )
    read = load_written_clauses(tmp_path, LABELS)
    assert [e.id for e in read.annotations.examples] == ["a1"]
    assert reasons(read.annotations.rejected) == {
        2: '2.jsonl, line 2: The id "a1" is used twice.',
        3: '2.jsonl, line 3: "split" is "dev", not "train" or "test".',
        4: '2.jsonl, line 4: "id" or "contract" is empty.',
        5: '2.jsonl, line 5: "heading" is missing or not text.',
        6: '2.jsonl, line 6: "labels" is missing; a negative has an empty list.',
        7: "2.jsonl, line 7: Duplicate: the same clause and labels as row 1.",
        8: '2.jsonl, line 8: Unknown label "Insurence". Did you mean Insurance?',
        9: "2.jsonl, line 9: The line is not valid JSON at column 2.",
    }


def test_written_clauses_refuse_a_missing_folder_and_a_contract_in_both_splits(tmp_path: Path) -> None:
    assert "holds no *.jsonl file" in refusal(lambda: load_written_clauses(tmp_path / "none", LABELS))
    (tmp_path / "1.jsonl").write_bytes(lines(written("1", "A", "train", "a"), written("2", "A", "test", "b")))
    assert 'Clauses of "A" are in train and in test.' in refusal(lambda: load_written_clauses(tmp_path, LABELS))


# The dataset itself


@pytest.fixture(scope="session")
def cuad_file() -> Path:
    path = os.environ.get("PLAYGROUND_CUAD")
    if not path or not Path(path).is_file():
        pytest.skip("PLAYGROUND_CUAD names no file in CUAD's layout")
    return Path(path)


def test_cuad_file_is_read_whole(cuad_file: Path) -> None:
    data = cuad_file.read_bytes()
    entries = json.loads(data)["data"]
    ids = [asked["id"] for asked in entries[0]["paragraphs"][0]["qas"]]
    known = [identity.rsplit("__", 1)[1] for identity in ids]
    contracts, rejected = read_cuad(data, cuad_file.name, known)
    assert rejected == ()
    marked = [len(asked["answers"]) for entry in entries for asked in entry["paragraphs"][0]["qas"]]
    assert (len(contracts), sum(len(c.spans) for c in contracts)) == (len(entries), sum(marked))
    found = [gold_labels(c.text, split_paragraphs(c.text), c.spans) for c in contracts]
    for annotated, labels in zip(contracts, found, strict=True):
        assert {span.label for span in annotated.spans} == set().union(*labels)


def test_cuad_file_splits_with_every_label_on_both_sides(cuad_file: Path) -> None:
    data = cuad_file.read_bytes()
    known = sorted({asked["id"].rsplit("__", 1)[1] for asked in json.loads(data)["data"][0]["paragraphs"][0]["qas"]})
    annotations: AnnotationSet = read_annotations(data, cuad_file.name, known)
    train, test = split_by_contract(annotations.examples, 0.2, 0)
    assert set(label_counts(train)) == set(label_counts(test)) == set(annotations.labels)
    assert len(test) / len(annotations.examples) == pytest.approx(0.2, abs=0.05)


OPEN = 'The Supplier opens a quote,Insurance,"contract 1\n'


@pytest.mark.parametrize("place", [13, 6, 1])
def test_a_row_with_an_open_quote_is_counted_and_swallows_no_other(place: int) -> None:
    lines = ["text,labels,contract\n"]
    lines += [f"The Supplier keeps insurance {i}.,{'Insurance' if i % 2 else ''},contract {i % 5}\n" for i in range(12)]
    lines.insert(place, OPEN)
    read = read_csv("".join(lines).encode(), ColumnMapping("text", "labels", "contract"), "x", LABELS)
    assert len(read.examples) == 12
    assert [row.number for row in read.rejected] == [place + 1]
    assert "never closed" in read.rejected[0].reason


def test_where_rows_were_left_out_for_their_labels_that_is_said_before_the_lack_of_labels() -> None:
    rows = ["text,labels,contract"]
    rows += [f"The Supplier keeps a dog {i}.,{'Dogs' if i < 30 else ''},contract {i % 5}" for i in range(40)]
    with pytest.raises(AnnotationError) as caught:
        read_annotations("\n".join(rows).encode(), "own.csv", LABELS)
    said = str(caught.value)
    assert said.index("Rows left out: 30") < said.index("None of the 10 clauses that are left")
    assert "Dogs" in said
