"""Work that goes on while the page is redrawn: a thread that reports events and can be cancelled.

A click anywhere makes Streamlit run the script again from its top. Work done in the script's own thread would be torn
down by that; a job lives in the session instead, and the next run of the script takes it up where it stands. The
thread never calls Streamlit.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from playground.errors import PlaygroundError
from playground.models.line import told_of_place

Result = TypeVar("Result")
Report = Callable[[Any], None]

ABANDONED_AFTER_S = 60.0
"""A job that no script run has looked at for this long is cancelled: its browser tab was closed."""

CLOSING_WAIT_S = 15.0
"""How long an app that closes waits for its threads to come out of what they compute."""

POLL_S = 0.08
_UNFORESEEN = "Something went wrong that the app did not foresee. The terminal that runs the app says what; try again."
_log = logging.getLogger(__name__)
_closing = threading.Event()
_threads: set[threading.Thread] = set()


class CancelledError(Exception):
    """Raised inside a job's thread when the job is to end."""


@dataclass(slots=True)
class Job(Generic[Result]):
    """A piece of work in a thread.

    ``events`` holds everything reported so far, in order; only the thread appends to it. ``result`` and ``error`` are
    set before ``done``. ``error`` is a sentence for the user; None with ``result`` None and ``done`` means cancelled.
    """

    events: list[Any] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    result: Result | None = None
    error: str | None = None
    place: int = 0
    """How many go first at the model that it waits for; 0 when it is its turn."""
    started_at: float = field(default_factory=time.monotonic)
    watched_at: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self.started_at

    def text(self) -> str:
        """Return the reported events joined, for jobs that report text."""
        return "".join(self.events)

    def last_event(self) -> Any:
        """Return the newest event, or None."""
        return self.events[-1] if self.events else None


def start(work: Callable[[Report], Result], *, needs_watching: bool = True) -> Job[Result]:
    """Run ``work`` in a thread and return its job; without ``needs_watching`` it goes on unseen.

    ``work`` is given a function to report with; reporting "" is a heartbeat and not kept. Reporting raises
    ``CancelledError`` once the job is cancelled or abandoned, and ``work`` must let it pass.
    """
    job: Job[Result] = Job()

    def report(event: Any) -> None:
        end_if_closing()
        is_abandoned = needs_watching and time.monotonic() - job.watched_at > ABANDONED_AFTER_S
        if job.cancel.is_set() or is_abandoned:
            raise CancelledError
        if event != "":
            job.events.append(event)

    def wait_at(place: int) -> None:
        job.place = place

    def run() -> None:
        try:
            report("")
            with told_of_place(wait_at):
                job.result = work(report)
        except CancelledError:
            pass
        except PlaygroundError as error:
            job.error = str(error)
        except Exception:
            # Once the app is closing, thread pools refuse work: nobody is left to tell.
            if threading.main_thread().is_alive():
                _log.exception("a background job failed")
            job.error = _UNFORESEEN
        finally:
            job.done.set()

    start_thread(run)
    return job


def start_thread(run: Callable[[], None], name: str | None = None) -> None:
    """Run something in a thread that does not keep the app open, and that the app waits for when it closes.

    The interpreter ends a daemon thread the next time it comes back from native code, and one that comes back from
    torch then takes the process down with "terminate called without an active exception".
    """

    def registered() -> None:
        try:
            run()
        finally:
            _threads.discard(thread)

    thread = threading.Thread(target=registered, daemon=True, name=name)
    _threads.add(thread)
    thread.start()


def end_if_closing() -> None:
    """End the thread that calls this, by ``CancelledError``, when the app is closing; ``report`` does it too."""
    if _closing.is_set():
        raise CancelledError


@atexit.register
def _close() -> None:
    _closing.set()
    give_up_at = time.monotonic() + CLOSING_WAIT_S
    try:
        for thread in list(_threads):
            thread.join(max(0.0, give_up_at - time.monotonic()))
    except KeyboardInterrupt:  # whoever presses Ctrl+C twice does not want to wait
        pass


@dataclass(frozen=True, slots=True)
class Activity:
    """A job on the page: ``draw`` shows how far it is, ``finish`` stores what came out. Both run in the script."""

    job: Job[Any]
    draw: Callable[[Job[Any]], None]
    finish: Callable[[Job[Any]], None]


def follow(activities: Sequence[Activity]) -> bool:
    """Draw the activities until one of them ends, and finish that one.

    ``draw`` must call Streamlit each time: that is where a click interrupts the script. An interrupted script leaves
    the jobs running.

    Returns:
        True when something ended and the page should be drawn anew; False when there was nothing to follow.
    """
    if not activities:
        return False
    while True:
        ended = False
        for activity in activities:
            activity.job.watched_at = time.monotonic()
            if activity.job.done.is_set():
                activity.finish(activity.job)
                ended = True
            else:
                activity.draw(activity.job)
        if ended:
            return True
        activities[0].job.done.wait(POLL_S)
