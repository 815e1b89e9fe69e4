"""Which examples make up each step of a training, and how they are laid out as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.training.language_model.completions import PackedCompletions, TokenisedCompletion

WIDTH_STEP = 32
"""Widths are multiples of this many tokens, so that few shapes occur and the kernels prepared for each are reused.

Padding costs as much as text: 220 tokens padded to 256 took 1.16 times as long, so the step is not larger.
"""

_POOL_STEPS = 16


@dataclass(frozen=True, slots=True)
class CompletionBatch:
    """Rows of examples, padded on the right.

    input_ids: int64 [rows, width]. ``positions`` int64 [k] are the places in the flattened rows whose next token is
    learnt, ``targets`` int64 [k] those tokens. Where every row is one example, causal attention never looks at the
    padding, and ``position_ids`` and ``sees`` are None. Else ``position_ids`` int64 [rows, width] count on from the
    shared beginning, and ``sees`` bool [rows, 1, width, width] says which token attends to which.
    """

    input_ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    targets: NDArray[np.int64]
    position_ids: NDArray[np.int64] | None = None
    sees: NDArray[np.bool_] | None = None


def rows_per_step(rows: Sequence[PackedCompletions], batch_examples: int) -> int:
    """Return how many rows hold about ``batch_examples`` examples."""
    return max(1, round(batch_examples * len(rows) / examples_in(rows)))


def examples_in(rows: Sequence[PackedCompletions]) -> int:
    """Return the number of examples in ``rows``."""
    return sum(len(row.rests) for row in rows)


def steps_per_epoch(rows: int, step_rows: int) -> int:
    """Return the number of steps in which every row is seen once; the last may have fewer."""
    return -(-rows // step_rows)


def epoch_steps(lengths: Sequence[int], step_rows: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Return the row indices of each step of an epoch, decided by seed and epoch alone.

    Shuffled, then sorted by length within pools of 16 steps, so that the rows of a step have much the same length and
    little is padding; the steps of a pool are then shuffled again. ``len(result)`` is ``steps_per_epoch``.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(lengths))
    length_of = np.asarray(lengths)
    steps: list[NDArray[np.int64]] = []
    pool_rows = step_rows * _POOL_STEPS
    for start in range(0, len(order), pool_rows):
        pool = order[start : start + pool_rows]
        pool = pool[np.argsort(length_of[pool], kind="stable")]
        pool_steps = [pool[at : at + step_rows] for at in range(0, len(pool), step_rows)]
        steps += [pool_steps[at] for at in generator.permutation(len(pool_steps))]
    return steps


def split_by_tokens(rows: Sequence[PackedCompletions], batch_tokens: int) -> list[tuple[PackedCompletions, ...]]:
    """Return ``rows`` in groups of at most ``batch_tokens`` tokens with their padding, or of one row.

    Shortest first, so that those of one width stand together.
    """
    groups: list[list[PackedCompletions]] = []
    for row in sorted(rows, key=lambda row: row.tokens):
        if groups and (len(groups[-1]) + 1) * _width(row.tokens) <= batch_tokens:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [tuple(group) for group in groups]


def to_batch(rows: Sequence[PackedCompletions]) -> CompletionBatch:
    """Lay out rows as one batch."""
    width = _width(max(row.tokens for row in rows))
    input_ids = np.zeros((len(rows), width), dtype=np.int64)
    positions, targets = [], []
    for number, row in enumerate(rows):
        input_ids[number, : row.tokens] = [*row.prefix, *(token for rest in row.rests for token in rest.ids)]
        for at, rest in _places(row):
            start, end = at + rest.completion_start, at + len(rest.ids)
            # The token at each place is predicted from the place before it.
            positions.append(np.arange(number * width + start - 1, number * width + end - 1))
            targets.append(np.asarray(rest.ids[rest.completion_start :]))
    packed = any(len(row.rests) > 1 for row in rows)
    return CompletionBatch(
        input_ids,
        np.concatenate(positions).astype(np.int64),
        np.concatenate(targets).astype(np.int64),
        np.stack([_position_ids(row, width) for row in rows]) if packed else None,
        np.stack([_sees(row, width) for row in rows])[:, None] if packed else None,
    )


def completion_tokens(rows: Sequence[PackedCompletions]) -> int:
    """Return how many tokens of ``rows`` are learnt."""
    return sum(len(rest.ids) - rest.completion_start for row in rows for rest in row.rests)


def _places(row: PackedCompletions) -> Iterator[tuple[int, TokenisedCompletion]]:
    at = len(row.prefix)
    for rest in row.rests:
        yield at, rest
        at += len(rest.ids)


def _position_ids(row: PackedCompletions, width: int) -> NDArray[np.int64]:
    ids = np.arange(width, dtype=np.int64)
    for at, rest in _places(row):
        ids[at : at + len(rest.ids)] = np.arange(len(row.prefix), len(row.prefix) + len(rest.ids))
    return ids


def _sees(row: PackedCompletions, width: int) -> NDArray[np.bool_]:
    sees = np.tri(width, dtype=bool)
    for at, rest in _places(row):
        sees[at : at + len(rest.ids), len(row.prefix) : at] = False
    return sees


def _width(length: int) -> int:
    return -(-length // WIDTH_STEP) * WIDTH_STEP
