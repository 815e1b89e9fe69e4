"""The one live run of this machine: it goes on when its page is left, and every session finds it.

Every row is in its file before it is shown, so that Stop, a crash or a closed browser keeps what is done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from playground.errors import EvaluationError, PlaygroundError
from playground.limits.experiment import Experiment
from playground.limits.measure import measure_into
from playground.measuring.evaluation import EvaluationPlan, rows_done
from playground.types import Example, Prediction, RunRecord, Strategy
from playground.ui.shared import jobs
from playground.ui.shared.jobs import Job

LOADING, MEASURING = "Loading the models", "Measuring"


class _StoppedError(Exception):
    """Ends a run before its next answer; nothing is written of it."""


@dataclass(slots=True)
class LiveRun:
    """A run under way or over. ``owner`` is the session that began it; only the thread changes the rest."""

    experiment: Experiment
    folder: Path
    owner: str
    stop: threading.Event = field(default_factory=threading.Event)
    stage: str = LOADING
    found: int = 0
    """Rows that were there already, of an earlier attempt."""
    planned: int = 0
    rows: list[RunRecord] = field(default_factory=list)
    started_at: float = field(default_factory=time.monotonic)
    measuring_since: float | None = None
    ended_s: float | None = None
    job: Job[int] = field(default_factory=Job)

    @property
    def is_over(self) -> bool:
        """True when the thread has ended."""
        return self.job.done.is_set()

    @property
    def done(self) -> int:
        """Rows in the folder that this run wants."""
        return self.found + len(self.rows)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start, until the end."""
        return self.ended_s if self.ended_s is not None else time.monotonic() - self.started_at

    def remaining_s(self) -> float | None:
        """Return the seconds left, from the rows measured so far; None while there is none."""
        if not self.rows or self.measuring_since is None:
            return None
        each = (time.monotonic() - self.measuring_since) / len(self.rows)
        return each * max(self.planned - self.done, 0)


class ExperimentDesk:
    """Takes one run at a time. Shared by all sessions of the app; safe for their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: LiveRun | None = None

    def latest(self) -> LiveRun | None:
        """Return the run under way, else the last one that nobody has put away."""
        return self._latest

    def put_away(self, run: LiveRun) -> None:
        """Forget a run that is over; its rows stay."""
        with self._lock:
            if self._latest is run and run.is_over:
                self._latest = None

    def start(
        self,
        experiment: Experiment,
        folder: Path,
        prepare: Callable[[], EvaluationPlan],
        *,
        owner: str,
        max_cost_usd: float | None = None,
    ) -> LiveRun:
        """Begin to measure in a thread. ``prepare`` checks the inputs and loads the models.

        Raises:
            EvaluationError: another run is under way.
        """
        with self._lock:
            if self._latest is not None and not self._latest.is_over:
                raise EvaluationError("An experiment is running on this machine already. Wait for its end or stop it.")
            run = self._latest = LiveRun(experiment, folder, owner)

            def work(_report: jobs.Report) -> int:
                # Not reported through the job, which would end a run whose page nobody looks at.
                try:
                    _measure(run, prepare, max_cost_usd)
                    return run.done
                finally:
                    run.ended_s = time.monotonic() - run.started_at

            run.job = jobs.start(work)
            return run


def _measure(run: LiveRun, prepare: Callable[[], EvaluationPlan], max_cost_usd: float | None) -> None:
    try:
        plan = prepare()
        run.planned = plan.size
        # Going on asks again where the model failed: it may be back.
        run.found = len(rows_done(run.folder, plan, retry_errors=True))
        watched = {name: _watched(each, run) for name, each in plan.strategies.items()}
        rows = measure_into(
            run.folder,
            replace(plan, strategies=watched),
            in_turns=run.experiment.in_turns,
            retry_errors=True,
            max_cost_usd=max_cost_usd,
        )
        for row in rows:
            run.rows.append(row)
            if run.stop.is_set():
                return
    except _StoppedError:
        return
    except PlaygroundError as error:
        kept = f" {run.done:,} finished rows are kept." if run.done else ""
        raise EvaluationError(f"{error}{'' if 'rows are kept' in str(error) else kept}") from error


def _watched(strategy: Strategy, run: LiveRun) -> Strategy:
    """Return a strategy that looks at Stop before each answer."""

    def answer(example: Example) -> Prediction:
        jobs.end_if_closing()
        if run.stop.is_set():
            raise _StoppedError
        if run.measuring_since is None:
            run.stage, run.measuring_since = MEASURING, time.monotonic()
        return strategy(example)

    return answer


DESK = ExperimentDesk()
