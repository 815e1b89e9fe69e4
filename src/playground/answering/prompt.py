"""Assemble a prompt from its parts within the model's context, and account for every part and every omission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from playground.errors import ModelError
from playground.types import ChatModel, Document, Message, Passage, Prompt, PromptPart

Mode = Literal["no_text", "whole_document", "rag", "rag_few_shot", "rag_chain_of_thought", "rag_lora"]
MODES: tuple[Mode, ...] = get_args(Mode)
RAG_MODES: tuple[Mode, ...] = ("rag", "rag_few_shot", "rag_chain_of_thought", "rag_lora")

CHAIN_OF_THOUGHT = (
    "First write 'Reasoning:' and one sentence on what the text says about the question. Then write 'Answer:' and the "
    "short answer."
)


NO_TEXT = "(no text)"
"""Stands for the passages when there are none, so that the system prompt's "provided text" is not missing."""

_MOST_CHARACTERS_PER_TOKEN = 16
_SEARCH_STEP = 64
_LONGEST_WORD = 200


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
    """Everything that may go into a prompt; ``max_tokens`` is what must stay free for the answer.

    ``document`` goes into a whole-document prompt only, ``passages`` (best first) and ``examples`` into the RAG modes.
    """

    question: str
    mode: Mode
    system_prompt: str
    max_tokens: int
    document: Document | None = None
    passages: tuple[Passage, ...] = ()
    examples: tuple[FewShotExample, ...] = ()
    history: tuple[Turn, ...] = ()
    worked: tuple[str, ...] = ()
    """Arithmetic done for the model (see ``worked``), for the RAG modes."""


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
        ModelError: system prompt and question alone do not fit, or the answer leaves no room for them.
    """
    room = model.context_limit - request.max_tokens
    if room <= 0:
        raise ModelError(
            f"The longest answer allowed has {request.max_tokens:,} tokens, but question and answer together may have "
            f"only {model.context_limit:,} with this model. Allow a shorter answer or choose a model that takes more."
        )
    uses_passages = request.mode in RAG_MODES
    text = request.document.text if request.mode == "whole_document" and request.document else ""
    content = _Content(
        body=text,
        passages=list(request.passages) if uses_passages else [],
        examples=list(request.examples) if uses_passages else [],
        history=list(request.history),
    )

    def fits() -> bool:
        return model.count_prompt_tokens(_messages(request, content)) <= room

    if text and model.count_tokens(text) > room:
        # Nothing else can stay; counting the long text again for every turn would take seconds.
        content.history.clear()
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
            f"The question and the system prompt have {model.count_prompt_tokens(messages):,} tokens, more than the "
            f"{room:,} that are free beside an answer of {request.max_tokens:,}. Shorten them."
        )
    return Prompt(
        messages=messages,
        parts=_parts(request, content, model),
        context_limit=model.context_limit,
        passages=tuple(content.passages),
        omitted=tuple(_omissions(request, content, text, model)),
        document_end=len(content.body),
    )


def assembled_messages(request: PromptRequest) -> tuple[Message, ...]:
    """Return the messages of ``request`` with everything in them, whether a model could read that much or not."""
    uses_passages = request.mode in RAG_MODES
    return tuple(
        _messages(
            request,
            _Content(
                body=request.document.text if request.mode == "whole_document" and request.document else "",
                passages=list(request.passages) if uses_passages else [],
                examples=list(request.examples) if uses_passages else [],
                history=list(request.history),
            ),
        )
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


def _texts(request: PromptRequest, content: _Content) -> list[str]:
    """Return what stands under "Text:": the document, the passages, or that there are none."""
    if content.body:
        return [content.body]
    if content.passages:
        return [passage_text(passage) for passage in content.passages]
    return [NO_TEXT] if request.mode in RAG_MODES else []


def _messages(request: PromptRequest, content: _Content) -> list[Message]:
    mode = request.mode
    # An empty system message is an error to some endpoints.
    messages = [Message("system", request.system_prompt)] if request.system_prompt.strip() else []
    for example in content.examples:
        messages.append(Message("user", _context(example.passages) + _ask(example.question, mode)))
        messages.append(Message("assistant", _example_answer(example, mode)))
    context = _context(_texts(request, content))
    lead = context if mode == "whole_document" else ""
    for turn in content.history:
        messages.append(Message("user", lead + _ask(turn.question, "no_text")))
        messages.append(Message("assistant", turn.answer))
        context, lead = "" if lead else context, ""
    messages.append(Message("user", context + _worked(request, content) + _ask(request.question, mode)))
    return messages


def _worked(request: PromptRequest, content: _Content) -> str:
    """Return the block of arithmetic; it stands after the passages, so that these can be shared between questions."""
    return "Worked out:\n" + "\n".join(request.worked) + "\n\n" if request.worked and content.passages else ""


def _example_answer(example: FewShotExample, mode: Mode) -> str:
    if mode == "rag_chain_of_thought" and example.reasoning:
        return f"Reasoning: {example.reasoning}\nAnswer: {example.answer}"
    return example.answer


def _longest_beginning(text: str, content: _Content, request: PromptRequest, model: ChatModel, room: int) -> str:
    """Return the longest beginning of ``text``, cut between words, that fits into ``room`` tokens."""
    longest = ""
    # Few tokens are longer than 16 characters, so more text than that cannot fit.
    low, high = 0, min(len(text), _MOST_CHARACTERS_PER_TOKEN * room)
    while high - low > _SEARCH_STEP:
        middle = (low + high) // 2
        beginning = _cut(text, middle)
        if model.count_prompt_tokens(_messages(request, replace(content, body=beginning))) <= room:
            longest, low = beginning, middle
        else:
            high = middle
    return longest


def _cut(text: str, end: int) -> str:
    """Return ``text[:end]`` without a word that would be cut; one of over 200 characters is cut."""
    space = max(text.rfind("\n", 0, end), text.rfind(" ", 0, end))
    return text[: space if end - space <= _LONGEST_WORD else end].rstrip()


def _omissions(request: PromptRequest, content: _Content, text: str, model: ChatModel) -> Iterator[str]:
    limit = f"{model.context_limit:,} tokens"
    if len(content.body) < len(text):
        left_out = 100 - 100 * len(content.body) // len(text)
        yield (
            f"The document does not fit into {limit}: the last {left_out} % of it was left out. "
            "Use RAG, which needs only the relevant passages."
        )
    uses_passages = request.mode in RAG_MODES
    counts = (
        ("earlier questions", len(request.history), len(content.history)),
        ("examples", len(request.examples) if uses_passages else 0, len(content.examples)),
        ("passages", len(request.passages) if uses_passages else 0, len(content.passages)),
    )
    for name, given, kept in counts:
        if kept < given:
            yield f"{given - kept} of {given} {name} did not fit into {limit} and were left out."


def _parts(request: PromptRequest, content: _Content, model: ChatModel) -> tuple[PromptPart, ...]:
    """Count each part by itself; what is left of the whole prompt is the chat format's own tokens."""
    count = model.count_tokens
    parts = {
        "system": count(request.system_prompt) if request.system_prompt.strip() else 0,
        "examples": sum(
            count(_context(example.passages) + _ask(example.question, request.mode))
            + count(_example_answer(example, request.mode))
            for example in content.examples
        ),
        "history": sum(count(_ask(turn.question, "no_text")) + count(turn.answer) for turn in content.history),
        "text": count(_context(_texts(request, content))),
        "worked": count(_worked(request, content)),
        "question": count(_ask(request.question, request.mode)),
    }
    return parts_of_whole(parts, model.count_prompt_tokens(_messages(request, content)))


def parts_of_whole(parts: Mapping[str, int], whole: int) -> tuple[PromptPart, ...]:
    """Return parts that were counted one by one so that they add up to a prompt of ``whole`` tokens; none is empty.

    What is left over is the chat format's own. Tokens may join where the parts meet, and an estimate rounds each part
    up: the largest part bears the difference.
    """
    found, rest = dict(parts), whole - sum(parts.values())
    found[max(found, key=found.__getitem__)] += min(rest, 0)
    found["chat format"] = max(rest, 0)
    return tuple(PromptPart(name, tokens) for name, tokens in found.items() if tokens)
