"""Run folders: written row by row, readable at any moment, never counting a row twice."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from playground.errors import EvaluationError
from playground.measuring.runs import (
    RunInfo,
    appending,
    open_run,
    package_versions,
    read_records,
    read_run,
)
from playground.types import Prediction, RunRecord, Usage

RECORD = RunRecord(
    run_id="run",
    strategy="rag",
    model_id="fake",
    adapter=None,
    example_id="q1",
    seed=0,
    prediction=Prediction(
        "30 days \u2013 \u20ac5", Usage(10, 3, 2), {"total_s": 0.5}, {"abstained": False, "messages": []}
    ),
    scores={"right": 1.0},
    cost_usd=None,
    error=None,
    started_at="2026-01-01T00:00:00+00:00",
    machine="a machine",
    commit="abc",
    fingerprint="f",
)
INFO = RunInfo(
    "run-1", "return_policy", "2026-01-01T00:00:00+00:00", {"strategies": {"rag": {"top_k": 3}}}, {"fake": {}}
)


def write(folder: Path, *records: RunRecord) -> None:
    folder.mkdir(exist_ok=True)
    with appending(folder) as append:
        for record in records:
            append(record)


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    failed = replace(RECORD, example_id="q2", prediction=None, error="gone")
    no_usage = replace(RECORD, example_id="q3", prediction=Prediction("x", None, {}))
    write(tmp_path, RECORD, failed, no_usage)
    assert read_records(tmp_path) == [RECORD, failed, no_usage]


def test_a_row_is_the_record_field_by_field(tmp_path: Path) -> None:
    rows = (RECORD, replace(RECORD, prediction=None), replace(RECORD, prediction=Prediction("x", None, {}), seed=1))
    for place, record in enumerate(rows):
        write(tmp_path / str(place), record)
        line = (tmp_path / str(place) / "records.jsonl").read_text(encoding="utf-8")
        assert line == json.dumps(asdict(record), ensure_ascii=False) + "\n"


def test_a_row_is_in_the_file_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with appending(tmp_path) as append:
        assert read_records(tmp_path) == []
        append(RECORD)
        assert read_records(tmp_path) == [RECORD]


def test_a_half_written_last_line_is_not_read_and_replaced(tmp_path: Path) -> None:
    write(tmp_path, RECORD, replace(RECORD, example_id="q2"))
    path = tmp_path / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert [record.example_id for record in read_records(tmp_path)] == ["q1"]
    write(tmp_path, replace(RECORD, example_id="q3"))
    assert [record.example_id for record in read_records(tmp_path)] == ["q1", "q3"]


@pytest.mark.parametrize("length", [1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_half_written_line_of_any_length_is_replaced(tmp_path: Path, length: int) -> None:
    path = tmp_path / "records.jsonl"
    for before in ((), (RECORD,)):
        path.unlink(missing_ok=True)
        write(tmp_path, *before)
        with path.open("ab") as stream:
            stream.write(b"x" * length)
        write(tmp_path, replace(RECORD, example_id="q2"))
        assert read_records(tmp_path) == [*before, replace(RECORD, example_id="q2")]


def test_a_row_written_twice_counts_once_and_the_last_one_stands(tmp_path: Path) -> None:
    write(tmp_path, replace(RECORD, error="gone"), replace(RECORD, seed=1), RECORD)
    assert read_records(tmp_path) == [RECORD, replace(RECORD, seed=1)]


@pytest.mark.parametrize("line", ["{}", "[]", "nonsense", '{"run_id": 1}', pytest.param("[" * 100_000, id="deep")])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    write(tmp_path, RECORD)
    with (tmp_path / "records.jsonl").open("a") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(EvaluationError, match=r"Line 2 of .*records\.jsonl is damaged"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy": 3},
        {"seed": "0"},
        {"scores": {"right": "1"}},
        {"scores": ["right"]},
        {"error": False},
        {"prediction": "x"},
        {"prediction": {"output": "x", "usage": {"input_tokens": "1", "output_tokens": 2}, "timings": {}}},
    ],
)
def test_a_row_with_a_value_of_another_type_is_named(tmp_path: Path, changes: dict[str, object]) -> None:
    write(tmp_path, RECORD, RECORD)
    path = tmp_path / "records.jsonl"
    first, second = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(second), **changes})}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"Line 2 of .*records\.jsonl is damaged"):
        read_records(tmp_path)


@pytest.mark.parametrize("name", [one.name for one in fields(RunRecord) if one.name != "priced_at"])
def test_a_row_without_one_of_its_fields_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, RECORD)
    path = tmp_path / "records.jsonl"
    row = json.loads(path.read_text(encoding="utf-8"))
    del row[name]
    path.write_text(f"{json.dumps(row)}\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"Line 1 of .*records\.jsonl is damaged"):
        read_records(tmp_path)


def test_a_row_from_before_prices_had_a_time_is_read(tmp_path: Path) -> None:
    row = {name: value for name, value in asdict(RECORD).items() if name != "priced_at"}
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    assert [one.priced_at for one in read_records(tmp_path)] == [""]


def test_a_folder_without_rows_has_none(tmp_path: Path) -> None:
    assert read_records(tmp_path / "absent") == []


def test_what_json_cannot_say_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path, replace(RECORD, scores={"right": float("nan")}))
    assert read_records(tmp_path) == []


def test_a_run_that_goes_on_keeps_its_id_and_adds_its_settings(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    assert open_run(folder, INFO) == INFO
    later = replace(
        INFO,
        run_id="run-2",
        started_at="2026-02-02T00:00:00+00:00",
        settings={"strategies": {"no-text": {}}},
        models={"other": {}},
    )
    joined = open_run(folder, later)
    assert joined == read_run(folder)
    assert (joined.run_id, joined.started_at) == ("run-1", INFO.started_at)
    assert joined.settings == {"strategies": {"rag": {"top_k": 3}, "no-text": {}}}
    assert set(joined.models) == {"fake", "other"}


def test_a_run_of_another_scenario_is_refused(tmp_path: Path) -> None:
    open_run(tmp_path, INFO)
    with pytest.raises(EvaluationError, match="holds a run of return_policy"):
        open_run(tmp_path, replace(INFO, scenario="contract_clauses"))


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(EvaluationError, match="cannot be written"):
        open_run(file, INFO)
    with pytest.raises(EvaluationError, match="cannot be written"), appending(file):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    # A device that is always full, in the place of the file.
    (tmp_path / "records.jsonl").symlink_to("/dev/full")
    with pytest.raises(EvaluationError, match="No space left"), appending(tmp_path) as append:
        append(RECORD)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"run_id": "x"}'])
def test_a_damaged_run_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text(text)
    with pytest.raises(EvaluationError, match=r"run\.json is damaged"):
        read_run(tmp_path / "bad")


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvaluationError, match="holds no run"):
        read_run(tmp_path / "empty")


def test_versions_are_those_that_run() -> None:
    import numpy as np

    assert package_versions()["numpy"] == np.__version__


def test_the_run_file_is_plain_json(tmp_path: Path) -> None:
    open_run(tmp_path, INFO)
    row = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert set(row) == {"run_id", "scenario", "started_at", "settings", "models", "machine", "versions", "commit"}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
