"""From how many requests on fine-tuning pays: the chart, its sentence, and every assumption as a control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground import paths
from playground.adapters import AdapterManifest
from playground.comparison.charts.over_time import break_even_figure, way_colours
from playground.comparison.claims.break_even import (
    TITLES,
    YOURS,
    Assumption,
    Assumptions,
    break_even,
    cumulative_cost_usd,
    default_assumptions,
    with_values,
)
from playground.comparison.claims.stale_facts import FILE as STALE_FILE
from playground.comparison.claims.stale_facts import StaleFacts, read_stale_facts
from playground.comparison.figures import TechniqueFigures
from playground.comparison.report.extras import ReportBreakEven
from playground.comparison.scenario import scenario_showing, techniques_of
from playground.comparison.whole_units import per_whole_unit, units_of
from playground.errors import EvaluationError, PlaygroundError
from playground.measuring.evaluation import fingerprint_of
from playground.ui.comparison.state import Key, session
from playground.ui.shared import resources
from playground.ui.shared.charts import Row, draw_chart
from playground.ui.shared.markup import escape_html, escape_markdown
from scenarios import registry

_NONE = "none measured: ordinary values"
_COLUMNS = 3
_ROWS = 24


def draw_break_even(scenario: str, figures: Sequence[TechniqueFigures]) -> None:
    """Draw cumulative cost against requests, the crossing in a sentence, and the assumptions with their sources."""
    prompting, tuned, hosted = _choose(scenario, figures)
    start = _rounded(
        default_assumptions(prompting, tuned, adapter=_adapter_of(tuned), stale=_stale_facts(), hosted=hosted)
    )
    chart = st.container()
    kind = fingerprint_of(*(_key(one) for one in (prompting, tuned)), hosted)[:6]
    values = _draw_assumptions(start, kind)
    with chart:
        try:
            assumptions = with_values(start, values)
        except EvaluationError as error:
            session().break_even.pop(scenario, None)
            st.error(escape_markdown(str(error)), icon=":material/error:")
            st.caption("The chart is drawn again as soon as every assumption can be.")
            return
        unit = units_of(per_whole_unit(one) for one in (prompting, tuned) if one)
        result = break_even(assumptions, unit="" if unit == "request" else unit)
        session().break_even[scenario] = ReportBreakEven(
            prompting, tuned, unit, assumptions, result, hosted=hosted, is_default=False
        )
        st.html(f'<div class="verdict">{escape_html(result.sentence)}</div>')
        last = 2 * result.requests if result.requests else 365 * assumptions.requests_per_day.value
        rows: list[Row] = [
            {
                "request": unit,
                "requests": (requests := last * step / _ROWS),
                "prompting_usd": cumulative_cost_usd(assumptions, "prompting", requests),
                "fine_tuning_usd": cumulative_cost_usd(assumptions, "fine-tuning", requests),
            }
            for step in range(_ROWS + 1)
        ]
        figure = break_even_figure(assumptions, result, colours=way_colours(prompting, tuned), unit=unit)
        draw_chart(figure, "break-even", rows, alt=result.sentence)


def _choose(
    scenario: str, figures: Sequence[TechniqueFigures]
) -> tuple[TechniqueFigures | None, TechniqueFigures | None, bool]:
    """Draw which techniques stand for the two ways; return them, and whether prompting is hosted."""
    prompted = {one.title: one for one in figures if one.technique.kind != "fine-tuning" and one.input_tokens}
    trained = {one.title: one for one in figures if one.technique.kind == "fine-tuning"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = st.selectbox(
            "Prompting",
            list(prompted) or [_NONE],
            index=_first(prompted),
            key=f"{Key.PROMPTING}_{scenario}",
            bind="query-params",
            width=280,
        )
        second = st.selectbox(
            "Fine-tuned",
            list(trained) or [_NONE],
            index=_first(trained),
            key=f"{Key.TUNED}_{scenario}",
            bind="query-params",
            width=280,
        )
        hosted = st.toggle("Prompt a hosted model", value=True, key=Key.HOSTED, bind="query-params")
    return prompted.get(str(first)), trained.get(str(second)), bool(hosted)


def _first(figures: Mapping[str, TechniqueFigures]) -> int:
    return next((place for place, one in enumerate(figures.values()) if one.technique.stands_for_kind), 0)


def _key(one: TechniqueFigures | None) -> list[str | None]:
    return list(one.key) if one else []


def _adapter_of(tuned: TechniqueFigures | None) -> AdapterManifest | None:
    """Return the manifest of the adapter that a technique used; None where it is not here."""
    if tuned is None or tuned.adapter is None:
        return None
    try:
        stored = [one for one in resources.adapter_store().list() if one.identity == tuned.adapter]
    except PlaygroundError:
        return None
    return stored[0].manifest if stored else None


def _stale_facts() -> StaleFacts | None:
    """Return what catching up with a change took, as recorded; a damaged file is named in the section that shows it."""
    techniques = techniques_of(scenario_showing("changing facts", registry.all_scenarios()))
    try:
        return read_stale_facts(paths.RECORDED_RUNS / STALE_FILE, techniques)
    except EvaluationError:
        return None


def _draw_assumptions(start: Assumptions, kind: str) -> dict[str, float]:
    """Draw a control for each assumption, with its source under it; return the values."""
    st.header("Assumptions, each with its source", anchor=False)
    values = {}
    columns: Sequence[DeltaGenerator] = ()
    for place, name in enumerate(one.name for one in fields(Assumptions)):
        assumption: Assumption = getattr(start, name)
        if place % _COLUMNS == 0:
            columns = st.columns(_COLUMNS, gap="medium")
        with columns[place % _COLUMNS]:
            value = st.number_input(
                _label(name, assumption.unit),
                value=float(assumption.value),
                step=_step(assumption.value),
                format="%g",
                key=f"be_{name}_{kind}",
                bind="query-params",
            )
            values[name] = assumption.value if value is None else float(value)
            source = assumption.source if values[name] == assumption.value else YOURS
            st.caption(escape_markdown(source))
    return values


def _rounded(assumptions: Assumptions) -> Assumptions:
    """Return measured values with four digits, as the controls show them."""
    ours: dict[str, Assumption] = {one.name: getattr(assumptions, one.name) for one in fields(Assumptions)}
    return Assumptions(**{name: replace(one, value=float(f"{one.value:.4g}")) for name, one in ours.items()})


def _label(name: str, unit: str) -> str:
    """Return an assumption's name with its unit, where the name does not say it."""
    title = TITLES[name]
    return title if unit.split(maxsplit=1)[0].lower() in title.lower() else f"{title}, {unit}"


def _step(value: float) -> float:
    """Return a step that moves a value by about a tenth."""
    return float(f"{abs(value) / 10:.0e}") if value else 0.1
