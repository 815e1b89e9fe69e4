"""A contract -> its clauses, judged -> flags.

Judging is the slow part and is done once; thresholds, labels and evidence are applied to its result, so that a slider
moves without a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from playground.clauses.contract_check import contract_notes
from playground.clauses.contract_kind import contract_kind
from playground.clauses.splitting import split_clauses
from playground.errors import DocumentError
from playground.flagging.calibration import shifted_thresholds
from playground.flagging.model import ClauseModel, JudgesInParts, OnShare
from playground.flagging.rules import labels_by_rule
from playground.telemetry import traced
from playground.types import AnnotatedClause, Clause, Document, Flag, FlaggedContract, Label, SimilarClause

Evidence = Callable[[Sequence[tuple[str, str]]], Sequence[tuple[SimilarClause, ...]]]
"""Pairs of (clause text, label) -> annotated clauses that carry the label and resemble the text."""

_MOST_CLAUSES = 5_000
_BINDING = ("body",)
"""Kinds of clauses that can carry a liability; the others name, define or list."""


@dataclass(frozen=True, slots=True)
class ScoredContract:
    """A judged contract: ``probabilities`` is float32 [clauses, labels], ``thresholds`` float [labels].

    ``rules`` has the name of the rule that makes a label certain, by row and column of ``probabilities``.
    """

    document: Document
    clauses: tuple[Clause, ...]
    labels: tuple[str, ...]
    probabilities: np.ndarray
    thresholds: np.ndarray
    model_id: str
    adapter: str | None
    timings: Mapping[str, float]
    notes: tuple[str, ...] = ()
    rules: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartlyJudged:
    """A contract while it is being judged: ``judged`` bool [clauses] says which rows of ``scored`` are final.

    The probabilities of the others are 0. Both arrays fill up while the model goes on.
    """

    scored: ScoredContract
    judged: np.ndarray


OnPart = Callable[[PartlyJudged], None]
"""Called whenever more clauses are judged. Raising from it ends the work."""


def unjudged(document: Document, clauses: tuple[Clause, ...]) -> ScoredContract:
    """Return a contract that nobody has judged: its text, and no label to be flagged for."""
    return ScoredContract(
        document=document,
        clauses=clauses,
        labels=(),
        probabilities=np.zeros((len(clauses), 0), dtype=np.float32),
        thresholds=np.zeros(0),
        model_id="",
        adapter=None,
        timings={},
        notes=(*document.warnings, *contract_notes(document.text)),
    )


def clauses_to_judge(document: Document) -> tuple[Clause, ...]:
    """Cut a contract into clauses.

    Raises:
        DocumentError: no clause was found, or too many.
    """
    clauses = split_clauses(document)
    if not any(clause.kind in _BINDING for clause in clauses):
        raise DocumentError(
            f"No clause was found in {document.source}: it has no sentence to judge. Upload a contract."
        )
    if len(clauses) > _MOST_CLAUSES:
        raise DocumentError(
            f"{document.source} has {len(clauses):,} clauses, more than the {_MOST_CLAUSES:,} that are judged at once. "
            "Split it into parts."
        )
    return clauses


def _span_attributes(given: Mapping[str, Any]) -> dict[str, str | int]:
    return {
        "gen_ai.agent.name": "contract flagger",
        "gen_ai.request.model": given["model"].adapter or given["model"].model_id,
        "playground.characters": len(given["document"].text),
    }


def _span_result(scored: ScoredContract) -> dict[str, str | int]:
    return {"playground.clauses": len(scored.clauses)}


@traced("invoke_workflow", _span_attributes, _span_result)
def score_contract(
    document: Document,
    model: ClauseModel,
    catalogue: Mapping[str, Label],
    on_share: OnShare | None = None,
    on_part: OnPart | None = None,
) -> ScoredContract:
    """Cut a contract into clauses and judge each.

    ``on_part`` is told what was found so far, by a model that ``JudgesInParts``.

    ``timings``: ``split_s``, ``judge_s``, ``total_s``. Headings, definitions, tables of contents and signature blocks
    carry no liability: their probabilities of liability labels are 0.

    Raises:
        DocumentError: no clause was found, or too many.
        ModelError: the model failed.
    """
    started = time.perf_counter()
    clauses = clauses_to_judge(document)
    split = time.perf_counter()
    examples, never = as_examples(clauses), silent(clauses, model.labels, catalogue)
    probabilities = np.zeros((len(clauses), len(model.labels)), dtype=np.float32)
    scored = ScoredContract(
        document=document,
        clauses=clauses,
        labels=model.labels,
        probabilities=probabilities,
        thresholds=model.thresholds,
        model_id=model.model_id,
        adapter=model.adapter,
        timings={},
        notes=(*document.warnings, *contract_notes(document.text)),
        rules=rules_of(clauses, model.labels),
    )
    if on_part is not None and isinstance(model, JudgesInParts):
        judged = np.zeros(len(clauses), dtype=bool)
        for part in model.judge_in_parts(examples):
            probabilities[part.places] = part.probabilities
            probabilities[np.ix_(*never)] = 0.0
            judged[part.places] = True
            on_part(PartlyJudged(scored, judged))
            if on_share is not None:
                on_share(part.share)
    else:
        probabilities[:] = model.probabilities(examples, on_share)
        probabilities[np.ix_(*never)] = 0.0
    ended = time.perf_counter()
    return replace(scored, timings={"split_s": split - started, "judge_s": ended - split, "total_s": ended - started})


def flag_contract(
    scored: ScoredContract,
    catalogue: Mapping[str, Label],
    *,
    shift: float = 0.0,
    shown: Collection[str] | None = None,
    evidence: Evidence | None = None,
) -> FlaggedContract:
    """Return the flags of a judged contract.

    Args:
        scored: from ``score_contract``.
        catalogue: every label by name.
        shift: moves all thresholds by so many log-odds: below 0 misses less, above 0 flags only what is surer.
        shown: labels to flag; all liabilities of the catalogue when None.
        evidence: finds similar annotated clauses; none are given without it.

    Returns:
        The contract with its flags: those of the model and, whatever the shift, those that a rule makes certain;
        ``missing`` names the shown labels that contracts of its kind usually have and
        that no clause carries.
    """
    names = {label.name for label in catalogue.values() if label.liability} if shown is None else set(shown)
    limits = shifted_thresholds(scored.thresholds, shift)
    wanted = np.array([name in names for name in scored.labels], dtype=bool)
    by_model = {(int(row), int(column)) for row, column in np.argwhere((scored.probabilities >= limits) & wanted)}
    by_rule = {place for place in scored.rules if wanted[place[1]]} - by_model
    places = sorted(by_model | by_rule, key=lambda place: (place[0], -scored.probabilities[place]))
    pairs = [(scored.clauses[row], scored.labels[column]) for row, column in places]
    similar = evidence([(clause.text, label) for clause, label in pairs]) if evidence and pairs else [()] * len(pairs)
    flags = tuple(
        Flag(
            clause.id,
            label,
            float(scored.probabilities[place]),
            tuple(found),
            rule=scored.rules[place] if place in by_rule else "",
        )
        for place, (clause, label), found in zip(places, pairs, similar, strict=True)
    )
    found_labels = {flag.label for flag in flags}
    kind = contract_kind(scored.document)
    usual = tuple(n for n in scored.labels if n in names and n in catalogue and kind in catalogue[n].expected)
    return FlaggedContract(
        document=scored.document,
        clauses=scored.clauses,
        flags=flags,
        missing=tuple(name for name in usual if name not in found_labels),
        model_id=scored.model_id,
        adapter=scored.adapter,
        timings=dict(scored.timings),
        notes=scored.notes,
        kind=kind,
        usual=usual,
    )


def rules_of(clauses: Sequence[Clause], labels: Sequence[str]) -> dict[tuple[int, int], str]:
    """Return the rules that hold for the clauses that can bind somebody, by row and column of the probabilities."""
    column = {name: place for place, name in enumerate(labels)}
    return {
        (row, column[label]): rule
        for row, clause in enumerate(clauses)
        if clause.kind in _BINDING
        for label, rule in labels_by_rule(clause.text).items()
        if label in column
    }


def as_examples(clauses: Sequence[Clause]) -> list[AnnotatedClause]:
    """Return the clauses of one contract as a model reads them, without labels."""
    return [
        AnnotatedClause(
            id=clause.id,
            text=clause.text.strip(),
            labels=(),
            contract=clause.document_id,
            heading=clause.heading_path[-1] if clause.heading_path else "",
            position=position,
        )
        for position, clause in enumerate(clauses)
    ]


def silent(
    clauses: Sequence[Clause], labels: Sequence[str], catalogue: Mapping[str, Label]
) -> tuple[list[int], list[int]]:
    """Return the rows and columns that cannot be flagged together: clauses that bind nobody, and liabilities."""
    rows = [row for row, clause in enumerate(clauses) if clause.kind not in _BINDING]
    columns = [column for column, name in enumerate(labels) if name in catalogue and catalogue[name].liability]
    return rows, columns
