"""A chart on a page, with its picture and its numbers to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from playground.text.spreadsheet import spreadsheet_cell

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, object]

_LIGHT_INK, _DARK_INK = "#1a2530", "#e7edf1"


def draw_chart(figure: go.Figure | None, key: str, rows: Sequence[Row], *, alt: str, empty: str = "") -> None:
    """Draw a chart with a button for its picture (on the chart) and one for its numbers (below)."""
    if figure is None:
        st.caption(empty or "Nothing of this was measured in the chosen runs.")
        return
    ink = {"dark": _DARK_INK, "light": _LIGHT_INK}.get(str(st.context.theme.type), "")
    if ink:
        # Streamlit's grey is for reading at a desk.
        figure.update_layout(font={"color": ink}, legend={"font": {"color": ink}}, title={"font": {"color": ink}})
        figure.update_xaxes(tickfont={"color": ink}, title_font={"color": ink})
        figure.update_yaxes(tickfont={"color": ink}, title_font={"color": ink})
    config = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "pan2d", "zoom2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
    }
    st.plotly_chart(figure, key=f"chart_{key}", config=config, alt=alt)
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
