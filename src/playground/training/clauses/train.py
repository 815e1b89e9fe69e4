"""From a plan to an adapter in the store: train, calibrate, measure, save. Nothing is stored unless all worked."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from playground import machine
from playground.adapters import (
    CARD_FILE,
    AdapterManifest,
    AdapterStore,
    StoredAdapter,
    check_name,
    checkpoint_step,
    clear_checkpoints,
    latest_checkpoint,
)
from playground.errors import AdapterError, TrainingError
from playground.training.clauses import bases, language_model, trainers
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.card import model_card
from playground.training.clauses.decision import Decision, decide, fitted_words, words_of
from playground.training.clauses.measuring import (
    FIGURES,
    Figures,
    Findings,
    Measurement,
    measure_all,
    measure_baselines,
)
from playground.training.clauses.plan import (
    TrainingPlan,
    TrainingSplit,
    contracts_of,
    plan_fingerprint,
    split_for_training,
)
from playground.training.clauses.trainers import TrainedFlagger
from playground.training.clauses.unfinished import CHECKPOINTS, note_plan
from playground.training.lock import is_main_process, training_lock
from playground.training.progress import OnProgress, TrainingProgress
from playground.training.trained import TrainedAdapter

_MOST_CONFUSIONS_KEPT = 50
# The schedule follows the clock, and a checkpoint keeps the seconds used: what came after it was trained again.
_RESUMED_WITH_A_BUDGET = (
    "This training had a time budget and was interrupted: it went on with the minutes that its last checkpoint had "
    "left, so its result depends on them and is not quite that of a training without the interruption."
)
# Of the work after the training; the baselines are the rest.
_DECIDED_SHARE, _JUDGED_SHARE = 0.1, 0.6


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A training that ended with an adapter in the store. Sizes in bytes, ``duration_s`` of the training alone.

    The hashes are of the frozen weights in memory, before the first step and after the last.
    """

    adapter: StoredAdapter
    split: TrainingSplit
    test: Measurement
    validation: Figures
    baselines: Mapping[str, Figures]
    measured_on: str
    history: tuple[TrainingProgress, ...]
    base_id: str
    base_sha256_before: str
    base_sha256_after: str
    base_bytes: int
    adapter_bytes: int
    duration_s: float
    stopped: bool
    resumed_from_step: int | None = None
    notes: tuple[str, ...] = ()


def train_clauses(
    plan: TrainingPlan, store: AdapterStore, on_progress: OnProgress | None = None
) -> TrainingReport | None:
    """Train as ``plan`` says and save the adapter; a killed training of the same plan is continued.

    ``on_progress`` may return False to stop: the best weights so far are then measured, saved and marked as stopped
    early. When anything fails, store and active adapter stay as they were, and the checkpoints wait for another try.

    Returns:
        The report; None in a process of ``accelerate launch`` that is not the main one.

    Raises:
        AnnotationError: the data cannot train a flagger.
        AdapterError: the name is not allowed or taken, or the adapter cannot be stored.
        ModelError: the base is not there or not usable.
        TrainingError: a setting is wrong, another training is running, or this one failed.
        TrainingStopped: it was stopped before anything was learnt.
    """
    if not is_main_process():
        base, split = bases.load_training_base(plan.base), split_for_training(plan)
        _train(plan, base, split, _checkpoint_folder(plan, split, base, store), None)
        return None
    with training_lock(store):
        _check_free(plan.name, store)
        split = split_for_training(plan)
        tell = on_progress or (lambda _progress: None)
        tell(TrainingProgress("preparing", 0, 0.0))
        base = bases.load_training_base(plan.base)
        folder = _checkpoint_folder(plan, split, base, store)
        _forget_others(folder)
        with contextlib.suppress(OSError, ValueError):  # the training itself says what is wrong with the folder
            note_plan(plan, store)
        found = latest_checkpoint(folder)
        flagger = _train(plan, base, split, folder, on_progress)
        report = _finish(plan, store, base, split, flagger=flagger, tell=tell)
        with contextlib.suppress(TrainingError, OSError):  # the adapter is stored; old checkpoints only take space
            clear_checkpoints(folder)
            shutil.rmtree(folder.parent, ignore_errors=True)
        if found is None:
            return report
        notes = report.notes if plan.settings.max_minutes is None else (*report.notes, _RESUMED_WITH_A_BUDGET)
        return replace(report, resumed_from_step=checkpoint_step(found), notes=notes)


def resumed_step(plan: TrainingPlan, store: AdapterStore) -> int | None:
    """Return the step at which a killed training of the same plan would go on; None when there is none.

    Raises:
        AnnotationError, ModelError, TrainingError: the plan cannot be trained at all.
    """
    if not (store.root / CHECKPOINTS / plan.name).is_dir():
        return None
    split, base = split_for_training(plan), bases.load_training_base(plan.base)
    found = latest_checkpoint(_checkpoint_folder(plan, split, base, store))
    return checkpoint_step(found) if found else None


def _check_free(name: str, store: AdapterStore) -> None:
    check_name(name)
    free = store.free_name(name)
    if free != name:
        raise AdapterError(
            f"There is an adapter {name!r} already, and none is overwritten. Name it {free!r}, or delete the other one "
            "first."
        )


def _checkpoint_folder(plan: TrainingPlan, split: TrainingSplit, base: TrainingBase, store: AdapterStore) -> Path:
    return store.root / CHECKPOINTS / plan.name / plan_fingerprint(plan, split, base.sha256)[:16]


def _forget_others(folder: Path) -> None:
    """Remove what another training of the same name left: it will never be continued."""
    if folder.parent.is_dir():
        for path in folder.parent.iterdir():
            if path != folder and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def _train(
    plan: TrainingPlan, base: TrainingBase, split: TrainingSplit, folder: Path, on_progress: OnProgress | None
) -> TrainedFlagger:
    tell = on_progress or (lambda _progress: None)
    if base.kind == "encoder":
        return trainers.train_on_encoder(
            base, split, plan.settings, tell, folder, start_from=plan.start_from, half=plan.half
        )
    return language_model.train_on_language_model(base, split, plan.settings, tell, folder)


def _decide(plan: TrainingPlan, base: TrainingBase, split: TrainingSplit, scores: np.ndarray) -> Decision:
    """Words stand beside an encoder only: they travel in its head."""
    if base.kind != "encoder" or not plan.words:
        return decide(scores, split)
    words = words_of(plan.words_of, split.labels) if plan.words_of else fitted_words(split, plan.settings.seed)
    return decide(scores, split, words, plan.words_weight)


def _finish(
    plan: TrainingPlan,
    store: AdapterStore,
    base: TrainingBase,
    split: TrainingSplit,
    *,
    flagger: TrainedFlagger,
    tell: OnProgress,
) -> TrainingReport:
    """Fit the words, calibrate, measure and store."""
    trained = flagger.trained
    last = trained.history[-1] if trained.history else TrainingProgress("saving", trained.steps, 1.0)

    def share(done: float) -> None:
        tell(replace(last, stage="saving", fraction=min(done, 1.0), remaining_s=None, loss=None))

    share(0.0)
    decision = _decide(plan, base, split, trained.validation_scores)
    share(_DECIDED_SHARE)
    with tempfile.TemporaryDirectory(prefix="adapter-") as name:
        folder = Path(name)
        flagger.write(folder, decision)
        judged = _JUDGED_SHARE - _DECIDED_SHARE
        scores = flagger.judge(folder, split.test, lambda done: share(_DECIDED_SHARE + done * judged))
        encoder_folder = base.folder if base.kind == "encoder" else None
        baselines: dict[str, Figures] = {}
        notes: tuple[str, ...] = ()
        if plan.baselines:
            baselines, notes = measure_baselines(
                split,
                plan.keywords,
                encoder_folder,
                on_share=lambda done: share(_JUDGED_SHARE + done * (1 - _JUDGED_SHARE)),
            )
        found = measure_all(decision, split, trained.validation_scores, scores, baselines)
        manifest = _manifest(plan, base, split, trained, decision=decision, found=found)
        adapter_bytes = sum(path.stat().st_size for path in folder.iterdir())
        card = model_card(manifest, found, command=plan.command, licence=plan.licence, adapter_mb=adapter_bytes / 1e6)

        def write(target: Path) -> AdapterManifest:
            shutil.copytree(folder, target, dirs_exist_ok=True)
            (target / CARD_FILE).write_text(card, encoding="utf-8")
            return manifest

        stored = store.save(plan.name, write)
    share(1.0)
    return TrainingReport(
        adapter=stored,
        split=split,
        test=found.test,
        validation=found.validation,
        baselines=found.baselines,
        measured_on=found.measured_on,
        history=trained.history,
        base_id=base.id,
        base_sha256_before=trained.base_sha256_before,
        base_sha256_after=trained.base_sha256_after,
        base_bytes=base.size_bytes,
        adapter_bytes=stored.manifest.size_bytes,
        duration_s=trained.duration_s,
        stopped=trained.stopped,
        notes=(*split.notes, *trained.notes, *notes, *_too_short(plan, split, trained)),
    )


def _too_short(plan: TrainingPlan, split: TrainingSplit, trained: TrainedAdapter[Any]) -> tuple[str, ...]:
    """Say so when the time ended before much could be learnt: the figures are those of a beginning."""
    passes = trained.examples / len(split.train)
    # What was stopped by hand was not ended by the time.
    if trained.stopped or plan.settings.max_minutes is None or passes >= min(2.0, 0.9 * plan.settings.epochs):
        return ()
    return (
        f"The time budget ended the training after {passes:.1f} passes over the {len(split.train):,} clauses. Give it "
        "more minutes, or fewer clauses.",
    )


def _manifest(
    plan: TrainingPlan,
    base: TrainingBase,
    split: TrainingSplit,
    trained: TrainedAdapter[Any],
    *,
    decision: Decision,
    found: Findings,
) -> AdapterManifest:
    measured = found.test
    every = (*split.train, *split.validation, *split.test)
    intervals = {name: [e.low, e.high] for name, e in measured.estimates.items() if e is not None}
    return AdapterManifest(
        name=plan.name,
        task="clauses",
        base_kind=base.kind,
        base_id=base.id,
        base_sha256=base.sha256,
        labels=split.labels,
        data={
            "name": plan.data_name,
            "sha256": plan.annotations.sha256,
            **{f"{name}_sha256": given.sha256 for name, given in plan.held_out.items()},
            "examples": len(every),
            "contracts": contracts_of(every),
            **split.counts,
        },
        hyper_parameters={
            **asdict(plan.settings),
            "steps": trained.steps,
            "examples_seen": trained.examples,
            "stopped_early": trained.stopped,
            "processes": trained.processes,
            "words": decision.words is not None,
            **({} if decision.words is None else {"words_weight": plan.words_weight}),
        },
        seed=plan.settings.seed,
        metrics={
            "test": {name: measured.value(name) for name in measured.estimates},
            "test_intervals": intervals,
            "validation": found.validation,
            **({} if found.without_words is None else {"test_without_words": found.without_words}),
            "expected_calibration_error": measured.calibration_error,
            "measured_on": found.measured_on,
            "operating_points": [asdict(point) for point in measured.operating_points],
            "reliability": [asdict(part) for part in measured.reliability],
            "per_label": {
                row.label: {k: v for k, v in asdict(row).items() if k != "label"} for row in measured.per_label
            },
            "confusions": [asdict(pair) for pair in measured.confusions[:_MOST_CONFUSIONS_KEPT]],
            "baselines": {name: {key: figures[key] for key in FIGURES} for name, figures in found.baselines.items()},
            "calibration": asdict(decision.calibration) | {"thresholds": decision.thresholds.tolist()},
            "base_sha256_before": trained.base_sha256_before,
            "base_sha256_after": trained.base_sha256_after,
        },
        duration_s=trained.duration_s,
        created_at=machine.utc_now(),
        machine=machine.describe_machine().label,
        commit=machine.commit(),
    )
