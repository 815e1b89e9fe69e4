"""Clauses -> windows of tokens: neighbours of one contract are read together, so that each is read in its context.

A window costs what its tokens cost, whether its clauses are judged one by one or together; together each of them also
sees its heading and its neighbours. Training and flagging share this module, so that both read the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from playground.errors import ModelError
from playground.types import AnnotatedClause

_LENGTHS = (32, 64, 96, 128, 192, 256, 384, 512)
"""Padded lengths: few, because every new shape costs the libraries a preparation."""
MOST_TOKENS = 256
"""Read of a clause that stands alone."""
_SPECIAL_TOKENS = 2
_SPECIAL_NAMES = (("[CLS]", "[SEP]", "[PAD]"), ("<s>", "</s>", "<pad>"))
"""Start, end and padding, as BERT and as MPNet call them.

all-mpnet-base-v2 knows both, its vocabulary having been made from BERT's: it reads BERT's, in training as in use.
"""
_MOST_CHARACTERS = 8_000
"""Read of one clause; a window holds a fraction of it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Clauses that are read together: their places in the sequence given, and the token ids of each."""

    clauses: tuple[int, ...]
    token_ids: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """Tokens, special ones included."""
        return sum(map(len, self.token_ids)) + _SPECIAL_TOKENS


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Windows as arrays: ``input_ids`` and ``attention`` int64 [b, t], ``pooling`` float32 [b, u, t].

    Row u of ``pooling`` averages the tokens of a window's u-th clause; rows beyond its last clause are zero.
    """

    windows: tuple[Window, ...]
    input_ids: np.ndarray
    attention: np.ndarray
    pooling: np.ndarray

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Yield (row of the batch, unit of the row, place of the clause) for every clause in the batch."""
        for row, window in enumerate(self.windows):
            for unit, clause in enumerate(window.clauses):
                yield row, unit, clause


class WindowReader:
    """Cuts clauses into tokens and windows of at most ``window_tokens`` tokens, special ones included.

    With ``window_tokens`` 0 every clause stands alone, its heading in front.
    """

    def __init__(
        self,
        tokenizer: Any,
        window_tokens: int,
        most_tokens: int,
        special_names: tuple[str, str, str] = _SPECIAL_NAMES[0],
    ) -> None:
        self._tokenizer = tokenizer
        self.window_tokens = window_tokens
        self._most_tokens = most_tokens
        self._start, self._end, self._padding = (tokenizer.token_to_id(name) for name in special_names)

    def windows(self, clauses: Sequence[AnnotatedClause]) -> list[Window]:
        """Return windows that hold every clause once, in order; a clause that is too long is cut at its end."""
        room = (self.window_tokens or self._most_tokens) - _SPECIAL_TOKENS
        encodings = self._tokenizer.encode_batch([self._text(clause) for clause in clauses], add_special_tokens=False)
        found: list[Window] = []
        places: list[int] = []
        pending: list[tuple[int, ...]] = []
        for place, (clause, encoding) in enumerate(zip(clauses, encodings, strict=True)):
            ids = tuple(encoding.ids[:room])
            fits = sum(map(len, pending)) + len(ids) <= room
            if places and not (self.window_tokens and fits and _follows(clauses[places[-1]], clause)):
                found.append(Window(tuple(places), tuple(pending)))
                places, pending = [], []
            places.append(place)
            pending.append(ids)
        if places:
            found.append(Window(tuple(places), tuple(pending)))
        return found

    def batches(self, windows: Sequence[Window], batch_tokens: int) -> list[tuple[Window, ...]]:
        """Group windows of one padded length, longest first, to at most ``batch_tokens`` tokens with their padding."""
        groups: dict[int, list[Window]] = {}
        for window in windows:
            groups.setdefault(padded_length(window.tokens), []).append(window)
        batches: list[tuple[Window, ...]] = []
        for length in sorted(groups, reverse=True):
            size = max(1, batch_tokens // length)
            members = sorted(groups[length], key=lambda window: len(window.clauses))
            batches += [tuple(members[first : first + size]) for first in range(0, len(members), size)]
        return batches

    def arrays(self, windows: Sequence[Window]) -> WindowBatch:
        """Return ``windows`` padded to one length."""
        length = max(padded_length(window.tokens) for window in windows)
        units = max(len(window.clauses) for window in windows)
        input_ids = np.full((len(windows), length), self._padding, dtype=np.int64)
        attention = np.zeros((len(windows), length), dtype=np.int64)
        pooling = np.zeros((len(windows), units, length), dtype=np.float32)
        for row, window in enumerate(windows):
            position = 1
            input_ids[row, 0] = self._start
            for unit, ids in enumerate(window.token_ids):
                input_ids[row, position : position + len(ids)] = ids
                if ids:
                    pooling[row, unit, position : position + len(ids)] = 1 / len(ids)
                position += len(ids)
            input_ids[row, position] = self._end
            attention[row, : position + 1] = 1
        return WindowBatch(tuple(windows), input_ids, attention, pooling)

    def _text(self, clause: AnnotatedClause) -> str:
        alone = not self.window_tokens or clause.position is None
        text = f"{clause.heading}. {clause.text}" if alone and clause.heading else clause.text
        return " ".join(text[:_MOST_CHARACTERS].split())


def load_window_reader(folder: Path, window_tokens: int, most_tokens: int = MOST_TOKENS) -> WindowReader:
    """Read the tokenizer of an encoder.

    Raises:
        ModelError: it is missing or damaged, or lacks the special tokens of BERT and of MPNet.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"The tokenizer of {folder.name} cannot be read ({error}). Fetch the model again.") from error
    known = [names for names in _SPECIAL_NAMES if all(tokenizer.token_to_id(name) is not None for name in names)]
    if not known:
        raise ModelError(
            f"The tokenizer of {folder.name} has no [CLS], [SEP] and [PAD]. Choose a BERT or MPNet encoder as the base."
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return WindowReader(tokenizer, window_tokens, most_tokens, known[0])


def padded_length(tokens: int) -> int:
    """Return the length that a window of ``tokens`` tokens is padded to."""
    return next((length for length in _LENGTHS if length >= tokens), tokens)


def _follows(before: AnnotatedClause, after: AnnotatedClause) -> bool:
    """Tell whether two clauses are neighbours in a contract that was annotated whole."""
    if before.position is None or after.position is None or before.contract != after.contract:
        return False
    return after.position > before.position
