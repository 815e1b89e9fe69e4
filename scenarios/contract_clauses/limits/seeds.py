"""What experiments that train have in common: their examples are seeds, and a figure is the mean over them."""

from __future__ import annotations

from collections.abc import Sequence

from playground.errors import EvaluationError
from playground.limits.experiment import LimitRequest
from playground.measuring.estimates import Estimate
from playground.text.counting import counted
from playground.types import Example


def wanted_conditions(request: LimitRequest, conditions: Sequence[str]) -> Sequence[str]:
    """Return the conditions that are asked for, or all.

    Raises:
        EvaluationError: one is not known.
    """
    names = request.size.conditions or conditions
    if unknown := [name for name in names if name not in conditions]:
        known = "; ".join(conditions)
        raise EvaluationError(f"There is no condition {unknown[0][:60]!r}. Use one or more of: {known}.")
    return names


def seed_examples(request: LimitRequest) -> list[Example]:
    """Return an example a seed, from the request's seed on."""
    seeds = range(request.seed, request.seed + request.size.examples)
    return [Example(f"seed {seed}", f"seed {seed}", "", {"seed": seed}) for seed in seeds]


def seed_of(example: Example) -> int:
    """Return the seed that an example stands for."""
    return int(str(example.metadata["seed"]))


def mean(scores: Sequence[float]) -> float:
    """Return the mean of one score at least."""
    return sum(scores) / len(scores)


def over_seeds(scores: Sequence[float]) -> Estimate:
    """Return the mean with the lowest and highest in the place of an interval; ``bands_line`` says so."""
    return Estimate(mean(scores), min(scores), max(scores))


def bands_line(seeds: int) -> str:
    """Return what the bands of the chart are."""
    return f"Bands are the lowest and highest of {counted(seeds, 'seed')}, not 95 % intervals."
