"""``train reader``: train the policy reader of RAG + LoRA on the bundled model or a larger one, and store it.

python -m playground train reader --out my-reader --max-minutes 20
python -m playground train reader --out larger-reader --base medium
python -m playground train reader --out own-reader --base /models/SmolLM2-360M-Instruct --activate
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from playground.cli import loading
from playground.cli.arguments import input_path, positive, seed
from playground.cli.terminal import ProgressLine
from playground.cli.training_process import secondary_process, training_line
from playground.text.terminal import one_line

if TYPE_CHECKING:
    from playground.training.progress import TrainingProgress
    from scenarios.return_policy.reader.training import ReaderPlan, ReaderReport

_BUNDLED = "bundled"
# Those of ``LanguageModelSettings``, which is not imported here: `--help` starts without heavy libraries. How a
# conversation is written is not among them: the base decides that.
SETTINGS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("rank", "alpha", "batch_examples", "epochs", "max_tokens", "validation_examples"), int),
    **dict.fromkeys(("frozen_layers", "batch_tokens"), int),
    **dict.fromkeys(("learning_rate", "max_minutes", "warmup", "validation_every", "checkpoint_every_s"), float),
    "seed": seed,
    **dict.fromkeys(("decay", "precision"), str),
}
_CHOICES = {"decay": ("linear", "cosine"), "precision": ("auto", "bfloat16", "float32")}


def add_command(tasks: Any) -> None:
    """Add ``reader`` to the tasks of ``train``."""
    parser = tasks.add_parser("reader", help="the reader of return policies, RAG + LoRA")
    parser.add_argument("--out", required=True, metavar="NAME", help="of the adapter in the store")
    add_arguments(parser)
    parser.add_argument("--activate", action="store_true", help="read with it from now on, where its model answers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what decides a training, for this command and for ``scripts/train_reader.py``; a setting left out is None."""
    parser.add_argument(
        "--base",
        default=_BUNDLED,
        metavar="MODEL",
        help="bundled (SmolLM2-135M-Instruct), medium or large (Qwen2.5-Coder, 0.5B or 1.5B), or a Hugging Face "
        "folder or id of a causal language model with safetensors weights (default: bundled)",
    )
    parser.add_argument("--policies", type=positive, metavar="N", help="how many are invented (default: 320)")
    parser.add_argument(
        "--squad", type=input_path("--squad"), metavar="FILE", help="SQuAD v2 JSON to train on beside the policies"
    )
    settings = parser.add_argument_group("settings (default: those of the shipped reader, fitted to the base)")
    for name, read in SETTINGS.items():
        choices = _CHOICES.get(name)
        settings.add_argument(
            f"--{name.replace('_', '-')}", type=read, choices=choices, metavar=None if choices else "X"
        )


def plan_from(arguments: argparse.Namespace, name: str) -> ReaderPlan:
    """Return the training that the arguments describe; a base of the hub is fetched to learn its depth.

    Raises:
        ModelError: the base is not there or cannot be trained.
        TrainingError: a setting is out of range.
    """
    from playground.training.language_model.bases import BUNDLED_BASE, load_language_base
    from playground.training.language_model.settings import check_settings
    from scenarios.return_policy.reader import training
    from scenarios.return_policy.reader.squad import check_squad

    if arguments.squad is not None:
        check_squad(arguments.squad)
    base_name = BUNDLED_BASE if arguments.base == _BUNDLED else arguments.base
    base = load_language_base(base_name)
    given = {field: value for field in SETTINGS if (value := getattr(arguments, field)) is not None}
    settings = replace(training.settings_for(base), **given)
    check_settings(settings)
    plan: ReaderPlan = training.ReaderPlan(
        name, arguments.policies or training.INVENTED_POLICIES, settings, arguments.squad, base_name
    )
    return plan


def run(arguments: argparse.Namespace) -> dict[str, object] | None:
    """Train, print a summary unless ``--json`` is given, and return the JSON object; None in a secondary process.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
    """
    from playground.adapters import check_name
    from playground.training.lock import is_main_process
    from scenarios.return_policy.reader import training

    check_name(arguments.out)
    store = loading.load_adapter_store()
    loading.quieten()
    plan = plan_from(arguments, arguments.out)
    if not is_main_process():
        with secondary_process():
            training.join_training(plan)
        return None
    with training_line() as line:
        report: ReaderReport = training.train_reader(
            plan,
            store,
            lambda progress: _show(line, progress),
            checkpoint_folder=store.root / ".checkpoints" / f"reader-{plan.name}",
        )
    if arguments.activate:
        store.activate(plan.name, "reader")
    if not arguments.json:
        print(summary(report, arguments.base, activated=arguments.activate))
    return as_json(report, activated=arguments.activate)


def _show(line: ProgressLine, progress: TrainingProgress) -> None:
    details = []
    if progress.loss is not None:
        details.append(f"loss {progress.loss:.4f}")
    if progress.score is not None:
        details.append(f"validation score {progress.score:.3f}")
    if progress.remaining_s is not None:
        details.append(f"{progress.remaining_s:.0f} s left")
    titles = {"preparing": "preparing", "saving": "saving and trying"}
    line.show(titles.get(progress.stage, "training"), progress.fraction, ", ".join(details))


def summary(report: ReaderReport, base: str, *, activated: bool) -> str:
    """Return what came of a training, for people; ``base`` is as on the command line."""
    from scenarios.return_policy.record import SCENARIO

    manifest = report.adapter.manifest
    unchanged = "unchanged" if report.trained.base_unchanged else "CHANGED"
    loss = report.trained.validation_loss
    lines = [
        f"adapter {report.adapter.identity}: {manifest.size_bytes / 1e6:.1f} MB, in {report.adapter.folder}"
        f"{'; active' if activated else ''}",
        f"base {one_line(manifest.base_id)}, weights {manifest.base_sha256[:16]}…: {unchanged}",
        f"trained for {report.trained.duration_s:.0f} s on {report.trained.examples:,} examples, validation loss "
        f"{math.nan if loss is None else loss:.3f}{', stopped early' if report.trained.stopped else ''}",
        f"right of {len(report.effects)} questions: {sum(one.before_right for one in report.effects)} by prompting, "
        f"{sum(one.after_right for one in report.effects)} with the adapter",
        f"measure it: python -m playground evaluate {SCENARIO.name} --strategies rag,rag+lora --model {one_line(base)} "
        f"--adapter {report.adapter.name}",
        *(f"note: {one_line(note)}" for note in report.trained.notes),
    ]
    return "\n".join(lines)


def as_json(report: ReaderReport, *, activated: bool) -> dict[str, object]:
    """Return the object that ``--json`` prints."""
    manifest = report.adapter.manifest
    return {
        "name": report.adapter.name,
        "identity": report.adapter.identity,
        "folder": str(report.adapter.folder),
        "base": manifest.base_id,
        "base_sha256": manifest.base_sha256,
        "base_unchanged": report.trained.base_unchanged,
        "settings": dict(manifest.hyper_parameters),
        "data": dict(manifest.data),
        "metrics": dict(manifest.metrics),
        "effects": [asdict(effect) for effect in report.effects],
        "duration_s": report.trained.duration_s,
        "stopped_early": report.trained.stopped,
        "activated": activated,
        "notes": list(report.trained.notes),
    }
