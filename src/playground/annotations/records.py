"""What reading annotations returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from playground.types import AnnotatedClause


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out. ``number`` is 1-based: row of the sheet (header included), line, or contract."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class AnnotatedSpan:
    """A stretch of a contract that an annotator marked; offsets into the contract's text, half open."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AnnotatedContract:
    """A contract that was annotated whole: what no span covers carries no label. Titles are unique in a file."""

    title: str
    text: str
    spans: tuple[AnnotatedSpan, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """Annotated clauses of one source.

    ``sha256`` is of the bytes read. ``labels`` are those that occur, in the order of the known labels. ``warnings``
    are sentences for the user.
    """

    name: str
    sha256: str
    examples: tuple[AnnotatedClause, ...]
    labels: tuple[str, ...]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenClauses:
    """The project's own clauses; ``train`` and ``test`` are ``annotations.examples`` by their written split."""

    annotations: AnnotationSet
    train: tuple[AnnotatedClause, ...]
    test: tuple[AnnotatedClause, ...]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column (CSV) or field (JSON lines) holds what; ``contract`` and ``heading`` may be missing."""

    text: str
    labels: str
    contract: str | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class TablePreview:
    """Columns and first rows of the user's table, for choosing a mapping; every row has one cell for each column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def label_counts(examples: Sequence[AnnotatedClause]) -> dict[str, int]:
    """Return how many clauses carry each label, most frequent first, then by name."""
    counts = Counter(label for example in examples for label in set(example.labels))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def present_labels(examples: Sequence[AnnotatedClause], known_labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that occur, in the order of ``known_labels``."""
    counts = label_counts(examples)
    return tuple(label for label in known_labels if label in counts)
