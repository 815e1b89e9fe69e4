"""Scenario A: an online shop answers questions about its return policy. The files beside this one hold the words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from playground import paths
from playground.adapters import AdapterStore, default_root
from playground.answering.answer import BotSettings
from playground.answering.prompt import FewShotExample, Mode
from playground.documents import SUPPORTED_SUFFIXES
from playground.errors import AdapterError
from playground.paths import POLICIES
from playground.retrieval.index import RetrievalSettings
from playground.typed_json import typed_json
from playground.types import Document
from scenarios.return_policy.caution import DEFAULT_LEVEL

FOLDER = Path(__file__).parent
READER_MODE: Mode = "rag_lora"
READER_TOP_K = 1
"""Passages that RAG + LoRA gets at most: a small reader is distracted by more (docs/experiments.md, 2026-11-26)."""
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
    ModeDescription(
        "rag_lora",
        "rag+lora",
        "RAG + LoRA",
        "RAG, and a LoRA layer that was trained to read passages: it learned how to answer, not what this policy says.",
    ),
)


def adapter_store() -> AdapterStore:
    """Return the user's adapters together with those that are shipped."""
    return AdapterStore(default_root(), shipped=paths.SHIPPED_ADAPTERS)


def with_reader(settings: BotSettings, adapter: str | None) -> BotSettings:
    """Return ``settings`` for a bot that reads through an adapter, the way it was trained, with the guard around it.

    Arithmetic is done for it, an answer with a number that no passage states is withheld, and where nothing else is
    set it abstains at the level of caution that the page begins with.

    Raises:
        AdapterError: ``adapter``, the identity of one, is None.
    """
    if adapter is None:
        raise AdapterError(
            "RAG + LoRA needs an adapter that reads passages, and there is none. Train one (python "
            "-m playground train reader) or choose another technique."
        )
    abstain_at = DEFAULT_LEVEL.abstain_at if settings.abstain_at is None else settings.abstain_at
    return replace(settings, adapter=adapter, work_out=True, withhold_unsupported=True, abstain_at=abstain_at)


def reader_retrieval(retrieval: RetrievalSettings) -> RetrievalSettings:
    """Return ``retrieval`` with no more passages than the reader gets."""
    return replace(retrieval, top_k=min(retrieval.top_k, READER_TOP_K))


@lru_cache(maxsize=1)
def system_prompt() -> str:
    """Return the article's system prompt, word for word."""
    return (FOLDER / "system_prompt.txt").read_text(encoding="utf-8").strip()


@lru_cache(maxsize=1)
def few_shot_examples() -> tuple[FewShotExample, ...]:
    """Return the worked examples of an invented policy that is none of the samples."""
    return typed_json(tuple[FewShotExample, ...], (FOLDER / "few_shot.json").read_bytes(), only_known=True)


def sample_policies() -> tuple[Path, ...]:
    """Return the policies that ship with the project, by name; other files in their folder are not policies."""
    return tuple(
        path
        for path in sorted(POLICIES.iterdir())
        if path.is_file() and path.suffix in SUPPORTED_SUFFIXES and path.name != "README.md" and path.name[0] != "."
    )


@lru_cache(maxsize=1)
def _suggested() -> Mapping[str, list[str]]:
    # With what is expected of each: see demo.py.
    rows = typed_json(dict[str, list[dict[str, object]]], (FOLDER / "suggested.json").read_bytes())
    return {policy: [str(row["question"]) for row in of_policy] for policy, of_policy in rows.items()}


# For a policy that is not ours: a question is suggested when the policy speaks of its subject.
_NUMBER = r"(?:\d{1,4}|one|two|three|seven|ten|fourteen|twenty|thirty|sixty|ninety)"
_SUBJECTS: tuple[tuple[str, str], ...] = (
    (
        rf"\b{_NUMBER}[ -](?:(?:calendar|business|working|consecutive) )?(?:days?|weeks?|months?)\b",
        "How long do I have to return something?",
    ),
    (
        r"\b(?:restocking|handling|return|collection|pick-?up) (?:fee|charge)s?\b",
        "Is there a fee for returning an item?",
    ),
    (
        r"\b(?:final sale|non-?returnable|non-?refundable|exclu(?:ded|sions?)|"
        r"(?:cannot|can't) (?:be return|take|accept)|not (?:be )?(?:accept|return|refund)(?:ed|able)?\b)",
        "Which items cannot be returned?",
    ),
    (r"\b(?:damaged|faulty|defective|defects?|broken)\b", "What should I do if my item arrives damaged?"),
    (r"\b(?:return (?:shipping|postage|label)|prepaid label|labels?|postage)\b", "Who pays for return shipping?"),
    (r"\brefund(?:s|ed|ing)?\b", "How long does a refund take?"),
    (r"\bexchang(?:e|es|ed|ing)\b", "Can I exchange an item instead of returning it?"),
    (r"\bgifts?\b(?! (?:card|voucher|certificate))", "Can I return a gift?"),
)
# One question that an honest bot must decline: the first whose subject the policy never mentions.
_UNANSWERABLE: tuple[tuple[str, str], ...] = (
    (r"\brepair", "Do you repair items after the warranty has ended?"),
    (r"\b(?:student|discount)", "Is there a discount for students?"),
    (r"\bpark(?:ing|ed)?\b", "Where can I park at your store?"),
    (r"\bjobs?\b|\bcareers?\b|\bhiring\b", "How do I apply for a job at your company?"),
)
_ANY_TEXT = "What does this document say about returns?"
_MOST_SEARCHED_CHARACTERS = 200_000


def suggested_questions(document: Document) -> tuple[str, ...]:
    """Return up to five questions that fit ``document``, the last of which it has no answer to.

    For the shipped policies they are written by hand; for another one they follow from the subjects that it mentions
    (in English). Where it mentions none there is one question that fits any text.
    """
    by_hand = _suggested().get(document.source)
    if by_hand:
        return tuple(by_hand[:MOST_SUGGESTIONS])
    text = " ".join(document.text[:_MOST_SEARCHED_CHARACTERS].lower().replace("\u2019", "'").split())
    fitting = [question for subject, question in _SUBJECTS if re.search(subject, text)]
    if not fitting:
        return (_ANY_TEXT,)
    unanswerable = [question for subject, question in _UNANSWERABLE if not re.search(subject, text)]
    return (*fitting[: MOST_SUGGESTIONS - 1], *unanswerable[:1])
