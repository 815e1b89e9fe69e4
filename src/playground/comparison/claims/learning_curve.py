"""The learning curve of Scenario B: accuracy against the number of labelled examples, over seeds.

python scripts/measure_learning_curve.py         (writes data/runs/learning_curve.json, point by point)

One row is one technique at one number of examples under one seed; the points of the chart are computed from the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from playground.comparison.claims.provenance import (
    Provenance,
    provenance_of,
    read_evidence,
    write_evidence,
)
from playground.comparison.figures import CurvePoint
from playground.comparison.techniques import Technique, technique_named
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate, mean
from playground.typed_json import Count, Seconds, typed

KIND = "learning_curve"
FILE = "learning_curve.json"
COMMAND = "python scripts/measure_learning_curve.py"
SIZES = (0, 4, 16, 64, 256, 1024)
"""Numbers of examples, as the article's "0 to ~50" and "1,000+" ask for; all of the data comes after them."""


@dataclass(frozen=True, slots=True)
class CurveRow:
    """One measurement: ``right`` of ``n`` pairs of a clause and a label were judged right.

    Attributes:
        strategy: "few-shot" or "lora".
        examples: labelled clauses at hand, those for choosing thresholds included.
        seed: of the draw of the examples and of the training.
        right: pairs judged right.
        n: pairs judged.
        duration_s: of the training; None where nothing is trained.
        measured_at: ISO 8601.
        machine: in words.
        commit: of the source.
    """

    strategy: str
    examples: Count
    seed: Count
    right: Count
    n: Count
    duration_s: Seconds | None
    measured_at: str
    machine: str
    commit: str

    @property
    def accuracy(self) -> float:
        """Share of the pairs that were judged right, in [0, 1]."""
        return self.right / self.n


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The recorded rows, and where they are from.

    ``available``: labelled clauses that there were to draw from; None where an older version did not record it.
    ``techniques``: those of the scenario, for names and colours.
    """

    provenance: Provenance
    rows: tuple[CurveRow, ...]
    available: int | None = None
    techniques: tuple[Technique, ...] = field(default=(), compare=False)

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """The points of the chart."""
        return curve_points(self.rows, self.techniques)

    @property
    def end_words(self) -> str:
        """Why the curve ends where it does, as a sentence; "" where it has every size, or the reason is not known."""
        largest = max((row.examples for row in self.rows), default=0)
        beyond = [f"{size:,}" for size in SIZES if size > largest]
        if self.available is None or not beyond:
            return ""
        if largest < self.available:
            return f"Not finished: there are {self.available:,} labelled clauses, and the last point has {largest:,}."
        return (
            f"There is no point at {' or '.join(beyond)} examples: the project has {self.available:,} labelled clauses "
            "to learn from, and the last point has them all."
        )

    def has(self, strategy: str, examples: int, seed: int) -> bool:
        """Whether a point was measured under a seed."""
        return any((row.strategy, row.examples, row.seed) == (strategy, examples, seed) for row in self.rows)


def curve_points(rows: Sequence[CurveRow], techniques: Sequence[Technique] = ()) -> tuple[CurvePoint, ...]:
    """Return a point for each technique and number of examples: the mean over seeds, its lowest and highest."""
    groups: dict[tuple[str, int], list[CurveRow]] = {}
    for row in rows:
        groups.setdefault((row.strategy, row.examples), []).append(row)
    points = []
    for (strategy, examples), own in sorted(groups.items()):
        found = [row.accuracy for row in own]
        points.append(
            CurvePoint(
                strategy=strategy,
                examples=examples,
                accuracy=Estimate(sum(found) / len(found), min(found), max(found)),
                seeds=len({row.seed for row in own}),
                duration_s=mean([row.duration_s for row in own if row.duration_s is not None]),
                technique=technique_named(strategy, techniques),
            )
        )
    return tuple(points)


def read_learning_curve(path: Path, techniques: tuple[Technique, ...] = ()) -> LearningCurve | None:
    """Return the recorded curve of a scenario with these techniques; None where there is none.

    Raises:
        EvaluationError: the file is damaged; the message says what to do.
    """
    row = read_evidence(path, KIND)
    if row is None:
        return None
    try:
        rows = typed(tuple[CurveRow, ...], row.get("rows"))
        available = typed(Count | None, row.get("available"))  # type: ignore[arg-type]
    except ValueError as error:
        raise _damaged(path) from error
    if not all(0 < one.n >= one.right for one in rows):
        raise _damaged(path)
    return LearningCurve(provenance_of(row, path), rows, available, techniques)


def write_learning_curve(path: Path, curve: LearningCurve) -> None:
    """Write the curve whole or not at all.

    Raises:
        EvaluationError: the file cannot be written.
    """
    rows = [asdict(row) for row in curve.rows]
    write_evidence(path, KIND, curve.provenance, {"available": curve.available, "rows": rows})


def _damaged(path: Path) -> EvaluationError:
    return EvaluationError(f"{path} has a row that is not one of a learning curve. Restore it or run: {COMMAND}")
