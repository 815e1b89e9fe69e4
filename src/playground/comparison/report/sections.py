"""Sections of the HTML report beyond the runs' own figures: break-even, and what changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from playground.comparison.charts.over_time import (
    break_even_figure,
    learning_curve_figure,
    stale_facts_figure,
    way_colours,
)
from playground.comparison.claims.article import ArticleEvidence
from playground.comparison.claims.break_even import TITLES, YOURS, Assumption, Assumptions
from playground.comparison.claims.provenance import Provenance, elsewhere_words
from playground.comparison.figures import TechniqueFigures
from playground.comparison.report.chart_data import Chart, Charts
from playground.comparison.report.extras import ReportBreakEven, ReportExtras, break_even_of
from playground.comparison.words import plain


@dataclass(frozen=True, slots=True)
class BreakEvenSection:
    """The crossing in a sentence, what is compared, its chart, and every assumption under its title."""

    sentence: str
    compared: str
    chart: Chart
    assumptions: tuple[tuple[str, Assumption], ...]


@dataclass(frozen=True, slots=True)
class ChangeSection:
    """A chart of evidence, and in lines where it is from and how that differs from the figures."""

    title: str
    chart: Chart
    lines: tuple[str, ...]


def break_even_section(
    figures: Sequence[TechniqueFigures], extras: ReportExtras, charts: Charts
) -> BreakEvenSection | None:
    """Return the break-even, or None where prompting or fine-tuning was not measured."""
    found = break_even_of(figures, extras)
    if found is None:
        return None
    colours = way_colours(found.prompting, found.tuned)
    chart = charts.add(break_even_figure(found.assumptions, found.result, colours=colours, unit=found.unit))
    assumptions = tuple((TITLES[one.name], getattr(found.assumptions, one.name)) for one in fields(Assumptions))
    return BreakEvenSection(found.result.sentence, _break_even_words(found), chart, assumptions)


def _break_even_words(found: ReportBreakEven) -> str:
    """Return which techniques are compared, and whether anybody chose the assumptions."""
    prompting = found.prompting.title if found.prompting else "Prompting that was not measured"
    tuned = found.tuned.title if found.tuned else "fine-tuning that was not measured"
    techniques = f"{prompting} on {'a hosted model' if found.hosted else 'the machine itself'} against {tuned}"
    if found.is_default:
        return (
            f"{techniques}, under default assumptions: what was measured in its place and ordinary values for the "
            "rest. On the page each value can be changed."
        )
    own = sum(getattr(found.assumptions, one.name).source == YOURS for one in fields(Assumptions))
    changed = f"{own} value{'' if own == 1 else 's'} changed by hand" if own else "no value changed by hand"
    return f"{techniques}, under the assumptions as they stood on the page when this was written: {changed}."


def change_section(scenario: str, extras: ReportExtras, charts: Charts) -> ChangeSection | None:
    """Return the learning curve of the scenario with one task, or what a change did where facts change; else None."""
    evidence = extras.evidence
    if evidence is None:
        return None
    shown_by = {one.article.shows for one in evidence.scenarios if one.article and one.name == scenario}
    if "one task" in shown_by and evidence.curve is not None:
        points = [replace(point, strategy=plain(point.strategy)) for point in evidence.curve.points]
        chart = charts.add(learning_curve_figure(points, n=evidence.curve.provenance.n))
        lines = _stamp(scenario, evidence, evidence.curve.provenance, evidence.curve.end_words)
        return ChangeSection("How many examples are needed", chart, lines)
    if "changing facts" in shown_by and evidence.stale is not None:
        rows = [replace(row, title=plain(row.title)) for row in evidence.stale.figures]
        chart = charts.add(stale_facts_figure(rows, n=evidence.stale.provenance.n))
        lines = _stamp(scenario, evidence, evidence.stale.provenance)
        return ChangeSection("What happens when the facts change", chart, lines)
    return None


def _stamp(scenario: str, evidence: ArticleEvidence, provenance: Provenance, note: str = "") -> tuple[str, ...]:
    """Return what has to be known of a chart of evidence: where it is from, and how that differs from the figures."""
    own = [one for one in evidence.figures if one.scenario == scenario]
    return tuple(line for line in (note, f"{provenance.stamp}.", elsewhere_words(provenance, own)) if line)
