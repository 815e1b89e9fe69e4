"""How an encoder is trained: every choice that changes the result, in one place that a manifest can hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Hyper-parameters of LoRA on an encoder; the defaults suit a few hundred to a few thousand clauses.

    Attributes:
        rank: of each low-rank branch.
        alpha: scale of the branches is alpha / rank.
        learning_rate: of the branches, at its highest.
        head_learning_rate: of the linear head, at its highest.
        epochs: passes over the training clauses; the schedule ends with them.
        max_minutes: ends the schedule earlier; None for no limit.
        window_tokens: neighbours of one contract are read together in windows of so many tokens; 0 reads every clause
            alone, its heading in front.
        negative_share: share of the windows without any label that is drawn for each epoch, in (0, 1].
        added_passes: so many times an epoch reads each clause that was added to the main data, with or without a label.
        frozen_layers: so many lowest layers get no branches.
        batch_tokens: tokens a step, padding included.
        validations: how often the validation score is taken; the best weights are kept.
        seed: of everything that is drawn.
    """

    rank: int = 16
    alpha: float = 16.0
    learning_rate: float = 1e-3
    head_learning_rate: float = 1e-2
    epochs: float = 6.0
    max_minutes: float | None = None
    window_tokens: int = 0
    negative_share: float = 1.0
    added_passes: int = 1
    frozen_layers: int = 0
    batch_tokens: int = 512
    validations: int = 6
    seed: int = 0
