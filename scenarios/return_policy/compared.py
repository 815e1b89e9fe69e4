"""How the rows of Scenario A are compared: the headline is balanced accuracy over questions with and without answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from playground.comparison.outcomes import Measured, Outcome
from playground.comparison.scenario import ComparedScenario
from playground.measuring.estimates import balanced_accuracy, proportion
from playground.measuring.runs import RunInfo
from playground.paths import POLICIES
from playground.types import RunRecord
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS
from scenarios.return_policy.techniques import NAME, TECHNIQUES, TITLE

ACCURACY_NAME = "balanced accuracy"


def compared_scenario(info: RunInfo) -> ComparedScenario:
    """Return how the rows of a run of this scenario are read."""
    policies = info.settings.get("policies")
    hashes = policies if isinstance(policies, Mapping) else {}
    return ComparedScenario(
        name=NAME,
        unit="question",
        measure=measure,
        outcomes=outcomes,
        required_scores=("answerable", "right"),
        basis={str(name): str(digest) for name, digest in hashes.items()},
        title=TITLE,
        techniques=TECHNIQUES,
    )


def measure(rows: Sequence[RunRecord]) -> Measured:
    """Return the rates of one technique's rows; a row with an error is wrong and is no answer."""
    answerable = [row for row in rows if row.scores["answerable"]]
    unanswerable = [row for row in rows if not row.scores["answerable"]]
    answers = [row for row in rows if row.error is None and not row.scores.get("abstained")]
    rates = {
        "answerable_accuracy": proportion(sum(map(is_right, answerable)), len(answerable)),
        "abstention_accuracy": proportion(sum(map(is_right, unanswerable)), len(unanswerable)),
        "unsupported_number_rate": proportion(
            sum(row.scores.get("unsupported_number", 0.0) > 0 for row in answers), len(answers)
        ),
    }
    known = {name: rate for name, rate in rates.items() if rate is not None}
    if not unanswerable:  # one's own questions may all have an answer, or none
        return Measured(known.get("answerable_accuracy"), "accuracy (no question was unanswerable)", known)
    if not answerable:
        return Measured(known.get("abstention_accuracy"), "accuracy (no question was answerable)", known)
    accuracy = balanced_accuracy([is_right(row) for row in answerable], [is_right(row) for row in unanswerable])
    return Measured(accuracy, ACCURACY_NAME, known)


def outcomes(rows: Sequence[RunRecord]) -> Mapping[str, Outcome]:
    """Return what was right, by question; the columns are the policies of our own questions."""
    policies = _policies()
    return {row.example_id: Outcome(is_right(row), column=policies.get(row.example_id, "")) for row in rows}


def is_right(row: RunRecord) -> bool:
    """Whether the answer of a row is right."""
    return row.scores["right"] > 0 and row.error is None


@lru_cache(maxsize=1)
def _policies() -> Mapping[str, str]:
    return {example.id: Path(str(example.metadata["policy"])).stem for example in read_questions(QUESTIONS, POLICIES)}
