"""Reading the chunks of a streamed chat completion. The openai package does not check their shape, so this does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground.types import Usage


@dataclass
class Received:
    """What a stream has brought so far. ``chunks`` counts all, ``choices`` those that held a part of the answer."""

    text: str = ""
    usage: Usage | None = None
    finish_reason: str | None = None
    first_token_s: float | None = None
    chunks: int = 0
    choices: int = 0


def read_chunk(chunk: Any, received: Received) -> str:
    """Return the text in a chunk and note its finish reason and usage. The package does not check a chunk's shape.

    Raises:
        ValueError: the chunk is not one of the protocol.
    """
    received.chunks += 1
    choices = getattr(chunk, "choices", None)
    if not isinstance(choices, list | None):
        raise ValueError("choices is no list")
    if usage := _usage(getattr(chunk, "usage", None)):
        received.usage = usage
    if not choices:
        return ""
    received.choices += 1
    received.finish_reason = getattr(choices[0], "finish_reason", None) or received.finish_reason
    delta = getattr(choices[0], "delta", None)
    piece = getattr(delta, "content", None) or getattr(delta, "refusal", None) or ""
    if not isinstance(piece, str):
        raise ValueError("content is no text")
    return piece


def _usage(reported: Any) -> Usage | None:
    input_tokens = _count(getattr(reported, "prompt_tokens", None))
    output_tokens = _count(getattr(reported, "completion_tokens", None))
    if input_tokens is None or output_tokens is None:
        return None
    cached_tokens = _count(getattr(getattr(reported, "prompt_tokens_details", None), "cached_tokens", None))
    return Usage(input_tokens, output_tokens, min(cached_tokens or 0, input_tokens))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
