"""Several runs side by side: the figures of all techniques, and which of their differences are real."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.comparison.figures import HeatMap, PairedDifference, TechniqueFigures
from playground.comparison.hours import hours_apart
from playground.comparison.outcomes import Outcome
from playground.comparison.paired import holm, paired_outcomes
from playground.comparison.rows import RunRows
from playground.comparison.scenario import ComparedScenario
from playground.comparison.technique_figures import figures_of, heat_map_of, technique_rows
from playground.types import RunRecord

MOST_PAIRED = 20
"""Most techniques of a scenario that are tested against each other: 190 pairs."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run with the way its scenario reads it. ``recorded`` says that it came with the project."""

    run: RunRows
    scenario: ComparedScenario
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class ComparedTechniques:
    """The techniques of one scenario, over all runs of it.

    Attributes:
        scenario: its name.
        figures: one of each technique and run, in the order of the runs.
        names: of each of ``figures``: its title, with what else tells it from the others (model, adapter, date).
        differences: of all pairs that share examples; ``first`` and ``second`` are of ``names``.
        adjusted_p: Holm's p-value of each of ``differences``.
        heat_map: by label or policy; its rows are ``names``.
        notes: sentences for the reader: what was left out, what could not be measured.
        title: the scenario's title.
    """

    scenario: str
    figures: tuple[TechniqueFigures, ...]
    names: tuple[str, ...]
    differences: tuple[PairedDifference, ...]
    adjusted_p: tuple[float, ...]
    heat_map: HeatMap
    notes: tuple[str, ...]
    title: str = ""


def without_repeats(runs: Sequence[ComparedRun]) -> tuple[tuple[ComparedRun, ...], tuple[str, ...]]:
    """Return the runs with each technique that several recorded ones measured in the largest of them only; and notes.

    A technique is a strategy with its model and adapter. Fresh runs keep all, as they are there to be set beside the
    recorded ones.
    """
    largest: dict[_Technique, tuple[int, int]] = {}  # rows (negative: the first of equals is the least), place
    for place, one in enumerate(runs):
        if one.recorded:
            for technique, count in Counter(_technique_of(row, one) for row in one.run.records).items():
                largest[technique] = min(largest.get(technique, (0, 0)), (-count, place))
    found: list[ComparedRun] = []
    notes: list[str] = []
    for place, one in enumerate(runs):
        kept, left = [], Counter[str]()
        for row in one.run.records:
            if not one.recorded or largest[_technique_of(row, one)][1] == place:
                kept.append(row)
            else:
                left[row.strategy] += 1
        found.append(replace(one, run=replace(one.run, records=tuple(kept))) if left else one)
        notes += [
            f"{name} was also recorded on {count} examples (run {one.run.info.run_id}); the larger recording is shown."
            for name, count in left.items()
        ]
    return tuple(found), tuple(notes)


_Technique = tuple[str, str, str, str | None]


def _technique_of(row: RunRecord, one: ComparedRun) -> _Technique:
    return one.run.info.scenario, row.strategy, row.model_id, row.adapter


def compare_runs(runs: Sequence[ComparedRun]) -> tuple[ComparedTechniques, ...]:
    """Return the techniques of each scenario, in the order in which the scenarios first appear."""
    names = dict.fromkeys(one.run.info.scenario for one in runs)
    return tuple(_compared(name, [one for one in runs if one.run.info.scenario == name]) for name in names)


def _compared(name: str, runs: Sequence[ComparedRun]) -> ComparedTechniques:
    figures: list[TechniqueFigures] = []
    outcomes: list[Mapping[str, Outcome]] = []
    bases: list[Mapping[str, str]] = []
    notes: list[str] = []
    paid: list[RunRecord] = []
    for one in runs:
        groups, of_groups = technique_rows(one.run.records, one.scenario)
        notes += [*one.run.notes, *one.scenario.notes, *of_groups]
        paid += [record for group in groups for record in group.records if record.cost_usd]
        for group in groups:
            figures.append(figures_of(group, one.scenario, run_id=one.run.info.run_id, recorded=one.recorded))
            outcomes.append(one.scenario.outcomes(group.records))
            bases.append(one.scenario.basis)
    notes += hours_apart(paid)
    labels = technique_names(figures)
    differences, adjusted_p = paired_differences(labels, outcomes, bases)
    if len(figures) > MOST_PAIRED:
        notes.append(f"Only the first {MOST_PAIRED} of {len(figures)} techniques were tested against each other.")
    return ComparedTechniques(
        scenario=name,
        figures=tuple(figures),
        names=labels,
        differences=differences,
        adjusted_p=adjusted_p,
        heat_map=heat_map_of(labels, outcomes),
        notes=tuple(dict.fromkeys(notes)),
        title=runs[0].scenario.title,
    )


def paired_differences(
    names: Sequence[str], outcomes: Sequence[Mapping[str, Outcome]], bases: Sequence[Mapping[str, str]] = ()
) -> tuple[tuple[PairedDifference, ...], tuple[float, ...]]:
    """Test all pairs of the first MOST_PAIRED techniques that share examples; also return Holm's p-value of each.

    ``bases``: what each was measured on; pairs that disagree about it are not compared. Without, all agree.
    """
    differences: list[PairedDifference] = []
    for first, second in itertools.combinations(range(min(len(names), MOST_PAIRED)), 2):
        if not bases or agree(bases[first], bases[second]):
            found = paired_outcomes(names[first], names[second], outcomes[first], outcomes[second])
            differences += [found] if found else []
    return tuple(differences), tuple(holm([one.p_value for one in differences]))


def agree(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Whether two runs were measured on the same things, as far as both name them."""
    return all(second.get(name, digest) == digest for name, digest in first.items())


def technique_names(figures: Sequence[TechniqueFigures]) -> tuple[str, ...]:
    """Return a name for each: the title alone where it is enough, else with adapter, model, date or a number."""
    names = [one.title for one in figures]
    for details in (
        [(one.adapter or "").partition("@")[0] for one in figures],  # an adapter is of one model
        [one.model_id for one in figures],
        [one.adapter or "" for one in figures],
        ["recorded" if one.recorded else "here" for one in figures],
        [one.started_at[:16].replace("T", " ") for one in figures],
    ):
        kinds = {name: {own for own, other in zip(details, names, strict=True) if other == name} for name in names}
        names = [
            f"{name} ({detail})" if detail and len(kinds[name]) > 1 else name
            for name, detail in zip(names, details, strict=True)
        ]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[place] = f"{name} [{seen[name]}]"
    return tuple(names)


def named_figures(compared: ComparedTechniques) -> tuple[TechniqueFigures, ...]:
    """Return the figures with their names as titles, for charts on which each must be told from the others."""
    return tuple(replace(one, title=name) for one, name in zip(compared.figures, compared.names, strict=True))
