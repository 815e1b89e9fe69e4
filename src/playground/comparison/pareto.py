"""Which techniques no other one beats in both cost and accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(costs: Sequence[float | None], accuracies: Sequence[float | None]) -> tuple[int, ...]:
    """Return the places of the techniques on the Pareto front, from the cheapest to the dearest.

    A technique is on it when no other one is at least as cheap and at least as accurate, and better in one of the two.
    Equal ones are on it together. Where cost or accuracy is not known (None, NaN) a technique is left out.

    Raises:
        ValueError: the two have different lengths.
    """
    known = [
        (cost, -accuracy, place)
        for place, (cost, accuracy) in enumerate(zip(costs, accuracies, strict=True))
        if cost is not None and accuracy is not None and not math.isnan(cost) and not math.isnan(accuracy)
    ]
    front: list[tuple[float, float, int]] = []
    for cost, minus_accuracy, place in sorted(known):
        if not front or minus_accuracy < front[-1][1] or (cost, minus_accuracy) == front[-1][:2]:
            front.append((cost, minus_accuracy, place))
    return tuple(place for _cost, _accuracy, place in front)
