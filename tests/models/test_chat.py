"""Scoring the possible answers of a local chat model, with a network that is a table."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models import chat
from playground.models.chat import LocalChatModel
from playground.types import GuardedChatModel, Message

WORDS = ["<end>", "<reply>", "Yes", "No", "Yesterday", "is", "it", "good"]


class WordCodec:
    """A token a word; a message is its words, and <reply> is where the assistant speaks."""

    end_token_ids = frozenset({0})

    def encode(self, messages: Sequence[Message]) -> list[int]:
        ids = []
        for message in messages:
            ids += [1] if message.role == "assistant" else []
            ids += [WORDS.index(word) for word in message.content.split()]
        return ids if messages[-1].role == "assistant" else [*ids, 1]

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def decoder(self) -> Callable[[int], str]:
        return lambda token: WORDS[token]


class TableSequence:
    """Always the same logits; ``fed`` keeps the tokens of each step."""

    def __init__(self, logits: Sequence[float]) -> None:
        self.logits = logits
        self.tokens: list[int] = []
        self.fed: list[list[int]] = []

    def truncate(self, length: int) -> None:
        del self.tokens[length:]

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        self.tokens += ids
        self.fed.append(list(ids))
        return np.tile(np.asarray(self.logits, dtype=np.float32), (logits_of, 1))


def model_with(sequence: TableSequence, context_limit: int = 64) -> LocalChatModel:
    return LocalChatModel("table", WordCodec(), lambda _adapter: lambda: sequence, context_limit)


QUESTION = [Message("user", "is it good")]


def test_the_probability_of_an_answer_is_among_the_answers_only() -> None:
    sequence = TableSequence([9.0, 9.0, 1.0, 0.0, 9.0, 9.0, 9.0, 9.0])
    (yes, no), usage = model_with(sequence).choice_probabilities(QUESTION, ("Yes", "No"))
    assert yes == pytest.approx(math.e / (math.e + 1), rel=1e-6)
    assert yes + no == pytest.approx(1.0)
    assert (usage.input_tokens, usage.output_tokens) == (4, 0)
    assert sequence.fed == [[5, 6, 7, 1]]


def test_a_prompt_that_begins_the_same_is_reused() -> None:
    sequence = TableSequence([0.0] * len(WORDS))
    model = model_with(sequence)
    model.choice_probabilities(QUESTION, ("Yes", "No"))
    _, usage = model.choice_probabilities([Message("user", "is it is")], ("Yes", "No"))
    assert usage.cached_tokens == 2
    assert sequence.fed[1] == [5, 1]


def test_a_text_can_follow_on_the_same_sequence() -> None:
    sequence = TableSequence([5.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    model = model_with(sequence)
    model.choice_probabilities(QUESTION, ("Yes", "No"))
    assert model.complete(QUESTION).text == ""  # the end token is the likeliest


def test_answers_that_begin_alike_and_prompts_that_are_too_long_are_refused() -> None:
    sequence = TableSequence([0.0] * len(WORDS))
    with pytest.raises(ModelError, match="with the same first token"):
        model_with(sequence).choice_probabilities(QUESTION, ("Yes", "Yes it is"))
    with pytest.raises(ModelError, match="The prompt has 4 tokens, more than the 4 that table can read"):
        model_with(sequence, context_limit=4).choice_probabilities(QUESTION, ("Yes", "No"))
    with pytest.raises(ModelError, match="does not allow scoring"):
        model_with(sequence).choice_probabilities(QUESTION, ("Yes", ""))


def test_a_guarded_model_abstains_from_a_probability_on() -> None:
    logits = [0.0, -9.0, 2.0, 1.0, -9.0, -9.0, -9.0, -9.0]  # "Yes" before "No"; neither ends before the limit
    probability = math.exp(1) / sum(math.exp(value) for value in logits)
    for threshold, first in ((probability - 0.01, "No"), (probability + 0.01, "Yes")):
        model = model_with(TableSequence(logits))
        completion = model.complete_guarded(QUESTION, abstention="No", abstain_at=threshold, max_tokens=1)
        assert completion.text == first
        assert completion.abstain_probability == pytest.approx(probability, rel=1e-5)
    assert isinstance(model_with(TableSequence(logits)), GuardedChatModel)
    assert model_with(TableSequence(logits)).complete(QUESTION, max_tokens=1).abstain_probability is None


def test_of_prompts_that_were_read_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "_MOST_KEPT_TOKENS", 20)
    made: list[TableSequence] = []

    def new_sequence() -> TableSequence:
        made.append(TableSequence([0.0] * len(WORDS)))
        return made[-1]

    model = LocalChatModel("table", WordCodec(), lambda _adapter: new_sequence, 64)

    def ask(words: str, adapter: str | None = None) -> None:
        model.choice_probabilities([Message("user", words)], ("Yes", "No"), adapter=adapter)

    ask("is " * 8)  # nine tokens with the one that asks for an answer
    ask("it " * 8, adapter="other")
    assert len(made) == 2
    ask("is " * 8)
    assert len(made) == 2, "both fit, and the first is still read"
    ask("good " * 8)
    assert len(made) == 3, "now they do not: the one that was used longest ago goes"
    ask("is " * 8)
    assert len(made) == 3
    ask("it " * 8, adapter="other")
    assert len(made) == 4
    ask("good " * 40)
    assert len(made) == 5, "one that is too long alone is kept all the same"
    ask("good " * 40)
    assert len(made) == 5
    ask("is " * 8)
    assert len(made) == 6


def test_networks_change_only_where_nobody_else_looks_at_them() -> None:
    model = LocalChatModel("table", WordCodec(), lambda _adapter: lambda: TableSequence([0.0] * len(WORDS)), 64)

    class Watched(OrderedDict[str | None, Any]):
        def __setitem__(self, key: str | None, value: object) -> None:
            assert model._lending.locked(), "who puts a sequence back looks at all networks without the engine"
            super().__setitem__(key, value)

    model._networks = Watched()
    model.choice_probabilities(QUESTION, ("Yes", "No"))
    model.choice_probabilities(QUESTION, ("Yes", "No"), adapter="other")
    assert list(model._networks) == [None, "other"]
