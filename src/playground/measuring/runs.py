"""Runs on disk: a folder with ``run.json`` (how it came about) and ``records.jsonl`` (one row a line, appended).

Rows are the only results that are kept; every figure is computed from them when it is wanted.
"""

from __future__ import annotations

import errno
import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

from playground.atomic import replace_file
from playground.errors import EvaluationError
from playground.files import read_file
from playground.machine import utc_now
from playground.text.terminal import one_line
from playground.typed_json import typed_json
from playground.types import Prediction, RunRecord

RowKey = tuple[str, str, str | None, str, int]
"""Strategy, model, adapter, example, seed: a run has at most one row of each."""

_RUN_FILE = "run.json"
_RECORDS_FILE = "records.jsonl"
_SPENDING_FILE = "spending.json"
_LOCK_FILE, _OWNER_FILE = ".lock", ".measuring"
_MOST_OWNER_BYTES = 500
_BLOCK_BYTES = 1 << 20
_CAME_LATER = frozenset({"priced_at"})
"""Fields that rows of older versions do not have."""
_PACKAGES = (
    *("scenario-playground", "openvino", "torch", "transformers", "tokenizers", "sentence-transformers"),
    *("faiss-cpu", "bm25s", "openai", "numpy"),
)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """How a run came about. ``started_at`` is UTC in ISO 8601; ``models`` and ``settings`` are ready for JSON."""

    run_id: str
    scenario: str
    started_at: str
    settings: Mapping[str, object]
    models: Mapping[str, object]
    machine: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str = "unknown"


Stored = TypeVar("Stored", RunInfo, RunRecord)


def row_key(record: RunRecord) -> RowKey:
    """Return what identifies a row within a run."""
    return record.strategy, record.model_id, record.adapter, record.example_id, record.seed


def open_run(folder: Path, new: RunInfo) -> RunInfo:
    """Start a run in ``folder``, or go on with the one that is there; return it as it is on disk now.

    A run that goes on keeps its id and start; settings and models are added to its own.

    Raises:
        EvaluationError: the folder cannot be written, or holds a run of another scenario.
    """
    info = new
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / _RUN_FILE).exists():
            old = read_run(folder)
            if old.scenario != new.scenario:
                raise EvaluationError(f"{folder} holds a run of {old.scenario}. Choose another folder with --out.")
            info = replace(
                new,
                run_id=old.run_id,
                started_at=old.started_at,
                settings=_merged(old.settings, new.settings),
                models=_merged(old.models, new.models),
            )
        content = json.dumps(asdict(info), indent=2, ensure_ascii=False) + "\n"
        replace_file(folder / _RUN_FILE, content.encode())
    except OSError as error:
        raise _storage_error(folder, error) from error
    return info


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the one place to measure into ``folder``. The system frees it when the process ends, however it ends.

    Raises:
        EvaluationError: another one measures into it, which is named; or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    owner = folder / _OWNER_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        with suppress(OSError):
            named = one_line(read_file(owner, _MOST_OWNER_BYTES).decode("utf-8", "replace"))
            raise EvaluationError(
                f"{named} measures into {folder}. Wait for its end or stop it, or choose another folder with --out."
            ) from None
        raise EvaluationError(
            f"Another process measures into {folder}. Wait for its end or stop it, or choose another folder with --out."
        ) from None
    except OSError as error:
        raise _storage_error(folder, error) from error
    try:
        with suppress(OSError):  # only a name for others
            replace_file(owner, f"Process {os.getpid()} on {platform.node()}, since {utc_now()},".encode())
        yield
    finally:
        with suppress(OSError):
            owner.unlink(missing_ok=True)
        # The lock's file stays: who removed it could let two others in, one with the old file and one with a new one.
        lock.release()


def read_run(folder: Path) -> RunInfo:
    """Return how the run in ``folder`` came about.

    Raises:
        EvaluationError: there is no run, or its file is damaged.
    """
    path = folder / _RUN_FILE
    try:
        return _whole(RunInfo, read_file(path))
    except FileNotFoundError as error:
        raise EvaluationError(f"{folder} holds no run. Name a folder that `evaluate --out` wrote.") from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Choose another folder.") from error
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} is damaged. Remove that folder, or choose another one.") from error


@contextmanager
def appending(folder: Path) -> Iterator[Callable[[RunRecord], None]]:
    """Give a function that adds a row to the run in ``folder`` and is done when the row is in the file.

    A last line that an interruption left half-written is removed first.

    Raises:
        EvaluationError: the file cannot be written.
    """
    path = folder / _RECORDS_FILE
    try:
        path.touch()
        _drop_partial_line(path)
        stream = path.open("ab", buffering=0)
    except OSError as error:
        raise _storage_error(folder, error) from error

    def append(record: RunRecord) -> None:
        line = json.dumps(_row_of(record), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            if stream.write(line) != len(line):
                raise OSError(errno.ENOSPC, "only a part of the row was written")
        except OSError as error:
            raise _storage_error(folder, error) from error

    with stream:
        yield append


def read_records(folder: Path) -> list[RunRecord]:
    """Return the rows of the run in ``folder``, in the order in which they were first written.

    May be called while the run goes on: a last line without its end is not read. Where a row was written again, the
    last one counts.

    Raises:
        EvaluationError: a line is damaged; the message says which.
    """
    path = folder / _RECORDS_FILE
    try:
        data = read_file(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Choose another folder.") from error
    records: dict[RowKey, RunRecord] = {}
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            record = _whole(RunRecord, line)
        except (ValueError, RecursionError) as error:
            raise EvaluationError(
                f"Line {number} of {path} is damaged. Remove that line to have it done again, or choose another folder."
            ) from error
        records[row_key(record)] = record
    return list(records.values())


def read_spent_usd(folder: Path) -> float:
    """Return what was spent on the run in ``folder`` so far: as noted there, and no less than its rows add up to.

    Raises:
        EvaluationError: a row is damaged.
    """
    of_rows = sum(record.cost_usd or 0.0 for record in read_records(folder))
    try:
        noted = json.loads(read_file(folder / _SPENDING_FILE))["spent_usd"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return of_rows
    is_amount = isinstance(noted, int | float) and not isinstance(noted, bool) and math.isfinite(noted)
    return max(of_rows, float(noted)) if is_amount else of_rows


def write_spent_usd(folder: Path, spent_usd: float) -> None:
    """Note what was spent on the run in ``folder``: calls that failed, or were made before Stop, are in no row.

    Raises:
        EvaluationError: the folder cannot be written.
    """
    try:
        replace_file(folder / _SPENDING_FILE, (json.dumps({"spent_usd": spent_usd}) + "\n").encode())
    except OSError as error:
        raise _storage_error(folder, error) from error


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that decide results."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _row_of(record: RunRecord) -> dict[str, object]:
    """Return what ``dataclasses.asdict`` does, but without its deep copy of the detail, which takes most of a row."""
    row: dict[str, object] = {name.name: getattr(record, name.name) for name in fields(RunRecord)}
    if record.prediction is not None:
        prediction: dict[str, object] = {
            name.name: getattr(record.prediction, name.name) for name in fields(Prediction)
        }
        usage = record.prediction.usage
        row["prediction"] = {**prediction, "usage": None if usage is None else asdict(usage)}
    return row


def _whole(kind: type[Stored], text: str | bytes) -> Stored:
    """Return a file or line of ours as the dataclass that it was written from: all its fields are there.

    A run from before goes on without those that came later.

    Raises:
        ValueError: it is damaged.
        RecursionError: it is nested too deeply.
    """
    row = json.loads(text)
    if not isinstance(row, dict) or not {one.name for one in fields(kind)} - _CAME_LATER <= row.keys():
        raise ValueError("a field is missing")
    return typed_json(kind, text)


def _merged(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """Join nested mappings; where both have a value, the new one stands."""
    joined = dict(old)
    for name, value in new.items():
        before = joined.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        joined[name] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return joined


def _drop_partial_line(path: Path) -> None:
    with path.open("rb+") as stream:
        end = size = stream.seek(0, os.SEEK_END)
        while end > 0:  # from the end, as a file of rows may be large and only its last line is in question
            start = max(0, end - _BLOCK_BYTES)
            stream.seek(start)
            if (found := stream.read(end - start).rfind(b"\n")) >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            stream.truncate(end)


def _storage_error(folder: Path, error: OSError) -> EvaluationError:
    return EvaluationError(
        f"The run cannot be written to {folder} ({error.strerror or error}). Free space or choose another folder with "
        "--out."
    )
