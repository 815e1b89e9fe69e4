"""A third scenario needs its record and its registration: menu, page, command line and report find it by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.cli import loading, main
from playground.comparison.rows import read_run_rows
from playground.errors import EvaluationError
from playground.ui.comparison import measure_again
from scenarios import registry
from tests.support.fakes import FakeChatModel
from tests.support.fakes_comparison import open_page, use_runs
from tests.support.fakes_ui import ROOT, click, html, run, words
from tests.support.scripted_embedder import ScriptedEmbedder
from tests.support.tiny_scenario import SCENARIO, answer

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def third() -> Iterator[None]:
    """The tiny scenario in the registry, for the time of a test."""
    registry.register(SCENARIO)
    yield
    registry.unregister(SCENARIO.name)


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """A run of the command line, recorded."""
    recorded = use_runs(monkeypatch, tmp_path, FakeChatModel(answer))
    monkeypatch.setattr(loading, "load_model", lambda _name: FakeChatModel(answer))
    monkeypatch.setattr(loading, "load_embedder", ScriptedEmbedder)
    assert main(["evaluate", "tiny_sums", "--out", str(recorded / "tiny")]) == 0
    return recorded / "tiny"


def menu(app: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in app.sidebar.get("page_link")}


def test_it_stands_in_the_menu_and_opens_on_the_comparison_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_runs(monkeypatch, tmp_path)
    app = run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=120))
    names = list(menu(app))
    assert names[:4] == ["Home", "Return-policy bot", "Contract flagger", "Tiny sums"]
    assert menu(app)["Tiny sums"] == "scenario=Tiny+sums"
    opened = open_page(scenario="Tiny sums")
    assert opened.button(key="measure_tiny_sums_ask") and not opened.button(key="measure_tiny_sums_guess").disabled


def test_the_command_line_measures_it(measured: Path, capsys: Captured) -> None:
    printed = capsys.readouterr().out
    assert "Ask the model" not in printed and "ask" in printed and "0.667 [" in printed
    assert main(["evaluate", "tiny_sums", "--strategies", "ask", "--out", str(measured), "--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)["strategies"]
    assert (figures["strategy"], figures["n"], figures["errors"]) == ("ask", 3, 0)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    rows = read_run_rows(measured, registry.scenario_names())
    assert [row.strategy for row in rows.records].count("guess") == 3


def test_a_wrong_technique_is_named_in_one_line(tmp_path: Path, measured: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert main(["evaluate", "tiny_sums", "--strategies", "pray", "--out", str(tmp_path / "new")]) == 2
    assert "There is no strategy 'pray'. Use one of: ask, guess." in capsys.readouterr().err


@pytest.mark.parametrize(
    "section",
    [
        *("Overview", "Time and tokens", "By policy or label", "Break-even"),
        *("Learning and change", "Examples", "The article", "Which one?"),
    ],
)
def test_every_section_of_the_comparison_page_shows_it(measured: Path, section: str) -> None:
    app = open_page(scenario="Tiny sums", section=section)
    assert not app.error
    if section in ("Overview", "Examples"):
        assert "Ask the model" in html(app)


def test_it_can_be_measured_again_on_the_page(measured: Path) -> None:
    app = click(open_page(scenario="Tiny sums"), "measure_tiny_sums_ask")
    latest = measure_again.DESK.latest()
    assert latest is not None and latest.job.done.wait(120)
    run(app)
    assert any("Measured 3 of 3 rows" in text for text in words(app.success))
    assert "3 of 3 answers identical" in html(app)


def test_the_report_has_a_part_on_it(measured: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(measured), "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "<h2>Tiny sums</h2>" in text
    assert "Ask the model" in text and "Always say 2" in text and "per sum" in text
    assert json.loads(page.with_suffix(".json").read_text())["scenarios"][0]["scenario"] == "tiny_sums"


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, capsys: Captured) -> None:
    with pytest.raises(
        EvaluationError, match="no scenario 'x'. Use one of: return_policy, contract_clauses, tiny_sums"
    ):
        registry.scenario("x")
    assert main(["evaluate", "x", "--out", str(tmp_path)]) == 2
    assert "contract_clauses, return_policy, tiny_sums" in capsys.readouterr().err.replace("'", "")


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="There is a scenario 'tiny_sums' already"):
        registry.register(SCENARIO)
