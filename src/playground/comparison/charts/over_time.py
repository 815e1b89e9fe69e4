"""Charts of what changes: cost with the number of requests, accuracy with examples, accuracy with the facts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from playground.charts.style import FONT_SIZE
from playground.comparison.charts.frame import INK, SMALL_SAMPLE, framed, legend_below
from playground.comparison.claims.break_even import Assumptions, BreakEven, Way, cumulative_cost_usd
from playground.comparison.figures import FEWEST_EXAMPLES, CurvePoint, StaleFigures, TechniqueFigures
from playground.comparison.words import percent, plain, seconds
from playground.pricing import describe_cost

if TYPE_CHECKING:
    import plotly.graph_objects as go

WAY_COLOURS: Mapping[Way, str] = {"prompting": "#366797", "fine-tuning": "#029e71"}
"""Those of RAG and of LoRA, for where no technique was measured."""

FEW, MANY = 50, 1_000
"""The article: "0 to ~50" examples for prompting, "1,000+" for fine-tuning."""
_POINTS = 60
_CLOSE = 0.1
_DAYS_SHOWN = 365.0
_STAGES = ("before the change", "right after it", "after recovering")


def way_colours(prompting: TechniqueFigures | None, tuned: TechniqueFigures | None) -> Mapping[Way, str]:
    """Return the colours of the techniques that stand for the two ways: a technique has one colour on every chart."""
    return {
        "prompting": prompting.technique.colour if prompting else WAY_COLOURS["prompting"],
        "fine-tuning": tuned.technique.colour if tuned else WAY_COLOURS["fine-tuning"],
    }


def break_even_figure(
    assumptions: Assumptions, result: BreakEven, *, colours: Mapping[Way, str] = WAY_COLOURS, unit: str = "request"
) -> go.Figure:
    """Draw what both ways have cost after so many requests, with the crossing marked.

    The axis ends at twice the crossing, or after a year where there is none. ``unit``: what one request is, in words.
    """
    from plotly import graph_objects as go

    most = 2 * result.requests if result.requests else _DAYS_SHOWN * assumptions.requests_per_day.value
    most = max(most, 1.0)
    one = "" if unit == "request" else f" (one: {plain(unit)})"
    requests = [most * step / _POINTS for step in range(_POINTS + 1)]
    figure = go.Figure()
    for way, dash in (("prompting", "solid"), ("fine-tuning", "dash")):
        costs = [cumulative_cost_usd(assumptions, way, count) for count in requests]  # type: ignore[arg-type]
        figure.add_scatter(
            x=requests,
            y=costs,
            mode="lines",
            line={"color": colours[way], "width": 4, "dash": dash},  # type: ignore[index]
            name=way.capitalize(),
            hovertemplate=f"{way.capitalize()}: $%{{y:,.4g}} after %{{x:,.0f}} requests{one}<extra></extra>",
        )
    if result.requests is not None:
        at_usd = cumulative_cost_usd(assumptions, "prompting", result.requests)
        figure.add_vline(x=result.requests, line={"color": INK, "width": 2, "dash": "dot"})
        figure.add_scatter(
            x=[result.requests],
            y=[at_usd],
            mode="markers",
            marker={"color": INK, "size": 17, "symbol": "circle-open", "line": {"width": 4, "color": INK}},
            name="Break-even",
            cliponaxis=False,
            hovertemplate=(
                f"Both have cost {describe_cost(at_usd)} after {math.ceil(result.requests):,} requests{one}"
                "<extra></extra>"
            ),
        )
        # At the top, where no line is: the dearer way only gets there at the right end.
        figure.add_annotation(
            x=result.requests,
            y=1,
            yref="y domain",
            yanchor="top",
            xanchor="right",
            xshift=-8,
            text=f"{math.ceil(result.requests):,} requests<br>{describe_cost(at_usd)} spent",
            align="right",
            showarrow=False,
            font={"size": FONT_SIZE},
        )
    figure.update_xaxes(title_text=f"requests{one}", range=[0, most], nticks=6, separatethousands=True)
    figure.update_yaxes(title_text="USD spent in all", rangemode="tozero", tickprefix="$", nticks=7)
    figure = framed(figure, "Cost against number of requests", height=430)
    legend_below(figure, ["Prompting", "Fine-tuning", "Break-even"])
    return figure


def learning_curve_figure(points: Sequence[CurvePoint], *, n: int | None = None) -> go.Figure:
    """Draw accuracy against the number of labelled examples, with a band over seeds; ``n`` test examples."""
    from plotly import graph_objects as go

    figure = go.Figure()
    strategies = list(dict.fromkeys(point.strategy for point in points))
    for strategy in strategies:
        own = sorted((point for point in points if point.strategy == strategy), key=lambda point: point.examples)
        style, title = own[0].technique, own[0].title
        places = [_place(point.examples) for point in own]
        figure.add_scatter(
            x=[*places, *reversed(places)],
            y=[*(point.accuracy.high for point in own), *(point.accuracy.low for point in reversed(own))],
            mode="lines",
            fill="toself",
            fillcolor=style.colour,
            opacity=0.22,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=places,
            y=[point.accuracy.value for point in own],
            mode="lines+markers",
            line={"color": style.colour, "width": 4},
            marker={"color": style.colour, "symbol": style.marker, "size": 14},
            name=title,
            hovertext=[_curve_hover(title, point) for point in own],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    counts = sorted({point.examples for point in points})
    figure.update_xaxes(
        title_text="labelled examples",
        tickmode="array",
        tickvals=[_place(count) for count in counts],
        # Of two that stand close together only the second is named: the last is "all".
        ticktext=[
            "" if after is not None and _place(after) - _place(count) < _CLOSE else f"{count:,}"
            for count, after in zip(counts, [*counts[1:], None], strict=True)
        ]
        if counts
        else [],
        tickangle=0,
    )
    if counts:
        last = _place(max(counts[-1], MANY)) + 0.15
        for start, end, words in ((_place(0), _place(FEW), "article: 0 to ~50"), (_place(MANY), last, "1,000+")):
            figure.add_vrect(
                x0=start,
                x1=end,
                fillcolor=INK,
                opacity=0.13,
                line_width=0,
                annotation={"text": words, "font": {"size": FONT_SIZE}, "yanchor": "bottom"},
                annotation_position="bottom left" if start == _place(0) else "bottom right",
            )
        figure.update_xaxes(range=[-0.12, last])
    figure.update_yaxes(title_text="accuracy on sampled pairs", tickformat=".0%", range=[0.4, 1.02])
    if points and min(point.accuracy.low for point in points) < 0.4:
        figure.update_yaxes(range=[0, 1.02])
    pairs = f"{n:,} pairs of clause and label; " if n is not None else ""
    note = SMALL_SAMPLE if n is not None and n < FEWEST_EXAMPLES else "line: mean; band: lowest to highest seed"
    note = pairs + note if pairs else note.capitalize()
    figure = framed(figure, "Learning curve", height=440, note=note)
    titles = {point.strategy: point.title for point in points}
    legend_below(figure, [titles[strategy] for strategy in strategies])
    return figure


def _place(examples: int) -> float:
    """Return where a number of examples stands on an axis that grows by ratios and still has a zero."""
    return math.log10(1 + examples)


def _curve_hover(title: str, point: CurvePoint) -> str:
    took = f"<br>training took {seconds(point.duration_s)}" if point.duration_s is not None else ""
    seeds = f"{point.seeds} seed{'' if point.seeds == 1 else 's'}"
    return (
        f"{plain(title)}, {point.examples:,} examples: {point.accuracy.value:.1%}<br>"
        f"{point.accuracy.low:.1%} to {point.accuracy.high:.1%} over {seeds}{took}"
    )


def stale_facts_figure(rows: Sequence[StaleFigures], *, n: int | None = None) -> go.Figure:
    """Draw the accuracy of each technique before the facts changed, right after, and when it had recovered."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for place, row in enumerate(rows):
        style = row.technique
        estimates = (row.before, row.stale, row.recovered)
        shift = 0.05 * (place - (len(rows) - 1) / 2)  # intervals beside each other, not on top of each other
        name = f"{plain(row.title)}: {plain(row.recovery)} {seconds(row.recovery_s)}"
        figure.add_scatter(
            x=[stage + shift for stage in range(3)],
            y=[one.value for one in estimates],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(one.high - one.value, 0.0) for one in estimates],
                "arrayminus": [max(one.value - one.low, 0.0) for one in estimates],
                "thickness": 1.5,
                "width": 4,
            },
            mode="lines+markers",
            line={"color": style.colour, "width": 4},
            marker={"color": style.colour, "symbol": style.marker, "size": 15},
            name=name,
            hovertext=[f"{name}<br>{stage}: {percent(one)}" for stage, one in zip(_STAGES, estimates, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.update_xaxes(
        tickmode="array", tickvals=[0, 1, 2], ticktext=["before", "right after<br>the change", "recovered"],
        range=[-0.3, 2.3],
    )  # fmt: skip
    figure.update_yaxes(title_text="accuracy", tickformat=".0%", range=[0, 1.04])
    note = SMALL_SAMPLE if n is not None and n < FEWEST_EXAMPLES else ""
    figure = framed(figure, "Stale facts: accuracy through a policy change", height=430, note=note)
    legend_below(figure, [f"{row.title}: {row.recovery} {seconds(row.recovery_s)}" for row in rows])
    return figure
