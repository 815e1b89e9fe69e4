"""``limits``: what is listed, what was recorded, and a small run with a scripted model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground import cli, paths
from playground.cli import loading
from tests.support.fakes import FakeChatModel
from tests.support.fakes_comparison import write_run
from tests.support.fakes_limits import limit_rows, tiny_experiment
from tests.support.scripted_embedder import ScriptedEmbedder


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    experiment = tiny_experiment()
    monkeypatch.setattr("scenarios.experiments.EXPERIMENTS", (experiment,))
    monkeypatch.setattr("scenarios.experiments.experiment", lambda _name: experiment)
    monkeypatch.setattr(paths, "RECORDED_RUNS", tmp_path / "recorded")
    monkeypatch.setattr(loading, "load_model", lambda _name: FakeChatModel(lambda _question: "yes"))
    monkeypatch.setattr(loading, "load_embedder", ScriptedEmbedder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_kept_reported_and_gone_on_with(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["limits", "tiny", "--out", "run", "--html", "report.html", "--csv", "points.csv", "--rows-csv", "rows.csv"]
    assert cli.main(given) == 0
    said = capsys.readouterr().out
    assert "The claim does not show here. That is all." in said and "A small sample: a hint, not a result." in said
    assert "first minus second: +0.0 points" in said
    assert "The claim does not show here." in (tiny / "report.html").read_text()
    assert len((tiny / "rows.csv").read_text().splitlines()) == 13
    kept = (tiny / "run" / "records.jsonl").read_bytes()
    assert cli.main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 6
    assert (tiny / "run" / "records.jsonl").read_bytes() == kept


def test_examples_and_conditions_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        cli.main(["limits", "tiny", "--out", "run", "--examples", "7", "--conditions", "first; second", "--json"]) == 0
    )
    assert [point["n"] for point in json.loads(capsys.readouterr().out)["points"]] == [7, 7]
    assert cli.main(["limits", "tiny", "--out", "other", "--examples", "3"]) == 2
    assert "first has 3 answers" in capsys.readouterr().err


def test_what_was_recorded_is_shown_without_a_model(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "load_model", lambda _name: pytest.fail("no model is loaded"))
    assert cli.main(["limits", "tiny", "--recorded"]) == 2
    assert "Nothing was recorded of tiny yet. Measure it: python -m playground limits tiny" in capsys.readouterr().err
    assert cli.main(["limits", "list"]) == 0
    assert "not recorded yet" in capsys.readouterr().out
    rows = [*limit_rows("first", lambda number: number < 30), *limit_rows("second", lambda number: number < 10)]
    write_run(tiny / "recorded" / "limits" / "tiny", rows, scenario="tiny")
    assert cli.main(["limits", "tiny", "--recorded"]) == 0
    assert "The claim shows here." in capsys.readouterr().out
    assert cli.main(["limits", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["experiments"]
    assert (listed["verdict"], listed["headline"]) == ("shows here", "75% and 25%")


def test_a_cap_without_a_price_and_a_report_that_cannot_be_written_are_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "load_model", lambda _name: FakeChatModel(lambda _question: "yes", price_usd=None))
    assert cli.main(["limits", "tiny", "--out", "run", "--max-cost-usd", "1"]) == 2
    assert "a spending cap cannot be kept" in capsys.readouterr().err
    Path("file").write_text("")
    assert cli.main(["limits", "tiny", "--out", "run", "--html", "file/report.html"]) == 2
    assert "cannot be written" in capsys.readouterr().err
