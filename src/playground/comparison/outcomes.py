"""What a scenario makes of rows: whether single things were right, and the rates of a technique."""

from __future__ import annotations

from collections.abc import Mapping
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
class TechniqueRows:
    """The rows of one technique on one model, all of one seed."""

    strategy: str
    model_id: str
    adapter: str | None
    records: tuple[RunRecord, ...]
