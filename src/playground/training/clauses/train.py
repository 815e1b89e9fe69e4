"""From a plan to an adapter in the store: train, calibrate, measure, save. Nothing is stored unless all worked."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
from playground.annotations.gold import gold_matrix
from playground.errors import AdapterError, TrainingError
from playground.flagging.calibration import Calibration, best_thresholds, fit_calibration
from playground.training.clauses import bases, language_model, trainers
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.card import model_card
from playground.training.clauses.measuring import (
    FIGURES,
    Figures,
    Measurement,
    figures_of,
    measure_baselines,
    measure_flagger,
)
from playground.training.clauses.plan import (
    TrainingPlan,
    TrainingSplit,
    contracts_of,
    plan_fingerprint,
    split_for_training,
)
from playground.training.clauses.trainers import TrainedFlagger
from playground.training.lock import is_main_process, training_lock
from playground.training.progress import OnProgress, TrainingProgress

CHECKPOINTS = ".checkpoints"
_MOST_CONFUSIONS_KEPT = 50
# The schedule follows the clock, and a checkpoint keeps the seconds used: what came after it was trained again.
_RESUMED_WITH_A_BUDGET = (
    "This training had a time budget and was interrupted: it went on with the minutes that its last checkpoint had "
    "left, so its result depends on them and is not quite that of a training without the interruption."
)
_JUDGED_SHARE = 0.6  # of the work after the training; the baselines are the rest


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
        found = latest_checkpoint(folder)
        trained = _train(plan, base, split, folder, on_progress)
        report = _finish(plan, store, base, split, trained=trained, tell=tell)
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
            if path != folder:
                shutil.rmtree(path, ignore_errors=True)


def _train(
    plan: TrainingPlan, base: TrainingBase, split: TrainingSplit, folder: Path, on_progress: OnProgress | None
) -> TrainedFlagger:
    train = trainers.train_on_encoder if base.kind == "encoder" else language_model.train_on_language_model
    return train(base, split, plan.settings, on_progress or (lambda _progress: None), folder)


def _finish(
    plan: TrainingPlan,
    store: AdapterStore,
    base: TrainingBase,
    split: TrainingSplit,
    *,
    trained: TrainedFlagger,
    tell: OnProgress,
) -> TrainingReport:
    """Calibrate, measure and store."""
    last = trained.history[-1] if trained.history else TrainingProgress("saving", trained.steps, 1.0)

    def share(done: float) -> None:
        tell(replace(last, stage="saving", fraction=min(done, 1.0), remaining_s=None, loss=None))

    share(0.0)
    validation_gold = gold_matrix(split.validation, split.labels)
    calibration = fit_calibration(trained.validation_scores, validation_gold)
    probabilities = calibration.probabilities(trained.validation_scores)
    thresholds = best_thresholds(probabilities, validation_gold)
    measured_on = _measured_on(split)
    with tempfile.TemporaryDirectory(prefix="adapter-") as name:
        folder = Path(name)
        trained.write(folder, calibration, thresholds)
        scores = trained.judge(folder, split.test, lambda done: share(done * _JUDGED_SHARE))
        measured = measure_flagger(calibration.probabilities(scores), thresholds, split.test, split.labels)
        encoder_folder = base.folder if base.kind == "encoder" else None
        baselines, notes = measure_baselines(
            split,
            plan.keywords,
            encoder_folder,
            on_share=lambda done: share(_JUDGED_SHARE + done * (1 - _JUDGED_SHARE)),
        )
        validation = figures_of(probabilities, thresholds, validation_gold)
        manifest = _manifest(
            plan,
            base,
            split,
            trained,
            measured=measured,
            validation=validation,
            baselines=baselines,
            measured_on=measured_on,
            calibration=calibration,
            thresholds=thresholds,
        )
        adapter_bytes = sum(path.stat().st_size for path in folder.iterdir())
        card = model_card(
            manifest,
            measured,
            baselines,
            measured_on=measured_on,
            command=plan.command,
            licence=plan.licence,
            adapter_mb=adapter_bytes / 1e6,
        )

        def write(target: Path) -> AdapterManifest:
            shutil.copytree(folder, target, dirs_exist_ok=True)
            (target / CARD_FILE).write_text(card, encoding="utf-8")
            return manifest

        stored = store.save(plan.name, write)
    share(1.0)
    return TrainingReport(
        adapter=stored,
        split=split,
        test=measured,
        validation=validation,
        baselines=baselines,
        measured_on=measured_on,
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


def _too_short(plan: TrainingPlan, split: TrainingSplit, trained: TrainedFlagger) -> tuple[str, ...]:
    """Say so when the time ended before much could be learnt: the figures are those of a beginning."""
    passes = trained.examples / len(split.train)
    if plan.settings.max_minutes is None or passes >= min(2.0, 0.9 * plan.settings.epochs):
        return ()
    return (
        f"The time budget ended the training after {passes:.1f} passes over the {len(split.train):,} clauses. Give it "
        "more minutes, or fewer clauses.",
    )


def _measured_on(split: TrainingSplit) -> str:
    return f"{len(split.test):,} clauses of {contracts_of(split.test)} contracts that were not trained on"


def _manifest(
    plan: TrainingPlan,
    base: TrainingBase,
    split: TrainingSplit,
    trained: TrainedFlagger,
    *,
    measured: Measurement,
    validation: Figures,
    baselines: Mapping[str, Figures],
    measured_on: str,
    calibration: Calibration,
    thresholds: np.ndarray,
) -> AdapterManifest:
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
        },
        seed=plan.settings.seed,
        metrics={
            "test": {name: measured.value(name) for name in measured.estimates},
            "test_intervals": intervals,
            "validation": validation,
            "measured_on": measured_on,
            "operating_points": [asdict(point) for point in measured.operating_points],
            "reliability": [asdict(part) for part in measured.reliability],
            "per_label": {
                row.label: {k: v for k, v in asdict(row).items() if k != "label"} for row in measured.per_label
            },
            "confusions": [asdict(pair) for pair in measured.confusions[:_MOST_CONFUSIONS_KEPT]],
            "baselines": {name: {key: figures[key] for key in FIGURES} for name, figures in baselines.items()},
            "calibration": asdict(calibration) | {"thresholds": thresholds.tolist()},
            "base_sha256_before": trained.base_sha256_before,
            "base_sha256_after": trained.base_sha256_after,
        },
        duration_s=trained.duration_s,
        created_at=machine.utc_now(),
        machine=machine.describe_machine().label,
        commit=machine.commit(),
    )
