"""Figures of the techniques -> plotly charts: accuracy against cost, times, tokens, accuracy by label or policy.

One colour and marker a technique (``techniques``), filled where a run came with the project and open or hatched
where it was measured here and now. Units stand on the axes, values appear on hovering.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from playground.charts.style import FONT_SIZE, PART_COLOURS
from playground.comparison.charts.frame import INK, framed, legend_below, log_ticks, name_of, row_names
from playground.comparison.costs import CostBasis, per_1000_usd
from playground.comparison.figures import HeatMap, TechniqueFigures, Times
from playground.comparison.pareto import pareto_front
from playground.comparison.technique_figures import OUTPUT, WHOLE_PROMPT
from playground.comparison.whole_units import per_whole_unit, summed_note, unit_words, units_of
from playground.comparison.words import percent, plain, seconds
from playground.pricing import describe_cost
from playground.text.label_titles import label_title

if TYPE_CHECKING:
    import plotly.graph_objects as go

Across = Literal["cost", "latency"]

_SMALLEST, _LARGEST = 13.0, 40.0
_LOG_FROM = 30.0
_FEWEST_FOR_SHAPE = 10
_SHAPE_POINTS = 96
_AXIS_LETTERS = 26
_OUTPUT_COLOUR = "#c2577a"
_MOST_COLUMNS_ACROSS = 8
_BAR_PX = 34
_PLOT_PX = (900, 250)
"""About how wide and high the points' own space is on a page; names are placed by it."""
_LETTER_PX, _LINE_PX, _AWAY_PX, _DOT_PX = 8, 20, 18, 10
_LINE_COLOUR = "#8794a0"
_SPARE_MARKS = ("star-diamond", "hexagram", "star-square", "star-triangle-up", "bowtie")
"""For further adapters or models of a technique; no technique has one of these."""
_WORDS_PX = 52
"""Room to the right of the slowest technique for its p95 in words, however narrow the chart."""


def accuracy_cost_figure(
    figures: Sequence[TechniqueFigures], *, basis: CostBasis | None = None, across: Across = "cost"
) -> go.Figure:
    """Draw accuracy against cost per 1,000 requests with the Pareto front; the marker grows with the median latency.

    All techniques are drawn for the same work: a request is a clause judged for all labels, also where a model is asked
    for one label at a time. With ``across="latency"`` the two change places. A technique without accuracy, or without
    what is on the x axis, is left out, and the chart says so.
    """
    from plotly import graph_objects as go

    basis = basis or CostBasis()
    figures = [per_whole_unit(one) for one in figures]
    costs = [per_1000_usd(one, basis) for one in figures]
    latencies = [one.total_s.p50.value if one.total_s else None for one in figures]
    places, sizes = (costs, latencies) if across == "cost" else (latencies, costs)
    shown = [i for i, one in enumerate(figures) if one.accuracy is not None and places[i] is not None]
    largest = max((size for size in sizes if size is not None), default=0.0)
    symbols = own_marks(figures)
    figure = go.Figure()
    accuracies = [one.accuracy.value if one.accuracy else None for one in figures]
    front = pareto_front(places, accuracies)
    if len(front) > 1:
        figure.add_scatter(
            x=[places[i] for i in front],
            y=[accuracies[i] for i in front],
            mode="lines",
            line={"color": INK, "width": 2.5, "dash": "dot", "shape": "hv"},
            name="Pareto front",
            hoverinfo="skip",
        )
    for i in shown:
        one, style = figures[i], figures[i].technique
        if one.accuracy is None:
            continue
        size = sizes[i]
        share = math.sqrt(size / largest) if size is not None and largest > 0 else 0.0
        figure.add_scatter(
            x=[places[i]],
            y=[one.accuracy.value],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(one.accuracy.high - one.accuracy.value, 0.0)],
                "arrayminus": [max(one.accuracy.value - one.accuracy.low, 0.0)],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={
                "color": style.colour,
                "symbol": symbols[i],
                "size": _SMALLEST + (_LARGEST - _SMALLEST) * share,
                "line": {"width": 1.5 if one.recorded else 4, "color": style.colour},
            },
            name=name_of(one),
            cliponaxis=False,
            hovertemplate=_hover(one, costs[i], basis) + "<extra></extra>",
        )
    known = [place for i in shown if (place := places[i]) is not None]
    is_log = bool(known) and min(known) > 0 and max(known) / min(known) > _LOG_FROM
    unit = plain(units_of(figures[i] for i in shown))
    scale = ", logarithmic" if is_log else ""
    cost_axis = f"USD per 1,000 requests{scale} (one: {unit})<br>({basis.title})"
    time_axis = f"median seconds per {unit}{scale}"
    if is_log:
        low, high = min(known) / 1.6, max(known) * 1.6
        ticks = log_ticks(low, high)
        texts = [describe_cost(tick) if across == "cost" else seconds(tick) for tick in ticks]
        figure.update_xaxes(
            type="log", range=[math.log10(low), math.log10(high)], tickmode="array", tickvals=ticks, ticktext=texts
        )
    else:
        figure.update_xaxes(rangemode="tozero", tickprefix="$" if across == "cost" else "", nticks=7)
    figure.update_xaxes(title_text=cost_axis if across == "cost" else time_axis)
    _name_points(figure, [(places[i] or 0.0, accuracies[i] or 0.0, name_of(figures[i])) for i in shown], is_log=is_log)
    names = list(dict.fromkeys(one.accuracy_name for one in figures)) or ["accuracy"]
    title_text = "<br>".join(textwrap.wrap(plain(" / ".join(names)), _AXIS_LETTERS)[:3])
    figure.update_yaxes(title_text=title_text, range=[-0.05, 1.05], tickformat=".0%")
    missing = [name_of(figures[i]) for i in range(len(figures)) if i not in shown]
    notes = [summed_note(figures), f"Not measured or no known price: {', '.join(missing)[:110]}" if missing else ""]
    note = "; ".join(filter(None, notes))
    title = "Accuracy against cost" if across == "cost" else "Accuracy against latency"
    figure = framed(figure, title, height=470, small=[figures[i] for i in shown], note=note)
    legend_below(figure, [*(["Pareto front"] if len(front) > 1 else []), *(name_of(figures[i]) for i in shown)])
    return figure


def accuracy_figure(figures: Sequence[TechniqueFigures]) -> go.Figure | None:
    """Draw how often each technique is right, one bar each, the best on top; None without any."""
    from plotly import graph_objects as go

    rated = sorted(((one.accuracy, one) for one in figures if one.accuracy is not None), key=lambda pair: pair[0].value)
    if not rated:
        return None
    # Two of one name would share a bar.
    titles = [name_of(one) for _rate, one in rated]
    names = [f"{title}{chr(0x200B) * titles[:place].count(title)}" for place, title in enumerate(titles)]
    figure = go.Figure()
    figure.add_bar(
        x=[rate.value for rate, _one in rated],
        y=names,
        orientation="h",
        marker={
            "color": [one.technique.colour for _rate, one in rated],
            "pattern": {"shape": ["" if one.recorded else "/" for _rate, one in rated]},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(rate.high - rate.value, 0.0) for rate, _one in rated],
            "arrayminus": [max(rate.value - rate.low, 0.0) for rate, _one in rated],
            "thickness": 2,
            "width": 4,
        },
        text=[f"<b>{rate.value:.0%}</b>" for rate, _one in rated],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        textfont={"color": "#ffffff", "size": FONT_SIZE},
        hovertemplate=[
            f"<b>{name_of(one)}</b><br>{plain(one.accuracy_name)}: {percent(rate)}<br>{plain(one.sample_words)}"
            "<extra></extra>"
            for rate, one in rated
        ],
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title_text=_accuracy_title([one for _rate, one in rated]))
    figure.update_yaxes(showgrid=False)
    return framed(
        figure,
        "How often it is right",
        height=150 + _BAR_PX * len(rated),
        small=[one for _rate, one in rated],
        note="whiskers: 95 % interval",
    )


def _accuracy_title(figures: Sequence[TechniqueFigures]) -> str:
    return plain(" / ".join(dict.fromkeys(one.accuracy_name for one in figures))) or "accuracy"


def _name_points(figure: go.Figure, points: Sequence[tuple[float, float, str]], *, is_log: bool) -> None:
    """Write beside each point (place, accuracy, name) what it is, where there is room, with a line to it if far."""
    if not points:
        return
    places = [math.log10(place) if is_log else place for place, _accuracy, _name in points]
    left = min(places) if is_log else 0.0
    width = max(max(places) - left, 1e-12)
    dots = [((place - left) / width * _PLOT_PX[0], accuracy * _PLOT_PX[1]) for place, (_, accuracy, _n) in zip(
        places, points, strict=True)]  # fmt: skip
    taken = [(x - _DOT_PX, y - _DOT_PX, x + _DOT_PX, y + _DOT_PX) for x, y in dots]
    for i in sorted(range(len(points)), key=lambda i: -points[i][1]):
        (x, y), length = dots[i], _LETTER_PX * len(points[i][2])
        sides = (-1, 1) if x > _PLOT_PX[0] / 2 else (1, -1)
        free = [
            (side, up)
            for up in (0, *(sign * step * _LINE_PX for step in range(1, 8) for sign in (1, -1)))
            for side in sides
            if 0 <= y + up <= _PLOT_PX[1] and 0 <= x + side * (length + _AWAY_PX) <= _PLOT_PX[0]
            if not any(_overlap(_box(x, y + up, side, length), other) for other in taken)
        ]
        side, up = free[0] if free else (sides[0], 0)
        taken.append(_box(x, y + up, side, length))
        figure.add_annotation(
            x=places[i], y=points[i][1], text=points[i][2], font={"size": FONT_SIZE - 2},
            ax=side * _AWAY_PX, ay=-up, xanchor="left" if side > 0 else "right", yanchor="middle",
            showarrow=True, arrowhead=0, arrowwidth=1, arrowcolor=_LINE_COLOUR if up else "rgba(0,0,0,0)",
        )  # fmt: skip


_Box = tuple[float, float, float, float]


def _box(x: float, y: float, side: int, length: float) -> _Box:
    near, far = x + side * _AWAY_PX, x + side * (_AWAY_PX + length)
    return min(near, far), y - _LINE_PX / 2, max(near, far), y + _LINE_PX / 2


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def marker_of(one: TechniqueFigures) -> str:
    """Return the plotly symbol of a technique: open where it was measured here and now."""
    return _open_if_here(one, one.technique.marker)


def own_marks(figures: Sequence[TechniqueFigures]) -> list[str]:
    """Return a plotly symbol for each: several adapters or models of one technique have marks of their own.

    What was measured here has the mark of what was recorded of it, open.
    """
    ways: dict[str, list[tuple[str | None, str]]] = {}
    marks = []
    for one in figures:
        seen = ways.setdefault(one.strategy, [])
        way = (one.adapter, one.model_id)
        if way not in seen:
            seen.append(way)
        place = seen.index(way)
        symbol = _SPARE_MARKS[(place - 1) % len(_SPARE_MARKS)] if place else one.technique.marker
        marks.append(_open_if_here(one, symbol))
    return marks


def _open_if_here(one: TechniqueFigures, symbol: str) -> str:
    return symbol if one.recorded or symbol.endswith("-open") else f"{symbol}-open"


def _hover(one: TechniqueFigures, cost: float | None, basis: CostBasis) -> str:
    lines = [
        f"<b>{name_of(one)}</b>",
        f"{plain(one.accuracy_name)}: {percent(one.accuracy)}",
        f"1,000 requests: {describe_cost(cost)} ({basis.title})",
        f"one request: {plain(unit_words(one))}",
    ]
    for words, times in (("first token", one.first_token_s), ("total", one.total_s)):
        if times:
            lines.append(f"{words}: median {seconds(times.p50.value)}, p95 {seconds(times.p95.value)}")
    model = plain(one.model_id) + (f", adapter {plain(one.adapter)}" if one.adapter else "")
    lines.append(f"{plain(one.sample_words)}, {one.error_words}, {model}")
    lines.append(f"{'recorded' if one.recorded else 'measured here'} {one.started_at[:10]}")
    return "<br>".join(lines)


def latency_figure(figures: Sequence[TechniqueFigures]) -> go.Figure | None:
    """Draw how long requests took for the same work, one shape a technique, median and 95th percentile marked."""
    figures = [per_whole_unit(one) for one in figures]
    return _times_figure("Total time", figures, [one.total_s for one in figures])


def first_token_figure(figures: Sequence[TechniqueFigures]) -> go.Figure | None:
    """Draw how long the first token took; None where nothing that was measured writes tokens."""
    return _times_figure("Time to the first token", figures, [one.first_token_s for one in figures])


def _times_figure(title: str, figures: Sequence[TechniqueFigures], times: Sequence[Times | None]) -> go.Figure | None:
    from plotly import graph_objects as go

    pairs = [(one, each) for one, each in zip(figures, times, strict=True) if each and min(each.values) > 0]
    if not pairs:
        return None
    figure = go.Figure()
    lows, highs = [], []
    for place, (one, each) in enumerate(pairs):
        base = len(pairs) - 1 - place
        colour = one.technique.colour
        logs = np.log10(np.asarray(each.values, dtype=float))
        lows.append(float(np.quantile(logs, 0.005)))
        highs.append(float(np.quantile(logs, 0.995)))
        if len(logs) >= _FEWEST_FOR_SHAPE:
            figure.add_scatter(**_shape(logs, base), fillcolor=colour, opacity=0.45, line={"width": 0})
        else:
            figure.add_scatter(
                x=list(each.values),
                y=[base + 0.12] * len(logs),
                mode="markers",
                marker={"color": colour, "size": 9, "opacity": 0.6},
                hoverinfo="skip",
                showlegend=False,
            )
        # To both sides, because the two are close where requests are alike.
        for words, estimate, symbol, side in (
            ("median", each.p50, "circle", "bottom left"),
            ("p95", each.p95, "line-ns", "bottom right"),
        ):
            figure.add_scatter(
                x=[estimate.value],
                y=[base],
                mode="markers+text",
                marker={"color": colour, "size": 15, "symbol": symbol, "line": {"width": 4, "color": colour}},
                text=[seconds(estimate.value)],
                textposition=side,
                textfont={"size": FONT_SIZE},
                cliponaxis=False,
                showlegend=False,
                hovertemplate=(
                    f"{name_of(one)}: {words} {seconds(estimate.value)} per {plain(unit_words(one))}<br>"
                    f"95 % interval {seconds(estimate.low)} to "
                    f"{seconds(estimate.high)}, {len(logs):,} requests<extra></extra>"
                ),
            )
    # Room for the words beside the outermost marks.
    first, last = min(each.p50.value for _one, each in pairs), max(each.p95.value for _one, each in pairs)
    span = max(max(*highs, math.log10(last)) - min(*lows, math.log10(first)), 0.3)
    low = 10 ** min(*lows, math.log10(first) - 0.3 * span)
    high = 10 ** max(*highs, math.log10(last) + 0.3 * span)
    ticks = log_ticks(low, high)
    units = plain(units_of(one for one, _each in pairs))
    names, sample = row_names([one for one, _each in pairs])
    figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickmode="array",
        tickvals=ticks,
        ticktext=[seconds(tick) for tick in ticks],
        title_text=f"per {units}",
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=[len(pairs) - 1 - place for place in range(len(pairs))],
        ticktext=names,
        range=[-0.55, len(pairs) - 0.1],
        showgrid=False,
    )
    notes = "● median, | 95th percentile", sample, summed_note(one for one, _each in pairs)
    note = "; ".join(filter(None, notes))
    figure = framed(figure, title, height=130 + 72 * len(pairs), small=[one for one, _each in pairs], note=note)
    return figure.update_layout(margin_r=_WORDS_PX)


def _shape(logs: np.ndarray, base: float) -> dict[str, object]:
    """Return the outline of a smoothed distribution of log10 seconds, float [n], above ``base``, at most 0.7 high.

    A kernel estimate over a histogram: what is drawn does not grow with n.
    """
    spread = max(float(logs.std()), 1e-3)
    width = 1.06 * spread * len(logs) ** -0.2  # Silverman, 1986
    grid = np.linspace(logs.min() - 2 * width, logs.max() + 2 * width, _SHAPE_POINTS)
    counts, edges = np.histogram(logs, bins=min(400, max(20, len(logs))))
    centres = (edges[:-1] + edges[1:]) / 2
    density = (counts * np.exp(-0.5 * ((grid[:, None] - centres) / width) ** 2)).sum(axis=1)
    heights = base + 0.7 * density / density.max()
    return {
        "x": [*(10**grid).tolist(), float(10 ** grid[-1]), float(10 ** grid[0])],
        "y": [*heights.tolist(), base, base],
        "mode": "lines",
        "fill": "toself",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def tokens_figure(figures: Sequence[TechniqueFigures]) -> go.Figure | None:
    """Draw the mean tokens of a request as it was asked, by part of the prompt; None where no chat model was asked."""
    from plotly import graph_objects as go

    shown = [one for one in figures if one.tokens]
    if not shown:
        return None
    known = [*PART_COLOURS, WHOLE_PROMPT]
    parts = sorted(
        {part for one in shown for part in one.tokens},
        key=lambda part: (part == OUTPUT, known.index(part) if part in known else len(known), part),
    )
    names, sample = row_names(shown)
    totals = [sum(one.tokens.values()) for one in shown]
    unit = plain(units_of(shown))
    figure = go.Figure()
    for part in parts:
        values = [one.tokens.get(part, 0.0) for one in shown]
        label = "prompt (parts not counted)" if part == WHOLE_PROMPT else plain(part)
        figure.add_bar(
            x=values,
            y=names,
            orientation="h",
            name=label,
            marker={
                "color": _OUTPUT_COLOUR if part == OUTPUT else PART_COLOURS.get(part, INK),
                "pattern": {"shape": ["" if one.recorded else "/" for one in shown]},
                "line": {"width": 0},
            },
            hovertemplate=f"{label}: %{{x:,.1f}} tokens per {unit}<extra>%{{y}}</extra>",
        )
    figure.add_scatter(
        x=totals,
        y=names,
        mode="text",
        text=[f" {total:,.0f}" for total in totals],
        textposition="middle right",
        textfont={"size": FONT_SIZE},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title_text=f"mean tokens per {unit}", range=[0, 1.14 * max(totals)], nticks=6)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure = framed(figure, "Tokens per request", height=150 + 58 * len(shown), small=shown, note=sample)
    figure.update_layout(legend={"traceorder": "normal"})  # as in the bars, from left to right
    legend_below(figure, parts)
    return figure


def heat_map_figure(heat_map: HeatMap) -> go.Figure | None:
    """Draw the accuracy of each technique on each label or policy; None where nothing is known by column.

    Many columns (labels) stand in rows, so that their names can be read.
    """
    from plotly import graph_objects as go

    if not heat_map.columns or not heat_map.rows:
        return None
    values = np.array([[np.nan if value is None else value for value in row] for row in heat_map.values], dtype=float)
    counts = np.array(heat_map.counts, dtype=int) if heat_map.counts else np.zeros(values.shape, dtype=int)
    techniques, columns = (
        [plain(name) for name in heat_map.rows],
        [plain(label_title(name)) for name in heat_map.columns],
    )
    turned = len(columns) > _MOST_COLUMNS_ACROSS
    across, down = (techniques, columns) if turned else (columns, techniques)
    if turned:
        values, counts = values.T, counts.T
    figure = go.Figure()
    figure.add_heatmap(
        # NaN is not JSON; None leaves the cell empty.
        z=[[None if math.isnan(value) else value for value in row] for row in values.tolist()],
        x=across,
        y=down,
        customdata=counts.tolist(),
        text=[["" if math.isnan(value) else f"{value:.0%}" for value in row] for row in values.tolist()],
        texttemplate="%{text}",
        textfont={"size": FONT_SIZE},
        colorscale="Cividis",
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,  # every cell says its share
        hovertemplate="%{y}, %{x}: %{z:.1%} right of %{customdata}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, tickangle=-35)
    # Cells hold a few examples each, whatever the whole has.
    measured = [count for count in counts.flatten().tolist() if count]
    note = f"{min(measured)} to {max(measured)} asked in a cell" if measured else ""
    if measured and min(measured) < 30:
        note += "; fewer than 30 is a hint, not a result"
    kind = "label" if turned else "policy"
    figure = framed(figure, f"Accuracy by {kind}", height=230 + (32 if turned else 46) * len(down), note=note)
    return figure
