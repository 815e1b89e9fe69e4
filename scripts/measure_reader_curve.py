"""Measure how the reader grows with invented policies, rank and epochs: train small ones, put all questions to each.

    python scripts/measure_reader_curve.py --work reader-curve --out docs/evaluation/reader_curve.json

Every point is trained and measured by the public commands (`train reader`, `evaluate`), into adapters and rows of its
own below `--work`; what is there already is not done again. The reader must answer each question, and every row has
the probability with which it would have declined: so one run tells what it knows, how well it tells the unanswerable
apart, and what is right where it declines most of them. About half an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from playground.comparison.rows import read_run_rows
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.estimates import Estimate
from playground.types import RunRecord
from scenarios.registry import scenario_names
from scenarios.return_policy.caution import percent, rates_at

DECLINES = 0.9
"""Share of the unanswerable that is to be declined where points are compared; the project's goal."""
_NEVER = 1.01
_SEED = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One training: so many invented policies, this rank, so many passes."""

    policies: int
    rank: int = 16
    epochs: int = 1

    @property
    def name(self) -> str:
        """Name of its adapter and of the folder of its rows."""
        return f"reader-{self.policies}-policies-rank-{self.rank}-epochs-{self.epochs}"


POINTS = (Point(5), Point(20), Point(80), Point(20, rank=4), Point(20, rank=64), Point(20, epochs=3))


def main() -> None:
    """Train and measure every point, the shipped reader last; print the table and write the figures after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="folder of adapters and rows")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limit", type=int, help="a random sample of so many questions")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    figures: list[dict[str, Any]] = []
    for point in (*POINTS, None):
        name = point.name if point else "policy-reader"
        if point and not (arguments.work / "adapters" / name).exists():
            train(point, arguments.work)
        rows = measured(name, arguments.work, arguments.limit, own=point is not None)
        figures.append({"training": asdict(point) if point else None, **figures_of(rows)})
        if arguments.out:
            about = {"measured_at": utc_now(), "machine": describe_machine().label, "commit": commit(), "seed": _SEED}
            content = {**about, "questions": len(rows), "points": figures}
            arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(markdown(figures))


def train(point: Point, work: Path) -> None:
    """Train one reader into the adapters below ``work``."""
    sizes = ("--policies", point.policies, "--rank", point.rank, "--alpha", 2 * point.rank, "--epochs", point.epochs)
    _playground(work, "train", "reader", "--out", point.name, *sizes)


def measured(name: str, work: Path, limit: int | None, *, own: bool) -> list[RunRecord]:
    """Return the rows of a reader that answers everything; ``own``: it lies below ``work``, else among the shipped."""
    folder = work / "rows" / name
    options = ["--strategies", "rag+lora", "--adapter", name, "--abstain-at", _NEVER, "--seed", _SEED, "--out", folder]
    options += [] if limit is None else ["--limit", limit]
    _playground(work if own else None, "evaluate", "return_policy", *options)
    return list(read_run_rows(folder, scenario_names()).records)


def _playground(work: Path | None, *words: object) -> None:
    stores = {"PLAYGROUND_ADAPTERS": str((work / "adapters").resolve())} if work else {}
    command = [sys.executable, "-m", "playground", *map(str, words)]
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True, env=os.environ | stores, stdout=subprocess.DEVNULL)


def figures_of(rows: list[RunRecord]) -> dict[str, Any]:
    """Return what a reader knows, how it tells the unanswerable apart, and what is right where it declines DECLINES."""
    forced = rates_at(rows, _NEVER)
    threshold = threshold_for(rows, DECLINES)
    chosen = rates_at(rows, threshold)
    answerable = np.array([row.scores["answerable"] > 0 for row in rows])
    return {
        "adapter": rows[0].adapter,
        "right_when_it_must_answer": astuple(forced.right),
        "area_under_roc": float(roc_auc_score(answerable, -_probabilities(rows))),
        "abstain_at": threshold,
        "declined": (1 - chosen.false_answers.value, 1 - chosen.false_answers.high, 1 - chosen.false_answers.low),
        "right": astuple(chosen.right),
    }


def threshold_for(rows: list[RunRecord], share: float) -> float:
    """Return the highest probability at which to decline, so that ``share`` of the unanswerable are declined."""
    unanswerable = np.array([row.scores["answerable"] == 0 for row in rows])
    withheld = np.array([row.scores["abstained"] > 0 for row in rows])
    known = np.where(withheld, 1.0, _probabilities(rows))[unanswerable]
    return float(np.sort(known)[::-1][int(np.ceil(share * len(known))) - 1])


def _probabilities(rows: list[RunRecord]) -> np.ndarray:
    return np.array([row.prediction.detail["abstain_probability"] for row in rows if row.prediction])


def markdown(figures: list[dict[str, Any]]) -> str:
    """Return the table of the log."""
    lines = [
        "| Policies | rank | epochs | right when it must answer | area under ROC | declined | right at that |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures:
        of = one["training"] or {"policies": "shipped", "rank": 16, "epochs": 1}
        cells = [of["policies"], of["rank"], of["epochs"], _percent(one["right_when_it_must_answer"])]
        cells += [f"{one['area_under_roc']:.3f}", _percent(one["declined"]), _percent(one["right"])]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _percent(values: tuple[float, float, float]) -> str:
    return percent(Estimate(*values))


if __name__ == "__main__":
    main()
