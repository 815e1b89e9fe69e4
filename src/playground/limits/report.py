"""An experiment as files: one HTML page that needs nothing else, a table of its points, a table of its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from playground.comparison.report.chart_data import Charts
from playground.comparison.report.html import comparison_css, scripts_that_draw
from playground.limits.chart import finding_figure
from playground.limits.experiment import Experiment
from playground.limits.finding import Finding, p_words, rate_words
from playground.limits.recorded import ExperimentRows
from playground.text.html_page import as_it_stands, load_templates, policy_hash
from playground.text.spreadsheet import spreadsheet_cell
from playground.types import RunRecord


def experiment_html(experiment: Experiment, rows: ExperimentRows, finding: Finding, *, written_at: str) -> str:
    """Return one self-contained HTML document; a content security policy in it allows its own scripts alone.

    Args:
        experiment: what was measured.
        rows: where it is from.
        finding: what they show.
        written_at: ISO 8601, UTC.
    """
    charts = Charts()
    chart = charts.add(finding_figure(finding, experiment.title))
    scripts = scripts_that_draw()
    templates = load_templates("playground.limits")
    return templates.get_template("experiment.html").render(
        experiment=experiment,
        rows=rows,
        finding=finding,
        chart=chart,
        css=as_it_stands(comparison_css()),
        written_at=written_at[:16].replace("T", " "),
        allowed=as_it_stands(" ".join(policy_hash(script) for script in scripts)),
        scripts=[as_it_stands(script) for script in scripts],
        rate_words=rate_words,
        p_words=p_words,
    )


def points_csv(finding: Finding) -> bytes:
    """Return the points of the chart as CSV; rates are in [0, 1]."""
    rows = [
        [point.series.title, point.x, point.value.value, point.value.low, point.value.high, point.n, point.note]
        for point in finding.points
    ]
    return _csv(["series", "at", "value", "low", "high", "n", "note"], rows)


def rows_csv(rows: Sequence[RunRecord]) -> bytes:
    """Return every row as CSV: condition, example, what was answered, its scores, tokens and seconds."""
    scores = sorted({name for row in rows for name in row.scores})
    times = sorted({name for row in rows if row.prediction for name in row.prediction.timings})
    columns = ["condition", "model", "adapter", "example", "output", "error", *scores, "tokens in", "tokens out"]
    return _csv([*columns, *times], (_row(row, scores, times) for row in rows))


def _row(row: RunRecord, scores: Sequence[str], times: Sequence[str]) -> list[object]:
    prediction = row.prediction
    usage = prediction.usage if prediction else None
    return [
        *(row.strategy, row.model_id, row.adapter, row.example_id),
        *(prediction.output if prediction else None, row.error),
        *(row.scores.get(name) for name in scores),
        *((usage.input_tokens, usage.output_tokens) if usage else (None, None)),
        *(prediction.timings.get(name) if prediction else None for name in times),
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([spreadsheet_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return buffer.getvalue().encode("utf-8-sig", "replace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, int | float) else spreadsheet_cell(str(value))
