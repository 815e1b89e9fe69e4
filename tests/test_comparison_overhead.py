"""Where the time of an evaluation went: by a clock that only strategies and rows move."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.comparison import overhead
from playground.comparison.overhead import Overhead, measure_overhead
from playground.errors import ModelError
from playground.evaluation import EvaluationPlan
from playground.runs import read_records
from playground.types import Example, Prediction


def test_time_inside_and_outside_strategies_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(overhead.time, "perf_counter", lambda: clock[0])

    def answer(example: Example) -> Prediction:
        clock[0] += 2.0
        if example.id == "q1":
            raise ModelError("gone")
        return Prediction("x", None, {})

    def fingerprint(_strategy: str, _example: Example) -> str:
        clock[0] += 0.25  # asked twice a row: is it done already, and for the row itself
        return ""

    plan = EvaluationPlan(
        scenario="test",
        model_id="m",
        seed=0,
        strategies={"a": answer, "b": answer},
        examples=[Example(f"q{number}", "", "") for number in range(3)],
        metrics={},
        fingerprint=fingerprint,
    )
    found = measure_overhead(tmp_path, plan)
    assert found == Overhead(total_s=15.0, strategies_s=12.0, rows=6)
    assert found.share == 0.25
    assert len(read_records(tmp_path)) == 6


def test_nothing_measured_has_no_share() -> None:
    assert Overhead(1.0, 0.0, 0).share == float("inf")
