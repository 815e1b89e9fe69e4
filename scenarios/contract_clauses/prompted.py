"""A chat model asked about single clauses and labels: too slow for whole contracts, so a fixed sample of pairs.

Half of the sampled pairs are right (the clause carries the label), and the wrong ones have the labels of right ones,
so that a strategy which answers by the label alone is right half of the time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from playground.answering.prompt import parts_of_whole
from playground.flagging.baselines import embed_clauses
from playground.measuring.cuad_metric import LEFT_OUT
from playground.measuring.evaluation import fingerprint_of
from playground.models.chat import LocalChatModel
from playground.types import AnnotatedClause, ChatModel, Embedder, Example, Message, Prediction, Strategy, Usage
from scenarios.contract_clauses.measured_contracts import LABELS, MeasuredContract, contract_of
from scenarios.contract_clauses.prompts import (
    chain_of_thought_messages,
    choose_examples,
    few_shot_messages,
    parse_decision,
    zero_shot_messages,
)
from scenarios.contract_clauses.scenario import few_shot_clauses, label

PROMPTED = ("zero-shot", "few-shot", "few-shot-nearest", "chain-of-thought")
ANSWERS = ("Yes", "No")

THRESHOLD = 0.5
"""Probability of Yes from which on the model is taken to say so."""
_LONGEST_CLAUSE = 4_000
_NEAREST_LOOKED_AT = 200
_ANSWER_TOKENS = 4
_REASONING_TOKENS = 160

Pair = tuple[int, int]
"""Place of a clause in its contract, and of a label in LABELS."""
BuildMessages = Callable[[AnnotatedClause, str], list[Message]]


@dataclass(frozen=True, slots=True)
class NearestExamples:
    """Finds, for a clause, the annotated clauses that resemble it; ``vectors`` are those of ``clauses``."""

    clauses: tuple[AnnotatedClause, ...]
    embedder: Embedder

    def load_finder(self) -> Callable[[AnnotatedClause], list[AnnotatedClause]]:
        """Embed the annotated clauses and return a function from a clause to the nearest of them, nearest first."""
        vectors = embed_clauses(self.clauses, self.embedder)

        def find(clause: AnnotatedClause) -> list[AnnotatedClause]:
            similarities = (embed_clauses([clause], self.embedder) @ vectors.T)[0]
            return [self.clauses[place] for place in (-similarities).argsort(kind="stable")[:_NEAREST_LOOKED_AT]]

        return find


def sampled_pairs(contract: MeasuredContract, count: int, seed: int) -> tuple[Pair, ...]:
    """Return ``count`` pairs of a contract, the same every time, in about half of which the clause carries the label.

    A contract without a label gives wrong pairs only. Names and dates are not asked about. A smaller ``count`` gives
    the beginning of the same pairs.
    """
    asked = [column for column, name in enumerate(LABELS) if name not in LEFT_OUT]
    right = [(row, column) for row, column in zip(*contract.gold.nonzero(), strict=True) if column in set(asked)]
    right = sorted(((int(row), int(column)) for row, column in right), key=_draw(seed, contract, "right"))
    labels = [column for _row, column in right] or sorted(asked, key=_draw(seed, contract, "label"))
    rows = sorted(range(len(contract.clauses)), key=_draw(seed, contract, "wrong"))
    pairs: list[Pair] = []
    # Which kind comes first is drawn too, so that odd counts are balanced over the contracts.
    first = int(fingerprint_of(seed, contract.title), 16) % 2
    for place in range(count):
        number = place // 2
        if place % 2 == first and number < len(right):
            pairs.append(right[number])
            continue
        column = labels[(number + 1) % len(labels)]
        wrong = [row for row in rows if not contract.gold[row, column] and (row, column) not in pairs]
        if wrong:
            pairs.append((wrong[place % len(wrong)], column))
    return tuple(pairs)


def prompted_strategy(
    load_messages: Callable[[], BuildMessages],
    model: ChatModel,
    *,
    count: int,
    seed: int,
    reasons: bool = False,
    adapter: str | None = None,
) -> Strategy:
    """Return a strategy that asks ``model`` about the sampled pairs of a contract.

    A local model is scored by the probability of Yes against No as the first token; an endpoint, and a chain of
    thought, by the text of the reply. A reply that says neither is kept as unreadable, and is wrong.

    The times of a prediction are sums over its pairs, as its tokens and the tokens of each part of the prompts are.
    ``first_token_s`` of a pair begins with making its conversation; where the first token is scored and not written, it
    ends with the score. It is absent where a pair has none: the sum would be too small.

    Args:
        load_messages: returns what makes the conversation for a clause and a label; called once.
        model: the chat model.
        count: pairs a contract.
        seed: of sample and model.
        reasons: let it write before it answers.
        adapter: LoRA adapter that the model answers with.
    """
    loaded: list[BuildMessages] = []

    def ask(example: Example) -> Prediction:
        if not loaded:
            loaded.append(load_messages())
        contract, build = contract_of(example), loaded[0]
        started = time.perf_counter()
        asked: list[dict[str, object]] = []
        answers: list[_Answer] = []
        pairs = sampled_pairs(contract, count, seed)
        for row, column in pairs:
            begun = time.perf_counter()
            messages = build(contract.clauses[row], LABELS[column])
            built_s = time.perf_counter() - begun
            answer = _answer(model, messages, seed=seed, reasons=reasons, adapter=adapter, built_s=built_s)
            answers.append(answer)
            asked.append(
                {
                    "clause": row,
                    "label": column,
                    "score": answer.score,
                    "reply": answer.reply,
                    "first_token_s": answer.first_token_s,
                    "messages": [asdict(message) for message in messages],
                }
            )
        total_s = time.perf_counter() - started
        # Counted when the clock has stopped: nobody waits for it.
        parts: Counter[str] = Counter()
        for answer, (row, _column) in zip(answers, pairs, strict=True):
            parts.update(prompt_parts(answer.messages, _bounded(contract.clauses[row]), model))
        scores, usages = [answer.score for answer in answers], [answer.usage for answer in answers]
        costs = [model.cost_usd(usage) for usage in usages]
        return Prediction(
            output=f"{sum((score or 0.0) >= THRESHOLD for score in scores)} of {len(asked)} pairs flagged",
            usage=_sum(usages),
            timings={"total_s": total_s, **_first_token_s(answers)},
            detail={
                "clauses": len(contract.clauses),
                "asked": asked,
                "parts": dict(parts),
                "unreadable": scores.count(None),
                "cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None),
            },
        )

    return ask


def message_builder(name: str, nearest: NearestExamples | None = None) -> BuildMessages:
    """Return what makes the conversations of one of PROMPTED; ``nearest`` is for few-shot-nearest."""
    if name == "zero-shot":
        return lambda clause, wanted: zero_shot_messages(_bounded(clause), label(wanted))
    if name == "chain-of-thought":
        return lambda clause, wanted: chain_of_thought_messages(_bounded(clause), label(wanted))
    find = nearest.load_finder() if nearest else None

    def few_shot(clause: AnnotatedClause, wanted: str) -> list[Message]:
        known = label(wanted)
        examples = choose_examples(known, find(clause) if find else few_shot_clauses())
        return few_shot_messages(_bounded(clause), known, examples)

    return few_shot


def prompt_parts(messages: Sequence[Message], clause_text: str, model: ChatModel) -> dict[str, int]:
    """Return the tokens of each part of a conversation about one clause; together they are the whole prompt.

    The first message is the system prompt, the last one the clause and what is asked of it, all between are examples.
    """
    count = model.count_tokens
    first, *examples, last = messages
    clause = clause_text.strip()
    parts = {
        "system": count(first.content),
        "examples": sum(count(message.content) for message in examples),
        "clause": count(clause),
        "question": count(last.content.replace(clause, "", 1)),
    }
    return {part.name: part.tokens for part in parts_of_whole(parts, model.count_prompt_tokens(messages))}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back about one pair; ``score`` is None where it cannot be read, ``first_token_s`` where nothing came.

    ``score`` is the probability of Yes, or 1.0 or 0.0 as the reply says.
    """

    messages: tuple[Message, ...]
    score: float | None
    usage: Usage | None
    reply: str
    first_token_s: float | None


def _answer(
    model: ChatModel, messages: Sequence[Message], *, seed: int, reasons: bool, adapter: str | None, built_s: float
) -> _Answer:
    """Ask about one pair; ``built_s`` is how long its conversation took to make."""
    if isinstance(model, LocalChatModel) and not reasons:
        started = time.perf_counter()
        (yes, _no), scored = model.choice_probabilities(messages, ANSWERS, adapter=adapter)
        return _Answer(tuple(messages), round(yes, 4), scored, "", built_s + time.perf_counter() - started)
    completion = model.complete(
        messages, max_tokens=_REASONING_TOKENS if reasons else _ANSWER_TOKENS, seed=seed, adapter=adapter
    )
    decision, first = parse_decision(completion.text), completion.first_token_s
    return _Answer(
        messages=tuple(messages),
        score=None if decision is None else float(decision),
        usage=completion.usage,
        reply=completion.text,
        first_token_s=None if first is None else built_s + first,
    )


def _first_token_s(answers: Sequence[_Answer]) -> dict[str, float]:
    known = [answer.first_token_s for answer in answers if answer.first_token_s is not None]
    return {"first_token_s": sum(known)} if known and len(known) == len(answers) else {}


def _bounded(clause: AnnotatedClause) -> str:
    return clause.text[:_LONGEST_CLAUSE]


def _draw(seed: int, contract: MeasuredContract, purpose: str) -> Callable[[object], str]:
    return lambda drawn: fingerprint_of(seed, contract.title, purpose, drawn)


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None  # unknown is not zero
    return Usage(
        sum(usage.input_tokens for usage in known),
        sum(usage.output_tokens for usage in known),
        sum(usage.cached_tokens for usage in known),
    )
