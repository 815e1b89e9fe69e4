"""Rows of a run for comparing: read although the file was edited by hand, cut off or written by another version.

``runs.read_records`` is strict, because a run that goes on must not lose rows. A comparison only looks: a line that is
not a row is left out, and a note says which and why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from playground.errors import EvaluationError
from playground.files import check_regular, read_file
from playground.measuring.runs import RowKey, RunInfo, row_key
from playground.types import Prediction, RunRecord, Usage

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 200_000
MOST_NOTES = 20
MAX_RECORDS_BYTES = 1 << 30
MAX_LINE_BYTES = 16 << 20
MAX_RUN_FILE_BYTES = 8 << 20
LONGEST_NAME = 200

_RUN_FILE = "run.json"
_RECORDS_FILE = "records.jsonl"
_MOST_QUOTED = 60


@dataclass(frozen=True, slots=True)
class RunRows:
    """The rows of one run, each key once, in the order in which they were first written.

    ``notes`` are sentences about what was left out, at most MOST_NOTES and one that counts the rest.
    """

    info: RunInfo
    records: tuple[RunRecord, ...]
    notes: tuple[str, ...] = ()


class _DamagedLineError(ValueError):
    """A line is no row; the message ends the sentence "line 3 of FILE was left out: ..."."""


def read_run_rows(folder: Path, scenarios: Collection[str]) -> RunRows:
    """Read the run in ``folder`` as far as it can be read, also while it goes on.

    A last line without its end is still being written, or was cut off; it counts only if it is whole. Where a row was
    written again, the last one counts. Fields that this version does not know are ignored, those that an older version
    did not write have their neutral value.

    Raises:
        EvaluationError: there is no run, ``run.json`` does not say which scenario, or the scenario is not one of
            ``scenarios``.
    """
    info = _read_info(folder, scenarios)
    notes = _Notes()
    records: dict[RowKey, RunRecord] = {}
    path = folder / _RECORDS_FILE
    for number, line, is_whole in _lines(path, notes):
        if not line.strip():
            continue
        try:
            record = _record_from(line, info)
        except _DamagedLineError as problem:
            if is_whole:
                notes.add(f"Line {number} of {path} was left out: {problem}.")
            else:
                notes.add(f"The last line of {path} (line {number}) is not complete and was left out.")
            continue
        key = row_key(record)
        if key not in records and len(records) >= MOST_ROWS:
            notes.add(f"{path} has more than {MOST_ROWS:,} rows; line {number} and those after it were not read.")
            break
        records[key] = record
    return RunRows(info, tuple(records.values()), notes.sentences())


def row_table(records: Sequence[RunRecord]) -> pd.DataFrame:
    """Return one line a row, for drill-down; built by column, because 50,000 rows come in at once.

    Columns: ``strategy``, ``model_id``, ``adapter``, ``example_id``, ``seed``, ``output``, ``error``, ``started_at``,
    ``first_token_s``, ``total_s`` (seconds), ``input_tokens``, ``output_tokens``, ``cost_usd``, and ``score_NAME`` for
    each score. What was not measured is NaN (numbers) or "" (text). The index is the place in ``records``, where the
    messages are.
    """
    import pandas as pd

    predictions = [record.prediction for record in records]
    usages = [prediction.usage if prediction else None for prediction in predictions]
    columns: dict[str, list[object]] = {
        "strategy": [record.strategy for record in records],
        "model_id": [record.model_id for record in records],
        "adapter": [record.adapter or "" for record in records],
        "example_id": [record.example_id for record in records],
        "seed": [record.seed for record in records],
        "output": [prediction.output if prediction else "" for prediction in predictions],
        "error": [record.error or "" for record in records],
        "started_at": [record.started_at for record in records],
    }
    nan = math.nan
    numbers: dict[str, list[float]] = {
        name: [prediction.timings.get(name, nan) if prediction else nan for prediction in predictions]
        for name in ("first_token_s", "total_s")
    }
    numbers["input_tokens"] = [usage.input_tokens if usage else nan for usage in usages]
    numbers["output_tokens"] = [usage.output_tokens if usage else nan for usage in usages]
    numbers["cost_usd"] = [nan if record.cost_usd is None else record.cost_usd for record in records]
    for name in dict.fromkeys(name for record in records for name in record.scores):
        numbers[f"score_{name}"] = [record.scores.get(name, nan) for record in records]
    return pd.DataFrame({**columns, **{name: pd.array(found, dtype="float64") for name, found in numbers.items()}})


class _Notes:
    """Keeps the first MOST_NOTES sentences and counts the rest."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._left_out = 0

    def add(self, sentence: str) -> None:
        if len(self._kept) < MOST_NOTES:
            self._kept.append(sentence)
        else:
            self._left_out += 1

    def sentences(self) -> tuple[str, ...]:
        more = (f"{self._left_out:,} more lines were left out.",) if self._left_out else ()
        return (*self._kept, *more)


def _read_info(folder: Path, scenarios: Collection[str]) -> RunInfo:
    path = folder / _RUN_FILE
    try:
        if path.stat().st_size > MAX_RUN_FILE_BYTES:
            raise EvaluationError(
                f"{path} has more than {MAX_RUN_FILE_BYTES >> 20} MB, so it is no run. Choose another."
            )
        row = json.loads(read_file(path, MAX_RUN_FILE_BYTES), parse_constant=_refuse_constant)
    except FileNotFoundError as error:
        raise EvaluationError(f"{folder} holds no run. Name a folder that `evaluate --out` wrote.") from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}). Choose another folder.") from error
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} is damaged. Restore it, or choose another folder.") from error
    scenario = row.get("scenario") if isinstance(row, dict) else None
    if not isinstance(scenario, str):
        raise EvaluationError(f"{path} does not say which scenario was run. Restore it, or choose another folder.")
    if scenario not in scenarios:
        raise EvaluationError(
            f"{folder} holds a run of the scenario {_quoted(scenario)}, which cannot be compared. Choose a run of "
            f"{' or '.join(scenarios)}."
        )
    return RunInfo(
        run_id=_text_of(row, "run_id"),
        scenario=scenario,
        started_at=_text_of(row, "started_at"),
        settings=_mapping_of(row, "settings"),
        models=_mapping_of(row, "models"),
        machine=_mapping_of(row, "machine"),
        versions={name: str(value)[:LONGEST_NAME] for name, value in _mapping_of(row, "versions").items()},
        commit=_text_of(row, "commit") or "unknown",
    )


def _text_of(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return _clean(value[:LONGEST_NAME]) if isinstance(value, str) else ""


def _mapping_of(row: Mapping[str, object], name: str) -> dict[str, object]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _lines(path: Path, notes: _Notes) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, content and whether its end was written, for each line that is short enough to be a row."""
    number = read = 0
    try:
        check_regular(path)
        with path.open("rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES):
                number += 1
                read += len(line)
                if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                    notes.add(f"Line {number} of {path} was left out: it has more than {MAX_LINE_BYTES >> 20} MB.")
                    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        read += len(rest)
                        if read > MAX_RECORDS_BYTES:
                            break
                else:
                    yield number, line, line.endswith(b"\n")
                if read > MAX_RECORDS_BYTES:
                    notes.add(f"{path} has more than {MAX_RECORDS_BYTES >> 20} MB; it was read up to line {number}.")
                    return
    except FileNotFoundError:
        notes.add(f"{path} is missing: the run has no rows.")
    except OSError as error:
        notes.add(f"{path} cannot be read ({error.strerror}) after line {number}.")


def _record_from(line: bytes, info: RunInfo) -> RunRecord:
    try:
        row = _DECODER.decode(line.decode("utf-8-sig"))
    except RecursionError as error:
        raise _DamagedLineError("it is nested too deeply") from error
    except _DamagedLineError:
        raise
    except ValueError as error:
        raise _DamagedLineError("it is not JSON") from error
    if not isinstance(row, dict):
        raise _DamagedLineError("it is not a JSON object")
    if b"\\u" in line:
        _refuse_lone_surrogates(row)
    seed = row.get("seed", 0)
    if not _is_whole(seed):
        raise _DamagedLineError("its seed is not a whole number")
    error_text = row.get("error")
    return RunRecord(
        run_id=_name(row, "run_id", info.run_id),
        strategy=_name(row, "strategy"),
        model_id=_name(row, "model_id"),
        adapter=None if row.get("adapter") is None else _name(row, "adapter"),
        example_id=_name(row, "example_id"),
        seed=seed,
        prediction=_prediction(row.get("prediction")),
        scores=_numbers(row.get("scores", {}), "scores", least=-math.inf),
        cost_usd=None if row.get("cost_usd") is None else _number(row["cost_usd"], "cost_usd"),
        error=None if error_text is None else _string(error_text, "error"),
        started_at=_name(row, "started_at", info.started_at),
        machine=_name(row, "machine", "unknown"),
        commit=_name(row, "commit", info.commit),
        fingerprint=_name(row, "fingerprint", ""),
    )


def _prediction(value: object) -> Prediction | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _DamagedLineError("its prediction is not an object")
    detail = value.get("detail", {})
    if not isinstance(detail, dict):
        raise _DamagedLineError("the detail of its prediction is not an object")
    return Prediction(
        output=_string(value.get("output"), "output"),
        usage=_usage(value.get("usage")),
        timings=_numbers(value.get("timings", {}), "timings"),
        detail=detail,
    )


def _usage(value: object) -> Usage | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _DamagedLineError("its usage is not an object")
    counts = [value.get("input_tokens"), value.get("output_tokens"), value.get("cached_tokens", 0)]
    whole = [count for count in counts if isinstance(count, int) and _is_whole(count) and count >= 0]
    if len(whole) < len(counts):
        raise _DamagedLineError("its usage has no whole numbers of tokens")
    return Usage(*whole)


def _numbers(value: object, name: str, *, least: float = 0.0) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _DamagedLineError(f"its {name} are not an object")
    return {key: _number(found, name, least=least) for key, found in value.items()}


def _number(value: object, name: str, *, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _DamagedLineError(f"its {name} holds {_quoted(value)} in place of a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise _DamagedLineError(f"its {name} holds a number that is too large") from error
    if not math.isfinite(number) or number < least:
        raise _DamagedLineError(f"its {name} holds {number}, which cannot be")
    return number


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53


def _name(row: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = row.get(name, default)
    if value is None:
        raise _DamagedLineError(f"it has no {name}")
    text = _string(value, name)
    if len(text) > LONGEST_NAME:
        raise _DamagedLineError(f"its {name} has more than {LONGEST_NAME} characters")
    return _clean(text)


def _clean(text: str) -> str:
    # Names stand in tables, legends and terminals: none of them may steer one.
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _string(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _DamagedLineError(f"its {name} is not a text")
    return value


def _quoted(value: object) -> str:
    return repr(value)[:_MOST_QUOTED]


def _refuse_constant(name: str) -> NoReturn:
    raise _DamagedLineError(f"it holds {name}, which is not a number in JSON")


# json.loads with an option builds a decoder for every call, which takes a third of the time of reading a line.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _refuse_lone_surrogates(row: object) -> None:
    """Refuse what no file, page or table could hold as UTF-8."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _DamagedLineError("it holds half of a surrogate pair, which is no character") from error
