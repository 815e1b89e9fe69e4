"""The loop of a language model's LoRA training: steps, validation, schedule, stopping, checkpoints, processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.errors import TrainingError
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
from playground.training.language_model.master_weights import MasterWeights
from playground.training.language_model.network import LoraNetwork, base_sha256, load_lora_network, tensors_sha256
from playground.training.language_model.reports import Reporter, StopAsked
from playground.training.language_model.state import (
    LoopState,
    as_record,
    fingerprint,
    restore_state,
    save_state,
    state_from,
)
from playground.training.language_model.trained import (
    LanguageModelSettings,
    StepLoss,
    TrainedLanguageModel,
    ValidationLoss,
)
from playground.training.processes import Processes
from playground.training.progress import FEWEST_STEPS, OnProgress, TrainingStopped

if TYPE_CHECKING:
    import torch


def run(
    base_folder: Path,
    train: Sequence[PackedCompletions],
    validation: Sequence[PackedCompletions],
    settings: LanguageModelSettings,
    *,
    on_progress: OnProgress | None,
    checkpoint_folder: Path | None,
    resume: bool,
    base_id: str,
    skipped: tuple[int, int],
    notes: tuple[str, ...],
) -> TrainedLanguageModel:
    """Train; see ``train_language_model``, which checks the input first."""

    processes = Processes()
    reporter = Reporter(on_progress if processes.is_main else None)
    try:
        reporter.tell("preparing", LoopState(), 0.0, force=True)
        network = load_lora_network(
            base_folder,
            processes.device,
            rank=settings.rank,
            alpha=settings.alpha,
            frozen_layers=settings.frozen_layers,
            precision=settings.precision,
        )
        sha256 = base_sha256(base_folder)
        before = tensors_sha256(network.base_tensors.items())
        training = _Training(processes, reporter, network, settings, train=train, validation=validation)
        mark = fingerprint(settings, sha256, train, validation)
        training.begin(checkpoint_folder, mark, resume=resume)
        best, stopped = training.loop()
        after = tensors_sha256(network.base_tensors.items())
    except StopAsked as asked:
        when = str(asked) or "before its first step"
        raise TrainingStopped(
            f"The training was stopped {when}, before anything was learnt; nothing was saved."
        ) from None
    state = training.state
    return TrainedLanguageModel(
        state={name: tensor.numpy().copy() for name, tensor in training.masters.named(best.cpu()).items()},
        settings=settings,
        base_id=base_id,
        base_sha256=sha256,
        base_sha256_before=before,
        base_sha256_after=after,
        target_modules=network.target_modules,
        layers=network.layers,
        losses=tuple(state.losses),
        validations=tuple(state.validations),
        best_step=state.best_step,
        validation_loss=state.best_loss,
        steps=state.step,
        examples=state.examples,
        skipped=skipped[0],
        skipped_validation=skipped[1],
        duration_s=state.elapsed_s,
        stopped=stopped,
        notes=notes,
        processes=processes.count,
    )


def learning_rate(settings: LanguageModelSettings, fraction: float, next_fraction: float) -> float:
    """Return the rate of the step that takes the run from ``fraction`` to ``next_fraction``.

    It rises in a line over the warm-up, never from exactly zero, and falls to zero at the end.
    """
    if next_fraction < settings.warmup:
        return settings.learning_rate * next_fraction / settings.warmup
    rest = min(1.0, max(0.0, (fraction - settings.warmup) / (1 - settings.warmup)))
    share = 1 - rest if settings.decay == "linear" else (1 + math.cos(math.pi * rest)) / 2
    return settings.learning_rate * share


class _Training:
    """The objects of one training. Every process holds the same weights and takes the same decisions."""

    def __init__(
        self,
        processes: Processes,
        reporter: Reporter,
        network: LoraNetwork,
        settings: LanguageModelSettings,
        *,
        train: Sequence[PackedCompletions],
        validation: Sequence[PackedCompletions],
    ) -> None:
        self._processes = processes
        self._network = network
        self._train, self._validation = train, validation
        self._settings = settings
        self._reporter = reporter
        self._lengths = [row.tokens for row in train]
        self._step_rows = rows_per_step(train, settings.batch_examples)
        self._steps_per_epoch = steps_per_epoch(len(train), self._step_rows)
        self._total_steps = self._steps_per_epoch * settings.epochs
        self._validation_s = 0.0
        self._saved_at_s = 0.0
        self._checkpoint_folder: Path | None = None
        self._mark = ""
        self._epoch_held = -1
        self._epoch_order: list[NDArray[np.int64]] = []
        self.masters = MasterWeights(network.parameters)
        self.state = LoopState()
        reporter.steps_per_epoch = self._steps_per_epoch

    def begin(self, checkpoint_folder: Path | None, mark: str, *, resume: bool) -> None:
        """Start afresh, or from the newest checkpoint of the same training.

        The main process reads, and hands on what it read: others may be on a machine that does not see the folder.
        """
        self._checkpoint_folder, self._mark = checkpoint_folder, mark
        self.masters.initialise(self._settings.seed)
        found = None
        if checkpoint_folder is not None and self._processes.is_main:
            found = restore_state(checkpoint_folder, mark if resume else "")
        record = self._processes.from_main(None if found is None else as_record(found[0]))
        if record is not None:
            tensors = self.masters.state() | ({"best": self.masters.copy()} if record["has_best"] else {})
            if found is not None:
                tensors = found[1] | ({} if found[0].best is None else {"best": found[0].best})
            tensors = self._processes.tensors_from_main(tensors)
            self.state = state_from(record, tensors.pop("best", None))
            self.masters.restore(tensors)
            self._reporter.go_on_from(self.state)
            self._saved_at_s = self.state.elapsed_s
        elif self._validation and self._validate(0.0):  # what the base makes of the task, to compare with
            raise StopAsked

    def loop(self) -> tuple[torch.Tensor, bool]:
        """Train to the end of the schedule or until stopped; return the weights to keep and whether it was stopped.

        Raises:
            StopAsked: stopped before there was anything to keep.
            TrainingError: the loss is no number.
        """
        stopped = False
        while not stopped and self.state.step < self._total_steps:
            fraction = self._processes.from_main(self._fraction())
            if fraction >= 1:
                break
            stopped = self._processes.any(self._asked_to_stop_in(self._step, fraction))
            fraction = self._processes.from_main(self._fraction())
            due = int(fraction / self._settings.validation_every + 1e-9)
            # The last one comes after the loop.
            if not stopped and self._validation and due > self.state.validated and fraction < 1:
                self.state.validated = due
                stopped = self._validate(fraction)
            self.state.elapsed_s = self._reporter.elapsed_s
            if not stopped:
                self._save_now_and_then()
        if not stopped and self._validation and self.state.step > self._last_validated():
            stopped = self._validate(1.0)
        if stopped and self._validation and self.state.best is None and self.state.step >= FEWEST_STEPS:
            # Stopped before the first validation: what was learnt is validated once and kept.
            self._reporter.heeds_stops = False
            self._validate(self._processes.from_main(self._fraction()))
        if not self._validation and self.state.step:
            self.state.best, self.state.best_step = self.masters.copy(), self.state.step
        self.state.elapsed_s = self._reporter.elapsed_s
        if self.state.best is None:
            if not stopped:
                raise TrainingError(
                    "The time was over before the first step. Allow more minutes, or use fewer validation examples."
                )
            raise StopAsked(f"after {self.state.step} of its steps" if self.state.step else "")
        if not stopped:
            self._save()
        return self.state.best, stopped

    def _asked_to_stop_in(self, act: Callable[[float], None], fraction: float) -> bool:
        try:
            act(fraction)
        except StopAsked:
            return True
        return False

    def _step(self, fraction: float) -> None:
        """One step over all processes: each takes its share of the examples."""
        import torch

        started = time.perf_counter()
        state, settings = self.state, self._settings
        epoch, at = divmod(state.step, self._steps_per_epoch)
        chosen = self._epoch(epoch)[at]
        rows = sorted((self._train[index] for index in chosen), key=lambda row: row.tokens)
        share = rows[self._processes.index :: self._processes.count]
        # Divided by the tokens of all processes, so that the sum over them is the mean over the step.
        tokens, examples = completion_tokens(rows), examples_in(rows)
        loss = torch.zeros((), device=self._processes.device)
        for number, group in enumerate(split_by_tokens(share, settings.batch_tokens)):
            if number and self._processes.count == 1:
                try:
                    self._reporter.tell("training", state, self._fraction())
                except StopAsked:
                    self.masters.discard_gradients()
                    raise
            part = self._token_losses(group).sum() / tokens
            part.backward()  # type: ignore[no-untyped-call]
            self.masters.collect_gradients()
            loss += part.detach()
        mean = float(self._processes.total(loss))
        if not math.isfinite(mean):
            raise self._not_a_number()
        rate = learning_rate(settings, fraction, max(fraction, (state.step + 1) / self._total_steps))
        self.masters.step(rate, self._processes.total)
        state.step += 1
        state.examples += examples
        state.losses.append(StepLoss(state.step, mean, rate))
        self._reporter.count(examples, time.perf_counter() - started)
        self._reporter.tell("training", state, self._fraction())

    def _epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        if epoch != self._epoch_held:
            self._epoch_order = epoch_steps(self._lengths, self._step_rows, self._settings.seed, epoch)
            self._epoch_held = epoch
        return self._epoch_order

    def _token_losses(self, group: Sequence[PackedCompletions]) -> torch.Tensor:
        return self._network.token_losses(to_batch(group), self._processes.device)

    def _validate(self, fraction: float) -> bool:
        """Validate in the main process and keep the weights where they are the best; return whether to stop.

        Raises:
            TrainingError: the loss is no number.
        """
        started, loss = time.perf_counter(), 0.0

        def measure(fraction: float) -> None:
            nonlocal loss
            loss = self._validation_loss(fraction)

        asked = self._processes.is_main and self._asked_to_stop_in(measure, fraction)
        if self._processes.any(asked):
            return True
        loss = float(self._processes.from_main(loss))
        if not math.isfinite(loss):
            raise self._not_a_number()
        state = self.state
        state.validations.append(ValidationLoss(state.step, loss))
        if state.step and (state.best_loss is None or loss < state.best_loss):
            state.best, state.best_step, state.best_loss = self.masters.copy(), state.step, loss
        self._validation_s = time.perf_counter() - started
        return self._processes.any(
            self._asked_to_stop_in(lambda at: self._reporter.tell("validating", state, at, force=True), fraction)
        )

    def _validation_loss(self, fraction: float) -> float:
        import torch

        total = 0.0
        for group in split_by_tokens(self._validation, self._settings.batch_tokens):
            self._reporter.tell("validating", self.state, fraction)
            with torch.no_grad():
                total += float(self._token_losses(group).double().sum())
        return total / completion_tokens(self._validation)

    def _not_a_number(self) -> TrainingError:
        return TrainingError(
            f"The loss is no number any more after step {self.state.step}. Train again with a lower learning rate "
            f"(it was {self._settings.learning_rate:g}), a longer warm-up or float32 precision."
        )

    def _last_validated(self) -> int:
        return self.state.validations[-1].step if self.state.validations else -1

    def _fraction(self) -> float:
        """Return how much of the schedule is over, with the last validation's time kept back from the budget."""
        share = self.state.step / self._total_steps
        if self._settings.max_minutes is None:
            return share
        budget_s = 60 * self._settings.max_minutes
        return max(share, min(1.0, (self._reporter.elapsed_s + self._validation_s) / budget_s))

    def _save_now_and_then(self) -> None:
        if self.state.elapsed_s - self._saved_at_s >= self._settings.checkpoint_every_s:
            self._save()

    def _save(self) -> None:
        self._saved_at_s = self.state.elapsed_s
        if self._checkpoint_folder is not None and self._processes.is_main:
            save_state(self._checkpoint_folder, self.state, self.masters.state(), self._mark)
