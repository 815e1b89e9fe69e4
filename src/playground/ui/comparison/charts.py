"""The charts of the chosen runs, each with its numbers to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from playground.comparison.charts.techniques import (
    Across,
    accuracy_cost_figure,
    accuracy_figure,
    first_token_figure,
    heat_map_figure,
    latency_figure,
    tokens_figure,
)
from playground.comparison.costs import CostBasis, per_1000_usd
from playground.comparison.figures import FEWEST_EXAMPLES, HeatMap, PairedDifference, TechniqueFigures, Times
from playground.comparison.headlines import (
    accuracy_headline,
    cost_headline,
    decided_by,
    heat_map_headline,
    times_headline,
    tokens_headline,
)
from playground.comparison.report.html import SIGNIFICANT
from playground.comparison.runs_compared import ComparedTechniques
from playground.comparison.whole_units import per_whole_unit, summed_note, units_of
from playground.comparison.words import seconds
from playground.errors import EvaluationError
from playground.text.spreadsheet import spreadsheet_cell
from playground.ui.comparison.resources import Comparison
from playground.ui.comparison.state import Key, session
from playground.ui.shared.markup import escape_html, escape_markdown
from playground.ui.shared.resources import adapter_store

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, object]

_MOST_FIGURES = 48
_LIGHT_INK, _DARK_INK = "#1a2530", "#e7edf1"

_ACROSS = {"cost": "cost", "latency": "latency"}
_COSTS = {"machine": "machine time", "hosted": "hosted price"}


def draw_chart(
    figure: go.Figure | Callable[[], go.Figure | None] | None,
    key: str,
    rows: Sequence[Row],
    *,
    alt: str,
    empty: str = "",
    headline: str = "",
    of: Hashable = None,
) -> None:
    """Draw a chart with a button for its picture (on the chart) and one for its numbers (below).

    Args:
        figure: or what makes it, where ``of`` says what it is made of: it is then made once for all redraws.
        key: names the chart, its files and its place.
        rows: its numbers.
        alt: what it shows, for those who do not see it.
        empty: said where there is nothing to draw.
        headline: what it says, in a sentence.
        of: whatever decides how the figure looks.
    """
    ink = {"dark": _DARK_INK, "light": _LIGHT_INK}.get(str(st.context.theme.type), "")
    drawn = _made(key, repr(of), ink, figure) if callable(figure) else _in_ink(figure, ink)
    if drawn is None:
        st.caption(empty or "Nothing of this was measured in the chosen runs.")
        return
    if headline:
        st.html(f'<div class="headline">{escape_html(headline)}</div>')
    config = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "pan2d", "zoom2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
    }
    st.plotly_chart(drawn, key=f"chart_{key}", config=config, alt=alt)
    st.download_button(
        "Numbers (CSV)",
        lambda: table_csv(rows),
        f"{key}.csv",
        "text/csv",
        key=f"download_{key}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


@st.cache_resource(max_entries=_MOST_FIGURES, show_spinner=False)
def _made(key: str, of: str, ink: str, _make: Callable[[], go.Figure | None]) -> go.Figure | None:  # noqa: ARG001 - the key
    return _in_ink(_make(), ink)


def _in_ink(figure: go.Figure | None, ink: str) -> go.Figure | None:
    if figure is not None and ink:
        # Streamlit's grey is for reading at a desk.
        figure.update_layout(font={"color": ink}, legend={"font": {"color": ink}}, title={"font": {"color": ink}})
        figure.update_xaxes(tickfont={"color": ink}, title_font={"color": ink})
        figure.update_yaxes(tickfont={"color": ink}, title_font={"color": ink})
    return figure


def table_csv(rows: Sequence[Row]) -> bytes:
    """Return rows as CSV; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow([spreadsheet_cell(name) for name in columns])
    for row in rows:
        cells = [row.get(name) for name in columns]
        writer.writerow(
            ["" if c is None else f"{c:.10g}" if isinstance(c, float) else spreadsheet_cell(str(c)) for c in cells]
        )
    return buffer.getvalue().encode("utf-8-sig", "replace")


def draw_accuracy(comparison: Comparison) -> None:
    """Draw how often each technique is right and, below, what that costs."""
    figures = comparison.figures
    rows: list[Row] = [
        {
            "technique": one.title,
            "accuracy_is": one.accuracy_name,
            "accuracy": one.accuracy.value if one.accuracy else None,
            "accuracy_low": one.accuracy.low if one.accuracy else None,
            "accuracy_high": one.accuracy.high if one.accuracy else None,
            "sample": one.sample_words,
        }
        for one in figures
    ]
    alt = "; ".join(f"{row['technique']}: {_percent(row['accuracy'])}" for row in rows)
    headline = accuracy_headline(figures)
    draw_chart(lambda: accuracy_figure(figures), "accuracy", rows, alt=alt, headline=headline, of=comparison.key)
    store = adapter_store()
    active = store.active("clauses")
    manifests = {stored.identity: stored.manifest for stored in store.list()}
    if decided := decided_by(figures, manifests, active.identity if active else None):
        st.markdown(escape_markdown(decided))
    _draw_cost(comparison)


def _draw_cost(comparison: Comparison) -> None:
    """Draw accuracy against cost, with the controls of what a request costs and what stands on the axis."""
    figures = comparison.figures
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        across = st.segmented_control(
            "Across (the other is the marker's size)",
            list(_ACROSS),
            format_func=lambda name: _ACROSS[name],
            default="cost",
            required=True,
            key=Key.ACROSS,
            bind="query-params",
        )
        kind = st.segmented_control(
            "Cost of a request",
            list(_COSTS),
            format_func=lambda name: _COSTS[name],
            default="machine",
            required=True,
            key=Key.COST,
            bind="query-params",
        )
        price = st.number_input(
            "Machine, USD per hour", value=0.10, step=0.05, format="%.2f", key=Key.MACHINE_PRICE, bind="query-params",
            width=190,
        )  # fmt: skip
    try:
        session().cost_basis = basis = CostBasis("hosted" if kind == "hosted" else "machine", float(price))
    except EvaluationError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    alike = [per_whole_unit(one) for one in figures]
    rows: list[Row] = [
        {
            "technique": one.title,
            "n": one.n,
            "sample": one.sample_words,
            "request": one.unit,
            "accuracy": one.accuracy.value if one.accuracy else None,
            "accuracy_low": one.accuracy.low if one.accuracy else None,
            "accuracy_high": one.accuracy.high if one.accuracy else None,
            "usd_per_1000_requests": per_1000_usd(one, basis),
            "total_s_p50": one.total_s.p50.value if one.total_s else None,
            "priced_by": basis.title,
        }
        for one in alike
    ]
    side: Across = "latency" if across == "latency" else "cost"
    alt = "; ".join(f"{row['technique']}: {_percent(row['accuracy'])}" for row in rows)
    draw_chart(
        lambda: accuracy_cost_figure(figures, basis=basis, across=side),
        "accuracy-cost",
        rows,
        alt=alt,
        headline=times_headline(figures) if side == "latency" else cost_headline(figures, basis),
        of=(comparison.key, basis, side),
    )
    st.caption(escape_markdown(basis.source))


def draw_times_and_tokens(figures: Sequence[TechniqueFigures]) -> None:
    """Draw the distributions of both times, and the tokens of a request by part of the prompt."""
    first, total = first_token_figure(figures), latency_figure(figures)
    left, right = st.columns(2, gap="medium") if first is not None else (st.container(), st.container())
    alike = [per_whole_unit(one) for one in figures]
    for column, figure, key, name, shown in (
        (left, first, "first-token", "first_token_s", figures),
        (right, total, "total-time", "total_s", alike),
    ):
        with column:
            rows = [_times_row(one, times) for one in shown if (times := getattr(one, name)) is not None]
            alt = "; ".join(f"{row['technique']}: median {seconds(float(str(row['p50_s'])))}" for row in rows)
            draw_chart(
                figure,
                key,
                rows,
                alt=alt,
                empty="No technique of these runs writes an answer token by token.",
                headline=times_headline(shown) if name == "total_s" else "",
            )
    note = summed_note(alike)
    st.caption(escape_markdown(f"The total is per {units_of(alike)}.{f' {note}.' if note else ''}"))
    parts: list[Row] = [
        {"technique": one.title, "sample": one.sample_words, **one.tokens} for one in figures if one.tokens
    ]
    alt = "; ".join(f"{one.title}: {sum(one.tokens.values()):.0f} tokens" for one in figures if one.tokens)
    draw_chart(
        tokens_figure(figures),
        "tokens",
        parts,
        alt=alt,
        empty="No chat model was asked in these runs.",
        headline=tokens_headline(figures),
    )
    st.caption(
        "Every request pays for its whole prompt again: the system prompt, the examples and the passages are what "
        "prompting costs, and what a fine-tuned model does without."
    )


def _times_row(one: TechniqueFigures, times: Times) -> dict[str, object]:
    return {
        "technique": one.title,
        "request": one.unit,
        "requests": len(times.values),
        "p50_s": times.p50.value,
        "p50_low_s": times.p50.low,
        "p50_high_s": times.p50.high,
        "p95_s": times.p95.value,
        "p95_low_s": times.p95.low,
        "p95_high_s": times.p95.high,
    }


def draw_heat_map(heat_map: HeatMap) -> None:
    """Draw the accuracy of each technique on each policy or label."""
    rows: list[Row] = [
        {"technique": name, "column": column, "accuracy": heat_map.values[i][j], "asked": heat_map.counts[i][j]}
        for i, name in enumerate(heat_map.rows)
        for j, column in enumerate(heat_map.columns)
    ]
    figure = heat_map_figure(heat_map)
    alt = f"Share of right answers of {len(heat_map.rows)} techniques on {len(heat_map.columns)} policies or labels"
    draw_chart(figure, "heat-map", rows, alt=alt, headline=heat_map_headline(heat_map))


def draw_differences(compared: ComparedTechniques) -> None:
    """Draw which differences between two techniques are real, tested on the examples that both were asked."""
    if not compared.differences:
        return
    with st.expander("Which differences are real?", icon=":material/balance:", key=Key.DIFFERENCES):
        pairs = sorted(zip(compared.differences, compared.adjusted_p, strict=True), key=lambda pair: pair[1])
        st.dataframe(
            [
                {
                    "First": one.first,
                    "Second": one.second,
                    "Shared": one.n,
                    "First minus second": f"{100 * one.difference.value:+.1f} points",
                    "95 % interval": f"{100 * one.difference.low:+.1f} to {100 * one.difference.high:+.1f}",
                    "p (Holm)": "< 0.001" if adjusted < 0.001 else f"{adjusted:.3f}",
                    "In words": in_words(one, adjusted),
                }
                for one, adjusted in pairs
            ],
            hide_index=True,
        )
        st.caption(
            "Share of right answers on the examples that both were asked. Single answers: McNemar's exact test with "
            "Newcombe's interval; clauses: a bootstrap over contracts. p allows for the number of tests in the table."
        )


def in_words(one: PairedDifference, adjusted: float) -> str:
    """Return what a paired test says of two techniques."""
    small = f" (fewer than {FEWEST_EXAMPLES} shared)" if one.n < FEWEST_EXAMPLES else ""
    if adjusted >= SIGNIFICANT:
        return f"no difference shown{small}"
    return f"{one.first if one.difference.value > 0 else one.second} is better{small}"


def _percent(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, float) else "not measured"
