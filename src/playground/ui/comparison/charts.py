"""The charts of the chosen runs, each with its numbers to download."""

from __future__ import annotations

from collections.abc import Sequence

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
from playground.ui.comparison.resources import Comparison
from playground.ui.comparison.state import Key, session
from playground.ui.shared.charts import Row, draw_chart
from playground.ui.shared.markup import escape_markdown
from playground.ui.shared.resources import adapter_store
from scenarios import registry

_ACROSS = {"cost": "cost", "latency": "latency"}
_COSTS = {"machine": "machine time", "hosted": "hosted price"}


def draw_accuracy(scenario: str, comparison: Comparison) -> None:
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
    headline = accuracy_headline(figures, registry.scenario(scenario).load().expectations())
    draw_chart(lambda: accuracy_figure(figures), "accuracy", rows, alt=alt, headline=headline, of=comparison.key)
    store = adapter_store()
    active = store.active("clauses")
    manifests = {stored.identity: stored.manifest for stored in store.list()}
    decided, learned_from = decided_by(figures, manifests, active.identity if active else None)
    if decided:
        st.markdown(escape_markdown(decided), help=escape_markdown(learned_from))
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
    differences = st.expander(
        "Which differences are real?", icon=":material/balance:", key=Key.DIFFERENCES, on_change="rerun"
    )
    if not differences.open:
        return  # a table is costly to draw, and most redraws find it closed
    with differences:
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
