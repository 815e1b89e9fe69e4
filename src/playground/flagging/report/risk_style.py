"""How a risk is written and coloured, in one place for the pages and the exports.

No risk is told by colour alone: each has its own words, sign and kind of line. Text on its background has a contrast of
at least 4.5 : 1 (WCAG 2.2, success criterion 1.4.3), and the hues (red, amber, blue, grey) differ in lightness too.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.types import Risk


@dataclass(frozen=True, slots=True)
class RiskColours:
    """Colours as ``#rrggbb``: ``text`` on ``background``, and ``line`` for borders and bars."""

    text: str
    background: str
    line: str


@dataclass(frozen=True, slots=True)
class RiskScheme:
    """The colours of one risk in the light and in the dark theme."""

    light: RiskColours
    dark: RiskColours


RISK_ORDER: tuple[Risk, ...] = ("high", "medium", "low", "informational")
"""From the gravest."""

RISK_TITLES: dict[Risk, str] = {
    "high": "High risk",
    "medium": "Medium risk",
    "low": "Low risk",
    "informational": "For information",
}

RISK_SIGNS: dict[Risk, str] = {"high": "▲", "medium": "◆", "low": "●", "informational": "○"}

RISK_LINES: dict[Risk, str] = {"high": "solid", "medium": "double", "low": "dashed", "informational": "dotted"}
"""CSS border styles."""

RISK_COLOURS: dict[Risk, RiskScheme] = {
    "high": RiskScheme(
        light=RiskColours(text="#8a1c12", background="#fbe0db", line="#b42318"),
        dark=RiskColours(text="#ffb9ae", background="#4d1c17", line="#ff7b6b"),
    ),
    "medium": RiskScheme(
        light=RiskColours(text="#6f3d00", background="#fdeccd", line="#b86a00"),
        dark=RiskColours(text="#ffd699", background="#42300c", line="#e0a030"),
    ),
    "low": RiskScheme(
        light=RiskColours(text="#0b4a7d", background="#dfeefb", line="#2573b3"),
        dark=RiskColours(text="#acd7ff", background="#12324d", line="#5aa9e6"),
    ),
    "informational": RiskScheme(
        light=RiskColours(text="#43505a", background="#e9edf0", line="#6c7a84"),
        dark=RiskColours(text="#c9d3da", background="#2a343b", line="#8796a1"),
    ),
}
