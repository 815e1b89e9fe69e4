"""A demo is recorded and played without a model; what no recording can be is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import DocumentError
from playground.ui.return_policy import replay
from playground.ui.return_policy.recording import LONGEST_S, playing_time_s, read_recording, recording_of
from playground.ui.return_policy.replay import text_after
from playground.ui.return_policy.shared_page import conversation_html
from playground.ui.shared import recordings
from tests.support.fakes import FakeChatModel
from tests.support.fakes_ui import ask, click, html, marked, open_bot, run, words

SIXTY = "You may return most items within 60 days of delivery."
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='owned'</script> [x](javascript:alert(1))"


def conversation(monkeypatch: pytest.MonkeyPatch, answer: str = SIXTY) -> AppTest:
    app = ask(open_bot(monkeypatch, lambda _: answer), "How long do I have to return something?")
    return ask(app, "How long do I have to return boots?")


def recorded(app: AppTest) -> bytes:
    data = app.session_state["playground_session"]
    return recording_of(data.turns, {version.number: version.document for version in data.shelf.versions})


def play(app: AppTest, data: bytes) -> AppTest:
    uploader = next(one for one in app.file_uploader if (one.key or "").startswith("recording_upload"))
    uploader.set_value([("demo.json", data, "application/json")])
    return run(app)


def test_a_recorded_conversation_is_read_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    app = conversation(monkeypatch)
    data = app.session_state["playground_session"]
    read = read_recording(recorded(app))
    assert read.turns == data.turns
    assert read.policy_of(read.turns[0]) == data.shelf.active.document
    assert read.machine and read.recorded_at[:2] == "20"


def test_it_is_played_without_a_model_and_says_that_it_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    app = conversation(monkeypatch)
    file, marks = recorded(app), marked(app)

    def no_model(_: str) -> str:
        raise AssertionError("a recording needs no model")

    monkeypatch.setattr(replay, "playing_time_s", lambda _answer: (0.0, 0.0))
    fresh = play(open_bot(monkeypatch, FakeChatModel(no_model)), file)
    label = next(one for one in html(fresh).splitlines() if "recorded</span>" in one)
    assert "<b>1/2</b>" in label and "SmolLM2" in label and "cores" in label
    assert SIXTY in words(fresh.text) and "How long do I have to return something?" in words(fresh.text)
    assert "How long do I have to return boots?" not in words(fresh.text) and not fresh.chat_input
    click(fresh, "replay_next")
    assert "How long do I have to return boots?" in words(fresh.text) and marked(fresh) == marks
    click(fresh, "replay_back")
    assert "How long do I have to return boots?" not in words(fresh.text)
    click(fresh, "replay_end")
    assert fresh.chat_input and not fresh.session_state["playground_session"].turns


def test_an_answer_grows_at_its_recorded_pace_and_never_long(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = conversation(monkeypatch).session_state["playground_session"].turns[0].answer
    timed = replace(answer, completion=replace(answer.completion, first_token_s=1.0, duration_s=3.0))
    assert playing_time_s(timed) == (1.0, 3.0)
    assert text_after(timed, 0.5) == "" and text_after(timed, 2.0) == SIXTY[: len(SIXTY) // 2]
    assert text_after(timed, 3.0) is None
    slow = replace(timed, completion=replace(timed.completion, first_token_s=60.0, duration_s=120.0))
    assert playing_time_s(slow) == (LONGEST_S / 2, LONGEST_S)
    broken = replace(timed, completion=replace(timed.completion, first_token_s=float("nan"), duration_s=float("inf")))
    assert playing_time_s(broken) == (0.0, 0.0)


def damages(file: bytes) -> dict[str, bytes]:
    def changed(change: object) -> bytes:
        value = json.loads(file)
        change(value)  # type: ignore[operator]
        return json.dumps(value).encode()

    def outside(value: dict) -> None:  # type: ignore[type-arg]
        value["turns"][0]["answer"]["citations"][0]["end"] = 10**9

    def overlapping(value: dict) -> None:  # type: ignore[type-arg]
        policy = next(iter(value["policies"].values()))
        policy["blocks"] = [{"kind": "paragraph", "start": 0, "end": len(policy["text"]), "level": 0}] * 3

    return {
        "no JSON": b"{",
        "no text": b"\xff\xfe\x00",
        "deep": b"[" * 100_000,
        "another kind": b"[1, 2]",
        "unknown field": changed(lambda value: value.update(script="alert(1)")),
        "another version": changed(lambda value: value.update(version=99)),
        "no turns": changed(lambda value: value.update(turns=[])),
        "no date": changed(lambda value: value.update(recorded_at="yesterday")),
        "number for text": changed(lambda value: value["turns"][0].update(question=3)),
        "mark outside": changed(outside),
        "blocks over each other": changed(overlapping),
    }


def test_what_is_no_recording_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    app = conversation(monkeypatch)
    file = recorded(app)
    for name, damaged in damages(file).items():
        with pytest.raises(DocumentError, match="no recording"):
            read_recording(damaged)
            raise AssertionError(name)
    monkeypatch.setattr(recordings, "MOST_BYTES", len(file) - 1)
    with pytest.raises(DocumentError, match="larger than"):
        read_recording(file)
    with pytest.raises(ValueError, match="at most"):
        recorded(app)
    play(app, b"{")
    assert any("no recording" in text for text in words(app.error)) and app.chat_input


def test_what_is_in_a_recording_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    app = conversation(monkeypatch)
    value = json.loads(recorded(app))
    for turn in value["turns"]:
        turn["question"] = turn["answer"]["text"] = turn["stamp"]["policy"] = turn["stamp"]["model"] = HOSTILE
        turn["answer"]["citations"][0]["text"] = HOSTILE
    value["machine"] = HOSTILE
    policy = next(iter(value["policies"].values()))
    policy["text"] = HOSTILE + policy["text"][len(HOSTILE) :]
    monkeypatch.setattr(replay, "playing_time_s", lambda _answer: (0.0, 0.0))
    play(app, json.dumps(value).encode())
    page = html(app)
    assert "<script>document" not in page and "<img" not in page and "&lt;script&gt;" in page


def test_the_shared_page_holds_conversation_policy_and_marks_and_nothing_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = conversation(monkeypatch).session_state["playground_session"]
    policies = {version.number: version.document for version in data.shelf.versions}
    page = conversation_html(data.turns, policies)
    assert SIXTY in page and "How long do I have to return something?" in page and page.count("<h2") == 3
    assert any("within 60 days of delivery" in part.split("</mark>")[0] for part in page.split("<mark>")[1:])
    assert "default-src 'none'" in page and "<script" not in page and "http" not in page.split("</head>")[1]

    hostile = tuple(replace(turn, question=HOSTILE, error=HOSTILE) for turn in data.turns)
    documents = {
        number: replace(document, title=HOSTILE, text=HOSTILE, blocks=()) for number, document in policies.items()
    }
    page = conversation_html(hostile, documents)
    assert "<img" not in page and "<script" not in page and "&lt;script&gt;" in page
