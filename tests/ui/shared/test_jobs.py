"""Jobs: what a thread reports, how it ends, and that an interrupted script leaves it running."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from playground.errors import ModelError
from playground.ui.shared import jobs
from tests.support.fakes_ui import was_cancelled


def finished(job):
    assert job.done.wait(10)
    return job


def test_events_and_result_arrive_and_heartbeats_are_not_kept():
    def work(report):
        for text in ("a", "", "b"):
            report(text)
        return 7

    job = finished(jobs.start(work))
    assert (job.result, job.error, job.text(), job.last_event()) == (7, None, "ab", "b")
    assert not was_cancelled(job)


def test_a_cancelled_job_ends_at_its_next_report():
    reached = threading.Event()

    def work(report):
        reached.set()
        while True:
            report("")

    job = jobs.start(work)
    assert reached.wait(10)
    job.cancel.set()
    assert was_cancelled(finished(job))


def test_a_job_that_nobody_watches_ends(monkeypatch):
    monkeypatch.setattr(jobs, "ABANDONED_AFTER_S", -1.0)
    assert was_cancelled(finished(jobs.start(lambda _report: 7)))


def test_an_error_for_the_user_is_kept_word_for_word_and_another_is_not(caplog):
    def fail_readably(_report):
        raise ModelError("The server is gone. Start it.")

    def fail(_report):
        raise RuntimeError("secret detail")

    assert finished(jobs.start(fail_readably)).error == "The server is gone. Start it."
    error = finished(jobs.start(fail)).error
    assert error is not None
    assert "secret detail" not in error
    assert "secret detail" in caplog.text


def test_follow_draws_until_one_ends_and_finishes_that_one_only():
    go_on = threading.Event()

    def short(report):
        while not go_on.is_set():
            report("")
        return "short"

    def long(report):
        while True:
            report("")

    drawn, ended = [], []

    def draw(job):
        drawn.append(job)
        go_on.set()

    first, second = jobs.start(short), jobs.start(long)
    activities = [jobs.Activity(job, draw, lambda job: ended.append(job.result)) for job in (first, second)]
    assert jobs.follow(activities)
    assert ended == ["short"]
    assert drawn
    assert not second.done.is_set()
    second.cancel.set()


def test_follow_has_nothing_to_do_without_activities():
    assert not jobs.follow([])


def test_an_interrupted_script_leaves_the_job_running():
    class RerunError(BaseException):
        pass

    def interrupt(_job):
        raise RerunError

    go_on = threading.Event()

    def work(_report):
        return go_on.wait(10)

    job = jobs.start(work)
    with pytest.raises(RerunError):
        jobs.follow([jobs.Activity(job, interrupt, lambda _job: None)])
    assert not job.done.is_set()
    go_on.set()
    assert finished(job).result is True


CLOSING = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from playground.ui.shared import jobs

def work(report):
    threading.main_thread().join()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(int, 1).result()

jobs.start(work)
threading.Thread(target=time.sleep, args=(1,)).start()  # keeps the interpreter up while the job meets its end
"""


def test_an_app_that_closes_says_nothing_of_the_work_it_dropped():
    result = subprocess.run([sys.executable, "-c", CLOSING], capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr == ""


CLOSING_IN_NATIVE_CODE = """
import sys
import torch
from playground.ui.shared import jobs

def multiply(goes_on):
    matrix = torch.full((400, 400), 0.0025)
    while True:
        goes_on()
        for _ in range(50):
            matrix = (matrix @ matrix).softmax(-1)

jobs.start(lambda report: multiply(lambda: report("")))
training = jobs.start(lambda _report: multiply(jobs.end_if_closing))
training.done.wait(0.5)
sys.exit(3)
"""


def test_an_app_that_closes_waits_for_what_is_computed_in_native_code():
    command = [sys.executable, "-c", CLOSING_IN_NATIVE_CODE]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (3, "")


CLOSING_TOO_SLOW = """
import threading
from playground.ui.shared import jobs

jobs.CLOSING_WAIT_S = 0.2
jobs.start(lambda _report: threading.Event().wait())
"""


def test_an_app_that_closes_does_not_wait_for_ever():
    command = [sys.executable, "-c", CLOSING_TOO_SLOW]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
