"""Spans: none unless wanted, by the conventions' names, without a user's words unless asked for, and no address."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground import telemetry
from playground.answering.answer import BotSettings, answer_question
from playground.documents import load_pasted
from playground.errors import EndpointError, TelemetryError
from playground.flagging.flags import score_contract
from playground.models.chat import LocalChatModel
from playground.models.endpoint.chat_model import load_endpoint
from playground.models.endpoint.settings import EndpointSettings
from playground.types import Message
from scenarios.contract_clauses import scenario
from tests.answering.test_answer import index_of
from tests.models.test_line import Engine, NumberCodec
from tests.support.scripted_endpoint import error, piece, scripted_endpoint, stream, usage
from tests.support.scripted_flagger import ScriptedFlagger

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

NAMED = "my order 4711"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (telemetry.VARIABLE, telemetry.TEXT_VARIABLE, *telemetry.ENDPOINT_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    telemetry._tracer.cache_clear()
    yield
    telemetry._tracer.cache_clear()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What was spanned, in memory."""
    pytest.importorskip("opentelemetry.sdk", reason="pip install -r requirements-telemetry.txt")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    tracer = telemetry.tracer_of(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "current_tracer", lambda: tracer)
    return exporter


def local_model() -> LocalChatModel:
    return LocalChatModel("small", NumberCodec(), lambda _adapter: Engine().new_sequence, 1_000)


def test_an_answer_is_a_span_around_that_of_the_model(spans: InMemorySpanExporter) -> None:
    with scripted_endpoint() as endpoint:
        endpoint.replies = [stream(piece("Thirty days."), piece(None, "stop"), usage(21, 5))]
        model = load_endpoint(EndpointSettings(endpoint.base_url, "shop-model"))
        answer_question(f"How long may I keep {NAMED}?", index_of(), model, BotSettings("Answer."))
        model.close()
    chat, whole = spans.get_finished_spans()
    assert (whole.name, chat.name) == ("invoke_workflow", "chat shop-model")
    assert chat.parent is not None
    assert whole.context is not None
    assert chat.parent.span_id == whole.context.span_id
    assert chat.kind.name == "CLIENT"
    assert chat.attributes is not None
    found = dict(chat.attributes)
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.request.model"] == "shop-model"
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert found["server.address"] == "127.0.0.1"
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (21, 5)
    for span in (chat, whole):
        assert "4711" not in span.to_json()
        assert "Thirty" not in span.to_json()


def test_the_tokens_of_our_own_engine_are_counted(spans: InMemorySpanExporter) -> None:
    completion = local_model().complete([Message("user", "7 20")], max_tokens=50)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert completion.usage is not None
    assert span.attributes["gen_ai.usage.input_tokens"] == completion.usage.input_tokens == 3
    assert span.attributes["gen_ai.usage.output_tokens"] == completion.usage.output_tokens > 0


def test_text_is_in_a_span_only_where_it_is_asked_for(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(telemetry.TEXT_VARIABLE, "true")
    completion = local_model().complete([Message("user", "7 20")], max_tokens=50)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    asked = json.loads(str(span.attributes["gen_ai.input.messages"]))
    assert asked == [{"role": "user", "parts": [{"type": "text", "content": "7 20"}]}]
    said = json.loads(str(span.attributes["gen_ai.output.messages"]))
    assert said[0]["parts"] == [{"type": "text", "content": completion.text}]


def test_a_flagging_is_a_span(spans: InMemorySpanExporter) -> None:
    labels = {label.name: label for label in scenario.labels()}
    text = f"1. The Supplier shall keep insurance of two million pounds for {NAMED}.\n"
    scored = score_contract(load_pasted(text, "contract.txt"), ScriptedFlagger(), labels)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["playground.clauses"] == len(scored.clauses) > 0
    assert "4711" not in span.to_json()


def test_of_an_error_its_type_is_told_and_not_its_words(spans: InMemorySpanExporter) -> None:
    with scripted_endpoint() as endpoint:
        endpoint.replies = [error(400, f"no {NAMED}")]
        model = load_endpoint(EndpointSettings(endpoint.base_url, "shop-model", max_retries=0))
        with pytest.raises(EndpointError, match="4711"):
            model.complete([Message("user", "hello")])
        model.close()
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "EndpointError"
    assert not span.status.is_ok
    assert "4711" not in span.to_json()


def test_a_file_gets_a_line_of_json_a_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="pip install -r requirements-telemetry.txt")
    file = tmp_path / "spans.jsonl"
    monkeypatch.setenv(telemetry.VARIABLE, str(file))
    model = local_model()
    model.complete([Message("user", "7 20")], max_tokens=50)
    model.complete([Message("user", "8 20")], max_tokens=50)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["name"] for line in lines] == ["chat small", "chat small"]


def test_without_the_variable_nothing_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert telemetry.current_tracer() is None
    local_model().complete([Message("user", "7 20")], max_tokens=5)


def test_what_is_wanted_and_cannot_be_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="pip install -r requirements-telemetry.txt")
    monkeypatch.setenv(telemetry.VARIABLE, "otlp")
    with pytest.raises(TelemetryError, match="no address is given"):
        local_model().complete([Message("user", "7 20")])
    monkeypatch.setenv(telemetry.VARIABLE, str(tmp_path / "none" / "spans.jsonl"))
    with pytest.raises(TelemetryError, match="cannot be written"):
        local_model().complete([Message("user", "7 20")])


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    monkeypatch.setenv(telemetry.VARIABLE, "spans.jsonl")
    with pytest.raises(TelemetryError, match=r"pip install -r requirements-telemetry\.txt"):
        local_model().complete([Message("user", "7 20")])
