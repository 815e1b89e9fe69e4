"""Kill trainings at random moments (SIGKILL) and check that the store stays valid and that resuming works.

    python scripts/kill_training.py [--rounds 20] [--seed 0]

Each round starts the command line on a few clauses, kills it at a random moment (also while it measures and saves),
looks at the store, and starts it again until it ends. The adapter must then be the one that a training without a kill
stores: the same tensors, bit by bit. Checkpoints are written at every step here instead of every 20 seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors.numpy import load_file

from playground.adapters import ROOT_VARIABLE, AdapterStore, verify
from playground.annotations import load_written_clauses
from playground.paths import CLAUSES, ROOT
from scenarios.contract_clauses import scenario

CHILD = """
import sys
import torch
torch.set_num_threads(1)  # one thread adds in one order
from playground.training.clauses import encoder
encoder.CHECKPOINT_EVERY_S = 0.0
from playground.cli import main
sys.exit(main(sys.argv[1:]))
"""
_LABELS = ("Insurance", "Audit Rights", "Exclusivity")
COMMAND = (
    *("train", "clauses", "--labels", ",".join(_LABELS), "--out", "killed", "--epochs", "2", "--rank", "2"),
    *("--validations", "2", "--batch-tokens", "128", "--json", "--data"),
)
_CLAUSES = 48
_PATIENCE_S = 900.0


def main() -> None:
    """Run the rounds; exit code 1 when one went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for the stores; a temporary one by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_data(folder / "clauses.jsonl")
        started = time.monotonic()
        expected = _trained(folder / "reference")
        whole_s = time.monotonic() - started
        print(f"without a kill: {whole_s:.1f} s, {expected}", flush=True)
        draw = random.Random(arguments.seed)
        good = 0
        for number in range(1, arguments.rounds + 1):
            is_good, whole_s = _round(folder / f"round-{number}", draw, whole_s, expected)
            good += is_good
    print(f"{good} of {arguments.rounds} rounds ended with the same adapter")
    sys.exit(0 if good == arguments.rounds else 1)


def _round(root: Path, draw: random.Random, whole_s: float, expected: str) -> tuple[bool, float]:
    """Kill one training and resume it; return whether all was well, and how long a training takes by now."""
    while True:
        moment_s = draw.uniform(0.15, 1.0) * whole_s
        process = _start(root)
        started = time.monotonic()
        try:
            process.communicate(timeout=moment_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            break
        # The machine has become faster: it ended before its moment came.
        whole_s = min(whole_s, time.monotonic() - started)
        AdapterStore(root).delete("killed")
    store = AdapterStore(root)
    found, problems = store.list(), store.problems()
    for stored in found:
        verify(stored)
    steps = sorted(path.name for path in root.glob(".checkpoints/killed/*/step-*"))
    line = f"{root.name}: killed after {moment_s:.1f} s, {len(found)} adapter(s), checkpoint {steps[-1:] or 'none'}"
    if problems:
        print(f"{line}: the store is damaged: {problems}")
        return False, whole_s
    resumed = None
    if not found:
        output = _output(root)
        resumed = json.loads(output)["resumed_from_step"]
    adapter = identity(store)
    print(f"{line}, resumed from {resumed}: {'the same' if adapter == expected else f'ANOTHER: {adapter}'}", flush=True)
    return adapter == expected, whole_s


def _trained(root: Path) -> str:
    _output(root)
    return identity(AdapterStore(root))


def identity(store: AdapterStore) -> str:
    """Return hashes of what was learnt: every tensor, and the configuration whatever the order of its lists.

    The bytes of the files tell less: PEFT writes a set of modules, and safetensors its metadata, in any order.
    """
    stored = store.get("killed")
    digests = {}
    for path in sorted(stored.folder.glob("*.safetensors")):
        digest = hashlib.sha256()
        for name, tensor in sorted(load_file(path).items()):
            digest.update(f"{name} {tensor.shape} {tensor.dtype}".encode() + tensor.tobytes())
        digests[path.name] = digest.hexdigest()[:12]
    config = json.loads(stored.config_path.read_text(encoding="utf-8"))
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    digests[stored.config_path.name] = hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()[:12]
    return " ".join(f"{name}:{digest}" for name, digest in digests.items())


def write_data(path: Path) -> None:
    """Write a few of the project's clauses, two thirds of them with a label."""
    written = load_written_clauses(CLAUSES, [label.name for label in scenario.labels()]).annotations.examples
    carrying = [clause for clause in written if set(clause.labels) & set(_LABELS)][: _CLAUSES * 2 // 3]
    others = [clause for clause in written if not clause.labels][: _CLAUSES // 3]
    rows = [{"text": c.text, "labels": list(c.labels), "contract": c.contract} for c in (*carrying, *others)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _start(root: Path) -> subprocess.Popen[str]:
    data = root.parent / "clauses.jsonl"
    environment = os.environ | {ROOT_VARIABLE: str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *COMMAND, str(data)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _output(root: Path) -> str:
    process = _start(root)
    try:
        output, errors = process.communicate(timeout=_PATIENCE_S)
    finally:
        process.kill()
    if process.returncode != 0:
        raise SystemExit(f"The training ended with exit code {process.returncode}: {errors[-2000:]}")
    return output


if __name__ == "__main__":
    main()
