"""Figures as the words of a chart, a table or a sentence."""

from __future__ import annotations

from playground.measuring.estimates import Estimate
from playground.text.normalise import normalise_text


def plain(text: str) -> str:
    """Return ``text`` so that plotly shows it letter for letter: it reads a few HTML tags."""
    return normalise_text(text).replace("<", "\u2039").replace(">", "\u203a")


def percent(estimate: Estimate | None) -> str:
    """Return a rate with its interval for hovering."""
    if estimate is None:
        return "not measured"
    return f"{estimate.value:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"


def seconds(value: float) -> str:
    """Return a duration in words: 60 µs, 2.4 ms, 850 ms, 1.3 s, 4 min."""
    if value >= 120:
        return f"{value / 60:.3g} min"
    if value >= 1:
        return f"{value:.3g} s"
    return f"{1e3 * value:.3g} ms" if value >= 1e-3 else f"{1e6 * value:.3g} µs"
