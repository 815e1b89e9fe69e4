"""What a scenario need not bring: a way to read rows by their score "right", an outline, figures, a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.comparison.outcomes import Measured, Outcome
from playground.comparison.scenario import ComparedScenario, Figures, Scenario, ScenarioFunctions
from playground.comparison.technique_figures import figures_of, technique_rows
from playground.measuring.estimates import Estimate, proportion
from playground.measuring.evaluation import EvaluationOutline
from playground.measuring.request import MeasuringRequest
from playground.text.terminal import text_table
from playground.types import RunRecord

_LABEL_WIDTH = 26
_UNKNOWN = "—"


def plain_compared(scenario: Scenario, unit: str) -> ComparedScenario:
    """Return how rows are read that have one score, "right": the headline is the share of right rows.

    A row with an error is wrong. ``unit`` says what one request is ("question").
    """
    return ComparedScenario(
        name=scenario.name,
        unit=unit,
        measure=_share_right,
        outcomes=lambda rows: {row.example_id: Outcome(_is_right(row)) for row in rows},
        required_scores=("right",),
        title=scenario.title,
        techniques=scenario.techniques,
    )


def _share_right(rows: Sequence[RunRecord]) -> Measured:
    return Measured(proportion(sum(map(_is_right, rows)), len(rows)), "accuracy")


def _is_right(row: RunRecord) -> bool:
    return row.error is None and row.scores["right"] > 0


def outline_of(functions: ScenarioFunctions, request: MeasuringRequest) -> EvaluationOutline:
    """Return what a run will ask: as the scenario says, else every technique on every example, without an adapter.

    Raises:
        PlaygroundError: it cannot be done here, for instance because an adapter is gone.
    """
    if functions.outline is not None:
        return functions.outline(request)
    count = functions.example_count()
    asked = count if request.limit is None else min(count, request.limit)
    return EvaluationOutline(dict.fromkeys(request.strategies), dict.fromkeys(request.strategies, asked))


def plain_figures(records: Sequence[RunRecord], compared: ComparedScenario) -> list[Figures]:
    """Return the figures of each technique, ready for JSON: accuracy and rates with intervals, times, tokens, cost.

    Rates are in [0, 1], times in seconds and tokens and US dollars per request, None where nothing was measured.
    """
    groups, _notes = technique_rows(records, compared)
    found: list[Figures] = []
    for group in groups:
        one = figures_of(group, compared)
        rates = {"accuracy": one.accuracy, **one.rates}
        times = {"first_token_s": one.first_token_s, "total_s": one.total_s}
        found.append(
            {
                "strategy": one.strategy,
                "model": one.model_id,
                "adapter": one.adapter,
                "n": one.n,
                "errors": one.errors,
                **{name: rate.value if rate else None for name, rate in rates.items()},
                **{name: {"p50": t.p50.value, "p95": t.p95.value} if t else None for name, t in times.items()},
                "input_tokens": one.input_tokens,
                "output_tokens": one.output_tokens,
                "cost_usd": one.token_cost_usd,
                "ci": {name: _bounds(rate) for name, rate in rates.items() if rate},
            }
        )
    return found


def plain_table(figures: Sequence[Figures]) -> str:
    """Return figures as a table for people: a row a figure, a column a technique."""
    labels = dict.fromkeys(name for column in figures for name in column if name not in ("strategy", "ci"))
    rows = [("", *(str(column["strategy"]) for column in figures))]
    rows += [(name.replace("_", " "), *(_cell(column, name) for column in figures)) for name in labels]
    return text_table(rows, label_width=_LABEL_WIDTH, is_even=True)


def _bounds(rate: Estimate) -> list[float]:
    return [rate.low, rate.high]


def _cell(column: Figures, name: str) -> str:
    value, intervals = column.get(name), column.get("ci")
    interval = intervals.get(name) if isinstance(intervals, Mapping) else None
    if isinstance(value, float):
        return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:.2f} s" for key, number in value.items())
    return _UNKNOWN if value is None else str(value)
