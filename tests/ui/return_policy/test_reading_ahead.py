"""The whole policy is read before anybody asks, and who asks does not wait for it."""

from __future__ import annotations

import threading
from dataclasses import replace

from playground.types import ReadAhead
from playground.ui.shared import jobs
from tests.support.fakes import FakeChatModel
from tests.support.fakes_ui import ask, open_bot, run, words
from tests.ui.return_policy.test_page import SIXTY, load_second_version

READ = "The whole policy is read and kept ready"


class ReadingModel(FakeChatModel):
    """``texts`` keeps what it has read ahead, ``on_disk`` whether it might keep it there."""

    def __init__(self) -> None:
        super().__init__(lambda _: SIXTY)
        self.texts: list[str] = []
        self.on_disk: list[bool] = []

    def read_ahead(self, prompts, *, adapter=None, on_disk=True, on_progress=lambda _read, _tokens: None):
        first, second = (prompt[-1].content for prompt in prompts)
        assert first != second
        self.texts.append(first)
        self.on_disk.append(on_disk)
        on_progress(50, 100)
        return ReadAhead(100, 46_000_000)


def test_the_policy_is_read_where_the_model_is_given_all_of_it(monkeypatch):
    model = ReadingModel()
    app = open_bot(monkeypatch, model, mode="whole_document")
    assert any(READ in one and "46 MB" in one for one in words(app.caption))
    assert len(model.texts) == 1 and "within 60 days of delivery" in model.texts[0]
    assert model.on_disk == [True]
    ask(app, "How long do I have?")
    assert model.questions[-1].startswith(model.texts[0].rpartition("Question:")[0])
    assert len(model.texts) == 1


def test_it_is_not_read_for_a_technique_that_finds_passages(monkeypatch):
    model = ReadingModel()
    app = open_bot(monkeypatch, model, mode="rag")
    assert not model.texts and not any(READ in one for one in words(app.caption))


def test_a_new_version_is_read_anew(monkeypatch):
    model = ReadingModel()
    app = open_bot(monkeypatch, model, mode="whole_document")
    load_second_version(app)
    assert len(model.texts) == 2 and model.texts[0] != model.texts[1]
    ask(app, "How long do I have?")
    assert len(model.texts) == 2


def test_a_question_does_not_wait_for_the_reading(monkeypatch):
    model, ended = ReadingModel(), threading.Event()
    app = open_bot(monkeypatch, model, mode="whole_document")
    data = app.session_state["playground_session"]

    def read_until_stopped(report):
        try:
            while True:
                report("")
        finally:
            ended.set()

    data.reading = replace(data.reading, job=jobs.start(read_until_stopped), read=None)
    ask(app, "How long do I have?")
    assert ended.wait(10) and SIXTY in words(app.text)
    assert any(READ in one for one in words(app.caption))  # begun anew once nobody waits


def test_it_goes_to_the_disk_only_where_the_session_does(monkeypatch):
    model = ReadingModel()
    app = open_bot(monkeypatch, model, mode="rag")
    app.session_state["playground_keeping"].off = True
    app.button_group(key="mode").set_value("whole_document")
    run(app)
    assert model.on_disk == [False]


def test_a_model_that_cannot_read_ahead_is_simply_asked(monkeypatch):
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY), mode="whole_document")
    assert not any(READ in one for one in words(app.caption))
    ask(app, "How long do I have?")
    assert SIXTY in words(app.text)
