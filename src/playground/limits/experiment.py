"""An experiment as the whole project knows it: one record for each claim of the article that is measured here.

A record is made when the program starts, so it imports nothing heavy; ``load`` does, when something is measured or
read. ``scenarios/experiments.py`` lists the records; nothing else names an experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from playground.limits.finding import Finding

if TYPE_CHECKING:
    from playground.measuring.evaluation import EvaluationPlan
    from playground.measuring.runs import RunInfo
    from playground.types import ChatModel, Embedder, RunRecord

FEWEST = 5
"""Examples a condition below which nothing is said at all."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: ``examples`` of each condition; ``conditions`` are named, () stands for all."""

    examples: int
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequest:
    """What is to be measured.

    Attributes:
        size: how much.
        model: chat model as on the command line.
        adapter: name of the adapter where a condition answers through one; None for the one that fits the model.
        seed: of the sample.
    """

    size: Size
    model: str = "bundled"
    adapter: str | None = None
    seed: int = 0


class Prepare(Protocol):
    """Checks every input, then loads the models."""

    def __call__(
        self,
        request: LimitRequest,
        *,
        load_model: Callable[[], ChatModel],
        load_embedder: Callable[[], Embedder],
    ) -> EvaluationPlan:
        """Return what is measured: a strategy for each condition, the same examples for all of them.

        Raises:
            PlaygroundError: an input cannot be used, before a model is loaded; or a model cannot be loaded.
        """


@dataclass(frozen=True, slots=True)
class ExperimentFunctions:
    """What an experiment does.

    ``conditions``: the names of all; rows of others are not of this experiment.
    ``found``: rows of any order and size -> what they show. Raises EvaluationError where they are too few.
    ``recorded_before``: rows that were recorded in another form, read where the experiment's own folder has none.
    """

    conditions: tuple[str, ...]
    prepare: Prepare
    found: Callable[[Sequence[RunRecord]], Finding]
    recorded_before: Callable[[], tuple[RunInfo, Sequence[RunRecord]] | None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One claim and how it is measured.

    Attributes:
        name: on the command line, in ``RunInfo.scenario`` and in the page's address ("lost-in-the-middle").
        title: for people.
        claim: what the article says, in its terms.
        method: what is measured and how, in plain sentences.
        source: who measured it first, or where the method is from.
        rule: when the verdict is that it shows here.
        live: a run small enough for a demo; ``full`` the one that is recorded.
        live_takes_s: about how long the live run takes on two cores, in seconds.
        examples_are: what the examples are, in the plural.
        load: returns what it does.
        in_turns: whether the conditions take turns, so that a machine that slows down slows all of them. Off where an
            engine must keep a long prompt between two questions.
        recorded: folders below ``data/runs`` that the figures are read from; () for its own.
        compares_times: whether the verdict rests on seconds, which a busy machine makes longer.
        needs_model: whether a chat model is asked.
        beside_recorded: whether a run measured here is read together with the recorded rows: it adds a condition.
    """

    name: str
    title: str
    claim: str
    method: str
    source: str
    rule: str
    live: Size
    full: Size
    live_takes_s: int
    load: Callable[[], ExperimentFunctions]
    examples_are: str = "questions"
    in_turns: bool = True
    recorded: tuple[str, ...] = ()
    compares_times: bool = False
    needs_model: bool = True
    beside_recorded: bool = False

    @property
    def command(self) -> str:
        """What measures it in full, or goes on with it."""
        return f"python -m playground limits {self.name}"

    @property
    def recorded_folders(self) -> tuple[str, ...]:
        """Folders below ``data/runs`` that hold its recorded rows."""
        return self.recorded or (f"limits/{self.name}",)
