"""Contracts that people annotated, as an evaluation reads them: CUAD's JSON, or the project's own test clauses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.annotations import AnnotatedContract, gold_labels, load_written_clauses, read_cuad
from playground.annotations.cuad import MAX_CUAD_BYTES
from playground.annotations.gold import gold_matrix
from playground.clauses.splitting import split_clauses
from playground.errors import AnnotationError, EvaluationError
from playground.files import read_file
from playground.flagging.flags import as_examples
from playground.measuring.evaluation import sample_examples
from playground.paths import CLAUSES
from playground.types import AnnotatedClause, Clause, Document, Example
from scenarios.contract_clauses.scenario import labels

LABELS: tuple[str, ...] = tuple(label.name for label in labels())
"""The labels in the order of their columns, in every row and matrix of an evaluation."""


@dataclass(frozen=True, slots=True)
class MeasuredContract:
    """A contract with its gold annotation.

    ``clauses`` carry no labels: they are what a strategy gets to see. ``gold`` is bool [clauses, LABELS]. For CUAD's
    metric, ``text`` is the contract, ``pieces`` its clauses with offsets and ``answers`` label -> the marked texts;
    these are empty and None where only single clauses were annotated.
    """

    title: str
    clauses: tuple[AnnotatedClause, ...]
    gold: np.ndarray
    text: str = ""
    pieces: tuple[Clause, ...] = ()
    answers: dict[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """The contracts of one file. ``labels`` are those that occur in the whole file, whatever part was taken of it."""

    name: str
    sha256: str
    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_measured_set(path: Path | None, limit: int | None, seed: int) -> MeasuredSet:
    """Read CUAD's JSON, or the test split of the project's own clauses where ``path`` is None.

    Args:
        path: file of contracts.
        limit: most contracts, a random sample; None for all.
        seed: of the sample.

    Raises:
        EvaluationError: the file cannot be read or used.
    """
    return _written(limit, seed) if path is None else _from_cuad(path, limit, seed)


def contract_of(example: Example) -> MeasuredContract:
    """Return the contract that an example stands for."""
    contract = example.metadata["contract"]
    if not isinstance(contract, MeasuredContract):
        raise TypeError("contract")
    return contract


def clause_units(text: str) -> tuple[tuple[int, int, str], ...]:
    """Cut a raw text as contracts are cut for flagging; for ``annotations.read_annotations``."""
    pieces = split_clauses(_raw_document("", text))
    return tuple((piece.start, piece.end, piece.heading_path[-1] if piece.heading_path else "") for piece in pieces)


def read_bytes(path: Path, option: str) -> bytes:
    """Return the bytes of a file of annotations.

    Raises:
        EvaluationError: it cannot be read, or is too large; ``option`` is the argument that named it.
    """
    try:
        if path.stat().st_size > MAX_CUAD_BYTES:
            raise EvaluationError(f"{path} has more than {MAX_CUAD_BYTES >> 20} MB. Give {option} a part of it.")
        return read_file(path, MAX_CUAD_BYTES)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Check {option}.") from error


def measured(contract: AnnotatedContract) -> MeasuredContract:
    """Cut a contract into clauses, as flagging does, and give each the labels of the spans that it holds.

    The text is taken as it is: normalising it would move the offsets of the spans.
    """
    pieces = split_clauses(_raw_document(contract.title, contract.text))
    units = [(piece.start, piece.end, "") for piece in pieces]
    gold = np.zeros((len(pieces), len(LABELS)), dtype=bool)
    for row, found in enumerate(gold_labels(contract.text, units, contract.spans)):
        gold[row] = [name in found for name in LABELS]
    answers: dict[str, tuple[str, ...]] = {}
    for span in contract.spans:
        answers[span.label] = (*answers.get(span.label, ()), contract.text[span.start : span.end])
    return MeasuredContract(contract.title, tuple(as_examples(pieces)), gold, contract.text, pieces, answers)


def _from_cuad(path: Path, limit: int | None, seed: int) -> MeasuredSet:
    data = read_bytes(path, "--contracts")
    try:
        contracts, rejected = read_cuad(data, path.name, LABELS)
    except AnnotationError as error:
        raise EvaluationError(f"The contracts cannot be used: {error}") from error
    present = {span.label for contract in contracts for span in contract.spans}
    notes = [note for contract in contracts for note in contract.warnings]
    notes += [f"contract {row.number} of {path.name}: {row.reason}" for row in rejected]
    by_title = {contract.title: contract for contract in contracts}
    sampled = _sampled([Example(title, title, "") for title in by_title], limit, seed)
    return MeasuredSet(
        name=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        examples=tuple(_example(measured(by_title[example.id])) for example in sampled),
        labels=tuple(name for name in LABELS if name in present),
        notes=tuple(notes),
    )


def _written(limit: int | None, seed: int) -> MeasuredSet:
    try:
        written = load_written_clauses(CLAUSES, LABELS)
    except AnnotationError as error:
        raise EvaluationError(f"The project's own clauses cannot be used: {error}") from error
    groups: dict[str, list[AnnotatedClause]] = {}
    for clause in written.test:
        groups.setdefault(clause.contract, []).append(clause)
    if not groups:
        raise EvaluationError("The project's own clauses have no test split. Restore data/clauses, or use --contracts.")
    present = {name for clause in written.test for name in clause.labels}
    sampled = _sampled([Example(name, name, "") for name in groups], limit, seed)
    return MeasuredSet(
        name="the project's own test clauses",
        sha256=written.annotations.sha256,
        examples=tuple(_example(_of_clauses(example.id, groups[example.id])) for example in sampled),
        labels=tuple(name for name in LABELS if name in present),
    )


def _of_clauses(title: str, clauses: Sequence[AnnotatedClause]) -> MeasuredContract:
    unlabelled = tuple(
        AnnotatedClause(clause.id, clause.text, (), clause.contract, clause.heading, clause.position)
        for clause in clauses
    )
    return MeasuredContract(title, unlabelled, gold_matrix(clauses, LABELS))


def _example(contract: MeasuredContract) -> Example:
    return Example(contract.title, contract.title, "", {"contract": contract})


def _sampled(examples: Sequence[Example], limit: int | None, seed: int) -> Sequence[Example]:
    return examples if limit is None else sample_examples(examples, limit, seed=seed, stratum=lambda _example: 0)


def _raw_document(title: str, text: str) -> Document:
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return Document(id=digest[:16], title=title, text=text, source=title, sha256=digest)
