r"""How readily the reader says that it does not know, and what that cost on questions by which nothing was chosen.

It abstains where "I don't know." is at least so probable as the level says (``GuardedChatModel``). What each level did
was measured by one run in which it never abstained of its own accord:

    python -m playground evaluate return_policy --strategies rag+lora --abstain-at 1.01 --out runs/caution \
      --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside
    python scripts/measure_caution.py runs/caution
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate, proportion
from playground.types import RunRecord

MEASURED = Path(__file__).with_name("measured_caution")
"""A JSON file for each reader that was measured, by the adapter's name."""


@dataclass(frozen=True, slots=True)
class CautionLevel:
    """A stop of the control: the reader abstains from this probability of "I don't know." on."""

    name: str
    abstain_at: float


LEVELS: tuple[CautionLevel, ...] = (
    CautionLevel("very cautious", 0.1),
    CautionLevel("cautious", 0.2),
    CautionLevel("balanced", 0.3),
    CautionLevel("helpful", 0.5),
    CautionLevel("very helpful", 0.8),
)
DEFAULT_LEVEL = LEVELS[2]
"""Of the validation questions (invented rules kept aside) it declines 88 % of those without an answer and answers 74 %
of the others; one level lower it also declines the plainest question of all, how long one has (docs/experiments.md)."""


@dataclass(frozen=True, slots=True)
class CautionRates:
    """What a level did: ``false_answers`` of the questions without an answer, ``false_refusals`` of those with one.

    ``right`` is of those with an answer, too.
    """

    abstain_at: float
    false_answers: Estimate
    false_refusals: Estimate
    right: Estimate
    n_answerable: int
    n_unanswerable: int


def level_named(name: str) -> CautionLevel:
    """Return the level of that name, the default one where there is none."""
    return next((level for level in LEVELS if level.name == name), DEFAULT_LEVEL)


def rates_at(rows: Sequence[RunRecord], abstain_at: float) -> CautionRates:
    """Return what the reader would have done at ``abstain_at``, from rows in which it never abstained by itself.

    An answer that was withheld for a number that no passage states stays withheld at every level.

    Raises:
        EvaluationError: a row failed or has no probability, or one of the two kinds of questions is missing.
    """
    refused: dict[bool, list[bool]] = {True: [], False: []}
    right: list[bool] = []
    for row in rows:
        probability = row.prediction.detail.get("abstain_probability") if row.prediction else None
        if row.error is not None or not isinstance(probability, float):
            raise EvaluationError(
                f"Question {row.example_id} has no probability of abstaining. Measure with --abstain-at 1.01, and "
                "again what failed (--retry-errors)."
            )
        refuses = probability >= abstain_at or bool(row.scores["abstained"])
        answerable = bool(row.scores["answerable"])
        refused[answerable].append(refuses)
        if answerable:
            right.append(not refuses and row.scores["right"] > 0)
    false_answers = proportion(refused[False].count(False), len(refused[False]))
    false_refusals = proportion(refused[True].count(True), len(refused[True]))
    rate = proportion(sum(right), len(right))
    if false_answers is None or false_refusals is None or rate is None:
        raise EvaluationError("Caution is measured on questions with and without an answer; one kind is missing.")
    return CautionRates(abstain_at, false_answers, false_refusals, rate, len(refused[True]), len(refused[False]))


def measured_file(adapter: str) -> Path:
    """Return the file of the reader with this identity (``name@hash``) or name; it need not be there."""
    return MEASURED / f"{adapter.partition('@')[0]}.json"


@lru_cache(maxsize=8)
def _measured(path: Path) -> Mapping[str, Any]:
    measured: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return measured


def measured_rates(adapter: str | None, level: CautionLevel) -> CautionRates | None:
    """Return what ``level`` did with the adapter of this identity; None where that was not measured."""
    if adapter is None:
        return None
    measured = _measured(measured_file(adapter))
    if measured.get("adapter") != adapter:
        return None
    found = next((row for row in measured["levels"] if row["abstain_at"] == level.abstain_at), None)
    if found is None:
        return None
    rates: dict[str, Any] = {
        name: Estimate(*value) if isinstance(value, list) else value for name, value in found.items()
    }
    return CautionRates(**rates)


def as_sentence(rates: CautionRates) -> str:
    """Return what a level did, for people."""
    return f"On new shops, measured: {in_tens(rates.right.value, 1 - rates.false_answers.value)}."


def in_tens(answers: float, declines: float) -> str:
    """Return two shares in [0, 1] in words: answered rightly of what has an answer, declined of what has none."""
    return (
        f"answers {round(10 * answers)} of 10 rightly that it should answer, declines {round(10 * declines)} of 10 "
        "that it should decline"
    )


def as_detail(rates: CautionRates) -> str:
    """Return the rates of a level with their intervals and counts."""
    answers, refusals = rates.false_answers, rates.false_refusals
    return (
        f"Measured on shops that it was not developed with: right {percent(rates.right)} of the questions that a "
        f"policy answers, declines {percent(refusals)} of them, and answers {percent(answers)} of those that it "
        f"leaves open ({rates.n_answerable} and {rates.n_unanswerable} questions; 95 % intervals)."
    )


def percent(share: Estimate) -> str:
    """Return "12 % (7 to 21)"."""
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"
