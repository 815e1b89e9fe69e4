"""Progress reports of a training, a few times a second at most, and its clock."""

from __future__ import annotations

import math
import time

from playground.training.progress import OnProgress, Stage, TrainingProgress, TrainingStopped
from playground.training.state import LoopState

REPORT_EVERY_S = 0.25


def nothing_learnt(when: str) -> TrainingStopped:
    """Return what a training ends with that was stopped too early to keep anything."""
    return TrainingStopped(f"The training was stopped {when}, before anything was learnt; nothing was saved.")


class Reporter:
    """Tells ``on_progress`` how far the training is, and keeps its clock, which runs from when this is made."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._told_at = -math.inf
        self._told_step = 0
        self._started = time.perf_counter()
        self.earlier_s = 0.0
        self._trained_s = 0.0
        self._trained_examples = 0
        self.steps_per_epoch = 1
        self.heeds_stops = True
        """False for what has to be done after a stop was asked for; it is still reported."""

    @property
    def elapsed_s(self) -> float:
        """Seconds of this training, those before an interruption included."""
        return self.earlier_s + time.perf_counter() - self._started

    def restart_clock(self) -> None:
        """Count from now: what came before is no part of the training's time."""
        self._started = time.perf_counter()

    def go_on_from(self, state: LoopState) -> None:
        """Take over the clock of an interrupted training."""
        self.earlier_s = state.elapsed_s
        self._told_step = state.step

    def count(self, examples: int, duration_s: float) -> None:
        """Note a step for the rate, which leaves validation and loading out."""
        self._trained_examples += examples
        self._trained_s += duration_s

    def tell(self, stage: Stage, state: LoopState, fraction: float, *, force: bool = False) -> None:
        """Report, unless the last report was a moment ago, and keep the report in the state's history.

        Raises:
            TrainingStopped: the receiver wants the training to stop. Whoever has something to keep catches it.
        """
        now = time.perf_counter()
        if not (force or now - self._told_at >= REPORT_EVERY_S):
            return
        self._told_at = now
        recent = [point.loss for point in state.losses if point.step > self._told_step]
        self._told_step = state.step
        elapsed_s = self.elapsed_s
        progress = TrainingProgress(
            stage=stage,
            step=state.step,
            fraction=min(1.0, fraction),
            epoch=state.step / self.steps_per_epoch,
            examples=state.examples,
            loss=sum(recent) / len(recent) if recent else None,
            score=state.validations[-1].score if state.validations else None,
            best_score=state.best_score,
            examples_per_s=self._trained_examples / self._trained_s if self._trained_s else None,
            elapsed_s=elapsed_s,
            remaining_s=max(0.0, elapsed_s * (1 - fraction) / fraction) if fraction > 0 else None,
        )
        state.history.append(progress)
        if self._on_progress is not None and self._on_progress(progress) is False and self.heeds_stops:
            raise nothing_learnt("before its first step")
