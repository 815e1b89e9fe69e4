"""What the comparison page plans to measure is what the run then does."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeChatModel
from fakes_comparison import ANSWER, open_page, use_runs
from fakes_ui import words
from scripted_embedder import ScriptedEmbedder

from playground.comparison.fresh import RunRequest, new_folder, runs_root
from playground.evaluation import evaluate_into
from playground.ui import comparison_measuring as measuring
from scenarios.return_policy import scenario

ALL_OF_A = ("no-text", "rag", "closed-book-lora")
SHIPPED_ADAPTERS = scenario.ADAPTERS


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page with the adapters that are shipped, and no recorded run; returns the folder of recorded ones."""
    folder = use_runs(monkeypatch, tmp_path)
    monkeypatch.setattr(scenario, "ADAPTERS", SHIPPED_ADAPTERS)
    return folder


# How many rows


@pytest.mark.parametrize("limit", [6, 60, None])
def test_planned_rows_are_those_of_the_plan(limit: int | None, tmp_path: Path) -> None:
    request = RunRequest("return_policy", ALL_OF_A, limit, "bundled")
    part = measuring.part_of(
        request,
        tmp_path,
        model=lambda: FakeChatModel(lambda _question: ANSWER),
        embedder=ScriptedEmbedder,
        expected_s={},
    )
    plan = part.prepare()
    assert measuring.planned_rows(request) == plan.rows_of == part.rows_of
    assert part.planned == plan.size
    assert plan.rows_of["closed-book-lora"] < plan.rows_of["rag"], "it is asked about one policy only"


def test_closed_book_alone_is_asked_what_it_was_trained_on() -> None:
    alone = measuring.planned_rows(RunRequest("return_policy", ("closed-book-lora",), None, "bundled"))
    among_others = measuring.planned_rows(RunRequest("return_policy", ALL_OF_A, None, "bundled"))
    assert alone["closed-book-lora"] == among_others["closed-book-lora"] < among_others["rag"]


def test_an_estimate_takes_each_technique_by_its_own_rows() -> None:
    request = RunRequest("return_policy", ALL_OF_A, 60, "bundled")
    rows = measuring.planned_rows(request)
    rates = {"return_policy": {"no-text": 0.0, "rag": 0.0, "closed-book-lora": 1.0}}
    empty = {"return_policy": dict.fromkeys(ALL_OF_A, 0.0)}
    rest = measuring.estimate_s([request], empty) or 0.0
    assert (measuring.estimate_s([request], rates) or 0.0) - rest == rows["closed-book-lora"]


def _finished(request: RunRequest) -> Path:
    folder = new_folder(runs_root(), request)
    part = measuring.part_of(
        request, folder, model=lambda: FakeChatModel(lambda _question: ANSWER), embedder=ScriptedEmbedder, expected_s={}
    )
    for _row in evaluate_into(folder, part.prepare()):
        pass
    return folder


def test_a_finished_run_of_all_techniques_is_not_offered_as_interrupted(shipped: Path) -> None:
    folder = _finished(RunRequest("return_policy", ALL_OF_A, 6, "bundled"))
    app = open_page()
    assert not any("was interrupted" in text for text in words(app.caption))
    path = folder / "records.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    app = open_page()
    assert any("was interrupted after" in text for text in words(app.caption))
