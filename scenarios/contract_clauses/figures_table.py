"""The figures of an evaluation as a table for people: a row a figure, a column a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.text.terminal import one_line, text_table
from scenarios.contract_clauses.figures import CLAUSE_RATES, COMPARED, CUAD_RATES, SAMPLE_RATES

Figures = Mapping[str, Any]

_TITLES = {
    "cuad_aupr": "AUPR (CUAD, spans)",
    "precision_at_80_recall": "precision at 80 % recall",
    "micro_ap": "micro AP (clauses)",
    "macro_ap": "macro AP",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "contract_presence_f1": "presence in contract, F1",
}
_LABEL_WIDTH = 30


def as_table(figures: Sequence[Figures]) -> str:
    """Return the figures of ``summarise`` with their intervals, and below them what they were measured on."""
    rows = [("", [str(column["strategy"]) for column in figures])]
    rows.append(("model", [_model(column) for column in figures]))
    rows += [(_TITLES[name], [_rate(column, name) for column in figures]) for name in (*CUAD_RATES, *CLAUSE_RATES)]
    rows.append(("clauses a second", [_speed(column) for column in figures]))
    for name in COMPARED:
        cells = [_difference(column["lora_minus_this"].get(name)) for column in figures]
        if any(cell != "—" for cell in cells):
            rows.append((f"lora better by, {_TITLES[name].split(' (')[0]}", cells))
    if any(column["sample"] for column in figures):
        rows += [(f"asked pairs: {name}", [_sample(column, name) for column in figures]) for name in SAMPLE_RATES]
        rows.append(("asked pairs: unreadable", [_unreadable(column) for column in figures]))
    rows.append(("errors", [str(column["errors"]) for column in figures]))
    table = text_table([(label, *cells) for label, cells in rows], label_width=_LABEL_WIDTH, is_even=True)
    return f"{table}\n\n{_measured_on(figures)}" if figures else table


def _measured_on(figures: Sequence[Figures]) -> str:
    first = figures[0]
    spans = "" if first["spans"] is None else f", {first['spans']:,} marked spans"
    lines = [
        f"{first['n']} contracts of {first['contracts']['name']}: {first['clauses']:,} clauses, {first['labels']} "
        f"labels{spans}. [95 % intervals over contracts]"
    ]
    fitted = [column for column in figures if column["train"]]
    if fitted:
        train = fitted[0]["train"]
        names = ", ".join(str(column["strategy"]) for column in fitted)
        lines.append(
            f"{names}: fitted on {train['clauses']:,} clauses from {train['contracts']} contracts of {train['name']}."
        )
    sample = first["sample"]
    if sample:
        lines.append(f"asked pairs: {sample['pairs']} of a clause and a label, {sample['right']} of them right.")
    return one_line(lines[0]) + "".join(f"\n{one_line(line)}" for line in lines[1:])


def _model(column: Figures) -> str:
    if column["adapter"]:
        return str(column["adapter"])
    return "—" if column["model"] == "none" else str(column["model"])


def _rate(column: Figures, name: str) -> str:
    return _with_interval(column[name], column["ci"].get(name))


def _sample(column: Figures, name: str) -> str:
    sample = column["sample"]
    return _with_interval(sample[name], sample["ci"].get(name)) if sample else "—"


def _unreadable(column: Figures) -> str:
    return str(column["sample"]["unreadable"]) if column["sample"] else "—"


def _with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None or interval is None:
        return "—"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "—"
    low, high = found["ci"]
    return f"{found['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"


def _speed(column: Figures) -> str:
    return "—" if column["clauses_per_s"] is None else f"{column['clauses_per_s']:,.0f}"
