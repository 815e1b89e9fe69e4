"""Which flags are listed, in which order: pure functions over the rows of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal

from playground.flagging.report import ReportRow, deviates
from playground.flagging.report.risk_style import RISK_ORDER
from playground.types import Risk

Order = Literal["contract", "risk", "score"]

ORDERS: dict[Order, str] = {
    "contract": "as in the contract",
    "risk": "gravest first",
    "score": "surest first",
}


def chosen(
    rows: Sequence[ReportRow],
    *,
    risks: Collection[Risk] = (),
    labels: Collection[str] = (),
    least: float = 0.0,
    order: Order = "contract",
) -> tuple[ReportRow, ...]:
    """Return the rows of the chosen risks and labels, all where none is chosen, in the order asked for.

    What deviates from the playbook of the reader's side stands first in each order.

    ``least`` leaves out flags of a lower score; one that a reader added has none and stays.
    """
    kept = [
        row
        for row in rows
        if (not risks or row.label.risk in risks)
        and (not labels or row.label.name in labels)
        and (row.score is None or row.rule or row.score >= least)
    ]
    if order == "risk":
        kept.sort(key=lambda row: (not deviates(row), RISK_ORDER.index(row.label.risk)))
    elif order == "score":
        kept.sort(key=lambda row: 1.0 if row.score is None else -row.score)
        kept.sort(key=lambda row: not deviates(row))
    return tuple(kept)


def risk_counts(rows: Sequence[ReportRow]) -> dict[Risk, int]:
    """Return how many flags that were not rejected each risk has, from the gravest; risks without any are there."""
    counts = Counter(row.label.risk for row in rows if row.verdict != "rejected")
    return {risk: counts[risk] for risk in RISK_ORDER}


def label_counts(rows: Sequence[ReportRow]) -> dict[str, int]:
    """Return how many flags that were not rejected each label has, gravest label first, then most frequent."""
    counts = Counter(row.label.name for row in rows if row.verdict != "rejected")
    risks = {row.label.name: RISK_ORDER.index(row.label.risk) for row in rows}
    return {name: counts[name] for name in sorted(counts, key=lambda name: (risks[name], -counts[name], name))}
