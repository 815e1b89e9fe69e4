"""The app with scripted models in place of the real ones, and ways to read a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import pytest
from streamlit.testing.v1 import AppTest

from playground.paths import ROOT
from playground.types import Completion, Message, OnToken
from playground.ui.shared import jobs, resources
from tests.support.fakes import FakeChatModel, Script
from tests.support.scripted_embedder import ScriptedEmbedder

BOT = "pages/return_policy.py"


class StoppedModel(FakeChatModel):
    """Says ``partial``, has Stop pressed on its job, and then waits for more that never comes."""

    def __init__(self, partial: str, job: Callable[[], jobs.Job[object]]) -> None:
        super().__init__(lambda _question: partial)
        self._partial = partial
        self._job = job

    def complete(self, messages: Sequence[Message], *, on_token: OnToken | None = None, **_: object) -> Completion:
        assert on_token is not None
        if self._partial:
            on_token(self._partial)
        self._job().cancel.set()
        for _attempt in range(1000):
            on_token("")
        raise AssertionError("nobody stopped the answer")


def use_models(monkeypatch: pytest.MonkeyPatch, model: FakeChatModel) -> None:
    """Put scripted models in the place of the bundled ones."""
    embedder = ScriptedEmbedder()
    monkeypatch.setattr(resources, "missing_bundles", lambda _choice: ())
    monkeypatch.setattr(resources, "embedder", lambda: embedder)
    monkeypatch.setattr(resources, "chat_model", lambda _choice: model)
    monkeypatch.setattr(resources, "warm_up", lambda _choice: None)
    loaded: Future[FakeChatModel] = Future()
    loaded.set_result(model)
    monkeypatch.setattr(resources, "loading_model", lambda _choice: loaded)
    monkeypatch.setattr(resources, "hugging_face_problem", lambda _name: "")
    monkeypatch.setattr(resources, "endpoint_problem", lambda _settings: "")
    # No adapter reads passages, unless a test says so: the page opens with prompting alone.
    monkeypatch.setattr(resources, "reader_identity", lambda: None)


def open_bot(monkeypatch: pytest.MonkeyPatch, script: Script | FakeChatModel, **query: str) -> AppTest:
    """Open the return-policy page, with its first policy loaded."""
    use_models(monkeypatch, script if isinstance(script, FakeChatModel) else FakeChatModel(script))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return run(app.switch_page(BOT))


def run(app: AppTest) -> AppTest:
    """Run the page to its end; a page that raises does not fail a test by itself."""
    app.run()
    assert not app.exception, app.exception
    return app


def ask(app: AppTest, question: str) -> AppTest:
    """Type a question and wait for what becomes of it."""
    app.chat_input(key="chat_input").set_value(question)
    return run(app)


def click(app: AppTest, key: str) -> AppTest:
    """Click the button with ``key``."""
    app.button(key=key).click()
    return run(app)


def html(app: AppTest) -> str:
    """Return all HTML of the page but the style sheet."""
    return "\n".join(element.value for element in app.get("html") if "<style>" not in element.value)


def stamps(app: AppTest) -> list[str]:
    """Return the stamps of the answers in the chat, oldest first."""
    return re.findall(r'^<div class="stamp">(.*?)</div>$', html(app), re.MULTILINE)


def marked(app: AppTest) -> list[str]:
    """Return the stretches of the policy that are marked as cited, as they read now."""
    stretches = re.findall(r'<mark class="citation">(.*?)</mark>', html(app), re.DOTALL)
    return [re.sub(r"<del>.*?</del>|</?ins>", "", stretch) for stretch in stretches]


def words(elements: Sequence[object]) -> list[str]:
    """Return what elements say, without the backslashes that keep Markdown from reading it."""
    return [re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", str(element.value)) for element in elements]  # type: ignore[attr-defined]


def was_cancelled(job: jobs.Job[object]) -> bool:
    """Tell whether a job ended because it was told to: without a result and without an error."""
    return job.done.is_set() and job.result is None and job.error is None


def last_job(monkeypatch: pytest.MonkeyPatch) -> Callable[[], jobs.Job[object]]:
    """Return a function that returns the job started last."""
    started: list[jobs.Job[object]] = []
    start = jobs.start

    def recording(work: Callable[[jobs.Report], object]) -> jobs.Job[object]:
        # The job is known before its thread runs, so that the thread can reach it.
        gate: list[object] = []

        def gated(report: jobs.Report) -> object:
            while not gate:
                report("")
            return work(report)

        job = start(gated)
        started.append(job)
        gate.append(None)
        return job

    monkeypatch.setattr(jobs, "start", recording)
    return lambda: started[-1]


def unfold(app: AppTest, key: str, tab: str | None = None) -> AppTest:
    """Open a tab or, where none is named, an expander: what is closed is not drawn."""
    app.session_state[key] = tab if tab is not None else True
    return run(app)
