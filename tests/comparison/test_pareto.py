"""The Pareto front: by hand, and against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.comparison.pareto import pareto_front


def test_the_front_goes_from_cheap_to_dear() -> None:
    #        beaten by 2; dear and best; cheap and good; cheapest; unknown
    costs = [2.0, 9.0, 1.0, 0.5, None, 3.0]
    accuracies = [0.5, 0.9, 0.7, 0.2, 0.99, None]
    assert pareto_front(costs, accuracies) == (3, 2, 1)


def test_equal_ones_are_on_it_together_and_nothing_is_not() -> None:
    assert pareto_front([1.0, 1.0, 1.0], [0.5, 0.5, 0.4]) == (0, 1)
    assert pareto_front([], []) == ()
    assert pareto_front([float("nan")], [0.5]) == ()
    with pytest.raises(ValueError, match="zip"):
        pareto_front([1.0], [])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_it_is_what_the_definition_says(points: list[tuple[int, int]]) -> None:
    def beaten(cost: int, accuracy: int) -> bool:
        return any(c <= cost and a >= accuracy and (c, a) != (cost, accuracy) for c, a in points)

    wanted = {place for place, point in enumerate(points) if not beaten(*point)}
    found = pareto_front([float(c) for c, _a in points], [float(a) for _c, a in points])
    assert set(found) == wanted
    assert len(found) == len(wanted)
    assert [points[place] for place in found] == sorted(points[place] for place in found)
