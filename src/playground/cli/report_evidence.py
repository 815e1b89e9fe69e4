"""What ``report`` puts beside the figures of the runs: the project's recorded evidence, and examples that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from playground import paths
from playground.cli import loading
from playground.errors import EvaluationError
from scenarios import registry

if TYPE_CHECKING:
    from playground.comparison.figures import TechniqueFigures
    from playground.comparison.report.extras import ReportExamples, ReportExtras
    from playground.comparison.runs_compared import ComparedRun, ComparedTechniques


def report_extras(runs: Sequence[ComparedRun], compared: Sequence[ComparedTechniques]) -> ReportExtras:
    """Collect what is at hand; what cannot be read is named in the report instead."""
    from playground.comparison.claims.evidence import collect_evidence
    from playground.comparison.report.extras import ReportExtras

    store = loading.load_adapter_store()
    figures, unread = _recorded_figures()
    evidence, problems = collect_evidence(registry.all_scenarios(), figures, paths.RECORDED_RUNS, store)
    return ReportExtras(
        evidence=evidence,
        problems=(*unread, *problems),
        adapters={one.identity: one.manifest for one in store.list()},
        examples={one.scenario: _examples(one, runs) for one in compared},
    )


def compared_run(folder: Path, example_files: Mapping[str, Path | None] | None = None) -> ComparedRun:
    """Read a run together with the way its scenario reads it.

    ``example_files``: by scenario, the file that its runs were measured on; None for the scenario's own examples.

    Raises:
        EvaluationError: the folder holds no run that can be compared.
    """
    from playground.comparison.rows import read_run_rows
    from playground.comparison.runs_compared import ComparedRun

    rows = read_run_rows(folder, registry.scenario_names())
    name = rows.info.scenario
    return ComparedRun(rows, registry.scenario(name).load().compared(rows.info, (example_files or {}).get(name)))


def _recorded_figures() -> tuple[list[TechniqueFigures], list[str]]:
    """Return the figures of the project's own runs, and a sentence for each run that could not be read."""
    from playground.comparison.runs_compared import technique_names, without_repeats
    from playground.comparison.technique_figures import technique_figures

    runs, problems = [], []
    for folder in sorted(path.parent for path in paths.RECORDED_RUNS.glob("*/records.jsonl")):
        try:
            runs.append(compared_run(folder))
        except EvaluationError as error:
            problems.append(str(error))
    unique, _notes = without_repeats(runs)
    figures = [each for one in unique for each in technique_figures(one.run, one.scenario)]
    named = zip(figures, technique_names(figures), strict=True)
    return [replace(one, title=name) for one, name in named], problems


def _examples(compared: ComparedTechniques, runs: Sequence[ComparedRun]) -> ReportExamples:
    from playground.comparison.report.extras import TechniqueAnswers, differing_examples
    from playground.comparison.technique_figures import technique_rows

    owned = [
        (one, group)
        for one in runs
        if one.run.info.scenario == compared.scenario
        for group in technique_rows(one.run.records, one.scenario)[0]
    ]
    techniques = [
        TechniqueAnswers(name, figures.technique, one.scenario.outcomes(group.records), group, one.run.info)
        for name, figures, (one, group) in zip(compared.names, compared.figures, owned, strict=True)
    ]
    return differing_examples(techniques, registry.scenario(compared.scenario).load())
