"""What comparing costs: the harness beside the models, and reading and summing up 50,000 rows.

    python scripts/bench_comparison.py [--rows 50000] [--table]

Writes docs/bench_comparison.json; `make docs` puts it into docs/measurements.md. The strategy is scripted and sleeps
20 ms, far less than any model takes, and answers with as much detail as a real one, so that the share of the harness is
an upper bound. ``--table`` also times pandas against polars, where that is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from playground.comparison.rows import read_run_rows, row_table
from playground.comparison.runs_compared import ComparedRun, compare_runs
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.evaluation import EvaluationPlan, fingerprint_of
from playground.measuring.overhead import measure_overhead
from playground.measuring.runs import RunInfo, open_run
from playground.paths import ROOT
from playground.types import Example, Prediction, RunRecord, Strategy, Usage
from scenarios.registry import scenario_names
from scenarios.return_policy.compared import compared_scenario

COMMAND = "python scripts/bench_comparison.py"
LARGEST_SHARE = 0.02
"""What the harness may take beside the strategies."""
Figures = dict[str, float]
STRATEGIES = ("no-text", "whole-document", "rag", "rag+few-shot", "rag+cot", "rag+lora", "closed-book-lora")
ANSWER_S = 0.02
EXAMPLES = 250
REPEATS = 5


def scripted(length: int) -> Strategy:
    """A strategy that takes ANSWER_S and gives as much detail as a real one does."""
    detail: dict[str, object] = {
        "messages": [{"role": "user", "content": "policy " * (length // 7)}],
        "parts": {"system": 30, "text": 400, "question": 20},
        "cost_usd": 0.0,
    }

    def answer(example: Example) -> Prediction:
        time.sleep(ANSWER_S)
        return Prediction(f"{example.id}: 30 days.", Usage(450, 12), {"first_token_s": 0.01, "total_s": 0.02}, detail)

    return answer


def overhead(folder: Path) -> Figures:
    """Run EXAMPLES examples of two strategies REPEATS times; return what the harness takes, its start included."""
    plan = EvaluationPlan(
        scenario="return_policy",
        model_id="scripted",
        seed=0,
        strategies={"rag": scripted(2_500), "whole-document": scripted(9_000)},
        examples=[Example(f"q{number}", "How long do I have?", "") for number in range(EXAMPLES)],
        metrics={"right": lambda prediction, _example: float("30" in prediction.output)},
        fingerprint=lambda strategy, example: fingerprint_of(strategy, example.input),
        failed_cost_usd=0.0,
    )
    found = [measure_overhead(folder / str(turn), plan) for turn in range(REPEATS)]
    ms = [1e3 * (one.total_s - one.strategies_s) / one.rows for one in found]
    return {
        "rows": found[0].rows,
        **_spread("share", [one.share for one in found]),
        **_spread("ms_per_row", ms),
    }


def write_rows(folder: Path, count: int) -> None:
    """Write a run of ``count`` rows as large as those of short prompts."""
    draw = random.Random(0)
    open_run(folder, RunInfo("bench", "return_policy", "2026-01-01T00:00:00+00:00", {}, {}))
    detail: dict[str, object] = {
        "messages": [{"role": "user", "content": "policy " * 200}],
        "parts": {"system": 30, "text": 420},
    }
    with (folder / "records.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(count):
            place = number // len(STRATEGIES)
            answerable = float(place % 3 > 0)
            timings = {"first_token_s": draw.lognormvariate(0, 0.4), "total_s": draw.lognormvariate(1, 0.4)}
            record = RunRecord(
                *("bench", STRATEGIES[number % len(STRATEGIES)], "scripted", None, f"q{place}", 0),
                Prediction("30 days.", Usage(450, 12), timings, detail),
                {"answerable": answerable, "abstained": 0.0, "right": float(draw.random() < 0.6)},
                *(0.0, None, "2026-01-01T00:00:00+00:00", "a machine", "abc"),
            )
            stream.write(json.dumps(asdict(record)) + "\n")


def timed_s(action: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Return the seconds that ``action`` took each time."""
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        found.append(time.perf_counter() - started)
    return found


def aggregation(folder: Path, rows: int) -> Figures:
    """Return the seconds of reading ``rows`` rows, of all figures with tests and heat map, and of the table."""
    write_rows(folder, rows)
    run = read_run_rows(folder, scenario_names())
    scenario = compared_scenario(run.info)
    unpaired = replace(scenario, outcomes=lambda _rows: {})
    return {
        "rows": len(run.records),
        **_spread("read_s", timed_s(lambda: read_run_rows(folder, scenario_names()))),
        **_spread("figures_s", timed_s(lambda: compare_runs([ComparedRun(run, unpaired)]))),
        **_spread("figures_and_tests_s", timed_s(lambda: compare_runs([ComparedRun(run, scenario)]))),
        **_spread("table_s", timed_s(lambda: row_table(run.records))),
    }


def _spread(name: str, values: list[float]) -> Figures:
    """Return median, lowest and highest under names that begin alike."""
    return {name: statistics.median(values), f"{name}_low": min(values), f"{name}_high": max(values)}


def min_s(action: Callable[[], object]) -> float:
    """Return the shortest of several times, in seconds."""
    return min(timed_s(action))


def table_libraries(folder: Path) -> Figures:
    """Return milliseconds of grouping and of the filter "only where they differ", in pandas and, if here, polars."""
    table = row_table(read_run_rows(folder, scenario_names()).records)

    def pandas_differ() -> object:
        wide = table.pivot_table(index="example_id", columns="strategy", values="score_right")
        return wide[wide.min(axis=1) != wide.max(axis=1)]

    found = {
        "pandas_group_ms": 1e3 * min_s(lambda: table.groupby("strategy").agg({"total_s": ["mean", "median"]})),
        "pandas_differ_ms": 1e3 * min_s(pandas_differ),
    }
    if importlib.util.find_spec("polars") is None:
        return found
    polars: Any = importlib.import_module("polars")
    frame = polars.from_dict({name: table[name].to_list() for name in table.columns})
    wide = [polars.col(name) for name in STRATEGIES]

    def polars_differ() -> object:
        pivot = frame.pivot("strategy", index="example_id", values="score_right")
        return pivot.filter(polars.min_horizontal(wide) != polars.max_horizontal(wide))

    means = [polars.col("total_s").mean().alias("mean"), polars.col("total_s").median().alias("median")]
    return {
        **found,
        "polars_group_ms": 1e3 * min_s(lambda: frame.group_by("strategy").agg(means)),
        "polars_differ_ms": 1e3 * min_s(polars_differ),
    }


def as_markdown(run: Mapping[str, Any]) -> str:
    """Return the results as a section of docs/measurements.md: what was run, where, and whether the goal was met."""
    harness, rows = run["harness"], run["aggregation"]
    goal = "met" if harness["share"] <= LARGEST_SHARE else "not met"
    scripted_rows = f"{harness['rows']:,} rows of a scripted strategy that takes {1e3 * ANSWER_S:.0f} ms"
    lines = [
        f"`{COMMAND}` on {run['date']}, commit {run['commit']}, {run['machine']}.",
        f"Medians of {REPEATS} turns (lowest to highest){_load_words(run['load'])}.",
        "",
        "| What | Measured | Sample | To reach |",
        "| --- | --: | --- | --- |",
        f"| evaluation beside its strategies, share | {_shown(harness, 'share', 100, 2)} % | {scripted_rows} | "
        f"at most {LARGEST_SHARE:.0%}: {goal} |",
        f"| the same, a row | {_shown(harness, 'ms_per_row', 1, 2)} ms | the same | - |",
    ]
    for name, words in (
        ("read_s", "reading the rows of a run"),
        ("figures_s", "figures of all techniques with intervals"),
        ("figures_and_tests_s", "the same with heat map and all paired tests"),
        ("table_s", "the table for drill-down"),
    ):
        lines.append(
            f"| {words} | {_shown(rows, name, 1, 2)} s | {rows['rows']:,} rows, {len(STRATEGIES)} techniques | - |"
        )
    return "\n".join([*lines, ""])


def _load_words(load: float | None) -> str:
    """Return whether the machine had other work: the mean number of processes that ran in the minute before."""
    return "" if load is None else f"; load average in the minute before: {load:.1f}"


def _shown(figures: Mapping[str, float], name: str, factor: float, digits: int) -> str:
    value, low, high = (factor * figures[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    """Measure, write the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--table", action="store_true", help="also time the libraries for tables; printed only")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    run: dict[str, Any] = {"date": utc_now(), "commit": commit(), "machine": describe_machine().label}
    run["load"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # not on Windows
    with tempfile.TemporaryDirectory() as place:
        run["harness"] = overhead(Path(place) / "harness")
        folder = Path(place) / "rows"
        run["aggregation"] = aggregation(folder, arguments.rows)
        table = table_libraries(folder) if arguments.table else {}
    (arguments.out / "bench_comparison.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(run))
    for name, value in table.items():
        print(f"{name:<22}{value:>12.4g}")


if __name__ == "__main__":
    main()
