"""The one measurement of this machine as the app sees it: it goes on when its page is left, and every session finds it.

A measurement is one or two runs (a scenario each) after each other. Every row is in its file before it is shown, so
that Stop, a crash or a closed browser keeps what is done.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from playground import machine
from playground.comparison.measured_here import RunRequest
from playground.comparison.techniques import Technique, title_of
from playground.errors import EvaluationError, PlaygroundError
from playground.measuring.evaluation import EvaluationPlan, evaluate_into, rows_done
from playground.models.embedding import EmbedderAround
from playground.text.counting import counted
from playground.types import Embedder, Example, Prediction, RunRecord, Strategy
from playground.ui.shared import jobs
from playground.ui.shared.jobs import Job
from scenarios import registry

if TYPE_CHECKING:
    import numpy as np

WARMING_UP, MEASURING = "Warming up", "Measuring"
_OVERALL = ""


@dataclass(slots=True)
class Part:
    """One run of a measurement. ``prepare`` checks the inputs and loads the models; only the thread changes the rest.

    ``check`` ends the thread that calls it where the measurement is to end; what takes long in ``prepare`` and in the
    warm-ups calls it in between.
    ``expected_s`` are seconds per row by technique, as recorded, for the time left before anything is measured.
    ``rows_of`` are how many rows each technique will have: one may not be asked everything.
    """

    request: RunRequest
    folder: Path
    prepare: Callable[[], EvaluationPlan]
    expected_s: Mapping[str, float] = field(default_factory=dict)
    rows: list[RunRecord] = field(default_factory=list)
    rows_s: list[float] = field(default_factory=list)
    """Seconds that each of ``rows`` took, the harness included."""
    rows_of: Mapping[str, int] = field(default_factory=dict)
    found_of: Mapping[str, int] = field(default_factory=dict)
    """Rows of each technique that were there already, of an earlier attempt."""
    check: Callable[[], None] = jobs.end_if_closing

    @property
    def techniques(self) -> tuple[Technique, ...]:
        """Those of the scenario, for their names."""
        return registry.scenario(self.request.scenario).techniques

    @property
    def planned(self) -> int:
        """Rows that are wanted."""
        return sum(self.rows_of.values())

    @property
    def found(self) -> int:
        """Rows that were there already."""
        return sum(self.found_of.values())

    @property
    def done(self) -> int:
        """Rows in the folder that this measurement wants."""
        return self.found + len(self.rows)


@dataclass(slots=True)
class Measurement:
    """A measurement under way or over. ``owner`` is the session that began it."""

    parts: tuple[Part, ...]
    owner: str
    stop: threading.Event = field(default_factory=threading.Event)
    stage: str = "Loading the models"
    started_at: float = field(default_factory=time.monotonic)
    ended_s: float | None = None
    job: Job[int] = field(default_factory=Job)
    busy: str = field(default_factory=machine.busy_sentence)
    """Said where the machine had other work when the measurement began: its times are longer for that."""

    @property
    def is_over(self) -> bool:
        """True when the thread has ended."""
        return self.job.done.is_set()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start, until the end."""
        return self.ended_s if self.ended_s is not None else time.monotonic() - self.started_at

    @property
    def done(self) -> int:
        """Rows that are in their files."""
        return sum(part.done for part in self.parts)

    @property
    def planned(self) -> int:
        """Rows that are wanted, as far as the plans are known."""
        return sum(part.planned for part in self.parts)

    def remaining_s(self) -> tuple[float | None, bool]:
        """Return the seconds left, from the rows measured so far or as recorded, and whether that is all of it.

        None when nothing is known; False where some techniques were neither measured yet nor recorded.
        """
        left, known, complete = 0.0, False, True
        for part in self.parts:
            seen = _seconds_by_strategy(part)
            for strategy in part.request.strategies:
                rate = seen.get(strategy, part.expected_s.get(strategy, seen.get(_OVERALL)))
                if rate is None or not part.planned:
                    complete = False
                    continue
                known = True
                measured = sum(row.strategy == strategy for row in part.rows)
                found = part.found_of.get(strategy, 0)
                left += rate * max(part.rows_of.get(strategy, 0) - measured - found, 0)
        return left if known else None, complete


class MeasurementDesk:
    """Takes one measurement at a time. Shared by all sessions of the app; safe for their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Measurement | None = None

    def latest(self) -> Measurement | None:
        """Return the measurement under way, else the last one that nobody has put away."""
        return self._latest

    def put_away(self, measurement: Measurement) -> None:
        """Forget a measurement that is over; its rows stay."""
        with self._lock:
            if self._latest is measurement and measurement.is_over:
                self._latest = None

    def start(self, parts: Sequence[Part], owner: str) -> Measurement:
        """Begin to measure in a thread.

        Raises:
            EvaluationError: another measurement is under way.
        """
        with self._lock:
            if self._latest is not None and not self._latest.is_over:
                raise EvaluationError("A measurement is running on this machine already. Wait for its end or stop it.")
            measurement = self._latest = Measurement(tuple(parts), owner)

            def work(_report: jobs.Report) -> int:
                # Not reported through the job, which would end a measurement whose page nobody looks at.
                try:
                    for part in measurement.parts:
                        if not measurement.stop.is_set():
                            _measure(part, measurement)
                    return measurement.done
                finally:
                    measurement.ended_s = time.monotonic() - measurement.started_at

            measurement.job = jobs.start(work)
            return measurement


def _measure(part: Part, measurement: Measurement) -> None:
    measurement.stage = "Loading the models"
    part.check = lambda: _end_if_stopped(measurement)
    try:
        plan = part.prepare()
        part.rows_of = plan.rows_of
        # Going on asks again where the model failed: it may be back.
        part.found_of = Counter(strategy for strategy, *_rest in rows_done(part.folder, plan, retry_errors=True))
        measurement.stage = WARMING_UP
        plan = replace(
            plan,
            strategies={
                name: _watched(title_of(name, part.techniques), each, measurement)
                for name, each in plan.strategies.items()
            },
        )
        rows = evaluate_into(part.folder, plan, retry_errors=True, max_cost_usd=part.request.max_cost_usd)
        started = time.monotonic()
        try:
            for row in rows:
                now = time.monotonic()
                # The first row's time has the warm-up of every technique in it; its own time is what the row says.
                taken = now - started if part.rows else _own_time_s(row, now - started)
                part.rows.append(row)
                part.rows_s.append(taken)
                started, measurement.stage = now, MEASURING
                if measurement.stop.is_set():
                    return
        finally:
            rows.close()  # type: ignore[attr-defined]  # a generator: what was spent is noted now
    except _StoppedError:
        return
    except PlaygroundError as error:
        are = "is" if part.done == 1 else "are"
        kept = f" {counted(part.done, 'finished row')} {are} kept." if part.done else ""
        raise EvaluationError(f"{error}{'' if ' kept' in str(error) else kept}") from error


class _StoppedError(Exception):
    """Ends a run before its next answer; it is no failure of a technique, so nothing is written of it."""


def _end_if_stopped(measurement: Measurement) -> None:
    jobs.end_if_closing()
    if measurement.stop.is_set():
        raise _StoppedError


class WatchedEmbedder(EmbedderAround):
    """An ``Embedder`` that calls ``check`` between portions: baselines embed all training clauses in their warm-up."""

    PORTION = 64

    def __init__(self, embedder: Embedder, check: Callable[[], None]) -> None:
        super().__init__(embedder)
        self._check = check

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 unit vectors [len(texts), d]; errors as for the embedder that is watched, and of ``check``."""
        import numpy as np

        found = []
        for start in range(0, max(len(texts), 1), self.PORTION):
            self._check()
            found.append(self._embedder.embed(texts[start : start + self.PORTION]))
        return found[0] if len(found) == 1 else np.concatenate(found)


def _watched(title: str, strategy: Strategy, measurement: Measurement) -> Strategy:
    """Return a strategy that looks at Stop before each answer: warm-ups fit and load, and may take long."""

    def answer(example: Example) -> Prediction:
        _end_if_stopped(measurement)
        if measurement.stage != MEASURING:
            measurement.stage = f"{WARMING_UP} ({title})"
        return strategy(example)

    return answer


def _own_time_s(row: RunRecord, otherwise: float) -> float:
    return row.prediction.timings.get("total_s", otherwise) if row.prediction else otherwise


def _seconds_by_strategy(part: Part) -> dict[str, float]:
    """Return the mean seconds of a row by technique, and of all under _OVERALL."""
    sums: dict[str, list[float]] = {}
    for row, seconds in zip(tuple(part.rows), tuple(part.rows_s), strict=False):
        for name in (row.strategy, _OVERALL):
            entry = sums.setdefault(name, [0.0, 0.0])
            entry[0] += seconds
            entry[1] += 1
    return {name: total / count for name, (total, count) in sums.items()}


DESK = MeasurementDesk()
