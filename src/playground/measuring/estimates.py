"""From rows to figures: rates with their uncertainty, times, tokens and cost. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.types import RunRecord

_RESAMPLES = 10_000
_BOOTSTRAP_SEED = 20260101


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate in [0, 1] with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def proportion(successes: int, n: int) -> Estimate | None:
    """Return the share ``successes / n`` with the score interval of Wilson, 1927 (JASA 22); None when n is 0."""
    if n == 0:
        return None
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
    return Estimate(successes / n, float(interval.low), float(interval.high))


def balanced_accuracy(first: Sequence[bool], second: Sequence[bool]) -> Estimate | None:
    """Return the mean of the accuracies in two classes, one entry a question; None when a class is empty.

    The interval is the percentile bootstrap of Efron, 1979 (Annals of Statistics 7), resampled within each class, with
    a fixed seed. A class in which all entries are equal adds nothing to its width.
    """
    if not first or not second:
        return None
    import numpy as np

    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    rates = [sum(outcomes) / len(outcomes) for outcomes in (first, second)]
    # Drawing n outcomes with replacement and counting the right ones is a binomial draw.
    resampled = [
        generator.binomial(len(outcomes), rate, _RESAMPLES) / len(outcomes)
        for outcomes, rate in zip((first, second), rates, strict=True)
    ]
    low, high = np.percentile((resampled[0] + resampled[1]) / 2, [2.5, 97.5])
    return Estimate(sum(rates) / 2, float(low), float(high))


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """Return the median and the 95th percentile, interpolated linearly; None without values."""
    if not values:
        return None
    import numpy as np

    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean; None without values."""
    return sum(values) / len(values) if values else None


def total_cost_usd(costs: Iterable[float | None]) -> float | None:
    """Return the sum; None when a cost is not known, because a sum without it would be too low."""
    known = list(costs)
    return None if None in known else sum(cost for cost in known if cost is not None)


def resources_used(records: Sequence[RunRecord]) -> dict[str, object]:
    """Return times (``{"p50", "p95"}``), mean tokens per question and total cost of ``records``.

    A row that failed has no times and no tokens and is left out of those; ``cost_usd`` is null when the cost of any
    row is unknown. ``cached_tokens`` of the input tokens were reused from an earlier request.
    """
    predictions = [record.prediction for record in records if record.prediction is not None]
    usages = [prediction.usage for prediction in predictions if prediction.usage is not None]
    times = {
        name: percentiles([prediction.timings[name] for prediction in predictions if name in prediction.timings])
        for name in ("first_token_s", "total_s")
    }
    tokens = {
        name: mean([getattr(usage, name) for usage in usages])
        for name in ("input_tokens", "cached_tokens", "output_tokens")
    }
    return {**times, **tokens, "cost_usd": total_cost_usd(record.cost_usd for record in records)}
