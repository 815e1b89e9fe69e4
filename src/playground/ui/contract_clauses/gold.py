"""The gold annotation of the sample contracts, and how flags agree with it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground.annotations import AnnotatedSpan, gold_labels
from playground.types import Clause, Document, Flag


@dataclass(frozen=True, slots=True)
class Agreement:
    """``found`` of ``stretches`` annotated stretches carry a flag of their label; ``right`` of ``flags`` are on one."""

    found: int
    stretches: int
    right: int
    flags: int


@dataclass(frozen=True, slots=True)
class Gold:
    """Annotated stretches of one contract, and (clause id, label) of the clauses that they make right."""

    spans: tuple[AnnotatedSpan, ...]
    pairs: frozenset[tuple[str, str]]


@lru_cache(maxsize=1)
def _rows(path: Path) -> dict[str, list[tuple[str, str]]]:
    files = json.loads(path.read_text(encoding="utf-8"))
    return {name: [(row["label"], row["text"]) for row in gold["clauses"]] for name, gold in files.items()}


def load_gold(path: Path, name: str, document: Document, clauses: Sequence[Clause]) -> Gold | None:
    """Return the gold annotation of a sample contract; None where it has none.

    Args:
        path: of ``gold.json``.
        name: file name of the sample.
        document: the sample, read.
        clauses: what its text was cut into.
    """
    rows = _rows(path).get(name)
    if rows is None:
        return None
    spans = tuple(span for label, text in rows if (span := _span(document.text, label, text)) is not None)
    labels = gold_labels(document.text, [(clause.start, clause.end, "") for clause in clauses], spans)
    pairs = frozenset((clause.id, label) for clause, found in zip(clauses, labels, strict=True) for label in found)
    return Gold(spans, pairs)


def _span(text: str, label: str, quote: str) -> AnnotatedSpan | None:
    """Return where ``quote`` stands in ``text``, whose runs of white space count as one."""
    match = re.search(r"\s+".join(map(re.escape, quote.split())), text)
    return None if match is None else AnnotatedSpan(label, match.start(), match.end())


def agreement(gold: Gold, clauses: Sequence[Clause], flags: Sequence[Flag], labels: Collection[str]) -> Agreement:
    """Return how flags agree with the gold annotation, over the given labels only."""
    by_id = {clause.id: clause for clause in clauses}
    spans = [span for span in gold.spans if span.label in labels]
    judged = [flag for flag in flags if flag.label in labels]
    found = sum(
        any(
            flag.label == span.label
            and (flag.clause_id, flag.label) in gold.pairs
            and by_id[flag.clause_id].start < span.end
            and span.start < by_id[flag.clause_id].end
            for flag in judged
        )
        for span in spans
    )
    right = sum((flag.clause_id, flag.label) in gold.pairs for flag in judged)
    return Agreement(found, len(spans), right, len(judged))
