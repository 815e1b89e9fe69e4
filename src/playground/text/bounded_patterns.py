"""Match regular expressions from outside files in a child process that is killed when it takes too long.

Neither matching nor compiling an expression is bounded in Python: nested repetition backtracks for years, and nested
counts fill the memory. The child gets a bound on both; its program is ``_CHILD``, which imports nothing of ours. One
child serves job after job, because starting one takes longer than most matching; it is replaced when it was killed,
died or kept much memory, and ends with this process.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, cast

from playground.errors import EvaluationError

TIMEOUT_S = 5.0
MOST_CHARACTERS = 20_000
"""Longest stretch of a text that is searched."""

MEMORY_BYTES = 512 << 20
_CHILD = """
import json, re, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
except (ImportError, ValueError, OSError):
    resource = None  # the parent's time-out still holds

def bound_cpu(seconds):
    # Holds where the parent dies during a job; counted from now, because the process's own time adds up.
    try:
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))
    except (AttributeError, ValueError, OSError):
        pass

def pages():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError):
        return 0

def reply_to(pattern, text):
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
        return None if text is None else bool(compiled.search(text))
    except re.error as error:
        return str(error)
    except (MemoryError, OverflowError, RecursionError):
        return "it is too large"

at_first = pages()
for line in sys.stdin:
    job = json.loads(line)
    bound_cpu(job["seconds"])
    replies = [reply_to(pattern, job["text"]) for pattern in job["patterns"]]
    re.purge()
    print(json.dumps({"replies": replies, "kept_pages": pages() - at_first}), flush=True)
"""
CAN_POLL = hasattr(select, "poll")
_READ_BYTES = 1 << 16
MOST_KEPT_PAGES = 16 << 10
"""64 MB: a child that keeps more is replaced, so that its bound on memory stays that of a fresh one."""

_Replies = list[bool | str | None]


def find_invalid(patterns: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Return, for each of ``patterns`` that is no usable regular expression, the reason."""
    distinct = list(dict.fromkeys(patterns))
    replies = _ask_child(distinct, None, timeout_s)
    if replies is None:  # one of many spoils the child, so look for it
        if len(distinct) == 1:
            return {distinct[0]: "it takes too long or too much memory to compile"}
        middle = len(distinct) // 2
        halves = distinct[:middle], distinct[middle:]
        return {k: v for half in halves for k, v in find_invalid(half, timeout_s=timeout_s).items()}
    return {pattern: reply for pattern, reply in zip(distinct, replies, strict=True) if isinstance(reply, str)}


def all_found(patterns: Sequence[str], text: str, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Tell whether every one of ``patterns`` is found in the first 20,000 characters of ``text``, whatever the case.

    Raises:
        EvaluationError: an expression is invalid, or searching took longer than ``timeout_s`` or too much memory.
    """
    if not patterns:
        return True
    replies = _ask_child(patterns, text[:MOST_CHARACTERS], timeout_s)
    if replies is None:
        raise EvaluationError(
            f"Matching the expected answer took over {timeout_s:g} s or too much memory and was stopped. Simplify its "
            f"regular expressions, nested repetition first: {_shortened(patterns)}"
        )
    for pattern, reply in zip(patterns, replies, strict=True):
        if isinstance(reply, str):
            raise EvaluationError(f"The regular expression {_shortened([pattern])} is invalid: {reply}. Correct it.")
    return all(replies)


def _ask_child(patterns: Sequence[str], text: str | None, timeout_s: float) -> _Replies | None:
    """Return the child's reply for each pattern; None when it was killed or died."""
    job = json.dumps({"patterns": list(patterns), "text": text, "seconds": int(timeout_s) + 1}).encode() + b"\n"
    return _MATCHER.ask(job, timeout_s)


class _Child:
    """The process that matches. ``jobs``: how many it was asked; ``was_late``: whether it was killed for its time."""

    def __init__(self, memory_bytes: int) -> None:
        command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _CHILD, str(memory_bytes)]
        pipe = subprocess.PIPE
        self.memory_bytes, self.jobs, self.was_late = memory_bytes, 0, False
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self.pid = self._process.pid
        self._jobs, self._replies = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def ask(self, job: bytes, timeout_s: float) -> bytes:
        """Return the reply to a job as a line; anything else when the child died or was killed after ``timeout_s``."""
        self.jobs += 1
        try:
            return self._polled(job, timeout_s) if CAN_POLL else self._watched(job, timeout_s)
        except OSError:
            return b""

    def _polled(self, job: bytes, timeout_s: float) -> bytes:
        """Ask without a second thread, which on a busy machine takes milliseconds to be scheduled."""
        deadline = time.monotonic() + timeout_s
        jobs, replies = self._jobs.fileno(), self._replies.fileno()
        poll = select.poll()
        poll.register(jobs, select.POLLOUT)
        poll.register(replies, select.POLLIN)
        reply, left = b"", memoryview(job)
        while not reply.endswith(b"\n"):
            ready = [file for file, _event in poll.poll(1_000 * max(0.0, deadline - time.monotonic()))]
            if not ready:
                self._kill_late()
                return b""
            if replies in ready:
                if not (part := os.read(replies, _READ_BYTES)):
                    return b""
                reply += part
            elif left:
                left = left[os.write(jobs, left[: select.PIPE_BUF]) :]  # as much as cannot block
                if not left:
                    poll.unregister(jobs)
        return reply

    def _watched(self, job: bytes, timeout_s: float) -> bytes:
        """Ask where pipes cannot be polled (Windows): a thread kills the child in time."""
        watch = threading.Timer(timeout_s, self._kill_late)
        watch.daemon = True
        watch.start()
        try:
            self._jobs.write(job)
            self._jobs.flush()
            return self._replies.readline()
        finally:
            watch.cancel()
            watch.join()  # after it, ``was_late`` is decided

    def _kill_late(self) -> None:
        self.was_late = True
        self._process.kill()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._jobs, self._replies):
            with contextlib.suppress(OSError):  # what is left to write has no reader
                stream.close()


class _Matcher:
    """Keeps one child for all threads of this process, a job at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def ask(self, job: bytes, timeout_s: float) -> _Replies | None:
        """Return the replies to a job; None where the child took too long or too much memory."""
        with self._lock:
            try:
                child = self._ready()
                line = child.ask(job, timeout_s)
                if not line.endswith(b"\n") and not child.was_late and child.jobs > 1:
                    self.drop()  # it may have died while it waited, which says nothing about this job
                    child = self._ready()
                    line = child.ask(job, timeout_s)
                return self._replies_in(line, child)
            except BaseException:
                self.drop()  # a reply that nobody waited for would be taken for the next one
                raise

    def drop(self) -> None:
        """End the child. At the exit not under the lock, which a thread may hold then."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return None if self._child is None else self._child.pid

    def forget(self) -> None:
        """Leave the child to another process: after a fork both would read each other's replies."""
        self._lock, self._child = threading.Lock(), None

    def _ready(self) -> _Child:
        if self._child is not None and self._child.memory_bytes != MEMORY_BYTES:
            self.drop()
        if self._child is None:
            try:
                self._child = _Child(MEMORY_BYTES)
            except OSError as error:
                raise EvaluationError(
                    f"The program that matches answers could not be started ({error.strerror}). Close other programs "
                    "and go on."
                ) from error
        return self._child

    def _replies_in(self, line: bytes, child: _Child) -> _Replies | None:
        """Return what a line replies, and keep the child only where it can serve another job."""
        reply = json.loads(line) if line.endswith(b"\n") else None
        if reply is None or child.was_late or reply["kept_pages"] > MOST_KEPT_PAGES:
            self.drop()
        return None if reply is None else cast(_Replies, reply["replies"])


_MATCHER = _Matcher()


def child_pid() -> int | None:
    """Return the process id of the child that waits for the next question; None where there is none."""
    return _MATCHER.pid


atexit.register(_MATCHER.drop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_MATCHER.forget)


def _shortened(patterns: Sequence[str]) -> str:
    return ", ".join(pattern if len(pattern) <= 80 else f"{pattern[:79]}…" for pattern in patterns[:3])
