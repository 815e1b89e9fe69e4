"""A folder or a manifest -> a ledger of results -> tables. The same run on this machine and on a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.atomic import remove_stale
from playground.bulk.judging import Judge, Judged, Task, died, start_judging
from playground.bulk.ledger import Ledger, open_ledger
from playground.bulk.listing import listed_files
from playground.bulk.summary import Summary
from playground.bulk.tables import write_tables
from playground.documents import SUPPORTED_SUFFIXES
from playground.errors import DocumentError
from playground.flagging.files import FlagJob
from playground.flagging.files.pool import in_processes

READ_FIRST = 200


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How many contents have a result, of how many, and the last one; ``before`` of them had one when it began."""

    done: int
    total: int
    before: int
    files: int
    last: Judged | None = None


OnProgress = Callable[[BulkProgress], None]
JudgeAll = Callable[[Iterator[Task], FlagJob], Iterator[Judged]]
"""Judges tasks, taken as they are wanted, and yields what came of each as it is there. It may lose some."""


def flag_in_bulk(
    source: Path, job: FlagJob, out: Path, judge_all: JudgeAll, on_progress: OnProgress, *, most: int = READ_FIRST
) -> Summary:
    """Flag what has no result yet, then write the tables.

    However it ends, what was judged is kept in ``out``, and the next call goes on from there.

    Args:
        source: a folder, or a manifest with a path a line.
        job: how contracts are flagged.
        out: folder of the results.
        judge_all: what judges: processes here, or a cluster.
        on_progress: called when the files are listed and after each content. What it raises ends the run.
        most: how many contracts the summary names to be read first.

    Raises:
        PlaygroundError: nothing is to be flagged, the flagger cannot be loaded, or ``out`` cannot be used.
    """
    with open_ledger(out, job.fingerprint) as ledger:
        remove_stale(out)
        if not ledger.set_files(listed_files(source)):
            raise DocumentError(
                f"{source} names no contract. Put files of these types into it: {', '.join(SUPPORTED_SUFFIXES)}."
            )
        ledger.forget_passing_errors()
        _judge(ledger, job, judge_all, on_progress)
        return write_tables(ledger.results(), job.catalogue, out, most)


def _judge(ledger: Ledger, job: FlagJob, judge_all: JudgeAll, on_progress: OnProgress) -> None:
    counts = ledger.counts()
    done = counts.judged
    on_progress(BulkProgress(done, counts.contents, counts.judged, counts.files))
    if done == counts.contents:
        return
    results = judge_all(ledger.pending(), job)
    try:
        for judged in results:
            ledger.add(judged)
            done += 1
            on_progress(BulkProgress(done, counts.contents, counts.judged, counts.files, judged))
    finally:
        if hasattr(results, "close"):
            results.close()
    for task in ledger.pending():  # lost with the machine that had them, twice
        ledger.add(died(task))


def judge_here(tasks: Iterator[Task], job: FlagJob, workers: int) -> Iterator[Judged]:
    """Judge in ``workers`` processes of this machine, or in this one.

    Raises:
        ModelError: the flagger cannot be loaded.
    """
    if workers == 1:
        yield from map(start_judging(job, 1), tasks)
    else:
        yield from in_processes(tasks, functools.partial(_start, job), workers, died)


def _start(job: FlagJob, _share_of_cores: int) -> Judge:
    # One thread, wherever it runs: sums are then added in the same order, and the flags are the same to the last bit.
    return start_judging(job, 1)
