"""A folder of contracts: flagged one by one or in several processes, each result on disk as soon as it is there.

Each process has an engine of its own with its share of the cores: reading and cutting a contract is one thread's work,
during which an engine with all cores would let the others idle.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.atomic import replace_file
from playground.documents import SUPPORTED_SUFFIXES
from playground.errors import DocumentError, PlaygroundError
from playground.flagging.files.contract import FlagJob, flag_one, is_done, read_contract, read_result, write_result
from playground.flagging.files.pool import PROCESS_ENDED, available_cores, in_processes
from playground.text.spreadsheet import spreadsheet_cell

SUMMARY_FILE = "summary.csv"
SUMMARY_COLUMNS = (
    *("document", "state", "clauses", "flags", "high", "medium", "low", "informational"),
    *("kind", "missing", "adapter", "notes", "file_sha256"),
)
_RISKS = ("high", "medium", "low", "informational")


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: ``error`` is a sentence, "" when its results are on disk; ``skipped``: they were."""

    name: str
    error: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """After each file: how many are done of how many, and what became of the last one."""

    done: int
    total: int
    last: FileOutcome


def contract_paths(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return the contracts directly in ``folder``, by name, and the names of the files that are none by their type.

    Hidden files and a README are no contracts.

    Raises:
        DocumentError: the folder cannot be read, or holds no contract.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise DocumentError(f"{folder} cannot be read ({error.strerror}). Check its name and permissions.") from error
    taken = [path for path in files if is_contract(path)]
    if not taken:
        raise DocumentError(
            f"{folder} holds no contract. Put files of these types into it: {', '.join(SUPPORTED_SUFFIXES)}."
        )
    return tuple(taken), tuple(path.name for path in files if path not in taken)


def is_contract(path: Path) -> bool:
    """Tell by a file's name whether a folder's command takes it: a type that is read, not hidden, no README."""
    named = path.suffix.lower() in SUPPORTED_SUFFIXES and path.stem.lower() != "readme"
    return named and not path.name.startswith(".")


def default_workers(files: int) -> int:
    """Return how many processes flag ``files`` contracts: one a core, as measured (docs/measurements.md)."""
    return max(1, min(available_cores(), files))


def flag_folder(paths: Sequence[Path], job: FlagJob, out: Path, workers: int) -> Iterator[Progress]:
    """Flag contracts; write NAME.html, NAME.csv and NAME.json of each into ``out``. A file that fails stops no other.

    Files whose results are there already, from the same bytes, adapter and settings, are passed over. Closing the
    iterator ends the processes.

    Raises:
        PlaygroundError: the model cannot be loaded, or ``out`` cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DocumentError(f"Results cannot be written to {out} ({error.strerror}). Choose another --out.") from error
    skipped = [path for path in paths if is_done(path, job, out)]
    pending = [path for path in paths if path not in skipped]
    done = 0
    for path in skipped:
        done += 1
        yield Progress(done, len(paths), FileOutcome(path.name, skipped=True))
    outcomes = _outcomes(pending, job, out, workers)
    for outcome in outcomes:
        done += 1
        yield Progress(done, len(paths), outcome)


def write_summary(outcomes: Sequence[FileOutcome], out: Path) -> None:
    """Write ``summary.csv``: a row a contract, from the results on disk; a failed one has its sentence in ``state``.

    Raises:
        DocumentError: it cannot be written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(SUMMARY_COLUMNS)
    for outcome in sorted(outcomes, key=lambda one: one.name):
        result = None if outcome.error else read_result(out, outcome.name)
        writer.writerow(_summary_row(outcome, result))
    try:
        replace_file(out / SUMMARY_FILE, buffer.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise DocumentError(
            f"{SUMMARY_FILE} cannot be written to {out} ({error.strerror}); the results of each contract are there. "
            "Free some space and run the command again."
        ) from error


def _summary_row(outcome: FileOutcome, result: dict[str, Any] | None) -> list[str | int]:
    if result is None:
        state = outcome.error or "its result was removed"
        return [spreadsheet_cell(outcome.name), spreadsheet_cell(state), *[""] * (len(SUMMARY_COLUMNS) - 2)]
    risks = [flag["risk"] for clause in result["clauses"] for flag in clause["flags"]]
    return [
        spreadsheet_cell(outcome.name),
        "flagged",
        len(result["clauses"]),
        len(risks),
        *(risks.count(risk) for risk in _RISKS),
        str(result["kind"]),
        spreadsheet_cell("; ".join(result["missing"])),
        spreadsheet_cell(str(result["adapter"] or "")),
        spreadsheet_cell(" ".join(result["notes"])),
        str(result["came_from"]["file_sha256"]),
    ]


def _outcomes(pending: Sequence[Path], job: FlagJob, out: Path, workers: int) -> Iterator[FileOutcome]:
    """Flag here with all cores where one process is enough, else in several."""
    start = functools.partial(_start, job, out)
    if not pending:
        return
    if min(workers, len(pending)) > 1:
        yield from in_processes(
            pending, start, min(workers, len(pending)), lambda path: FileOutcome(path.name, PROCESS_ENDED)
        )
    else:
        yield from map(start(available_cores()), pending)


def _start(job: FlagJob, out: Path, threads: int) -> Callable[[Path], FileOutcome]:
    model, evidence = job.load_model(threads), job.evidence
    return lambda path: _flag_file(path, model, evidence, job, out)


def _flag_file(path: Path, model: Any, evidence: Any, job: FlagJob, out: Path) -> FileOutcome:
    try:
        data, document = read_contract(path)
        write_result(data, flag_one(document, model, evidence, job), job, out, path.name)
    except PlaygroundError as error:
        return FileOutcome(path.name, str(error))
    except OSError as error:
        reason = error.strerror or error
        return FileOutcome(path.name, f"Its results cannot be written ({reason}). Free some space and run it again.")
    except Exception as error:  # a defect of ours, or of a library, on one contract must not stop the others
        what = f"{type(error).__name__}: {str(error)[:200]}"
        return FileOutcome(path.name, f"Something went wrong that should not ({what}). Report it.")
    return FileOutcome(path.name)
