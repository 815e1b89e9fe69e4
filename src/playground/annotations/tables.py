"""The user's own table of annotated clauses: CSV or JSON lines."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from playground.annotations.label_names import LabelNames, shown
from playground.annotations.limits import checked_text
from playground.annotations.records import (
    AnnotationSet,
    ColumnMapping,
    RejectedRow,
    TablePreview,
    present_labels,
)
from playground.annotations.rows import Row, clauses_from_rows
from playground.annotations.sniffing import lines_of, refuse_known_others, sniff_format
from playground.errors import AnnotationError
from playground.text.normalise import clean_name, clean_title

MAX_TABLE_BYTES = 25 * 1024 * 1024
MAX_ROWS = 50_000
MAX_SHEET_ROWS = 1_048_576  # blank ones included: as many as a spreadsheet can have
MAX_COLUMNS = 200
_MAX_LINE_CHARACTERS = 1_000_000
_PREVIEW_CHARACTERS = 500
_SNIFFED_CHARACTERS = 64 * 1024
_SNIFFED_ROWS = 20
_MOST_OPEN_QUOTES = 20
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.I)  # Excel's own first line

# What people call their columns, best first; compared without case, spaces and hyphens.
_NAMES = {
    "text": "text clause clausetext clausetexts sentence passage paragraph provision content excerpt input".split(),
    "labels": "labels label categories category clausetypes clausetype types type tags tag class target output".split(),
    "contract": (
        "contract contractid contractname contracttitle agreement document documentid documentname filename file doc "
        "source title"
    ).split(),
    "heading": "heading headings clauseheading sectiontitle section header".split(),
}


def read_csv(data: bytes, mapping: ColumnMapping, name: str, known_labels: Sequence[str]) -> AnnotationSet:
    """Read a CSV file with a header row, in any usual encoding and with a comma, semicolon, tab or bar between cells.

    Cells of labels hold names separated by ";" or "|", or a JSON list; an empty one makes the clause a negative. Rows
    that cannot be used are in ``rejected``, by their row in a spreadsheet (the header is row 1): nothing is raised for
    them, even when none is left.

    Raises:
        AnnotationError: the file is not such a table, has no such columns, or passes a bound.
    """
    refuse_known_others(data, name)
    text, warnings = checked_text(data, name, MAX_TABLE_BYTES)
    columns, records = _csv_records(text, name)
    _check_mapping(mapping, columns, name)
    place = {column: i for i, column in enumerate(columns)}
    wanted = [place[column] for column in _mapped(mapping)]

    def rows() -> Iterator[Row | RejectedRow]:
        for number, cells in records:
            if cells is None:
                yield RejectedRow(
                    number, "The row opens a quotation mark that is never closed. Close it, or double it."
                )
                continue
            if not any(map(str.strip, cells)):
                continue
            if len(cells) > len(columns) or len(cells) <= max(wanted):
                yield RejectedRow(
                    number,
                    f"The row has {len(cells)} cells, the header {len(columns)}. Put cells that contain the separator "
                    "or a line end in double quotes.",
                )
                continue
            yield Row(number, *(None if column is None else cells[place[column]] for column in _fields(mapping)))

    return _table(data, name, rows(), mapping=mapping, known_labels=known_labels, warnings=warnings)


def read_json_lines(data: bytes, mapping: ColumnMapping, name: str, known_labels: Sequence[str]) -> AnnotationSet:
    """Read one JSON object a line; ``mapping`` names their fields. Numbers of rejected rows are those of lines.

    Labels are a list of names, or text as in a cell of CSV; null or an empty list makes the clause a negative.

    Raises:
        AnnotationError: the file is empty, not text, or passes a bound; no line has the fields.
    """
    refuse_known_others(data, name)
    text, warnings = checked_text(data, name, MAX_TABLE_BYTES)
    lines = _bounded_lines(text, name)
    _check_mapping(mapping, _field_names(lines), name)
    optional = {mapping.contract, mapping.heading}

    def rows() -> Iterator[Row | RejectedRow]:
        for number, line in lines:
            record = parse_object(line)
            if isinstance(record, str):
                yield RejectedRow(number, record)
                continue
            missing = [field for field in _mapped(mapping) if field not in record and field not in optional]
            if missing:
                yield RejectedRow(number, f"The line has no field {shown(missing[0])}.")
                continue
            yield Row(number, *(None if field is None else record.get(field) for field in _fields(mapping)))

    return _table(data, name, rows(), mapping=mapping, known_labels=known_labels, warnings=warnings)


def columns_of(data: bytes, name: str = "The file", rows: int = 5) -> TablePreview:
    """Return the columns (CSV) or fields (JSON lines) and the first rows, long cells cut, for choosing a mapping.

    Raises:
        AnnotationError: the file is neither, or passes a bound.
    """
    refuse_known_others(data, name)
    text, _ = checked_text(data, name, MAX_TABLE_BYTES)
    kind = sniff_format(text, name)
    if kind == "cuad":
        raise AnnotationError(f"{name} is in CUAD's layout, which has no columns to choose. Load it as it is.")
    if kind == "json_lines":
        lines = _bounded_lines(text, name)
        columns = _field_names(lines)
        objects = (record for _, line in lines if isinstance(record := parse_object(line), dict))
        cells = [[_cell(record.get(column)) for column in columns] for record in islice(objects, rows)]
    else:
        columns, records = _csv_records(text, name)
        filled = (row for _, row in records if row and any(map(str.strip, row)))
        cells = [[*row, *[""] * len(columns)][: len(columns)] for row in islice(filled, rows)]
    return TablePreview(columns, tuple(tuple(cell[:_PREVIEW_CHARACTERS] for cell in row) for row in cells))


def guess_mapping(columns: Sequence[str]) -> ColumnMapping | None:
    """Return which columns hold what, by their names; None when those of clauses and labels are not recognised."""
    by_key = {re.sub(r"[\W_]+", "", column.casefold()): column for column in reversed(columns)}
    found: dict[str, str | None] = {}
    for field, names in _NAMES.items():
        found[field] = next((by_key[key] for key in names if key in by_key), None)
    if found["text"] is None or found["labels"] is None:
        return None
    return ColumnMapping(found["text"], found["labels"], found["contract"], found["heading"])


def _csv_records(text: str, name: str) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str] | None]]]:
    """Return the header and an iterator over (row of the sheet, cells) of what follows; blank rows count.

    Cells are None where a row opens a quotation mark that is never closed: what follows is read anew from the next
    line, instead of vanishing in that row's last cell.
    """
    separator_line = _SEPARATOR_LINE.match(text)
    delimiter = separator_line[1] if separator_line and separator_line[1] in _DELIMITERS else _delimiter(text)
    # The default of 131,072 characters would end the reading at one long cell, which is rejected by its row instead.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_TABLE_BYTES))
    numbered = enumerate(_csv_rows(list(io.StringIO(text, newline="")), delimiter), start=1)
    if separator_line:
        next(numbered)
    header = next((cells for _, cells in numbered if cells and any(map(str.strip, cells))), [])
    if len(header) < 2:
        raise AnnotationError(
            f"{name} has only one column. A table needs a header row and at least a column of clauses and one of "
            "labels, separated by commas, semicolons or tabs."
        )
    if len(header) > MAX_COLUMNS:
        raise AnnotationError(f"{name} has {len(header):,} columns; at most {MAX_COLUMNS} are read. Remove the others.")
    columns: list[str] = []
    for i, cell in enumerate(header, start=1):
        column = clean_title(cell, f"column {i}")
        columns.append(column if column not in columns else f"{column} (column {i})")

    def records() -> Iterator[tuple[int, list[str] | None]]:
        filled = 0
        for number, cells in numbered:
            filled += cells is None or any(map(str.strip, cells))
            if filled > MAX_ROWS or number > MAX_SHEET_ROWS:
                raise _too_many_rows(name)
            yield number, cells

    return tuple(columns), records()


def _csv_rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str] | None]:
    """Yield the rows of a sheet, None for one that opens a quotation mark that is never closed."""
    start = 0
    for _attempt in range(_MOST_OPEN_QUOTES):
        reader = csv.reader(lines[start:], delimiter=delimiter)
        before = 0
        for cells in reader:
            if start + reader.line_num == len(lines) and _is_open(lines[start + before :], delimiter):
                yield None
                start += before + 1
                break
            before = reader.line_num
            yield cells
        else:
            return
    yield from ([line] for line in lines[start:])  # each is refused by its number of cells


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    try:
        for _cells in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _delimiter(text: str) -> str:
    """Return the delimiter with which most of the first rows are as wide as the header, then the widest."""
    sample = text[:_SNIFFED_CHARACTERS]

    def score(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        rows = [row for row in islice(reader, _SNIFFED_ROWS) if any(map(str.strip, row))]
        if len(text) > len(sample) and len(rows) > 2:
            rows.pop()  # it may have been cut
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) / len(rows), width) if width > 1 else (0.0, 0)

    return max(_DELIMITERS, key=score)


def _bounded_lines(text: str, name: str) -> list[tuple[int, str]]:
    lines = [(number, line) for number, line in enumerate(lines_of(text), start=1) if line.strip()]
    if len(lines) > MAX_ROWS:
        raise _too_many_rows(name)
    return lines


def _field_names(lines: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return the fields of the first readable lines, in the order in which they appear."""
    fields: dict[str, None] = {}
    for _, line in lines[:_SNIFFED_ROWS]:
        record = parse_object(line)
        if isinstance(record, dict):
            fields |= dict.fromkeys(record)
    return tuple(islice(fields, MAX_COLUMNS))


def parse_object(line: str) -> dict[str, Any] | str:
    """Return the JSON object of a line, or the reason why there is none."""
    if len(line) > _MAX_LINE_CHARACTERS:
        return f"The line has {len(line):,} characters; at most {_MAX_LINE_CHARACTERS:,} are read."
    try:
        record = json.loads(line)
    except RecursionError:
        return "The line is nested too deeply."
    except ValueError as error:
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return f"The line is not valid JSON{column}."
    return record if isinstance(record, dict) else "The line is not a JSON object."


def _check_mapping(mapping: ColumnMapping, columns: Sequence[str], name: str) -> None:
    chosen = _mapped(mapping)
    for column in chosen:
        if column not in columns:
            near = difflib.get_close_matches(column, columns, n=1)
            hint = f" Did you mean {shown(near[0])}?" if near else ""
            raise AnnotationError(f"{name} has no column {shown(column)}.{hint} {columns_sentence(columns)}")
    if len(set(chosen)) < len(chosen):
        raise AnnotationError("The same column is chosen twice. Choose a column of its own for clauses and for labels.")


def columns_sentence(columns: Sequence[str]) -> str:
    """Say which columns there are."""
    more = ", …" if len(columns) > 12 else ""
    return f"Its columns are: {', '.join(shown(column, 30) for column in columns[:12])}{more}."


def _fields(mapping: ColumnMapping) -> tuple[str | None, ...]:
    return mapping.text, mapping.labels, mapping.contract, mapping.heading


def _mapped(mapping: ColumnMapping) -> list[str]:
    return [column for column in _fields(mapping) if column is not None]


def _table(
    data: bytes,
    name: str,
    rows: Iterator[Row | RejectedRow],
    *,
    mapping: ColumnMapping,
    known_labels: Sequence[str],
    warnings: tuple[str, ...],
) -> AnnotationSet:
    read = clauses_from_rows(rows, LabelNames(known_labels))
    examples = read.clauses
    too_good = "training and test are split by clause there, so the measured figures can be too good."
    alone = sum(example.contract == example.id for example in examples)
    if mapping.contract is None:
        warnings = (*warnings, f"No column names the contract of a clause: {too_good}")
    elif alone:
        warnings = (*warnings, f"{alone:,} clause(s) have no contract: {too_good}")
    if read.put_together:
        warnings = (
            *warnings,
            f"{read.put_together:,} row(s) repeat a clause with another label; the labels were put together.",
        )
    return AnnotationSet(
        name=clean_name(name, "annotations"),
        sha256=hashlib.sha256(data).hexdigest(),
        examples=examples,
        labels=present_labels(examples, known_labels),
        rejected=read.rejected,
        warnings=warnings,
    )


def _too_many_rows(name: str) -> AnnotationError:
    return AnnotationError(f"{name} has more than {MAX_ROWS:,} rows. Load a part of it.")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
