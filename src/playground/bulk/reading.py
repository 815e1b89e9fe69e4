"""What a bulk run wrote, read back for a page: the files that a reader wants to see, and the flags of one of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.bulk.rows import RISKS
from playground.bulk.summary import SUMMARY_FILE
from playground.bulk.tables import ERRORS, FILES, FLAGS, TABLES_FOLDER
from playground.errors import DocumentError
from playground.text.spreadsheet import spreadsheet_cell, spreadsheet_label

MOST_FILES = 200_000
"""More rows are not held in a page's memory."""
_MOST_SUMMARY_BYTES = 64 << 20
EXPORT_COLUMNS = ("file", "label", "risk", "probability", "number", "page", "heading", "text", "why", "check")
_FILE_COLUMNS = ("file", "same_as", "state", "flags", *RISKS, "kind", "missing", "clauses")

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; "" and 0 for anything."""

    label: str = ""
    missing: str = ""
    risk: str = ""
    state: str = ""
    name: str = ""
    copies: bool = False


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The tables of a run: ``files`` a row each, in the order in which they are to be read; ``summary`` as written."""

    folder: Path
    summary: dict[str, Any]
    files: Rows
    labels_of: dict[str, frozenset[str]]
    """Of each file, the labels on it."""

    def chosen(self, filters: Filters) -> Rows:
        """Return the files that fit."""
        words = filters.name.casefold().strip()
        return [
            row
            for row in self.files
            if (not filters.label or filters.label in self.labels_of.get(row["file"], ()))
            and (not filters.missing or filters.missing in row["missing"])
            and (not filters.risk or row[filters.risk])
            and (not filters.state or row["state"] == filters.state)
            and (filters.copies or not row["same_as"])
            and words in row["file"].casefold()
        ]

    def flags_of(self, names: Sequence[str]) -> Rows:
        """Return the flags of some files, in the order of the files and of each contract.

        Raises:
            DocumentError: they cannot be read.
        """
        return _rows(self.folder, FLAGS, filters=[("file", "in", list(names))]) if names else []

    def error_of(self, name: str) -> str:
        """Return why a file has no flags, "" where it has been judged.

        Raises:
            DocumentError: it cannot be read.
        """
        return "".join(str(row["error"]) for row in _rows(self.folder, ERRORS, filters=[("file", "==", name)]))


def results_in(root: Path) -> tuple[str, ...]:
    """Return the names of the folders in ``root`` that hold a result, the newest first."""
    try:
        found = [path for path in root.iterdir() if (path / TABLES_FOLDER / SUMMARY_FILE).is_file()]
        return tuple(
            path.name
            for path in sorted(found, key=lambda path: (-(path / TABLES_FOLDER).stat().st_mtime, path.name))
            if not path.name.startswith(".")
        )
    except OSError:
        return ()


def read_result(out: Path) -> BulkResult:
    """Read the result in ``out``.

    Raises:
        DocumentError: there is none, it is damaged, or has more than ``MOST_FILES`` files.
    """
    folder = out / TABLES_FOLDER
    try:
        if (folder / SUMMARY_FILE).stat().st_size > _MOST_SUMMARY_BYTES:
            raise DocumentError(f"{SUMMARY_FILE} in {out.name} is too large. Run `bulk flag` again.")
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        count = int(summary["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DocumentError(f"{out.name} holds no whole result. Run `bulk flag` again with this --out.") from error
    if count > MOST_FILES:
        raise DocumentError(
            f"{out.name} has {count:,} files, more than the {MOST_FILES:,} that the page opens. Read its Parquet files "
            "with pandas, DuckDB or a spreadsheet program."
        )
    files = _rows(folder, FILES, columns=list(_FILE_COLUMNS))
    files.sort(key=lambda row: (-row["high"], -row["medium"], -len(row["missing"]), row["file"]))
    labels: dict[str, set[str]] = {}
    for row in _rows(folder, FLAGS, columns=["file", "label"]):
        labels.setdefault(row["file"], set()).add(row["label"])
    return BulkResult(folder, summary, files, {name: frozenset(found) for name, found in labels.items()})


def flags_csv(rows: Rows) -> bytes:
    """Return flags as CSV for a spreadsheet, in which nothing is a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(EXPORT_COLUMNS)
    for row in rows:
        cells = {name: "" if row[name] is None else spreadsheet_cell(str(row[name])) for name in EXPORT_COLUMNS}
        cells |= {"probability": f"{row['probability']:.4f}", "number": spreadsheet_label(row["number"])}
        writer.writerow([cells[name] for name in EXPORT_COLUMNS])
    return buffer.getvalue().encode("utf-8-sig")


def _rows(folder: Path, name: str, **how: Any) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: Rows = pq.read_table(folder / f"{name}.parquet", **how).to_pylist()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DocumentError(f"{name}.parquet cannot be read. Run `bulk flag` again with this --out.") from error
    return rows
