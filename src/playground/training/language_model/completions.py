"""Prompts with the completions that a language model shall learn, as the token ids that the engine will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.errors import TrainingError
from playground.models.completion_codec import CompletionCodec, PromptCompletion

"""The bundled model's own format, or the chat template that comes with another model's tokenizer."""


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
