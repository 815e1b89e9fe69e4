"""What all charts of the comparison have in common: fonts for the back of a room, names, small samples."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from playground.charts.style import FONT_SIZE
from playground.comparison.figures import FEWEST_EXAMPLES, TechniqueFigures
from playground.comparison.words import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

GRID = "rgba(138, 151, 163, 0.28)"
INK = "#8a97a3"
"""Of marks that belong to no technique; told from a light and from a dark background."""
SMALL_SAMPLE = f"Fewer than {FEWEST_EXAMPLES} examples: a hint, not a result"
HERE = "here"
_LONGEST_NAME = 44
_LONGEST_LINE = 60
_LINE_PX = 22
_TITLE_PX = 8
_TICKS = (1, 2, 5)
_MOST_TICKS = 7


def name_of(one: TechniqueFigures) -> str:
    """Return a technique's name for axes and legends, bounded; one that was measured here and now says so."""
    name = _bounded_title(one)
    return name if one.recorded or HERE in name else f"{name} ({HERE})"


def row_names(figures: Sequence[TechniqueFigures]) -> tuple[list[str], str]:
    """Return the names of a chart's rows with what each was measured on, and what is to be said under the title.

    A sample that all rows have in common is said there once, and an adapter stands under its technique: names must
    leave the chart its room.
    """
    samples = {one.sample_words for one in figures}
    if len(figures) > 1 and len(samples) == 1:
        note = "" if figures[0].is_small else plain(samples.pop())
        return [name_of(one).replace(" (", "<br>(", 1) for one in figures], note
    return [
        f"{_bounded_title(one)}<br>{plain(one.sample_words)}{'' if one.recorded else f', {HERE}'}" for one in figures
    ], ""


def _bounded_title(one: TechniqueFigures) -> str:
    name = plain(one.title)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def framed(
    figure: go.Figure, title: str, *, height: int, small: Sequence[TechniqueFigures] = (), note: str = ""
) -> go.Figure:
    """Give a figure its title, font and margins; where a sample is small, say so in words under the title."""
    lines = _lines("; ".join(filter(None, (note, _small_words(small)))))
    height += _LINE_PX * max(0, len(lines) - 1)
    heading: dict[str, object] = {
        "text": title,
        "font": {"size": FONT_SIZE + 2},
        "x": 0,
        "xanchor": "left",
        "yanchor": "top",
        "y": 1 - _TITLE_PX / height,
        "yref": "container",
    }
    if lines:
        heading["subtitle"] = {"text": "<br>".join(lines), "font": {"size": FONT_SIZE}}
    figure.update_layout(
        title=heading,
        height=height,
        margin={"l": 10, "r": 16, "t": 52 + _LINE_PX * len(lines), "b": 10},
        font={"size": FONT_SIZE},
        hoverlabel={"font": {"size": FONT_SIZE}},
        legend={"font": {"size": FONT_SIZE}},
    )
    axis = {"automargin": True, "title_font": {"size": FONT_SIZE}, "tickfont": {"size": FONT_SIZE}}
    figure.update_xaxes(gridcolor=GRID, zeroline=False, **axis)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, **axis)
    return figure


def _lines(words: str) -> list[str]:
    """Break what stands under a title into lines that fit half of a page, at its semicolons where that is enough."""
    lines: list[str] = []
    for part in filter(None, words.split("; ")):
        if lines and len(lines[-1]) + len(part) + 2 <= _LONGEST_LINE:
            lines[-1] += f"; {part}"
        else:
            lines += textwrap.wrap(part, _LONGEST_LINE)
    return lines


def _small_words(figures: Sequence[TechniqueFigures]) -> str:
    """Return that a sample is small, and which where the small ones are alike; "" where none is."""
    samples = {one.sample_words if one.sample else "" for one in figures if one.is_small}
    if not samples:
        return ""
    sample = plain(samples.pop()) if len(samples) == 1 else ""
    return f"{sample}: a hint, not a result" if sample else SMALL_SAMPLE


def legend_below(figure: go.Figure, entries: Sequence[str], *, width: int = 960) -> None:
    """Put the legend under the x axis and make the figure higher by what it takes at ``width`` pixels.

    Plotly keeps the room for it free of the axes by itself, also where a narrow screen needs more rows.
    """
    per_row = max(1, width // (8 * max((len(entry) for entry in entries), default=1) + 50))
    rows = math.ceil(len(entries) / per_row)
    figure.update_layout(
        height=figure.layout.height + 24 * rows,
        legend={
            "orientation": "h",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0.0,
            "x": 0,
            "xanchor": "left",
            "itemsizing": "constant",
            "title": {"text": ""},
        },
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2, 5, 10, ... between two positive numbers; powers of ten alone where that is too many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [step * 10.0**decade for decade in decades for step in _TICKS]
    inside = [step for step in steps if low <= step <= high]
    if len(inside) > _MOST_TICKS:
        tens = [10.0**decade for decade in decades if low <= 10.0**decade <= high]
        inside = tens[:: 1 + len(tens) // (_MOST_TICKS + 1)]
    return inside or [low, high]
