"""Reading runs that were edited, cut off or written by another version: what is a row is kept, the rest is named."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.comparison import rows as module
from playground.comparison.rows import MOST_NOTES, read_run_rows, row_table
from playground.errors import EvaluationError
from playground.measuring.runs import RunInfo, appending, open_run, read_records
from playground.paths import ROOT
from playground.types import Prediction, RunRecord, Usage
from scenarios.registry import scenario_names

INFO = RunInfo("run-1", "return_policy", "2026-01-01T00:00:00+00:00", {"policies": {}}, {}, commit="abc")
RECORD = RunRecord(
    run_id="run-1",
    strategy="rag",
    model_id="fake",
    adapter=None,
    example_id="q1",
    seed=0,
    prediction=Prediction("30 days \u2013 \u20ac5", Usage(10, 3, 2), {"total_s": 0.5}, {"parts": {"system": 4}}),
    scores={"right": 1.0, "answerable": 1.0},
    cost_usd=0.25,
    error=None,
    started_at="2026-01-01T00:00:00+00:00",
    machine="a machine",
    commit="abc",
    fingerprint="f",
)


def line_of(record: RunRecord = RECORD, **changes: object) -> str:
    return json.dumps({**asdict(record), **changes})


def run_with(folder: Path, *lines: str | bytes) -> Path:
    open_run(folder, INFO)
    data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    (folder / "records.jsonl").write_bytes(data)
    return folder


def test_an_undamaged_run_reads_as_the_strict_reader_reads_it(tmp_path: Path) -> None:
    open_run(tmp_path, INFO)
    failed = replace(RECORD, example_id="q2", prediction=None, error="gone", cost_usd=None)
    with appending(tmp_path) as append:
        for record in (replace(RECORD, error="first try"), failed, RECORD):
            append(record)
    found = read_run_rows(tmp_path, scenario_names())
    assert list(found.records) == read_records(tmp_path) == [RECORD, failed]
    assert (found.info, found.notes) == (INFO, ())


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in ROOT.glob("data/runs/*/run.json")))
def test_the_recorded_runs_read_without_a_note(folder: str) -> None:
    found = read_run_rows(ROOT / "data" / "runs" / folder, scenario_names())
    assert found.notes == ()
    assert len(found.records) == len(read_records(ROOT / "data" / "runs" / folder)) > 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ("{}", "it has no strategy"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        (b"\xff\xfe{}", "it is not JSON"),
        (line_of(strategy=7), "its strategy is not a text"),
        (line_of(strategy="x" * 201), "its strategy has more than 200 characters"),
        (line_of(seed=1.5), "its seed is not a whole number"),
        (line_of(seed=True), "its seed is not a whole number"),
        (line_of(cost_usd=-1), "its cost_usd holds -1.0, which cannot be"),
        (line_of(cost_usd="free"), "its cost_usd holds 'free' in place of a number"),
        (line_of(scores={"right": float("nan")}), "it holds NaN"),
        (line_of(scores={"right": True}), "its scores holds True in place of a number"),
        (line_of(scores=[1]), "its scores are not an object"),
        (line_of(prediction="30 days"), "its prediction is not an object"),
        (line_of(prediction={"output": None}), "its output is not a text"),
        (line_of(prediction={"output": "x", "detail": []}), "the detail of its prediction is not an object"),
        (line_of(prediction={"output": "x", "usage": {"input_tokens": 1}}), "no whole numbers of tokens"),
        (line_of(prediction={"output": "x", "timings": {"total_s": -0.1}}), "its timings holds -0.1, which cannot be"),
        (line_of().replace('"total_s": 0.5', '"total_s": 1e999'), "its timings holds inf"),
        (line_of().replace('"total_s": 0.5', '"total_s": 1' + "0" * 400), "a number that is too large"),
        (line_of().replace('"total_s": 0.5', '"total_s": 1' + "0" * 5000), "it is not JSON"),
        (line_of().replace("30 days", "\\ud800"), "half of a surrogate pair"),
    ],
)
def test_a_damaged_line_is_left_out_and_named(tmp_path: Path, line: str | bytes, why: str) -> None:
    folder = run_with(tmp_path, line_of(), line, line_of(example_id="q2"))
    found = read_run_rows(folder, scenario_names())
    assert [record.example_id for record in found.records] == ["q1", "q2"]
    (note,) = found.notes
    assert note.startswith(f"Line 2 of {folder / 'records.jsonl'} was left out: ")
    assert why in note


@given(st.binary(max_size=300))
def test_no_bytes_crash_it(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = run_with(tmp_path_factory.mktemp("run"), line_of(), data, line_of(example_id="q2"))
    found = read_run_rows(folder, scenario_names())
    assert {record.example_id for record in found.records} == {"q1", "q2"}


@given(st.sampled_from(sorted(asdict(RECORD))), st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_no_value_in_a_field_crashes_it(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    found = read_run_rows(run_with(tmp_path_factory.mktemp("run"), line_of(**{name: value})), scenario_names())
    assert len(found.records) + len(found.notes) == 1


def test_notes_are_bounded(tmp_path: Path) -> None:
    found = read_run_rows(run_with(tmp_path, *["nonsense"] * 70, line_of()), scenario_names())
    assert len(found.records) == 1
    assert len(found.notes) == MOST_NOTES + 1
    assert found.notes[-1] == "50 more lines were left out."


def test_an_older_and_a_newer_version_are_read(tmp_path: Path) -> None:
    old = asdict(RECORD)
    for name in ("run_id", "fingerprint", "started_at", "commit", "machine", "adapter", "cost_usd"):
        del old[name]
    del old["prediction"]["usage"]["cached_tokens"]
    new = {**asdict(RECORD), "example_id": "q2", "weather": "fine"}
    new["prediction"]["mood"] = "good"
    found = read_run_rows(run_with(tmp_path, json.dumps(old), json.dumps(new)), scenario_names())
    assert found.notes == ()
    first, second = found.records
    assert (first.run_id, first.started_at, first.machine, first.commit) == ("run-1", INFO.started_at, "unknown", "abc")
    assert (first.cost_usd, first.fingerprint) == (None, "")
    assert first.prediction is not None
    assert first.prediction.usage == Usage(10, 3, 0)
    assert second == replace(RECORD, example_id="q2")


def test_a_line_that_is_being_written_is_named_and_a_whole_one_without_its_end_counts(tmp_path: Path) -> None:
    folder = run_with(tmp_path, line_of(), line_of(example_id="q2"))
    path = folder / "records.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    found = read_run_rows(folder, scenario_names())
    assert [record.example_id for record in found.records] == ["q1"]
    assert found.notes == (f"The last line of {path} (line 2) is not complete and was left out.",)
    path.write_bytes(data[:-1])
    assert len(read_run_rows(folder, scenario_names()).records) == 2


def test_names_cannot_steer_what_shows_them(tmp_path: Path) -> None:
    found = read_run_rows(run_with(tmp_path, line_of(strategy="ra\x1b[31mg\u202e", model_id="a\nb")), scenario_names())
    assert (found.records[0].strategy, found.records[0].model_id) == ("ra [31mg ", "a b")


def test_a_run_of_an_unknown_scenario_is_refused(tmp_path: Path) -> None:
    open_run(tmp_path, replace(INFO, scenario="weather"))
    with pytest.raises(EvaluationError, match=r"'weather', which cannot be compared. Choose a run of return_policy or"):
        read_run_rows(tmp_path, scenario_names())


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"scenario": 3}', "[" * 100_000, '{"scenario": NaN}'])
def test_a_run_file_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(EvaluationError, match=r"run\.json (is damaged|does not say which scenario)"):
        read_run_rows(tmp_path, scenario_names())


def test_a_run_file_of_another_version_is_enough(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"scenario": "return_policy", "settings": 3, "versions": {"numpy": 2}}')
    found = read_run_rows(tmp_path, scenario_names())
    assert (found.info.scenario, found.info.settings, found.info.versions) == ("return_policy", {}, {"numpy": "2"})
    assert found.notes == (f"{tmp_path / 'records.jsonl'} is missing: the run has no rows.",)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="holds no run"):
        read_run_rows(tmp_path, scenario_names())


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    folder = run_with(tmp_path, *[line_of(example_id=f"q{number}") for number in range(4)])
    found = read_run_rows(folder, scenario_names())
    assert len(found.records) == 2
    assert "more than 2 rows; line 3" in found.notes[0]
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 2000)
    long = line_of(error="x" * 5000)
    found = read_run_rows(run_with(tmp_path, long, line_of()), scenario_names())
    assert len(found.records) == 1
    assert "Line 1" in found.notes[0]
    assert "MB" in found.notes[0]
    monkeypatch.setattr(module, "MAX_RECORDS_BYTES", 100)
    found = read_run_rows(run_with(tmp_path, line_of(), line_of(example_id="q2")), scenario_names())
    assert len(found.records) == 1
    assert "it was read up to line 1" in found.notes[0]
    monkeypatch.setattr(module, "MAX_RUN_FILE_BYTES", 10)
    with pytest.raises(EvaluationError, match="so it is no run"):
        read_run_rows(tmp_path, scenario_names())


def test_the_table_has_a_line_a_row_and_says_what_was_not_measured() -> None:
    failed = replace(RECORD, example_id="q2", prediction=None, error="gone", cost_usd=None, scores={"right": 0.0})
    table = row_table([RECORD, failed])
    assert list(table["example_id"]) == ["q1", "q2"]
    assert list(table["error"]) == ["", "gone"]
    assert (table["total_s"][0], table["input_tokens"][0], table["score_answerable"][0]) == (0.5, 10.0, 1.0)
    for name in ("total_s", "first_token_s", "input_tokens", "cost_usd", "score_answerable"):
        assert math.isnan(table[name][1])
    assert len(row_table([])) == 0
