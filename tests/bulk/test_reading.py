"""A result read back: filters, the order of reading, and an export that holds no formula."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from playground.bulk import reading
from playground.bulk.reading import Filters, flags_csv, read_result, results_in
from playground.bulk.tables import TABLES_FOLDER
from playground.errors import DocumentError
from tests.support.bulk_jobs import CONTRACT, run


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A result of five files: one failed, one a copy, one without a flag."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "=cmd.txt").write_text(CONTRACT.format(1))
    (folder / "copy.txt").write_text(CONTRACT.format(1))
    (folder / "Cover.txt").write_text("SERVICES AGREEMENT\n\n1. The Supplier shall keep insurance of two million.\n")
    (folder / "notes.txt").write_text("1. Notices shall be in writing and sent to the party's address.\n")
    (folder / "bad.pdf").write_bytes(b"\x00\x01 no contract")
    run(folder, tmp_path / "results" / "first")
    return tmp_path / "results" / "first"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(), ["=cmd.txt", "Cover.txt", "notes.txt", "bad.pdf"]),
        (Filters(copies=True), ["=cmd.txt", "copy.txt", "Cover.txt", "notes.txt", "bad.pdf"]),
        (Filters(label="Insurance"), ["=cmd.txt", "Cover.txt"]),
        (Filters(missing="Audit Rights"), ["Cover.txt", "notes.txt"]),
        (Filters(risk="medium"), ["=cmd.txt", "Cover.txt"]),
        (Filters(state="failed"), ["bad.pdf"]),
        (Filters(name=" COVER "), ["Cover.txt"]),
        (Filters(label="Nothing"), []),
    ],
)
def test_filters_leave_what_fits_in_the_order_of_reading(out: Path, filters: Filters, names: list[str]) -> None:
    assert [row["file"] for row in read_result(out).chosen(filters)] == names


def test_the_export_holds_the_flags_and_no_formula(out: Path) -> None:
    result = read_result(out)
    rows = list(csv.DictReader(io.StringIO(flags_csv(result.flags_of(["=cmd.txt"])).decode("utf-8-sig"))))
    assert [(row["file"], row["label"], row["probability"]) for row in rows] == [
        ("'=cmd.txt", "Audit Rights", "0.9000"),
        ("'=cmd.txt", "Insurance", "0.8000"),
    ]
    assert result.flags_of([]) == []
    assert result.error_of("bad.pdf") != ""
    assert result.error_of("Cover.txt") == ""


def test_results_are_listed_newest_first_and_others_are_not(out: Path, tmp_path: Path) -> None:
    (out.parent / "unfinished").mkdir()
    run(tmp_path / "contracts", out.parent / "second")
    assert set(results_in(out.parent)) == {"first", "second"}
    assert results_in(tmp_path / "nowhere") == ()


def test_what_is_damaged_or_too_large_is_said(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_FILES", 4)
    with pytest.raises(DocumentError, match="has 5 files, more than the 4"):
        read_result(out)
    monkeypatch.undo()
    (out / TABLES_FOLDER / "flags.parquet").write_bytes(b"no table")
    with pytest.raises(DocumentError, match=r"flags\.parquet cannot be read"):
        read_result(out)
    (out / TABLES_FOLDER / "summary.json").write_text(json.dumps([1]))
    with pytest.raises(DocumentError, match="holds no whole result"):
        read_result(out)
