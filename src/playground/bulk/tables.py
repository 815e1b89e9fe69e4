"""The results as Parquet: one row a flag, one a file, one an error. The same results give the same bytes.

One type a column and a schema that is written also where there is no row: what a column holds never depends on the
data. The folder appears whole, in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.atomic import publish, remove_folder, staging
from playground.bulk.ledger import FileResult
from playground.bulk.rows import RISKS, Row, error_of, file_row, flag_rows, head
from playground.bulk.summary import SUMMARY_FILE, Summary
from playground.errors import DocumentError
from playground.types import Label

if TYPE_CHECKING:
    import pyarrow

TABLES_FOLDER = "tables"
FLAGS, FILES, ERRORS = "flags", "files", "errors"
_ROWS_AT_ONCE = 2_000


def schemas() -> dict[str, pyarrow.Schema]:
    """Return the columns of each table. ``page`` is null where the format has no pages.

    ``contract`` joins the tables: files with the same content have the same. ``same_as`` names the first of them.
    """
    import pyarrow as pa

    text, many = pa.string(), pa.list_(pa.string())
    flags = [("file", text), ("contract", text), ("label", text), ("risk", text), ("probability", pa.float64())]
    flags += [("number", text), ("heading", text), ("page", pa.int32()), ("start", pa.int32()), ("end", pa.int32())]
    flags += [("text", text), ("why", text), ("check", text), ("rule", text)]
    files = [("file", text), ("contract", text), ("same_as", text), ("state", text), ("bytes", pa.int64())]
    files += [("characters", pa.int32()), ("clauses", pa.int32()), ("flags", pa.int32())]
    files += [(risk, pa.int32()) for risk in RISKS]
    files += [("kind", text), ("missing", many), ("notes", many), ("model", text), ("adapter", text)]
    errors = [("file", text), ("contract", text), ("error", text)]
    return {FLAGS: pa.schema(flags), FILES: pa.schema(files), ERRORS: pa.schema(errors)}


def write_tables(results: Iterable[FileResult], catalogue: Mapping[str, Label], out: Path, most: int) -> Summary:
    """Write the tables and the summary into ``out``/tables, in place of what was there.

    Args:
        results: every file, by name.
        catalogue: every label by name.
        out: folder of the run.
        most: how many contracts the summary names to be read first.

    Raises:
        DocumentError: they cannot be written.
    """
    target = out / TABLES_FOLDER
    try:
        with staging(out) as staged:
            summary = _write(results, catalogue, staged, most)
            (staged / SUMMARY_FILE).write_bytes(summary.as_json())
            if target.exists():
                remove_folder(target)
            publish(staged, target)
        return summary
    except OSError as error:
        raise DocumentError(
            f"The tables cannot be written to {target} ({error.strerror or error}). Free some space and run it again: "
            "nothing is judged anew."
        ) from error


def _write(results: Iterable[FileResult], catalogue: Mapping[str, Label], folder: Path, most: int) -> Summary:
    summary = Summary(most)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(_Writer(folder / f"{name}.parquet", schema)) for name, schema in schemas().items()
        }
        for result in results:
            flags = flag_rows(result, catalogue)
            for row in flags:
                writers[FLAGS].add(row)
            writers[FILES].add(file_row(result, flags))
            if error := error_of(result):
                writers[ERRORS].add(head(result) | {"error": error})
            summary.add(result, flags)
    return summary


class _Writer:
    """Writes rows to a Parquet file in groups of the same size: the bytes depend on the rows alone."""

    def __init__(self, path: Path, schema: pyarrow.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._rows: list[Row] = []
        self._writer: Any = pq.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> _Writer:
        return self

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def __exit__(self, *_about: object) -> None:
        try:
            self._flush()  # also where there is no row: a group of none
        finally:
            self._writer.close()
