"""The figures of an evaluation of Scenario A as a table for people: a row a figure, a column a technique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.pricing import describe_cost
from playground.text.terminal import text_table

Figures = Mapping[str, Any]

RATES = (
    "answerable_accuracy",
    "abstention_accuracy",
    "balanced_accuracy",
    "false_answer_rate",
    "unsupported_number_rate",
    "worked_out_number_rate",
)
_TIMES = ("first_token_s", "total_s")
TOKENS = ("input_tokens", "cached_tokens", "output_tokens")
_LABEL_WIDTH = 26


def as_table(figures: Sequence[Figures]) -> str:
    """Return the figures as a table for people: a row a figure, a column a strategy."""
    rows = [("", [str(column["strategy"]) for column in figures])]
    rows.append(("model", [str(column["model"]) for column in figures]))
    rows.append(("questions (answerable)", [f"{column['n']} ({column['n_answerable']})" for column in figures]))
    rows.append(("errors", [str(column["errors"]) for column in figures]))
    for name in RATES:
        rows.append((name.replace("_", " "), [_rate(column, name) for column in figures]))
    for name in _TIMES:
        for share in ("p50", "p95"):
            label = f"{name.removesuffix('_s').replace('_', ' ')}, {share}"
            rows.append((label, [_time(column, name, share) for column in figures]))
    for name in TOKENS:
        rows.append((f"{name.replace('_', ' ')}, mean", [_number(column[name]) for column in figures]))
    rows.append(("cost in all", [_cost(column) for column in figures]))
    return text_table([(label, *cells) for label, cells in rows], label_width=_LABEL_WIDTH, is_even=True)


def _rate(column: Figures, name: str) -> str:
    if column[name] is None:
        return "—"
    low, high = column["ci"][name]
    return f"{column[name]:.3f} [{low:.3f}, {high:.3f}]"


def _time(column: Figures, name: str, share: str) -> str:
    if column[name] is None:
        return "—"
    low, high = column["ci"][f"{name}_{share}"]
    return f"{column[name][share]:.2f} [{low:.2f}, {high:.2f}] s"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _cost(column: Figures) -> str:
    return describe_cost(column["cost_usd"])
