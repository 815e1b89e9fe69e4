"""Assemble a prompt from its parts within the model's context, and account for every part and every omission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from playground.errors import ModelError
from playground.types import ChatModel, Document, Message, Passage, Prompt, PromptPart

Mode = Literal["no_text", "whole_document", "rag", "rag_few_shot", "rag_chain_of_thought"]

CHAIN_OF_THOUGHT = (
    "First write 'Reasoning:' and one sentence on what the text says about the question. Then write 'Answer:' and the "
    "short answer."
)


@dataclass(frozen=True, slots=True)
class FewShotExample:
    """A worked example of an invented policy, shown to the model before the real question."""

    passages: tuple[str, ...]
    question: str
    answer: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """Everything that may go into a prompt; ``max_tokens`` is what must stay free for the answer."""

    question: str
    mode: Mode
    system_prompt: str
    max_tokens: int
    document: Document | None = None
    passages: tuple[Passage, ...] = ()
    examples: tuple[FewShotExample, ...] = ()
    history: tuple[Turn, ...] = ()


@dataclass(slots=True)
class _Content:
    """What is still in the prompt; ``body`` is the whole document or the beginning of it that fits."""

    body: str
    passages: list[Passage]
    examples: list[FewShotExample]
    history: list[Turn]


def build_prompt(request: PromptRequest, model: ChatModel) -> Prompt:
    """Return the messages for ``request``, dropping what does not fit and saying so.

    Dropped first are the oldest turns of the conversation, then the examples, then the lowest-ranked passages; a
    whole document keeps its beginning. In whole-document mode the text stands before everything that changes, so that
    an engine can reuse its work on it for the next question.

    Raises:
        ModelError: system prompt and question alone do not fit.
    """
    room = model.context_limit - request.max_tokens
    text = request.document.text if request.mode == "whole_document" and request.document else ""
    content = _Content(text, list(request.passages), list(request.examples), list(request.history))

    def fits() -> bool:
        return model.count_prompt_tokens(_messages(request, content)) <= room

    while content.history and not fits():
        content.history.pop(0)
    while content.examples and not fits():
        content.examples.pop()
    while content.passages and not fits():
        content.passages.pop()
    if text and not fits():
        content.body = _longest_beginning(text, content, request, model, room)
    messages = tuple(_messages(request, content))
    if not fits():
        raise ModelError(
            f"The question and the system prompt have {model.count_prompt_tokens(messages)} tokens, more than the "
            f"{room} that fit. Shorten them."
        )
    return Prompt(
        messages=messages,
        parts=_parts(request, content, model),
        context_limit=model.context_limit,
        passages=tuple(content.passages),
        omitted=tuple(_omissions(request, content, text, model)),
    )


def passage_text(passage: Passage) -> str:
    """Return a passage as the model reads it: its headings on one line, then its text."""
    path = " > ".join(passage.chunk.heading_path)
    return f"[{path}]\n{passage.chunk.text}" if path else passage.chunk.text


def _context(texts: Sequence[str]) -> str:
    return "Text:\n" + "\n\n".join(texts) + "\n\n" if texts else ""


def _ask(question: str, mode: Mode) -> str:
    suffix = f"\n{CHAIN_OF_THOUGHT}" if mode == "rag_chain_of_thought" else ""
    return f"Question: {question}{suffix}"


def _messages(request: PromptRequest, content: _Content) -> list[Message]:
    mode = request.mode
    messages = [Message("system", request.system_prompt)]
    for example in content.examples:
        messages.append(Message("user", _context(example.passages) + _ask(example.question, mode)))
        messages.append(Message("assistant", _example_answer(example, mode)))
    lead = _context([content.body] if content.body else [])
    for turn in content.history:
        messages.append(Message("user", lead + _ask(turn.question, "no_text")))
        messages.append(Message("assistant", turn.answer))
        lead = ""
    context = _context([passage_text(passage) for passage in content.passages])
    messages.append(Message("user", lead + context + _ask(request.question, mode)))
    return messages


def _example_answer(example: FewShotExample, mode: Mode) -> str:
    if mode == "rag_chain_of_thought" and example.reasoning:
        return f"Reasoning: {example.reasoning}\nAnswer: {example.answer}"
    return example.answer


def _longest_beginning(text: str, content: _Content, request: PromptRequest, model: ChatModel, room: int) -> str:
    """Return the longest beginning of ``text``, cut at a line or word end, that fits into ``room`` tokens."""
    # Text of n tokens has at least n characters, so the search starts with what could fit at all.
    low, high = 0, min(len(text), 16 * room)
    while high - low > 64:
        middle = (low + high) // 2
        trial = replace(content, body=text[:middle])
        low, high = (middle, high) if model.count_prompt_tokens(_messages(request, trial)) <= room else (low, middle)
    return text[: max(text.rfind("\n", 0, low), text.rfind(" ", 0, low), 0)]


def _omissions(request: PromptRequest, content: _Content, text: str, model: ChatModel) -> Iterator[str]:
    if len(content.body) < len(text):
        share = 100 - 100 * len(content.body) // len(text)
        yield (
            f"The document does not fit into {model.context_limit:,} tokens: the last {share} % of it was left out. "
            "Use RAG, which needs only the relevant passages."
        )
    counts = (
        ("earlier questions", len(request.history), len(content.history)),
        ("examples", len(request.examples), len(content.examples)),
        ("passages", len(request.passages), len(content.passages)),
    )
    for name, given, kept in counts:
        if kept < given:
            yield f"{given - kept} of {given} {name} did not fit into {model.context_limit:,} tokens and were left out."


def _parts(request: PromptRequest, content: _Content, model: ChatModel) -> tuple[PromptPart, ...]:
    """Count each part by itself; the chat format's own tokens (and rounding at the seams) are the remainder."""
    count = model.count_tokens
    texts = [content.body] if content.body else [passage_text(passage) for passage in content.passages]
    parts = {
        "system": count(request.system_prompt),
        "examples": sum(
            count(_context(example.passages) + _ask(example.question, request.mode))
            + count(_example_answer(example, request.mode))
            for example in content.examples
        ),
        "history": sum(count(_ask(turn.question, "no_text")) + count(turn.answer) for turn in content.history),
        "text": count(_context(texts)),
        "question": count(_ask(request.question, request.mode)),
    }
    rest = model.count_prompt_tokens(_messages(request, content)) - sum(parts.values())
    parts["chat format"] = max(rest, 0)
    return tuple(PromptPart(name, tokens) for name, tokens in parts.items() if tokens)
