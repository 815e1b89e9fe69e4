"""A presentation: steps forward and back, each doing what it says, on the page where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.adapters import AdapterStore
from playground.answering.policy_versions import PolicyShelf
from playground.ui.return_policy import presented
from playground.ui.return_policy.every_technique import TECHNIQUES
from playground.ui.shared import presenting as shared_presenting
from playground.ui.shared.notices import Notice
from playground.ui.shared.presenting import Presenting, steps
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


def test_next_pressed_fast_loses_nothing_of_a_step_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY), present="1")
    click(app, "presenter_next")
    state, data = app.session_state["playground_presenting"], app.session_state["playground_session"]
    state.due = steps()[1].actions  # the script was ended by the second press before anything of it was done
    state.step = 2
    asked = len(data.turns)
    click(app, "presenter_next")
    assert state.step == 2, "it waits for the step"
    run(app)
    assert not state.due and data.turns[-1].stamp.mode == dict(steps()[1].actions)["mode"]
    assert len(data.turns) == asked + 1
    assert "presenter_skip" not in {button.key for button in app.button}, "nothing is waited for any more"
    click(app, "presenter_next")
    assert state.step == 3


def test_a_step_that_does_not_end_is_said_and_can_be_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY), present="1")
    click(app, "presenter_next")
    state = app.session_state["playground_presenting"]
    monkeypatch.setattr(presented, "_busy", lambda: True)
    run(app)
    for _press in range(3):
        click(app, "presenter_next")
    waits = "This step is still at work. Go on when it is done."
    assert state.step == 1 and waits in words(app.markdown)
    click(app, "presenter_skip")
    assert state.step == 2 and waits not in words(app.markdown)
    state.page = "another"  # the presenter left by the menu: nothing is waited for there
    click(app, "presenter_next")
    assert state.step == 3


def test_an_action_that_a_click_cuts_short_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    state = Presenting(due=(("say", "once"),))
    monkeypatch.setattr(shared_presenting, "presenting", lambda: state)
    said: list[str] = []

    def cut_short(value: str) -> None:
        said.append(value)
        if len(said) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shared_presenting.perform({"say": cut_short}, lambda: False)
    shared_presenting.perform({"say": cut_short}, lambda: False)
    assert said == ["once", "once"] and not state.due


def test_a_policy_that_could_not_be_read_holds_up_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY), present="1")
    data = app.session_state["playground_session"]
    data.shelf, data.notice = PolicyShelf(), Notice("error", "The policy could not be read.")
    run(app)
    assert app.button(key="ask_every").disabled, "there is nothing to answer from"
    run(click(app, "presenter_next"))
    assert data.turns and data.shelf.active is not None
    assert not app.button(key="ask_every").disabled


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
