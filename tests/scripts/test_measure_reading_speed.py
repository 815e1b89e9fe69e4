"""The speed of reading is measured on whole files, both readers in turns."""

from __future__ import annotations

import json
from pathlib import Path

from playground.documents import load_document
from scripts import measure_reading_speed


def test_both_are_timed_in_turns_and_the_first_round_is_not_counted(monkeypatch) -> None:
    asked, clock = [], iter([0.0, 9.0, 9.0, 10.0, 0.0, 1.0, 1.0, 3.0, 0.0, 3.0, 3.0, 5.0])
    monkeypatch.setattr(measure_reading_speed.time, "perf_counter", lambda: next(clock))
    found = measure_reading_speed.ratios(lambda: asked.append("ours"), lambda: asked.append("theirs"), 2)
    assert asked == ["ours", "theirs"] * 3
    assert (found["seconds"], found["other_seconds"]) == (2.0, 2.0)
    assert (found["ratio_lowest"], found["ratio"], found["ratio_highest"]) == (0.5, 1.0, 1.5)


def test_the_files_are_as_long_as_they_are_said_to_be() -> None:
    text = "1. Term. This agreement runs for one year.\n" * 30
    assert len(load_document(measure_reading_speed.long_pdf(text, 3), "long.pdf").page_starts) == 3
    assert 5_000 <= len(load_document(measure_reading_speed.long_docx(text, 5_000), "long.docx").text) < 5_100


def test_figures_are_written(tmp_path: Path, capsys) -> None:
    out = tmp_path / "speed.json"
    measure_reading_speed.main(["--rounds", "1", "--pages", "1", "--characters", "500", "--out", str(out)])
    files = json.loads(out.read_text())["files"]
    assert files["long.pdf"]["other"] == "pypdf" and files["long.docx"]["other"] == "docx2python"
    assert all(one["peak_bytes"] > 20_000_000 for one in files.values())
    assert all(one[way]["ratio"] > 0 for one in files.values() for way in ("parser", "whole"))
    assert "long.pdf, whole: " in capsys.readouterr().out
