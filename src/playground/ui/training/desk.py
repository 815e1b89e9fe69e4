"""The one training of this machine as the app sees it: it goes on when its page is left, and every session finds it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from playground.adapters import AdapterStore
from playground.errors import TrainingError
from playground.training.clauses.plan import TrainingPlan
from playground.training.clauses.train import TrainingReport, train_clauses
from playground.training.progress import TrainingProgress, TrainingStopped
from playground.ui.shared import jobs
from playground.ui.shared.announcements import BUSY
from playground.ui.shared.jobs import Job
from playground.ui.shared.words import clock
from scenarios.return_policy.reader import training as reader
from scenarios.return_policy.reader.training import ReaderPlan, ReaderReport

Report = TrainingReport | ReaderReport

OWNER_GONE_AFTER_S = 120.0


@dataclass(slots=True)
class TrainingRun:
    """A training under way or over. ``owner`` is the session that began it; only the thread appends to ``progress``.

    ``stop`` asks it to end and keep the best so far, which the job's own cancel would throw away.
    """

    plan: TrainingPlan | ReaderPlan
    owner: str
    stop: threading.Event = field(default_factory=threading.Event)
    progress: list[TrainingProgress] = field(default_factory=list)
    started_at: float = field(default_factory=time.monotonic)
    owner_seen_at: float = field(default_factory=time.monotonic)
    """When a page of the owner was last drawn: who closed the window cannot stop it any more, and others may."""
    job: Job[Report] = field(default_factory=Job)

    @property
    def is_over(self) -> bool:
        """True when the thread has ended."""
        return self.job.done.is_set()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_at

    def may_stop(self, session_id: str) -> bool:
        """Tell whether a session may stop it: its owner, and anybody once the owner is gone."""
        return session_id == self.owner or time.monotonic() - self.owner_seen_at > OWNER_GONE_AFTER_S


class TrainingDesk:
    """Takes one training at a time. Shared by all sessions of the app; safe for their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: TrainingRun | None = None

    def latest(self) -> TrainingRun | None:
        """Return the training under way, else the last one that nobody has put away."""
        return self._run

    def said(self) -> str:
        """Return what every page says while a training is under way, "" while none is."""
        run = self._run
        if run is None or run.is_over:
            return ""
        left_s = run.progress[-1].remaining_s if run.progress else None
        left = "" if left_s is None else f" About {clock(left_s)} left."
        return f"A training is running on this machine ({run.plan.name}): answers and flags are slower meanwhile.{left}"

    def put_away(self, run: TrainingRun) -> None:
        """Forget a training that is over, so that the page offers a new one."""
        with self._lock:
            if self._run is run and run.is_over:
                self._run = None

    def start(self, plan: TrainingPlan | ReaderPlan, store: AdapterStore, owner: str) -> TrainingRun:
        """Begin to train in a thread.

        Raises:
            TrainingError: another training is under way.
        """
        with self._lock:
            if self._run is not None and not self._run.is_over:
                raise TrainingError(
                    f"The training of {self._run.plan.name!r} is running on this machine. Wait for its end or stop it."
                )
            run = self._run = TrainingRun(plan, owner)

            def on_progress(progress: TrainingProgress) -> bool:
                jobs.end_if_closing()
                run.progress.append(progress)
                return not run.stop.is_set()

            def work(_report: jobs.Report) -> Report:
                # Not reported through the job, which would end a training whose page nobody looks at.
                try:
                    if isinstance(plan, ReaderPlan):
                        return reader.train_reader(plan, store, on_progress)
                    report = train_clauses(plan, store, on_progress)
                except TrainingStopped as stopped:
                    raise TrainingError(str(stopped)) from stopped
                if report is None:
                    raise TrainingError("The app runs inside `accelerate launch`. Start it with `streamlit run`.")
                return report

            run.job = jobs.start(work)
            return run


DESK = TrainingDesk()
BUSY.said = DESK.said
