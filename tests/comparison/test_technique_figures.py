"""Figures of techniques against values worked out by hand, and percentile intervals against the plain bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from playground.comparison.figures import HeatMap
from playground.comparison.outcomes import Measured, Outcome
from playground.comparison.rows import RunRows
from playground.comparison.scenario import ComparedScenario
from playground.comparison.technique_figures import heat_map, percentile, technique_figures, technique_rows, times_of
from playground.measuring.estimates import proportion
from playground.measuring.runs import RunInfo
from playground.types import Prediction, RunRecord, Usage
from tests.support.evidence_samples import TECHNIQUES

INFO = RunInfo("run-1", "return_policy", "2026-01-01T00:00:00+00:00", {}, {})
RECORD = RunRecord("run-1", "rag", "m", None, "q", 0, None, {"right": 1.0}, 0.0, None, "2026-01-02", "pc", "abc")


def row(
    example: str,
    *,
    strategy: str = "rag",
    usage: Usage | None = None,
    total_s: float = 1.0,
    parts: object = None,
    right: float = 1.0,
    cost_usd: float | None = 0.0,
    requests: int = 1,
    seed: int = 0,
) -> RunRecord:
    detail: dict[str, object] = {"requests": requests} | ({"parts": parts} if parts is not None else {})
    prediction = Prediction("x", usage, {"total_s": total_s}, detail)
    return replace(
        RECORD,
        strategy=strategy,
        example_id=example,
        prediction=prediction,
        scores={"right": right},
        cost_usd=cost_usd,
        seed=seed,
    )


def measure(rows: Sequence[RunRecord]) -> Measured:
    return Measured(proportion(sum(one.scores["right"] > 0 for one in rows), len(rows)), "share right")


def outcomes(rows: Sequence[RunRecord]) -> Mapping[str, Outcome]:
    return {one.example_id: Outcome(one.scores["right"] > 0, column=one.example_id[0]) for one in rows}


def requests_of(one: RunRecord) -> int:
    return int(str(one.prediction.detail["requests"])) if one.prediction else 1


SCENARIO = ComparedScenario(
    "return_policy", "question", measure, outcomes, requests_of, ("right",), techniques=tuple(TECHNIQUES.values())
)


def test_figures_are_those_worked_out_by_hand() -> None:
    rows = (
        row("q1", usage=Usage(100, 10), parts={"system": 30, "text": 70}, total_s=1.0, cost_usd=0.25),
        row("q2", usage=Usage(200, 30), parts={"system": 30, "text": 170}, total_s=3.0, right=0.0, cost_usd=0.75),
        replace(RECORD, example_id="q3", error="gone", scores={"right": 0.0}, cost_usd=0.5, machine="laptop"),
    )
    (found,) = technique_figures(RunRows(INFO, rows), SCENARIO, recorded=False)
    assert found.accuracy == proportion(1, 3)
    assert found.tokens == {"system": 30.0, "text": 120.0, "output": 20.0}
    assert (found.input_tokens, found.output_tokens, found.token_cost_usd) == (150.0, 20.0, 0.5)
    assert found.total_s is not None
    assert (found.total_s.values, found.total_s.p50.value) == ((1.0, 3.0), 2.0)
    assert found.total_s.p95.value == pytest.approx(2.9)
    assert found.first_token_s is None
    assert (found.n, found.errors, found.requests, found.recorded) == (3, 1, 3, False)
    assert (found.title, found.machine, found.commit, found.run_id) == ("RAG", "pc; laptop", "abc", "run-1")
    assert found.is_small


def test_rows_that_do_not_know_the_parts_have_one_part() -> None:
    rows = (row("q1", usage=Usage(100, 10)), row("q2", usage=Usage(60, 10), parts={"system": 60}))
    (found,) = technique_figures(RunRows(INFO, rows), SCENARIO)
    assert found.tokens == {"prompt": 50.0, "system": 30.0, "output": 10.0}


@pytest.mark.parametrize("parts", [["system"], {"system": "many"}, {"system": -1}, {}])
def test_parts_that_cannot_be_are_ignored(parts: object) -> None:
    (found,) = technique_figures(RunRows(INFO, (row("q1", usage=Usage(7, 2), parts=parts),)), SCENARIO)
    assert found.tokens == {"prompt": 7.0, "output": 2.0}


def test_what_was_not_measured_is_none_and_never_zero() -> None:
    rows = (row("q1", cost_usd=None), row("q2", cost_usd=0.5))
    (found,) = technique_figures(RunRows(INFO, rows), SCENARIO)
    assert (found.tokens, found.input_tokens, found.output_tokens, found.token_cost_usd) == ({}, None, None, None)
    failed = replace(RECORD, error="gone", prediction=None)
    (found,) = technique_figures(RunRows(INFO, (failed,)), replace(SCENARIO, requests_of=lambda _one: 0))
    assert (found.total_s, found.token_cost_usd, found.requests) == (None, None, 0)


def test_a_row_of_several_requests_counts_per_request() -> None:
    rows = (
        row("c1", requests=4, usage=Usage(400, 8), total_s=2.0, cost_usd=1.0),
        row("c2", requests=1, usage=Usage(50, 2), total_s=1.0, cost_usd=0.25),
    )
    (found,) = technique_figures(RunRows(INFO, rows), SCENARIO)
    assert found.total_s is not None
    assert found.total_s.values == (0.5, 1.0)
    assert (found.input_tokens, found.output_tokens, found.token_cost_usd) == (90.0, 2.0, 0.25)
    assert (found.n, found.requests) == (2, 5)


def test_one_seed_counts_and_rows_of_another_scenario_do_not() -> None:
    rows = (
        row("q1", seed=1),
        *(row(f"q{number}", seed=2) for number in range(3)),
        replace(row("q9"), scores={"f1": 1.0}),
        row("q1", strategy="rag+cot"),
    )
    groups, notes = technique_rows(rows, SCENARIO)
    assert [(group.strategy, len(group.records)) for group in groups] == [("rag", 3), ("rag+cot", 1)]
    assert {one.seed for one in groups[0].records} == {2}
    assert notes == (
        "1 row has none of the scores of return_policy and was left out.",
        "rag on m has rows of 2 seeds; those of seed 2 are shown.",
    )


def test_models_and_adapters_tell_techniques_apart() -> None:
    rows = (row("q1"), replace(row("q1"), model_id="other"), replace(row("q1"), adapter="a@1"))
    found = technique_figures(RunRows(INFO, rows), SCENARIO)
    assert len({one.key for one in found}) == 3


def test_the_heat_map_counts_by_column() -> None:
    rows = (row("a1"), row("a2", right=0.0), row("b1"), row("a1", strategy="rag+cot"))
    groups, _notes = technique_rows(rows, SCENARIO)
    assert heat_map(groups, SCENARIO) == HeatMap(
        ("RAG", "RAG + chain of thought"), ("a", "b"), ((0.5, 1.0), (1.0, None)), ((2, 1), (1, 0))
    )


@pytest.mark.parametrize("n", [2, 20, 21, 60, 400])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_interval_of_a_percentile_is_that_of_the_plain_bootstrap(n: int, share: float) -> None:
    values = np.sort(np.random.default_rng(n).lognormal(0.0, 0.6, n))
    found = percentile(values, share)
    assert found.value == np.quantile(values, share)
    generator = np.random.default_rng(1)
    plain = np.quantile(values[generator.integers(n, size=(20_000, n))], share, axis=1)
    spread = values[-1] - values[0]
    assert found.low == pytest.approx(np.quantile(plain, 0.025), abs=0.02 * spread)
    assert found.high == pytest.approx(np.quantile(plain, 0.975), abs=0.02 * spread)
    assert found == percentile(values, share)


def test_one_value_has_no_width_and_none_is_none() -> None:
    found = times_of([0.5])
    assert found is not None
    assert (found.p50.low, found.p50.value, found.p50.high, found.p95.high) == (0.5, 0.5, 0.5, 0.5)
    assert times_of([]) is None
