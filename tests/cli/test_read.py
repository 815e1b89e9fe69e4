"""``read``: the report for people, and the one object for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.cli import main
from playground.paths import CONTRACTS
from tests.support.scans import needs_ocr


def test_json_has_text_blocks_and_clauses_with_exact_offsets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(CONTRACTS / "lease.docx"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"document", "text", "pages", "warnings", "blocks", "clauses"}
    assert (found["document"], found["pages"]) == ("lease.docx", None)
    assert "tracked changes" in found["warnings"][0]
    assert {"kind", "level", "start", "end"} == set(found["blocks"][0])
    assert {"number", "kind", "start", "end"} == set(found["clauses"][0])
    assert "".join(found["text"][clause["start"] : clause["end"]] for clause in found["clauses"]) == found["text"]


def test_the_report_counts_and_says_what_was_decided(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(CONTRACTS / "distribution-agreement.pdf")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("distribution-agreement.pdf\n  6 pages, ")
    assert "headings" in shown
    assert "clauses" in shown
    assert "Nothing was left out" in shown
    assert main(["read", str(CONTRACTS / "lease.docx")]) == 0
    assert "Left out, or decided:\n  - The document has tracked changes" in capsys.readouterr().out


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["read", str(tmp_path / "none.pdf")]) == 2
    assert "There is no file" in capsys.readouterr().err
    assert main(["read", str(CONTRACTS / "scan-only.pdf"), "--no-ocr"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no text layer" in shown.err
    assert "--no-ocr" in shown.err
    assert shown.err.count("\n") == 1


@needs_ocr
def test_a_scan_is_reported_as_read_by_ocr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(CONTRACTS / "scan-only.pdf")]) == 0
    shown = capsys.readouterr()
    assert "read by OCR: 1 page, " in shown.out
    assert "1 of 1 pages" in shown.err
