"""What the rows of an experiment show: the points of its chart, a headline computed from them, a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.comparison.figures import FEWEST_EXAMPLES, PairedDifference
from playground.comparison.paired import holm, paired_rates
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate, proportion
from playground.types import RunRecord

Verdict = Literal["shows here", "shows in part", "does not show here"]
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Series:
    """A line of the chart: its name for people, colour as CSS has it, plotly's marker."""

    title: str
    colour: str
    marker: str = "circle"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the chart: ``value`` with its 95 % interval, from ``n`` examples, at ``x`` of a series.

    ``at`` is its place where the axis is one of numbers; ``note`` is said when one points at it.
    """

    series: Series
    x: str
    value: Estimate
    n: int
    at: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A paired difference and its p-value, adjusted for all tests of the finding (Holm)."""

    difference: PairedDifference
    adjusted_p: float

    @property
    def is_real(self) -> bool:
        """Whether chance alone would seldom give it."""
        return self.adjusted_p < SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        headline: what is seen on the chart, with its figures; stands above it.
        verdict: whether the claim shows here.
        sentence: the verdict with its reason.
        points: of the chart.
        x_title: of the chart's axis; ``y_title`` of the other.
        lines: further figures, a sentence each.
        tests: paired tests behind the verdict.
        n: examples a condition; the smallest where they differ.
        counts: what ``n`` counts where that is no sample of questions; such a finding is never called small.
    """

    headline: str
    verdict: Verdict
    sentence: str
    points: tuple[Point, ...]
    x_title: str
    y_title: str
    n: int
    lines: tuple[str, ...] = ()
    tests: tuple[PairedTest, ...] = ()
    counts: str = ""

    @property
    def is_small(self) -> bool:
        """Whether the sample is too small for a result."""
        return not self.counts and self.n < FEWEST_EXAMPLES


def by_condition(rows: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    """Return the rows of each condition, in the order in which conditions first appear."""
    found: dict[str, list[RunRecord]] = {}
    for row in rows:
        found.setdefault(row.strategy, []).append(row)
    return found


def enough(rows: Mapping[str, Sequence[RunRecord]], wanted: Sequence[str], fewest: int, things: str) -> None:
    """Check that each wanted condition has rows enough to say something.

    Raises:
        EvaluationError: one has fewer; what was measured stays, and the message says how to go on.
    """
    for name in wanted:
        count = len(rows.get(name, ()))
        if count < fewest:
            raise EvaluationError(
                f"{name} has {count} {things}, and nothing is said of fewer than {fewest}. What was measured is kept; "
                "measure more."
            )


def is_right(row: RunRecord) -> bool:
    """Whether the answer of a row is right; one that failed is not."""
    return row.error is None and row.scores.get("right", 0.0) > 0


def rights(rows: Sequence[RunRecord]) -> dict[str, bool]:
    """Return what was right, by example."""
    return {row.example_id: is_right(row) for row in rows}


def share_right(rows: Sequence[RunRecord]) -> Estimate:
    """Return the share of right answers with Wilson's interval; errors as for ``share_of``."""
    return share_of({str(place): is_right(row) for place, row in enumerate(rows)})


def share_of(outcomes: Mapping[str, bool]) -> Estimate:
    """Return the share that is right with Wilson's interval.

    Raises:
        ValueError: there are none.
    """
    found = proportion(sum(outcomes.values()), len(outcomes))
    if found is None:
        raise ValueError("no rows")
    return found


def paired_tests(pairs: Sequence[tuple[str, str]], rows: Mapping[str, Sequence[RunRecord]]) -> tuple[PairedTest, ...]:
    """Test pairs of conditions on the examples that both answered: McNemar's exact test, adjusted by Holm."""
    return tests_of(pairs, {name: rights(own) for name, own in rows.items()})


def tests_of(pairs: Sequence[tuple[str, str]], outcomes: Mapping[str, Mapping[str, bool]]) -> tuple[PairedTest, ...]:
    """As ``paired_tests``, from what was right."""
    found = [paired_rates(one, other, outcomes[one], outcomes[other]) for one, other in pairs]
    known = [one for one in found if one is not None]
    return tuple(PairedTest(*pair) for pair in zip(known, holm([one.p_value for one in known]), strict=True))


def percent(share: float) -> str:
    """Return a share as whole percent."""
    return f"{100 * share:.0f} %"


def rate_words(estimate: Estimate) -> str:
    """Return "43 % (34 to 53)"."""
    return f"{100 * estimate.value:.0f} % ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"


def p_words(p_value: float) -> str:
    """Return "p < 0.001" or "p = 0.042"."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def points_words(difference: float) -> str:
    """Return a difference of shares in percentage points: "-12 points"."""
    return f"{100 * difference:+.0f} points"
