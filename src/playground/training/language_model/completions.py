"""Prompts with the completions that a language model shall learn, as the token ids that the engine will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from playground.errors import TrainingError
from playground.models.chat import ChatMl
from playground.models.transformers_engine import TransformersCodec
from playground.types import Message

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ChatFormat = Literal["chatml", "template"]
"""The bundled model's own format, or the chat template that comes with another model's tokenizer."""


@dataclass(frozen=True, slots=True)
class PromptCompletion:
    """A conversation up to where the assistant speaks, and what it shall say."""

    messages: tuple[Message, ...]
    completion: str


@dataclass(frozen=True, slots=True)
class TokenisedCompletion:
    """Token ids of prompt and completion; the loss is on ``ids[completion_start:]`` only."""

    ids: tuple[int, ...]
    completion_start: int


@dataclass(frozen=True, slots=True)
class PackedCompletions:
    """Examples that begin alike, in one row: what they share once, then the rest of each.

    No rest sees another one, and each counts its positions on from the shared beginning, so that the loss is that of
    the examples in rows of their own, at the cost of one reading of the beginning. ``completion_start`` of a rest
    counts in that rest.
    """

    prefix: tuple[int, ...]
    rests: tuple[TokenisedCompletion, ...]

    @property
    def tokens(self) -> int:
        """Length of the row."""
        return len(self.prefix) + sum(len(rest.ids) for rest in self.rests)


class CompletionCodec(Protocol):
    """What encodes a prompt at inference, and the completion to be learnt after it."""

    def encode(self, messages: Sequence[Message]) -> list[int]: ...

    def encode_completion(self, text: str) -> list[int]:
        """Return the ids that the model shall emit for ``text``, the one that ends its turn included."""
        ...


class ChatMlCompletions(ChatMl):
    """The engine's ``ChatMl`` itself, so that a prompt has the same ids in training as in use."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer)

    def encode_completion(self, text: str) -> list[int]:
        """Return the ids of ``text`` and of ``<|im_end|>``.

        Encoded apart from the prompt: the engine's prompt ends before it, and no token may span the two.
        """
        return [*self._text_ids(text), self._end]


class TemplateCompletions(TransformersCodec):
    """The codec of ``load_transformers_chat``, for bases other than the bundled one."""

    def encode_completion(self, text: str) -> list[int]:
        """Return the ids of ``text`` and of the tokenizer's end token."""
        ids: list[int] = self._tokenizer(self._plain(text), add_special_tokens=False)["input_ids"]
        return [*ids, int(self._tokenizer.eos_token_id)]


def load_completion_codec(base_folder: Path, chat_format: ChatFormat = "chatml") -> CompletionCodec:
    """Read the tokenizer of a Hugging Face folder.

    Raises:
        TrainingError: there is none, or it cannot be read.
        ModelError: its format shall be ChatML, but it has none of ChatML's tokens.
    """
    try:
        if chat_format == "chatml":
            from tokenizers import Tokenizer

            return ChatMlCompletions(Tokenizer.from_file(str(base_folder / "tokenizer.json")))
        from transformers import AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(str(base_folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # the tokenizers library raises bare Exception
        raise TrainingError(
            f"The tokenizer in {base_folder} cannot be read ({str(error)[:200]}). Give a Hugging Face folder with "
            "tokenizer.json, or fetch the bundled model again with `python -m playground models fetch`."
        ) from error
    if tokenizer.eos_token_id is None:
        raise TrainingError(
            f"The tokenizer in {base_folder} has no end token, so the model could not learn where to stop. Choose a "
            "chat model as base."
        )
    return TemplateCompletions(tokenizer, frozenset({int(tokenizer.eos_token_id)}))


def tokenise(
    examples: Sequence[PromptCompletion], codec: CompletionCodec, max_tokens: int
) -> tuple[list[TokenisedCompletion], int]:
    """Return the examples as token ids, and how many were left out because they exceed ``max_tokens``.

    Left out and not cut: a cut prompt may have lost what its completion rests on.

    Raises:
        TrainingError: a completion is empty.
    """
    kept, skipped = [], 0
    for number, example in enumerate(examples, start=1):
        if not example.completion.strip():
            raise TrainingError(f"Example {number} has no completion, so there is nothing to learn. Remove it.")
        prompt = codec.encode(example.messages)
        ids = (*prompt, *codec.encode_completion(example.completion))
        if len(ids) > max_tokens:
            skipped += 1
        else:
            kept.append(TokenisedCompletion(ids, len(prompt)))
    return kept, skipped


def pack_neighbours(examples: Sequence[TokenisedCompletion], max_tokens: int) -> list[PackedCompletions]:
    """Put neighbours that share at least half of their tokens into one row of at most ``max_tokens``.

    Only neighbours: the caller's order says what belongs together, such as questions on the same passages. A row keeps
    its examples through every epoch.
    """
    packed: list[PackedCompletions] = []
    group: list[TokenisedCompletion] = []
    shared = 0
    for example in examples:
        common = min(_common(group[0], example), shared) if group else 0
        tokens = common + sum(len(member.ids) - common for member in (*group, example))
        if group and 2 * common >= len(example.ids) and tokens <= max_tokens:
            group.append(example)
            shared = common
            continue
        if group:
            packed.append(_packed(group, shared))
        group, shared = [example], example.completion_start - 1
    if group:
        packed.append(_packed(group, shared))
    return packed


def _common(first: TokenisedCompletion, second: TokenisedCompletion) -> int:
    """Return how many tokens the prompts begin with alike; the last token of a prompt is never counted.

    It predicts the completion's first token, so that it must stand in the rest.
    """
    most = min(first.completion_start, second.completion_start) - 1
    pairs = zip(first.ids[:most], second.ids[:most], strict=True)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), most)


def _packed(group: Sequence[TokenisedCompletion], shared: int) -> PackedCompletions:
    rests = tuple(TokenisedCompletion(member.ids[shared:], member.completion_start - shared) for member in group)
    return PackedCompletions(group[0].ids[:shared], rests)
