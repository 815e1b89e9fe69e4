"""A training -> plotly figures: its curves while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playground.charts.style import FONT_SIZE
from playground.training.progress import TrainingProgress

if TYPE_CHECKING:
    import plotly.graph_objects as go

LOSS_COLOUR, SCORE_COLOUR = "#d98a2b", "#2b8f86"
COLOURS = ("#2b8f86", "#8a97a3", "#4f7cac", "#d98a2b", "#8d6cab")
"""The adapter first, then what it is compared with."""

SCORES = {
    "encoder": "Validation: average precision",
    "language_model": "Validation: mean probability of the right answer",
}

_GRID = "rgba(138, 151, 163, 0.25)"
_MOST_POINTS = 400
_SMOOTHED_OVER = 8


def loss_figure(history: Sequence[TrainingProgress]) -> go.Figure:
    """Draw the training loss over the steps: each report thin, their running mean on top."""
    from plotly import graph_objects as go

    points = _thinned([(entry.step, entry.loss) for entry in history if entry.loss is not None])
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    figure = go.Figure()
    figure.add_scatter(
        x=steps, y=losses, mode="lines", line={"color": LOSS_COLOUR, "width": 1}, opacity=0.4, name="each report"
    )
    figure.add_scatter(
        x=steps, y=_running_mean(losses), mode="lines", line={"color": LOSS_COLOUR, "width": 3}, name="running mean"
    )
    return framed(figure, "Training loss", is_empty=not points, rangemode="tozero")


def score_figure(history: Sequence[TrainingProgress], base: str = "encoder") -> go.Figure:
    """Draw the validation score over the steps: micro average precision, or what a language model has instead."""
    from plotly import graph_objects as go

    newest = {entry.step: entry.score for entry in history if entry.stage == "validating" and entry.score is not None}
    steps = sorted(newest)
    figure = go.Figure()
    figure.add_scatter(
        x=steps,
        y=[newest[step] for step in steps],
        mode="lines+markers",
        line={"color": SCORE_COLOUR, "width": 3},
        marker={"size": 9},
        name="validation score",
    )
    figure.update_yaxes(range=[0, 1])
    return framed(figure, SCORES.get(base, SCORES["encoder"]), is_empty=not steps)


def framed(figure: go.Figure, title: str, *, is_empty: bool = False, **y_axis: object) -> go.Figure:
    """Return ``figure`` in the look of all charts of a training; without a ``title`` where the page has one."""
    figure.update_layout(
        title={"text": title, "font": {"size": FONT_SIZE}, "x": 0, "xanchor": "left", "y": 0.98} if title else None,
        height=260,
        margin={"l": 0, "r": 10, "t": 34 if title else 8, "b": 0},
        showlegend=False,
        font={"size": 14},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(showgrid=False, fixedrange=True, automargin=True)
    if is_empty:
        # Without data plotly would number the axes from -1 to 6.
        figure.update_xaxes(range=[0, 1], showticklabels=False)
        figure.update_yaxes(range=[0, 1], showticklabels=False)
    figure.update_yaxes(gridcolor=_GRID, zeroline=False, fixedrange=True, automargin=True, **y_axis)
    return figure


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return at most a few hundred of ``points``, the last among them: a page redraws them every second."""
    stride = 1 + len(points) // _MOST_POINTS
    return points[len(points) % stride :: stride] if stride > 1 else points


def _running_mean(values: Sequence[float]) -> list[float]:
    means = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - _SMOOTHED_OVER) : end]
        means.append(sum(window) / len(window))
    return means
