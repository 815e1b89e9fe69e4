"""A scenario as the whole project knows it: one record that says everything, filled in by the scenario's own folder.

What a newcomer must bring: a name, a title, techniques, and ``load``, which returns how the scenario measures
(``prepare``), how its rows are read (``compared``) and how many examples it has (``example_count``). Everything else
has a default. ``scenarios/registry.py`` lists the records; nothing else in the project names a scenario.

A record is made when the program starts, so it imports nothing heavy: ``load`` does, when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from playground.comparison.examples import ShownAnswer, ShownExample, plain_answers, plain_examples
from playground.comparison.outcomes import Measured, Outcome
from playground.comparison.techniques import Technique
from playground.measuring.request import MeasuringRequest

if TYPE_CHECKING:
    from playground.adapters import Task
    from playground.comparison.outcomes import TechniqueRows
    from playground.measuring.evaluation import EvaluationOutline, EvaluationPlan
    from playground.measuring.runs import RunInfo
    from playground.types import ChatModel, Embedder, RunRecord

__all__ = [
    "ArticlePart",
    "Box",
    "ComparedScenario",
    "Demo",
    "DemoStep",
    "HomeCard",
    "Measured",
    "Outcome",
    "Page",
    "Samples",
    "Scenario",
    "ScenarioFunctions",
    "Training",
]


Shows = Literal["changing facts", "one task"]

# --- the record -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Samples:
    """How many examples a quick look and a sample have; the third choice of the comparison page is all."""

    quick: int = 6
    sample: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that the menu, the comparison, the command line and the report know of a scenario.

    Attributes:
        name: of its folder, on the command line and in ``RunInfo.scenario``.
        title: heading of its part of a report ("Return policy").
        techniques: in the order of the charts.
        load: returns its functions; called when something is measured or compared.
        request: what measuring asks for; a kind of its own where the scenario has options of its own.
        default_techniques: measured where nobody names any; all where this is empty.
        examples_are: what the examples are, in the plural ("questions").
        samples: how many examples the comparison page offers to measure.
        page: its own page; None for a scenario that has none, whose entry in the menu opens the comparison.
        letter: stands before its title where scenarios are chosen ("A").
        card: its picture on the home page.
        demo: the steps of showing it, on the home page.
        article: which part of the article it is; None where it is none.
        trainings: the adapters that can be trained for it.
    """

    name: str
    title: str
    techniques: tuple[Technique, ...]
    load: Callable[[], ScenarioFunctions]
    request: type[MeasuringRequest] = MeasuringRequest
    default_techniques: tuple[str, ...] = ()
    examples_are: str = "examples"
    samples: Samples = Samples()
    page: Page | None = None
    letter: str = ""
    card: HomeCard | None = None
    demo: Demo | None = None
    article: ArticlePart | None = None
    trainings: tuple[Training, ...] = ()

    @property
    def measured_by_default(self) -> tuple[str, ...]:
        """The names of the techniques that are measured where nobody names any."""
        return self.default_techniques or tuple(one.name for one in self.techniques)

    @property
    def choice(self) -> str:
        """What it is called where one scenario of several is chosen, and in the comparison page's address."""
        return f"{self.letter} {self.title[:1].lower()}{self.title[1:]}" if self.letter else self.title


def scenario_showing(shows: Shows, scenarios: Iterable[Scenario]) -> Scenario | None:
    """Return the scenario that shows a half of the article's "best for"; None where there is none."""
    return next((one for one in scenarios if one.article is not None and one.article.shows == shows), None)


def techniques_of(scenario: Scenario | None) -> tuple[Technique, ...]:
    """Return a scenario's techniques; none where there is no scenario."""
    return scenario.techniques if scenario is not None else ()


# --- what it does ---------------------------------------------------------------------------------------------------


class Prepare(Protocol):
    """Checks every input, then loads the models."""

    def __call__(
        self,
        request: MeasuringRequest,
        *,
        load_model: Callable[[], ChatModel],
        load_embedder: Callable[[], Embedder],
    ) -> EvaluationPlan:
        """Return what ``evaluate_into`` measures.

        Raises:
            PlaygroundError: an input cannot be used, before a model is loaded; or a model cannot be loaded.
        """


Figures = Mapping[str, object]
"""What ``evaluate --json`` prints of a technique; has at least "strategy"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFunctions:
    """How a scenario measures, how its rows are compared, and how both are put in words.

    Attributes:
        prepare: see ``Prepare``.
        compared: run and the file that it was measured on (None for the scenario's own examples) -> how its rows are
            read. Raises EvaluationError where the file cannot be used.
        example_count: how many examples of its own the scenario has.
        outline: what ``prepare`` would plan, without loading a model; None for ``plain_outline``: every technique on
            every example, without an adapter.
        summarise: rows and plan -> the figures of each technique, ready for JSON; None for ``plain_figures``.
        as_table: those figures as text for a terminal; None for ``plain_table``.
        shown_examples: examples in words, by id.
        shown_answers: what a technique made of the examples with some ids, in words, by id.
        prompt_examples: worked examples that its largest prompt shows.
    """

    prepare: Prepare
    compared: Callable[[RunInfo, Path | None], ComparedScenario]
    example_count: Callable[[], int]
    outline: Callable[[MeasuringRequest], EvaluationOutline] | None = None
    summarise: Callable[[Sequence[RunRecord], EvaluationPlan], Sequence[Figures]] | None = None
    as_table: Callable[[Sequence[Figures]], str] | None = None
    shown_examples: Callable[[Sequence[str], RunInfo], Mapping[str, ShownExample]] = plain_examples
    shown_answers: Callable[[TechniqueRows, Sequence[str], RunInfo], Mapping[str, ShownAnswer]] = plain_answers
    prompt_examples: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class ComparedScenario:
    """How the rows of one run of a scenario are read.

    Attributes:
        name: as in ``RunInfo.scenario``.
        unit: what one request is, in words.
        measure: rows of one technique -> its rates.
        outcomes: rows of one technique -> what was right, by an id that all techniques share; for paired tests.
        requests_of: how many requests a row stands for; 0 where it failed before the first.
        required_scores: a row without them is not of this scenario and does not count.
        basis: what was measured, by name and hash (policies, contracts): runs are only paired where it agrees.
        notes: sentences for the reader, for instance about what could not be measured.
        part_of: rows of one technique -> what its request is where that is only a part of ``unit``, and how many parts
            make a whole; None where it is the whole.
        title: the scenario's title.
        techniques: those of the scenario; others are grey, under their own names.
    """

    name: str
    unit: str
    measure: Callable[[Sequence[RunRecord]], Measured]
    outcomes: Callable[[Sequence[RunRecord]], Mapping[str, Outcome]]
    requests_of: Callable[[RunRecord], int] = lambda _record: 1
    required_scores: tuple[str, ...] = ()
    basis: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    part_of: Callable[[Sequence[RunRecord]], tuple[str, int] | None] = lambda _rows: None
    title: str = ""
    techniques: tuple[Technique, ...] = ()


# --- its parts ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A scenario's own page: its file, what the menu calls it, its icon."""

    path: str
    title: str
    icon: str


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a scenario's picture. ``changed`` marks what its technique changes."""

    title: str
    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class HomeCard:
    """A scenario on the home page: its picture and the words of the link to its page.

    ``claim`` may hold ``<b>``. ``trains``: whether the page that trains adapters is linked as well.
    """

    title: str
    claim: str
    boxes: tuple[Box, ...]
    link: str
    trains: bool = False


Actions = tuple[tuple[str, str], ...]
"""What is done and with what, in order: (("mode", "rag"), ("ask", "How long?"))."""


@dataclass(frozen=True, slots=True)
class DemoStep:
    """A step of a demo: its link opens the scenario's page with ``address`` as its query.

    ``actions`` are what the step does in presenter mode, as the scenario's page knows them.
    """

    address: Mapping[str, str]
    title: str
    text: str
    actions: Actions = ()


@dataclass(frozen=True, slots=True)
class Demo:
    """How a scenario is shown to an audience."""

    title: str
    steps: tuple[DemoStep, ...]

    def with_actions(self, actions: Mapping[str, Actions]) -> Demo:
        """Return the demo with what each step does, by the step's title."""
        steps = tuple(replace(step, actions=actions.get(step.title, ())) for step in self.steps)
        return replace(self, steps=steps)


@dataclass(frozen=True, slots=True)
class ArticlePart:
    """Which of the article's two examples a scenario is ("Scenario A"), and which half of "best for" it shows.

    Of "changing facts" the stale facts are recorded, of "one task" the learning curve.
    """

    name: str
    shows: Shows


@dataclass(frozen=True, slots=True)
class Training:
    """An adapter that can be trained: what it does (``AdapterManifest.task``), and its name for people."""

    task: Task
    title: str
