"""Answer a question about a document: retrieve, prompt, generate, cite, check the numbers.

Retrieval-augmented generation after Lewis et al., 2020 (arXiv 2005.11401), with the document's own sentences as
evidence beside the answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from playground.answering.arithmetic import worked_lines
from playground.answering.citations import cite, is_abstention, unsupported
from playground.answering.contradictions import contradicting
from playground.answering.follow_up import is_follow_up, standalone_query
from playground.answering.prompt import RAG_MODES, FewShotExample, Mode, PromptRequest, Turn, build_prompt
from playground.answering.rules import RuledAnswer, answer_by_rule
from playground.errors import PlaygroundError
from playground.models.repetition import without_repetition
from playground.retrieval.index import PassageIndex, RetrievalSettings
from playground.telemetry import traced
from playground.text.normalise import normalise_text
from playground.text.spelling import mend_spelling
from playground.types import (
    Answer,
    ChatModel,
    Citation,
    Completion,
    Document,
    GuardedChatModel,
    Message,
    OnToken,
    Passage,
    Prompt,
    ReadAhead,
    ReadingChatModel,
    Usage,
)

MOST_QUESTION_CHARACTERS = 2_000
MOST_TURNS = 3
_MOST_VOCABULARY_CHARACTERS = 500_000
ABSTENTION = "I don't know."
"""What the article's system prompt asks for where the text has no answer."""

_LABEL = r"[*_#>\s]{0,8}(?:the\s|my\s)?(?:final\s|short\s)?answer(?:\sis)?[*_]{0,3}\s?:[*_]{0,3}"
_ANSWER = re.compile(rf"(?:^|\n|(?<=[.!?])\s){_LABEL}|\s(?-i:Answer):", re.IGNORECASE)
_REASONING = re.compile(r"\s*[*_#]{0,4}reasoning[*_]{0,3}\s?:[*_]{0,3}\s*", re.IGNORECASE)
# A small model may go on by inventing the next question.
_NEXT_QUESTION = re.compile(r"\n[*_#\s]{0,4}(?:question|text)[*_]{0,3}\s?:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BotSettings:
    """How the bot answers. Of a follow-up ``history_turns`` earlier turns go into the prompt, at most ``MOST_TURNS``.

    ``work_out``: arithmetic on the question's and the passages' numbers is done for the model (see ``worked``).
    ``abstain_at``: the answer is "I don't know." where the model gives that at least this probability; None leaves it
    to the model's own text, and a model that cannot be asked is not. ``withhold_unsupported``: an answer with a number
    that no passage states is not given; it stays readable as the answer's ``withheld``. ``english_only``: the name of a
    model that reads English alone; what is in another language is declined with that reason.
    """

    system_prompt: str
    mode: Mode = "rag"
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    max_tokens: int = 160
    temperature: float = 0.0
    seed: int = 0
    history_turns: int = 2
    adapter: str | None = None
    work_out: bool = False
    abstain_at: float | None = None
    withhold_unsupported: bool = False
    english_only: str = ""


def _span_attributes(given: Mapping[str, Any]) -> dict[str, str | int]:
    return {"gen_ai.agent.name": "policy bot", "playground.mode": given["settings"].mode}


def _span_result(answer: Answer) -> dict[str, str | int]:
    return {"playground.abstained": answer.abstained, "playground.passages": len(answer.passages)}


@traced("invoke_workflow", _span_attributes, _span_result)
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
    mode only, ``history`` only where the question cannot be understood without it.

    Raises:
        PlaygroundError: the question is empty or longer than 2,000 characters, does not fit, or the model failed.
    """
    typed = checked_question(question)
    if ruled := answer_by_rule(typed, index.document, english_only=settings.english_only):
        return _ruled(ruled, model.context_limit)
    question = mend_spelling(typed, _vocabulary(index.document))
    turns = _leaned_on(question, history, settings.history_turns)
    query = retrieval_query(question, turns)
    started = time.perf_counter()
    passages = index.search(query, settings.retrieval) if settings.mode in RAG_MODES else ()
    retrieve_s = time.perf_counter() - started
    worked = worked_lines(question, [passage.chunk.text for passage in passages]) if settings.work_out else ()
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
            worked=worked,
        ),
        model,
    )
    completion = _completed(prompt.messages, model, settings, on_token)
    reasoning, text = "", completion.text.strip()
    if settings.mode == "rag_chain_of_thought":
        reasoning, text = split_reasoning(completion.text)
    if completion.stop_reason == "repetition":
        text = without_repetition(text)
    abstained = is_abstention(text)
    shown = _shown(index, prompt)
    citations = () if abstained else cite(text, shown, index.document, query)
    said = "\n".join([*(turn.question for turn in turns), question])
    numbers = _Numbers() if abstained else _check_numbers(text, citations, shown, said, worked)
    withheld = ""
    if settings.withhold_unsupported and numbers.unstated:
        withheld, text = text, ABSTENTION
        abstained, citations = True, ()
    return Answer(
        text=text,
        abstained=abstained,
        citations=citations,
        passages=prompt.passages,
        completion=completion,
        prompt=prompt,
        retrieve_s=retrieve_s,
        reasoning=reasoning,
        # A guard must not warn of what a passage says, whether a sentence of it could be cited or not.
        unsupported=() if settings.withhold_unsupported else numbers.unsupported,
        cost_usd=model.cost_usd(completion.usage),
        unstated=numbers.unstated,
        worked_out=() if withheld else numbers.worked_out,
        withheld=withheld,
        read_as=question if question != typed else "",
        contradicted_by=contradicting(text, citations, question),
    )


def _ruled(ruled: RuledAnswer, context_limit: int) -> Answer:
    """Return what a rule answers; no model saw anything."""
    return Answer(
        text=ruled.text,
        abstained=ruled.declines,
        citations=ruled.citations,
        passages=(),
        completion=Completion(ruled.text, "a rule", (), Usage(0, 0), None, 0.0, "end"),
        prompt=Prompt((), (), context_limit),
        retrieve_s=0.0,
        cost_usd=0.0,
        rule=ruled.rule,
    )


def read_ahead(
    document: Document,
    model: ReadingChatModel,
    settings: BotSettings,
    *,
    on_disk: bool,
    on_progress: Callable[[int, int], None],
) -> ReadAhead:
    """Read what every question in whole-document mode begins with, so that it costs its own tokens only.

    See ``ReadingChatModel.read_ahead``.

    Raises:
        ModelError: the system prompt does not fit beside an answer.
    """
    # Two questions that begin with another word each: what they share is what every question shares.
    prompts = [
        build_prompt(
            PromptRequest(
                question=question,
                mode=settings.mode,
                system_prompt=settings.system_prompt,
                max_tokens=settings.max_tokens,
                document=document,
            ),
            model,
        ).messages
        for question in ("Are returns free?", "Who pays?")
    ]
    return model.read_ahead(prompts, adapter=settings.adapter, on_disk=on_disk, on_progress=on_progress)


@lru_cache(maxsize=8)
def _vocabulary(document: Document) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d_]+", document.text[:_MOST_VOCABULARY_CHARACTERS].lower()))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """See the fields of the same names of ``Answer``."""

    unsupported: tuple[str, ...] = ()
    unstated: tuple[str, ...] = ()
    worked_out: tuple[str, ...] = ()


def _check_numbers(
    text: str, citations: Sequence[Citation], shown: Sequence[Passage], said: str, worked: Sequence[str]
) -> _Numbers:
    """Compare the numbers of an answer with what the user ``said``, the passages, and what was ``worked`` out."""
    # What was worked out for the model was given to it, and is shown with the prompt: as good as stated.
    given = "\n".join([said, *worked])
    unstated = unsupported(text, None, shown, given)
    return _Numbers(
        unsupported=unsupported(text, citations, shown, given),
        unstated=unstated,
        worked_out=tuple(number for number in unsupported(text, None, shown, said) if number not in unstated),
    )


def _completed(
    messages: Sequence[Message], model: ChatModel, settings: BotSettings, on_token: OnToken | None
) -> Completion:
    if settings.abstain_at is not None and settings.temperature <= 0 and isinstance(model, GuardedChatModel):
        return model.complete_guarded(
            messages,
            abstention=ABSTENTION,
            abstain_at=settings.abstain_at,
            max_tokens=settings.max_tokens,
            on_token=on_token,
            adapter=settings.adapter,
        )
    return model.complete(
        messages,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=settings.seed,
        on_token=on_token,
        adapter=settings.adapter,
    )


def split_reasoning(text: str) -> tuple[str, str]:
    """Split chain-of-thought output into reasoning and answer at its last "Answer:".

    In small letters, or with "final" before it, the label must begin a sentence. Text that goes on with a new
    "Question:" is cut there. Earlier answers stay in the reasoning, as thoughts on the way. Without an answer (the
    output was cut off, or the label is missing) everything is the answer, without labels.
    """
    text = text.lstrip()
    following = _NEXT_QUESTION.search(text)
    text = text[: following.start()] if following else text
    body = _REASONING.sub("", text, count=1) if _REASONING.match(text) else text
    labels = list(_ANSWER.finditer(body))
    while labels and not _has_words(body[labels[-1].end() :]):
        body = body[: labels.pop().start()]
    if not labels:
        return "", body.strip()
    return body[: labels[-1].start()].strip(), body[labels[-1].end() :].strip()


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _leaned_on(question: str, history: Sequence[Turn], most: int) -> tuple[Turn, ...]:
    """Return the turns that go into the prompt: none for a question that stands alone.

    A small model repeats what it reads, right or wrong, so an earlier answer costs more than it helps.
    """
    return tuple(history)[-min(most, MOST_TURNS) :] if most > 0 and is_follow_up(question) else ()


def retrieval_query(question: str, history: Sequence[Turn]) -> str:
    """Return what is searched for: a follow-up ("and for opened ones?") is read together with the questions before."""
    return standalone_query(question, [turn.question for turn in history])


def checked_question(question: str) -> str:
    """Return the question without invisible characters, at most one empty line at a time.

    Raises:
        PlaygroundError: it is empty or longer than MOST_QUESTION_CHARACTERS.
    """
    question = re.sub(r"\n\s*\n", "\n\n", normalise_text(question).replace("\t", " ")).strip()
    if not _has_words(question):
        raise PlaygroundError("The question is empty. Type a question about the document.")
    if len(question) > MOST_QUESTION_CHARACTERS:
        raise PlaygroundError(
            f"The question has {len(question):,} characters; at most {MOST_QUESTION_CHARACTERS:,} are read. Shorten "
            "it, or load long text as a document."
        )
    return question


def _shown(index: PassageIndex, prompt: Prompt) -> tuple[Passage, ...]:
    """Return the passages that the model saw: of a document that did not fit, those before the cut."""
    if not prompt.document_end:
        return prompt.passages
    chunks = (chunk for chunk in index.chunks if chunk.end <= prompt.document_end)
    return tuple(Passage(chunk, 1.0, rank) for rank, chunk in enumerate(chunks, start=1))
