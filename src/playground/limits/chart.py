"""The one chart of an experiment: a line for each series, with intervals."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from playground.comparison.charts.frame import SMALL_SAMPLE, framed, legend_below
from playground.comparison.words import percent, plain
from playground.limits.finding import Finding, Point, Series

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TICK_LETTERS = 14
_SPREAD = 0.06


def finding_figure(finding: Finding, title: str) -> go.Figure:
    """Draw a finding. Where every point has a number for its place, the axis is one of numbers.

    ``title`` is the experiment's: a headline with its figures has more words than a narrow chart has room for, and
    stands above the chart.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    series = list(dict.fromkeys(point.series for point in finding.points))
    names = list(dict.fromkeys(point.x for point in finding.points))
    by_number = bool(finding.points) and all(point.at is not None for point in finding.points)
    for place, each in enumerate(series):
        own = [point for point in finding.points if point.series == each]
        shift = _SPREAD * (place - (len(series) - 1) / 2)  # intervals beside each other, not on top of each other
        places = [point.at if by_number else names.index(point.x) + shift for point in own]
        figure.add_scatter(
            x=places,
            y=[point.value.value for point in own],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(point.value.high - point.value.value, 0.0) for point in own],
                "arrayminus": [max(point.value.value - point.value.low, 0.0) for point in own],
                "thickness": 2,
                "width": 5,
            },
            mode="lines+markers" if len(own) > 1 else "markers",
            line={"color": each.colour, "width": 4},
            marker={"color": each.colour, "symbol": each.marker, "size": 14},
            name=plain(each.title),
            hovertext=[_hover(each, point) for point in own],
            hovertemplate="%{hovertext}<extra></extra>",
            cliponaxis=False,
        )
    if by_number:
        figure.update_xaxes(title_text=finding.x_title, rangemode="tozero", separatethousands=True)
    else:
        figure.update_xaxes(
            title_text=finding.x_title,
            tickmode="array",
            tickvals=list(range(len(names))),
            ticktext=[_broken(plain(name), _TICK_LETTERS) for name in names],
            range=[-0.4, len(names) - 0.6],
        )
    figure.update_yaxes(title_text=finding.y_title, tickformat=".0%", range=[0, 1.04])
    note = SMALL_SAMPLE if finding.is_small else ""
    figure = framed(figure, plain(title), height=430, note=note)
    if len(series) > 1:
        legend_below(figure, [each.title for each in series])
    return figure


def alt_text(finding: Finding) -> str:
    """Return the chart in words."""
    points = "; ".join(f"{point.series.title}, {point.x}: {point.value.value:.0%}" for point in finding.points)
    return f"{finding.headline} {points}"


def _hover(series: Series, point: Point) -> str:
    lines = [f"{plain(series.title)}, {plain(point.x)}", f"{percent(point.value)}, n = {point.n:,}"]
    return "<br>".join([*lines, *([plain(point.note)] if point.note else [])])


def _broken(text: str, letters: int) -> str:
    return "<br>".join(textwrap.wrap(text, letters, break_long_words=False)) or text
