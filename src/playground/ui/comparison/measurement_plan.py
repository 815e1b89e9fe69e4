"""From a click to a measurement: what can be measured here, how long it will take, and its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground import pricing
from playground.comparison.defaults import outline_of
from playground.comparison.figures import TechniqueFigures
from playground.comparison.measured_here import MOST_EXAMPLES, RunRequest
from playground.comparison.rows import RunRows
from playground.comparison.techniques import technique_named
from playground.errors import EvaluationError, PlaygroundError
from playground.measuring.evaluation import EvaluationOutline, EvaluationPlan
from playground.measuring.request import MeasuringRequest, request_for
from playground.models.sources import ModelChoice
from playground.types import ChatModel, Embedder, Usage
from playground.ui.comparison.desk import Part, WatchedEmbedder
from scenarios import registry

QUICK, SAMPLE, ALL = "quick", "sample", "all"

_NEEDS_BUNDLED = (
    "The adapter was trained on the small bundled model and fits no other. Choose that model in the sidebar to measure "
    "it."
)
_START_S = 20.0
"""Loading, indexing and warming up, before the first row."""


class _CheckedError(Exception):
    """Ends ``prepare`` where it would load a model: every input before that was found to be good."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A technique of a scenario through one adapter; ``problem`` says why it cannot be measured here, "" when it can.

    ``adapter`` and ``pairs`` are as in ``RunRequest``.
    """

    strategy: str
    adapter: str | None = None
    pairs: int | None = None
    problem: str = ""


def recorded_ways(runs: Sequence[RunRows]) -> tuple[Cell, ...]:
    """Return what was measured in some runs, and how, each technique and adapter once; the largest run goes first."""
    found: dict[tuple[str, str | None], Cell] = {}
    for run in sorted(runs, key=lambda run: -len(run.records)):
        pairs = run.info.settings.get("pairs_per_contract")
        is_count = isinstance(pairs, int) and 0 < pairs <= MOST_EXAMPLES
        for strategy, adapter in dict.fromkeys((row.strategy, row.adapter) for row in run.records):
            way = Cell(strategy, adapter, int(str(pairs)) if is_count else None)
            found.setdefault((strategy, adapter), way)
    return tuple(found.values())


def cells(scenario: str, known: Sequence[Cell] = (), *, bundled: bool = True) -> tuple[Cell, ...]:
    """Return the techniques of a scenario in the order of the charts, each with why it cannot be measured, if so.

    A technique is there once for each adapter in ``known`` (what was measured before), and for the active one, which is
    asked about as many pairs as the known ones. ``bundled`` tells whether the bundled model answers: adapters of a chat
    model fit no other.
    """
    techniques = registry.scenario(scenario).techniques
    names = [one.name for one in techniques]
    active = _active_adapters(scenario, names)
    pairs = next((way.pairs for way in known if way.pairs), None)
    found = []
    for name in names:
        ways = [way for way in known if way.strategy == name]
        if not ways or (name in active and active[name] not in [way.adapter for way in ways]):
            ways.append(Cell(name, active.get(name), pairs))
        found += ways
    adapted = {one.name for one in techniques if one.chat_model == "bundled"}
    return tuple(
        replace(way, problem=_NEEDS_BUNDLED if way.strategy in adapted and not bundled else _problem(scenario, way))
        for way in found
    )


def _active_adapters(scenario: str, names: Sequence[str]) -> dict[str, str | None]:
    """Return the adapter that each technique uses when none is named; those that lack one are left out."""
    try:
        return dict(_outline(RunRequest(scenario, tuple(names), 1, "bundled")).adapters)
    except PlaygroundError:
        found: dict[str, str | None] = {}
        for name in names if len(names) > 1 else ():
            found |= _active_adapters(scenario, [name])
        return found


def _outline(request: RunRequest) -> EvaluationOutline:
    """Return what a run will ask.

    Raises:
        PlaygroundError: it cannot be done here, for instance because an adapter is gone.
    """
    outline = outline_of(registry.scenario(request.scenario).load(), measuring_request(request))
    for strategy, identity in request.adapters:
        if (found := outline.adapters.get(strategy)) != identity:
            raise EvaluationError(
                f"The adapter {identity} is not on this machine: the one of this name is {found}, trained another time."
            )
    return outline


def _problem(scenario: str, way: Cell) -> str:
    """Return why a technique cannot be measured here. ``prepare`` checks every input before it loads a model."""

    def stop() -> Any:
        raise _CheckedError

    functions = registry.scenario(scenario).load()
    (request,) = requests_of(scenario, [way], 1, "bundled")
    try:
        _outline(request)
        functions.prepare(measuring_request(request), load_model=stop, load_embedder=stop)
    except _CheckedError:
        return ""
    except PlaygroundError as error:
        return str(error)
    return ""


def requests_of(
    scenario: str, ways: Sequence[Cell], limit: int | None, model: str, max_cost_usd: float | None = None
) -> list[RunRequest]:
    """Return the runs that measure some techniques: as few as can be, for a run has each technique once."""
    groups: list[list[Cell]] = []
    for way in ways:
        fitting = (
            group
            for group in groups
            if group[0].pairs == way.pairs and way.strategy not in [other.strategy for other in group]
        )
        if (group := next(fitting, None)) is not None:
            group.append(way)
        else:
            groups.append([way])
    return [
        RunRequest(
            scenario,
            tuple(way.strategy for way in group),
            limit,
            model,
            max_cost_usd=max_cost_usd,
            adapters=tuple((way.strategy, way.adapter) for way in group if way.adapter),
            pairs=group[0].pairs,
        )
        for group in groups
    ]


def measuring_request(request: RunRequest) -> MeasuringRequest:
    """Return what the scenario is asked for, as the command line would ask for the same run."""
    return request_for(
        registry.scenario(request.scenario).request,
        strategies=request.strategies,
        model=request.model,
        limit=request.limit,
        seed=request.seed,
        adapters={strategy: identity.rpartition("@")[0] for strategy, identity in request.adapters},
        pairs=request.pairs,
    )


def limits_of(scenario: str) -> Mapping[str, int | None]:
    """Return how many examples each size of a measurement has; None for all."""
    samples = registry.scenario(scenario).samples
    return {QUICK: samples.quick, SAMPLE: samples.sample, ALL: None}


@lru_cache(maxsize=4)
def example_count(scenario: str) -> int:
    """Return how many examples a scenario has: questions, or contracts."""
    return registry.scenario(scenario).load().example_count()


def planned_rows(request: RunRequest) -> dict[str, int]:
    """Return how many rows each technique of a run will have: closed-book LoRA is not asked every question.

    Raises:
        PlaygroundError: the run cannot be done here, for instance because an adapter is gone.
    """
    return dict(_outline(request).rows_of)


def seconds_per_row(figures: Sequence[TechniqueFigures]) -> dict[str, float]:
    """Return the mean seconds that a row of each technique took, as recorded; a row may stand for several requests."""
    found = {}
    for one in figures:
        if one.total_s and one.n and (one.recorded or one.strategy not in found):
            mean_s = sum(one.total_s.values) / len(one.total_s.values)
            found[one.strategy] = mean_s * one.requests / one.n
    return found


def estimate_s(
    requests: Sequence[RunRequest],
    rates: Mapping[str, Mapping[str, float]],
    rows_of: Callable[[RunRequest], Mapping[str, int]] = planned_rows,
) -> float | None:
    """Return about how long a measurement will take; None where a technique was never recorded."""
    total = _START_S * len(requests)
    for request in requests:
        known = rates.get(request.scenario, {})
        if any(name not in known for name in request.strategies):
            return None
        total += sum(count * known[name] for name, count in rows_of(request).items())
    return total


def needs_chat_model(requests: Sequence[RunRequest]) -> bool:
    """Whether any technique of the runs asks a chat model."""
    return any(
        technique_named(name, registry.scenario(request.scenario).techniques).chat_model != "none"
        for request in requests
        for name in request.strategies
    )


def part_of(
    request: RunRequest,
    folder: Path,
    *,
    model: Callable[[], ChatModel],
    embedder: Callable[[], Embedder],
    expected_s: Mapping[str, float],
) -> Part:
    """Return a run as the desk takes it: checked and loaded in the desk's thread."""

    scenario = registry.scenario(request.scenario)

    def prepare() -> EvaluationPlan:
        return scenario.load().prepare(
            measuring_request(request),
            load_model=model,
            load_embedder=lambda: WatchedEmbedder(embedder(), part.check),
        )

    part = Part(request, folder, prepare, expected_s, rows_of=planned_rows(request))
    return part


def is_priced(choice: ModelChoice) -> bool:
    """Whether the price of a model's tokens is known, so that a spending cap can be kept."""
    if choice.endpoint is None:
        return True
    price = pricing.cost_usd(Usage(1, 1), choice.endpoint.model, provider_base_url=choice.endpoint.base_url)
    return price is not None
