"""How a folder of contracts is flagged fastest: one process with all cores, or one process a core.

    python scripts/measure_folder_workers.py [--copies 2] [--rounds 2]

Flags copies of the sample contracts with the active adapter, both ways in turn, so that whatever else the machine does
slows both. Prints the best time of each and their ratio; the start of the processes is part of it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from playground.cli import flag
from playground.contract_files import contract_paths, flag_folder
from playground.contract_files.folder import available_cores
from scenarios.contract_clauses.scenario import CONTRACTS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=2, help="of each of the five sample contracts (default: 2)")
    parser.add_argument("--rounds", type=int, default=2, help="of both ways (default: 2)")
    parser.add_argument("--adapter", help="default: the active one")
    arguments = parser.parse_args()
    job = flag.job_of(argparse.Namespace(adapter=arguments.adapter, labels=None, shift=0.0, no_evidence=True))
    cores = available_cores()
    best: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "contracts"
        folder.mkdir()
        samples = [path for path in contract_paths(CONTRACTS)[0] if path.stem != "scan-only"]
        for path in samples:
            for copy in range(arguments.copies):
                shutil.copy(path, folder / f"{copy}-{path.name}")
        paths, _others = contract_paths(folder)
        for number in range(arguments.rounds):
            for workers in (1, cores):
                started = time.perf_counter()
                outcomes = [step.last for step in flag_folder(paths, job, Path(name) / f"{number}-{workers}", workers)]
                took_s = time.perf_counter() - started
                failed = [outcome for outcome in outcomes if outcome.error]
                if failed:
                    raise SystemExit(f"{failed[0].name}: {failed[0].error}")
                best[workers] = min(took_s, best.get(workers, took_s))
                print(f"{workers} processes x {cores // workers} threads: {took_s:.1f} s for {len(paths)} contracts")
    print(f"{cores} processes are {best[1] / best[cores]:.2f} times as fast as one with {cores} threads")


if __name__ == "__main__":
    main()
