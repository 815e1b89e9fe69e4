"""Rows of any table -> annotated clauses, or the reason why not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from playground.annotations.label_names import LabelNames, shown
from playground.annotations.records import RejectedRow
from playground.text.normalise import clean_title, normalise_text
from playground.types import AnnotatedClause

MAX_CLAUSE_CHARACTERS = 20_000
_MAX_LABELS_CHARACTERS = 10_000
_MAX_LABELS = 100
_SEPARATOR = re.compile(r"[;|\n]")


class UnusableRowError(ValueError):
    """A row cannot be used; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells or field values as they were read. ``contract`` and ``heading`` are None where there is no such column."""

    number: int
    text: object
    labels: object
    contract: object = None
    heading: object = None
    id: str = field(default="", kw_only=True)


def clause_from_row(row: Row, names: LabelNames) -> AnnotatedClause:
    """Return the clause of one row; a row without a contract is one of its own, so that it is in no split twice.

    Raises:
        UnusableRowError: with the reason.
    """
    if not isinstance(row.text, str):
        raise UnusableRowError(f"The clause is {_kind(row.text)}, not text.")
    if len(row.text) > MAX_CLAUSE_CHARACTERS:
        hint = " A quotation mark that is not closed swallows the rows after it." if row.text.count("\n") > 20 else ""
        raise UnusableRowError(
            f"The clause has {len(row.text):,} characters; at most {MAX_CLAUSE_CHARACTERS:,} are read.{hint}"
        )
    text = normalise_text(row.text).strip()
    if not text:
        raise UnusableRowError("The clause is empty.")
    own = f"row-{row.number}"
    return AnnotatedClause(
        id=row.id or own,
        text=text,
        labels=parse_labels(row.labels, names),
        contract=_line(row.contract, "contract") or own,
        heading=_line(row.heading, "heading"),
    )


def parse_labels(value: object, names: LabelNames) -> tuple[str, ...]:
    """Return the labels of a cell (separated by ";", "|" or line ends, or a JSON list) or of a list; none is allowed.

    Raises:
        UnusableRowError: a label is not known, or the value is neither text nor a list of texts.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        if len(value) > _MAX_LABELS_CHARACTERS:
            raise UnusableRowError(f"The labels have {len(value):,} characters.")
        value = _json_list(value) if value.lstrip().startswith("[") else _SEPARATOR.split(value)
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise UnusableRowError(f"The labels are {_kind(value)}, not text or a list of texts.")
    if len(value) > _MAX_LABELS:
        raise UnusableRowError(f"The row has {len(value):,} labels.")
    found = []
    for label in filter(None, map(str.strip, value)):
        known = names.find(label)
        if known is None:
            raise UnusableRowError(names.unknown(label))
        found.append(known)
    return names.ordered(found)


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Clauses that can be used, why the other rows cannot, and how many rows only added a label to an earlier one."""

    clauses: tuple[AnnotatedClause, ...]
    rejected: tuple[RejectedRow, ...]
    put_together: int


def clauses_from_rows(rows: Iterable[Row | RejectedRow], names: LabelNames) -> ReadRows:
    """Return the clauses of all rows; the first of equal clauses is kept.

    Clauses are equal when their texts are, but for case and white space. Rows of one contract (or of none) that give
    the same clause different labels are one clause with all of them: tables with one label a row mean it so. A row with
    an id of its own, or one that says that the clause carries none, is never put together with another.
    """
    rejected: list[RejectedRow] = []
    equal: dict[str, list[_ReadRow]] = {}
    for row in rows:
        if isinstance(row, RejectedRow):
            rejected.append(row)
            continue
        try:
            clause = clause_from_row(row, names)
        except UnusableRowError as error:
            rejected.append(RejectedRow(row.number, str(error)))
            continue
        contract = "" if clause.contract == f"row-{row.number}" else clause.contract
        equal.setdefault(" ".join(clause.text.split()).casefold(), []).append(
            _ReadRow(row.number, clause, contract, bool(row.id))
        )
    clauses: list[AnnotatedClause] = []
    put_together = 0
    for group in equal.values():
        clause, added, reasons = _one_clause(group, names)
        clauses.append(clause)
        put_together += added
        rejected += reasons
    return ReadRows(tuple(clauses), tuple(sorted(rejected, key=lambda row: row.number)), put_together)


@dataclass(frozen=True, slots=True)
class _ReadRow:
    """A row as a clause; ``contract`` is empty where the row names none, ``own_id`` says that it has an id."""

    number: int
    clause: AnnotatedClause
    contract: str
    own_id: bool


def _one_clause(rows: Sequence[_ReadRow], names: LabelNames) -> tuple[AnnotatedClause, int, list[RejectedRow]]:
    """Return the clause of rows with the same text, how many rows added a label to it, and why others are not used."""
    first = rows[0]
    own = [row for row in rows if _adds_to(first, row)]
    labels = names.ordered(label for row in (first, *own) for label in row.clause.labels)
    heading = next((row.clause.heading for row in (first, *own) if row.clause.heading), "")
    clause = replace(first.clause, labels=labels, heading=heading)
    by_contract: dict[str, set[str]] = {}
    for row in rows:
        by_contract.setdefault(row.contract, set()).update(row.clause.labels)
    seen = set(first.clause.labels)
    added = 0
    rejected = []
    for row in rows[1:]:
        found = row.clause.labels
        if row in own and not set(found) <= seen:
            seen |= set(found)
            added += 1
        elif row in own or found == labels or (row.contract and found and by_contract[row.contract] == set(labels)):
            rejected.append(RejectedRow(row.number, f"Duplicate: the same clause and labels as row {first.number}."))
        else:
            rejected.append(
                RejectedRow(
                    row.number,
                    f"Conflict: the same clause as row {first.number}, which is used, but labelled "
                    f"{_listed(row.clause)} and not {_listed(clause)}.",
                )
            )
    return clause, added, rejected


def _adds_to(first: _ReadRow, row: _ReadRow) -> bool:
    same = row.contract == first.contract and not row.own_id
    return row is not first and same and bool(first.clause.labels and row.clause.labels)


def _json_list(cell: str) -> object:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        raise UnusableRowError(
            f"The labels {shown(cell)} are not a JSON list. Write them in double quotes, or without brackets and "
            "separated by a semicolon."
        ) from None


def _line(value: object, what: str) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    if not isinstance(value, str):
        raise UnusableRowError(f"The {what} is {_kind(value)}, not text.")
    return clean_title(value[:MAX_CLAUSE_CHARACTERS], "")


def _listed(clause: AnnotatedClause) -> str:
    return "; ".join(clause.labels) or "as none"


def _kind(value: object) -> str:
    kinds = {type(None): "missing", bool: "true or false", int: "a number", float: "a number", dict: "an object"}
    return kinds.get(type(value), "a list" if isinstance(value, list) else "text")
