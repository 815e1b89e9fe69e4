"""A policy change, measured: every technique answers questions about the changed facts before and after it.

The questions are in ``changed_facts.jsonl``, each with what is right by either version of the policy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.answering.answer import BotSettings, answer_question
from playground.answering.citations import is_abstention
from playground.comparison.claims.stale_facts import Recovery, RecoveryTime, StaleAnswer
from playground.documents import load_document
from playground.errors import EvaluationError
from playground.paths import POLICIES
from playground.retrieval.index import build_index
from playground.text.bounded_patterns import all_found
from playground.training.language_model.train import save_peft
from playground.types import ChatModel, Embedder
from scenarios.return_policy.closed_book.training import train_closed_book
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.scenario import FOLDER, system_prompt

QUESTIONS = FOLDER / "changed_facts.jsonl"
OLD, NEW = "northtrail-outdoor-v1.md", "northtrail-outdoor-v2.md"

Ask = Callable[[str], str]
"""Question -> answer."""
OnAnswer = Callable[[str, int, int], None]
"""Technique, answers so far, answers in all."""


@dataclass(frozen=True, slots=True)
class ChangedQuestion:
    """A question about a fact in which the versions differ, with the patterns of right answers by policy."""

    id: str
    fact: str
    question: str
    expect: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Updated:
    """A technique after its recovery: how it answers, the seconds that took, examples trained on."""

    ask: Ask
    recovery_s: float
    examples: int = 0


@dataclass(frozen=True, slots=True)
class ChangingTechnique:
    """A technique through a policy change. ``prepare`` makes it ready with the old policy, ``update`` with the new."""

    strategy: str
    recovery: Recovery
    prepare: Callable[[], Ask]
    update: Callable[[], Updated]


def read_changed_questions(path: Path = QUESTIONS) -> tuple[ChangedQuestion, ...]:
    """Return the questions.

    Raises:
        EvaluationError: the file cannot be read or a row cannot be used.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return tuple(
            ChangedQuestion(
                row["id"], row["fact"], row["question"], {name: tuple(row["expect"][name]) for name in (OLD, NEW)}
            )
            for row in rows
        )
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Restore it.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path} has a row that is no question with two expectations. Restore it.") from error


def measure_change(
    questions: Sequence[ChangedQuestion],
    techniques: Sequence[ChangingTechnique],
    on_answer: OnAnswer = lambda _strategy, _done, _total: None,
) -> Iterator[tuple[RecoveryTime, tuple[StaleAnswer, ...]]]:
    """Yield for each technique its recovery and its answers, one technique after the other."""
    for technique in techniques:
        total = 2 * len(questions)
        ask = technique.prepare()
        old = []
        for question in questions:
            old.append(ask(question.question))
            on_answer(technique.strategy, len(old), total)
        updated = technique.update()
        answers = []
        for question, old_answer in zip(questions, old, strict=True):
            new_answer = updated.ask(question.question)
            answers.append(
                StaleAnswer(
                    strategy=technique.strategy,
                    question_id=question.id,
                    question=question.question,
                    old_answer=old_answer,
                    new_answer=new_answer,
                    before=is_right(old_answer, question.expect[OLD]),
                    stale=is_right(old_answer, question.expect[NEW]),
                    recovered=is_right(new_answer, question.expect[NEW]),
                )
            )
            on_answer(technique.strategy, len(old) + len(answers), total)
        recovery = RecoveryTime(technique.strategy, technique.recovery, updated.recovery_s, updated.examples)
        yield recovery, tuple(answers)


def is_right(answer: str, patterns: Sequence[str]) -> bool:
    """Whether an answer has the changed fact: no refusal, and all patterns found."""
    return bool(answer.strip()) and not is_abstention(answer) and all_found(patterns, answer)


def document_technique(
    strategy: str, model: ChatModel, embedder: Embedder, *, adapter: str | None = None
) -> ChangingTechnique:
    """Return a technique that reads the policy: up to date as soon as the new file is read and, for RAG, indexed."""
    settings = bot_settings(strategy, adapter=adapter)

    def with_policy(name: str) -> Ask:
        index = build_index(load_document((POLICIES / name).read_bytes(), name), embedder)
        return lambda question: answer_question(question, index, model, settings).text

    def update() -> Updated:
        started = time.perf_counter()
        document = load_document((POLICIES / NEW).read_bytes(), NEW)
        if strategy == "whole-document":  # what is indexed for the citations is not needed to answer
            recovery_s = time.perf_counter() - started
            return Updated(with_policy(NEW), recovery_s)
        index = build_index(document, embedder)
        recovery_s = time.perf_counter() - started
        return Updated(lambda question: answer_question(question, index, model, settings).text, recovery_s)

    recovery: Recovery = "reading" if strategy == "whole-document" else "indexing"
    return ChangingTechnique(strategy, recovery, lambda: with_policy(OLD), update)


def closed_book_technique(
    model: ChatModel, embedder: Embedder, work: Path, keep: Callable[[str, object], None] = lambda _name, _trained: None
) -> ChangingTechnique:
    """Return closed-book LoRA: trained on the old policy's pairs, and from the base again on the new one's.

    Args:
        model: whose engine loads an adapter by the path of its folder.
        embedder: for the index that the bot cites from; the model sees none of it.
        work: folder for the two adapters.
        keep: gets the policy's file name and the ``TrainedLanguageModel`` of each training.
    """
    index = build_index(load_document((POLICIES / OLD).read_bytes(), OLD), embedder)

    def trained_on(name: str) -> Updated:
        started = time.perf_counter()
        trained = train_closed_book(name)
        folder = work / Path(name).stem
        save_peft(trained, folder)
        recovery_s = time.perf_counter() - started
        keep(name, trained)
        settings = BotSettings(system_prompt(), "no_text", adapter=str(folder))
        examples = trained.examples // trained.settings.epochs
        return Updated(lambda question: answer_question(question, index, model, settings).text, recovery_s, examples)

    return ChangingTechnique("closed-book-lora", "training", lambda: trained_on(OLD).ask, lambda: trained_on(NEW))
