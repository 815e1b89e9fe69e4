"""Runs that were measured on this machine from the page: where they lie, what was asked for, how they compare.

Each has a folder of its own with ``request.json`` beside the run's files, so that a run that was stopped, or whose
browser was closed, can be gone on with in another session.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from playground.comparison.outcomes import Outcome
from playground.errors import EvaluationError
from playground.files import expanded
from playground.machine import utc_now
from playground.measuring.estimates import Estimate, proportion
from playground.types import RunRecord

ROOT_VARIABLE = "PLAYGROUND_RUNS"
PREFIX = "here-"
MOST_FRESH_RUNS = 20
"""Older ones stay on the disk and are not offered on the page."""
MOST_EXAMPLES = 100_000
_REQUEST_FILE = "request.json"
_MAX_REQUEST_BYTES = 100_000
_YES_FROM = 0.5
"""Probability of Yes from which on a chat model is taken to say so, as Scenario B has it."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be measured: techniques of one scenario on a sample; ``limit`` None stands for every example.

    ``model`` names the chat model for people; ``max_cost_usd`` caps what its endpoint may cost. ``adapters`` are the
    identities of those that techniques answer through, by technique; one that is not named uses the active one.
    ``pairs``: how many pairs of a clause and a label a chat model is asked about a contract; None for the default.
    """

    scenario: str
    strategies: tuple[str, ...]
    limit: int | None
    model: str
    seed: int = 0
    max_cost_usd: float | None = None
    adapters: tuple[tuple[str, str], ...] = ()
    pairs: int | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A technique measured twice on the same ``n`` examples: recorded, and here and now.

    ``same`` of ``answers`` that both gave are the very same; a row has one, or one for each pair that a chat model was
    asked about. ``times_as_long`` is the ratio of the summed times per answer, None where a time is missing.
    """

    recorded: Estimate | None
    here: Estimate | None
    n: int
    answers: int
    same: int
    times_as_long: float | None


def runs_root() -> Path:
    """Return the folder of the runs of this machine; it need not exist yet."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return expanded(chosen) if chosen else platformdirs.user_data_path("scenario-playground") / "runs"


def new_folder(root: Path, request: RunRequest) -> Path:
    """Make the folder of a new run and keep its request there.

    Raises:
        EvaluationError: it cannot be written.
    """
    stamp = "".join(digit for digit in utc_now()[:19] if digit.isdigit())
    folder = root / f"{PREFIX}{request.scenario}-{stamp}-{secrets.token_hex(2)}"
    try:
        folder.mkdir(parents=True)
        (folder / _REQUEST_FILE).write_text(json.dumps(asdict(request), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise EvaluationError(
            f"The run cannot be written to {root} ({error.strerror or error}). Free space, or name another folder in "
            f"{ROOT_VARIABLE}."
        ) from error
    return folder


def read_request(folder: Path) -> RunRequest | None:
    """Return what was asked for in a folder; None where that is missing or was edited so that it cannot be used."""
    path = folder / _REQUEST_FILE
    try:
        if path.stat().st_size > _MAX_REQUEST_BYTES:
            return None
        row = json.loads(path.read_text(encoding="utf-8"))
        limit, cap = row["limit"], row["max_cost_usd"]
        adapters, pairs = tuple(map(tuple, row.get("adapters", []))), row.get("pairs")  # older requests have neither
        is_fit = (
            isinstance(row["scenario"], str)
            and isinstance(row["model"], str)
            and all(isinstance(name, str) for name in row["strategies"])
            and (limit is None or (isinstance(limit, int) and 0 < limit <= MOST_EXAMPLES))
            and isinstance(row["seed"], int)
            and (cap is None or (isinstance(cap, int | float) and cap > 0))
            and all(len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in adapters)
            and (pairs is None or (isinstance(pairs, int) and 0 < pairs <= MOST_EXAMPLES))
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_fit:
        return None
    return RunRequest(row["scenario"], tuple(row["strategies"]), limit, row["model"], row["seed"], cap, adapters, pairs)


def fresh_folders(root: Path) -> tuple[Path, ...]:
    """Return the folders of the newest runs of this machine, newest first."""
    try:
        found = [path for path in root.iterdir() if path.is_dir() and (path / "run.json").is_file()]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: path.name.rsplit("-", 2)[-2:], reverse=True)[:MOST_FRESH_RUNS])


def repeat_of(
    recorded: Sequence[RunRecord],
    here: Sequence[RunRecord],
    recorded_outcomes: Mapping[str, Outcome],
    here_outcomes: Mapping[str, Outcome],
) -> Repeat:
    """Compare a fresh measurement with the recorded one on what both were asked."""
    shared = [name for name in here_outcomes if name in recorded_outcomes]
    rows = {row.example_id: row for row in recorded}
    pairs = [(rows[row.example_id], row) for row in here if row.example_id in rows]
    answers = [
        (before[asked], given)
        for before, now in ((_answers(old), _answers(new)) for old, new in pairs)
        for asked, given in now.items()
        if asked in before
    ]
    return Repeat(
        recorded=proportion(sum(recorded_outcomes[name].right for name in shared), len(shared)),
        here=proportion(sum(here_outcomes[name].right for name in shared), len(shared)),
        n=len(shared),
        answers=len(answers),
        same=sum(before is not None and before == now for before, now in answers),
        times_as_long=_ratio(pairs),
    )


def _answers(row: RunRecord) -> dict[str, object]:
    """Return what a row says by what was asked: by pair where a chat model was asked pairs, else its output alone.

    The output of such a row counts flags ("2 of 5 pairs"), which says nothing about a row of fewer pairs.
    """
    if row.prediction is None:
        return {"": None}
    asked = row.prediction.detail.get("asked")
    if not isinstance(asked, list):
        return {"": row.prediction.output}
    return {
        f"{pair.get('clause')}, {pair.get('label')}": (_is_yes(pair.get("score")), pair.get("reply"))
        for pair in asked
        if isinstance(pair, dict)
    }


def _is_yes(score: object) -> bool | None:
    return score >= _YES_FROM if isinstance(score, int | float) else None


def _ratio(pairs: Sequence[tuple[RunRecord, RunRecord]]) -> float | None:
    both = [
        (
            old.prediction.timings["total_s"] / max(len(_answers(old)), 1),
            new.prediction.timings["total_s"] / max(len(_answers(new)), 1),
        )
        for old, new in pairs
        if old.prediction
        and new.prediction
        and "total_s" in old.prediction.timings
        and "total_s" in new.prediction.timings
    ]
    before = sum(old for old, _new in both)
    return sum(new for _old, new in both) / before if before > 0 else None
