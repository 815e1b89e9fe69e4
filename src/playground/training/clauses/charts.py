"""Charts of a clause training: labels, adapters side by side, reliability."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from playground.flagging.calibration import ReliabilityBin
from playground.text.label_titles import label_title
from playground.training.charts import COLOURS, SCORE_COLOUR, framed

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_LETTERS = 24
"""Of a label on one line: more is cut off at the left of a narrow chart."""


def label_counts_figure(counts: Mapping[str, int]) -> go.Figure:
    """Draw how many clauses carry each label, the most frequent on top."""
    from plotly import graph_objects as go

    names = list(counts)[::-1]
    titles = ["<br>".join(textwrap.wrap(label_title(name), _MOST_LETTERS)) for name in names]
    values = [counts[name] for name in names]
    figure = go.Figure()
    figure.add_bar(
        x=values, y=titles, orientation="h", marker={"color": SCORE_COLOUR}, text=values, textposition="outside",
        cliponaxis=False, hovertemplate="%{y}: %{x} clauses<extra></extra>",
    )  # fmt: skip
    figure = framed(figure, "")
    figure.update_layout(
        height=max(120, 24 * len(names) + 20), margin={"l": 0, "r": 34, "t": 4, "b": 4}, minreducedwidth=40
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"size": 12})
    return figure


def comparison_figure(rows: Mapping[str, Mapping[str, float | None]], figures: Mapping[str, str]) -> go.Figure:
    """Draw ``rows`` (who -> figure -> value in [0, 1]) as groups of bars; ``figures`` are keys and their titles."""
    from plotly import graph_objects as go

    chart = go.Figure()
    for (name, row), colour in zip(rows.items(), COLOURS * (1 + len(rows) // len(COLOURS)), strict=False):
        values = [row.get(key) for key in figures]
        chart.add_bar(
            x=list(figures.values()),
            y=values,
            name=name,
            marker={"color": colour},
            text=["" if value is None else f"{value:.2f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    chart.update_yaxes(range=[0, 1.05])
    chart = framed(chart, "")
    chart.update_layout(
        barmode="group", height=320, showlegend=True, legend={"orientation": "h", "y": -0.15, "font": {"size": 14}}
    )
    return chart


def reliability_figure(bins: Sequence[ReliabilityBin]) -> go.Figure:
    """Draw the share that came true over the mean probability of each bin, with its interval; dashed: as predicted."""
    from plotly import graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": COLOURS[1], "width": 1.5, "dash": "dash"}, hoverinfo="skip",
        name="as predicted",
    )  # fmt: skip
    figure.add_scatter(
        x=[part.mean_probability for part in bins],
        y=[part.observed.value for part in bins],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [part.observed.high - part.observed.value for part in bins],
            "arrayminus": [part.observed.value - part.observed.low for part in bins],
        },
        customdata=[(part.count, part.low, part.high) for part in bins],
        mode="lines+markers",
        line={"color": SCORE_COLOUR, "width": 3},
        marker={"size": 9},
        name="came true",
        hovertemplate="probability %{customdata[1]:.2f} to %{customdata[2]:.2f}: %{y:.0%} of %{customdata[0]:,} pairs "
        "right<extra></extra>",
    )
    figure = framed(figure, "Share that is right, by probability", range=[0, 1.02])
    figure.update_layout(height=340, width=460)
    figure.update_xaxes(range=[0, 1.02], title="Probability")
    return figure
