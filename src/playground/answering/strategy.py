"""The ways to answer an example, each behind the one protocol ``Strategy``: example -> prediction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from playground.answering.answer import BotSettings, answer_question
from playground.answering.prompt import FewShotExample, Turn
from playground.retrieval.index import PassageIndex
from playground.types import Answer, ChatModel, Citation, Example, OnToken, Prediction, Strategy


def document_strategy(
    index_of: Callable[[Example], PassageIndex],
    model: ChatModel,
    settings: BotSettings,
    examples: Sequence[FewShotExample] = (),
) -> Strategy:
    """Return a strategy that answers ``example.input`` from the document of ``index_of(example)``."""

    def answer(example: Example) -> Prediction:
        return as_prediction(*answer_timed(example.input, index_of(example), model, settings, examples=examples))

    return answer


def answer_timed(
    question: str,
    index: PassageIndex,
    model: ChatModel,
    settings: BotSettings,
    *,
    examples: Sequence[FewShotExample] = (),
    history: Sequence[Turn] = (),
    on_token: OnToken | None = None,
) -> tuple[Answer, dict[str, float]]:
    """Answer one question and return the answer with its times in seconds, all from the moment of the question.

    ``retrieve_s`` is the retrieval alone, ``first_token_s`` the wait for the first text (absent when none came),
    ``total_s`` everything, citations included.
    """
    started = time.perf_counter()
    timings: dict[str, float] = {}

    def receive(text: str) -> None:
        if text and "first_token_s" not in timings:
            timings["first_token_s"] = time.perf_counter() - started
        if on_token is not None:
            on_token(text)

    answer = answer_question(question, index, model, settings, examples=examples, history=history, on_token=receive)
    timings["retrieve_s"] = answer.retrieve_s
    timings["total_s"] = time.perf_counter() - started
    return answer, timings


def as_prediction(answer: Answer, timings: dict[str, float]) -> Prediction:
    """Return ``answer`` as a row keeps it: ``detail`` is ready for JSON and says how the answer came about."""
    return Prediction(
        output=answer.text,
        usage=answer.completion.usage,
        timings=timings,
        detail={
            "abstained": answer.abstained,
            "unsupported": list(answer.unsupported),
            "unstated": list(answer.unstated),
            "worked_out": list(answer.worked_out),
            "withheld": answer.withheld,
            "citations": [citation_row(citation) for citation in answer.citations],
            "passages": [
                {"rank": passage.rank, "score": passage.score, "start": passage.chunk.start, "end": passage.chunk.end}
                for passage in answer.passages
            ],
            "messages": [asdict(message) for message in answer.completion.messages],
            "parts": {part.name: part.tokens for part in answer.prompt.parts},
            "omitted": list(answer.prompt.omitted),
            "reasoning": answer.reasoning,
            "stop_reason": answer.completion.stop_reason,
            "abstain_probability": answer.completion.abstain_probability,
            "cost_usd": answer.cost_usd,
        },
    )


def citation_row(citation: Citation) -> dict[str, object]:
    """Return a citation as rows and ``ask --json`` show it; ``start`` and ``end`` count into the extracted text."""
    return {
        "document": citation.document,
        "start": citation.start,
        "end": citation.end,
        "text": citation.text,
        "score": citation.score,
    }
