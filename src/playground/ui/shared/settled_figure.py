"""A figure that changes no more. Imports plotly; import it where a figure is made."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go


class SettledFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A copy of a figure whose description is worked out once: Streamlit asks for it at every redraw of a page."""

    def __init__(self, figure: go.Figure) -> None:
        super().__init__(figure)
        self._description: dict[str, Any] = super().to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return data and layout; the parts are shared and not to be changed."""
        return dict(self._description)
