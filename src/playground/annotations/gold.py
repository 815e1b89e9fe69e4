"""Spans that annotators marked in a whole contract -> labels of its clauses."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from playground.annotations.records import AnnotatedContract, AnnotatedSpan
from playground.types import AnnotatedClause

if TYPE_CHECKING:
    import numpy as np

Unit = tuple[int, int, str]
"""Start, end and heading of a clause in its contract."""
Split = Callable[[str], Sequence[Unit]]
"""Text of a contract -> its clauses, in order and without overlap."""

MIN_OVERLAP_SHARE = 0.5
MIN_OVERLAP_WORDS = 20
_PARAGRAPH = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")


def gold_labels(text: str, units: Sequence[Unit], spans: Iterable[AnnotatedSpan]) -> list[set[str]]:
    """Return the labels of each unit of a contract.

    Annotators' spans and our clauses end at different places, so an overlap has to count for something. A unit carries
    a span's label when the overlap holds at least half of the unit's non-space characters (the unit is mostly that),
    or at least half of the span's (the span is mostly there), or at least 20 words (a long span over several clauses).
    Each span is judged by itself. A word counts where at least its first character in the overlap is.

    Linear in the text, and logarithmic in the units for each span.

    Args:
        text: the contract.
        units: (start, end, heading), in order and without overlap; what they leave out is judged by nobody.
        spans: in any order; they may overlap one another.

    Raises:
        ValueError: units are out of order, overlap, or lie outside the text; a span lies outside the text.
    """
    starts, ends = _checked(units, len(text))
    spaces = [character.isspace() for character in text]
    # characters[i], words[i]: non-space characters and beginnings of words before offset i.
    characters = list(accumulate((not space for space in spaces), initial=0))
    begins = (not space and (i == 0 or spaces[i - 1]) for i, space in enumerate(spaces))
    words = list(accumulate(begins, initial=0))

    labels: list[set[str]] = [set() for _ in units]
    for span in spans:
        if not 0 <= span.start <= span.end <= len(text):
            raise ValueError(f"Span {span.start}..{span.end} leaves the text.")
        span_characters = characters[span.end] - characters[span.start]
        for i in range(bisect_right(ends, span.start), bisect_left(starts, span.end)):
            start, end = max(starts[i], span.start), min(ends[i], span.end)
            overlap = characters[end] - characters[start] if end > start else 0
            if not overlap:
                continue
            cut_in_word = start > 0 and not spaces[start] and not spaces[start - 1]
            smaller = min(span_characters, characters[ends[i]] - characters[starts[i]])
            if overlap >= MIN_OVERLAP_SHARE * smaller or words[end] - words[start] + cut_in_word >= MIN_OVERLAP_WORDS:
                labels[i].add(span.label)
    return labels


def clauses_from_contracts(contracts: Sequence[AnnotatedContract], split: Split) -> tuple[AnnotatedClause, ...]:
    """Cut contracts into clauses and give each the labels that ``gold_labels`` finds; most carry none.

    ``position`` is the unit's place in its contract (units of white space alone are left out, their places are not
    reused), ``contract`` the title. A contract whose text was there before under another title is left out, so that no
    clause can be on both sides of a split by contract. ``split`` should be the one that cuts contracts for flagging.
    """
    clauses: list[AnnotatedClause] = []
    repeated = repeated_titles(contracts)
    for contract in contracts:
        if contract.title in repeated:
            continue
        units = split(contract.text)
        labels = gold_labels(contract.text, units, contract.spans)
        for position, (start, end, heading) in enumerate(units):
            text = contract.text[start:end].strip()
            if text:
                clauses.append(
                    AnnotatedClause(
                        id=f"{contract.title}#{position}",
                        text=text,
                        labels=tuple(sorted(labels[position])),
                        contract=contract.title,
                        heading=heading,
                        position=position,
                    )
                )
    return tuple(clauses)


def repeated_titles(contracts: Iterable[AnnotatedContract]) -> tuple[str, ...]:
    """Return the titles of contracts whose text, but for case and white space, an earlier one has."""
    seen: set[str] = set()
    repeated = []
    for contract in contracts:
        key = " ".join(contract.text.split()).casefold()
        if key in seen:
            repeated.append(contract.title)
        seen.add(key)
    return tuple(repeated)


def split_paragraphs(text: str) -> tuple[Unit, ...]:
    """Cut a text at blank lines: the plainest splitter, without headings."""
    return tuple((match.start(), match.end(), "") for match in _PARAGRAPH.finditer(text))


def _checked(units: Sequence[Unit], length: int) -> tuple[list[int], list[int]]:
    end_before = 0
    for start, end, _heading in units:
        if not end_before <= start <= end <= length:
            raise ValueError(f"Unit {start}..{end} is out of order, overlaps the one before or leaves the text.")
        end_before = end
    return [unit[0] for unit in units], [unit[1] for unit in units]


def gold_matrix(clauses: Sequence[AnnotatedClause], labels: Sequence[str]) -> np.ndarray:
    """Return bool [n_clauses, n_labels]: which clause carries which label; labels not in ``labels`` are passed over."""
    import numpy as np

    columns = {label: column for column, label in enumerate(labels)}
    gold = np.zeros((len(clauses), len(labels)), dtype=bool)
    for row, clause in enumerate(clauses):
        for label in clause.labels:
            if label in columns:
                gold[row, columns[label]] = True
    return gold
