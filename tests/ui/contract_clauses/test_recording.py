"""Flagged contracts are recorded and played without a model; what no recording can be is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.adapters import AdapterStore
from playground.errors import DocumentError
from playground.ui.contract_clauses.recording import read_recording, recording_of
from playground.ui.contract_clauses.state import flagged
from playground.ui.shared import recordings
from tests.support.fakes_contracts import ScriptedFlagger, open_page, paste, shown, store_with
from tests.support.fakes_ui import click, html, run

HOSTILE = "<img src=x onerror=alert(1)><script>document.title='owned'</script>"


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return store_with(tmp_path, "trained")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, store: AdapterStore) -> dict[str, Any]:
    """Return a contract that the adapter and the untrained base judged, as a recording."""
    app = paste(open_page(monkeypatch, store, ScriptedFlagger()))
    app.selectbox(key="contract_flagger").set_value("zero_shot")
    run(run(app))
    assert len(shown(app).results) == 2
    entry = shown(app)
    found = [(entry, judged, flagged(entry, judged)) for judged in entry.results.values()]
    read: dict[str, Any] = json.loads(recording_of(found))
    return read


def play(monkeypatch: pytest.MonkeyPatch, store: AdapterStore, file: object, **query: str) -> AppTest:
    flagger = ScriptedFlagger(on_call=AssertionError("a recording needs no model"))
    app = open_page(monkeypatch, store, flagger, **query)
    uploader = next(one for one in app.file_uploader if (one.key or "").startswith("contract_recording_upload"))
    uploader.set_value([("demo.json", json.dumps(file).encode(), "application/json")])
    return run(app)


def label(app: AppTest) -> str:
    return next(line for line in html(app).splitlines() if "recorded</span>" in line)


def test_it_is_played_flagger_by_flagger_without_a_model_and_says_that_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch, store: AdapterStore, recorded: dict[str, Any]
) -> None:
    app = play(monkeypatch, store, recorded)
    assert "<b>1/2</b>" in label(app) and recorded["machine"] in label(app)
    assert any("LoRA adapter trained" in one.value for one in app.header)
    assert "<mark" in html(app) and "Uncapped Liability" in html(app) and not app.selectbox
    click(app, "contract_replay_next")
    assert "<b>2/2</b>" in label(app) and any("Untrained base" in one.value for one in app.header)
    click(app, "contract_replay_back")
    assert "<b>1/2</b>" in label(app)
    click(app, "contract_replay_end")
    assert "recorded</span>" not in html(app) and app.selectbox(key="contract_flagger")


def test_while_it_is_presented_the_arrows_are_the_recordings_own(
    monkeypatch: pytest.MonkeyPatch, store: AdapterStore, recorded: dict[str, Any]
) -> None:
    app = play(monkeypatch, store, recorded, present="1")

    def shortcuts() -> dict[str, str]:
        return {str(button.key): button.proto.shortcut for button in app.button}

    assert shortcuts()["contract_replay_next"] and not shortcuts()["presenter_next"]
    click(app, "contract_replay_end")
    assert shortcuts()["presenter_next"]


def test_what_stands_in_it_is_text(
    monkeypatch: pytest.MonkeyPatch, store: AdapterStore, recorded: dict[str, Any]
) -> None:
    clause = recorded["contracts"][0]["clauses"][0]
    for step in recorded["steps"]:
        step["flagger"] = step["model"] = HOSTILE
        for row in step["rows"]:
            row["label"] |= {"name": HOSTILE, "why": HOSTILE, "check": HOSTILE}
            if row["clause"] == clause:
                row["clause"] = clause | {"text": HOSTILE}
    recorded["contracts"][0] |= {
        "name": HOSTILE,
        "clauses": [clause | {"text": HOSTILE}, *recorded["contracts"][0]["clauses"][1:]],
    }
    app = play(monkeypatch, store, recorded)
    assert "<b>1/2</b>" in label(app)
    assert "<img" not in html(app) and "<script>document" not in html(app)
    assert "&lt;img src=x" in html(app)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "version 99"),
        ({"kind": "bot"}, "version"),
        ({"steps": []}, "0 steps"),
        ({"contracts": []}, "a step is about no contract"),
        ({"recorded_at": "yesterday"}, "no recording"),
        ({"more": 1}, "no recording"),
    ],
)
def test_what_no_recording_can_be_is_refused(recorded: dict[str, Any], change: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        read_recording(json.dumps(recorded | change).encode())


def test_a_flag_on_another_clause_or_a_score_above_one_is_refused(recorded: dict[str, Any]) -> None:
    row = recorded["steps"][0]["rows"][0]
    for damaged in (row | {"score": 2.0}, row | {"clause": row["clause"] | {"id": "elsewhere"}}):
        recorded["steps"][0]["rows"] = [damaged]
        with pytest.raises(DocumentError, match="score|no clause"):
            read_recording(json.dumps(recorded).encode())


def test_a_damaged_or_large_file_is_refused_on_the_page(monkeypatch: pytest.MonkeyPatch, store: AdapterStore) -> None:
    app = play(monkeypatch, store, {"kind": "contracts"})
    assert any("no recording of contracts" in one.value for one in app.error)
    monkeypatch.setattr(recordings, "MOST_BYTES", 10)
    with pytest.raises(DocumentError, match="larger than"):
        read_recording(b" " * 11)
