"""What is suggested and shown to an audience, each with the answer that is expected, and the check that it holds.

``suggested.json`` has the questions that the page suggests for each shipped policy, ``demo.json`` the steps of Home.
What fails the check is not suggested: ``make demo-check``, and a test, ask all of it of the model that answers by
default, with the technique that the page uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from playground.answering.answer import BotSettings, answer_question
from playground.answering.conversation import turns_of_conversation
from playground.answering.prompt import Mode, Turn
from playground.documents import load_document, load_pasted
from playground.errors import PlaygroundError
from playground.paths import POLICIES
from playground.retrieval.index import PassageIndex, build_index
from playground.typed_json import typed_json
from playground.types import Answer, ChatModel, Document, Embedder
from scenarios.return_policy.scenario import (
    MODES,
    READER_MODE,
    few_shot_examples,
    reader_retrieval,
    system_prompt,
    with_reader,
)

SUGGESTED = Path(__file__).with_name("suggested.json")
STEPS = Path(__file__).with_name("demo.json")

Outcome = Literal["answers", "declines", "ungrounded", "finds"]
"""What is expected: an answer that matches and is cited; "I don't know."; no answer, or one
that no passage supports; or only that the right sentence is among the passages, whatever the model makes of it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A question with what is expected of it.

    ``expect``: regular expressions that must all be found in the answer, whatever the case. ``never``: none of these
    may be. ``cites``: words of the sentence that must be cited, or given to the model where the outcome is "finds".
    """

    question: str
    outcome: Outcome = "answers"
    expect: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    cites: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the demo: with ``mode``, on ``policy``, with its text edited where ``edit`` has old and new words."""

    title: str
    mode: Mode
    policy: str
    asks: tuple[Expected, ...]
    edit: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a question; ``problem`` is "" where it is as expected."""

    where: str
    expected: Expected
    answer: str
    problem: str


@lru_cache(maxsize=1)
def suggested() -> dict[str, tuple[Expected, ...]]:
    """Return what is suggested for each shipped policy, by its file's name."""
    return typed_json(dict[str, tuple[Expected, ...]], SUGGESTED.read_bytes())


@lru_cache(maxsize=1)
def steps() -> tuple[Step, ...]:
    """Return the steps of the demo on Home that ask something, in order."""
    return typed_json(tuple[Step, ...], STEPS.read_bytes())


def check_suggestions(model: ChatModel, embedder: Embedder, adapter: str | None) -> Iterator[Checked]:
    """Ask every suggested question on its policy, each in a conversation of its own, and yield what came of it.

    Raises:
        PlaygroundError: a policy cannot be read, or the model failed.
    """
    for policy, questions in suggested().items():
        index = build_index(_policy(policy), embedder)
        settings = page_settings(READER_MODE if adapter else "rag", adapter)
        for expected in questions:
            answer = answer_question(expected.question, index, model, settings, examples=few_shot_examples())
            yield Checked(policy, expected, answer.text, problem_with(answer, expected, index.document))


def check_steps(model: ChatModel, embedder: Embedder, adapter: str) -> Iterator[Checked]:
    """Walk through the demo in one conversation, as a presenter does, and yield what came of each question.

    Raises:
        PlaygroundError: a policy cannot be read, or the model failed.
    """
    indexes: dict[tuple[str, tuple[str, str] | None], PassageIndex] = {}
    earlier: list[tuple[object, Turn | None]] = []
    for step in steps():
        key = step.policy, step.edit
        if key not in indexes:
            indexes[key] = build_index(_edited(_policy(step.policy), step.edit), embedder)
        settings = page_settings(step.mode, adapter)
        for expected in step.asks:
            setting = (step.mode, key)
            answer = answer_question(
                expected.question,
                indexes[key],
                model,
                settings,
                examples=few_shot_examples(),
                history=turns_of_conversation(earlier, setting),
            )
            earlier.append((setting, Turn(expected.question, answer.text)))
            yield Checked(step.title, expected, answer.text, problem_with(answer, expected, indexes[key].document))


def page_settings(mode: Mode, adapter: str | None) -> BotSettings:
    """Return how the bot's page answers in ``mode`` where nobody changed a setting."""
    if all(known.mode != mode for known in MODES):
        raise PlaygroundError(f"There is no technique {mode!r}. Use one of: {', '.join(m.mode for m in MODES)}.")
    settings = BotSettings(system_prompt(), mode)
    if mode != READER_MODE:
        return settings
    return with_reader(BotSettings(system_prompt(), mode, reader_retrieval(settings.retrieval)), adapter)


def problem_with(answer: Answer, expected: Expected, document: Document) -> str:
    """Return why ``answer`` is not what was expected, in a sentence; "" where it is."""
    if expected.outcome == "finds":
        given = [passage.chunk.text for passage in answer.passages]
        return "" if _among(expected.cites, given) else f"No passage given to the model has {expected.cites!r}."
    if expected.outcome == "declines":
        return "" if answer.abstained else "It should decline."
    if expected.outcome == "ungrounded":
        return "It cites something." if answer.citations else ""
    if answer.abstained:
        return "It declines."
    return next(_problems_of_answer(answer, expected, document), "")


def _problems_of_answer(answer: Answer, expected: Expected, document: Document) -> Iterator[str]:
    def says(pattern: str) -> bool:
        return re.search(pattern, answer.text, re.IGNORECASE) is not None

    yield from (f"It does not say {pattern!r}." for pattern in expected.expect if not says(pattern))
    yield from (f"It says {pattern!r}." for pattern in expected.never if says(pattern))
    yield from (f"No passage states {number}." for number in answer.unsupported or answer.unstated)
    if not answer.citations:
        yield "It cites nothing."
    if not _among(expected.cites, [document.text]):
        yield f"{document.source} does not say {expected.cites!r}."
    if not _among(expected.cites, [citation.text for citation in answer.citations]):
        yield f"It does not cite {expected.cites!r}."


def _among(words: str, texts: Sequence[str]) -> bool:
    return any(words in " ".join(text.split()) for text in texts)


def _policy(name: str) -> Document:
    return load_document((POLICIES / name).read_bytes(), name)


def _edited(document: Document, edit: tuple[str, str] | None) -> Document:
    """Return what the page makes of the text with old words replaced, as under *Edit*.

    Raises:
        PlaygroundError: the old words are not in it, once.
    """
    if edit is None:
        return document
    if document.text.count(edit[0]) != 1:
        raise PlaygroundError(f"{document.source} does not have {edit[0]!r} once, so it cannot be edited so.")
    return load_pasted(document.text.replace(*edit), document.title, markdown=document.source.endswith(".md"))
