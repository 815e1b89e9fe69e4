"""What a bulk run has done, in one SQLite file: a result is in it whole or not at all, also after kill -9.

Only the driver writes it, on a disk of its own machine (SQLite's locks do not hold on network file systems). Nothing
grows with the number of files but the file itself.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.bulk.judging import Judged, Task, from_json, to_json
from playground.bulk.listing import ListedFile
from playground.errors import DocumentError

LEDGER_FILE = "ledger.sqlite"
_LOCK_FILE = ".lock"
_VERSION = "1"
_PAGE = 500
_RESULTS_PAGE = 50  # each may hold the text of hundreds of clauses
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    name BLOB PRIMARY KEY, path BLOB NOT NULL, content TEXT NOT NULL, size INTEGER NOT NULL, error TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_content ON file (content);
CREATE TABLE IF NOT EXISTS result (
    content TEXT PRIMARY KEY, failed INTEGER NOT NULL, lasting INTEGER NOT NULL, core_seconds REAL NOT NULL,
    characters INTEGER NOT NULL, judged BLOB NOT NULL
);
"""
_COUNTS = """
WITH wanted AS (SELECT DISTINCT content FROM file WHERE error = '')
SELECT (SELECT COUNT(*) FROM file), (SELECT COUNT(*) FROM wanted),
    (SELECT COUNT(*) FROM wanted JOIN result USING (content)), (SELECT COUNT(*) FROM file WHERE error != '')
"""


@dataclass(frozen=True, slots=True)
class FileResult:
    """A file with what is known of its content; ``judged`` is None where it is not judged yet or cannot be read.

    ``same_as`` is the first file with the same content, b"" where it is this one.
    """

    name: bytes
    size: int
    error: str
    judged: Judged | None
    same_as: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """How many files, contents and contents with a result there are, and how many files cannot be read."""

    files: int
    contents: int
    judged: int
    unreadable: int


class Ledger:
    """What is done of one job, in a folder; made by ``open_ledger``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def set_files(self, files: Iterator[ListedFile]) -> int:
        """Take over the files of this run; those of an earlier one are forgotten, their results are not.

        Returns:
            How many there are.
        """
        with self._connection:
            self._connection.execute("DELETE FROM file")
            self._connection.executemany(
                "INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?, ?)",
                ((one.name, one.path, one.content, one.size, one.error) for one in files),
            )
        return self.counts().files

    def forget_passing_errors(self) -> None:
        """Let what failed for a reason that may have gone be tried again."""
        with self._connection:
            self._connection.execute("DELETE FROM result WHERE failed AND NOT lasting")

    def counts(self) -> Counts:
        """Return how far the run is."""
        return Counts(*self._connection.execute(_COUNTS).fetchone())

    def pending(self) -> Iterator[Task]:
        """Yield each content that has no result, with the first file that holds it. Results may be added meanwhile."""
        last = ""
        while True:
            rows = self._connection.execute(
                "SELECT content, MIN(name), path FROM file LEFT JOIN result USING (content) "
                "WHERE error = '' AND content > ? AND result.content IS NULL GROUP BY content ORDER BY content LIMIT ?",
                (last, _PAGE),
            ).fetchall()
            if not rows:
                return
            for content, _name, path in rows:  # SQLite takes a bare column from the row that has the MIN
                yield Task(content, path)
            last = rows[-1][0]

    def add(self, judged: Judged) -> None:
        """Keep a result; of two of the same content, the first."""
        with self._connection:
            self._connection.execute(
                "INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?, ?, ?)",
                (
                    judged.content,
                    bool(judged.error),
                    judged.lasting,
                    judged.core_seconds,
                    judged.characters,
                    to_json(judged),
                ),
            )

    def results(self) -> Iterator[FileResult]:
        """Yield every file by name with its result.

        Raises:
            DocumentError: a result cannot be read.
        """
        last: bytes | None = None
        while True:
            rows = self._connection.execute(
                "SELECT file.name, file.size, file.error, result.judged, "
                "(SELECT MIN(twin.name) FROM file AS twin WHERE twin.content = file.content AND twin.error = '') "
                "FROM file LEFT JOIN result USING (content) WHERE ? IS NULL OR file.name > ? "
                "ORDER BY file.name LIMIT ?",
                (last, last, _RESULTS_PAGE),
            ).fetchall()
            if not rows:
                return
            for name, size, error, text, first in rows:
                try:
                    judged = None if text is None or error else from_json(text)
                except ValueError as fault:
                    raise DocumentError(f"{LEDGER_FILE} is damaged. Choose another --out.") from fault
                yield FileResult(name, size, error, judged, b"" if error or first == name else first)
            last = rows[-1][0]

    def core_seconds(self) -> Iterator[tuple[float, int]]:
        """Yield the processor's time that each judged content took, in seconds, and how many characters it has."""
        yield from self._connection.execute(
            "SELECT core_seconds, characters FROM result WHERE NOT failed ORDER BY content"
        )


@contextlib.contextmanager
def open_ledger(out: Path, fingerprint: str) -> Iterator[Ledger]:
    """Open the ledger in ``out``, which is made, for one process at a time.

    Args:
        out: folder of the results.
        fingerprint: of what decides a result beside the contract.

    Raises:
        DocumentError: another run writes there, it holds results of another job, or it cannot be read or written.
    """
    from filelock import FileLock, Timeout

    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / _LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        raise DocumentError(
            f"Another run writes into {out}. Wait for its end or stop it, or choose another folder with --out."
        ) from None
    except OSError as error:
        raise DocumentError(f"Results cannot be written to {out} ({error.strerror}). Choose another --out.") from error
    try:
        with _connected(out, fingerprint) as connection:
            yield Ledger(connection)
    except sqlite3.Error as error:
        raise DocumentError(
            f"{out / LEDGER_FILE} cannot be used ({error}). Free some space and run it again, or choose another --out."
        ) from error
    finally:
        lock.release()


@contextlib.contextmanager
def _connected(out: Path, fingerprint: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(os.fspath(out / LEDGER_FILE))
    try:
        # A kill loses nothing that was committed; a power cut may lose the last results, never the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        wanted = {"version": _VERSION, "fingerprint": fingerprint}
        with connection:
            connection.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", wanted.items())
        if dict(connection.execute("SELECT key, value FROM about")) != wanted:
            raise DocumentError(
                f"{out} holds results of another adapter, other labels or another shift. Choose another --out."
            )
        yield connection
    finally:
        connection.close()
