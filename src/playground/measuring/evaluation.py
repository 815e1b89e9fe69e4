"""Run strategies over examples, one row at a time, so that a page can draw and an interruption keeps what is done."""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Container, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from playground.errors import EvaluationError, PlaygroundError, SpendingCapError
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.runs import (
    RowKey,
    RunInfo,
    appending,
    open_run,
    package_versions,
    read_records,
    read_spent_usd,
    row_key,
    run_lock,
    write_spent_usd,
)
from playground.measuring.spending import Spending
from playground.types import Example, Metric, Prediction, RunRecord, Strategy

FAILED = Prediction(output="", usage=None, timings={}, detail={"failed": True})
"""What metrics get for an example that could not be answered: they score it as wrong, nothing is dropped."""

GIVE_UP_AFTER = 5
"""Failures in a row after which a technique is not asked again in this run: its model is gone."""

_LAG_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class EvaluationOutline:
    """What of an ``EvaluationPlan`` is known before a model is loaded.

    ``adapters``: the identity of each strategy's adapter, None for those that need none. ``rows_of``: how many rows
    each will give.
    """

    adapters: Mapping[str, str | None]
    rows_of: Mapping[str, int]


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
    models_of: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """Model id and adapter of the strategies that do not use ``model_id`` and ``adapter``."""
    spending: Spending = field(default_factory=Spending)
    """Account of the models that cost something; ``prepare`` has them ``metered`` before a strategy gets them."""
    covers: Callable[[str, Example], bool] = lambda _strategy, _example: True
    """Whether a strategy is asked an example; others give no row, and figures say on how many they rest."""

    @property
    def rows_of(self) -> dict[str, int]:
        """How many rows each strategy gives."""
        return {name: sum(self.covers(name, example) for example in self.examples) for name in self.strategies}

    @property
    def size(self) -> int:
        """How many rows the whole plan gives."""
        return sum(self.rows_of.values())

    def model_of(self, strategy: str) -> tuple[str, str | None]:
        """Return the model id and the adapter of a strategy."""
        return self.models_of.get(strategy, (self.model_id, self.adapter))

    def key(self, strategy: str, example: Example) -> RowKey:
        """Return the key of the row that ``strategy`` gives for ``example``."""
        return strategy, *self.model_of(strategy), example.id, self.seed


def evaluate(
    plan: EvaluationPlan,
    *,
    run_id: str = "",
    done: Container[RowKey] = (),
    max_cost_usd: float | None = None,
    spent_usd: float = 0.0,
    at_once: int = 1,
) -> Iterator[RunRecord]:
    """Yield one record for each strategy and example that is not in ``done``.

    The strategies take turns, so that a machine that slows down slows all of them; each stays a few examples behind
    the one before it, because an engine reuses its work on a prompt it has just seen, and a strategy that asks the
    same question right after another would look faster than it is. A row that fails is a record with ``error``. After
    GIVE_UP_AFTER failures in a row of a strategy, the last of which says so, it is left out for the rest of the run.

    With ``max_cost_usd`` every call is checked before it is made: what was spent, ``spent_usd`` of earlier runs
    included, and the most that the call can cost must stay within it. A call that failed counts with that most.

    ``at_once`` examples are asked at a time, for servers that answer many together; the records come in the same order
    as one by one. Their times are those of a server with so many at once.

    Raises:
        SpendingCapError: the next call could exceed the cap; the row that needed it is not yielded.
        EvaluationError: the cap cannot be kept, because a price is not known.
        PlaygroundError: the warm-up failed, so every row would.
    """
    _limit_spending(plan, max_cost_usd, spent_usd)
    pending = [
        (strategy, example)
        for strategy, example in _turns(plan)
        if plan.key(strategy, example) not in done  # keeps the order of an uninterrupted run
    ]
    if plan.warm_up is not None:
        for name in dict.fromkeys(strategy for strategy, _example in pending):
            plan.strategies[name](plan.warm_up)
    machine, source_commit = describe_machine().label, commit()
    failures = dict.fromkeys(plan.strategies, 0)

    def wanted() -> Iterator[tuple[str, Example]]:
        # Looked at when its turn comes: a strategy may have been given up meanwhile.
        return ((strategy, example) for strategy, example in pending if failures[strategy] < GIVE_UP_AFTER)

    for strategy, example, asked in _in_order(plan, wanted(), at_once):
        if failures[strategy] >= GIVE_UP_AFTER:  # asked before it was given up
            continue
        model_id, adapter = plan.model_of(strategy)
        prediction, scores, error = asked.prediction, asked.scores, asked.error
        cost = plan.failed_cost_usd if prediction is None else prediction.detail.get("cost_usd")
        paid = isinstance(cost, int | float) and cost > 0
        failures[strategy] = failures[strategy] + 1 if prediction is None else 0
        if failures[strategy] >= GIVE_UP_AFTER:
            error = (
                f"{error} {strategy} failed {GIVE_UP_AFTER} times in a row and is given up for this run; its finished "
                "rows are kept. Run it again when the model answers."
            )
        yield RunRecord(
            run_id=run_id,
            strategy=strategy,
            model_id=model_id,
            adapter=adapter,
            example_id=example.id,
            seed=plan.seed,
            prediction=prediction,
            scores=scores,
            cost_usd=float(cost) if isinstance(cost, int | float) else None,
            error=error,
            started_at=asked.started_at,
            machine=machine,
            commit=source_commit,
            fingerprint=plan.fingerprint(strategy, example),
            priced_at=utc_now() if paid else "",
        )


def evaluate_into(
    folder: Path,
    plan: EvaluationPlan,
    *,
    retry_errors: bool = False,
    max_cost_usd: float | None = None,
    at_once: int = 1,
) -> Iterator[RunRecord]:
    """Evaluate into the run folder ``folder``: each record is in its file before it is yielded.

    Rows that are already there are not done again; with ``retry_errors`` those that failed are. ``max_cost_usd`` is for
    all that is ever spent on this folder: a run that the cap stopped goes on with a higher one.

    Raises:
        SpendingCapError: the next call could exceed the cap; all rows so far are in the folder.
        EvaluationError: the folder cannot be used, another process measures into it, it holds rows of the same
            questions under other settings, or a cap cannot be kept.
        PlaygroundError: the warm-up failed.
    """
    _limit_spending(plan, max_cost_usd, read_spent_usd(folder))  # before anything is written
    with run_lock(folder):
        yield from _evaluate_into(folder, plan, retry_errors, max_cost_usd, at_once)


def _evaluate_into(
    folder: Path, plan: EvaluationPlan, retry_errors: bool, max_cost_usd: float | None, at_once: int
) -> Iterator[RunRecord]:
    done = rows_done(folder, plan, retry_errors=retry_errors)
    spent_usd = read_spent_usd(folder)
    if at_once > 1:  # its times are to be read with that
        plan = replace(plan, settings={**plan.settings, "requests_at_once": at_once})
    info = open_run(folder, _run_info(plan))
    written_usd = spent_usd
    with appending(folder) as append:
        try:
            for record in evaluate(
                plan,
                run_id=info.run_id,
                done=done,
                max_cost_usd=max_cost_usd,
                spent_usd=spent_usd,
                at_once=at_once,
            ):
                append(record)
                if plan.spending.spent_usd != written_usd:
                    written_usd = plan.spending.spent_usd
                    write_spent_usd(folder, written_usd)
                yield record
        finally:
            # Warm-ups and calls of a row that was not finished have no row that says what they cost.
            if plan.spending.spent_usd != written_usd:
                write_spent_usd(folder, plan.spending.spent_usd)


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
            place = step - lag * position
            if 0 <= place < len(examples) and plan.covers(name, examples[place]):
                yield name, examples[place]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of one example; ``cap`` where the spending cap kept it from being asked."""

    started_at: str
    prediction: Prediction | None = None
    scores: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    cap: SpendingCapError | None = None


def _in_order(
    plan: EvaluationPlan, wanted: Iterator[tuple[str, Example]], at_once: int
) -> Iterator[tuple[str, Example, _Asked]]:
    """Ask ``at_once`` examples at a time and yield what came of each in their order.

    Raises:
        SpendingCapError: the cap was reached; what was under way has been yielded, as it is paid for.
    """
    cap: SpendingCapError | None = None
    under_way: deque[tuple[str, Example, Callable[[], _Asked]]] = deque()
    with ExitStack() as stack:
        submit = _submitter(plan, at_once, stack)
        while True:
            while len(under_way) < at_once and cap is None and (next_one := next(wanted, None)):
                under_way.append((*next_one, submit(*next_one)))
            if not under_way:
                break
            strategy, example, result = under_way.popleft()
            asked = result()
            cap = cap or asked.cap
            if asked.cap is None:
                yield strategy, example, asked
    if cap is not None:
        raise cap


def _submitter(plan: EvaluationPlan, at_once: int, stack: ExitStack) -> Callable[[str, Example], Callable[[], _Asked]]:
    """Return what starts an example and returns a function for its result; one at a time needs no threads."""
    if at_once == 1:
        return lambda strategy, example: functools.partial(_ask, plan, strategy, example)
    pool = ThreadPoolExecutor(at_once)
    stack.callback(pool.shutdown, cancel_futures=True)
    return lambda strategy, example: pool.submit(_ask, plan, strategy, example).result


def _ask(plan: EvaluationPlan, strategy: str, example: Example) -> _Asked:
    started_at, prediction = utc_now(), None
    try:
        prediction = plan.strategies[strategy](example)
        scores = {name: metric(prediction, example) for name, metric in plan.metrics.items()}
        return _Asked(started_at, prediction, scores)
    except SpendingCapError as error:
        return _Asked(started_at, cap=error)  # the run ends; the example is no failure
    except PlaygroundError as error:
        failed = {name: metric(FAILED, example) for name, metric in plan.metrics.items()}
        return _Asked(started_at, prediction, failed, str(error))


def _limit_spending(plan: EvaluationPlan, max_cost_usd: float | None, spent_usd: float) -> None:
    plan.spending.limit(max_cost_usd, spent_usd=spent_usd)
    if max_cost_usd is not None and plan.failed_cost_usd is None and not plan.spending.has_models:
        raise EvaluationError(f"What {plan.model_id} costs is not known, so a spending cap cannot be kept.")


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
