"""Stale facts: how right each technique is before and after a policy change, and what it takes to be right again.

python scripts/measure_stale_facts.py            (writes data/runs/stale_facts.json)

Every technique answers the same questions about the changed facts twice: with what it has of the old policy, and after
it was brought up to date. Answers are greedy, so what it says right after the change, when nothing of it has changed
yet, is what it said before; only now the new policy decides what is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from playground.comparison.claims.provenance import (
    Provenance,
    provenance_of,
    read_evidence,
    write_evidence,
)
from playground.comparison.figures import StaleFigures
from playground.comparison.techniques import Technique, technique_named, title_of
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate, proportion
from playground.typed_json import Count, Seconds, typed

KIND = "stale_facts"
FILE = "stale_facts.json"
COMMAND = "python scripts/measure_stale_facts.py"

Recovery = Literal["indexing", "training", "reading"]
"""What brings a technique up to date: passages are indexed, an adapter is trained, or the new file is only read."""


@dataclass(frozen=True, slots=True)
class StaleAnswer:
    """One question about a changed fact, answered from the old policy and after the recovery.

    ``before``: whether the old answer is right by the old policy; ``stale``: the same answer by the new policy;
    ``recovered``: whether the answer after the recovery is right by the new policy.
    """

    strategy: str
    question_id: str
    question: str
    old_answer: str
    new_answer: str
    before: bool
    stale: bool
    recovered: bool


@dataclass(frozen=True, slots=True)
class RecoveryTime:
    """What it took to bring a technique up to date. ``examples``: that were trained on, 0 where nothing was trained."""

    strategy: str
    recovery: Recovery
    recovery_s: Seconds
    examples: Count = 0


@dataclass(frozen=True, slots=True)
class StaleFacts:
    """The recorded measurement: single answers, times, where it is from, and the figures computed from them.

    ``techniques``: those of the scenario, for names and colours.
    """

    provenance: Provenance
    answers: tuple[StaleAnswer, ...]
    recoveries: tuple[RecoveryTime, ...]
    techniques: tuple[Technique, ...] = field(default=(), compare=False)

    @property
    def figures(self) -> tuple[StaleFigures, ...]:
        """Rates of each technique with Wilson's intervals, in the order of ``recoveries``."""
        return stale_figures(self.answers, self.recoveries, self.techniques)

    def of(self, strategy: str) -> StaleFigures | None:
        """Return the figures of a technique; None where it was not measured."""
        return next((one for one in self.figures if one.strategy == strategy), None)


def stale_figures(
    answers: Sequence[StaleAnswer], recoveries: Sequence[RecoveryTime], techniques: Sequence[Technique] = ()
) -> tuple[StaleFigures, ...]:
    """Return the figures of each technique that has both a time and answers."""
    found = []
    for time in recoveries:
        own = [answer for answer in answers if answer.strategy == time.strategy]
        if not own:
            continue
        found.append(
            StaleFigures(
                strategy=time.strategy,
                title=title_of(time.strategy, techniques),
                before=_rate([answer.before for answer in own]),
                stale=_rate([answer.stale for answer in own]),
                recovered=_rate([answer.recovered for answer in own]),
                recovery=time.recovery,
                recovery_s=time.recovery_s,
                technique=technique_named(time.strategy, techniques),
            )
        )
    return tuple(found)


def read_stale_facts(path: Path, techniques: tuple[Technique, ...] = ()) -> StaleFacts | None:
    """Return the recorded measurement of a scenario with these techniques; None where there is none.

    Raises:
        EvaluationError: the file is damaged; the message says what to do.
    """
    row = read_evidence(path, KIND)
    if row is None:
        return None
    try:
        answers = typed(tuple[StaleAnswer, ...], row.get("answers"))
        recoveries = typed(tuple[RecoveryTime, ...], row.get("recoveries"))
    except ValueError as error:
        raise _damaged(path) from error
    return StaleFacts(provenance_of(row, path), answers, recoveries, techniques)


def write_stale_facts(path: Path, measured: StaleFacts) -> None:
    """Write a measurement whole or not at all.

    Raises:
        EvaluationError: the file cannot be written.
    """
    content = {
        "recoveries": [asdict(time) for time in measured.recoveries],
        "answers": [asdict(answer) for answer in measured.answers],
    }
    write_evidence(path, KIND, measured.provenance, content)


def _rate(right: Sequence[bool]) -> Estimate:
    found = proportion(sum(right), len(right))
    if found is None:
        raise EvaluationError("A technique without an answer has no rate. Measure it again.")
    return found


def _damaged(path: Path) -> EvaluationError:
    return EvaluationError(f"{path} has a row that is not one of stale facts. Restore the file or run: {COMMAND}")
