"""Progress reports of a language model's training, a few times a second at most."""

from __future__ import annotations

import math
import time

from playground.training.language_model.state import LoopState
from playground.training.progress import OnProgress, Stage, TrainingProgress

REPORT_EVERY_S = 0.25


class StopAsked(Exception):  # noqa: N818 - a request, not an error
    """``on_progress`` returned False."""


class Reporter:
    """Tells ``on_progress`` how far the training is, and keeps its clock."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._told_at = -math.inf
        self._told_step = 0
        self._started = time.perf_counter()
        self._earlier_s = 0.0
        self._trained_s = 0.0
        self._trained_examples = 0
        self.steps_per_epoch = 1
        self.heeds_stops = True
        """False for what has to be done after a stop was asked for; it is still reported."""

    @property
    def elapsed_s(self) -> float:
        """Seconds of this training, those before an interruption included."""
        return self._earlier_s + time.perf_counter() - self._started

    def go_on_from(self, state: LoopState) -> None:
        """Take over the clock of an interrupted training."""
        self._earlier_s = state.elapsed_s
        self._told_step = state.step

    def count(self, examples: int, duration_s: float) -> None:
        """Note a step for the rate, which leaves validation and loading out."""
        self._trained_examples += examples
        self._trained_s += duration_s

    def tell(self, stage: Stage, state: LoopState, fraction: float, *, force: bool = False) -> None:
        """Report, unless the last report was a moment ago.

        Raises:
            StopAsked: the receiver wants the training to stop.
        """
        now = time.perf_counter()
        if self._on_progress is None or not (force or now - self._told_at >= REPORT_EVERY_S):
            return
        self._told_at = now
        recent = [point.loss for point in state.losses if point.step > self._told_step]
        self._told_step = state.step
        elapsed_s = self.elapsed_s
        go_on = self._on_progress(
            TrainingProgress(
                stage=stage,
                step=state.step,
                fraction=min(1.0, fraction),
                epoch=state.step / self.steps_per_epoch,
                examples=state.examples,
                loss=sum(recent) / len(recent) if recent else None,
                score=math.exp(-state.validations[-1].loss) if state.validations else None,
                best_score=None if state.best_loss is None else math.exp(-state.best_loss),
                examples_per_s=self._trained_examples / self._trained_s if self._trained_s else None,
                elapsed_s=elapsed_s,
                remaining_s=elapsed_s * (1 - fraction) / fraction if fraction > 0 else None,
            )
        )
        if go_on is False and self.heeds_stops:
            raise StopAsked
