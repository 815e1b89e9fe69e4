"""The comparison page over runs that a test wrote, with scripted models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground import paths
from playground.comparison.measured_here import ROOT_VARIABLE
from playground.measuring.runs import RunInfo, open_run
from playground.paths import POLICIES
from playground.types import Prediction, RunRecord, Usage
from playground.ui.comparison import desk as comparison_desk
from playground.ui.comparison import measure_again
from playground.ui.comparison.desk import MeasurementDesk
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS
from tests.support.fakes import FakeChatModel
from tests.support.fakes_ui import ROOT, run, use_models

PAGE = "pages/comparison.py"
ANSWER = "You may return most items within 60 days of delivery."
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def row(strategy: str, example_id: str, *, right: bool, answerable: bool = True, **changes: object) -> RunRecord:
    """Return a row of Scenario A."""
    values: dict[str, object] = {
        "run_id": "r",
        "strategy": strategy,
        "model_id": "fake-model",
        "adapter": None,
        "example_id": example_id,
        "seed": 0,
        "prediction": Prediction(
            f"{strategy} says {right}",
            Usage(400, 12),
            {"first_token_s": 0.4, "total_s": 1.0 + len(strategy) / 10},
            {
                "parts": {"system": 30, "text": 350, "question": 20},
                "messages": [{"role": "user", "content": f"prompt of {strategy} {HOSTILE}"}],
            },
        ),
        "scores": {"answerable": float(answerable), "abstained": 0.0, "right": float(right), "unsupported_number": 0.0},
        "cost_usd": 0.0,
        "error": None,
        "started_at": "2026-01-02T03:04:05+00:00",
        "machine": "a recorded machine",
        "commit": "abc1234",
    }
    return RunRecord(**{**values, **changes})  # type: ignore[arg-type]


def write_run(
    folder: Path,
    rows: list[RunRecord],
    scenario: str = "return_policy",
    settings: dict[str, object] | None = None,
) -> Path:
    """Write a run; returns its folder."""
    open_run(folder, RunInfo(folder.name, scenario, "2026-01-02T03:04:05+00:00", settings or {}, {}))
    lines = "".join(json.dumps(asdict(one)) + "\n" for one in rows)
    (folder / "records.jsonl").write_text(lines, encoding="utf-8")
    return folder


def question_ids(count: int) -> list[tuple[str, bool]]:
    """Return ids of the project's own questions, with whether each has an answer."""
    return [(one.id, bool(one.metadata["answerable"])) for one in read_questions(QUESTIONS, POLICIES)[:count]]


def rows_of(strategy: str, right: Callable[[int], bool], count: int = 40, **changes: object) -> list[RunRecord]:
    """Return rows of a technique over the project's first questions."""
    return [
        row(strategy, name, right=right(number), answerable=answerable, **changes)
        for number, (name, answerable) in enumerate(question_ids(count))
    ]


def use_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: FakeChatModel | None = None) -> Path:
    """Give the page an empty folder of recorded runs, one of fresh ones, scripted models and a desk of its own."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    monkeypatch.setattr(paths, "RECORDED_RUNS", recorded)
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "fresh"))
    monkeypatch.setenv("PLAYGROUND_ADAPTERS", str(tmp_path / "adapters"))
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", tmp_path / "no-adapters")
    monkeypatch.setattr("playground.ui.comparison.measure_again.DESK", desk := MeasurementDesk())
    monkeypatch.setattr(comparison_desk, "DESK", desk)
    measure_again._planned_rows.clear()
    measure_again._cells.clear()  # what can be measured depends on the adapters, which are others now
    use_models(monkeypatch, model or FakeChatModel(lambda _question: ANSWER))
    return recorded


def open_page(**query: str) -> AppTest:
    """Open the page at an address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return run(app.switch_page(PAGE))
