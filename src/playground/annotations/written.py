"""The clauses written for this project: ``*.jsonl`` files with a fixed layout and a fixed split by contract."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from playground.annotations.label_names import LabelNames, shown
from playground.annotations.limits import checked_text
from playground.annotations.records import AnnotationSet, RejectedRow, WrittenClauses, present_labels
from playground.annotations.rows import Row, UnusableRowError, clauses_from_rows
from playground.annotations.sniffing import lines_of
from playground.annotations.tables import MAX_TABLE_BYTES, parse_object
from playground.errors import AnnotationError
from playground.text.normalise import clean_title

_TEXT_FIELDS = ("id", "contract", "split", "heading", "text")


def load_written_clauses(folder: Path, known_labels: Sequence[str]) -> WrittenClauses:
    """Read every ``*.jsonl`` of ``folder``, by name; rows are ``{"id", "contract", "split", "heading", "text",
    "labels"}`` with a split of "train" or "test".

    Lines with text are counted through all the files; ``sha256`` is of the files' bytes one after the other. Bad rows
    are rejected with a reason that names file and line.

    Raises:
        AnnotationError: no such folder or file, a file that cannot be read, or a contract in both splits.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise AnnotationError(f"{folder} holds no *.jsonl file with annotated clauses. Restore it from the repository.")
    digest = hashlib.sha256()
    rows: list[Row | RejectedRow] = []
    places: list[str] = []
    split_of: dict[str, str] = {}
    ids: set[str] = set()
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise AnnotationError(f"{path} cannot be read ({error.strerror}). Check its permissions.") from error
        digest.update(data)
        text, _ = checked_text(data, path.name, MAX_TABLE_BYTES)
        for number, line in enumerate(lines_of(text), start=1):
            if not line.strip():
                continue
            places.append(f"{path.name}, line {number}")
            try:
                rows.append(_row(len(places), line, split_of, ids))
            except UnusableRowError as error:
                rows.append(RejectedRow(len(places), str(error)))
    read = clauses_from_rows(rows, LabelNames(known_labels))
    examples = read.clauses
    annotations = AnnotationSet(
        name=folder.name,
        sha256=digest.hexdigest(),
        examples=examples,
        labels=present_labels(examples, known_labels),
        rejected=tuple(RejectedRow(row.number, f"{places[row.number - 1]}: {row.reason}") for row in read.rejected),
    )
    return WrittenClauses(
        annotations,
        train=tuple(example for example in examples if split_of[example.contract] == "train"),
        test=tuple(example for example in examples if split_of[example.contract] == "test"),
    )


def _row(number: int, line: str, split_of: dict[str, str], ids: set[str]) -> Row:
    """Check what is particular to these files, and enter the row's split and id into ``split_of`` and ``ids``."""
    record = parse_object(line)
    if isinstance(record, str):
        raise UnusableRowError(record)
    for field in _TEXT_FIELDS:
        if not isinstance(record.get(field), str):
            raise UnusableRowError(f'"{field}" is missing or not text.')
    if "labels" not in record:
        raise UnusableRowError('"labels" is missing; a negative has an empty list.')
    contract, split, identity = clean_title(record["contract"], ""), record["split"], record["id"]
    if not contract or not identity:
        raise UnusableRowError('"id" or "contract" is empty.')
    if split not in ("train", "test"):
        raise UnusableRowError(f'"split" is {shown(split)}, not "train" or "test".')
    if identity in ids:
        raise UnusableRowError(f"The id {shown(identity)} is used twice.")
    if split_of.setdefault(contract, split) != split:
        raise AnnotationError(f"Clauses of {shown(contract)} are in train and in test. Keep a contract in one of them.")
    ids.add(identity)
    return Row(number, record["text"], record["labels"], contract, record["heading"], id=identity)
