"""Measure how a folder of contracts is flagged fastest, one process with all cores or one a core: ``make bench``.

    python scripts/measure_folder_workers.py [--copies 2 8] [--rounds 5] [--adapter NAME]

Runs `python -m playground flag FOLDER` as a user would, on folders of few and of many copies of the sample contracts,
both ways in turn and each first in every other round, so that whatever else the machine does slows both. The speed is
the ratio within a round; the start of every process, the imports and the loading of the model are part of it.

Writes docs/bench_folder.json; `make docs` puts it into docs/measurements.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.flagging.files import contract_paths
from playground.flagging.files.pool import available_cores
from playground.machine import commit, describe_machine, utc_now
from playground.paths import CONTRACTS, ROOT


def copy_samples(folder: Path, copies: int) -> int:
    """Put ``copies`` of each sample contract that has text into ``folder``; return how many that are."""
    folder.mkdir()
    for path in contract_paths(CONTRACTS)[0]:
        if path.stem != "scan-only":
            for copy in range(copies):
                shutil.copy(path, folder / f"{copy}-{path.name}")
    return len(contract_paths(folder)[0])


def took_s(folder: Path, out: Path, adapter: str, workers: int) -> float:
    """Return the seconds that the whole command takes with so many processes."""
    command = [
        *(sys.executable, "-m", "playground", "flag", str(folder), "--out", str(out)),
        *("--adapter", adapter, "--workers", str(workers)),
    ]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"`{' '.join(command[1:])}` ended with {done.returncode}: {done.stderr[-500:]}")
    return seconds


def measure(adapter: str, copies: int, rounds: int, cores: int) -> dict[str, Any]:
    """Let one process and one a core take turns on a folder."""
    seconds: dict[int, list[float]] = {1: [], cores: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "contracts"
        contracts = copy_samples(folder, copies)
        for number in range(rounds):
            ways = (1, cores) if number % 2 == 0 else (cores, 1)
            for workers in ways:
                seconds[workers].append(took_s(folder, Path(name) / f"{number}-{workers}", adapter, workers))
            print(f"{contracts} contracts: round {number + 1} of {rounds}", file=sys.stderr)
    ratios = [one / many for one, many in zip(seconds[1], seconds[cores], strict=True)]
    return {
        "contracts": contracts,
        "rounds": rounds,
        "seconds_p50": {str(workers): statistics.median(times) for workers, times in seconds.items()},
        "speed_ratio": {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)},
    }


def as_markdown(run: dict[str, Any]) -> str:
    """Return the results as a section of docs/measurements.md."""
    results, cores = run["results"], run["cores"]
    lines = [
        f"`make bench` on {run['date']}, commit {run['commit']}, {run['machine']['cpu']}, {cores} cores, "
        f"adapter {run['adapter']}.",
        "Whole commands (`python -m playground flag FOLDER`) on copies of the sample contracts, "
        f"{results[0]['rounds']} rounds, both ways in turn.",
        "Speed: times as fast as one process, median (lowest to highest round). Starting the processes and loading the "
        "model are part of it.",
        "",
        f"| Contracts | One process of {cores} threads | {cores} processes of one thread | Speed |",
        "| --: | --: | --: | --: |",
        *(_row(result, cores) for result in results),
    ]
    return "\n".join([*lines, ""])


def _row(result: dict[str, Any], cores: int) -> str:
    seconds, ratio = result["seconds_p50"], result["speed_ratio"]
    return (
        f"| {result['contracts']} | {seconds['1']:.1f} s | {seconds[str(cores)]:.1f} s | {ratio['median']:.2f} "
        f"({ratio['low']:.2f} to {ratio['high']:.2f}) |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--copies", type=int, nargs="+", default=[2, 8], help="of each of the five sample contracts, for each folder"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of both ways (default: 5)")
    parser.add_argument("--adapter", default="cuad-minilm")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args(arguments)
    cores = available_cores()
    if cores == 1:
        print("This machine has one core: there is nothing to compare.")
        return 0
    run = {
        "date": utc_now(),
        "commit": commit(),
        "machine": asdict(describe_machine()),
        "cores": cores,
        "adapter": options.adapter,
        "results": [measure(options.adapter, copies, options.rounds, cores) for copies in options.copies],
    }
    (options.out / "bench_folder.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(run))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
