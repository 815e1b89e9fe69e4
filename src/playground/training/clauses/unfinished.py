"""Trainings that were interrupted: what they were to be stands beside their checkpoints, so that they are offered."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from playground.adapters import AdapterStore, checkpoint_step, clear_checkpoints, latest_checkpoint
from playground.atomic import replace_file
from playground.errors import AdapterError, TrainingError
from playground.machine import utc_now
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingPlan
from playground.typed_json import json_of, typed_json

CHECKPOINTS = ".checkpoints"
_PLAN_FILE = "plan.json"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class NotedPlan:
    """A ``TrainingPlan`` but for its data, which are told by name and hash."""

    name: str
    data_name: str
    data_sha256: str
    labels: tuple[str, ...]
    base: str
    examples: int | None
    settings: EncoderSettings
    began_at: str


@dataclass(frozen=True, slots=True)
class UnfinishedTraining:
    """A training that ended without an adapter, and how far it had come when its last checkpoint was written."""

    plan: NotedPlan
    step: int
    trained_s: float
    best_score: float | None


def note_plan(plan: TrainingPlan, store: AdapterStore) -> None:
    """Write down what is being trained; what needs more than a page can set is not noted.

    Raises:
        OSError: it cannot be written.
    """
    beyond_a_page = [plan.validation, plan.test, plan.words_of, plan.start_from]
    folder = store.root / CHECKPOINTS / plan.name
    if plan.half or any(one is not None for one in beyond_a_page):
        (folder / _PLAN_FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    noted = NotedPlan(
        name=plan.name,
        data_name=plan.data_name,
        data_sha256=plan.annotations.sha256,
        labels=tuple(plan.labels),
        base=plan.base,
        examples=plan.examples,
        settings=plan.settings,
        began_at=utc_now(),
    )
    replace_file(folder / _PLAN_FILE, json_of(noted) + b"\n")


def unfinished_trainings(store: AdapterStore) -> tuple[UnfinishedTraining, ...]:
    """Return the interrupted trainings that left a checkpoint, the latest first. Never raises for what is on disk."""
    found = []
    with contextlib.suppress(OSError):
        for folder in (store.root / CHECKPOINTS).iterdir():
            # What is damaged is trained anew, as if it were not there.
            with contextlib.suppress(OSError, ValueError, KeyError, AdapterError, TrainingError):
                plan = typed_json(NotedPlan, (folder / _PLAN_FILE).read_bytes()[:_MOST_BYTES])
                if plan.name == folder.name and (one := _unfinished(plan, folder)) is not None:
                    found.append(one)
    return tuple(sorted(found, key=lambda one: one.plan.began_at, reverse=True))


def _unfinished(plan: NotedPlan, folder: Path) -> UnfinishedTraining | None:
    checkpoints = [found for part in folder.iterdir() if part.is_dir() and (found := latest_checkpoint(part))]
    if not checkpoints:
        return None
    newest = max(checkpoints, key=checkpoint_step)
    trained_s = 0.0
    best: object = None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads((newest / "state.json").read_text(encoding="utf-8"))
        trained_s, best = float(record["elapsed_s"]), record["best_score"]
    score = float(best) if isinstance(best, (int, float)) and not isinstance(best, bool) else None
    return UnfinishedTraining(plan, checkpoint_step(newest), trained_s, score)


def throw_away(name: str, store: AdapterStore) -> None:
    """Remove what an interrupted training left.

    Raises:
        TrainingError: it cannot be removed.
    """
    folder = store.root / CHECKPOINTS / name
    for part in [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []:
        clear_checkpoints(part)
    with contextlib.suppress(OSError):
        (folder / _PLAN_FILE).unlink(missing_ok=True)
