"""Measure the shipped flaggers on contracts that no training saw and on the project's own, for docs/measurements.md.

    python scripts/train_flagger.py CUAD.json --split-out FOLDER     (writes test.json)
    python scripts/measure_flaggers.py --contracts FOLDER/test.json [--adapters NAME ...] [--runs FOLDER]
    python scripts/measure_flaggers.py --contracts FOLDER/test.json --adapters --train FOLDER/baselines.jsonl

Runs `playground evaluate contract_clauses` twice for each adapter, and with `--train` for TF-IDF, the strongest of the
baselines, fitted to the clauses named. In docs/evaluation/flaggers.json a column takes the place of the one that was
measured before it; that of another version of an adapter stays as "before".
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from playground.atomic import replace_file
from playground.cli import main as playground
from playground.machine import commit, describe_machine, utc_now
from playground.paths import ROOT

OUT = ROOT / "docs" / "evaluation" / "flaggers.json"
COMMAND = "python scripts/measure_flaggers.py --contracts test.json (scripts/train_flagger.py --split-out)"
_NOT_KEPT = ("lora_minus_this", "sample", "train", "clauses_per_s")
"""Of what `evaluate` says: differences to itself, how it was asked, and a speed that the benches measure better."""


def measured(strategy: str, *more: str, out: Path | None = None) -> dict[str, Any]:
    """Return the figures of one technique by `evaluate contract_clauses` with more arguments; rows go to ``out``.

    Raises:
        SystemExit: the command refuses, and says why.
    """
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(said):
        folder = str(out or Path(place) / "run")
        code = playground(["evaluate", "contract_clauses", "--strategies", strategy, "--json", "--out", folder, *more])
    if code != 0:
        raise SystemExit(code)
    (figures,) = json.loads(said.getvalue())["strategies"]
    return dict(figures)


def column(title: str, strategy: str, contracts: Path, *more: str, out: Path | None = None) -> dict[str, Any]:
    """Return a column of the table: figures on ``contracts``, and micro average precision on the project's own."""
    figures = measured(strategy, *more, "--contracts", str(contracts), out=out)
    # A baseline is fitted to the project's own clauses for the project's own contracts.
    own = measured(strategy, *(more if strategy == "lora" else ()))
    ci = {name: bounds for name, bounds in figures["ci"].items() if name not in _NOT_KEPT}
    kept = {name: value for name, value in figures.items() if name not in _NOT_KEPT}
    return kept | {
        "ci": ci | {"own_micro_ap": own["ci"]["micro_ap"]},
        "own_micro_ap": own["micro_ap"],
        "title": title,
        "measured_at": utc_now(),
        "commit": commit(),
    }


def in_place(columns: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the columns with ``new`` in the place of the same adapter's; another version of it stays as "before"."""
    title, before = new["title"], f"{new['title']} before"
    old = next((one for one in columns if one["title"] == title), None)
    if old is None:
        return [*columns, new]
    kept = [new if one is old else one for one in columns]
    if old["adapter"] == new["adapter"]:
        return kept
    return [*(one for one in kept if one["title"] != before), old | {"title": before}]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--contracts", type=Path, required=True, help="annotated contracts that no training saw")
    parser.add_argument("--adapters", nargs="*", default=["cuad-mpnet", "cuad-minilm"])
    parser.add_argument("--runs", type=Path, help="keep the rows of each adapter in a folder in this one")
    parser.add_argument("--train", type=Path, help="labelled clauses to fit TF-IDF to")
    arguments = parser.parse_args()
    asked = [
        (f"`{name}`", "lora", ["--adapter", name], arguments.runs / name if arguments.runs else None)
        for name in arguments.adapters
    ]
    if arguments.train:
        asked.append(("TF-IDF + regression", "tfidf", ["--train", str(arguments.train)], None))
    columns = json.loads(OUT.read_text(encoding="utf-8"))["flaggers"] if OUT.is_file() else []
    for title, strategy, more, out in asked:
        columns = in_place(columns, column(title, strategy, arguments.contracts, *more, out=out))
        found = {
            "command": COMMAND,
            "machine": describe_machine().label,
            "commit": commit(),
            "measured_at": utc_now(),
            "flaggers": columns,
        }
        replace_file(OUT, (json.dumps(found, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
