"""Figures for the same work, of techniques whose requests do not do the same.

A chat model is asked about a clause and one label; an adapter judges a clause for all labels at once. What a request of
the one takes says nothing beside what a request of the other takes, so both are set side by side per clause judged for
all labels: the chat model's measured request times the number of labels. That takes its other labels to be like those
that it was asked about, and no two of them to share any work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from playground.comparison.figures import TechniqueFigures, Times
from playground.measuring.estimates import Estimate

_LONGEST = 44


def per_whole_unit(one: TechniqueFigures) -> TechniqueFigures:
    """Return the figures for the whole: total time, tokens and price of ``parts`` requests; others as they are."""
    if not one.whole_unit:
        return one
    return replace(
        one,
        total_s=_times(one.total_s, one.parts),
        tokens={name: one.parts * mean for name, mean in one.tokens.items()},
        input_tokens=_product(one.input_tokens, one.parts),
        output_tokens=_product(one.output_tokens, one.parts),
        token_cost_usd=_product(one.token_cost_usd, one.parts),
        unit=one.whole_unit,
        whole_unit="",
    )


def unit_words(one: TechniqueFigures) -> str:
    """Return what times, tokens and cost are for; where several were added up, how often the model is asked for it."""
    summed = one.parts > 1 and not one.whole_unit
    return f"{one.unit}{f' (asked {one.parts} times, once a label)' if summed else ''}"


def units_of(figures: Iterable[TechniqueFigures]) -> str:
    """Return what one request is, for an axis: "request" where the figures differ in it by more than fits."""
    words = " / ".join(dict.fromkeys(one.unit for one in figures))
    return words if 0 < len(words) <= _LONGEST else "request"


def summed_note(figures: Iterable[TechniqueFigures]) -> str:
    """Return a sentence about what was added up; "" where nothing was."""
    parts = sorted({one.parts for one in figures if one.parts > 1 and not one.whole_unit})
    if not parts:
        return ""
    return f"Chat models: {' or '.join(map(str, parts))} times the request for one label"


def _times(times: Times | None, factor: int) -> Times | None:
    if times is None:
        return None
    p50, p95 = (Estimate(factor * t.value, factor * t.low, factor * t.high) for t in (times.p50, times.p95))
    return Times(p50, p95, tuple(factor * value for value in times.values))


def _product(value: float | None, factor: int) -> float | None:
    return None if value is None else factor * value
