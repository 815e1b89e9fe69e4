"""The decoding loop on a scripted network: prefix reuse, end tokens, drafts that change nothing but the speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.models.generation import PREFILL_TOKENS, GuardedStart, Sampling, common_prefix, generate

VOCABULARY = 11
END = frozenset({0})


class ScriptedSequence:
    """A network whose next token is a fixed function of the last tokens; counts the work done."""

    def __init__(self, memory: int = 2) -> None:
        self.tokens: list[int] = []
        self.steps: list[int] = []
        self.memory = memory

    def truncate(self, length: int) -> None:
        assert length <= len(self.tokens)
        del self.tokens[length:]

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        assert len(ids) >= logits_of >= 1
        self.steps.append(len(ids))
        rows = []
        for token in ids:
            self.tokens.append(token)
            rows.append(self.logits())
        return np.stack(rows[-logits_of:])

    def logits(self) -> NDArray[np.float32]:
        seed = hash(tuple(self.tokens[-self.memory :])) % (2**32)
        return np.random.default_rng(seed).normal(size=VOCABULARY).astype(np.float32)


def plain_greedy(prompt: Sequence[int], max_tokens: int, memory: int) -> list[int]:
    """The textbook loop: one token at a time, nothing reused."""
    sequence = ScriptedSequence(memory)
    logits, output = sequence.extend(prompt, 1), []
    while len(output) < max_tokens:
        token = int(logits[-1].argmax())
        if token in END:
            break
        output.append(token)
        logits = sequence.extend([token], 1)
    return output


prompts = st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=30)


@given(prompt=prompts, max_tokens=st.integers(1, 40), memory=st.integers(1, 3), lookup=st.booleans())
def test_the_text_is_that_of_plain_greedy_decoding(
    prompt: list[int], max_tokens: int, memory: int, lookup: bool
) -> None:
    seen: list[int] = []
    result = generate(
        ScriptedSequence(memory),
        prompt,
        END,
        Sampling(max_tokens=max_tokens, lookup=lookup, stop_loops=False),
        seen.extend,
    )
    assert list(result.ids) == plain_greedy(prompt, max_tokens, memory)
    assert seen == list(result.ids)
    assert result.stop_reason == ("end" if len(result.ids) < max_tokens else "length")


@given(first=prompts, second=prompts, memory=st.integers(1, 3))
def test_reusing_a_prefix_changes_nothing(first: list[int], second: list[int], memory: int) -> None:
    used = ScriptedSequence(memory)
    generate(used, first, END, Sampling(max_tokens=12, stop_loops=False), lambda ids: None)
    before = list(used.tokens)
    result = generate(used, second, END, Sampling(max_tokens=12, stop_loops=False), lambda ids: None)
    assert list(result.ids) == plain_greedy(second, 12, memory)
    assert result.cached_tokens == min(common_prefix(before, second), len(second) - 1)


def test_lookup_takes_fewer_steps_on_repeated_text() -> None:
    class Copying(ScriptedSequence):
        def logits(self) -> NDArray[np.float32]:
            row = np.zeros(VOCABULARY, dtype=np.float32)
            row[self.tokens[-1] % (VOCABULARY - 1) + 1] = 1  # counts 1, 2, ..., 10, 1, ...
            return row

    prompt = [*range(1, VOCABULARY)] * 2
    steps = {}
    for lookup in (False, True):
        sequence = Copying()
        result = generate(
            sequence, prompt, END, Sampling(max_tokens=20, lookup=lookup, stop_loops=False), lambda ids: None
        )
        assert len(result.ids) == 20
        steps[lookup] = len(sequence.steps)
    assert steps[True] < steps[False] / 2


@pytest.mark.parametrize("period", [1, 2, 7, 30])
def test_a_text_that_goes_round_in_circles_is_stopped(period: int) -> None:
    class Circling(ScriptedSequence):
        def logits(self) -> NDArray[np.float32]:
            row = np.zeros(100, dtype=np.float32)
            row[50 + (len(self.tokens) % period)] = 1
            return row

    result = generate(Circling(), [1, 2, 3], END, Sampling(max_tokens=400), lambda ids: None)
    assert result.stop_reason == "repetition"
    assert max(24, 3 * period) <= len(result.ids) < max(24, 3 * period) + period + 8


def test_a_list_with_repeated_words_is_not_a_circle() -> None:
    words = [*range(10, 20), 5, *range(20, 30), 5, *range(30, 40), 5, 0]

    class Listing(ScriptedSequence):
        def logits(self) -> NDArray[np.float32]:
            row = np.zeros(100, dtype=np.float32)
            row[words[len(self.tokens) - 3]] = 1
            return row

    result = generate(Listing(), [1, 2, 3], END, Sampling(max_tokens=400, lookup=False), lambda ids: None)
    assert (result.stop_reason, len(result.ids)) == ("end", len(words) - 1)


def test_a_long_prompt_is_read_in_steps_that_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    def stop(ids: Sequence[int]) -> None:
        assert not ids
        raise Stopped

    sequence = ScriptedSequence()
    prompt = [1] * (PREFILL_TOKENS * 3)
    with pytest.raises(Stopped):
        generate(sequence, prompt, END, Sampling(), stop)
    assert sequence.steps == [PREFILL_TOKENS]
    # What was read before the stop is still good for the next request.
    assert generate(sequence, prompt, END, Sampling(max_tokens=1), lambda ids: None).cached_tokens == PREFILL_TOKENS


def test_temperature_uses_the_seed() -> None:
    def run(seed: int) -> tuple[int, ...]:
        sampling = Sampling(temperature=1.0, seed=seed, max_tokens=30)
        return generate(ScriptedSequence(), [1, 2, 3], END, sampling, lambda ids: None).ids

    assert run(1) == run(1)
    assert len({run(seed) for seed in range(8)}) > 4


@given(left=st.lists(st.integers(0, 2)), right=st.lists(st.integers(0, 2)))
def test_common_prefix(left: list[int], right: list[int]) -> None:
    length = common_prefix(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


# The guarded start


def start_of(token: int, threshold: float) -> tuple[int, float]:
    logits = np.log(np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32))
    return GuardedStart(token, threshold).choose(logits, lambda row: int(row.argmax()))


def test_a_text_begins_with_the_guarded_token_from_its_threshold_on() -> None:
    assert start_of(1, 0.19)[0] == 1  # although two others are more probable
    assert start_of(1, 0.21)[0] == 3
    assert start_of(3, 0.41)[0] == 2  # although it is the most probable one
    assert start_of(3, 1.01)[0] == 2
    assert start_of(1, 0.5)[1] == pytest.approx(0.2)


@given(prompts, st.integers(1, VOCABULARY - 1))
def test_a_guarded_start_decides_about_the_first_token_only(prompt: list[int], token: int) -> None:
    sampling = Sampling(max_tokens=8, lookup=False, stop_loops=False, start=GuardedStart(token, 0.0))
    generated = generate(ScriptedSequence(), prompt, END, sampling, lambda _ids: None)
    assert generated.ids[0] == token
    assert generated.start_probability is not None and 0 <= generated.start_probability <= 1
    assert list(generated.ids[1:]) == plain_greedy([*prompt, token], 7, 2)
    free = generate(ScriptedSequence(), prompt, END, Sampling(max_tokens=8), lambda _ids: None)
    assert free.start_probability is None
