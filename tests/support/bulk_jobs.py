"""A bulk run with a scripted flagger that writes down what it judges. A module of its own: other processes load it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playground.bulk.flagging import BulkProgress, flag_in_bulk, judge_here
from playground.bulk.judging import Judged, Task
from playground.bulk.summary import Summary
from playground.flagging.files import FlagJob, FlagSettings
from scenarios.contract_clauses import scenario
from tests.support.scripted_flagger import ScriptedFlagger, load_scripted

CATALOGUE = {label.name: label for label in scenario.labels()}
LOG_VARIABLE, PAUSE_VARIABLE = "BULK_TEST_LOG", "BULK_TEST_PAUSE"
CONTRACT = (
    "SERVICES AGREEMENT\n\n"
    "1. Audit. The Customer may inspect the books of the Supplier once a year, number {}.\n\n"
    "2. Cover. The Supplier is to keep insurance of at least two million pounds during the term of this Agreement.\n"
)


def scripted_job(shift: float = 0.0, load: Callable[[int], object] = load_scripted) -> FlagJob:
    """Return a job whose flagger is scripted."""
    settings = FlagSettings(shift, evidence=False)
    return FlagJob(load, None, CATALOGUE, settings, "scripted@12345678")  # type: ignore[arg-type]


class LoggingFlagger(ScriptedFlagger):
    """Appends the second clause's number to a log, one write a contract, and takes its time."""

    def probabilities(self, clauses, on_share=None):  # type: ignore[no-untyped-def]
        text = " ".join(clause.text for clause in clauses)
        number = text.partition("number ")[2].partition(".")[0]
        descriptor = os.open(os.environ[LOG_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{number}\n".encode())
        os.close(descriptor)
        time.sleep(float(os.environ.get(PAUSE_VARIABLE, "0")))
        return super().probabilities(clauses, on_share)


def load_logging(threads: int) -> LoggingFlagger:
    """Stand in for loading an adapter."""
    assert threads == 1
    return LoggingFlagger()


def run(source: Path, out: Path, workers: int = 1, job: FlagJob | None = None) -> tuple[Summary, list[BulkProgress]]:
    """Flag in bulk here; return the summary and each progress."""
    seen: list[BulkProgress] = []

    def judge_all(tasks: Iterator[Task], the_job: FlagJob) -> Iterator[Judged]:
        return judge_here(tasks, the_job, workers)

    return flag_in_bulk(source, job or scripted_job(), out, judge_all, seen.append), seen


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), scripted_job(load=load_logging))
