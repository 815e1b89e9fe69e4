"""Text and charts as the HTML report of a comparison holds them: escaped, and charts as data."""

from __future__ import annotations

import html
from typing import Any

from playground.text.normalise import normalise_text


def shown(text: str) -> str:
    """Return text as HTML shows it letter for letter, without what is invisible (controls, bidi overrides)."""
    return html.escape(normalise_text(text), quote=True)


class Charts:
    """Numbers the charts of a report; ``drawn`` is how many there are."""

    def __init__(self) -> None:
        self.drawn = 0

    def html(self, figure: Any) -> str:
        """Return a plotly figure as an empty holder and its data."""
        self.drawn += 1
        figure.update_layout(template="plotly_white")  # the page that the colours were chosen for
        name = f"chart-{self.drawn}"
        # "<" is the only letter by which JSON could end its own element.
        data = figure.to_json().replace("<", "\\u003c")
        return (
            f'<div class="chart" id="{name}"></div>\n'
            f'<script type="application/json" data-chart="{name}">{data}</script>'
        )
