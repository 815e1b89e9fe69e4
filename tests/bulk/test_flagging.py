"""A folder in bulk: judged once each, every file with its rows, the same bytes however it was interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.bulk.flagging import flag_in_bulk
from playground.bulk.judging import Judged, KeptFlag, Task
from playground.bulk.ledger import open_ledger
from playground.bulk.tables import TABLES_FOLDER, schemas
from playground.errors import DocumentError, ModelError
from playground.flagging.files import FlagJob
from playground.paths import ROOT
from tests.support.bulk_jobs import CONTRACT, LOG_VARIABLE, PAUSE_VARIABLE, run, scripted_job
from tests.support.scripted_flagger import load_nothing

TABLE_NAMES = ("flags", "files", "errors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three contracts, two of them the same, one in a folder of its own, and files that are none."""
    path = tmp_path / "contracts"
    (path / "more").mkdir(parents=True)
    (path / "a.txt").write_text(CONTRACT.format(1))
    (path / "more" / "copy of a.txt").write_text(CONTRACT.format(1))
    (path / "more" / "b.txt").write_text(CONTRACT.format(2))
    (path / "README.md").write_text("# About these contracts")
    (path / ".hidden.txt").write_text("hidden")
    (path / "table.xyz").write_text("1;2")
    return path


def table(out: Path, name: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    read = pq.read_table(out / TABLES_FOLDER / f"{name}.parquet")
    assert read.schema.equals(schemas()[name])
    rows: list[dict[str, Any]] = read.to_pylist()
    return rows


def table_bytes(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / TABLES_FOLDER).iterdir())}


def numbered(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(CONTRACT.format(number))
    return folder


def test_each_flag_each_file_and_no_error_has_a_row(folder: Path, tmp_path: Path) -> None:
    summary, seen = run(folder, tmp_path / "out")
    assert [(row["file"], row["state"], row["flags"], row["same_as"]) for row in table(tmp_path / "out", "files")] == [
        ("a.txt", "flagged", 2, ""),
        ("more/b.txt", "flagged", 2, ""),
        ("more/copy of a.txt", "flagged", 2, "a.txt"),
    ]
    flags = table(tmp_path / "out", "flags")
    assert [(row["file"], row["label"], round(row["probability"], 2)) for row in flags[:2]] == [
        ("a.txt", "Audit Rights", 0.9),
        ("a.txt", "Insurance", 0.8),
    ]
    assert len(flags) == 6
    assert all("inspect the books" in row["text"] for row in flags if row["label"] == "Audit Rights")
    assert {row["page"] for row in flags} == {None}
    assert table(tmp_path / "out", "errors") == []
    assert (summary.files, summary.failed, summary.copies) == (3, 0, 1)
    assert [(one.done, one.total) for one in seen] == [(0, 2), (1, 2), (2, 2)], "the copy is not judged"
    assert not list((tmp_path / "out").glob(".tmp*"))


def test_the_same_bytes_of_another_type_are_another_contract(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "a.txt").write_text(CONTRACT.format(1))
    (folder / "a.md").write_text(CONTRACT.format(1))
    _summary, seen = run(folder, tmp_path / "out")
    assert seen[-1].total == 2


def test_equal_files_are_equal_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("lease", "nda"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("1. The Customer may inspect the books of the Supplier.\n")
        run(tmp_path / name, tmp_path / f"out-{name}")
    lease, nda = (table(tmp_path / f"out-{name}", "files")[0] for name in ("lease", "nda"))
    assert lease | {"file": ""} == nda | {"file": ""}


def test_tables_without_a_row_keep_their_columns(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "a.txt").write_text("1. Notices shall be in writing and sent to the party's address.\n")
    run(tmp_path / "contracts", tmp_path / "out")
    assert table(tmp_path / "out", "flags") == []  # `table` holds the schema against ours
    assert len(table(tmp_path / "out", "files")) == 1


def damage_two_in_a_hundred(folder: Path) -> set[str]:
    """Add four files to ``folder`` that cannot be flagged, each in a way of its own; return their names."""
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "bad.docx").write_bytes(b"PK\x03\x04 and no more")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "raises.txt").write_text("1. The parties RAISE this matter at the next meeting of the board.\n")
    return {"bad.pdf", "bad.docx", "empty.txt", "raises.txt"}


def test_damaged_files_are_one_row_each_with_their_sentence_and_touch_nothing_else(tmp_path: Path) -> None:
    folder = numbered(tmp_path / "contracts", 196)
    run(folder, tmp_path / "whole")
    damaged = damage_two_in_a_hundred(folder)
    run(folder, tmp_path / "out")
    errors = {row["file"]: row["error"] for row in table(tmp_path / "out", "errors")}
    assert len(table(tmp_path / "out", "errors")) == len(damaged)
    assert set(errors) == damaged
    assert all(sentence.endswith(".") for sentence in errors.values())
    assert errors["empty.txt"] == "The file is empty. Choose a file that has text in it."
    assert "ZeroDivisionError: as scripted" in errors["raises.txt"]
    assert table(tmp_path / "out", "flags") == table(tmp_path / "whole", "flags")
    kept = [row for row in table(tmp_path / "out", "files") if row["state"] == "flagged"]
    assert kept == table(tmp_path / "whole", "files")


def test_a_manifest_names_files_and_says_which_are_not_there(folder: Path, tmp_path: Path) -> None:
    manifest = folder / "list.manifest"
    manifest.write_bytes("\ufeffmore/b.txt\r\n\n# a comment\ngone.txt\nmore/b.txt\n".encode() + b"caf\xe9.txt\n")
    (folder / "gone.txt").unlink(missing_ok=True)
    run(manifest, tmp_path / "out")
    assert [row["file"] for row in table(tmp_path / "out", "files")] == ["caf\\xe9.txt", "gone.txt", "more/b.txt"]
    assert [(row["file"], row["error"]) for row in table(tmp_path / "out", "errors")] == [
        ("caf\\xe9.txt", "There is no such file. Check its name."),
        ("gone.txt", "There is no such file. Check its name."),
    ]


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"x" * 10_000)
    with pytest.raises(DocumentError, match="Line 1 of .* is no path"):
        run(tmp_path / "list", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DocumentError, match="names no contract"):
        run(tmp_path / "empty", tmp_path / "out")


def test_a_second_run_judges_nothing_and_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    before = table_bytes(tmp_path / "out")
    _summary, seen = run(folder, tmp_path / "out", job=scripted_job(load=load_nothing))
    assert [(one.done, one.before) for one in seen] == [(2, 2)], "no flagger was loaded"
    assert table_bytes(tmp_path / "out") == before


def test_what_changed_is_judged_and_what_is_gone_has_no_row(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    (folder / "a.txt").write_text(CONTRACT.format(3))
    (folder / "more" / "b.txt").unlink()
    _summary, seen = run(folder, tmp_path / "out")
    assert [(one.done, one.total) for one in seen] == [(1, 2), (2, 2)]
    assert [(row["file"], row["same_as"]) for row in table(tmp_path / "out", "files")] == [
        ("a.txt", ""),
        ("more/copy of a.txt", ""),
    ]


def test_several_processes_write_the_bytes_of_one_and_a_dead_one_costs_one_file(tmp_path: Path) -> None:
    folder = numbered(tmp_path / "contracts", 6)
    (folder / "kills.txt").write_text("1. The parties may END THE PROCESS at any time by notice to each other.\n")
    run(folder, tmp_path / "two", workers=2)
    assert [row["file"] for row in table(tmp_path / "two", "errors")] == ["kills.txt"]
    (folder / "kills.txt").unlink()
    _summary, seen = run(folder, tmp_path / "two")
    run(folder, tmp_path / "one")
    assert seen[0].done == 6
    assert table_bytes(tmp_path / "two") == table_bytes(tmp_path / "one")


def test_an_error_that_may_pass_is_tried_again_and_a_lasting_one_is_not(folder: Path, tmp_path: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"\x00\x01 no contract")

    def judge_all(tasks: Iterator[Task], _job: FlagJob) -> Iterator[Judged]:
        for task in tasks:
            lasting = task.content.endswith(".pdf")
            yield Judged(task.content, "It failed.", lasting=lasting)

    flag_in_bulk(folder, scripted_job(), tmp_path / "out", judge_all, lambda _progress: None)
    _summary, seen = run(folder, tmp_path / "out")
    assert (seen[0].done, seen[-1].done) == (1, 3)
    assert [row["file"] for row in table(tmp_path / "out", "errors")] == ["bad.pdf"]


def test_what_was_lost_on_the_way_is_said_and_tried_by_the_next_run(folder: Path, tmp_path: Path) -> None:
    flag_in_bulk(folder, scripted_job(), tmp_path / "out", lambda _tasks, _job: iter(()), lambda _progress: None)
    assert len(table(tmp_path / "out", "errors")) == 3
    run(folder, tmp_path / "out")
    assert table(tmp_path / "out", "errors") == []


def test_another_job_does_not_mix_into_the_results(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out")
    with pytest.raises(DocumentError, match="holds results of another adapter, other labels or another shift"):
        run(folder, tmp_path / "out", job=scripted_job(shift=1.0))


def test_two_runs_do_not_write_into_one_folder(folder: Path, tmp_path: Path) -> None:
    with (
        open_ledger(tmp_path / "out", "x"),
        pytest.raises(DocumentError, match="Another run writes into"),
        open_ledger(tmp_path / "out", "x"),
    ):
        pass


def test_a_damaged_ledger_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ledger.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(DocumentError, match="ledger.sqlite cannot be used"):
        run(folder, tmp_path / "out")


def test_a_flagger_that_cannot_be_loaded_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The encoder is gone"):
        run(folder, tmp_path / "out", job=scripted_job(load=load_nothing))


def test_a_killed_run_goes_on_where_it_was_and_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, log, out = numbered(tmp_path / "contracts", 24), tmp_path / "log", tmp_path / "out"
    run(folder, tmp_path / "whole")
    monkeypatch.setenv(LOG_VARIABLE, str(log))
    monkeypatch.setenv(PAUSE_VARIABLE, "0.05")
    command = [sys.executable, "-m", "tests.support.bulk_jobs", str(folder), str(out), "1"]
    for judged in (5, 13):
        log.touch()
        driver = subprocess.Popen(command, cwd=ROOT)
        while len(log.read_text().split()) < judged:
            time.sleep(0.01)
            assert driver.poll() is None
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        assert not (out / TABLES_FOLDER).exists(), "what is not whole is not there"
    subprocess.run(command, cwd=ROOT, check=True)
    assert table_bytes(out) == table_bytes(tmp_path / "whole")
    times = Counter(log.read_text().split())
    assert len(times) == 24
    assert sum(times.values()) <= 24 + 2, "each kill may cost the one contract that was being judged"


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        folder = numbered(tmp_path / str(count), count)
        flag = KeptFlag("Insurance", 0.5, "1", "Cover", 0, 0, 10, "x" * 400)

        def judge_all(tasks: Iterator[Task], _job: FlagJob) -> Iterator[Judged]:
            for task in tasks:
                yield Judged(task.content, flags=(flag,) * 20)

        tracemalloc.start()
        flag_in_bulk(folder, scripted_job(), tmp_path / f"out-{count}", judge_all, lambda _progress: None)
        _now, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)  # imports
    assert peak(900) < 1.5 * peak(200)


def test_the_summary_counts_risks_and_missing_clauses_and_says_what_to_read_first(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "a.txt").write_text("SERVICES AGREEMENT\n\n1. The Supplier shall keep insurance of two million pounds.\n")
    (folder / "b.txt").write_text(CONTRACT.format(1))
    (folder / "c.txt").write_text(CONTRACT.format(2))
    (folder / "d.txt").write_text(CONTRACT.format(2))
    (folder / "notes.txt").write_text("1. Notices shall be in writing and sent to the party's address.\n")
    run(folder, tmp_path / "out")
    found = json.loads((tmp_path / "out" / TABLES_FOLDER / "summary.json").read_text())
    assert (found["files"], found["flagged"], found["copies"]) == (5, 5, 1)
    assert sum(one["flags"] for one in found["risks"]) == 7
    assert {(one["label"], one["flags"], one["files"]) for one in found["labels"]} == {
        ("Audit Rights", 3, 3),
        ("Insurance", 4, 4),
    }
    assert ("Audit Rights", 2) in [(one["label"], one["files"]) for one in found["missing"]]
    first = [one["file"] for one in found["read_first"]]
    assert first.index("b.txt") < first.index("c.txt")
    assert "d.txt" not in first, "a copy is read once"
