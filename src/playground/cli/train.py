"""``train clauses``: train a flagger on annotated clauses and put it into the adapter store. See also ``train_reader``.

python -m playground train clauses --data written --out my-flagger
accelerate launch --num_processes 2 -m playground train clauses --data CUADv1.json --out my-flagger     (two GPUs)
ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 -m playground train clauses ...  (two processes
without a GPU: despite its name `--multi_gpu` is what makes the launcher start several; with `--cpu` it wants MPI)
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import loading, train_reader
from playground.cli.arguments import positive, seed, words
from playground.cli.terminal import ProgressLine
from playground.cli.training_process import secondary_process, training_line
from playground.paths import CLAUSES
from playground.text.terminal import one_line, text_table
from playground.training.clauses.encoder_settings import EncoderSettings

if TYPE_CHECKING:
    from playground.annotations import AnnotationSet, WrittenClauses
    from playground.training.clauses.plan import TrainingPlan
    from playground.training.clauses.train import TrainingReport
    from playground.training.progress import TrainingProgress

_WRITTEN = "written"
_WRITTEN_LICENCE = (
    "Apache-2.0, as the project: the clauses were written for it. The names of the labels are those of CUAD (The "
    "Atticus Project, CC BY 4.0)."
)
_DEFAULTS = EncoderSettings()
_FIGURES = (("micro AP", "micro_ap"), ("macro AP", "macro_ap"), ("micro F1", "micro_f1"), ("macro F1", "macro_f1"))


def add_command(commands: Any) -> None:
    """Add ``train`` to the parser."""
    parser = commands.add_parser("train", help="train an adapter on annotated data")
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    clauses = tasks.add_parser("clauses", help="a flagger of contract clauses")
    clauses.add_argument(
        "--data", required=True, metavar="FILE", help="CUAD's JSON, CSV, JSON lines, or `written`: the project's own"
    )
    clauses.add_argument("--out", required=True, metavar="NAME", help="of the adapter in the store")
    clauses.add_argument(
        "--base",
        default="encoder",
        help="encoder (all-MiniLM-L6-v2), large-encoder (all-mpnet-base-v2), language-model (SmolLM2), or a folder or "
        "id of an encoder like BERT or MPNet (default: encoder)",
    )
    clauses.add_argument(
        "--validation", metavar="FILE", help="to choose and calibrate with (default: a part of --data)"
    )
    clauses.add_argument("--test", metavar="FILE", help="to measure on (default: a part of --data)")
    clauses.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="FILE",
        help="more annotated clauses to train on, whole; `written`: the project's own to train on; repeatable",
    )
    clauses.add_argument(
        "--add-validation",
        action="append",
        default=[],
        metavar="FILE",
        help="more to choose and calibrate with; repeatable",
    )
    clauses.add_argument(
        "--added-passes",
        type=positive,
        default=_DEFAULTS.added_passes,
        metavar="N",
        help=f"times an epoch reads what --add added (default: {_DEFAULTS.added_passes})",
    )
    clauses.add_argument("--labels", metavar="A,B", help="names, or `all` (default: the liabilities)")
    clauses.add_argument("--examples", type=positive, metavar="N", help="most clauses to train on (default: all)")
    clauses.add_argument("--epochs", type=_number, default=_DEFAULTS.epochs, help=f"(default: {_DEFAULTS.epochs:g})")
    clauses.add_argument("--max-minutes", type=_number, metavar="M", help="end the training earlier")
    clauses.add_argument("--rank", type=positive, default=_DEFAULTS.rank, help=f"(default: {_DEFAULTS.rank})")
    clauses.add_argument("--alpha", type=_number, metavar="A", help="scale of the branches (default: the rank)")
    clauses.add_argument("--learning-rate", type=_number, default=_DEFAULTS.learning_rate, metavar="R")
    clauses.add_argument("--head-learning-rate", type=_number, default=_DEFAULTS.head_learning_rate, metavar="R")
    clauses.add_argument(
        "--window-tokens",
        type=_count,
        default=_DEFAULTS.window_tokens,
        metavar="W",
        help="read neighbours of one contract together; 0: every clause alone (default: 0)",
    )
    clauses.add_argument("--negative-share", type=_number, default=_DEFAULTS.negative_share, metavar="S")
    clauses.add_argument("--frozen-layers", type=_count, default=_DEFAULTS.frozen_layers, metavar="N")
    clauses.add_argument("--batch-tokens", type=positive, default=_DEFAULTS.batch_tokens, metavar="T")
    clauses.add_argument("--validations", type=positive, default=_DEFAULTS.validations, metavar="N")
    clauses.add_argument("--seed", type=seed, default=_DEFAULTS.seed, metavar="S")
    clauses.add_argument(
        "--words",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="beside an encoder, a linear layer on the TF-IDF of the clauses' words (default: with it)",
    )
    clauses.add_argument("--words-weight", type=_number, default=1.0, metavar="W", help="beside the encoder's 1")
    clauses.add_argument("--words-of", type=Path, metavar="FOLDER", help="of an adapter whose words are taken")
    clauses.add_argument(
        "--start-from",
        type=Path,
        metavar="FOLDER",
        help="of an adapter to go on from; with --epochs 0 its weights are kept, and words and calibration fitted",
    )
    clauses.add_argument("--half", action="store_true", help="keep an encoder's branches in float16, at half the size")
    clauses.add_argument(
        "--baselines",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure the untrained base, TF-IDF and keywords beside it (default: measured)",
    )
    clauses.add_argument("--licence", type=words, default="", metavar="TEXT", help="of the data, for the model card")
    clauses.add_argument("--activate", action="store_true", help="flag with it from now on")
    clauses.add_argument("--json", action="store_true", help="print one JSON object")
    clauses.set_defaults(run=run)
    train_reader.add_command(tasks)


def run(arguments: argparse.Namespace) -> dict[str, object] | None:
    """Train, print a summary unless ``--json`` is given, and return the JSON object; None in a secondary process.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
    """
    from playground.flagging.loading import activate_adapter
    from playground.training.clauses.train import resumed_step, train_clauses
    from playground.training.lock import is_main_process

    store = loading.load_adapter_store()
    loading.quieten()
    if not is_main_process():
        with secondary_process():
            train_clauses(_plan(arguments), store)
        return None
    plan = _plan(arguments)
    for note in _notes(plan):
        print(f"note: {one_line(note)}", file=sys.stderr)
    step = None if _is_taken(plan, store) else resumed_step(plan, store)
    if step is not None:
        print(f"note: a training with these arguments was cut off; going on from step {step}.", file=sys.stderr)
    with training_line() as line:
        report = train_clauses(plan, store, lambda progress: _show(line, progress))
    if report is None:
        return None
    if arguments.activate:
        activate_adapter(store, plan.name)
    if not arguments.json:
        print(_summary(report, activated=arguments.activate))
    return _as_json(report, activated=arguments.activate)


def _plan(arguments: argparse.Namespace) -> TrainingPlan:
    from playground.training.clauses.bases import BUNDLED_BASES
    from playground.training.clauses.plan import TrainingPlan
    from scenarios.contract_clauses import scenario

    is_written = arguments.data == _WRITTEN
    return TrainingPlan(
        name=arguments.out,
        data=_data(arguments.data, scenario),
        labels=_labels(arguments.labels, scenario),
        base={name.replace("_", "-"): name for name in BUNDLED_BASES}.get(arguments.base, arguments.base),
        examples=arguments.examples,
        settings=EncoderSettings(
            rank=arguments.rank,
            alpha=float(arguments.rank) if arguments.alpha is None else arguments.alpha,
            learning_rate=arguments.learning_rate,
            head_learning_rate=arguments.head_learning_rate,
            epochs=arguments.epochs,
            max_minutes=arguments.max_minutes,
            window_tokens=arguments.window_tokens,
            negative_share=arguments.negative_share,
            added_passes=arguments.added_passes,
            frozen_layers=arguments.frozen_layers,
            batch_tokens=arguments.batch_tokens,
            validations=arguments.validations,
            seed=arguments.seed,
        ),
        validation=_held_out(arguments.validation, scenario),
        test=_held_out(arguments.test, scenario),
        added=tuple(_added(source, "--add", scenario) for source in arguments.add),
        added_validation=tuple(_added(source, "--add-validation", scenario) for source in arguments.add_validation),
        words=arguments.words,
        words_weight=arguments.words_weight,
        words_of=arguments.words_of,
        start_from=arguments.start_from,
        half=arguments.half,
        baselines=arguments.baselines,
        keywords=scenario.keywords(),
        licence=arguments.licence or (_WRITTEN_LICENCE if is_written else ""),
        command=_command(arguments),
    )


def _data(source: str, scenario: Any) -> AnnotationSet | WrittenClauses:
    return _written(scenario) if source == _WRITTEN else _annotations(source, "--data", scenario)


def _written(scenario: Any) -> WrittenClauses:
    from playground.annotations import load_written_clauses

    return load_written_clauses(CLAUSES, [label.name for label in scenario.labels()])


def _held_out(source: str | None, scenario: Any) -> AnnotationSet | None:
    return None if source is None else _annotations(source, "--validation and --test", scenario)


def _added(source: str, option: str, scenario: Any) -> AnnotationSet:
    """Return a set to add; of the project's own clauses those to train on, as the others are for measuring."""
    if source != _WRITTEN:
        return _annotations(source, option, scenario)
    written = _written(scenario)
    return replace(written.annotations, name="the project's own clauses", examples=written.train)


def _annotations(source: str, option: str, scenario: Any) -> AnnotationSet:
    from playground.annotations import read_annotations
    from playground.annotations.cuad import MAX_CUAD_BYTES
    from playground.annotations.units import contract_units
    from playground.errors import AnnotationError
    from playground.files import expanded, read_file

    path = expanded(source)
    try:
        if not path.is_file():
            raise AnnotationError(f"There is no file {path}. Check {option}.")
        if path.stat().st_size > MAX_CUAD_BYTES:
            raise AnnotationError(f"{path} has more than {MAX_CUAD_BYTES >> 20} MB. Load a part of it.")
        data = read_file(path, MAX_CUAD_BYTES)
    except OSError as error:
        raise AnnotationError(f"{path} cannot be read ({error.strerror}). Check {option}.") from error
    return read_annotations(data, path.name, [label.name for label in scenario.labels()], split=contract_units)


def _labels(text: str | None, scenario: Any) -> tuple[str, ...]:
    if text is None:
        return tuple(scenario.liability_labels())
    if text.strip() == "all":
        return tuple(label.name for label in scenario.labels())
    return tuple(scenario.label(name.strip()).name for name in text.split(",") if name.strip())


def _command(arguments: argparse.Namespace) -> str:
    """Return the command that trains the same again; of a path only the file's name, which is nobody's business."""
    words = ["python", "-m", "playground", "train", "clauses"]
    words += ["--data", arguments.data if arguments.data == _WRITTEN else Path(arguments.data).name]
    words += ["--base", Path(arguments.base).name if Path(arguments.base).is_dir() else arguments.base]
    words += ["--out", arguments.out]
    for name in ("validation", "test", "words_of", "start_from"):
        if (value := getattr(arguments, name)) is not None:
            words += [f"--{name.replace('_', '-')}", Path(value).name]
    for option, sources in (("--add", arguments.add), ("--add-validation", arguments.add_validation)):
        for source in sources:
            words += [option, source if source == _WRITTEN else Path(source).name]
    words += [] if arguments.words else ["--no-words"]
    words += ["--words-weight", _plain(arguments.words_weight)] if arguments.words_weight != 1.0 else []
    words += ["--half"] if arguments.half else []
    words += [] if arguments.baselines else ["--no-baselines"]
    for name in ("labels", "examples", "max_minutes", "alpha"):
        if (value := getattr(arguments, name)) is not None:
            words += [f"--{name.replace('_', '-')}", _plain(value)]
    for name in (
        *("epochs", "rank", "learning_rate", "head_learning_rate", "window_tokens", "negative_share"),
        *("added_passes", "frozen_layers", "batch_tokens", "validations", "seed"),
    ):
        if (value := getattr(arguments, name)) != getattr(_DEFAULTS, name):
            words += [f"--{name.replace('_', '-')}", _plain(value)]
    return shlex.join(words)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _notes(plan: TrainingPlan) -> list[str]:
    annotations = plan.annotations
    notes = list(annotations.warnings)
    notes += [f"row {row.number} was left out: {row.reason}" for row in annotations.rejected[:10]]
    if len(annotations.rejected) > 10:
        notes.append(f"{len(annotations.rejected):,} rows were left out in all.")
    # What `accelerate launch --cpu --num_processes 2` sets: without MPI it starts one process and says nothing.
    if "ACCELERATE_MIXED_PRECISION" in os.environ and "MASTER_PORT" in os.environ and "WORLD_SIZE" not in os.environ:
        notes.append(
            "accelerate was told to start several processes and started one: `--cpu` wants MPI for more. Use "
            "`ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes N ...`; it needs no GPU."
        )
    return notes


def _is_taken(plan: TrainingPlan, store: Any) -> bool:
    return bool(store.free_name(plan.name) != plan.name)


def _show(line: ProgressLine, progress: TrainingProgress) -> None:
    if progress.stage == "saving":
        line.show("measuring and saving", progress.fraction)
        return
    details = []
    if progress.loss is not None:
        details.append(f"loss {progress.loss:.4f}")
    if progress.score is not None:
        details.append(f"validation AP {progress.score:.3f}")
    if progress.examples_per_s:
        details.append(f"{progress.examples_per_s:.0f} examples/s")
    if progress.remaining_s is not None:
        details.append(f"{progress.remaining_s:.0f} s left")
    line.show("preparing" if progress.stage == "preparing" else "training", progress.fraction, ", ".join(details))


def _summary(report: TrainingReport, *, activated: bool) -> str:
    own = {key: report.test.value(key) for _, key in _FIGURES}
    measured = {"this adapter": own, **report.baselines}
    rows = [("", *(title for title, _ in _FIGURES))]
    rows += [(name, *(_rate(figures[key]) for _, key in _FIGURES)) for name, figures in measured.items()]
    table = text_table(rows, label_width=max(map(len, measured)) + 2)
    processes = report.adapter.manifest.hyper_parameters.get("processes", 1)
    in_processes = f" in {processes} processes" if processes != 1 else ""
    unchanged = "unchanged" if report.base_sha256_before == report.base_sha256_after else "CHANGED"
    lines = [
        f"measured on {report.measured_on}:",
        table,
        "",
        f"adapter {report.adapter.identity}: {report.adapter_bytes / 1e6:.1f} MB",
        f"base {report.base_id}: {report.base_bytes / 1e6:.0f} MB",
        f"base weights {report.base_sha256_before[:16]}… before, {report.base_sha256_after[:16]}… after: {unchanged}",
        f"trained for {report.duration_s:.0f} s{in_processes}{', stopped early' if report.stopped else ''}, in "
        f"{report.adapter.folder}{'; active' if activated else ''}",
    ]
    lines += [f"note: {one_line(note)}" for note in report.notes]
    return "\n".join(lines)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _as_json(report: TrainingReport, *, activated: bool) -> dict[str, object]:
    manifest = report.adapter.manifest
    return {
        "name": report.adapter.name,
        "identity": report.adapter.identity,
        "folder": str(report.adapter.folder),
        "base": report.base_id,
        "base_sha256": manifest.base_sha256,
        "base_unchanged": report.base_sha256_before == report.base_sha256_after,
        "labels": list(manifest.labels),
        "data": dict(manifest.data),
        "test": manifest.metrics["test"],
        "test_intervals": manifest.metrics["test_intervals"],
        "validation": manifest.metrics["validation"],
        "baselines": manifest.metrics["baselines"],
        "per_label": manifest.metrics["per_label"],
        "measured_on": report.measured_on,
        "adapter_bytes": report.adapter_bytes,
        "base_bytes": report.base_bytes,
        "duration_s": report.duration_s,
        "stopped_early": report.stopped,
        "resumed_from_step": report.resumed_from_step,
        "activated": activated,
        "notes": list(report.notes),
    }


def _number(text: str) -> float:
    """Read a number from 0 on, for argparse."""
    with contextlib.suppress(ValueError):
        value = float(text)
        if math.isfinite(value) and value >= 0:
            return value
    raise argparse.ArgumentTypeError("it must be a number of at least 0")


def _count(text: str) -> int:
    """Read a whole number from 0 on, for argparse."""
    with contextlib.suppress(ValueError):
        value = int(text)
        if value >= 0:
            return value
    raise argparse.ArgumentTypeError("it must be a whole number of at least 0")
