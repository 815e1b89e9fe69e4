"""What training leaves, whichever base it was on, and the training of an encoder with a head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from playground.flagging import encoder
from playground.flagging.head import load_head, save_head
from playground.flagging.model import OnShare
from playground.training.clauses import encoder as encoder_training
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.decision import Decision
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.progress import OnProgress
from playground.training.trained import TrainedAdapter
from playground.types import AnnotatedClause


@dataclass(frozen=True, slots=True)
class TrainedFlagger:
    """A trained flagger that is not stored yet.

    ``write`` puts the adapter's files into a folder, with what a ``Decision`` says; ``judge`` reads them from there, as
    flagging will, and returns raw log-odds [clauses, labels], to which those of the words are still to be added.
    """

    trained: TrainedAdapter[Any]
    write: Callable[[Path, Decision], None]
    judge: Callable[[Path, Sequence[AnnotatedClause], OnShare], np.ndarray]


def train_on_encoder(
    base: TrainingBase,
    split: TrainingSplit,
    settings: EncoderSettings,
    on_progress: OnProgress,
    checkpoint_folder: Path,
    *,
    start_from: Path | None = None,
    half: bool = False,
) -> TrainedFlagger:
    """Train LoRA branches and a head on an encoder; errors as for ``train_encoder``.

    ``start_from`` as there; ``half`` keeps the branches in float16.
    """
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # it would draw over ours
    trained = encoder_training.train_encoder(
        base.folder,
        split,
        settings,
        on_progress=on_progress,
        checkpoint_folder=checkpoint_folder,
        start_from=start_from,
    )

    def write(folder: Path, decision: Decision) -> None:
        encoder_training.save_encoder(trained, folder, base_id=base.id, half=half)
        calibration, thresholds, words = decision.calibration, decision.thresholds, decision.words
        head = replace(load_head(folder), calibration=calibration, thresholds=thresholds, words=words)
        save_head(head, folder)

    def judge(folder: Path, clauses: Sequence[AnnotatedClause], on_share: OnShare) -> np.ndarray:
        model = encoder.load_clause_encoder(base.folder, folder, model_id=base.id, adapter=folder.name)
        return model.logits_without_words(clauses, on_share)

    return TrainedFlagger(trained, write, judge)
