"""Train a flagger that ships in data/adapters, from CUAD's contracts.

    python scripts/train_flagger.py CUAD.json --split-out cuad-split
    ACCELERATE_USE_CPU=true OMP_NUM_THREADS=1 torchrun --nproc_per_node 2 scripts/train_flagger.py CUAD.json
    ACCELERATE_USE_CPU=true OMP_NUM_THREADS=1 torchrun --nproc_per_node 2 scripts/train_flagger.py CUAD.json \
        --base all-mpnet-base-v2

    python scripts/train_flagger.py CUAD.json --weights-of data/adapters/cuad-minilm --name cuad-minilm-2

The second and the third line are how the shipped branches were trained, on the small and on the large encoder: one
process a core, each with a batch of its own. The last takes them as they are and fits only what stands on top: the
words, the calibration and the thresholds.

CUAD: Hendrycks, Burns, Chen and Ball, NeurIPS 2021 (arXiv 2103.06268), The Atticus Project, CC BY 4.0. Its text is not
in this project. The companies are split into three: the weights are trained on the first part, chosen and calibrated on
the second, and measured on the third. `--split-out` writes the three as CUAD JSON, and for the baselines all labelled
clauses of the first part with a share of the others, so that the same contracts are measured by

    python -m playground evaluate contract_clauses --contracts cuad-split/test.json --train cuad-split/baselines.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState

from playground.adapters import AdapterManifest, AdapterStore
from playground.annotations import clauses_from_contracts, read_cuad
from playground.annotations.gold import gold_matrix
from playground.clauses.splitting import split_clauses
from playground.flagging.calibration import (
    Calibration,
    best_thresholds,
    expected_calibration_error,
    fit_calibration,
    operating_points,
    reliability_curve,
)
from playground.flagging.encoder import load_clause_encoder
from playground.flagging.head import ClauseHead, load_head, save_head
from playground.flagging.words import ClauseWords, fit_words
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.clause_metrics import measure, per_label
from playground.models.bundled import ensure_bundle
from playground.models.catalog import MINILM, MPNET, Bundle
from playground.models.openvino.bert_weights import weights_sha256
from playground.paths import SHIPPED_ADAPTERS
from playground.training.clauses.encoder import TrainedEncoder, save_encoder, train_encoder
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.processes import end_if_one_of_several
from playground.training.progress import TrainingProgress
from playground.types import AnnotatedClause, Document
from scenarios.contract_clauses.scenario import labels

PARTS = ("train", "validation", "test")
HELD_OUT_SHARE = 0.1
"""Of the companies, for validation and for test each."""
VALIDATION_CLAUSES = 4_000
BASELINE_NEGATIVES = 0.35
SHIPPED_TRAINING = {"steps": 4_842, "examples": 137_114}
"""Of the branches that ship, whose first manifest did not hold it."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A flagger that ships: its name, its base, how it is trained, and whether its branches are kept in float16."""

    name: str
    base: Bundle
    settings: EncoderSettings
    half: bool


SHIPPED = {
    MINILM.id: Shipped(
        "cuad-minilm",
        MINILM,
        EncoderSettings(
            rank=32,
            alpha=32.0,
            learning_rate=1e-3,
            head_learning_rate=1e-2,
            epochs=6.0,
            negative_share=0.2,
            batch_tokens=1024,
            validations=4,
        ),
        half=False,
    ),
    MPNET.id: Shipped(
        "cuad-mpnet",
        MPNET,
        EncoderSettings(
            rank=16,
            alpha=16.0,
            learning_rate=6e-4,
            head_learning_rate=5e-3,
            epochs=3.0,
            negative_share=0.12,
            batch_tokens=1024,
            validations=2,
        ),
        half=True,  # so that branches and words together stay below 15 MB
    ),
}

CARD = Path(__file__).with_name("flagger_card.md").read_text(encoding="utf-8")


def main() -> None:
    """Train, calibrate, measure and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cuad", type=Path, help="CUADv1.json, or a part of it")
    parser.add_argument("--out", type=Path, default=SHIPPED_ADAPTERS, help="folder of the shipped adapters")
    parser.add_argument("--name", help="of the adapter (default: that of the one that ships)")
    parser.add_argument("--split-out", type=Path, help="write train.json, validation.json and test.json here")
    parser.add_argument(
        "--checkpoints", type=Path, help="folder of checkpoints and scores: a killed training continues"
    )
    parser.add_argument("--start-from", type=Path, help="folder of an adapter whose training is to go on")
    parser.add_argument("--weights-of", type=Path, help="folder of an adapter whose branches are kept: no training")
    parser.add_argument("--base", default=MINILM.id, choices=sorted(SHIPPED), help="bundled encoder")
    parser.add_argument("--words-of", type=Path, help="folder of an adapter whose words are taken: no fit of them")
    parser.add_argument("--words-weight", type=float, default=1.0, help="beside the encoder's 1 (default: 1)")
    parser.add_argument("--no-words", action="store_true", help="leave the linear layer on the clause's words out")
    for field, default in asdict(EncoderSettings()).items():
        parser.add_argument(f"--{field.replace('_', '-')}", type=float if default is None else type(default))
    arguments = parser.parse_args()
    shipped = SHIPPED[arguments.base]
    chosen = {field: getattr(arguments, field) for field in asdict(shipped.settings)}
    settings = replace(shipped.settings, **{field: value for field, value in chosen.items() if value is not None})
    name = arguments.name or shipped.name
    data = arguments.cuad.read_bytes()
    if arguments.split_out:
        write_split(data, arguments.split_out)
    names = tuple(label.name for label in labels())
    parts = split_clauses_of(data, arguments.cuad.name, names)
    if arguments.split_out:
        write_baseline_clauses(parts["train"], arguments.split_out / "baselines.jsonl")
    print({part: (len(clauses), len({clause.contract for clause in clauses})) for part, clauses in parts.items()})
    if arguments.weights_of:
        branches = kept_branches(arguments.weights_of)
    else:
        trained = train_encoder(
            ensure_bundle(shipped.base), parts["train"], a_few_contracts(parts["validation"]), names, settings,
            on_progress=_print_progress, checkpoint_folder=arguments.checkpoints, start_from=arguments.start_from,
        )  # fmt: skip
        branches = new_branches(trained, shipped)
    if not PartialState().is_main_process:
        return

    def write(folder: Path) -> AdapterManifest:
        branches.write(folder)
        scores = encoder_scores(folder, shipped.base, parts, arguments.checkpoints)
        gold = gold_matrix(parts["validation"], names)
        logits, words = scores["validation"], None
        if not arguments.no_words:
            words = words_of(arguments.words_of, parts["train"], names, branches.settings["seed"])
            words = weighed_words(words, logits, words.log_odds(parts["validation"]), gold, arguments.words_weight)
            logits = logits + words.log_odds(parts["validation"])
        calibrate(folder, words, logits, gold)
        metrics = figures(folder, parts, scores, branches)
        card = model_card(branches, metrics, data, parts, name=name, base=shipped.base, words_of=arguments.words_of)
        (folder / "README.md").write_text(card, encoding="utf-8")
        return AdapterManifest(
            name=name,
            task="clauses",
            base_kind="encoder",
            base_id=shipped.base.id,
            base_sha256=weights_sha256(ensure_bundle(shipped.base)),
            labels=names,
            data={
                "name": "CUAD v1 (The Atticus Project, CC BY 4.0), part for training",
                "sha256": hashlib.sha256(data).hexdigest(),
                "examples": len(parts["train"]),
                "contracts": len({clause.contract for clause in parts["train"]}),
            },
            hyper_parameters=branches.settings
            | {"words": not arguments.no_words, "words_weight": arguments.words_weight},
            seed=branches.settings["seed"],
            metrics=metrics,
            duration_s=branches.duration_s,
            created_at=utc_now(),
            machine=branches.machine,
            commit=commit(),
        )

    stored = AdapterStore(arguments.out).save(name, write)
    print(json.dumps({key: stored.manifest.metrics[key] for key in ("validation", "test")}, indent=1))


@dataclass(frozen=True, slots=True)
class Branches:
    """The encoder's part of an adapter: how to write it, and how it was trained."""

    write: Callable[[Path], None]
    settings: dict[str, Any]
    steps: int
    examples: int
    duration_s: float
    machine: str
    base_sha256: dict[str, str]
    """Over the frozen tensors in memory, "before" and "after"; empty where an old manifest does not say."""


def new_branches(trained: TrainedEncoder, shipped: Shipped) -> Branches:
    """Return what a training made."""
    return Branches(
        write=lambda folder: save_encoder(trained, folder, base_id=shipped.base.id, half=shipped.half),
        settings=asdict(trained.settings) | {"processes": PartialState().num_processes},
        steps=trained.steps,
        examples=trained.examples,
        duration_s=round(trained.duration_s, 1),
        machine=describe_machine().label,
        base_sha256={"before": trained.base_sha256_before, "after": trained.base_sha256_after},
    )


def kept_branches(source: Path) -> Branches:
    """Return those of a stored adapter, with what its manifest says of their training."""
    manifest = AdapterStore(source.parent).get(source.name).manifest
    metrics = manifest.metrics

    def write(folder: Path) -> None:
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(source / name, folder / name)
        save_head(uncalibrated(replace(load_head(source), words=None)), folder)

    settings = {name: value for name, value in manifest.hyper_parameters.items() if not name.startswith("words")}
    training: Any = metrics.get("training", SHIPPED_TRAINING)
    return Branches(
        write,
        settings,
        training["steps"],
        training["examples"],
        manifest.duration_s,
        manifest.machine,
        {when: str(sha256) for when in ("before", "after") if (sha256 := metrics.get(f"base_sha256_{when}"))},
    )


def encoder_scores(
    folder: Path, base: Bundle, parts: dict[str, tuple[AnnotatedClause, ...]], kept: Path | None
) -> dict[str, np.ndarray]:
    """Return the log-odds of the adapter in ``folder`` as it will run, without words, of validation and test.

    They take minutes, and are kept in ``kept`` for the same branches.
    """
    branches = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()[:16]
    found: dict[str, np.ndarray] = {}
    for part in PARTS[1:]:
        path = kept and kept / f"scores-{part}-{branches}.npy"
        if path and path.is_file():
            found[part] = np.load(path, allow_pickle=False)
            continue
        encoder = load_clause_encoder(ensure_bundle(base), folder, model_id=base.id, adapter=folder.name)
        found[part] = encoder.logits(parts[part])
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, found[part], allow_pickle=False)
    return found


def words_of(folder: Path | None, train: tuple[AnnotatedClause, ...], names: tuple[str, ...], seed: int) -> ClauseWords:
    """Return the linear layer on words of the adapter in ``folder``, or else one fitted on ``train``."""
    if folder is None:
        return fit_words(train, gold_matrix(train, names), seed=seed)
    words = load_head(folder).words
    if words is None:
        raise SystemExit(f"{folder} has no words. Leave --words-of out to fit them.")
    return words


def weighed_words(
    words: ClauseWords, of_encoder: np.ndarray, of_words: np.ndarray, gold: np.ndarray, weight: float
) -> ClauseWords:
    """Return the layer so that its log-odds have ``weight`` beside the encoder's, each as once it is calibrated."""
    encoder, own = fit_calibration(of_encoder, gold), fit_calibration(of_words, gold)
    slope = np.asarray(encoder.a)
    return words.scaled(
        weight * np.asarray(own.a) / slope, (np.asarray(encoder.b) + weight * np.asarray(own.b)) / slope
    )


def uncalibrated(head: ClauseHead) -> ClauseHead:
    """Return a head whose probabilities are the sigmoid of its log-odds."""
    ones, zeros = (1.0,) * len(head.labels), (0.0,) * len(head.labels)
    return replace(head, calibration=Calibration(ones, zeros), thresholds=np.full(len(ones), 0.5, np.float32))


def company_of(title: str) -> str:
    """Return the company of a CUAD contract: what stands before the first underscore of its title."""
    return title.partition("_")[0].casefold()


def part_of(company: str) -> str:
    """Return the part that a company belongs to: decided by its name alone, so that more data moves nobody."""
    place = random.Random(company).random()
    return PARTS[2] if place < HELD_OUT_SHARE else PARTS[1] if place < 2 * HELD_OUT_SHARE else PARTS[0]


def write_split(data: bytes, folder: Path) -> None:
    """Write the three parts of a CUAD file as CUAD JSON."""
    rows = json.loads(data)
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        chosen = [row for row in rows["data"] if part_of(company_of(row["title"])) == part]
        (folder / f"{part}.json").write_text(json.dumps(rows | {"data": chosen}), encoding="utf-8")


def write_baseline_clauses(clauses: tuple[AnnotatedClause, ...], path: Path) -> None:
    """Write all labelled clauses and 35 % of the others as JSON lines: to embed all would take half an hour."""
    with path.open("w", encoding="utf-8") as file:
        for clause in clauses:
            if clause.labels or random.Random(clause.id).random() < BASELINE_NEGATIVES:
                row = {
                    "contract": clause.contract,
                    "heading": clause.heading,
                    "text": clause.text,
                    "labels": clause.labels,
                }
                file.write(json.dumps(row) + "\n")


def split_clauses_of(data: bytes, name: str, names: tuple[str, ...]) -> dict[str, tuple[AnnotatedClause, ...]]:
    """Return the annotated clauses of each part."""
    contracts, rejected = read_cuad(data, name, names)
    for row in rejected[:10]:
        print(f"rejected: contract {row.number}: {row.reason}", file=sys.stderr)
    return {
        part: clauses_from_contracts([c for c in contracts if part_of(company_of(c.title)) == part], units_of)
        for part in PARTS
    }


def units_of(text: str) -> list[tuple[int, int, str]]:
    """Cut a contract as the flagger does: start, end and nearest heading of every clause."""
    clauses = split_clauses(Document(id="cuad", title="", text=text, source="", sha256=""))
    return [(clause.start, clause.end, clause.heading_path[-1] if clause.heading_path else "") for clause in clauses]


def a_few_contracts(clauses: tuple[AnnotatedClause, ...]) -> tuple[AnnotatedClause, ...]:
    """Return the first whole contracts of up to 4,000 clauses: enough to compare weights during training."""
    chosen: list[AnnotatedClause] = []
    for _title, contract in itertools.groupby(clauses, key=lambda clause: clause.contract):
        members = list(contract)
        if len(chosen) + len(members) <= VALIDATION_CLAUSES:
            chosen += members
    return tuple(chosen)


def calibrate(folder: Path, words: ClauseWords | None, logits: np.ndarray, gold: np.ndarray) -> None:
    """Write the head of the adapter in ``folder`` again with its words, and calibrated on ``logits``."""
    calibration = fit_calibration(logits, gold)
    thresholds = best_thresholds(calibration.probabilities(logits), gold)
    save_head(replace(load_head(folder), words=words, calibration=calibration, thresholds=thresholds), folder)


def figures(
    folder: Path,
    parts: dict[str, tuple[AnnotatedClause, ...]],
    scores: dict[str, np.ndarray],
    branches: Branches,
) -> dict[str, Any]:
    """Measure the adapter in ``folder`` on the parts that it was not trained on; ``scores`` are its encoder's."""
    head = load_head(folder)
    alone = fit_calibration(scores["validation"], gold_matrix(parts["validation"], head.labels))
    found: dict[str, Any] = {}
    for part in PARTS[1:]:
        clauses = parts[part]
        gold = gold_matrix(clauses, head.labels)
        logits = scores[part] if head.words is None else scores[part] + head.words.log_odds(clauses)
        probabilities = head.calibration.probabilities(logits)
        order = {title: index for index, title in enumerate(dict.fromkeys(clause.contract for clause in clauses))}
        contracts = np.array([order[clause.contract] for clause in clauses])
        estimates = measure(probabilities, gold, contracts, head.thresholds, resamples=500)
        without = None
        if head.words is not None:
            of_encoder = alone.probabilities(scores[part])
            without = measure(of_encoder, gold, contracts, head.thresholds, resamples=500)["micro_ap"]
        found[part] = {
            "micro_ap_without_words": without and [without.value, without.low, without.high],
            "n_clauses": len(clauses),
            "n_contracts": len(order),
            **{
                name: estimate and [estimate.value, estimate.low, estimate.high] for name, estimate in estimates.items()
            },
            "expected_calibration_error": expected_calibration_error(
                probabilities, gold, [0.05 * step for step in range(1, 21)]
            ),
        }
    found["training"] = {"steps": branches.steps, "examples": branches.examples}
    found |= {f"base_sha256_{when}": sha256 for when, sha256 in branches.base_sha256.items()}
    found["per_label"] = [asdict(row) for row in per_label(probabilities, gold, head.thresholds, head.labels)]
    found["operating_points"] = [asdict(p) for p in operating_points(probabilities, gold, head.thresholds)]
    found["reliability"] = [asdict(row) for row in reliability_curve(probabilities, gold, 10)]
    found["measured_on"] = (
        f"{len(order)} CUAD contracts of companies unseen in training ({len(clauses):,} clauses, all 41 labels)"
    )
    return found


def model_card(
    branches: Branches,
    metrics: dict[str, Any],
    data: bytes,
    parts: dict[str, tuple[AnnotatedClause, ...]],
    *,
    name: str,
    base: Bundle,
    words_of: Path | None,
) -> str:
    """Return the README of the adapter."""
    test = metrics["test"]
    rows = "\n".join(
        f"| {row['label']} | {row['support']} | {_percent(row['average_precision'])} | {_percent(row['precision'])} | "
        f"{_percent(row['recall'])} |"
        for row in metrics["per_label"]
    )
    curve = "\n".join(
        f"| {row['low']:.1f} to {row['high']:.1f} | {row['count']:,} | {row['mean_probability']:.2f} | "
        f"{row['observed']['value']:.2f} ({row['observed']['low']:.2f} to {row['observed']['high']:.2f}) |"
        for row in metrics["reliability"]
    )
    intervals = {
        name: _interval(test[name])
        for name in ("micro_ap", "micro_ap_without_words", "macro_ap", "micro_f1", "contract_presence_f1")
    }
    return CARD.format(
        name=name,
        base_title=base.title,
        base_option="" if base is MINILM else f" --base {base.id}",
        words_option="" if words_of is None else f" --words-of {words_of}",
        rank=branches.settings["rank"],
        seed=branches.settings["seed"],
        processes=branches.settings["processes"],
        sha256=hashlib.sha256(data).hexdigest(),
        **{part: f"{len(clauses):,}" for part, clauses in parts.items()},
        steps=f"{branches.steps:,}",
        examples=f"{branches.examples:,}",
        minutes=f"{branches.duration_s / 60:.0f}",
        machine=branches.machine,
        base=_unchanged(branches.base_sha256),
        measured_on=metrics["measured_on"],
        calibration_error=f"{test['expected_calibration_error']:.3f}",
        rows=rows,
        curve=curve,
        **intervals,
    )


def _unchanged(base_sha256: dict[str, str]) -> str:
    if not base_sha256:
        return "unchanged"  # said by the card of the training, whose manifest did not hold the hashes
    before, after = base_sha256["before"], base_sha256["after"]
    return f"unchanged (`{before[:16]}…`)" if before == after else f"CHANGED (`{before[:16]}…`, `{after[:16]}…`)"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.0f} %"


def _interval(values: list[float] | None) -> str:
    return "—" if values is None else f"{values[0]:.3f} ({values[1]:.3f} to {values[2]:.3f})"


_last_told = [-1.0]


def _print_progress(progress: TrainingProgress) -> None:
    if progress.stage != "training" or progress.elapsed_s - _last_told[0] >= 20:
        _last_told[0] = progress.elapsed_s
        score = "" if progress.score is None else f" score {progress.score:.4f} best {progress.best_score:.4f}"
        loss = "" if progress.loss is None else f" loss {progress.loss:.4f}"
        print(
            f"{progress.stage} step {progress.step} {progress.fraction:.1%} epoch {progress.epoch:.2f}{loss}{score} "
            f"{progress.examples_per_s or 0:.1f} clauses/s {progress.elapsed_s:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
    end_if_one_of_several(0)
