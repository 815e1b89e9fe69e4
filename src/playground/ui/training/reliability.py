"""Whether an adapter's probabilities mean what they say: the reliability curve that its manifest holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from playground.adapters import StoredAdapter
from playground.flagging.calibration import ReliabilityBin
from playground.measuring.estimates import Estimate
from playground.training.clauses.charts import reliability_figure
from playground.ui.shared.markup import escape_markdown

_MOST_BINS = 100


def reliability_of(stored: StoredAdapter) -> tuple[ReliabilityBin, ...]:
    """Return the bins of a manifest, by rising probability; none where it holds none, or not all of their numbers.

    A manifest may be a stranger's: every figure is checked.
    """
    rows = stored.manifest.metrics.get("reliability")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return ()
    bins = [part for row in rows[:_MOST_BINS] if (part := _bin(row)) is not None]
    return tuple(sorted(bins, key=lambda part: part.mean_probability))


def draw_reliability(bins: Sequence[ReliabilityBin], measured_on: object, key: str) -> None:
    """Draw the curve with a sentence on how to read it, or say that the adapter was stored without one."""
    if not bins:
        st.caption("No reliability curve is stored with this adapter.")
        return
    st.plotly_chart(reliability_figure(bins), config={"displayModeBar": False}, width="content", key=key)
    pairs = sum(part.count for part in bins)
    on = f" Measured on {escape_markdown(measured_on[:300])}." if isinstance(measured_on, str) and measured_on else ""
    st.caption(
        "Of the pairs of a clause and a label with about this probability, the share that is right, with 95 % "
        "intervals. On the dashed line a probability means what it says; below it, the flagger is too sure. "
        f"{pairs:,} pairs.{on}"
    )


def _bin(row: object) -> ReliabilityBin | None:
    observed = row.get("observed") if isinstance(row, Mapping) else None
    if not isinstance(row, Mapping) or not isinstance(observed, Mapping):
        return None
    rates = [
        *(row.get(name) for name in ("low", "high", "mean_probability")),
        *(observed.get(name) for name in ("value", "low", "high")),
    ]
    numbers = [_rate(value) for value in rates]
    count = row.get("count")
    if None in numbers or isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return None
    low, high, mean, value, least, most = (number or 0.0 for number in numbers)
    return ReliabilityBin(low, high, count, mean, Estimate(value, least, most))


def _rate(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= 1 else None
