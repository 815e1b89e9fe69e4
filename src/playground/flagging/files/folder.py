"""A folder of contracts: flagged one by one or in several processes, each result on disk as soon as it is there.

Each process has an engine of its own with its share of the cores: reading and cutting a contract is one thread's work,
during which an engine with all cores would let the others idle.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from playground.atomic import replace_file
from playground.documents import SUPPORTED_SUFFIXES
from playground.errors import DocumentError, ModelError, PlaygroundError
from playground.flagging.files.contract import FlagJob, flag_one, is_done, read_contract, read_result, write_result
from playground.text.spreadsheet import spreadsheet_cell

SUMMARY_FILE = "summary.csv"
SUMMARY_COLUMNS = (
    *("document", "state", "clauses", "flags", "high", "medium", "low", "informational"),
    *("kind", "missing", "adapter", "notes", "file_sha256"),
)
_RISKS = ("high", "medium", "low", "informational")
_STOP_S = 5.0


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
    taken = [p for p in files if p.suffix.lower() in SUPPORTED_SUFFIXES and p.stem.lower() != "readme"]
    if not taken:
        raise DocumentError(
            f"{folder} holds no contract. Put files of these types into it: {', '.join(SUPPORTED_SUFFIXES)}."
        )
    return tuple(taken), tuple(path.name for path in files if path not in taken)


def available_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    outcomes = _in_processes(pending, job, out, workers) if min(workers, len(pending)) > 1 else _here(pending, job, out)
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


def _here(paths: Sequence[Path], job: FlagJob, out: Path) -> Iterator[FileOutcome]:
    """Flag in this process, with all cores."""
    if not paths:
        return
    model = job.load_model(available_cores())
    evidence = job.evidence
    for path in paths:
        yield _flag_file(path, model, evidence, job, out)


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


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    path: Path | None = None


def _in_processes(paths: Sequence[Path], job: FlagJob, out: Path, workers: int) -> Iterator[FileOutcome]:
    """Flag in ``workers`` processes, each of which gets the next file when it is done with one.

    A process that dies takes one file with it: that one is reported, and a new process goes on with the next.
    """
    count = min(workers, len(paths))
    threads = max(1, available_cores() // count)
    waiting = list(reversed(paths))
    busy = [_start(job, out, threads) for _ in range(count)]
    try:
        for worker in busy:
            _give(worker, waiting)
        while busy:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                path = worker.path
                try:
                    reply = worker.connection.recv()
                except (EOFError, OSError):
                    _end(worker)
                    busy.remove(worker)
                    if path is not None:
                        yield FileOutcome(path.name, "The process that read it ended (too little memory?). Split it.")
                    if waiting:
                        busy.append(_start(job, out, threads))
                        _give(busy[-1], waiting)
                    continue
                if isinstance(reply, str):
                    raise ModelError(reply)
                yield reply
                if not _give(worker, waiting):
                    _end(worker)
                    busy.remove(worker)
    finally:
        for worker in busy:
            worker.process.terminate()
            _end(worker)


def _start(job: FlagJob, out: Path, threads: int) -> _Worker:
    # Spawned, not forked: a fork would copy the locks of libraries in whatever state they are.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, job, out, threads), daemon=False)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _give(worker: _Worker, waiting: list[Path]) -> bool:
    """Give a worker the next file, or tell it that there is none."""
    worker.path = waiting.pop() if waiting else None
    try:
        worker.connection.send(worker.path)
    except OSError:  # it has died: found out when its reply is read
        return worker.path is not None
    return worker.path is not None


def _end(worker: _Worker) -> None:
    worker.connection.close()
    worker.process.join(_STOP_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()


def _work(connection: Connection, job: FlagJob, out: Path, threads: int) -> None:
    """Load a model and flag what comes, until None comes. Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        model = job.load_model(threads)
    except PlaygroundError as error:
        connection.send(str(error))
        return
    evidence = job.evidence
    try:
        while (path := connection.recv()) is not None:
            connection.send(_flag_file(path, model, evidence, job, out))
    except (EOFError, OSError):  # the parent has left
        return
