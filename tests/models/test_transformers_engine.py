"""Chat templates of other models: a system prompt that is refused or dropped, thinking, and what cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.errors import ModelError
from playground.models.completion_codec import TemplateCompletions
from playground.models.transformers_engine import TransformersCodec
from playground.types import Message
from tests.support.tiny_language_model import write_tiny_llama

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Gemma's and the first Mistral's, and as one that forgets.
REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% endfor %}" + CHATML
)
DROPPING = "{% set messages = messages | rejectattr('role', 'equalto', 'system') | list %}" + CHATML
# As Qwen3's.
THINKING = CHATML + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
CONVERSATION = [
    Message("system", "Be brief."),
    Message("user", "One?"),
    Message("assistant", "Two."),
    Message("user", "Three?"),
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import PreTrainedTokenizerFast

    folder: Path = write_tiny_llama(tmp_path_factory.mktemp("tiny"))
    names = dict(
        zip(("unk_token", "bos_token", "eos_token"), ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), strict=True)
    )
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **names)


def written(tokenizer: Any, template: str | None, messages: list[Message]) -> str:
    tokenizer.chat_template = template
    return str(tokenizer.decode(TransformersCodec(tokenizer, frozenset({2})).encode(messages)))


def test_a_system_prompt_stays_where_the_template_has_a_place_for_it(tokenizer: Any) -> None:
    text = written(tokenizer, CHATML, CONVERSATION)
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>")
    assert text.endswith("<|im_start|>user\nThree?<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("template", [REFUSING, ALTERNATING, DROPPING], ids=["refusing", "alternating", "dropping"])
def test_a_system_prompt_without_a_place_begins_the_first_question(tokenizer: Any, template: str) -> None:
    text = written(tokenizer, template, CONVERSATION)
    assert text.startswith("<|im_start|>user\nBe brief.\n\nOne?<|im_end|>\n<|im_start|>assistant\nTwo.<|im_end|>")
    assert "system" not in text
    assert written(tokenizer, template, [Message("system", "Alone.")]).startswith("<|im_start|>user\nAlone.<|im_end|>")


def test_training_writes_what_answering_writes_and_ends_the_turn(tokenizer: Any) -> None:
    tokenizer.chat_template = REFUSING
    codec = TemplateCompletions(tokenizer, frozenset({2}))
    assert codec.encode(CONVERSATION) == TransformersCodec(tokenizer, frozenset({2})).encode(CONVERSATION)
    assert codec.encode_completion("Yes")[-1] == tokenizer.eos_token_id


def test_a_model_that_would_think_first_answers(tokenizer: Any) -> None:
    assert written(tokenizer, THINKING, CONVERSATION).endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_template_that_cannot_write_the_conversation_is_a_sentence(tokenizer: Any) -> None:
    with pytest.raises(ModelError, match="chat template cannot write this conversation .*must alternate"):
        written(tokenizer, ALTERNATING, [*CONVERSATION, Message("user", "Again?")])


def test_without_a_template_there_are_plain_lines(tokenizer: Any) -> None:
    assert written(tokenizer, None, CONVERSATION[:2]) == "system: Be brief.\nuser: One?\nassistant:"
