"""Where the time of an evaluation went: by a clock that only strategies and rows move."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.errors import ModelError
from playground.measuring import overhead
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.overhead import Overhead, measure_overhead
from playground.measuring.runs import read_records
from playground.types import Example, Prediction
from scripts.bench_comparison import aggregation, as_markdown


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


def test_the_page_of_the_benchmark_says_what_was_measured_where_and_whether_the_goal_is_met() -> None:
    def spread(name: str, value: float) -> dict[str, float]:
        return {name: value, f"{name}_low": value / 2, f"{name}_high": value * 2}

    names = ("read_s", "figures_s", "figures_and_tests_s", "table_s")
    run = {
        "date": "2026-11-27T03:00:00+00:00",
        "commit": "abc1234",
        "machine": "a machine, 2 cores",
        "load": 0.25,
        "harness": {"rows": 500, **spread("share", 0.0123), **spread("ms_per_row", 0.25)},
        "aggregation": {"rows": 50_000, **{k: v for name in names for k, v in spread(name, 1.5).items()}},
    }
    page = as_markdown(run)
    assert (
        "`python scripts/bench_comparison.py` on 2026-11-27T03:00:00+00:00, commit abc1234, a machine, 2 cores." in page
    )
    assert "| 1.23 (0.61 to 2.46) % | 500 rows of a scripted strategy that takes 20 ms | at most 2%: met |" in page
    assert "(lowest to highest); load average in the minute before: 0.2." in page
    assert page.count("| 1.50 (0.75 to 3.00) s | 50,000 rows, 7 techniques |") == 4
    missed = {**run, "harness": {"rows": 500, **spread("share", 0.0201), **spread("ms_per_row", 0.25)}}
    assert "at most 2%: not met" in as_markdown(missed)


def test_the_benchmark_reads_and_sums_up_every_row_that_it_writes(tmp_path: Path) -> None:
    found = aggregation(tmp_path, 70)
    assert found["rows"] == 70
    assert 0 < found["read_s_low"] <= found["read_s"] <= found["read_s_high"]
