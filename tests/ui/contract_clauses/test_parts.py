"""The parts of the contract page that need no page: HTML, filters, corrections, gold, what may judge."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from playground.adapters import AdapterStore
from playground.annotations import ColumnMapping, read_json_lines
from playground.clauses.splitting import split_clauses
from playground.documents import load_document
from playground.flagging.report import Correction, ReportRow
from playground.flagging.report.rows import OVERLOOKS
from playground.models.catalog import MPNET
from playground.paths import CONTRACTS, SHIPPED_ADAPTERS
from playground.types import Clause, Completion, Document, Flag, FlaggedContract, SimilarClause, Usage
from playground.ui.contract_clauses.contract_html import (
    contract_html,
    evidence_html,
    part_with,
    parts_of,
    risk_css,
    tag_html,
)
from playground.ui.contract_clauses.corrections import corrections_jsonl
from playground.ui.contract_clauses.flag_filter import chosen, label_counts, risk_counts
from playground.ui.contract_clauses.flagger_choice import (
    KEYWORDS,
    ZERO_SHOT,
    FlaggerChoice,
    flagger_choices,
    measured,
)
from playground.ui.contract_clauses.flags import card_html, clauses_with, measured_html, missing_html
from playground.ui.contract_clauses.gold import agreement, load_gold
from playground.ui.contract_clauses.prompting import replies_html
from playground.ui.contract_clauses.state import PromptedReply, catalogue
from tests.support.fakes_adapters import adapter_files, writing
from tests.support.fakes_contracts import LABELS, index, store_with

CAP, AUDIT, LAW = (catalogue()[name] for name in ("Cap On Liability", "Audit Rights", "Governing Law"))


def clauses_of(*texts: str) -> tuple[Clause, ...]:
    made, at = [], 0
    for number, text in enumerate(texts, start=1):
        made.append(Clause(f"c{number}", "d", text, at, at + len(text), heading_path=("Terms", f"Part {number}")))
        at += len(text)
    return tuple(made)


THREE = clauses_of("The cap is five.\n\n", "Books may be audited.\n\n", "The law of Japan governs.")
ROWS = (ReportRow(THREE[0], CAP, 0.6), ReportRow(THREE[1], AUDIT, 0.9), ReportRow(THREE[2], LAW, 0.7))


# --- HTML -----------------------------------------------------------------------------------------------------------


def test_a_flagged_clause_is_marked_by_its_gravest_risk_and_tagged_in_words():
    page = contract_html(THREE, [ROWS[0], replace(ROWS[1], clause=THREE[0])])
    assert page.count("<mark") == 1
    assert '<mark class="clause risk-high clause-c1">The cap is five.</mark>\n\n' in page
    assert "▲ High · Cap On Liability 60%" in page
    assert "◆ Medium · Audit Rights 90%" in page


def test_a_card_of_a_contract_without_pages_says_the_number_and_the_headings():
    clause = replace(THREE[0], number="4.1")
    card = card_html(ReportRow(clause, CAP, 0.6))
    assert '<div class="flag-place">4.1 · Terms &gt; Part 1</div>' in card
    assert "page" not in card.lower()
    assert "4.1, page 7 · Terms &gt; Part 1" in card_html(ReportRow(replace(clause, page=7), CAP, 0.6))


def test_all_that_is_usual_was_found_is_no_all_clear():
    document = Document("d", "", "", "a.txt", "")
    flagged = FlaggedContract(document, (), (), (), "m", None, {}, usual=("Insurance", "Audit Rights"))
    said = missing_html(flagged, ())
    assert "of each of the 2 kinds looked for, a clause was found" in said
    assert OVERLOOKS in said
    assert "all found" not in said
    assert "of the one kind looked for" in missing_html(replace(flagged, usual=("Insurance",)), ())


def test_a_rejected_flag_is_not_marked_and_scores_that_are_no_probabilities_are_not_printed():
    page = contract_html(THREE, [replace(ROWS[0], verdict="rejected"), ROWS[1]], probabilities=False)
    assert page.count("<mark") == 1
    assert "%" not in page


def test_text_of_a_contract_cannot_leave_its_place():
    evil = clauses_of('"><script>alert(1)</script>', "<img src=x onerror=alert(1)>")
    row = ReportRow(
        evil[0], replace(CAP, name="<b>x</b>", why="<i>w</i>"), 0.5, (SimilarClause("<u>", (), "<s>", 0.5),)
    )
    for page in (contract_html(evil, [row]), tag_html(row), card_html(row, note="<em>"), evidence_html(row.evidence)):
        assert "<script" not in page
        assert "<img" not in page
        assert not any(tag in page for tag in ("<b>x", "<i>w", "<u>", "<s>", "<em>"))


def test_lines_wrapped_by_hand_flow_but_rows_of_a_table_stay():
    wrapped = "The supplier shall keep every record of the work for six\n    years after the end of this Agreement."
    assert "for six years" in contract_html(clauses_of(wrapped), ())
    table = "The name of the item in the table of the schedule | Price\nA second row of the same table | 12"
    assert "Price\nA second" in contract_html(clauses_of(table), ())
    assert ">1. Parties … | 3<" in contract_html(clauses_of("1. Parties " + "." * 120 + " | 3"), ())


def test_a_long_contract_is_cut_into_parts_between_clauses():
    clauses = clauses_of(*["x" * 90 + "\n"] * 50)
    parts = parts_of(clauses, 1000)
    assert len(parts) == 5
    assert parts[0].first == 0
    assert parts[-1].last == 50
    assert all(left.last == right.first for left, right in pairwise(parts))
    assert part_with(parts, clauses, "c50") == 5
    assert part_with(parts, clauses, "nowhere") == 1
    assert len(parts_of(clauses)) == 1
    assert [(part.first, part.last) for part in parts_of(())] == [(0, 0)]


def test_every_risk_has_a_colour_in_both_themes():
    css = risk_css()
    assert css.count("light-dark(") == 5 * 4
    assert all(f"risk-{risk}" in css for risk in ("high", "medium", "low", "informational"))


# --- filters, corrections -------------------------------------------------------------------------------------------


def test_flags_are_chosen_and_ordered():
    assert chosen(ROWS, risks=["medium"]) == (ROWS[1],)
    assert chosen(ROWS, labels=["Governing Law", "Audit Rights"]) == ROWS[1:]
    assert chosen((*ROWS, replace(ROWS[0], score=None)), least=0.7) == (*ROWS[1:], replace(ROWS[0], score=None))
    assert [row.label.risk for row in chosen(ROWS[::-1], order="risk")] == ["high", "medium", "low"]
    assert [row.score for row in chosen((*ROWS, replace(ROWS[0], score=None)), order="score")] == [0.9, 0.7, 0.6, None]


def test_rejected_flags_are_not_counted():
    rows = (*ROWS, replace(ROWS[0], verdict="rejected"))
    assert risk_counts(rows) == {"high": 1, "medium": 1, "low": 1, "informational": 0}
    assert list(label_counts(rows).items()) == [("Cap On Liability", 1), ("Audit Rights", 1), ("Governing Law", 1)]


def test_corrections_are_training_data_even_for_flags_that_the_slider_hides():
    corrections = (
        Correction("c1", "Cap On Liability", "rejected"),
        Correction("c2", "Insurance", "confirmed"),
    )
    rows = (replace(ROWS[0], verdict="rejected"), ROWS[1])
    lines = corrections_jsonl(THREE, rows, corrections, "deal.docx")
    assert [json.loads(line)["rejected"] for line in lines.splitlines()] == [["Cap On Liability"], []]
    read = read_json_lines(lines.encode(), ColumnMapping("text", "labels", "contract", "heading"), "c", LABELS)
    assert [(clause.text, clause.labels, clause.heading) for clause in read.examples] == [
        ("The cap is five.", (), "Part 1"),
        ("Books may be audited.", ("Audit Rights", "Insurance"), "Part 2"),
    ]


def test_clauses_are_found_by_any_of_their_words():
    assert [clause.id for clause in clauses_with(THREE, "JAPAN law")] == ["c3"]
    assert clauses_with(THREE, "japan cap") == []
    heading = replace(THREE[0], kind="heading")
    assert clauses_with([heading], "") == []
    assert clauses_with([heading], "cap") == [heading]


# --- evidence, gold, replies ----------------------------------------------------------------------------------------


def test_evidence_carries_the_label_and_the_nearest_comes_first():
    pair = ("Liability is unlimited here.", "Uncapped Liability")
    found = index().similar([pair, ("anything", "Audit Rights")])
    assert [similar.contract for similar in found[pair]] == ["train-2", "train-3"]
    assert found["anything", "Audit Rights"] == ()


def test_gold_flags_agree_with_the_gold_and_others_do_not():
    document = load_document((CONTRACTS / "nda.txt").read_bytes(), "nda.txt")
    clauses = split_clauses(document)
    gold = load_gold(CONTRACTS / "gold.json", "nda.txt", document, clauses)
    assert gold is not None
    assert len(gold.spans) == 17
    perfect = [Flag(clause_id, label, 0.9) for clause_id, label in gold.pairs]
    agreed = agreement(gold, clauses, perfect, LABELS)
    assert (agreed.found, agreed.right) == (agreed.stretches, agreed.flags) == (17, len(perfect))
    wrong = [Flag(clauses[0].id, "Insurance", 0.9)]
    assert agreement(gold, clauses, wrong, LABELS).right == 0
    assert agreement(gold, clauses, wrong, LABELS).found == 0
    assert load_gold(CONTRACTS / "gold.json", "other.txt", document, clauses) is None


def test_replies_of_one_clause_stand_side_by_side():
    completion = Completion("Maybe <x>", "m", (), Usage(1200, 3), 0.1, 0.5, "end")
    reply = PromptedReply("c1", "1.2", "A <clause>", "Insurance", "zero-shot", completion, None)
    table = replies_html([reply, replace(reply, technique="few-shot", decision=True)])
    assert table.count("<tr>") == 2
    assert "Maybe &lt;x&gt;" in table
    assert "1,200 tokens in, 3 out · 0.5 s" in table
    assert "tokens not reported" in replies_html([replace(reply, completion=replace(completion, usage=None))])


# --- what may judge -------------------------------------------------------------------------------------------------


def test_the_active_adapter_is_the_default_and_keywords_without_one(tmp_path):
    store = store_with(tmp_path, "first", "second")
    choices = flagger_choices(store)
    assert [option.key.split("@")[0] for option in choices.options] == ["second", "first", "keywords", "zero_shot"]
    assert choices.default.title == "LoRA adapter first"
    assert [choices.default.option, KEYWORDS.option] == ["LoRA adapter first · all-MiniLM-L6-v2", KEYWORDS.title]
    large = flagger_choices(AdapterStore(tmp_path / "empty", shipped=SHIPPED_ADAPTERS)).default
    assert large.option == "LoRA adapter cuad-mpnet · all-mpnet-base-v2", "the shipped default"
    assert large.base is MPNET
    assert choices.has_adapter
    none = flagger_choices(AdapterStore(tmp_path / "empty"))
    assert none.options == (KEYWORDS, ZERO_SHOT)
    assert none.default is KEYWORDS
    assert not none.has_adapter


def test_adapters_of_other_tasks_and_bases_are_not_offered(tmp_path):
    store = AdapterStore(tmp_path)
    store.save("reader", writing(task="reader"))
    store.save("speaker", writing(base_kind="language_model"))
    assert not flagger_choices(store).has_adapter


def test_figures_are_those_of_the_nearest_place_of_the_slider(tmp_path):
    choice = flagger_choices(store_with(tmp_path, "first")).default
    figures = measured(choice)
    assert figures is not None
    assert figures.measured_on == "12 unseen contracts"
    at_zero = figures.at(0.1)
    assert at_zero is not None
    assert (at_zero.recall, at_zero.precision) == (0.81, 0.74)
    assert figures.at(2.0) is None
    assert measured(KEYWORDS) is None


def test_the_slider_says_which_labels_its_figures_are_over(tmp_path):
    choice = flagger_choices(store_with(tmp_path, "first")).default
    assert len(LABELS) == 41
    liabilities = frozenset(name for name, label in catalogue().items() if label.liability)
    said = measured_html(choice, 0.0, liabilities)
    assert "finds <b>81%</b>" in said and "Measured on 12 unseen contracts." in said
    assert "over all 41 labels it knows, not over the 21 shown alone" in said
    assert "over all" not in measured_html(choice, 0.0, frozenset(LABELS))
    few = flagger_choices(store_with(tmp_path / "few", "few", labels=("Insurance", "Audit Rights"))).default
    assert "over all" not in measured_html(few, 0.0, liabilities), "all that it knows are shown"
    assert "not measured" in measured_html(KEYWORDS, 0.0, liabilities)


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"operating_points": "many", "measured_on": "x"},
        {"operating_points": [{"shift": 0.0, "recall": 1.0, "precision": 1.0, "flags": 1}]},
        {"operating_points": [3, {"shift": "0"}, {"shift": True}], "measured_on": "x"},
    ],
)
def test_figures_of_a_strangers_manifest_are_checked(tmp_path, metrics):
    choice = flagger_choices(store_with(tmp_path, "first", metrics=metrics)).default
    assert choice.kind == "adapter"
    assert measured(choice) is None


def test_rates_outside_their_range_are_not_shown(tmp_path):
    metrics = {"operating_points": [{"shift": 0, "recall": 7, "precision": 0.5, "flags": -2}], "measured_on": "x"}
    figures = measured(flagger_choices(store_with(tmp_path, "first", metrics=metrics)).default)
    assert figures is not None
    point = figures.at(0.0)
    assert point is not None
    assert (point.recall, point.precision, point.flags) == (None, 0.5, 0)


def test_two_adapters_of_one_name_have_different_keys(tmp_path):
    one = store_with(tmp_path / "1", "same").get("same")
    two = store_with(tmp_path / "2", "same")
    two.delete("same")
    other = two.save("same", writing(adapter_files(fill=9), labels=LABELS))
    assert FlaggerChoice("adapter", one).key != FlaggerChoice("adapter", other).key
