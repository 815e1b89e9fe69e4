"""What a training leaves, whatever it was on: the best weights, and the account of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from playground.training.progress import TrainingProgress

if TYPE_CHECKING:
    import torch

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Mean loss of one step, before that step's update, and the rate of that update."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class ValidationPoint:
    """Mean loss of the validation data after ``step`` steps (0: the base), and the score by which the best is kept.

    ``loss`` is of the same kind as the training's. ``score`` is higher where it is better; None where not defined.
    """

    step: int
    loss: float
    score: float | None


@dataclass(frozen=True, slots=True)
class TrainedAdapter(Generic[Settings]):
    """The best LoRA weights of a training, and how it went.

    ``state`` maps PEFT's names to float32 tensors on the CPU, those of ``best_step``; ``best_score`` is theirs (None
    without validation data). ``lora_config`` is PEFT's own. ``base_sha256_before`` and ``base_sha256_after`` are over
    the base's tensors in memory, ``base_sha256`` over those in its files ("" where that was not asked). ``examples``
    counts repetitions, ``duration_s`` the time before an interruption too. ``processes`` took part in the last stretch.
    ``notes`` are sentences for the user; ``skipped`` examples were longer than the settings allow. Of a flagger also:
    its ``labels``, and the raw log-odds that the best weights give the validation clauses, float [clauses, labels].
    """

    settings: Settings
    state: Mapping[str, torch.Tensor]
    lora_config: Any
    losses: tuple[StepLoss, ...]
    validations: tuple[ValidationPoint, ...]
    history: tuple[TrainingProgress, ...]
    best_step: int
    best_score: float | None
    steps: int
    examples: int
    duration_s: float
    stopped: bool
    base_sha256_before: str
    base_sha256_after: str
    base_sha256: str = ""
    processes: int = 1
    skipped: int = 0
    skipped_validation: int = 0
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    validation_scores: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def base_unchanged(self) -> bool:
        """Whether the base's weights are the same bytes after the training as before."""
        return self.base_sha256_before == self.base_sha256_after

    @property
    def validation_loss(self) -> float | None:
        """That of the weights that were kept; None without validation data."""
        return next((point.loss for point in reversed(self.validations) if point.step == self.best_step), None)
