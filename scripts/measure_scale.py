"""Measure what a contract costs in bulk and work out what more of them take: writes docs/scale.json.

    python scripts/measure_scale.py ../shared/cuad/train.json [--contracts 12] [--adapters cuad-minilm cuad-mpnet]

Runs `python -m playground bulk flag` as a user would, with two processes, on contracts of CUAD drawn at random. What a
contract takes is the processor's time of the process that judges it and of the one that parses it, which other work on
the machine changes little. The rest is a simulation: recorded times are drawn again, and whoever is free takes the next
contract, as the pool and the cluster do.

`make docs` puts it into docs/scale.md.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.bulk.judging import Judged, KeptFlag
from playground.bulk.ledger import open_ledger
from playground.bulk.pace import duration
from playground.machine import commit, describe_machine, utc_now
from playground.paths import ROOT

COUNTS = (10_000, 1_000_000, 100_000_000)
CORES = (2, 16, 128, 1_024)
_SIMULATED = 50_000  # from there on the end of a run, where some cores idle, no longer counts
_TINY_FILES, _TINY_CONTENTS = (500, 5_000), 20


def write_contracts(cuad: Path, folder: Path, count: int, seed: int) -> None:
    """Write ``count`` contracts of CUAD's JSON, drawn at random, as text files."""
    contracts = json.loads(cuad.read_text(encoding="utf-8"))["data"]
    folder.mkdir()
    for number, contract in enumerate(random.Random(seed).sample(contracts, count)):
        text = "\n\n".join(paragraph["context"] for paragraph in contract["paragraphs"])
        (folder / f"{number:04}.txt").write_text(text, encoding="utf-8")


def run_bulk(folder: Path, out: Path, adapter: str, workers: int) -> dict[str, int]:
    """Run the command; return the most memory of the driver and of one of the processes that judge, in bytes."""
    import psutil

    command = [sys.executable, "-m", "playground", "bulk", "flag", str(folder), "--out", str(out)]
    command += ["--adapter", adapter, "--workers", str(workers)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    driver = psutil.Process(process.pid)
    most = {"driver": 0, "judge": 0}
    while process.poll() is None:
        try:
            most["driver"] = max(most["driver"], driver.memory_info().rss)
            for child in driver.children():
                most["judge"] = max(most["judge"], child.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"`{' '.join(command[1:])}` ended with {process.returncode}.")
    return most


def recorded(out: Path) -> list[tuple[float, int]]:
    """Return the core-seconds and characters of each contract that a run judged."""
    import sqlite3

    with sqlite3.connect(out / "ledger.sqlite") as connection:
        query = "SELECT core_seconds, characters FROM result WHERE NOT failed ORDER BY content"
        return [(float(seconds), int(characters)) for seconds, characters in connection.execute(query)]


def ledger_core_seconds(folder: Path, results: int = 2_000) -> float:
    """Return the processor's time that the driver spends to keep one result of twenty flags."""
    flag = KeptFlag("Insurance", 0.5, "7.2", "Cover", 3, 0, 400, "x" * 400)
    with open_ledger(folder, "") as ledger:
        started = time.process_time()
        for number in range(results):
            ledger.add(Judged(f"{number:064x}.txt", flags=(flag,) * 20))
        return (time.process_time() - started) / results


def driver_memory(folder: Path, adapter: str) -> dict[str, int]:
    """Return the driver's most memory with few and with many tiny files, of the same few contents."""
    found = {}
    for files in _TINY_FILES:
        place = folder / f"tiny-{files}"
        place.mkdir()
        for number in range(files):
            text = f"1. The Supplier shall keep insurance number {number % _TINY_CONTENTS} for the term.\n"
            (place / f"{number}.txt").write_text(text, encoding="utf-8")
        found[str(files)] = run_bulk(place, folder / f"out-{files}", adapter, 2)["driver"]
    return found


def simulate(seconds: Sequence[float], contracts: int, cores: int, seed: int = 0) -> float:
    """Return how long ``contracts`` take on so many cores, in seconds: whoever is free takes the next.

    Args:
        seconds: recorded times, drawn from with replacement.
        contracts: how many there are.
        cores: how many judge at once.
        seed: of the draws.
    """
    counted = min(contracts, max(_SIMULATED, 50 * cores))
    free = [0.0] * min(cores, counted)
    for took in _drawn(seconds, counted, seed):
        heapq.heapreplace(free, free[0] + took)
    whole = max(free)
    # Beyond what is simulated all cores are busy: each further contract takes its mean share.
    return whole + (contracts - counted) * statistics.fmean(seconds) / cores


def _drawn(seconds: Sequence[float], count: int, seed: int) -> Iterator[float]:
    generator = random.Random(seed)
    return (generator.choice(seconds) for _ in range(count))


def as_markdown(run: dict[str, Any]) -> str:
    """Return what was measured and what follows as parts of docs/scale.md."""
    lines = [
        f"`python scripts/measure_scale.py CUAD` on {run['date']}, commit {run['commit']}, {run['machine']['cpu']}, "
        f"{run['machine']['cores']} cores; other work ran beside it, so these are core-seconds and no clock's.",
        "",
        "| Flagger | Contracts | Core-seconds a contract, mean (lowest to highest) | Contracts a core-hour | "
        "Memory of a process that judges |",
        "| --- | --: | --: | --: | --: |",
    ]
    for one in run["flaggers"]:
        seconds = one["core_seconds"]
        mean = statistics.fmean(seconds)
        lines.append(
            f"| {one['adapter']} | {len(seconds)} | {mean:.1f} ({min(seconds):.1f} to {max(seconds):.1f}) | "
            f"{3600 / mean:,.0f} | {one['judge_bytes'] / 1e6:,.0f} MB |"
        )
    few, many = _TINY_FILES
    lines += [
        "",
        f"The driver's memory: {run['driver_bytes'][str(few)] / 1e6:,.0f} MB with {few:,} tiny files, "
        f"{run['driver_bytes'][str(many)] / 1e6:,.0f} MB with {many:,}. To keep a result of twenty flags costs it "
        f"{1000 * run['ledger_core_seconds']:.1f} ms of its core.",
    ]
    return "\n".join(lines)


def plan_as_markdown(run: dict[str, Any]) -> str:
    """Return how long more contracts take on more cores, by simulation, and what the cores cost."""
    lines = [
        f"Simulated with the recorded times; cores at {run['usd_a_core_hour']:.2f} USD an hour (an assumption, "
        "`--usd-a-core-hour`).",
        "",
        f"| Flagger | Contracts | Core-hours | Cost | {' | '.join(f'{cores:,} cores' for cores in CORES)} |",
        f"| --- | --: | --: | --: | {' | '.join('--:' for _ in CORES)} |",
    ]
    for one in run["flaggers"]:
        seconds = one["core_seconds"]
        for count in COUNTS:
            hours = count * statistics.fmean(seconds) / 3600
            times = [duration(simulate(seconds, count, cores)) for cores in CORES]
            usd = hours * run["usd_a_core_hour"]
            cost = f"{usd:,.0f} USD" if usd >= 10 else f"{usd:.2f} USD"
            lines.append(f"| {one['adapter']} | {count:,} | {hours:,.0f} | {cost} | {' | '.join(times)} |")
    limits = ", ".join(
        f"{statistics.fmean(one['core_seconds']) / run['ledger_core_seconds']:,.0f} with {one['adapter']}"
        for one in run["flaggers"]
    )
    lines += [
        "",
        f"By its ledger alone one driver keeps up with this many cores: {limits}. Listing the files, what Ray does for "
        "each block and writing the tables come on top and are not in these figures.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cuad", type=Path, help="CUAD's JSON")
    parser.add_argument("--contracts", type=int, default=12)
    parser.add_argument("--adapters", nargs="+", default=["cuad-minilm", "cuad-mpnet"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--usd-a-core-hour", type=float, default=0.05)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "scale.json")
    options = parser.parse_args(arguments)
    run: dict[str, Any] = {
        "date": utc_now(),
        "commit": commit(),
        "machine": asdict(describe_machine()),
        "seed": options.seed,
        "usd_a_core_hour": options.usd_a_core_hour,
        "flaggers": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_contracts(options.cuad, folder / "contracts", options.contracts, options.seed)
        for adapter in options.adapters:
            memory = run_bulk(folder / "contracts", folder / adapter, adapter, 2)
            times = recorded(folder / adapter)
            run["flaggers"].append(
                {
                    "adapter": adapter,
                    "core_seconds": [round(seconds, 3) for seconds, _characters in times],
                    "characters": [characters for _seconds, characters in times],
                    "judge_bytes": memory["judge"],
                }
            )
            print(f"{adapter}: {len(times)} contracts", file=sys.stderr)
        run["driver_bytes"] = driver_memory(folder, options.adapters[0])
        run["ledger_core_seconds"] = ledger_core_seconds(folder / "ledger")
    options.out.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(run))
    print(plan_as_markdown(run))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
