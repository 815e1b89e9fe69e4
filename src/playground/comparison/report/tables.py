"""The figures of a comparison for spreadsheets (CSV) and for programs (JSON)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from playground.comparison.figures import TechniqueFigures, Times
from playground.comparison.runs_compared import ComparedTechniques
from playground.measuring.estimates import Estimate
from playground.text.spreadsheet import spreadsheet_cell

_TIMES = ("first_token_s", "total_s")


def comparison_csv(compared: Sequence[ComparedTechniques]) -> bytes:
    """Return one row a technique as CSV (RFC 4180, UTF-8 with the byte order mark that Excel needs).

    Rates are in [0, 1], times in seconds per request, tokens and US dollars per request; a cell is empty where nothing
    was measured. A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    rows = [_flat(one, name) for each in compared for one, name in zip(each.figures, each.names, strict=True)]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([spreadsheet_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return buffer.getvalue().encode("utf-8-sig", "replace")


def comparison_json(compared: Sequence[ComparedTechniques]) -> dict[str, object]:
    """Return the figures, the paired tests and the heat map of each scenario, ready for JSON.

    ``{"scenarios": [{"scenario", "techniques": [...], "differences": [...], "heat_map": {...}, "notes": [...]}]}``; an
    interval is ``{"value", "low", "high"}``, what was not measured null.
    """
    return {
        "scenarios": [
            {
                "scenario": each.scenario,
                "techniques": [_object(one, name) for one, name in zip(each.figures, each.names, strict=True)],
                "differences": [
                    {
                        "first": one.first,
                        "second": one.second,
                        "n": one.n,
                        "difference": _estimate(one.difference),
                        "p_value": one.p_value,
                        "p_value_holm": adjusted,
                    }
                    for one, adjusted in zip(each.differences, each.adjusted_p, strict=True)
                ],
                "heat_map": {
                    "rows": list(each.heat_map.rows),
                    "columns": list(each.heat_map.columns),
                    "values": [list(row) for row in each.heat_map.values],
                    "counts": [list(row) for row in each.heat_map.counts],
                },
                "notes": list(each.notes),
            }
            for each in compared
        ]
    }


def _measured(figures: TechniqueFigures) -> dict[str, object]:
    """Return what was measured, and on how much, as both CSV and JSON begin."""
    return {
        "strategy": figures.strategy,
        "model": figures.model_id,
        "adapter": figures.adapter,
        "n": figures.n,
        "sample": figures.sample or None,
        "requests": figures.requests,
        "request": figures.unit,
        "errors": figures.errors,
        "unreadable": figures.unreadable,
        "accuracy_name": figures.accuracy_name,
    }


def _object(figures: TechniqueFigures, name: str) -> dict[str, object]:
    return {
        "name": name,
        **_measured(figures),
        "accuracy": _estimate(figures.accuracy),
        "rates": {rate: _estimate(one) for rate, one in figures.rates.items()},
        **{kind: _times(getattr(figures, kind)) for kind in _TIMES},
        "tokens": dict(figures.tokens),
        "input_tokens": figures.input_tokens,
        "output_tokens": figures.output_tokens,
        "token_cost_usd": figures.token_cost_usd,
        "started_at": figures.started_at,
        "machine": figures.machine,
        "commit": figures.commit,
        "recorded": figures.recorded,
        "run_id": figures.run_id,
    }


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _times(times: Times | None) -> dict[str, object] | None:
    return None if times is None else {"p50": _estimate(times.p50), "p95": _estimate(times.p95), "n": len(times.values)}


def _flat(figures: TechniqueFigures, name: str) -> dict[str, object]:
    row: dict[str, object] = {
        "scenario": figures.scenario,
        "technique": name,
        **_measured(figures),
        **_columns("accuracy", figures.accuracy),
    }
    for kind in _TIMES:
        times: Times | None = getattr(figures, kind)
        row |= _columns(f"{kind}_p50", times.p50 if times else None)
        row |= _columns(f"{kind}_p95", times.p95 if times else None)
    row |= {
        "input_tokens": figures.input_tokens,
        "output_tokens": figures.output_tokens,
        "token_cost_usd": figures.token_cost_usd,
        "started_at": figures.started_at,
        "machine": figures.machine,
        "commit": figures.commit,
        "recorded": "yes" if figures.recorded else "no",
        "run_id": figures.run_id,
    }
    row |= {f"tokens {part}": mean for part, mean in figures.tokens.items()}
    for rate, estimate in figures.rates.items():
        row |= _columns(rate, estimate)
    return row


def _columns(name: str, estimate: Estimate | None) -> dict[str, object]:
    return {
        name: estimate.value if estimate else None,
        f"{name}_low": estimate.low if estimate else None,
        f"{name}_high": estimate.high if estimate else None,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else spreadsheet_cell(str(value))
