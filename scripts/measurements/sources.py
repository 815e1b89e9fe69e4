"""What the figures are read from, and how a figure is written."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.cli import main as playground
from playground.paths import RECORDED_RUNS, ROOT


class SourceError(Exception):
    """A file with figures is missing or does not say what is asked of it."""


@lru_cache
def read(name: str) -> Any:
    """Return the content of a JSON file, named from the root of the project.

    Raises:
        SourceError: the file is missing or is no JSON.
    """
    try:
        return json.loads((ROOT / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{name} cannot be read ({error}). Write it with the command that it belongs to.") from error


@lru_cache
def recorded(*runs: str) -> list[dict[str, Any]]:
    """Return the figures of every technique of recorded runs, computed from their rows by ``playground report``.

    Raises:
        SourceError: the command refuses a run.
    """
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "report.json"
        folders = [str(RECORDED_RUNS / run) for run in runs]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = playground(["report", *folders, "--json", str(target)])
        if code != 0:
            raise SourceError(f"`playground report` refuses {', '.join(runs)}: {said.getvalue().strip()}")
        scenarios = json.loads(target.read_text(encoding="utf-8"))["scenarios"]
    return [technique for scenario in scenarios for technique in scenario["techniques"]]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; a column of figures stands to the right."""
    rows = list(rows)
    columns = list(zip(*rows, strict=True))
    marks = ["--:" if all(not cell or cell[0] in "-<0123456789" for cell in column) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def percent(rate: Any) -> str:
    """Return "41 % (34 to 49)" of a rate as value, low and high, in a mapping or in this order; a dash for None."""
    value, low, high = _three(rate)
    return "-" if value is None else f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def score(rate: Any) -> str:
    """Return "0.66 (0.61 to 0.71)"; a dash for None."""
    value, low, high = _three(rate)
    return "-" if value is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def seconds(value: float) -> str:
    """Return a duration with three digits at most."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def with_interval(figures: Mapping[str, Any], name: str) -> tuple[float | None, float, float]:
    """Return a rate of ``evaluate --json`` with its interval."""
    if figures.get(name) is None:
        return None, 0.0, 0.0
    low, high = figures["ci"][name]
    return figures[name], low, high


def probability(p: float) -> str:
    """Return a p value."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def machine_words(machine: Any) -> str:
    """Return a machine in words, whether a file keeps it in words or in parts."""
    if isinstance(machine, str):
        return machine
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, Python "
        f"{machine['python']}"
    )


def stamp(found: Mapping[str, Any]) -> dict[str, object]:
    """Return when, where and at which commit a file was measured, as ``provenance`` takes it."""
    return {"date": found["measured_at"], "machine": found["machine"], "commit": found["commit"]}


def provenance(*, source: str, command: str, **parts: object) -> str:
    """Return where figures are from: command, file and the parts that the file has, such as ``date`` and ``n``."""
    said = [f"Command: `{command}`", f"figures: [{source}](../{source})"]
    for name, value in parts.items():
        if value is None:
            continue
        words = str(value)[:10] if name == "date" else machine_words(value) if name == "machine" else str(value)
        said.append(f"{name.replace('_', ' ')}: {words}")
    return f"{'; '.join(said)}."


def _three(rate: Any) -> tuple[float | None, float, float]:
    if rate is None:
        return None, 0.0, 0.0
    value, low, high = (rate["value"], rate["low"], rate["high"]) if isinstance(rate, Mapping) else rate
    return value, low, high
