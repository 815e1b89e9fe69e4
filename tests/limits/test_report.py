"""An experiment's chart and files: headline from the rows, every letter escaped, intervals on every point."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from playground.limits.chart import alt_text, finding_figure
from playground.limits.recorded import ExperimentRows
from playground.limits.report import experiment_html, points_csv, rows_csv
from playground.measuring.runs import RunInfo
from playground.types import Prediction, RunRecord
from tests.support.fakes_limits import limit_row, limit_rows, tiny_experiment, tiny_finding

ROWS = [*limit_rows("first", lambda number: number < 30), *limit_rows("second", lambda number: number < 10)]


def read(rows: list[RunRecord]) -> ExperimentRows:
    info = RunInfo("r", "tiny", "2026-01-02T03:04:05+00:00", {}, {})
    return ExperimentRows((Path("runs/x"),), (info,), tuple(rows), recorded=True)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_every_point_of_the_chart_has_its_interval() -> None:
    figure = finding_figure(tiny_finding(ROWS), "Tiny")
    assert figure.layout.title.text == "Tiny"
    (trace,) = figure.data
    assert list(trace.y) == [0.75, 0.25]
    assert all(0 < above < 0.2 for above in trace.error_y.array)
    assert all(0 < below < 0.2 for below in trace.error_y.arrayminus)
    assert alt_text(tiny_finding(ROWS)) == "75% and 25% a model, first: 75%; a model, second: 25%"


def test_a_small_sample_is_said_on_the_chart() -> None:
    few = [row for name in ("first", "second") for row in limit_rows(name, lambda _number: True, count=6)]
    assert "hint, not a result" in finding_figure(tiny_finding(few), "Tiny").layout.title.subtitle.text


def test_the_report_stands_alone_and_shows_letters_as_letters() -> None:
    page = experiment_html(tiny_experiment(), read(ROWS), tiny_finding(ROWS), written_at="2026-01-02T03:04:05")
    assert "A claim with &lt;b&gt;letters&lt;/b&gt;." in page and "A line with &lt;i&gt;letters" in page
    assert "The claim shows here." in page and "<h3>75% and 25%</h3>" in page
    assert "Recorded on 2026-01-02, 80 rows, fake-model" in page
    assert "default-src 'none'" in page and "python -m playground limits tiny" in page
    assert "http-equiv" in page and 'src="http' not in page


def test_tables_hold_every_point_and_every_row_and_no_formula() -> None:
    hostile = limit_row("first", "q", right=True, prediction=Prediction("=cmd()", None, {"total_s": 2.0}))
    points, rows = table(points_csv(tiny_finding(ROWS))), table(rows_csv([*ROWS, hostile]))
    assert [(one["at"], one["value"], one["n"]) for one in points] == [
        ("first", "0.75", "40"),
        ("second", "0.25", "40"),
    ]
    assert len(rows) == 81
    assert rows[-1]["output"] == "'=cmd()" and rows[-1]["tokens in"] == "" and rows[0]["tokens in"] == "100"


def test_rows_of_several_days_and_commits_say_so() -> None:
    one = read(limit_rows("first", lambda _number: True))
    later = replace(one.infos[0], started_at="2026-11-30T00:00:00+00:00")
    rows = (*one.rows, *limit_rows("second", lambda _number: True, commit="def5678"))
    stamp = ExperimentRows(one.folders, (later, *one.infos), rows, recorded=True).stamp
    assert f"on {one.infos[0].started_at[:10]} to 2026-11-30, 80 rows" in stamp
    assert stamp.endswith("commit abc1234, def5678")


def test_names_below_the_chart_turn_where_there_is_no_room_beside_each_other() -> None:
    assert finding_figure(tiny_finding(ROWS), "Tiny").layout.xaxis.tickangle is None  # as Plotly sees fit
