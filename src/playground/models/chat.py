"""A chat model over a local engine: prompt encoding, cached sequences per adapter, streaming, timing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from playground.errors import ModelError
from playground.models.generation import (
    GuardedStart,
    RestorableSequence,
    Sampling,
    TokenSequence,
    common_prefix,
    generate,
    prefill,
)
from playground.models.kept_prompts import FEWEST_TOKENS, KeptPrompts
from playground.models.line import Line
from playground.models.repetition import RepetitionWatch
from playground.pricing import cost_usd
from playground.telemetry import of_completion, of_messages, traced
from playground.types import Completion, Message, OnToken, ReadAhead, Usage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MOST_SEQUENCES = 4
_MOST_NETWORKS = 3
_MOST_KEPT_TOKENS = 10_000
"""Of all prompts that are kept read: a whole context and some conversations. SmolLM2's cache takes 50 KB a token."""
_SLICE_TOKENS = 32
"""After so many, an answer lets the others go first: a second or so on a laptop."""

NewSequence = Callable[[], TokenSequence]
LoadNetwork = Callable[[str | None], NewSequence]


class PromptCodec(Protocol):
    """Messages to token ids and back."""

    @property
    def end_token_ids(self) -> frozenset[int]: ...

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the prompt up to where the assistant speaks. Text of a message never becomes a control token."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def decoder(self) -> Callable[[int], str]:
        """Return a function that takes token ids one by one and returns the text that each completes."""
        ...


DEFAULT_SYSTEMS = {
    "llama": "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
    "qwen2": "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
}
"""What the bundled models' own chat templates put first where no system prompt is given, by GGUF's architecture."""


class ChatMl:
    """The ChatML format of SmolLM2 and Qwen2: ``<|im_start|>role\\ncontent<|im_end|>\\n``."""

    def __init__(self, tokenizer: Tokenizer, default_system: str = DEFAULT_SYSTEMS["llama"]) -> None:
        self.default_system = default_system
        # Message text is encoded with control tokens spelled out as ordinary text: a document that contains
        # "<|im_end|>" must not be able to end its own message.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._start, self._end, self._stop = (
            self._id(token) for token in ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
        )

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelError(f"The tokenizer has no {token}; it is not a ChatML model. Load another model.")
        return found

    @property
    def end_token_ids(self) -> frozenset[int]:
        return frozenset({self._end, self._stop})

    def _text_ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode(self, messages: Sequence[Message]) -> list[int]:
        if not messages or messages[0].role != "system":
            messages = [Message("system", self.default_system), *messages]
        newline, ids = self._text_ids("\n"), []
        for message in messages:
            ids += [self._start, *self._text_ids(f"{message.role}\n{message.content}"), self._end, *newline]
        return [*ids, self._start, *self._text_ids("assistant\n")]

    def count_tokens(self, text: str) -> int:
        return len(self._text_ids(text))

    def decoder(self) -> Callable[[int], str]:
        from tokenizers.decoders import DecodeStream

        stream = DecodeStream(skip_special_tokens=True)
        return lambda token: stream.step(self._tokenizer, token) or ""


@dataclass(slots=True)
class _Network:
    new_sequence: NewSequence
    sequences: list[TokenSequence] = field(default_factory=list)  # not lent, least recently used first
    lent: int = 0

    def lend(self, prompt: Sequence[int]) -> TokenSequence:
        """Return a sequence for one request, which no other gets meanwhile."""
        shared = [common_prefix(sequence.tokens, prompt) for sequence in self.sequences]
        best = max(range(len(shared)), key=shared.__getitem__, default=None)
        # A short overlap, such as the system prompt, is not worth another conversation's cache.
        if best is not None and shared[best] * 2 >= len(self.sequences[best].tokens):
            chosen = self.sequences.pop(best)
        elif len(self.sequences) + self.lent < _MOST_SEQUENCES:
            chosen = self.new_sequence()
        else:
            chosen = self.sequences.pop(0)
        self.lent += 1
        return chosen


def _span_attributes(given: Mapping[str, Any]) -> dict[str, str | int | float]:
    model, sampling = given["self"], given["sampling"]
    return {
        "gen_ai.provider.name": "playground",
        "gen_ai.request.model": given["adapter"] or model.model_id,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.seed": sampling.seed,
        **of_messages(given["messages"]),
    }


class LocalChatModel:
    """A ``ChatModel`` that computes one request at a time, the others in turn; safe to share between threads."""

    def __init__(
        self,
        model_id: str,
        codec: PromptCodec,
        load_network: LoadNetwork,
        context_limit: int,
        *,
        kept_prompts: KeptPrompts | None = None,
    ) -> None:
        self._model_id = model_id
        self._kept_prompts = kept_prompts
        self._codec = codec
        self._load_network = load_network
        self._context_limit = context_limit
        self._networks: OrderedDict[str | None, _Network] = OrderedDict()
        self._line = Line(_MOST_SEQUENCES)
        self._lending = threading.Lock()

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def context_limit(self) -> int:
        return self._context_limit

    def count_tokens(self, text: str) -> int:
        return self._codec.count_tokens(text)

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._codec.encode(messages))

    def cost_usd(self, usage: Usage | None) -> float | None:
        """Return 0.0: tokens of a local model have no price; see ``pricing.cost_usd``."""
        return cost_usd(usage, self._model_id, provider_base_url=None, local=True)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete the conversation; see ``ChatModel.complete``. Deterministic at temperature 0."""
        sampling = Sampling(temperature=temperature, seed=seed, max_tokens=max_tokens)
        return self._complete(messages, sampling, on_token, adapter)

    def complete_guarded(
        self,
        messages: Sequence[Message],
        *,
        abstention: str,
        abstain_at: float,
        max_tokens: int = 256,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete greedily, readier or slower to abstain; see ``GuardedChatModel.complete_guarded``."""
        token = self._first_token(messages, self._codec.encode(messages), abstention)
        sampling = Sampling(max_tokens=max_tokens, start=GuardedStart(token, abstain_at))
        return self._complete(messages, sampling, on_token, adapter)

    @traced("chat", _span_attributes, of_completion)
    def _complete(
        self, messages: Sequence[Message], sampling: Sampling, on_token: OnToken | None, adapter: str | None
    ) -> Completion:
        started = time.perf_counter()
        prompt = self._codec.encode(messages)
        room = self._context_limit - len(prompt)
        if room < 1:
            raise ModelError(
                f"The prompt has {len(prompt)} tokens, more than the {self._context_limit} that {self._model_id} can "
                "read. Use fewer passages, a shorter document or a new conversation."
            )
        sampling = replace(sampling, max_tokens=min(sampling.max_tokens, room))
        receive = on_token or (lambda _text: None)
        decode, texts, first_token_s = self._codec.decoder(), [], None
        in_slice, watch = 0, RepetitionWatch()

        def on_ids(ids: Sequence[int]) -> bool:
            nonlocal first_token_s, in_slice
            if ids and first_token_s is None:
                first_token_s = time.perf_counter() - started
            text = "".join(decode(token) for token in ids)
            texts.append(text)
            receive(text)
            in_slice += len(ids) or _SLICE_TOKENS  # between two steps of a long prompt there are none
            if in_slice >= _SLICE_TOKENS:
                turn.pause()
                in_slice = 0
            return watch.add(text)

        # The heartbeat lets the caller cancel while another request is being answered.
        with self._line.turn(lambda: receive("")) as turn, self._sequence(prompt, adapter) as sequence:
            generated = generate(sequence, prompt, self._codec.end_token_ids, sampling, on_ids)
        return Completion(
            text="".join(texts),
            model_id=self._model_id,
            messages=tuple(messages),
            usage=Usage(len(prompt), len(generated.ids), generated.cached_tokens),
            first_token_s=first_token_s,
            duration_s=time.perf_counter() - started,
            stop_reason=generated.stop_reason,
            adapter=adapter,
            abstain_probability=generated.start_probability,
        )

    def read_ahead(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        adapter: str | None = None,
        on_disk: bool = True,
        on_progress: Callable[[int, int], None] = lambda _read, _tokens: None,
    ) -> ReadAhead:
        """Read what ``prompts`` begin with alike, so that each of them later costs only its own tokens.

        Others are answered between the steps. ``on_progress`` receives how many of how many tokens are read; what it
        raises ends the reading and reaches the caller, and what was read until then is not lost. ``on_disk`` keeps it
        for a day where the model was given a place.

        Raises:
            ModelError: it is too long for the model.
        """
        first, *others = (self._codec.encode(prompt) for prompt in prompts)
        shared = first[: min((common_prefix(first, other) for other in others), default=len(first))]
        if len(shared) >= self._context_limit:
            raise ModelError(
                f"The text has {len(shared)} tokens, and {self._model_id} can read {self._context_limit}. Use RAG, or "
                "a shorter text."
            )
        if not shared:
            return ReadAhead(0, 0)
        with (
            self._line.turn(lambda: on_progress(0, len(shared))) as turn,
            self._sequence(shared, adapter) as sequence,
        ):

            def on_step(_ids: Sequence[int]) -> None:
                on_progress(len(sequence.tokens), len(shared))
                turn.pause()

            prefill(sequence, shared, on_step)
            saved = sequence.saved() if isinstance(sequence, RestorableSequence) else {}
        if on_disk and self._kept_prompts is not None and saved:
            kept = self._kept_prompts.find(adapter, shared)
            if len(shared) - (len(kept.tokens) if kept else 0) >= FEWEST_TOKENS:
                self._kept_prompts.keep(adapter, shared, saved)
        return ReadAhead(len(shared), sum(array.nbytes for array in saved.values()))

    def choice_probabilities(
        self, messages: Sequence[Message], choices: Sequence[str], *, adapter: str | None = None
    ) -> tuple[tuple[float, ...], Usage]:
        """Return how probable each of ``choices`` is as the beginning of the answer, among them: they sum to 1.

        A choice stands for its first token, so that one pass over the prompt decides and nothing is generated.

        Raises:
            ModelError: the prompt is too long, or the choices do not differ in their first token.
        """
        prompt = self._codec.encode(messages)
        if len(prompt) >= self._context_limit:
            raise ModelError(
                f"The prompt has {len(prompt)} tokens, more than the {self._context_limit} that {self._model_id} can "
                "read. Use a shorter text or fewer examples."
            )
        first = [self._first_token(messages, prompt, choice) for choice in choices]
        if len(set(first)) < len(first):
            raise ModelError(f"{self._model_id} writes {', '.join(choices)} with the same first token. Ask for text.")
        with self._line.turn(), self._sequence(prompt, adapter) as sequence:
            logits, reused = prefill(sequence, prompt, lambda _ids: None)
            chosen = logits[-1][first].astype(float)
        weights = np.exp(chosen - chosen.max())
        return tuple((weights / weights.sum()).tolist()), Usage(len(prompt), 0, reused)

    def _first_token(self, messages: Sequence[Message], prompt: Sequence[int], choice: str) -> int:
        answered = self._codec.encode([*messages, Message("assistant", choice)])
        if list(answered[: len(prompt)]) != list(prompt) or len(answered) <= len(prompt):
            raise ModelError(f"The chat format of {self._model_id} does not allow scoring answers. Ask for text.")
        return int(answered[len(prompt)])

    @contextlib.contextmanager
    def _sequence(self, prompt: Sequence[int], adapter: str | None) -> Iterator[TokenSequence]:
        """Lend the sequence that shares most with ``prompt``, or a fresh or the least recently used one."""
        network = self._networks.get(adapter) or _Network(self._load_network(adapter))
        # Only who has the engine comes here; who gave up waiting for it puts a sequence back, and looks at all of them.
        with self._lending:
            self._networks[adapter] = network
            self._networks.move_to_end(adapter)
            while len(self._networks) > _MOST_NETWORKS:
                self._networks.popitem(last=False)
            chosen = network.lend(prompt)
        try:
            self._restore(chosen, prompt, adapter)
            yield chosen
        finally:
            with self._lending:
                network.lent -= 1
                network.sequences.append(chosen)
                self._forget(chosen)

    def _restore(self, sequence: TokenSequence, prompt: Sequence[int], adapter: str | None) -> None:
        """Put back what was read of ``prompt`` in an earlier life of the app, where that is more than is held."""
        if self._kept_prompts is None or not isinstance(sequence, RestorableSequence):
            return
        kept = self._kept_prompts.find(adapter, prompt)
        if kept is None or len(kept.tokens) - common_prefix(sequence.tokens, prompt) < FEWEST_TOKENS:
            return
        try:
            sequence.restore(kept.tokens, kept.read())
        except (OSError, ValueError):
            self._kept_prompts.forget(kept)

    def _forget(self, newest: TokenSequence) -> None:
        """Let go of the prompts that nobody used for longest while too many tokens are kept; the newest stays."""
        kept = [(network, one) for network in self._networks.values() for one in network.sequences if one is not newest]
        tokens = len(newest.tokens) + sum(len(one.tokens) for _network, one in kept)
        for network, one in kept:
            if tokens <= _MOST_KEPT_TOKENS:
                return
            network.sequences.remove(one)
            tokens -= len(one.tokens)
