"""Tasks given to processes one at a time: a process that dies takes one task with it, and another takes its place."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from playground.errors import ModelError, PlaygroundError

Task = TypeVar("Task")
Reply = TypeVar("Reply")
Start = Callable[[int], Callable[[Task], Reply]]
"""Loads what the work needs, for so many threads, and returns the work. It is pickled."""

PROCESS_ENDED = "The process that read it ended (too little memory?). Split it."
_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class _NotStarted:
    message: str


@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: Any
    connection: Connection
    task: Task | None = None


def available_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    tasks: Iterable[Task], start: Start[Task, Reply], workers: int, died: Callable[[Task], Reply]
) -> Iterator[Reply]:
    """Yield what the work makes of each task, as it is done, from ``workers`` processes that share the cores.

    A task is taken from ``tasks`` when a process is free for it, so that no list of them is needed. None is no task.
    ``died`` says what stands for a task whose process ended. Closing the iterator ends the processes.

    Raises:
        ModelError: ``start`` failed in a process, with its sentence.
    """
    waiting = iter(tasks)
    threads = max(1, available_cores() // workers)
    busy: list[_Worker[Task]] = []
    try:
        for task in waiting:
            busy.append(_start_worker(start, threads, task))
            if len(busy) == workers:
                break
        while busy:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                done = worker.task
                try:
                    reply = worker.connection.recv()
                except (EOFError, OSError):
                    _end(worker)
                    busy.remove(worker)
                    if done is not None:
                        yield died(done)
                    if (task_left := next(waiting, None)) is not None:
                        busy.append(_start_worker(start, threads, task_left))
                    continue
                if isinstance(reply, _NotStarted):
                    raise ModelError(reply.message)
                yield reply
                if not _give(worker, next(waiting, None)):
                    _end(worker)
                    busy.remove(worker)
    finally:
        for worker in busy:
            worker.process.terminate()
            _end(worker)


def _start_worker(start: Start[Task, Reply], threads: int, task: Task) -> _Worker[Task]:
    # Spawned, not forked: a fork would copy the locks of libraries in whatever state they are.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, start, threads), daemon=False)
    process.start()
    theirs.close()
    worker: _Worker[Task] = _Worker(process, ours)
    _give(worker, task)
    return worker


def _give(worker: _Worker[Task], task: Task | None) -> bool:
    """Give a worker a task, or tell it that there is none."""
    worker.task = task
    try:
        worker.connection.send(task)
    except OSError:  # it has died: found out when its reply is read
        return task is not None
    return task is not None


def _end(worker: _Worker[Any]) -> None:
    worker.connection.close()
    worker.process.join(_STOP_S)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()


def _work(connection: Connection, start: Start[Any, Any], threads: int) -> None:
    """Load what is needed and do what comes, until None comes. Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = start(threads)
    except PlaygroundError as error:
        connection.send(_NotStarted(str(error)))
        return
    try:
        while (task := connection.recv()) is not None:
            connection.send(work(task))
    except (EOFError, OSError):  # the parent has left
        return
