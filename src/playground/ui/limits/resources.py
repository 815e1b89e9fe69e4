"""What the page reads once for all sessions: rows of experiments, and what they show.

The keys hold size and time of the files, so that a run that grows is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from playground.errors import EvaluationError
from playground.limits.experiment import Experiment
from playground.limits.finding import Finding
from playground.limits.recorded import ExperimentRows, beside, folders_here, recorded_folders, recorded_rows, rows_in
from scenarios.experiments import experiment as experiment_named

RECORDED = "recorded"
_MOST_RUNS = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of an experiment with what they show; ``problem`` says why they show nothing (yet)."""

    rows: ExperimentRows
    finding: Finding | None
    problem: str = ""


def runs_of(experiment: Experiment) -> dict[str, tuple[Path, ...]]:
    """Return the folders of each run of an experiment by its name, the recorded one first.

    Raises:
        EvaluationError: what was recorded in another form is damaged.
    """
    recorded = recorded_folders(experiment)
    is_recorded = bool(recorded) or experiment.load().recorded_before() is not None
    here = {folder.name: beside(experiment, folder) for folder in folders_here(experiment)}
    return {RECORDED: recorded, **here} if is_recorded else here


def shown(experiment: Experiment, name: str, folders: tuple[Path, ...]) -> Shown | None:
    """Return a run with what it shows; None where it has no row.

    Raises:
        EvaluationError: a file is damaged.
    """
    return _shown(experiment.name, name == RECORDED, tuple((str(folder), _stamp(folder)) for folder in folders))


@st.cache_resource(max_entries=_MOST_RUNS, show_spinner=False)
def _shown(name: str, recorded: bool, keys: tuple[tuple[str, tuple[int, ...]], ...]) -> Shown | None:
    experiment = experiment_named(name)
    folders = [Path(folder) for folder, _stamp in keys]
    rows = recorded_rows(experiment) if recorded else rows_in(experiment, folders)
    if rows is None:
        return None
    try:
        return Shown(rows, experiment.load().found(rows.rows))
    except EvaluationError as error:
        return Shown(rows, None, str(error))


def _stamp(folder: Path) -> tuple[int, ...]:
    try:
        state = (folder / "records.jsonl").stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns
