"""Run strategies over examples, one row at a time, so that a page can draw and an interruption keeps what is done."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from playground.errors import EvaluationError, PlaygroundError
from playground.machine import commit, describe_machine, utc_now
from playground.runs import (
    RowKey,
    RunInfo,
    appending,
    open_run,
    package_versions,
    read_records,
    row_key,
)
from playground.types import Example, Metric, Prediction, RunRecord, Strategy

FAILED = Prediction(output="", usage=None, timings={}, detail={"failed": True})
"""What metrics get for an example that could not be answered: they score it as wrong, nothing is dropped."""

_LAG_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """Everything that an evaluation needs, with all inputs checked and all models loaded.

    ``fingerprint(strategy, example)`` hashes what decides the outcome of a row beside its key. ``settings`` and
    ``models`` (by model id) are ready for JSON. ``failed_cost_usd`` is the cost of a request that failed: 0.0 on this
    machine, None where it is not known. ``warm_up`` is answered once by each strategy before anything counts.
    """

    scenario: str
    model_id: str
    seed: int
    strategies: Mapping[str, Strategy]
    examples: Sequence[Example]
    metrics: Mapping[str, Metric]
    fingerprint: Callable[[str, Example], str] = lambda _strategy, _example: ""
    settings: Mapping[str, object] = field(default_factory=dict)
    models: Mapping[str, object] = field(default_factory=dict)
    adapter: str | None = None
    failed_cost_usd: float | None = None
    warm_up: Example | None = None

    def key(self, strategy: str, example: Example) -> RowKey:
        """Return the key of the row that ``strategy`` gives for ``example``."""
        return strategy, self.model_id, self.adapter, example.id, self.seed


def evaluate(plan: EvaluationPlan, *, run_id: str = "", done: Container[RowKey] = ()) -> Iterator[RunRecord]:
    """Yield one record for each strategy and example that is not in ``done``.

    The strategies take turns, so that a machine that slows down slows all of them; each stays a few examples behind
    the one before it, because an engine reuses its work on a prompt it has just seen, and a strategy that asks the
    same question right after another would look faster than it is. A row that fails is a record with ``error``.

    Raises:
        PlaygroundError: the warm-up failed, so every row would.
    """
    pending = [
        (strategy, example)
        for strategy, example in _turns(plan)
        if plan.key(strategy, example) not in done  # keeps the order of an uninterrupted run
    ]
    if plan.warm_up is not None:
        for name in dict.fromkeys(strategy for strategy, _example in pending):
            plan.strategies[name](plan.warm_up)
    machine, source_commit = describe_machine().label, commit()
    for strategy, example in pending:
        started_at = utc_now()
        prediction, scores, error = _answered(plan.strategies[strategy], example, plan.metrics)
        cost = plan.failed_cost_usd if prediction is None else prediction.detail.get("cost_usd")
        yield RunRecord(
            run_id=run_id,
            strategy=strategy,
            model_id=plan.model_id,
            adapter=plan.adapter,
            example_id=example.id,
            seed=plan.seed,
            prediction=prediction,
            scores=scores,
            cost_usd=float(cost) if isinstance(cost, int | float) else None,
            error=error,
            started_at=started_at,
            machine=machine,
            commit=source_commit,
            fingerprint=plan.fingerprint(strategy, example),
        )


def evaluate_into(folder: Path, plan: EvaluationPlan, *, retry_errors: bool = False) -> Iterator[RunRecord]:
    """Evaluate into the run folder ``folder``: each record is in its file before it is yielded.

    Rows that are already there are not done again; with ``retry_errors`` those that failed are.

    Raises:
        EvaluationError: the folder cannot be used, or holds rows of the same questions under other settings.
        PlaygroundError: the warm-up failed.
    """
    done = rows_done(folder, plan, retry_errors=retry_errors)
    info = open_run(folder, _run_info(plan))
    with appending(folder) as append:
        for record in evaluate(plan, run_id=info.run_id, done=done):
            append(record)
            yield record


def rows_done(folder: Path, plan: EvaluationPlan, *, retry_errors: bool = False) -> frozenset[RowKey]:
    """Return the keys of the rows of ``plan`` that ``folder`` already holds.

    Raises:
        EvaluationError: a row there has the same key but came from other settings, another policy or question.
    """
    wanted = {plan.key(name, example): plan.fingerprint(name, example) for name, example in _turns(plan)}
    found = {row_key(record): record for record in read_records(folder) if row_key(record) in wanted}
    changed = [record for key, record in found.items() if record.fingerprint != wanted[key]]
    if changed:
        raise EvaluationError(
            f"{folder} holds {len(changed)} of these rows with other settings, policies or questions (first: "
            f"{changed[0].strategy}, {changed[0].example_id}). Choose another folder with --out."
        )
    return frozenset(key for key, record in found.items() if not (retry_errors and record.error))


def planned_records(folder: Path, plan: EvaluationPlan) -> list[RunRecord]:
    """Return the rows of ``plan`` that ``folder`` holds, each once."""
    wanted = {plan.key(name, example) for name, example in _turns(plan)}
    return [record for record in read_records(folder) if row_key(record) in wanted]


def sample_examples(
    examples: Sequence[Example], limit: int, *, seed: int, stratum: Callable[[Example], Hashable]
) -> list[Example]:
    """Return ``limit`` examples in their given order, drawn at random so that each stratum keeps its share.

    A larger limit with the same seed contains the smaller one, so that a run can be extended.
    """
    strata: dict[Hashable, list[Example]] = defaultdict(list)
    for example in examples:
        strata[stratum(example)].append(example)
    place: dict[str, float] = {}
    for members in strata.values():
        shuffled = sorted(members, key=lambda example: fingerprint_of(seed, example.id))
        place |= {example.id: (rank + 0.5) / len(members) for rank, example in enumerate(shuffled)}
    chosen = set(sorted(place, key=lambda name: (place[name], name))[:limit])
    return [example for example in examples if example.id in chosen]


def fingerprint_of(*parts: object) -> str:
    """Return a short hash of values that are ready for JSON."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _turns(plan: EvaluationPlan) -> Iterator[tuple[str, Example]]:
    examples, lag = plan.examples, _LAG_EXAMPLES
    for step in range(len(examples) + lag * max(len(plan.strategies) - 1, 0)):
        for position, name in enumerate(plan.strategies):
            if 0 <= step - lag * position < len(examples):
                yield name, examples[step - lag * position]


def _answered(
    strategy: Strategy, example: Example, metrics: Mapping[str, Metric]
) -> tuple[Prediction | None, dict[str, float], str | None]:
    prediction = None
    try:
        prediction = strategy(example)
        return prediction, {name: metric(prediction, example) for name, metric in metrics.items()}, None
    except PlaygroundError as error:
        return prediction, {name: metric(FAILED, example) for name, metric in metrics.items()}, str(error)


def _run_info(plan: EvaluationPlan) -> RunInfo:
    started_at = utc_now()
    return RunInfo(
        run_id=f"{plan.scenario}-{started_at[:19].replace(':', '')}-{secrets.token_hex(3)}",
        scenario=plan.scenario,
        started_at=started_at,
        settings=plan.settings,
        models=plan.models,
        machine=asdict(describe_machine()),
        versions=package_versions(),
        commit=commit(),
    )
