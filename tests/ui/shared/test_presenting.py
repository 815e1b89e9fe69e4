"""A presentation: steps forward and back, each doing what it says, on the page where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.adapters import AdapterStore
from playground.ui.return_policy.every_technique import TECHNIQUES
from playground.ui.shared.presenting import steps
from scenarios.registry import all_scenarios
from tests.support.fakes import FakeChatModel
from tests.support.fakes_contracts import ScriptedFlagger, open_page, shown, store_with
from tests.support.fakes_ui import click, open_bot, run, words

SIXTY = "You may return most items within 60 days of delivery."


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return store_with(tmp_path, "trained")


def test_every_step_of_home_does_something_that_its_page_knows() -> None:
    known = {"new", "mode", "policy", "edit", "ask", "contract", "flagger"}
    assert len(steps()) == sum(len(scenario.demo.steps) for scenario in all_scenarios() if scenario.demo)
    for step in steps():
        assert step.actions, step.title
        assert {name for name, _ in step.actions} <= known, step.title


def test_without_it_nothing_is_drawn_and_a_button_and_the_address_begin_it(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_bot(monkeypatch, lambda _: SIXTY)
    keys = {button.key for button in app.button}
    assert "present" in keys and "presenter_next" not in keys and "ask_every" not in keys
    click(app, "present")
    assert "presenter_next" in {button.key for button in app.button}
    assert app.query_params["present"] in ("1", ["1"])
    click(app, "presenter_end")
    assert "presenter_next" not in {button.key for button in app.button}
    assert "present" not in app.query_params
    assert "presenter_next" in {button.key for button in open_bot(monkeypatch, lambda _: SIXTY, present="1").button}


def test_the_steps_of_the_bot_ask_swap_and_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY), present="1")
    data = app.session_state["playground_session"]
    for number, step in enumerate(steps(), start=1):
        if step.page != "pages/return_policy.py":
            break
        run(click(app, "presenter_next"))
        wanted = dict(step.actions)
        assert data.turns[-1].question == wanted["ask"] and data.turns[-1].stamp.mode == wanted["mode"], number
        active = data.shelf.active
        assert active.note == "edited" if "edit" in wanted else active.document.source == wanted["policy"]
    click(app, "presenter_back")
    back = [step for step in steps() if step.page == "pages/return_policy.py"][-2]
    assert data.turns[-1].stamp.mode == dict(back.actions)["mode"]


def test_every_technique_answers_the_same_question_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeChatModel(lambda _: SIXTY)
    app = open_bot(monkeypatch, model, present="1")
    app.text_input(key="every_question").set_value("How long?")
    run(app)
    click(app, "ask_every")
    shown_last = app.session_state["playground_every_technique"]
    for column in shown_last.columns:
        if column.job:
            assert column.job.done.wait(30)
    run(app)
    assert [column.mode for column in shown_last.columns] == list(TECHNIQUES)
    answered = [column for column in shown_last.columns if column.job and column.job.result]
    assert len(answered) == len(TECHNIQUES) - 1, "all but the adapter, which is not here"
    assert words(app.text).count(SIXTY) == len(answered)
    assert all(question.endswith("How long?") for question in model.questions)


def test_one_click_from_the_base_to_the_adapter(monkeypatch: pytest.MonkeyPatch, store: AdapterStore) -> None:
    app = open_page(monkeypatch, store, ScriptedFlagger(), contract="nda.txt", present="1")
    key = store.get("trained").identity
    assert shown(app).last_key == key
    click(app, "switch_zero_shot")
    assert app.selectbox(key="contract_flagger").value == "zero_shot"
    run(app)
    assert set(shown(app).results) == {key, "zero_shot"}
    labels = [button.label for button in app.button if (button.key or "").startswith("switch_")]
    assert all("flag" in label and "right" in label for label in labels), labels
    click(app, "switch_adapter")
    assert app.selectbox(key="contract_flagger").value == key


def test_the_steps_of_the_contracts_open_and_judge(monkeypatch: pytest.MonkeyPatch, store: AdapterStore) -> None:
    app = open_page(monkeypatch, store, ScriptedFlagger(), present="1")
    first = next(number for number, step in enumerate(steps()) if step.page == "pages/contract_clauses.py")
    app.session_state["playground_presenting"].step = first
    for step in steps()[first:]:
        run(click(app, "presenter_next"))
        wanted = dict(step.actions)
        assert shown(app).name == wanted["contract"]
        base = app.selectbox(key="contract_flagger").value == "zero_shot"
        assert base == (wanted["flagger"] == "base")
