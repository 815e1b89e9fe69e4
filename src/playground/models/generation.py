"""Turn a network that predicts the next token into text: prefix reuse, sampling, lookup of likely continuations.

The loop is the same for every local engine; an engine only supplies a ``TokenSequence`` (see ``openvino_engine`` and
``transformers_engine``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from playground.types import StopReason

PREFILL_TOKENS = 512
"""The prompt is read in steps of this size, so that a Stop is noticed between them."""

DRAFT_TOKENS = 3
"""Checking three guessed tokens costs about 1.4 times one step (docs/experiments.md): it pays from one hit in two."""

_LOOKUP_SIZE = 3
_LOOP_TOKENS = 24
_LONGEST_LOOP = 48
_PATIENCE = 2  # guesses in a row that may miss before guessing rests
_PAUSE_STEPS = 8


class TokenSequence(Protocol):
    """One cached sequence of tokens inside an engine."""

    @property
    def tokens(self) -> Sequence[int]:
        """The tokens whose keys and values are cached."""
        ...

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` tokens."""
        ...

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        """Append ``ids`` and return the logits after each of the last ``logits_of``, shape [logits_of, vocabulary].

        The array may be reused by the next call.
        """
        ...


@runtime_checkable
class RestorableSequence(TokenSequence, Protocol):
    """A ``TokenSequence`` whose keys and values can be taken out and put back."""

    def saved(self) -> dict[str, NDArray[np.float32]]:
        """Return a copy of the keys and values of ``tokens``: by name, [1, heads, tokens, size of a head]."""
        ...

    def restore(self, tokens: Sequence[int], cache: Mapping[str, NDArray[np.float32]]) -> None:
        """Hold ``tokens`` as if they had been read, with what ``saved`` returned of them.

        Raises:
            ValueError: ``cache`` is not that of this network and so many tokens; the sequence is empty then.
        """
        ...


@dataclass(frozen=True, slots=True)
class GuardedStart:
    """The text begins with ``token`` where that is at least ``threshold`` probable, and with another one elsewhere."""

    token: int
    threshold: float

    def choose(self, logits: NDArray[np.float32], choose: Callable[[NDArray[np.float32]], int]) -> tuple[int, float]:
        """Return the first token, and the probability of ``token``; ``choose`` picks among the others."""
        exact = logits.astype(np.float64)
        weights = np.exp(exact - exact.max())
        probability = float(weights[self.token] / weights.sum())
        if probability >= self.threshold:
            return self.token, probability
        without = logits.copy()
        without[self.token] = -np.inf
        return choose(without), probability


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: greedily at temperature 0, else from the softmax with ``seed``.

    ``lookup`` guesses ahead, which changes the speed but not the text. ``stop_loops`` ends a text that goes round in
    circles, as small models' greedy text does: it would only be more of the same. ``start`` decides about the first
    token alone.
    """

    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 256
    lookup: bool = True
    stop_loops: bool = True
    start: GuardedStart | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """Token ids without the end token, and why there are no more.

    ``start_probability`` is that of ``Sampling.start``'s token; None without one.
    """

    ids: tuple[int, ...]
    stop_reason: StopReason
    cached_tokens: int
    start_probability: float | None = None


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many leading tokens the two have in common."""
    length = min(len(left), len(right))
    if not length:
        return 0
    differing = np.flatnonzero(np.asarray(left[:length]) != np.asarray(right[:length]))
    return int(differing[0]) if differing.size else length


def prefill(
    sequence: TokenSequence, prompt: Sequence[int], on_ids: Callable[[Sequence[int]], object]
) -> tuple[NDArray[np.float32], int]:
    """Read ``prompt`` on ``sequence``, which may already hold a prefix of it.

    ``on_ids`` receives an empty list between steps. Returns the logits after the last token, shape [1, vocabulary],
    and how many tokens were reused.
    """
    # At least the last prompt token is always run: its logits choose the first new token.
    reused = min(common_prefix(sequence.tokens, prompt), len(prompt) - 1)
    sequence.truncate(reused)
    for start in range(reused, len(prompt), PREFILL_TOKENS):
        if start > reused:
            on_ids([])
        logits = sequence.extend(prompt[start : start + PREFILL_TOKENS], 1)
    return logits, reused


def generate(
    sequence: TokenSequence,
    prompt: Sequence[int],
    end_token_ids: frozenset[int],
    sampling: Sampling,
    on_ids: Callable[[Sequence[int]], object],
) -> Generated:
    """Continue ``prompt`` on ``sequence``, which may already hold a prefix of it.

    ``on_ids`` receives new token ids as they are certain, and an empty list between prefill steps; what it raises
    reaches the caller, with ``sequence`` left usable. Where it returns True the text is stopped for repeating itself.
    """
    logits, reused = prefill(sequence, prompt, on_ids)
    choose = _chooser(sampling)
    drafter = _Drafter(prompt) if sampling.lookup and sampling.temperature <= 0 else None
    output: list[int] = []
    probability: float | None = None
    if sampling.start is None:
        pending = [choose(logits[-1])]
    else:
        first, probability = sampling.start.choose(logits[-1], choose)
        pending = [first]
    while True:
        room = sampling.max_tokens - len(output)
        new = _until_end(pending[:room], end_token_ids)
        output.extend(new)
        circles = on_ids(new) is True
        if len(new) < len(pending[:room]):
            return Generated(tuple(output), "end", reused, probability)
        if len(output) >= sampling.max_tokens:
            return Generated(tuple(output), "length", reused, probability)
        if sampling.stop_loops and (circles or _loops(output)):
            return Generated(tuple(output), "repetition", reused, probability)
        draft: list[int] = []
        if drafter is not None:
            drafter.append(new)
            draft = drafter.draft(min(DRAFT_TOKENS, sampling.max_tokens - len(output) - 1))
        # The last chosen token has not been through the network yet; the guesses ride along with it.
        logits = sequence.extend([output[-1], *draft], len(draft) + 1)
        pending = [choose(logits[0])]
        for position, guess in enumerate(draft):
            if pending[-1] != guess:
                break
            pending.append(choose(logits[position + 1]))
        hits = len(pending) - 1
        if draft:
            sequence.truncate(len(sequence.tokens) - (len(draft) - hits))
            if drafter is not None:
                drafter.judge(hits)


def _loops(ids: Sequence[int]) -> bool:
    """Tell whether ``ids`` end in the same stretch of tokens three times in a row, at least 24 tokens together."""
    for size in range(1, min(_LONGEST_LOOP, len(ids) // 3) + 1):
        times = max(3, -(-_LOOP_TOKENS // size))
        if len(ids) >= size * times:
            tail = ids[-size * times :]
            if all(tail[i] == tail[i + size] for i in range(len(tail) - size)):
                return True
    return False


def _until_end(ids: Sequence[int], end_token_ids: frozenset[int]) -> list[int]:
    for position, token in enumerate(ids):
        if token in end_token_ids:
            return list(ids[:position])
    return list(ids)


def _chooser(sampling: Sampling) -> Callable[[NDArray[np.float32]], int]:
    if sampling.temperature <= 0:
        return lambda logits: int(logits.argmax())
    generator = np.random.default_rng(sampling.seed)

    def sample(logits: NDArray[np.float32]) -> int:
        scaled = (logits.astype(np.float64) - float(logits.max())) / sampling.temperature
        weights = np.exp(scaled)
        return int(generator.choice(len(weights), p=weights / weights.sum()))

    return sample


class _Drafter:
    """Prompt lookup decoding (Saxena, 2023): a grounded answer often repeats its passage word for word.

    After the same three tokens as somewhere before, guess that the same tokens follow. The network checks the guesses
    in one step, so the text is that of plain greedy decoding.
    """

    def __init__(self, prompt: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._seen: dict[tuple[int, ...], int] = {}
        self._misses = self._pause = 0
        self.append(prompt)

    def append(self, ids: Sequence[int]) -> None:
        for token in ids:
            # A key points to what followed it, so it is entered when the next token is known.
            if len(self._tokens) >= _LOOKUP_SIZE:
                self._seen[tuple(self._tokens[-_LOOKUP_SIZE:])] = len(self._tokens)
            self._tokens.append(token)

    def draft(self, length: int) -> list[int]:
        """Return up to ``length`` guesses; none while guessing has not paid."""
        if self._pause:
            self._pause -= 1
            return []
        start = self._seen.get(tuple(self._tokens[-_LOOKUP_SIZE:]))
        return [] if start is None else self._tokens[start : start + max(length, 0)]

    def judge(self, hits: int) -> None:
        """Learn how many of the last guesses were right."""
        self._misses = 0 if hits else self._misses + 1
        if self._misses >= _PATIENCE:
            self._misses, self._pause = 0, _PAUSE_STEPS
