"""Prompts with completions as tokens, in the chat format of a model."""

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


@dataclass(frozen=True, slots=True)
class PromptCompletion:
    """A conversation up to where the assistant speaks, and what it shall say."""

    messages: tuple[Message, ...]
    completion: str


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
