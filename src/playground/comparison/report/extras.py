"""What a report shows beside the figures of its runs: break-even, the article's table, examples that tell apart.

All of it may be missing: a report says what is at hand and leaves out the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.adapters import AdapterManifest
from playground.comparison.claims.article import ArticleEvidence
from playground.comparison.claims.break_even import Assumptions, BreakEven, break_even, default_assumptions
from playground.comparison.claims.stale_facts import StaleFacts
from playground.comparison.costs import CostBasis
from playground.comparison.examples import ShownAnswer, ShownExample, example_ids
from playground.comparison.figures import TechniqueFigures
from playground.comparison.outcomes import Outcome, TechniqueRows
from playground.comparison.scenario import ScenarioFunctions
from playground.comparison.techniques import Kind, Technique
from playground.comparison.whole_units import per_whole_unit, units_of
from playground.measuring.runs import RunInfo

MOST_EXAMPLES = 20
"""Most examples of a scenario in a report."""


@dataclass(frozen=True, slots=True)
class TechniqueAnswers:
    """A technique as examples are taken from it: its name, what was right, and the rows behind it."""

    name: str
    technique: Technique
    outcomes: Mapping[str, Outcome]
    group: TechniqueRows
    info: RunInfo


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What a technique made of an example."""

    name: str
    technique: Technique
    answer: ShownAnswer


@dataclass(frozen=True, slots=True)
class ReportExamples:
    """Examples with all their answers; ``total`` is on how many techniques differ, shown or not."""

    shown: tuple[tuple[ShownExample, tuple[ReportAnswer, ...]], ...]
    total: int


@dataclass(frozen=True, slots=True)
class ReportBreakEven:
    """Where the costs of a prompted and a fine-tuned technique cross; ``unit`` is what a request of both is.

    A technique is None where none was measured. ``hosted``: whether prompting uses a hosted model; ``is_default``:
    whether nobody chose the assumptions.
    """

    prompting: TechniqueFigures | None
    tuned: TechniqueFigures | None
    unit: str
    assumptions: Assumptions
    result: BreakEven
    hosted: bool = True
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class ReportExtras:
    """What is at hand beside the runs.

    Attributes:
        basis: how a request is priced on the chart of accuracy against cost.
        evidence: what the article's table, learning curve and stale facts are made of; None where it was not collected.
        problems: a sentence for each part of the evidence that could not be read.
        adapters: manifests by identity, for what training took.
        examples: by scenario.
        break_even: as it stands on the page, by scenario; where there is none the report makes one of defaults.
    """

    basis: CostBasis = field(default_factory=CostBasis)
    evidence: ArticleEvidence | None = None
    problems: tuple[str, ...] = ()
    adapters: Mapping[str, AdapterManifest] = field(default_factory=dict)
    examples: Mapping[str, ReportExamples] = field(default_factory=dict)
    break_even: Mapping[str, ReportBreakEven] = field(default_factory=dict)


def break_even_of(figures: Sequence[TechniqueFigures], extras: ReportExtras) -> ReportBreakEven | None:
    """Return the break-even as it stands on the page, else that which the page begins with.

    That has prompting with a hosted model, and measured values where they were measured; it is None where one kind was
    not measured.
    """
    for scenario in dict.fromkeys(one.scenario for one in figures):
        if (found := extras.break_even.get(scenario)) is not None:
            return found
    prompting = _first("prompting", [one for one in figures if one.input_tokens])
    tuned = _first("fine-tuning", figures)
    if prompting is None or tuned is None:
        return None
    stale: StaleFacts | None = extras.evidence.stale if extras.evidence else None
    adapter = extras.adapters.get(tuned.adapter or "")
    assumptions = default_assumptions(prompting, tuned, adapter=adapter, stale=stale, hosted=True)
    unit = units_of(per_whole_unit(one) for one in (prompting, tuned))
    result = break_even(assumptions, unit="" if unit == "request" else unit)
    return ReportBreakEven(prompting, tuned, unit, assumptions, result)


def differing_examples(
    techniques: Sequence[TechniqueAnswers], scenario: ScenarioFunctions, *, most: int = MOST_EXAMPLES
) -> ReportExamples:
    """Return the examples on which not all techniques were right or wrong, those that most were asked first."""
    ids = example_ids([one.outcomes for one in techniques], only_different=True)
    asked = Counter(name for one in techniques for name in one.outcomes)
    kept = sorted(ids, key=lambda name: -asked[name])[:most]
    if not kept:
        return ReportExamples((), 0)
    examples = scenario.shown_examples(kept, techniques[0].info)
    answers = [(one, scenario.shown_answers(one.group, kept, one.info)) for one in techniques]
    shown = tuple(
        (
            examples[name],
            tuple(ReportAnswer(one.name, one.technique, own[name]) for one, own in answers if name in own),
        )
        for name in kept
    )
    return ReportExamples(shown, len(ids))


def _first(kind: Kind, figures: Sequence[TechniqueFigures]) -> TechniqueFigures | None:
    own = [one for one in figures if one.technique.kind == kind]
    return next(iter([*(one for one in own if one.technique.stands_for_kind), *own]), None)
