"""Bulk flags against what people marked: which annotated clauses were flagged, which flags nobody marked.

By the rules of CUAD (``measuring.cuad_metric``), of the flags as a reader gets them: a marked text is found where a
flag of its label has a Jaccard index of words of at least 0.5 with it; a flag that matches no marked text of its label
is false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from playground.annotations import AnnotatedContract
from playground.atomic import replace_file
from playground.bulk.tables import FILES, FLAGS, TABLES_FOLDER
from playground.errors import DocumentError
from playground.measuring.clause_metrics import bootstrap_over_contracts
from playground.measuring.cuad_metric import word_jaccard
from playground.measuring.estimates import Estimate

CONTRACTS_FOLDER = "contracts"
_MATCH = 0.5


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Of one label: how many texts were marked, how many of them were found, and how many flags nobody marked."""

    label: str
    marked: int
    found: int
    false: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over all labels: recall and precision with intervals (bootstrap over contracts); None where not defined."""

    contracts: int
    failed: int
    labels: tuple[LabelAgreement, ...]
    recall: Estimate | None
    precision: Estimate | None


def write_contracts(contracts: Sequence[AnnotatedContract], out: Path) -> Path:
    """Write each contract as a text file into ``out``/contracts, unless it is there, and return that folder.

    Raises:
        DocumentError: they cannot be written.
    """
    folder = out / CONTRACTS_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, contract in enumerate(contracts):
            path, data = folder / _name(number), contract.text.encode("utf-8", "replace")
            if not (path.is_file() and path.read_bytes() == data):
                replace_file(path, data)
        for path in sorted(folder.glob("*.txt"))[len(contracts) :]:
            path.unlink()  # of an earlier, longer file
    except OSError as error:
        raise DocumentError(f"{folder} cannot be written ({error.strerror}). Choose another --out.") from error
    return folder


def agreement(contracts: Sequence[AnnotatedContract], out: Path, labels: Sequence[str]) -> Agreement:
    """Compare the flags in ``out`` with what was marked. A contract that failed has none: all that is marked is missed.

    Args:
        contracts: as ``write_contracts`` wrote them.
        out: folder of the run.
        labels: those that are compared.

    Raises:
        DocumentError: the tables cannot be read.
    """
    place = {name: column for column, name in enumerate(labels)}
    counts = np.zeros((3, len(contracts), len(labels)), dtype=np.int64)  # marked, found, false
    flagged = dict(_flags(out))
    for row, contract in enumerate(contracts):
        marked: dict[str, list[str]] = {name: [] for name in labels}
        for span in contract.spans:
            if span.label in marked:
                marked[span.label].append(contract.text[span.start : span.end])
        flags = flagged.get(_name(row), [])
        for name, column in place.items():
            texts = [text for label, text in flags if label == name]
            counts[0, row, column] = len(marked[name])
            counts[1, row, column] = sum(any(_matches(gold, text) for text in texts) for gold in marked[name])
            counts[2, row, column] = sum(not any(_matches(gold, text) for gold in marked[name]) for text in texts)
    by_contract = counts.sum(axis=2).astype(float)
    estimates = bootstrap_over_contracts(
        {
            "recall": lambda weights: _ratio(weights @ by_contract[1], weights @ by_contract[0]),
            "precision": lambda weights: _ratio(weights @ by_contract[1], weights @ (by_contract[1] + by_contract[2])),
        },
        len(contracts),
    )
    by_label = counts.sum(axis=1)
    return Agreement(
        contracts=len(contracts),
        failed=sum(state != "flagged" for _file, state in _rows(out, FILES, ["file", "state"])),
        labels=tuple(
            LabelAgreement(name, *(int(by_label[kind, column]) for kind in range(3)))
            for name, column in place.items()
            if by_label[:, column].any()
        ),
        recall=estimates["recall"],
        precision=estimates["precision"],
    )


def _flags(out: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    rows = _rows(out, FLAGS, ["file", "label", "text"])
    for name, flags in groupby(rows, key=lambda row: row[0]):
        yield name, [(label, text) for _file, label, text in flags]


def _rows(out: Path, table: str, columns: list[str]) -> Iterator[tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(out / TABLES_FOLDER / f"{table}.parquet") as file:
            for batch in file.iter_batches(columns=columns):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    except (OSError, pa.ArrowException) as error:
        raise DocumentError(f"{table}.parquet cannot be read. Run it again with this --out.") from error


def _matches(gold: str, text: str) -> bool:
    return word_jaccard(gold, text) >= _MATCH


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _name(number: int) -> str:
    return f"{number:06}.txt"
