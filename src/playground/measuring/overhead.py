"""How much time an evaluation takes beside the techniques that it measures."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from playground.measuring.evaluation import EvaluationPlan, evaluate_into
from playground.types import Example, Prediction, Strategy


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds of a whole evaluation, start and writing included, and those of them inside strategies."""

    total_s: float
    strategies_s: float
    rows: int

    @property
    def share(self) -> float:
        """Time outside strategies as a share of the time inside them."""
        return (self.total_s - self.strategies_s) / self.strategies_s if self.strategies_s else float("inf")


def measure_overhead(folder: Path, plan: EvaluationPlan) -> Overhead:
    """Evaluate ``plan`` into ``folder`` and return where the time went; its strategies are timed, not changed."""
    inside_s = [0.0]

    def timed(strategy: Strategy) -> Strategy:
        def answer(example: Example) -> Prediction:
            started = time.perf_counter()
            try:
                return strategy(example)
            finally:
                inside_s[0] += time.perf_counter() - started

        return answer

    watched = replace(plan, strategies={name: timed(strategy) for name, strategy in plan.strategies.items()})
    started = time.perf_counter()
    rows = sum(1 for _record in evaluate_into(folder, watched))
    return Overhead(time.perf_counter() - started, inside_s[0], rows)
