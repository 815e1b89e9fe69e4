"""Charts as the HTML report of a comparison holds them: data, not script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground.text.html_page import as_it_stands


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's name in the page and its data: plotly's JSON, which no element can end."""

    name: str
    data: str


class Charts:
    """Numbers the charts of a report; ``drawn`` is how many there are."""

    def __init__(self) -> None:
        self.drawn = 0

    def add(self, figure: Any) -> Chart:
        """Return a plotly figure as the template needs it."""
        self.drawn += 1
        figure.update_layout(template="plotly_white")  # the page that the colours were chosen for
        # "<" is the only letter by which JSON could end its own element.
        return Chart(f"chart-{self.drawn}", as_it_stands(figure.to_json().replace("<", "\\u003c")))
