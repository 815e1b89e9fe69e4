"""What the comparison page reads once for all sessions: runs, and the figures computed from their rows.

The keys hold size and time of the files, so that a run that grows, or was edited, is read again; what was read is never
changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from playground import paths
from playground.comparison.figures import HeatMap, TechniqueFigures
from playground.comparison.measured_here import Repeat, fresh_folders, repeat_of, runs_root
from playground.comparison.outcomes import Outcome, TechniqueRows
from playground.comparison.rows import RunRows, read_run_rows
from playground.comparison.runs_compared import (
    ComparedRun,
    ComparedTechniques,
    compare_runs,
    named_figures,
    without_repeats,
)
from playground.comparison.technique_figures import technique_rows
from playground.errors import EvaluationError
from playground.measuring.runs import RunInfo
from scenarios import registry

_MOST_RUNS = 32
_MOST_COMPARISONS = 16


@dataclass(frozen=True, slots=True)
class RunFile:
    """A run on disk. ``stamp`` changes when its files do; ``rows`` are what was read of it."""

    folder: Path
    recorded: bool
    stamp: tuple[int, ...]
    rows: RunRows = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """What the run is called in the page's address: the name of its folder."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chosen runs of a scenario, computed. ``figures`` have the names of charts as titles, techniques in order.

    ``groups`` are the rows behind each of ``figures``; ``repeats`` says of a fresh one how it compares with the
    recorded one, by the place in ``figures``; ``outcomes`` are what was right, by example; ``infos`` of the runs;
    ``left_out`` says which techniques were recorded more than once.
    """

    compared: ComparedTechniques
    figures: tuple[TechniqueFigures, ...]
    groups: tuple[TechniqueRows, ...]
    heat_map: HeatMap
    repeats: dict[int, tuple[int, Repeat]]
    outcomes: tuple[Mapping[str, Outcome], ...]
    infos: tuple[RunInfo, ...]
    left_out: tuple[str, ...] = ()
    key: tuple[tuple[str, tuple[int, ...], bool], ...] = ()
    """Which runs, in which state: what is made of a comparison is made once."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The runs on disk as one look found them: recorded ones first, fresh ones newest first; what could not be read."""

    files: tuple[RunFile, ...]
    problems: tuple[str, ...]

    def of(self, scenario: str) -> tuple[RunFile, ...]:
        """Return the runs of a scenario."""
        return tuple(file for file in self.files if file.rows.info.scenario == scenario)


def run_files() -> RunFiles:
    """Look at the disk. A page does so once for each of its redraws, and hands on what it found."""
    found, problems = [], []
    recorded = sorted(path for path in _folders(paths.RECORDED_RUNS) if _is_run(path))
    for folder, is_recorded in [
        *((path, True) for path in recorded),
        *((p, False) for p in fresh_folders(runs_root())),
    ]:
        stamp = _stamp(folder)
        try:
            found.append(RunFile(folder, is_recorded, stamp, _rows(str(folder), stamp)))
        except EvaluationError as error:
            problems.append(str(error))
    return RunFiles(tuple(found), tuple(problems))


@st.cache_resource(max_entries=_MOST_RUNS, show_spinner=False)
def _rows(folder: str, stamp: tuple[int, ...]) -> RunRows:  # noqa: ARG001 - a changed file is read again
    return read_run_rows(Path(folder), registry.scenario_names())


def comparison_of(files: Sequence[RunFile]) -> Comparison:
    """Return the figures of the techniques in some runs of one scenario; at least one run."""
    return _comparison(tuple((str(file.folder), file.stamp, file.recorded) for file in files))


@st.cache_resource(max_entries=_MOST_COMPARISONS, show_spinner=False)
def _comparison(keys: tuple[tuple[str, tuple[int, ...], bool], ...]) -> Comparison:
    runs = []
    for folder, stamp, recorded in keys:
        run = _rows(folder, stamp)
        functions = registry.scenario(run.info.scenario).load()
        runs.append(ComparedRun(run, functions.compared(run.info, None), recorded))
    unique, left_out = without_repeats(runs)
    (compared,) = compare_runs(unique)
    owned = [(one, group) for one in unique for group in technique_rows(one.run.records, one.scenario)[0]]
    owners, groups = [one for one, _group in owned], [group for _one, group in owned]
    techniques = [one.name for one in registry.scenario(compared.scenario).techniques]
    order = sorted(range(len(groups)), key=lambda place: _rank(compared.figures[place], techniques))
    figures = named_figures(compared)
    heat_map = compared.heat_map
    outcomes = [owners[place].scenario.outcomes(groups[place].records) for place in order]
    repeats = {}
    for place, source in enumerate(order):
        if compared.figures[source].recorded:
            continue
        for other, before in enumerate(order):
            if compared.figures[before].recorded and compared.figures[before].key == compared.figures[source].key:
                repeat = repeat_of(groups[before].records, groups[source].records, outcomes[other], outcomes[place])
                repeats[place] = (other, repeat)
                break
    return Comparison(
        compared=compared,
        figures=tuple(figures[place] for place in order),
        groups=tuple(groups[place] for place in order),
        heat_map=replace(
            heat_map,
            rows=tuple(heat_map.rows[place] for place in order),
            values=tuple(heat_map.values[place] for place in order),
            counts=tuple(heat_map.counts[place] for place in order),
        ),
        repeats=repeats,
        outcomes=tuple(outcomes),
        infos=tuple(owners[place].run.info for place in order),
        left_out=left_out,
        key=keys,
    )


def recorded_figures() -> tuple[TechniqueFigures, ...]:
    """Return the figures of all recorded runs, of all scenarios."""
    found: list[TechniqueFigures] = []
    runs = run_files()
    for scenario in registry.scenario_names():
        files = [file for file in runs.of(scenario) if file.recorded]
        found += comparison_of(files).figures if files else ()
    return tuple(found)


def _rank(figures: TechniqueFigures, known: Sequence[str]) -> tuple[int, bool, str]:
    place = known.index(figures.strategy) if figures.strategy in known else len(known)
    return place, not figures.recorded, figures.started_at


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("run.json", "records.jsonl"))


def _stamp(folder: Path) -> tuple[int, ...]:
    found: list[int] = []
    for name in ("run.json", "records.jsonl"):
        try:
            state = (folder / name).stat()
            found += [state.st_size, state.st_mtime_ns]
        except OSError:
            found += [-1, -1]
    return tuple(found)
