"""Kill driver and actors of a bulk run on Ray in turn (SIGKILL), run it again, and compare the tables to the last byte.

    python -m scripts.measure_ray_kills [--rounds 20] [--seed 0] [--address A] [--out docs/evaluation/ray_kills.json]

Ray is started once, on this machine, unless ``--address`` names one that runs here already. Each round flags a few
contracts, one of them damaged, into a folder of its own. Once actors judge, after a random part of the time that an
undisturbed run goes on from there, the driver of an even round is killed, and an actor of an odd one. Then the same
command runs to its end. Its tables must be the bytes of a run without Ray that nobody disturbed, and nothing may be
left under a temporary name. scripts/measure_kills.py does the same without Ray.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playground.bulk.on_ray import LOCAL, JudgeActor, connected
from playground.bulk.tables import TABLES_FOLDER
from playground.machine import commit, describe_machine, utc_now
from playground.paths import CONTRACTS, ROOT
from scripts.measure_kills import leftovers

_POLL_S = 0.02
_CUT = 1_500  # characters of a contract: a round is to take seconds


def write_contracts(folder: Path, count: int) -> None:
    """Write ``count`` different pieces of a sample contract, and a file that is damaged."""
    folder.mkdir()
    text = (CONTRACTS / "nda.txt").read_text(encoding="utf-8")
    for number in range(count):
        at = number * _CUT // 2 % max(1, len(text) - _CUT)
        (folder / f"{number:03}.txt").write_text(f"1. Part {number}.\n\n{text[at : at + _CUT]}\n", encoding="utf-8")
    (folder / "damaged.pdf").write_bytes(b"%PDF-1.7 and no more")


def table_bytes(out: Path) -> dict[str, bytes]:
    """Return the files of a finished run."""
    return {path.name: path.read_bytes() for path in sorted((out / TABLES_FOLDER).glob("*"))}


def start(contracts: Path, out: Path, adapter: str, *where: str) -> subprocess.Popen[bytes]:
    """Start ``bulk flag`` in a process group of its own."""
    command = [sys.executable, "-m", "playground", "bulk", "flag", str(contracts), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--adapter", adapter, *where],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run that must come to its end."""
    _said, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"The run ended with {process.returncode}: {errors.decode('utf-8', 'replace')[-500:]}")


def actors() -> list[int]:
    """Return the processes of this machine that judge for a Ray."""
    import psutil

    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if JudgeActor.__name__ in " ".join(one.info["cmdline"] or ())[:200]]


def wait_for_actor(process: subprocess.Popen[bytes]) -> bool:
    """Wait until an actor judges; return False where the run ended first."""
    while not actors():
        if process.poll() is not None:
            return False
        time.sleep(_POLL_S)
    return True


@contextlib.contextmanager
def _ray(address: str) -> Iterator[str]:
    if address:
        yield address
        return
    with connected(LOCAL, 2):
        import ray

        yield str(ray.get_runtime_context().gcs_address)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, run again, compare; return 1 where something was lost or left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--contracts", type=int, default=8)
    parser.add_argument("--adapter", default="cuad-minilm")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--address", default="", help="a Ray that runs on this machine already")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    generator = random.Random(given.seed)
    right, killed = 0, {"driver": 0, "actor": 0}
    with tempfile.TemporaryDirectory() as temporary, _ray(given.address) as address:
        folder = Path(temporary)
        contracts = folder / "contracts"
        write_contracts(contracts, given.contracts)
        on_ray = ("--ray-address", address, "--workers", "2")
        ended(start(contracts, folder / "whole", given.adapter, "--workers", "1"))
        expected = table_bytes(folder / "whole")
        whole = start(contracts, folder / "on-ray", given.adapter, *on_ray)
        wait_for_actor(whole)
        judging_since = time.monotonic()
        ended(whole)
        judging_s = time.monotonic() - judging_since
        if table_bytes(folder / "on-ray") != expected:
            raise SystemExit("An undisturbed run on Ray gives other tables than one without it.")
        print(f"undisturbed: {judging_s:.1f} s from the first actor on", flush=True)
        for number in range(given.rounds):
            victim, at = ("driver", "actor")[number % 2], generator.random()
            place = folder / f"round-{number}"
            process = start(contracts, place, given.adapter, *on_ray)
            was_killed = False
            if wait_for_actor(process):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(at * judging_s)
                if process.poll() is None:
                    was_killed = _kill(process.pid if victim == "driver" else generator.choice(actors() or [0]))
            process.communicate()
            ended(start(contracts, place, given.adapter, *on_ray))
            same, left = table_bytes(place) == expected, leftovers(place)
            right += same and not left
            killed[victim] += was_killed
            print(
                f"{number + 1:3} {victim} {'killed' if was_killed else 'not killed'} at {at:.0%}: "
                f"{'same bytes' if same else 'OTHER BYTES'}, {len(left)} left",
                flush=True,
            )
            shutil.rmtree(place)
    found = {
        "measured_at": utc_now(),
        "machine": describe_machine().label,
        "commit": commit(),
        "seed": given.seed,
        "adapter": given.adapter,
        "contracts": given.contracts,
        "rounds": given.rounds,
        "right": right,
        "killed_before_their_end": killed,
    }
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{right} of {given.rounds} rounds ended in the bytes of an undisturbed run, with nothing left behind.")
    return 0 if right == given.rounds else 1


def _kill(process_id: int) -> bool:
    if not process_id:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGKILL)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
