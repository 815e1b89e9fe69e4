"""The home page, with the models present, missing and being fetched."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import BundleError
from playground.models import sources
from playground.models.catalog import ALL_BUNDLES, BUNDLES, MINILM, QWEN_LARGE, SMOLLM2
from playground.paths import CONTRACTS
from playground.ui.shared import fetching, resources
from tests.support.fakes_ui import ROOT, click, html, last_job, run, was_cancelled, words


def open_home(monkeypatch, missing=()):
    states = tuple((bundle, bundle not in missing) for bundle in BUNDLES)
    monkeypatch.setattr(resources, "bundle_states", lambda: states)
    return run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60))


def test_both_scenarios_are_shown_and_linked(monkeypatch):
    app = open_home(monkeypatch)
    page = html(app)
    assert "Return-policy support bot" in page
    assert "Contract-clause flagger" in page
    assert "later version" not in page
    pages = {link.proto.page for link in app.get("page_link")}
    assert {"", "return_policy", "contract_clauses"} <= pages
    assert ("training" in pages) == (ROOT / "pages" / "training.py").is_file()


def test_the_demo_steps_open_the_pages_as_the_step_needs_them(monkeypatch):
    app = open_home(monkeypatch)
    steps = [link for link in app.get("page_link") if link.proto.label[:1].isdigit()]
    queries = [link.proto.query_string for link in steps]
    assert queries[:2] == ["mode=no_text", "mode=rag"]
    samples = [query.removeprefix("contract=") for query in queries if query.startswith("contract=")]
    assert len(samples) == 3
    assert all((CONTRACTS / name).is_file() for name in samples)
    assert len(steps) == 9


def test_models_that_are_there_are_ready_and_nothing_is_offered(monkeypatch):
    app = open_home(monkeypatch)
    assert html(app).count(">ready<") == len(BUNDLES)
    assert not [button for button in app.button if button.key == "fetch"]


def test_a_missing_model_can_be_fetched(monkeypatch):
    fetched = []
    monkeypatch.setattr(fetching, "ensure_bundle", lambda bundle, _progress: fetched.append(bundle))
    app = open_home(monkeypatch, [MINILM])
    assert html(app).count("not fetched yet") == 1
    assert "84 MB" in words(app.info)[0]
    click(app, "fetch")
    assert fetched == [MINILM]


def test_a_larger_model_is_offered_only_where_it_is_chosen(monkeypatch):
    states = tuple((bundle, bundle in BUNDLES) for bundle in ALL_BUNDLES)
    monkeypatch.setattr(resources, "bundle_states", lambda: states)
    app = run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60))
    assert html(app).count("not fetched yet") == 2
    assert not [button for button in app.button if button.key == "fetch"]
    app.button_group(key="model_size").set_value("large")
    run(app)
    assert app.session_state["playground_shared_session"].model_choice.bundle is QWEN_LARGE
    assert any("Qwen2.5-Coder-1.5B-Instruct** answers, on this machine" in text for text in words(app.caption))
    run(app)
    assert "1093 MB" in words(app.info)[0]
    assert app.button(key="fetch")


def test_a_model_that_does_not_fit_is_not_fetched(monkeypatch):
    monkeypatch.setattr(sources, "free_memory_bytes", lambda: 3_100_000_000)
    monkeypatch.setattr(fetching, "ensure_bundle", lambda *_: pytest.fail("fetched"))
    states = tuple((bundle, bundle in BUNDLES) for bundle in ALL_BUNDLES)
    monkeypatch.setattr(resources, "bundle_states", lambda: states)
    app = run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60))
    app.button_group(key="model_size").set_value("large")
    run(app)
    run(app)
    click(app, "fetch")
    assert any("needs 3.4 GB of free memory and 3.1 GB are free" in text for text in words(app.error))


def test_a_failed_fetch_says_why_and_can_be_tried_again(monkeypatch):
    def fail(_bundle, _progress):
        raise BundleError("The disk is full. Free some space.")

    monkeypatch.setattr(fetching, "ensure_bundle", fail)
    app = open_home(monkeypatch, [SMOLLM2])
    click(app, "fetch")
    assert words(app.error) == ["The disk is full. Free some space."]
    assert app.button(key="fetch")


def test_a_fetch_can_be_cancelled(monkeypatch):
    job = last_job(monkeypatch)

    def endless(_bundle, on_progress):
        job().cancel.set()
        while True:
            on_progress("")

    monkeypatch.setattr(fetching, "ensure_bundle", endless)
    app = open_home(monkeypatch, [SMOLLM2])
    click(app, "fetch")
    assert was_cancelled(job())
    assert not app.error
    assert app.button(key="fetch")
