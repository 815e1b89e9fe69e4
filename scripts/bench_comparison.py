"""What comparing costs: the harness beside the models, and reading and summing up 50,000 rows.

    python scripts/bench_comparison.py [--rows 50000] [--table] [--json]

The strategy is scripted and sleeps 20 ms, far less than any model takes, and answers with as much detail as a real one,
so that the share of the harness is an upper bound. ``--table`` also times pandas against polars, where that is
installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from playground.comparison.compare import ComparedRun, compare_runs
from playground.comparison.overhead import measure_overhead
from playground.comparison.rows import read_run_rows, row_table
from playground.evaluation import EvaluationPlan, fingerprint_of
from playground.runs import RunInfo, open_run
from playground.types import Example, Prediction, RunRecord, Strategy, Usage
from scenarios.return_policy.compared import compared_scenario

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


def overhead(folder: Path) -> dict[str, float]:
    """Run EXAMPLES examples of two strategies; return what the harness takes, its start included."""
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
    found = measure_overhead(folder, plan)
    return {
        "overhead_share": found.share,
        "overhead_ms_per_row": 1e3 * (found.total_s - found.strategies_s) / found.rows,
        "rows": found.rows,
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


def best_s(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the shortest time that ``action`` took."""
    found = math.inf
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        found = min(found, time.perf_counter() - started)
    return found


def aggregation(folder: Path, rows: int) -> dict[str, float]:
    """Return the seconds of reading ``rows`` rows, of all figures with tests and heat map, and of the table."""
    write_rows(folder, rows)
    run = read_run_rows(folder)
    scenario = compared_scenario(run.info)
    unpaired = replace(scenario, outcomes=lambda _rows: {})
    return {
        "rows": len(run.records),
        "read_s": best_s(lambda: read_run_rows(folder), 2),
        "figures_s": best_s(lambda: compare_runs([ComparedRun(run, unpaired)]), 2),
        "figures_and_tests_s": best_s(lambda: compare_runs([ComparedRun(run, scenario)]), 2),
        "table_s": best_s(lambda: row_table(run.records), 2),
    }


def table_libraries(folder: Path) -> dict[str, float]:
    """Return milliseconds of grouping and of the filter "only where they differ", in pandas and, if here, polars."""
    table = row_table(read_run_rows(folder).records)

    def pandas_differ() -> object:
        wide = table.pivot_table(index="example_id", columns="strategy", values="score_right")
        return wide[wide.min(axis=1) != wide.max(axis=1)]

    found = {
        "pandas_group_ms": 1e3 * best_s(lambda: table.groupby("strategy").agg({"total_s": ["mean", "median"]})),
        "pandas_differ_ms": 1e3 * best_s(pandas_differ),
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
        "polars_group_ms": 1e3 * best_s(lambda: frame.group_by("strategy").agg(means)),
        "polars_differ_ms": 1e3 * best_s(polars_differ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--table", action="store_true", help="also time the libraries for tables")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found: dict[str, dict[str, float]] = {"harness": overhead(Path(place) / "harness")}
        folder = Path(place) / "rows"
        found["aggregation"] = aggregation(folder, arguments.rows)
        if arguments.table:
            found["table"] = table_libraries(folder)
    if arguments.json:
        print(json.dumps(found))
        return
    for part, figures in found.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name:<22}{value:>12.4g}")


if __name__ == "__main__":
    main()
