"""What the loop needs to know of a language model: rows of completions, and the cross-entropy of their tokens."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.training.language_model.batches import (
    completion_tokens,
    epoch_steps,
    examples_in,
    rows_per_step,
    split_by_tokens,
    steps_per_epoch,
    to_batch,
)
from playground.training.language_model.completions import PackedCompletions
from playground.training.language_model.network import LoraNetwork
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.loop import StepBatches, Validated
from playground.training.master_weights import MasterWeights, WeightGroup
from playground.training.processes import Processes

if TYPE_CHECKING:
    import torch

Rows = tuple[PackedCompletions, ...]
# Settings that a training may be continued with other values of: they change its pace, not its arithmetic.
_FREE_SETTINGS = ("max_minutes", "checkpoint_every_s")


class LanguageModelTask:
    """A ``TrainingTask``. A step of several processes adds up to that of one, up to the order of additions."""

    def __init__(
        self,
        train: Sequence[PackedCompletions],
        validation: Sequence[PackedCompletions],
        settings: LanguageModelSettings,
        network: LoraNetwork,
        processes: Processes,
    ) -> None:
        self._train, self._validation, self._settings = train, validation, settings
        self._network, self._processes = network, processes
        self._lengths = [row.tokens for row in train]
        self._step_rows = rows_per_step(train, settings.batch_examples)
        self._epoch_held = -1
        self._epoch_order: list[NDArray[np.int64]] = []
        self._step_tokens = 1
        self.weights = MasterWeights([WeightGroup(network.parameters, settings.learning_rate)])

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every row is seen once."""
        return steps_per_epoch(len(self._train), self._step_rows)

    @property
    def validates(self) -> bool:
        """Whether there are validation examples."""
        return bool(self._validation)

    def begin(self) -> None:
        """Set LoRA's first weights by the seed."""
        self.weights.initialise(self._settings.seed)

    def batches(self, step: int) -> StepBatches[Rows]:
        """Return this process's rows of a step in groups that go through the network at once."""
        epoch, at = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch_held:
            self._epoch_order = epoch_steps(self._lengths, self._step_rows, self._settings.seed, epoch)
            self._epoch_held = epoch
        rows = sorted((self._train[index] for index in self._epoch_order[at]), key=lambda row: row.tokens)
        # Divided by the tokens of all processes, so that the sum over them is the mean over the step.
        self._step_tokens = completion_tokens(rows)
        share = rows[self._processes.index :: self._processes.count]
        return StepBatches(split_by_tokens(share, self._settings.batch_tokens), examples_in(rows))

    def loss(self, part: Rows) -> torch.Tensor:
        """Return the part's share of the mean cross-entropy (nats) of the step's completion tokens."""
        return self._token_losses(part).sum() / self._step_tokens

    def validate(self, between: Callable[[], None]) -> Validated:
        """Return the mean cross-entropy (nats) of the completions' tokens and their mean probability (geometric)."""
        import torch

        total = 0.0
        groups = split_by_tokens(self._validation, self._settings.batch_tokens)
        for group in groups[self._processes.index :: self._processes.count]:
            between()
            with torch.no_grad():
                total += float(self._token_losses(group).double().sum())
        summed = self._processes.total(torch.tensor(total, dtype=torch.float64, device=self._processes.device))
        loss = float(summed) / completion_tokens(self._validation)
        return Validated(loss, math.exp(-loss))

    def _token_losses(self, group: Rows) -> torch.Tensor:
        return self._network.token_losses(to_batch(group), self._processes.device)


def fingerprint(
    settings: LanguageModelSettings,
    base_sha256: str,
    train: Iterable[PackedCompletions],
    validation: Iterable[PackedCompletions],
) -> str:
    """Return the hex SHA-256 of what a checkpoint must have been made from to be continued."""
    fixed = {name: value for name, value in asdict(settings).items() if name not in _FREE_SETTINGS}
    digest = hashlib.sha256(json.dumps([fixed, base_sha256], sort_keys=True).encode())
    for part in (train, validation):
        digest.update(b"part")
        for row in part:
            digest.update(repr((row.prefix, [(rest.completion_start, rest.ids) for rest in row.rests])).encode())
    return digest.hexdigest()
