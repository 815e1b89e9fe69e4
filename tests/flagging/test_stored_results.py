"""Stored results: taken back whole, and only for the adapter and the clauses that they are of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from playground.documents import load_pasted
from playground.flagging.flags import score_contract
from playground.flagging.stored_results import clauses_sha256, stored_result, stored_rows
from playground.ui.contract_clauses.state import catalogue
from tests.support.fakes_contracts import CONTRACT, ScriptedFlagger

SCORED = score_contract(load_pasted(CONTRACT, "one"), ScriptedFlagger(adapter="one@1"), catalogue())


def stored_in(folder: Path, **changes: object) -> Path:
    row = stored_rows(SCORED, "2026-11-30T10:00:00+00:00", "a machine") | changes
    path = folder / "judged.json"
    path.write_text(json.dumps({"adapters": {"one@1": {clauses_sha256(SCORED.clauses): row}}}))
    return path


def test_what_was_stored_comes_back_as_it_was(tmp_path: Path) -> None:
    found = stored_result(stored_in(tmp_path), "one@1", SCORED.document, SCORED.clauses)
    assert found is not None
    assert np.array_equal(found.scored.probabilities, SCORED.probabilities)
    assert replace(
        found.scored, probabilities=SCORED.probabilities, thresholds=SCORED.thresholds, timings={}
    ) == replace(SCORED, timings={})
    assert found.judged_at.startswith("2026-11-30")


def test_another_adapter_or_other_clauses_have_no_stored_result(tmp_path: Path) -> None:
    path = stored_in(tmp_path)
    assert stored_result(path, "one@2", SCORED.document, SCORED.clauses) is None
    assert stored_result(path, "one@1", SCORED.document, SCORED.clauses[:-1]) is None


def test_a_missing_or_damaged_file_stores_nothing(tmp_path: Path) -> None:
    assert stored_result(tmp_path / "none.json", "one@1", SCORED.document, SCORED.clauses) is None
    for changes in ({"probabilities": "no"}, {"labels": ["one"]}, {"thresholds": [float("nan")] * len(SCORED.labels)}):
        path = stored_in(tmp_path, **changes)
        assert stored_result(path, "one@1", SCORED.document, SCORED.clauses) is None
