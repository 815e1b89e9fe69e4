"""A chart on a page, with its picture and its numbers to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from playground.text.spreadsheet import spreadsheet_cell
from playground.ui.shared.markup import escape_html

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, object]

_MOST_FIGURES = 48
_LIGHT_INK, _DARK_INK = "#1a2530", "#e7edf1"


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
    from playground.ui.shared.settled_figure import SettledFigure

    figure = _in_ink(_make(), ink)
    return None if figure is None else SettledFigure(figure)


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
