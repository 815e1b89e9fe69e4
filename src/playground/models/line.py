"""A fair line before an engine that does one thing at a time: first come, first served, a slice each.

A long answer gives the engine away after every slice and stands in line again, so that others need not wait for its
end. That changes when an answer is computed, not what comes out: each has a cache of its own, and no more are under way
than there are caches; who comes later waits for one of them to end, in the order of coming.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

_POLL_S = 0.1

Heartbeat = Callable[[], None]
"""Called while somebody waits. What it raises ends the waiting and reaches the caller."""

_on_place: ContextVar[Callable[[int], None] | None] = ContextVar("on_place", default=None)


@contextlib.contextmanager
def told_of_place(on_place: Callable[[int], None]) -> Iterator[None]:
    """Tell ``on_place`` the place in line of what this thread asks inside the block: 0 when it is its turn."""
    token = _on_place.set(on_place)
    try:
        yield
    finally:
        _on_place.reset(token)


@dataclass(eq=False, slots=True)
class Turn:
    """A request's turn at the engine. ``pause`` gives the engine to who waits, and comes back when it is free again."""

    line: Line
    heartbeat: Heartbeat
    under_way: bool = False
    has_engine: bool = False

    def pause(self) -> None:
        """Let one slice of everybody who waits go first."""
        self.line.give_way(self)


class Line:
    """Who waits for an engine. Safe to use from several threads.

    Args:
        at_once: how many may be under way: with a slice done, and not at their end.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._waiting: list[Turn] = []
        self._under_way = 0
        self._taken = False

    @contextlib.contextmanager
    def turn(self, heartbeat: Heartbeat = lambda: None) -> Iterator[Turn]:
        """Wait for the engine and hold it inside the block."""
        turn = Turn(self, heartbeat)
        try:
            self._wait(turn)
            yield turn
        finally:
            self._leave(turn)

    def give_way(self, turn: Turn) -> None:
        """Stand in line again with what is under way, where anybody is to go first."""
        with self._changed:
            if self._next() is None:
                return
            turn.has_engine = self._taken = False
            self._waiting.append(turn)
            self._changed.notify_all()
        self._wait(turn, stands=True)

    def _wait(self, turn: Turn, *, stands: bool = False) -> None:
        told = _on_place.get()
        with self._changed:
            if not stands:
                self._waiting.append(turn)
            while self._taken or self._next() is not turn:
                place = self._waiting.index(turn) + self._taken
                self._changed.release()
                try:
                    if told is not None and not turn.under_way:
                        told(place)
                    turn.heartbeat()
                finally:
                    self._changed.acquire()
                if self._taken or self._next() is not turn:
                    self._changed.wait(_POLL_S)
            self._waiting.remove(turn)
            self._under_way += not turn.under_way
            turn.under_way = turn.has_engine = self._taken = True
        if told is not None:
            told(0)

    def _next(self) -> Turn | None:
        """Return whose turn it is: the first in line that is under way or may begin."""
        may_begin = self._under_way < self._at_once
        return next((turn for turn in self._waiting if turn.under_way or may_begin), None)

    def _leave(self, turn: Turn) -> None:
        with self._changed:
            if turn in self._waiting:
                self._waiting.remove(turn)
            if turn.has_engine:
                self._taken = False
            self._under_way -= turn.under_way
            turn.under_way = turn.has_engine = False
            self._changed.notify_all()
