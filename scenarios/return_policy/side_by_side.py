"""Scenario A, one question at a time: what was asked, what is right, what each technique answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from playground.comparison.examples import ShownAnswer, ShownExample, facts_line, kept_messages
from playground.comparison.outcomes import TechniqueRows
from playground.measuring.runs import RunInfo
from playground.paths import POLICIES
from playground.types import Example, RunRecord
from scenarios.return_policy.compared import is_right
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS

_ABSTAIN = "an abstention: the policy does not say"


def shown_examples(ids: Sequence[str], _info: RunInfo) -> dict[str, ShownExample]:
    """Return the questions with these ids; one that is not of the project's own stands under its id."""
    own = _questions()
    return {name: _shown(own[name]) if name in own else ShownExample(name, name, "", "not known here") for name in ids}


def _shown(example: Example) -> ShownExample:
    expected = example.target or "any answer that has what is asked for"
    if not example.metadata["answerable"]:
        expected = _ABSTAIN
    return ShownExample(example.id, example.input, Path(str(example.metadata["policy"])).stem, expected)


def shown_answers(group: TechniqueRows, ids: Sequence[str], _info: RunInfo) -> dict[str, ShownAnswer]:
    """Return what a technique answered to the questions with these ids."""
    wanted = set(ids)
    return {row.example_id: _answer(row) for row in group.records if row.example_id in wanted}


def _answer(row: RunRecord) -> ShownAnswer:
    prediction = row.prediction
    if prediction is None:
        return ShownAnswer("", False, error=row.error or "no answer")
    usage, timings = prediction.usage, prediction.timings
    reasoning = prediction.detail.get("reasoning")
    words = f"{reasoning}\n\n{prediction.output}" if isinstance(reasoning, str) and reasoning else prediction.output
    return ShownAnswer(
        answer=words or "(nothing)",
        right=is_right(row),
        facts=facts_line(
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            first_token_s=timings.get("first_token_s"),
            total_s=timings.get("total_s"),
        ),
        messages=kept_messages(prediction.detail.get("messages")),
        error=row.error or "",
    )


@lru_cache(maxsize=1)
def _questions() -> Mapping[str, Example]:
    return {example.id: example for example in read_questions(QUESTIONS, POLICIES)}
