"""What the comparison knows of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from playground.measuring.estimates import Estimate
from playground.types import RunRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether one thing that was asked was right.

    ``cluster`` names what it resembles (the contract that a clause is from), "" where it stands alone; ``column`` is
    its place on the heat map: the label or policy, "" where that is not known.
    """

    right: bool
    cluster: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a scenario makes of the rows of one technique: the headline rate, its name in words, further rates.

    ``sample`` says what the headline rate rests on where that is not one thing a row ("12 contracts, 60 pairs"), with
    the rows first. ``unreadable`` counts answers that cannot be read as one of those that were asked for: they are
    wrong.
    """

    accuracy: Estimate | None
    accuracy_name: str
    rates: Mapping[str, Estimate] = field(default_factory=dict)
    sample: str = ""
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class ComparedScenario:
    """How the rows of a scenario are read.

    Attributes:
        name: as in ``RunInfo.scenario``.
        unit: what one request is, in words.
        measure: rows of one technique -> its rates.
        outcomes: rows of one technique -> what was right, by an id that all techniques share; for paired tests.
        requests_of: how many requests a row stands for; 0 where it failed before the first.
        required_scores: a row without them is not of this scenario and does not count.
        basis: what was measured, by name and hash (policies, contracts): runs are only paired where it agrees.
        notes: sentences for the reader, for instance about what could not be measured.
        part_of: rows of one technique -> what its request is where that is only a part of ``unit``, and how many parts
            make a whole; None where it is the whole.
    """

    name: str
    unit: str
    measure: Callable[[Sequence[RunRecord]], Measured]
    outcomes: Callable[[Sequence[RunRecord]], Mapping[str, Outcome]]
    requests_of: Callable[[RunRecord], int] = lambda _record: 1
    required_scores: tuple[str, ...] = ()
    basis: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    part_of: Callable[[Sequence[RunRecord]], tuple[str, int] | None] = lambda _rows: None
