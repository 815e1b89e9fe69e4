"""Records -> plotly figures, large enough to be read from the back of a room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.charts.style import FONT_SIZE, PART_COLOURS
from playground.types import Prompt

if TYPE_CHECKING:
    import plotly.graph_objects as go

"""One colour per part of a prompt, on every page. Each is told from the others and from both backgrounds."""

_OTHER_COLOUR = "#8a97a3"
_FREE_COLOUR = "rgba(138, 151, 163, 0.18)"


def prompt_tokens_figure(prompt: Prompt) -> go.Figure:
    """Draw the tokens of each part of ``prompt``: above by themselves, below against the context limit."""
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.42, row_heights=[0.6, 0.4])
    for part in prompt.parts:
        colour = PART_COLOURS.get(part.name, _OTHER_COLOUR)
        hover = f"{part.name}: {part.tokens:,} tokens<extra></extra>"
        # A label that does not fit its bar would be set too small to read; the legend has every number.
        label = f"{part.tokens:,}" if part.tokens * 18 >= prompt.tokens else ""
        for row in (1, 2):
            figure.add_trace(
                go.Bar(
                    x=[part.tokens],
                    y=[""],
                    orientation="h",
                    name=f"{part.name} {part.tokens:,}",
                    marker={"color": colour, "line": {"width": 0}},
                    text=label if row == 1 else "",
                    textposition="inside",
                    insidetextanchor="middle",
                    textangle=0,
                    textfont={"color": "#ffffff", "size": FONT_SIZE},
                    hovertemplate=hover,
                    showlegend=row == 1,
                    legendgroup=part.name,
                ),
                row=row,
                col=1,
            )
    free = max(prompt.context_limit - prompt.tokens, 0)
    figure.add_trace(
        go.Bar(
            x=[free],
            y=[""],
            orientation="h",
            marker={"color": _FREE_COLOUR},
            hovertemplate=f"free: {free:,} tokens<extra></extra>",
            showlegend=False,
        ),
        row=2,
        col=1,
    )
    share = 100 * prompt.tokens / prompt.context_limit
    titles = (
        f"{prompt.tokens:,} tokens in the prompt",
        f"{share:.0f} % of the context limit of {prompt.context_limit:,} tokens",
    )
    for row, (title, most) in enumerate(zip(titles, (prompt.tokens, prompt.context_limit), strict=True), start=1):
        figure.update_xaxes(range=[0, max(most, 1)], visible=False, fixedrange=True, row=row, col=1)
        figure.update_yaxes(visible=False, fixedrange=True, row=row, col=1)
        figure.add_annotation(
            text=title,
            xref="x domain" if row == 1 else "x2 domain",
            yref="y domain" if row == 1 else "y2 domain",
            x=0,
            y=1.0,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": FONT_SIZE},
        )
    figure.update_layout(
        barmode="stack",
        height=230,
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
        legend={
            "orientation": "h",
            "y": -0.08,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
            "font": {"size": FONT_SIZE},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        font={"size": FONT_SIZE},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
