"""Answer a question about a document: retrieve, prompt, generate, cite, check the numbers.

Retrieval-augmented generation after Lewis et al., 2020 (arXiv 2005.11401), with the document's own sentences as
evidence beside the answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from playground.errors import PlaygroundError
from playground.evidence import cite, is_abstention, unsupported
from playground.index import PassageIndex, RetrievalSettings
from playground.prompting import FewShotExample, Mode, PromptRequest, Turn, build_prompt
from playground.types import Answer, ChatModel, OnToken, Passage

MOST_QUESTION_CHARACTERS = 2_000
MOST_TURNS = 3

_FOLLOW_UP = re.compile(
    r"^\W*(?:and|or|but|also|so|then|what about|how about|what if|why|really|same|else)\b"
    r"|\b(?:it|its|that|those|these|them|they|ones?|this|there|then)\b",
    re.IGNORECASE,
)
_MOST_FOLLOW_UP_WORDS = 12


@dataclass(frozen=True, slots=True)
class BotSettings:
    """How the bot answers. ``history_turns`` earlier turns go into the prompt, at most ``MOST_TURNS``."""

    system_prompt: str
    mode: Mode = "rag"
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    max_tokens: int = 160
    temperature: float = 0.0
    seed: int = 0
    history_turns: int = 2
    adapter: str | None = None


def answer_question(
    question: str,
    index: PassageIndex,
    model: ChatModel,
    settings: BotSettings,
    *,
    examples: Sequence[FewShotExample] = (),
    history: Sequence[Turn] = (),
    on_token: OnToken | None = None,
) -> Answer:
    """Answer ``question`` from the document of ``index``.

    The index given is the one used to the end, whatever replaces it meanwhile. ``examples`` are used in the few-shot
    mode only.

    Raises:
        PlaygroundError: the question is empty or longer than 2,000 characters, does not fit, or the model failed.
    """
    question = _checked(question)
    turns = tuple(history)[-min(settings.history_turns, MOST_TURNS) :] if settings.history_turns > 0 else ()
    started = time.perf_counter()
    passages = _retrieve(question, turns, index, settings)
    retrieve_s = time.perf_counter() - started
    prompt = build_prompt(
        PromptRequest(
            question=question,
            mode=settings.mode,
            system_prompt=settings.system_prompt,
            max_tokens=settings.max_tokens,
            document=index.document,
            passages=passages,
            examples=tuple(examples) if settings.mode == "rag_few_shot" else (),
            history=turns,
        ),
        model,
    )
    completion = model.complete(
        prompt.messages,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed,
        on_token=on_token,
        adapter=settings.adapter,
    )
    reasoning, text = (
        split_reasoning(completion.text) if settings.mode == "rag_chain_of_thought" else ("", completion.text)
    )
    text = text.strip()
    abstained = is_abstention(text)
    shown = _everything(index) if settings.mode == "whole_document" else prompt.passages
    citations = () if abstained else cite(text, shown, index.document)
    return Answer(
        text=text,
        abstained=abstained,
        citations=citations,
        passages=prompt.passages,
        completion=completion,
        prompt=prompt,
        retrieve_s=retrieve_s,
        reasoning=reasoning,
        unsupported=() if abstained else unsupported(text, citations, shown, question),
        cost_usd=model.cost_usd(completion.usage),
    )


def split_reasoning(text: str) -> tuple[str, str]:
    """Split chain-of-thought output at its last "Answer:"; without one, everything is the answer."""
    head, separator, tail = text.rpartition("Answer:")
    if not separator or not tail.strip():
        return "", text
    return re.sub(r"^\s*Reasoning:\s*", "", head).strip(), tail.strip()


def retrieval_query(question: str, history: Sequence[Turn]) -> str:
    """Return what is searched for: a follow-up ("and for opened ones?") is read together with the question before."""
    short = len(question.split()) <= _MOST_FOLLOW_UP_WORDS
    if history and short and _FOLLOW_UP.search(question):
        return f"{history[-1].question} {question}"
    return question


def _checked(question: str) -> str:
    question = "".join(c for c in question if c.isprintable() or c in "\n\t").strip()
    if not question:
        raise PlaygroundError("The question is empty. Type a question about the policy.")
    if len(question) > MOST_QUESTION_CHARACTERS:
        raise PlaygroundError(
            f"The question has {len(question):,} characters; at most {MOST_QUESTION_CHARACTERS:,} are read. Shorten "
            "it, or load long text as a policy."
        )
    return question


def _retrieve(question: str, turns: Sequence[Turn], index: PassageIndex, settings: BotSettings) -> tuple[Passage, ...]:
    if settings.mode in ("no_text", "whole_document"):
        return ()
    return index.search(retrieval_query(question, turns), settings.retrieval)


def _everything(index: PassageIndex) -> tuple[Passage, ...]:
    return tuple(Passage(chunk, 1.0, rank) for rank, chunk in enumerate(index.chunks, start=1))
