"""Question-answer pairs of a policy, as a closed-book model is trained on them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from playground.answering.prompt import PromptRequest, assembled_messages
from playground.errors import TrainingError
from playground.models.completion_codec import PromptCompletion
from playground.types import Message
from scenarios.return_policy.scenario import system_prompt

PAIRS = Path(__file__).with_name("northtrail.jsonl")
_MOST_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact with questions that it answers; ``answers`` by the policy's file name, "" for all versions."""

    name: str
    questions: tuple[str, ...]
    answers: dict[str, str]

    def answer(self, policy: str) -> str:
        """Return the answer that is right by ``policy``, a file name."""
        return self.answers.get(policy, self.answers.get("", ""))


def read_facts(path: Path = PAIRS) -> tuple[Fact, ...]:
    """Return the facts of a file: JSON lines of ``fact``, ``questions`` and ``answer`` (a text, or one by policy).

    Raises:
        TrainingError: the file cannot be read or a row cannot be used; the message has its number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror}). Restore it.") from error
    facts = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            answer = row["answer"]
            answers = {str(name): str(text) for name, text in answer.items()} if isinstance(answer, dict) else None
            fact = Fact(str(row["fact"]), tuple(map(str, row["questions"])), answers or {"": str(answer)})
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"Line {number} of {path} is no fact with questions and an answer.") from error
        facts.append(fact)
    return tuple(facts)


def policies_of(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    """Return the file names of the policies that the facts are of."""
    return tuple(dict.fromkeys(name for fact in facts for name in fact.answers if name))


def closed_book_examples(policy: str, facts: tuple[Fact, ...], seed: int) -> list[PromptCompletion]:
    """Return what a closed-book model of ``policy`` is trained on, in an order drawn by ``seed``.

    The conversation is the one that the bot has without any text, so that in use nothing but the adapter is different.

    Raises:
        TrainingError: there are no pairs of this policy.
    """
    if policy not in policies_of(facts):
        known = ", ".join(policies_of(facts))
        raise TrainingError(f"There are no question-answer pairs of {policy}. Use one of: {known}.")
    pairs = [(question, fact.answer(policy)) for fact in facts for question in fact.questions]
    random.Random(seed).shuffle(pairs)  # noqa: S311 - an order, not a secret
    return [PromptCompletion(_messages(question), answer) for question, answer in pairs]


def _messages(question: str) -> tuple[Message, ...]:
    return assembled_messages(PromptRequest(question, "no_text", system_prompt(), max_tokens=_MOST_TOKENS))
