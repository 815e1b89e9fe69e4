"""Cuts inside a sentence are told from the words around them, and reach by CUAD's own rule."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from playground.types import Clause
from scripts import measure_cuts as script

LONG = "The Supplier shall deliver all of the goods that are ordered to the Customer"


def clauses(*texts: str) -> list[Clause]:
    starts = [sum(map(len, texts[:i])) for i in range(len(texts))]
    return [
        Clause(f"c{i}", "d", text, start, start + len(text))
        for i, (text, start) in enumerate(zip(texts, starts, strict=True))
    ]


@pytest.mark.parametrize(
    ("before", "after", "gap", "kind"),
    [
        (LONG, "without delay.", "\n\n", "lower"),
        (f"{LONG} and to the", "Depot in Ostby.", "\n\n", "open"),
        (f"{LONG} under Section", "5.1, as it stands.", "\n", "open"),
        (f"{LONG} within sixty", "(60) days.", "\n", "open"),
        (LONG, "30 days later.", "\n", "quantity"),
        (f"{LONG} of Ostby", "Depot on a Monday.", "\n", "line"),
        (f"{LONG} under Pub.", "L. No. 111-148.", " ", "abbreviation"),
        (f"(a) {LONG},", "(b) it shall be paid.", " ", "comma"),
        (f"{LONG}.", "The Customer pays.", " ", ""),
        (f"{LONG}; and", "(b) it shall be paid.", " ", ""),
        (f"{LONG}:", "without delay.", "\n", ""),
        (LONG, "(a) without delay; and", "\n", ""),
        (f"{LONG} of Ostby", "2. TERM", "\n\n", ""),
        ("SUPPLY AGREEMENT", "between", "\n\n", ""),
    ],
)
def test_kinds_of_cuts(before: str, after: str, gap: str, kind: str) -> None:
    assert script.kind_of_cut(before, after, gap) == kind


def test_a_page_number_between_two_clauses_hides_no_cut() -> None:
    found = list(script.cuts_of(clauses(f"{LONG}\n\n", "12\n\n", "without delay. ", "The Customer pays.")))
    assert [(kind, after) for kind, _, after in found] == [("lower", "without delay.")]


def test_figures_of_a_small_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"1. GOODS\n\n{LONG} without delay.\n\n2. CAP\n\nThe liability of each party is limited to what was paid."
    cap = "The liability of each party is limited to what was paid."
    answers = [{"text": cap, "answer_start": text.index(cap)}]
    asked = {"id": "T__Cap On Liability", "question": "?", "answers": answers, "is_impossible": False}
    paragraphs = [{"context": text, "qas": [asked]}]
    file, out = tmp_path / "cuad.json", tmp_path / "cuts.json"
    file.write_text(json.dumps({"data": [{"title": "T", "paragraphs": paragraphs}]}))
    monkeypatch.setattr(sys, "argv", ["measure_cuts.py", str(file), "--wrapped", "--out", str(out)])
    script.main()
    measured = json.loads(out.read_text())
    assert measured["as it is"]["cuts"] == measured["wrapped"]["cuts"] == 0
    assert measured["as it is"]["clauses"] == measured["wrapped"]["clauses"] == 4
    assert measured["as it is"]["spans"] == 1
    assert measured["as it is"]["reached_by_a_clause"] == measured["as it is"]["reached_by_a_run"] == [1.0, 1.0, 1.0]
