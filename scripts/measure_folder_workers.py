"""Measure how a folder of contracts is flagged fastest, one process with all cores or one a core: ``make bench``.

    python scripts/measure_folder_workers.py [--copies 2] [--rounds 5]

Flags copies of the sample contracts with the shipped flagger, both ways in turn and each first in every other round,
so that whatever else the machine does slows both. The speed is the ratio within a round, from the list of files to the
last result on disk; the start of the processes and the loading of the model are part of it.

Writes docs/bench_folder.json and docs/bench_folder.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.cli import flag
from playground.contract_files import FlagJob, contract_paths, flag_folder
from playground.contract_files.folder import available_cores
from playground.machine import commit, describe_machine, utc_now
from scenarios.contract_clauses.scenario import CONTRACTS

ROOT = Path(__file__).parents[1]


def copied_samples(folder: Path, copies: int) -> tuple[Path, ...]:
    """Put ``copies`` of each sample contract that has text into ``folder`` and return their paths."""
    folder.mkdir()
    for path in contract_paths(CONTRACTS)[0]:
        if path.stem != "scan-only":
            for copy in range(copies):
                shutil.copy(path, folder / f"{copy}-{path.name}")
    return tuple(contract_paths(folder)[0])


def took_s(paths: Sequence[Path], job: FlagJob, out: Path, workers: int) -> float:
    """Return the seconds that flagging ``paths`` takes with so many processes."""
    started = time.perf_counter()
    outcomes = [step.last for step in flag_folder(paths, job, out, workers)]
    seconds = time.perf_counter() - started
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise SystemExit(f"{failed[0].name}: {failed[0].error}")
    return seconds


def measure(job: FlagJob, copies: int, rounds: int, cores: int) -> dict[str, Any]:
    """Let one process and one a core take turns."""
    seconds: dict[int, list[float]] = {1: [], cores: []}
    with tempfile.TemporaryDirectory() as name:
        paths = copied_samples(Path(name) / "contracts", copies)
        for number in range(rounds):
            ways = (1, cores) if number % 2 == 0 else (cores, 1)
            for workers in ways:
                seconds[workers].append(took_s(paths, job, Path(name) / f"{number}-{workers}", workers))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    ratios = [one / many for one, many in zip(seconds[1], seconds[cores], strict=True)]
    return {
        "contracts": len(paths),
        "rounds": rounds,
        "seconds_p50": {str(workers): statistics.median(times) for workers, times in seconds.items()},
        "speed_ratio": {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)},
    }


def as_markdown(run: dict[str, Any]) -> str:
    """Return the page of a run."""
    results, cores = run["results"], run["cores"]
    ratio = results["speed_ratio"]
    lines = [
        "# Flagging a folder, measured",
        "",
        f"`make bench` on {run['date']}, commit {run['commit']}, {run['machine']['cpu']}, {cores} cores, "
        f"adapter {run['adapter']}.",
        f"{results['contracts']} contracts (copies of the samples), {results['rounds']} rounds, both ways in turn. "
        "Speed: times as fast as one process, median",
        "(lowest to highest round). Starting the processes and loading the model are part of the time.",
        "",
        "| Processes | Threads in each | Seconds (median) | Speed |",
        "| --: | --: | --: | --: |",
        f"| 1 | {cores} | {results['seconds_p50']['1']:.1f} | 1 |",
        f"| {cores} | 1 | {results['seconds_p50'][str(cores)]:.1f} | {ratio['median']:.2f} "
        f"({ratio['low']:.2f} to {ratio['high']:.2f}) |",
    ]
    return "\n".join([*lines, ""])


def main() -> int:
    """Run the benchmark and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=2, help="of each of the five sample contracts (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="of both ways (default: 5)")
    parser.add_argument("--adapter", default="cuad-minilm")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    cores = available_cores()
    if cores == 1:
        print("This machine has one core: there is nothing to compare.")
        return 0
    job = flag.job_of(argparse.Namespace(adapter=arguments.adapter, labels=None, shift=0.0, no_evidence=True))
    run = {
        "date": utc_now(),
        "commit": commit(),
        "machine": asdict(describe_machine()),
        "cores": cores,
        "adapter": arguments.adapter,
        "results": measure(job, arguments.copies, arguments.rounds, cores),
    }
    (arguments.out / "bench_folder.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    page = as_markdown(run)
    (arguments.out / "bench_folder.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
