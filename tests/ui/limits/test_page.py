"""The page of limits and trends: recorded findings, a live run with Stop, and everything that can be missing."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground import paths
from playground.comparison.measured_here import ROOT_VARIABLE
from playground.errors import ModelError
from playground.limits.experiment import Experiment, Size
from playground.types import RunRecord
from playground.ui.limits import desk as limits_desk
from playground.ui.limits import experiment as experiment_view
from playground.ui.limits import live, resources
from playground.ui.limits.desk import ExperimentDesk
from tests.support.fakes import FakeChatModel
from tests.support.fakes_comparison import write_run
from tests.support.fakes_limits import limit_rows, tiny_experiment
from tests.support.fakes_ui import ROOT, click, html, run, use_models, words

TINY = tiny_experiment()


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with one tiny experiment, an empty folder of recorded runs and one of fresh ones, and its own desk."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    monkeypatch.setattr(paths, "RECORDED_RUNS", folder)
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "fresh"))
    desk = ExperimentDesk()
    for module in (live, limits_desk, experiment_view):
        monkeypatch.setattr(module, "DESK", desk)

    def named(_name: str) -> Experiment:
        return TINY

    monkeypatch.setattr(experiment_view, "EXPERIMENTS", (TINY,))
    for module in (experiment_view, live, resources):
        monkeypatch.setattr(module, "experiment" if module is experiment_view else "experiment_named", named)
    resources._shown.clear()
    use_models(monkeypatch, FakeChatModel(lambda _question: "yes"))
    yield folder
    if (latest := desk.latest()) is not None:
        latest.stop.set()
        assert latest.job.done.wait(60)


def open_page() -> AppTest:
    return run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page("pages/limits.py"))


def record(folder: Path, rows: list[RunRecord]) -> None:
    write_run(folder / "limits" / "tiny", rows, scenario="tiny")


def measured(app: AppTest) -> AppTest:
    latest = live.DESK.latest()
    assert latest is not None and latest.job.done.wait(60)
    return run(app)


ROWS = [*limit_rows("first", lambda number: number < 30), *limit_rows("second", lambda number: number < 10)]


def test_a_recorded_experiment_opens_with_claim_verdict_chart_and_where_it_is_from(recorded: Path) -> None:
    record(recorded, ROWS)
    app = open_page()
    page = html(app)
    assert "A claim with &lt;b&gt;letters&lt;/b&gt;." in page
    assert "<b>The claim shows here.</b> That is all." in page
    assert "Recorded on 2026-01-02, 80 rows, fake-model, a recorded machine, commit abc1234" in page
    assert '<div class="headline">75% and 25%</div>' in page and len(app.get("plotly_chart")) == 1
    assert {button.proto.label for button in app.get("download_button")} == {
        *("Numbers (CSV)", "Report (HTML)", "Rows (CSV)"),
    }


def test_the_chart_is_made_once_for_all_redraws(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(recorded, ROWS)
    made: list[object] = []
    figure = experiment_view.finding_figure

    def making(*given: object) -> object:
        made.append(given)
        return figure(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(experiment_view, "finding_figure", making)
    app = run(open_page())
    first = len(made)
    run(app)
    assert len(made) == first <= 1


def test_what_a_live_run_takes_is_said_in_whole_words() -> None:
    caption = live._what_it_takes(TINY)
    assert caption.startswith(
        "2 conditions, 6 questions each, about 0:05 on two free cores with the small bundled model."
    )
    one = replace(TINY, live=Size(1, ("first",)), examples_are="seeds", needs_model=False)
    assert live._what_it_takes(one).startswith("1 condition, 1 seed each, about 0:05 on two free cores. The full run: ")


def test_without_a_recorded_run_the_page_says_how_to_make_one(recorded: Path) -> None:
    app = open_page()
    assert "Nothing was recorded of this yet" in words(app.info)[0]
    assert app.get("code")[0].value == "python -m playground limits tiny"


def test_a_damaged_recorded_run_is_a_sentence(recorded: Path) -> None:
    record(recorded, ROWS)
    (recorded / "limits" / "tiny" / "records.jsonl").write_text("{broken\n")
    assert "Line 1 of" in words(open_page().error)[0]


def test_too_few_rows_are_a_sentence_and_no_chart(recorded: Path) -> None:
    record(recorded, limit_rows("first", lambda _number: True, count=3))
    app = open_page()
    assert "first has 3 answers" in words(app.warning)[0] and not app.get("plotly_chart")


def test_a_live_run_is_measured_here_and_shown(recorded: Path) -> None:
    record(recorded, ROWS)
    app = measured(click(open_page(), "limits_start"))
    assert "Measured 12 of 12 rows" in words(app.success)[0]
    assert "Measured here on" in html(app) and "<b>The claim does not show here.</b>" in html(app)
    app = click(app, "limits_put_away")
    assert not app.success


def test_stop_keeps_what_was_measured_and_the_run_goes_on(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, free = threading.Semaphore(0), threading.Semaphore(0)

    def script(_question: str) -> str:
        asked.release()
        assert free.acquire(timeout=60)
        return "yes"

    model = FakeChatModel(script)
    use_models(monkeypatch, model)
    app = click(open_page(), "limits_start")
    for _answer in range(3):
        assert asked.acquire(timeout=60)
        free.release()
    assert asked.acquire(timeout=60)
    app = click(app, "limits_stop")
    free.release()
    app = measured(app)
    assert "Stopped after 4 of 12 rows; they are kept." in words(app.info)[0]
    for _answer in range(8):
        free.release()
    app = measured(click(app, "limits_go_on"))
    assert "Measured 12 of 12 rows" in words(app.success)[0]
    assert len(model.questions) == len(set(model.questions)) == 12


def test_a_model_that_is_gone_is_a_sentence_and_finished_rows_stay(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(question: str) -> str | Exception:
        return ModelError("The model is gone.") if question.startswith("second") else "yes"

    use_models(monkeypatch, FakeChatModel(script))
    app = measured(click(open_page(), "limits_start"))
    assert any("failed and count as wrong" in text and "The model is gone." in text for text in words(app.warning))
    assert app.button(key="limits_go_on") is not None
