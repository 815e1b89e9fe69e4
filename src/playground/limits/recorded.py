"""The rows of an experiment as they lie on the disk: recorded with the project, or measured on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground import paths
from playground.errors import EvaluationError
from playground.limits.experiment import Experiment
from playground.limits.measure import experiments_root
from playground.machine import days_of
from playground.measuring.runs import RunInfo, read_records, read_run
from playground.types import RunRecord

MOST_RUNS = 10
"""Runs of this machine that are offered; older ones stay on the disk."""
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class ExperimentRows:
    """Rows with where they are from. ``folders`` are relative to the project where they are recorded."""

    folders: tuple[Path, ...]
    infos: tuple[RunInfo, ...]
    rows: tuple[RunRecord, ...]
    recorded: bool

    @property
    def stamp(self) -> str:
        """One line: when, on how much, by which model, on which machine, from which source."""
        first = self.rows[0] if self.rows else None
        when = days_of(info.started_at for info in self.infos)
        commits = ", ".join(dict.fromkeys(row.commit[:_LONGEST] for row in self.rows))[: 2 * _LONGEST]
        models = ", ".join(dict.fromkeys(row.model_id for row in self.rows))[: 2 * _LONGEST]
        adapters = ", ".join(dict.fromkeys(row.adapter for row in self.rows if row.adapter))[: 2 * _LONGEST]
        return (
            f"{'Recorded' if self.recorded else 'Measured here'} on {when}, {len(self.rows):,} rows, "
            f"{models or 'no model'}{f' with {adapters}' if adapters else ''}, "
            f"{first.machine[:_LONGEST] if first else 'no machine'}, "
            f"commit {commits or 'unknown'}"
        )


def recorded_rows(experiment: Experiment) -> ExperimentRows | None:
    """Return what was recorded of an experiment; None where that is nothing.

    Raises:
        EvaluationError: a file is damaged; the message says which.
    """
    own = rows_in(experiment, list(recorded_folders(experiment)), recorded=True)
    before = experiment.load().recorded_before() if own is None else None
    return own if before is None else ExperimentRows((), (before[0],), tuple(before[1]), recorded=True)


def recorded_folders(experiment: Experiment) -> tuple[Path, ...]:
    """Return the folders that hold what was recorded of an experiment."""
    folders = (paths.RECORDED_RUNS / name for name in experiment.recorded_folders)
    return tuple(folder for folder in folders if (folder / "run.json").is_file())


def beside(experiment: Experiment, folder: Path) -> tuple[Path, ...]:
    """Return the folders that a run of this machine is read from, with the recorded ones where they belong to it."""
    others = recorded_folders(experiment) if experiment.beside_recorded else ()
    return folder, *(one for one in others if one.resolve() != folder.resolve())


def rows_in(experiment: Experiment, folders: list[Path], *, recorded: bool = False) -> ExperimentRows | None:
    """Return an experiment's rows in some folders; None where there are none.

    Raises:
        EvaluationError: a file is damaged; the message says which.
    """
    infos = [read_run(folder) for folder in folders]
    conditions = experiment.load().conditions
    rows = [row for folder in folders for row in read_records(folder) if row.strategy in conditions]
    return ExperimentRows(tuple(folders), tuple(infos), tuple(rows), recorded) if rows else None


def folders_here(experiment: Experiment) -> tuple[Path, ...]:
    """Return the folders of the newest runs of an experiment on this machine, newest first."""
    try:
        found = [path for path in experiments_root().iterdir() if (path / "run.json").is_file()]
    except OSError:
        return ()
    own = [path for path in found if _scenario(path) == experiment.name]
    return tuple(sorted(own, key=lambda path: path.name, reverse=True)[:MOST_RUNS])


def _scenario(folder: Path) -> str:
    try:
        return read_run(folder).scenario
    except EvaluationError:
        return ""
