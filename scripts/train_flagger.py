"""Train a flagger that ships, from CUAD's contracts: ``playground train clauses`` with the settings of that flagger.

    python scripts/train_flagger.py CUAD.json
    ACCELERATE_USE_CPU=true OMP_NUM_THREADS=1 torchrun --nproc_per_node 2 scripts/train_flagger.py CUAD.json
    python scripts/train_flagger.py CUAD.json --base all-mpnet-base-v2 --words-of data/adapters/cuad-minilm
    python scripts/train_flagger.py CUAD.json --weights-of data/adapters/cuad-minilm --name cuad-minilm-2
    python scripts/train_flagger.py CUAD.json --start-from OLD/cuad-minilm --max-minutes 16 --added-passes 8

The second line trains in two processes, one a core. The fourth takes the weights of an adapter as they are and fits
only what stands on top: words, calibration and thresholds; the last goes on from them. All other arguments go to the
command as they are. Beside CUAD's contracts the project's own clauses are trained on, and those as people type them.
The adapter goes into the store, from where it is copied to data/adapters.

CUAD: Hendrycks, Burns, Chen and Ball, NeurIPS 2021 (arXiv 2103.06268), The Atticus Project, CC BY 4.0. Its text is not
in this project. The companies are split into three, written to `--split-out`: train.json is trained on, validation.json
chooses and calibrates, test.json measures. baselines.jsonl has the labelled clauses of train.json and a share of the
others, so that the same contracts are measured by

    python -m playground evaluate contract_clauses --contracts cuad-split/test.json --train cuad-split/baselines.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from playground.annotations import clauses_from_contracts, read_cuad
from playground.annotations.units import contract_units
from playground.cli import main as playground
from playground.models.catalog import MINILM, MPNET
from playground.paths import PLAIN_CLAUSES
from playground.training.lock import is_main_process
from playground.training.processes import end_if_one_of_several
from scenarios.contract_clauses.scenario import labels

PARTS = ("train", "validation", "test")
HELD_OUT_SHARE = 0.1
"""Of the companies, for validation and for test each."""
BASELINE_NEGATIVES = 0.35
LICENCE = (
    "CC BY 4.0, as its data: CUAD v1, The Atticus Project (Hendrycks, Burns, Chen, Ball: CUAD: An Expert-Annotated NLP "
    "Dataset for Legal Contract Review, NeurIPS 2021, arXiv 2103.06268). These weights are derived from it."
)
SHIPPED = {
    MINILM.id: (
        *("--out", "cuad-minilm", "--base", "encoder", "--rank", "32", "--epochs", "6", "--learning-rate", "1e-3"),
        *("--head-learning-rate", "1e-2", "--negative-share", "0.2", "--batch-tokens", "1024", "--validations", "4"),
    ),
    MPNET.id: (
        *("--out", "cuad-mpnet", "--base", "large-encoder", "--rank", "16", "--epochs", "3", "--learning-rate", "6e-4"),
        *("--head-learning-rate", "5e-3", "--negative-share", "0.12", "--batch-tokens", "1024", "--validations", "2"),
        "--half",
    ),
}
"""Arguments of the flaggers that ship, by the id of their base."""
PLAIN = [
    *("--add", "written", "--add", str(PLAIN_CLAUSES / "train.jsonl"), "--added-passes", "5"),
    *("--add-validation", str(PLAIN_CLAUSES / "validation.jsonl")),
]
"""CUAD's contracts are long legalese: beside them, what was written for this project, in plain words above all."""


def main() -> int:
    """Split, and call the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cuad", type=Path, help="CUADv1.json, or a part of it")
    parser.add_argument("--base", default=MINILM.id, choices=sorted(SHIPPED), help="bundled encoder")
    parser.add_argument("--name", help="of the adapter (default: that of the one that ships)")
    parser.add_argument("--split-out", type=Path, default=Path("cuad-split"), help="folder of the three parts")
    parser.add_argument("--weights-of", type=Path, help="folder of an adapter whose weights are kept: no training")
    parser.add_argument("--train-contracts", type=int, metavar="N", help="train on so many of them (default: all)")
    parser.add_argument("--validation-contracts", type=int, metavar="N", help="choose by so many (default: all)")
    own, others = parser.parse_known_args()
    most = {"train": own.train_contracts, "validation": own.validation_contracts}
    write_split(own.cuad.read_bytes(), own.split_out, most)
    command = ["train", "clauses", "--labels", "all", "--licence", LICENCE, *SHIPPED[own.base]]
    command += ["--data", str(own.split_out / "train.json")]
    command += [word for part in PARTS[1:] for word in (f"--{part}", str(own.split_out / f"{part}.json"))]
    command += ["--out", own.name] if own.name else []
    command += PLAIN
    command += ["--start-from", str(own.weights_of), "--epochs", "0"] if own.weights_of else []
    return playground([*command, *others])


def part_of(title: str) -> str:
    """Return the part of a contract: decided by its company's name alone, so that more data moves nobody.

    The company is what stands before the first underscore of the title.
    """
    place = random.Random(title.partition("_")[0].casefold()).random()
    return PARTS[2] if place < HELD_OUT_SHARE else PARTS[1] if place < 2 * HELD_OUT_SHARE else PARTS[0]


def write_split(data: bytes, folder: Path, most: Mapping[str, int | None] = MappingProxyType({})) -> None:
    """Write the three parts of a CUAD file as CUAD JSON, and the clauses for the baselines as JSON lines.

    ``most`` draws so many contracts of a part, the same ones every time; a larger draw holds a smaller one.

    Of those, 35 % of the clauses without a label: to embed all would take half an hour.
    """
    rows = json.loads(data)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        of_part = [row for row in rows["data"] if part_of(row["title"]) == part]
        drawn = sorted(of_part, key=lambda row: random.Random(f"drawn {row['title']}").random())[: most.get(part)]
        chosen = json.dumps(rows | {"data": [row for row in of_part if row in drawn]})
        partial = folder / f"{part}.json.{os.getpid()}"  # each process of a training writes the same
        partial.write_text(chosen, encoding="utf-8")
        partial.replace(folder / f"{part}.json")
    if not is_main_process():
        return
    contracts, rejected = read_cuad((folder / "train.json").read_bytes(), "train.json", [one.name for one in labels()])
    for left_out in rejected[:10]:
        print(f"rejected: contract {left_out.number}: {left_out.reason}", file=sys.stderr)
    with (folder / "baselines.jsonl").open("w", encoding="utf-8") as file:
        for clause in clauses_from_contracts(contracts, contract_units):
            if clause.labels or random.Random(clause.id).random() < BASELINE_NEGATIVES:
                row = {name: getattr(clause, name) for name in ("contract", "heading", "text", "labels")}
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    code = main()
    end_if_one_of_several(code)
    sys.exit(code)
