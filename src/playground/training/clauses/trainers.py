"""What training leaves, whichever base it was on, and the training of an encoder with a head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from playground.flagging import encoder
from playground.flagging.calibration import Calibration
from playground.flagging.head import load_head, save_head
from playground.training.clauses import encoder as lora_encoder
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.progress import OnProgress, TrainingProgress
from playground.types import AnnotatedClause

OnShare = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class TrainedFlagger:
    """A trained adapter that is not stored yet.

    ``validation_scores`` float [n_validation, labels] are raw log-odds. ``write`` puts the adapter's files into a
    folder, calibrated; ``judge`` reads them from there, as flagging will, and returns raw log-odds [clauses, labels].
    """

    validation_scores: np.ndarray
    write: Callable[[Path, Calibration, np.ndarray], None]
    judge: Callable[[Path, Sequence[AnnotatedClause], OnShare], np.ndarray]
    history: tuple[TrainingProgress, ...]
    best_score: float | None
    base_sha256_before: str
    base_sha256_after: str
    steps: int
    examples: int
    duration_s: float
    stopped: bool
    notes: tuple[str, ...] = ()
    processes: int = 1


def train_on_encoder(
    base: TrainingBase,
    split: TrainingSplit,
    settings: EncoderSettings,
    on_progress: OnProgress,
    checkpoint_folder: Path,
) -> TrainedFlagger:
    """Train LoRA branches and a head on an encoder; errors as for ``lora.encoder.train_encoder``."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # it would draw over ours
    trained = lora_encoder.train_encoder(
        base.folder,
        split.train,
        split.validation,
        split.labels,
        settings,
        on_progress=on_progress,
        checkpoint_folder=checkpoint_folder,
    )

    def write(folder: Path, calibration: Calibration, thresholds: np.ndarray) -> None:
        lora_encoder.save_encoder(trained, folder, base_id=base.id)
        save_head(replace(load_head(folder), calibration=calibration, thresholds=thresholds), folder)

    def judge(folder: Path, clauses: Sequence[AnnotatedClause], on_share: OnShare) -> np.ndarray:
        model = encoder.load_clause_encoder(base.folder, folder, model_id=base.id, adapter=folder.name)
        return model.logits(clauses, on_share)

    return TrainedFlagger(
        validation_scores=trained.validation_scores,
        write=write,
        judge=judge,
        history=trained.history,
        best_score=trained.best_score,
        base_sha256_before=trained.base_sha256_before,
        base_sha256_after=trained.base_sha256_after,
        steps=trained.steps,
        examples=trained.examples,
        duration_s=trained.duration_s,
        stopped=trained.stopped,
        processes=trained.processes,
    )
