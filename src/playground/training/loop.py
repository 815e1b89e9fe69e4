"""The loop of every LoRA training: steps, schedule, validation, the best weights, stopping, checkpoints, processes.

An encoder and a language model differ in what a batch is, in the loss of a batch and in what validation gives: see
``TrainingTask``. Several processes (``accelerate launch -m playground train ...``, see docs/training.md) share every
step: each takes its part of the batches and the gradients are added up. All hold the same weights and take
the same decisions; only the main process reports and saves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from playground.errors import TrainingError
from playground.training.master_weights import MasterWeights
from playground.training.processes import Processes
from playground.training.progress import FEWEST_STEPS, Stage, TrainingStopped
from playground.training.reports import Reporter, nothing_learnt
from playground.training.state import LoopState, read_state, save_state, state_from
from playground.training.trained import Settings, StepLoss, TrainedAdapter, ValidationPoint

if TYPE_CHECKING:
    import torch

Part = TypeVar("Part")
Decay = Literal["linear", "cosine"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long is trained, at which rates, how often validated and saved.

    Attributes:
        epochs: passes over the examples; the schedule ends with them. With 0 the first weights are kept.
        max_minutes: ends it earlier, within a step, the last validation included; counted from the first step, None for
            no limit.
        warmup: share of the run in which the learning rate rises from zero, in [0, 1).
        decay: how it falls afterwards.
        lowest: share of the highest rate below which it never is.
        validation_every: share of the run between validations, in (0, 1].
        validates_base: whether the base is validated before the first step, to compare with.
        checkpoint_every_s: seconds between checkpoints.
        fewest_steps: a training without validation data that is stopped after fewer leaves nothing.
        whole_pass: whether ``max_minutes`` waits for the end of the first pass over the examples.
    """

    epochs: float
    max_minutes: float | None
    warmup: float
    decay: Decay
    validation_every: float
    checkpoint_every_s: float
    lowest: float = 0.0
    validates_base: bool = False
    fewest_steps: int = 1
    whole_pass: bool = False

    def rate_share(self, fraction: float, next_fraction: float) -> float:
        """Return the rate, as a share of the highest, of the step from ``fraction`` to ``next_fraction`` of the run.

        It rises in a line over the warm-up, never from exactly zero, and falls to ``lowest`` at the end.
        """
        if next_fraction < self.warmup:
            return max(self.lowest, next_fraction / self.warmup)
        rest = min(1.0, max(0.0, (fraction - self.warmup) / (1 - self.warmup)))
        return max(self.lowest, 1 - rest if self.decay == "linear" else (1 + math.cos(math.pi * rest)) / 2)


@dataclass(frozen=True, slots=True)
class StepBatches(Generic[Part]):
    """What this process reads in one step, in parts that go through the network one after the other.

    ``examples`` counts those of all processes.
    """

    parts: Sequence[Part]
    examples: int


@dataclass(frozen=True, slots=True)
class Validated:
    """Loss and score of the validation data under the present weights; ``outputs`` are kept with the best weights."""

    loss: float
    score: float | None
    outputs: torch.Tensor | None = None


class TrainingTask(Protocol[Part]):
    """What the loop does not know: batches, their loss, the validation, and the weights."""

    @property
    def weights(self) -> MasterWeights: ...

    @property
    def steps_per_epoch(self) -> int: ...

    @property
    def validates(self) -> bool:
        """Whether there is validation data."""
        ...

    def begin(self) -> None:
        """Set the first weights."""
        ...

    def batches(self, step: int) -> StepBatches[Part]:
        """Return the batches of a step, decided by the seed and ``step`` alone; called with steps that only rise."""
        ...

    def loss(self, part: Part) -> torch.Tensor:
        """Return a part's share of the step's loss: the sum over parts and processes is the loss of the step."""
        ...

    def validate(self, between: Callable[[], None]) -> Validated:
        """Return the same in every process; ``between`` is called now and then and may raise."""
        ...


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The weights to keep, flat and on the CPU, where the loop ended, and whether it was stopped."""

    best: torch.Tensor
    state: LoopState
    stopped: bool

    def account(
        self,
        weights: MasterWeights,
        settings: Settings,
        *,
        lora_config: Any,
        base_sha256_before: str,
        base_sha256_after: str,
        base_sha256: str = "",
        processes: int,
    ) -> TrainedAdapter[Settings]:
        """Return the best of ``weights`` and how the training went; what is not the loop's is given."""
        state = self.state
        return TrainedAdapter(
            settings=settings,
            state={name: value.clone() for name, value in weights.named(self.best).items()},
            lora_config=lora_config,
            losses=tuple(state.losses),
            validations=tuple(state.validations),
            history=tuple(state.history),
            best_step=state.best_step,
            best_score=state.best_score,
            steps=state.step,
            examples=state.examples,
            duration_s=state.elapsed_s,
            stopped=self.stopped,
            base_sha256_before=base_sha256_before,
            base_sha256_after=base_sha256_after,
            base_sha256=base_sha256,
            processes=processes,
        )


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where they lie (None: nowhere), what a training must be to go on from one, and whether it should."""

    folder: Path | None
    fingerprint: str
    resume: bool = True


class TrainingLoop(Generic[Part]):
    """One training. Made with everything loaded; ``run`` is called once."""

    def __init__(
        self,
        task: TrainingTask[Part],
        schedule: Schedule,
        checkpoints: Checkpoints,
        reporter: Reporter,
        processes: Processes,
    ) -> None:
        self._task, self._schedule, self._checkpoints = task, schedule, checkpoints
        self._reporter, self._processes = reporter, processes
        self._total_steps = math.ceil(task.steps_per_epoch * schedule.epochs)
        self._validation_s = 0.0
        self._saved_at_s = 0.0
        self._state = LoopState()
        reporter.steps_per_epoch = task.steps_per_epoch

    def run(self) -> LoopResult:
        """Train to the end of the schedule or until stopped.

        Raises:
            TrainingStopped: stopped before there was anything to keep.
            TrainingError: the loss is no number, the time was over before the first step, or a checkpoint cannot be
                written.
        """
        self._begin()
        # Whatever was loaded or validated before is no part of the time that was given.
        self._reporter.restart_clock()
        self._state.elapsed_s = self._reporter.earlier_s
        task, state, stopped = self._task, self._state, False
        while not stopped and state.step < self._total_steps:
            fraction = self._fraction()
            if fraction >= 1:
                break
            stopped = self._step(fraction)
            fraction = self._fraction()
            due = int(fraction / self._schedule.validation_every + 1e-9)
            # The last one comes after the loop.
            if not stopped and task.validates and due > state.validated and fraction < 1:
                state.validated = due
                stopped = self._validate(fraction)
            if not stopped and state.elapsed_s - self._saved_at_s >= self._schedule.checkpoint_every_s:
                self._save()
        if not stopped and task.validates and state.step > self._last_validated():
            stopped = self._validate(1.0)
        if stopped and task.validates and state.best is None and state.step >= FEWEST_STEPS:
            # Stopped before the first validation: what was learnt is validated once and kept.
            self._reporter.heeds_stops = False
            self._validate(self._fraction())
        if not task.validates and self._has_learnt and (not stopped or state.step >= self._schedule.fewest_steps):
            state.best, state.best_step = task.weights.copy(), state.step
        if state.best is None:
            if not stopped:
                raise TrainingError(
                    "The time was over before the first step. Allow more minutes, or use fewer validation examples."
                )
            raise nothing_learnt(f"after {state.step} of its steps" if state.step else "before its first step")
        if not stopped:
            self._save()
        return LoopResult(state.best.cpu(), state, stopped)

    def _begin(self) -> None:
        """Start afresh, or from the newest checkpoint of the same training.

        The main process reads, and hands on what it read: others may be on a machine that does not see the folder.
        """
        place, saved = self._checkpoints, None
        if place.folder is not None and self._processes.is_main:
            saved = read_state(place.folder, place.fingerprint if place.resume else "")
        saved = self._processes.from_main(saved)
        if saved is not None:
            self._state, weights = state_from(saved)
            self._task.weights.restore(weights)
            self._reporter.go_on_from(self._state)
            self._saved_at_s = self._state.elapsed_s
            self._agree(asked=False)
            return
        self._task.begin()
        if self._schedule.validates_base and self._task.validates and self._validate(0.0):
            raise nothing_learnt("before its first step")
        self._agree(asked=False)

    def _step(self, fraction: float) -> bool:
        """Take one step over all processes, each with its share of the examples; return whether to stop."""
        import torch

        started = time.perf_counter()
        state, weights = self._state, self._task.weights
        batches = self._task.batches(state.step)
        loss = torch.zeros((), device=self._processes.device)
        for number, part in enumerate(batches.parts):
            if number and self._processes.count == 1 and self._is_asked_to_stop("training", self._live_fraction()):
                weights.discard_gradients()
                return True
            share = self._task.loss(part)
            share.backward()  # type: ignore[no-untyped-call]
            weights.collect_gradients()
            loss += share.detach()
        mean = float(self._processes.total(loss))
        if not math.isfinite(mean):
            raise self._not_a_number()
        rate = self._schedule.rate_share(fraction, max(fraction, (state.step + 1) / self._total_steps))
        weights.step(rate, self._processes.total)
        state.step += 1
        state.examples += batches.examples
        state.losses.append(StepLoss(state.step, mean, weights.learning_rate * rate))
        self._reporter.count(batches.examples, time.perf_counter() - started)
        return self._agree(self._is_asked_to_stop("training", self._live_fraction()))

    def _validate(self, fraction: float) -> bool:
        """Validate, and keep the weights where they are the best; return whether to stop.

        Raises:
            TrainingError: the loss is no number.
        """
        started, state = time.perf_counter(), self._state

        def between() -> None:
            if self._processes.count == 1:  # several agree on a stop when the validation is over
                self._reporter.tell("validating", state, fraction)

        try:
            found = self._task.validate(between)
        except TrainingStopped:
            return True
        if not math.isfinite(found.loss):
            raise self._not_a_number()
        state.validations.append(ValidationPoint(state.step, found.loss, found.score))
        is_better = state.best is None or (found.score or 0.0) > (state.best_score or 0.0)
        if self._has_learnt and is_better:
            state.best, state.best_step, state.best_score = self._task.weights.copy(), state.step, found.score
            state.best_outputs = found.outputs
        self._validation_s = time.perf_counter() - started
        return self._agree(self._is_asked_to_stop("validating", fraction, force=True))

    @property
    def _has_learnt(self) -> bool:
        """Whether the weights are more than the base's: trained here, or given where nothing is to be trained."""
        return self._state.step > 0 or not self._total_steps

    def _is_asked_to_stop(self, stage: Stage, fraction: float, *, force: bool = False) -> bool:
        try:
            self._reporter.tell(stage, self._state, fraction, force=force)
        except TrainingStopped:
            return True
        return False

    def _agree(self, asked: bool) -> bool:
        """Return whether any process was asked to stop, and let all agree on the time: none may wait for another.

        Every process comes here equally often, whatever its own clock says: a message that one of them does not send
        would be taken for the next one.
        """
        self._state.elapsed_s = self._reporter.elapsed_s
        if self._processes.count == 1:
            return asked
        import torch

        own = torch.tensor([float(asked), self._state.elapsed_s, self._validation_s], device=self._processes.device)
        votes, elapsed_s, validation_s = self._processes.total(own).tolist()
        self._state.elapsed_s = elapsed_s / self._processes.count
        self._validation_s = validation_s / self._processes.count
        return bool(votes)

    def _not_a_number(self) -> TrainingError:
        return TrainingError(
            f"The loss is no number any more after step {self._state.step}. Train again with a lower learning rate (it "
            f"was {self._task.weights.learning_rate:g})."
        )

    def _last_validated(self) -> int:
        return self._state.validations[-1].step if self._state.validations else -1

    def _fraction(self) -> float:
        """Return how much of the schedule is over by the agreed clock, the last validation's time kept back."""
        return self._fraction_at(self._state.elapsed_s)

    def _live_fraction(self) -> float:
        return self._fraction_at(self._reporter.elapsed_s)

    def _fraction_at(self, elapsed_s: float) -> float:
        share = self._state.step / self._total_steps if self._total_steps else 1.0
        if self._schedule.max_minutes is None:
            return share
        spent = min(1.0, (elapsed_s + self._validation_s) / (60 * self._schedule.max_minutes))
        if self._schedule.whole_pass:
            # Before everything was seen once, the rates fall as the pass goes on and not as the time does.
            spent = min(spent, self._state.step / min(self._task.steps_per_epoch, max(1, self._total_steps)))
        return max(share, spent)

    def _save(self) -> None:
        self._saved_at_s = self._state.elapsed_s
        if self._checkpoints.folder is not None and self._processes.is_main:
            save_state(self._checkpoints.folder, self._state, self._task.weights.state(), self._checkpoints.fingerprint)
