"""Measure accuracy against the number of labelled clauses: few-shot prompting and LoRA on the encoder, over seeds.

    python scripts/measure_learning_curve.py [--sizes 0,4,16,64,256] [--seeds 3] [--few-shot-seeds 1]

Writes data/runs/learning_curve.json after each point and goes on where it was interrupted. Takes about 20 minutes on
two cores; all of the training clauses are the last size. The project's own clauses are learnt from and judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playground.comparison.claims.learning_curve import (
    COMMAND,
    FILE,
    SIZES,
    CurveRow,
    LearningCurve,
    read_learning_curve,
    write_learning_curve,
)
from playground.comparison.claims.provenance import Provenance
from playground.errors import PlaygroundError
from playground.flagging.baselines import RememberingEmbedder
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import ensure_minilm
from playground.models.embedding import load_embedder
from playground.models.sources import ModelChoice, load_chat_model
from playground.paths import RECORDED_RUNS
from playground.training.clauses.bases import load_training_base
from scenarios.contract_clauses.learning_curve import (
    draw_examples,
    encoder_trainer,
    few_shot_right,
    load_curve_task,
    lora_right,
)

OUT = RECORDED_RUNS / FILE


@dataclass(frozen=True, slots=True)
class Point:
    """What is measured next."""

    strategy: str
    examples: int
    seed: int


def main() -> None:
    """Measure what is not in the file yet, point by point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), metavar="A,B", help="all of them come last")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="draws and trainings of LoRA (default: 3)")
    parser.add_argument("--few-shot-seeds", type=int, default=1, metavar="N", help="draws of few-shot (default: 1)")
    parser.add_argument("--max-minutes", type=float, metavar="M", help="start no point after so long")
    parser.add_argument("--again", action="store_true", help="measure all again, whatever the file holds")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    try:
        measure(arguments)
    except PlaygroundError as error:
        sys.exit(f"error: {error}")


def points(sizes: Sequence[int], available: int, seeds: int, few_shot_seeds: int) -> Iterator[Point]:
    """Yield the points, small numbers of examples first; numbers that the data does not have become all of it.

    With no example there is nothing to draw, and with all of them every draw is the same: few-shot prompting is
    greedy, so that one seed tells all. A training still depends on its seed.
    """
    wanted = sorted({min(size, available) for size in sizes} | {available})
    for examples in wanted:
        draws = 1 if examples in (0, available) else few_shot_seeds
        yield from (Point("few-shot", examples, seed) for seed in range(draws))
        yield from (Point("lora", examples, seed) for seed in range(1 if examples == 0 else seeds))


def measure(arguments: argparse.Namespace) -> None:
    """Measure and write."""
    found = None if arguments.again else read_learning_curve(arguments.out)
    task = load_curve_task()
    rows = list(found.rows) if found else []
    if any(row.n != task.n for row in rows):
        sys.exit(f"error: {arguments.out} was measured on other pairs. Use --again, or another --out.")
    sizes = [int(size) for size in arguments.sizes.split(",")]
    wanted = [
        point
        for point in points(sizes, len(task.pool), arguments.seeds, arguments.few_shot_seeds)
        if found is None or not found.has(point.strategy, point.examples, point.seed)
    ]
    if not wanted:
        if found is not None and found.available is None:
            # Rows of an older version: what there was to draw from is how many the last point drew.
            largest = max(row.examples for row in rows)
            write_learning_curve(arguments.out, replace(found, available=max(largest, len(task.pool))))
        print(f"All of it is in {arguments.out} already; --again measures anew.")
        return
    model = load_chat_model(ModelChoice())
    embedder = RememberingEmbedder(load_embedder(ensure_minilm()))
    base = load_training_base("encoder")
    machine, source = describe_machine().label, commit()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="curve-") as work:
        train = encoder_trainer(base, Path(work))
        for number, point in enumerate(wanted, start=1):
            if arguments.max_minutes and time.monotonic() - started > 60 * arguments.max_minutes:
                print(f"Time is up after {number - 1} of {len(wanted)} points; the same command goes on.")
                return
            point_started = time.monotonic()
            examples = draw_examples(task.pool, point.examples, point.seed)
            duration_s: float | None = None
            if point.strategy == "few-shot":
                right = few_shot_right(task, examples, model, embedder)
            else:
                right, duration_s = lora_right(task, examples, train, point.seed)
            rows.append(
                CurveRow(
                    point.strategy, point.examples, point.seed, right, task.n, duration_s, utc_now(), machine, source
                )
            )
            models = f"{model.model_id}; LoRA on {base.id}"
            stamp = Provenance(utc_now(), machine, source, task.n, models, COMMAND)
            write_learning_curve(arguments.out, LearningCurve(stamp, tuple(rows), len(task.pool)))
            print(
                f"{number} of {len(wanted)}: {point.strategy}, {point.examples} examples, seed {point.seed}: "
                f"{right / task.n:.3f} of {task.n} pairs ({time.monotonic() - point_started:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
