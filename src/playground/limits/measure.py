"""Measure an experiment into a folder, row by row, so that an interruption keeps what is done."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from playground.comparison.measured_here import runs_root
from playground.errors import EvaluationError
from playground.limits.experiment import Experiment, LimitRequest, Size
from playground.machine import utc_now
from playground.measuring.evaluation import EvaluationPlan, evaluate_into
from playground.typed_json import typed_json
from playground.types import RunRecord

_REQUEST_FILE = "request.json"
_MOST_REQUEST_BYTES = 100_000
_LIMITS = "limits"


def measure_into(
    folder: Path, plan: EvaluationPlan, *, in_turns: bool, retry_errors: bool = False, max_cost_usd: float | None = None
) -> Iterator[RunRecord]:
    """Yield each row when it is in its file; rows that are there already are not measured again.

    With ``in_turns`` the conditions take turns; else one follows the other, and an engine keeps the long prompt that
    the questions of a condition have in common.

    Raises:
        PlaygroundError: as ``evaluate_into``.
    """
    one_by_one = ({name: strategy} for name, strategy in plan.strategies.items())
    for part in [plan] if in_turns else [replace(plan, strategies=one) for one in one_by_one]:
        yield from evaluate_into(folder, part, retry_errors=retry_errors, max_cost_usd=max_cost_usd)


def experiments_root() -> Path:
    """Return the folder of what was measured of the experiments on this machine; it need not exist yet."""
    return runs_root() / _LIMITS


def new_folder(experiment: Experiment, request: LimitRequest) -> Path:
    """Make the folder of a new run, with its request in it.

    Raises:
        EvaluationError: it cannot be written.
    """
    stamp = "".join(digit for digit in utc_now()[:19] if digit.isdigit())
    folder = experiments_root() / f"{experiment.name}-{stamp}-{secrets.token_hex(2)}"
    row = {
        "examples": request.size.examples,
        "conditions": list(request.size.conditions),
        "model": request.model,
        "adapter": request.adapter,
        "seed": request.seed,
    }
    try:
        folder.mkdir(parents=True)
        (folder / _REQUEST_FILE).write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise EvaluationError(
            f"The run cannot be written to {folder.parent} ({error.strerror or error}). Free space and measure again."
        ) from error
    return folder


def read_request(folder: Path) -> LimitRequest | None:
    """Return what was asked for in a folder; None where that is missing or cannot be used."""
    try:
        if (folder / _REQUEST_FILE).stat().st_size > _MOST_REQUEST_BYTES:
            return None
        row = typed_json(dict[str, object], (folder / _REQUEST_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    examples, conditions, seed = row.get("examples"), row.get("conditions"), row.get("seed")
    model, adapter = row.get("model"), row.get("adapter")
    if not (isinstance(examples, int) and examples > 0 and isinstance(conditions, list) and isinstance(seed, int)):
        return None
    if not (isinstance(model, str) and (adapter is None or isinstance(adapter, str))):
        return None
    return LimitRequest(size=Size(examples, tuple(map(str, conditions))), model=model, adapter=adapter, seed=seed)
