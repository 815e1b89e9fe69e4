"""Scenario A: an online shop answers questions about its return policy. The files beside this one hold the words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground.prompting import FewShotExample, Mode
from playground.types import Document

FOLDER = Path(__file__).parent
POLICIES = FOLDER.parents[1] / "data" / "policies"
QUESTIONS = FOLDER / "questions.jsonl"
DEFAULT_POLICY = "northtrail-outdoor-v1.md"
MOST_SUGGESTIONS = 5


@dataclass(frozen=True, slots=True)
class ModeDescription:
    """How a mode is named on the pages and on the command line, and what it shows to an audience."""

    mode: Mode
    strategy: str
    title: str
    explanation: str


MODES: tuple[ModeDescription, ...] = (
    ModeDescription(
        "no_text", "no-text", "No text", "The model alone: it has never seen this policy and can only guess."
    ),
    ModeDescription(
        "whole_document",
        "whole-document",
        "Whole document",
        "The complete policy in every prompt: simple, slow and long.",
    ),
    ModeDescription("rag", "rag", "RAG", "Only the passages that fit the question are fetched into the prompt."),
    ModeDescription(
        "rag_few_shot", "rag+few-shot", "RAG + few-shot", "RAG, with four worked examples before the question."
    ),
    ModeDescription(
        "rag_chain_of_thought", "rag+cot", "RAG + chain of thought", "RAG, and the model reasons before it answers."
    ),
)


@lru_cache(maxsize=1)
def system_prompt() -> str:
    """Return the article's system prompt, word for word."""
    return (FOLDER / "system_prompt.txt").read_text(encoding="utf-8").strip()


@lru_cache(maxsize=1)
def few_shot_examples() -> tuple[FewShotExample, ...]:
    """Return the worked examples of an invented policy that is none of the samples."""
    rows = json.loads((FOLDER / "few_shot.json").read_text(encoding="utf-8"))
    return tuple(FewShotExample(tuple(r["passages"]), r["question"], r["answer"], r.get("reasoning", "")) for r in rows)


def sample_policies() -> tuple[Path, ...]:
    """Return the policies that ship with the project, by name."""
    return tuple(sorted(path for path in POLICIES.iterdir() if path.is_file() and path.name != "README.md"))


@lru_cache(maxsize=1)
def _suggested() -> Mapping[str, list[str]]:
    suggested: Mapping[str, list[str]] = json.loads((FOLDER / "suggested.json").read_text(encoding="utf-8"))
    return suggested


# For a policy that is not ours: a question is suggested when the policy speaks of its subject.
_SUBJECTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("day", "week", "month"), "How long do I have to return something?"),
    (("refund",), "How long does a refund take?"),
    (("restocking", "fee", "charge"), "Is there a fee for returning an item?"),
    (("damaged", "faulty", "defective", "broken"), "What should I do if my item arrives damaged?"),
    (("exchange",), "Can I exchange an item instead of returning it?"),
    (
        ("final sale", "cannot be returned", "non-returnable", "not accept", "excluded"),
        "Which items cannot be returned?",
    ),
    (("gift",), "Can I return a gift?"),
    (("label", "postage", "shipping"), "Who pays for return shipping?"),
)
_UNANSWERABLE = "Do you repair items after the warranty has ended?"


def suggested_questions(document: Document) -> tuple[str, ...]:
    """Return up to five questions that fit ``document``; for the shipped policies they are written by hand."""
    by_hand = _suggested().get(document.source)
    if by_hand:
        return tuple(by_hand[:MOST_SUGGESTIONS])
    text = document.text.lower()
    fitting = [question for words, question in _SUBJECTS if any(word in text for word in words)]
    return (*fitting[: MOST_SUGGESTIONS - 1], _UNANSWERABLE)
