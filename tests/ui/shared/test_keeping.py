"""A reload and a restart lose nothing: what pages keep of a session, put back by the address alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.adapters import AdapterStore
from playground.ui.shared import keeping
from playground.ui.shared.kept_files import KeptFiles
from tests.support.fakes import FakeChatModel
from tests.support.fakes_contracts import ScriptedFlagger, data, open_page, paste, shown, store_with
from tests.support.fakes_ui import ask, click, marked, open_bot, run, words

SIXTY = "You may return most items within 60 days of delivery."
QUESTION = "How long do I have to return something?"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptFiles:
    monkeypatch.setenv("PLAYGROUND_SESSIONS", str(tmp_path / "kept"))
    return KeptFiles(tmp_path / "kept")


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return store_with(tmp_path / "adapters", "trained")


def token_of(app: AppTest) -> str:
    value = app.query_params.get("session", "")
    return value[0] if isinstance(value, list) and value else str(value or "")


def reloaded_bot(monkeypatch: pytest.MonkeyPatch, app: AppTest, script: object = None) -> AppTest:
    return open_bot(monkeypatch, script or (lambda _: SIXTY), session=token_of(app))  # type: ignore[arg-type]


def test_nothing_is_kept_before_there_is_something_to_keep(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    app = open_bot(monkeypatch, lambda _: SIXTY)
    assert token_of(app) == "" and not files.root.exists()


def test_a_conversation_and_its_policies_survive_a_reload(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    app.selectbox(key="policy_sample").set_value("northtrail-outdoor-v2.md")
    click(app, "policy_load_sample")
    ask(app, "And for boots?")
    before = app.session_state["playground_session"]
    assert len(token_of(app)) == 32

    again = reloaded_bot(monkeypatch, app)
    after = again.session_state["playground_session"]
    assert after.turns == before.turns and after.next_turn == before.next_turn
    assert [version.document for version in after.shelf.versions] == [v.document for v in before.shelf.versions]
    assert after.shelf.active_number == before.shelf.active_number == 2
    assert token_of(again) == token_of(app)
    assert any("were kept" in text for text in words(again.info))
    assert SIXTY in words(again.text) and marked(again) == marked(app)
    ask(again, "And online?")
    assert len(again.session_state["playground_session"].turns) == 3


def test_a_conversation_begun_anew_stays_so(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    run(click(app, "new_conversation"))
    assert not reloaded_bot(monkeypatch, app).session_state["playground_session"].turns


def test_contracts_and_confirmations_survive_a_reload(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles, store: AdapterStore
) -> None:
    app = paste(open_page(monkeypatch, store))
    flag = next(button.key for button in app.button if (button.key or "").startswith("contract_confirm_"))
    click(app, flag)
    run(app)
    before = shown(app)
    assert before.verdicts

    flagger = ScriptedFlagger()
    again = open_page(monkeypatch, store, flagger, session=token_of(app))
    after = shown(again)
    assert after.verdicts == before.verdicts and after.text == before.text
    assert after.document == before.document
    assert not flagger.judged, "the stored scores were not used"
    key = before.last_key
    assert (after.results[key].scored.probabilities == before.results[key].scored.probabilities.astype("f4")).all()
    assert after.results[key].scored.clauses == before.results[key].scored.clauses


def test_samples_and_bad_files_survive_too(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles, store: AdapterStore
) -> None:
    app = open_page(monkeypatch, store, contract="lease.docx")
    app.file_uploader[0].set_value([("bad.pdf", b"%PDF-1.4 broken", "application/pdf")])
    run(run(app))
    again = open_page(monkeypatch, store, session=token_of(app))
    names = {entry.name: entry for entry in data(again).entries}
    assert names["lease.docx"].data == data(app).entries[0].data and names["lease.docx"].results
    assert names["bad.pdf"].unreadable


def test_an_adapter_that_is_gone_takes_its_results_along(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles, store: AdapterStore, tmp_path: Path
) -> None:
    app = run(paste(open_page(monkeypatch, store)))
    other, flagger = store_with(tmp_path / "others", "another"), ScriptedFlagger()
    again = open_page(monkeypatch, other, flagger, session=token_of(app))
    assert flagger.judged and list(shown(again).results) == [other.get("another").identity]


def test_both_pages_are_in_one_address(monkeypatch: pytest.MonkeyPatch, files: KeptFiles, store: AdapterStore) -> None:
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    run(app)
    both = paste(open_page(monkeypatch, store, session=token_of(app)))
    run(both)
    assert token_of(both) == token_of(app)
    assert {path.name for path in files.folder(token_of(app)).iterdir()} == {"bot", "contracts"}


def test_two_sessions_do_not_see_each_other(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    one = run(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
    two = run(ask(open_bot(monkeypatch, lambda _: "Another shop."), "Who are you?"))
    assert token_of(one) != token_of(two)
    assert [turn.question for turn in reloaded_bot(monkeypatch, one).session_state["playground_session"].turns] == [
        QUESTION
    ]


def test_a_doubled_tab_goes_on_with_a_copy(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    one = run(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
    monkeypatch.setattr(keeping, "_session_id", lambda: "the second tab")
    monkeypatch.setattr(keeping, "is_live", lambda _session: True)
    two = reloaded_bot(monkeypatch, one)
    assert token_of(two) != token_of(one) and files.has(token_of(two))
    run(ask(two, "And boots?"))
    assert len(two.session_state["playground_session"].turns) == 2
    monkeypatch.setattr(keeping, "is_live", lambda _session: False)
    assert len(reloaded_bot(monkeypatch, one).session_state["playground_session"].turns) == 1


@pytest.mark.parametrize("named", ["0" * 32, "../../etc"])
def test_an_address_that_names_nothing_kept_says_so_and_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles, named: str
) -> None:
    app = open_bot(monkeypatch, lambda _: SIXTY, session=named)
    assert any("not kept any more" in text for text in words(app.warning))
    assert not app.session_state["playground_session"].turns and token_of(app) == ""


def test_damaged_files_are_set_aside_with_a_sentence(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    for damage in (b"{", b'{"turns": 3}'):
        app = run(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
        (files.folder(token_of(app)) / "bot" / "index.json").write_bytes(damage)
        again = reloaded_bot(monkeypatch, app)
        assert any("set aside as bot.damaged-" in text for text in words(again.warning))
        assert not again.session_state["playground_session"].turns
        run(ask(again, QUESTION))
        assert reloaded_bot(monkeypatch, app).session_state["playground_session"].turns


def test_a_button_deletes_it_now(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    app = run(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
    token = token_of(app)
    click(app, "delete_kept")
    assert not files.folder(token).exists() and token_of(app) == ""
    run(ask(app, "And boots?"))
    assert not list(files.root.iterdir())
    run(click(app, "keep_again"))
    assert files.has(token_of(app))


def test_keys_of_endpoints_are_never_written(monkeypatch: pytest.MonkeyPatch, files: KeptFiles) -> None:
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY))
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    app.text_input(key="endpoint_url").set_value("http://127.0.0.1:9/v1")
    app.text_input(key="endpoint_model").set_value("some-model")
    app.text_input(key="endpoint_key").set_value("sk-a-secret-key")
    run(app)
    run(ask(app, QUESTION))
    written = [path for path in files.root.rglob("*") if path.is_file()]
    assert written and not any(b"sk-a-secret-key" in path.read_bytes() for path in written)


def test_where_other_machines_can_reach_the_app_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles
) -> None:
    get = keeping.config.get_option
    monkeypatch.setattr(keeping.config, "get_option", lambda key: "192.0.2.1" if key == "server.address" else get(key))
    app = run(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
    assert token_of(app) == "" and not files.root.exists()


def test_a_full_disk_is_told_and_nothing_is_lost_on_the_screen(
    monkeypatch: pytest.MonkeyPatch, files: KeptFiles
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr("playground.ui.shared.kept_files.replace_file", full)
    run(run(ask(app, QUESTION)))
    assert any("was not kept" in text and "No space left" in text for text in words(app.warning))
    assert SIXTY in words(app.text)
