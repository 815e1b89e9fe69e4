"""Completions from an OpenAI-compatible endpoint: what is sent, what is made of the stream, stopping and bounds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground.errors import EndpointError
from playground.models.endpoint.chat_model import (
    ANSWER_CHARS_LIMIT,
    EndpointChatModel,
    EndpointSettings,
    list_models,
    load_endpoint,
)
from playground.types import ChatModel, Message, Usage
from tests.support.scripted_endpoint import (
    ScriptedEndpoint,
    answer,
    dripping,
    endless,
    error,
    events,
    models,
    piece,
    scripted_endpoint,
    silent,
    status,
    stream,
    usage,
)

KEY = "sk-test-0123456789abcdef"
MESSAGES = [Message("system", "Be brief."), Message("user", "How long may I return shoes?")]

Load = Callable[..., EndpointChatModel]


@pytest.fixture
def server() -> Iterator[ScriptedEndpoint]:
    with scripted_endpoint() as script:
        yield script


@pytest.fixture
def load(server: ScriptedEndpoint) -> Iterator[Load]:
    loaded: list[EndpointChatModel] = []

    def load_with(*, sleep: Callable[[float], None] = time.sleep, **settings: Any) -> EndpointChatModel:
        given = {"base_url": server.base_url, "model": "m", "api_key": KEY, "max_retries": 0, **settings}
        loaded.append(load_endpoint(EndpointSettings(**given), sleep=sleep))
        return loaded[-1]

    yield load_with
    for model in loaded:
        model.close()


def test_streamed_answer_with_usage_and_times(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(piece("Within "), piece("30"), piece(" days."), piece(None, "stop"), usage(21, 5, 16))]
    model: ChatModel = load()
    tokens: list[str] = []
    completion = model.complete(MESSAGES, on_token=tokens.append)
    assert tokens == ["Within ", "30", " days."]
    assert completion.text == "Within 30 days."
    assert completion.usage == Usage(21, 5, cached_tokens=16)
    assert completion.stop_reason == "end"
    assert completion.model_id == model.model_id == "m"
    assert completion.messages == tuple(MESSAGES)
    assert completion.adapter is None
    assert completion.first_token_s is not None
    assert 0 < completion.first_token_s <= completion.duration_s


def test_request_holds_what_was_asked_for(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [answer("ok")]
    load().complete(MESSAGES, max_tokens=17, temperature=0.5, seed=3)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How long may I return shoes?"},
        ],
        "max_tokens": 17,
        "temperature": 0.5,
        "seed": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_adapter_is_sent_as_the_model(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [answer("ok")]
    completion = load().complete(MESSAGES, adapter="clauses")
    assert server.requests[0].body["model"] == "clauses"
    assert (completion.model_id, completion.adapter) == ("m", "clauses")


def test_length_stop_and_absent_usage(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(piece("Within"), piece("", "length"))]
    completion = load().complete(MESSAGES, max_tokens=1)
    assert completion.stop_reason == "length"
    assert completion.usage is None


def test_empty_answer_has_no_first_token(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(piece(None, role="assistant"), piece(None, "stop"), usage(3, 0))]
    completion = load().complete(MESSAGES)
    assert (completion.text, completion.first_token_s, completion.stop_reason) == ("", None, "end")


def test_refusal_is_the_answer(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(piece(None, refusal="I cannot"), piece(None, "stop", refusal=" help."))]
    assert load().complete(MESSAGES).text == "I cannot help."


@pytest.mark.parametrize("reported", [usage("21", 5), usage(21, -5), usage(True, 5), usage(None, 5)])
def test_unusable_usage_is_unknown(server: ScriptedEndpoint, load: Load, reported: dict[str, Any]) -> None:
    server.replies = [stream(piece("ok"), piece(None, "stop"), reported)]
    assert load().complete(MESSAGES).usage is None


def test_more_cached_tokens_than_input_are_not_believed(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(piece("ok"), piece(None, "stop"), usage(10, 1, 99))]
    assert load().complete(MESSAGES).usage == Usage(10, 1, cached_tokens=10)


def test_characters_split_over_reads_and_lone_surrogates(server: ScriptedEndpoint, load: Load) -> None:
    text = '{"choices":[{"delta":{"content":"30 €"},"finish_reason":"stop"}]}'.encode()
    at = text.index("€".encode()) + 1
    server.replies = [events(b"data: " + text[:at], text[at:] + b"\r\n\r\ndata: [DONE]\r\n\r\n")]
    completion = load().complete([Message("user", "bad \ud800 half")])
    assert completion.text == "30 €"
    assert completion.messages[0].content == "bad ? half"


def refused(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return the parameters that the terminal is told of as refused."""
    return {str(record.args[0]) for record in caplog.records if record.args and "refused" in record.msg}


@pytest.mark.parametrize(
    ("refusal", "left_out", "then_sent"),
    [
        (error(400, "Unknown field.", param="stream_options"), "stream_options", {}),
        (error(400, "stream_options: extra fields not permitted"), "stream_options", {}),
        (
            error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens"),
            "max_tokens",
            {"max_completion_tokens": 256},
        ),
        (error(400, "'temperature' does not support 0.0 with this model.", param="temperature"), "temperature", {}),
        (status(422, {"detail": [{"loc": ["body", "seed"], "msg": "extra"}]}), "seed", {}),
    ],
)
def test_refused_parameter_is_left_out_now_and_later(
    server: ScriptedEndpoint,
    load: Load,
    caplog: pytest.LogCaptureFixture,
    *,
    refusal: Any,
    left_out: str,
    then_sent: dict[str, Any],
) -> None:
    server.replies = [refusal, answer("ok")]
    model = load()
    assert model.complete(MESSAGES).text == "ok"
    assert refused(caplog) == {left_out}
    model.complete(MESSAGES)
    first, second, third = server.requests
    assert left_out in first.body
    assert second.body == third.body
    assert second.body == {k: v for k, v in first.body.items() if k != left_out} | then_sent


def test_several_refused_parameters(server: ScriptedEndpoint, load: Load, caplog: pytest.LogCaptureFixture) -> None:
    server.replies = [error(400, "max_tokens"), error(400, "temperature"), error(400, "seed"), answer("ok")]
    model = load()
    assert model.complete(MESSAGES).text == "ok"
    assert refused(caplog) == {"max_tokens", "temperature", "seed"}


def test_refusal_that_leaving_out_does_not_cure_is_told_and_not_remembered(
    server: ScriptedEndpoint, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies = [error(400, "max_tokens is too large: 256 exceeds the context length of 64")]
    model = load()
    with pytest.raises(EndpointError, match=r"do not fit .* Use fewer passages"):
        model.complete(MESSAGES)
    assert refused(caplog) == set()
    assert len(server.requests) == 2


class Stopped(BaseException):
    """Stands for Streamlit's own exception, which is no Exception."""


@pytest.mark.parametrize("stop", [Stopped, ValueError, EndpointError])
def test_exception_of_on_token_closes_the_stream_and_reaches_the_caller(
    server: ScriptedEndpoint, load: Load, stop: type[BaseException]
) -> None:
    server.replies = [endless(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'), answer("next")]
    seen: list[str] = []

    def on_token(token: str) -> None:
        seen.append(token)
        if len(seen) == 3:
            raise stop("enough")

    model = load()
    with pytest.raises(stop, match="enough"):
        model.complete(MESSAGES, on_token=on_token)
    assert seen == ["x", "x", "x"]
    assert server.client_left.wait(10), "the server could go on writing"
    assert model.complete(MESSAGES).text == "next"


def test_answer_beyond_max_tokens_is_cut(server: ScriptedEndpoint, load: Load) -> None:
    counted_as_it_grows = b'"usage":{"prompt_tokens":5,"completion_tokens":1}'
    server.replies = [endless(b'data: {"choices":[{"delta":{"content":"0123456789"}}],%s}\n\n' % counted_as_it_grows)]
    tokens: list[str] = []
    completion = load().complete(MESSAGES, max_tokens=10, on_token=tokens.append)
    assert len(completion.text) == 256 + 16 * 10
    assert "".join(tokens) == completion.text
    assert (completion.stop_reason, completion.usage) == ("length", None)
    assert server.client_left.wait(10)


def test_answer_has_a_limit_whatever_max_tokens_says(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(*[piece("x" * 50_000)] * 5, piece(None, "stop"))]
    assert len(load().complete(MESSAGES, max_tokens=10**6).text) == ANSWER_CHARS_LIMIT


def test_line_without_end_does_not_fill_the_memory(
    server: ScriptedEndpoint, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.models.endpoint.http.STREAM_BYTES_LIMIT", 100_000)
    server.replies = [endless(b"x" * 4096)]
    with pytest.raises(EndpointError, match="far more data"):
        load(total_timeout_s=10).complete(MESSAGES)
    assert server.client_left.wait(10)


@pytest.mark.parametrize(
    "part",
    [b": ping\n\n", b'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\n\n', b'data: {"choices":[]}\n\n'],
)
def test_server_that_keeps_the_line_busy_runs_out_of_time(server: ScriptedEndpoint, load: Load, part: bytes) -> None:
    server.replies = [dripping(part)]
    with pytest.raises(EndpointError, match=r"longer than 0\.2 s"):
        load(total_timeout_s=0.2).complete(MESSAGES)


def test_budget_counts_from_the_call(server: ScriptedEndpoint, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    server.replies = [endless(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')]
    real_clock = time.perf_counter

    def an_hour_passes(token: str) -> None:
        monkeypatch.setattr(time, "perf_counter", lambda: real_clock() + 3600)

    with pytest.raises(EndpointError, match=r"longer than 300 s after 1 characters"):
        load().complete(MESSAGES, on_token=an_hour_passes)


def test_whole_answer_survives_a_missing_end_of_stream(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [silent(piece("whole"), piece(None, "stop"))]
    completion = load(timeout_s=0.1).complete(MESSAGES)
    assert (completion.text, completion.usage, completion.stop_reason) == ("whole", None, "end")


def test_only_the_needed_headers_are_sent(
    server: ScriptedEndpoint, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-endpoint")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-key-of-another")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-custom\nX-Secret: secret")
    server.replies = [answer("ok")]
    load().complete(MESSAGES)
    load(api_key=None).complete(MESSAGES)
    with_key, without_key = (request.headers for request in server.requests)
    assert with_key.pop("authorization") == f"Bearer {KEY}"
    for headers in (with_key, without_key):
        assert headers["accept-encoding"] == "identity"
        assert set(headers) <= {
            "accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"
        }  # fmt: skip
        assert "secret" not in str(headers)


def test_loopback_is_reached_without_the_proxy_of_the_environment(
    server: ScriptedEndpoint, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.replies = [answer("ok")]
    assert load().complete(MESSAGES).text == "ok"


def test_key_is_not_logged(server: ScriptedEndpoint, load: Load, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.replies = [error(500, f"echo {KEY}"), answer("ok")]
    load(max_retries=1).complete(MESSAGES)
    assert "chat/completions" in caplog.text, "nothing was logged, so nothing was tested"
    assert KEY not in caplog.text


def test_list_models_is_bounded_and_skips_what_is_no_name(server: ScriptedEndpoint) -> None:
    settings = EndpointSettings(server.base_url, "m", KEY)
    server.models = models("a", "b")
    assert list_models(settings) == ("a", "b")
    server.models = status(200, {"data": [{"id": f"model-{n}"} for n in range(500)]})
    assert len(list_models(settings)) == 200
    server.models = status(200, {"data": [{"id": 5}, {"name": "x"}, {"id": "ok\x1b[31m"}, {"id": "x" * 9999}]})
    assert list_models(settings) == ("ok [31m", "x" * 199 + "…")


@pytest.mark.parametrize(
    "body", [{"data": None}, {"data": 5}, {"data": ["x"]}, {}, [], "<html>hello</html>", {"data": {"a": 1}}]
)
def test_list_models_of_something_else(server: ScriptedEndpoint, body: object) -> None:
    server.models = status(200, body)
    with pytest.raises(EndpointError, match="not answer in the OpenAI protocol"):
        list_models(EndpointSettings(server.base_url, "m"))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("a b c d", 2),
        ("a b c d ", 3),
        ("2024-05-01", 10),
        ("€", 2),
        ("€€", 4),
        ("\ud800", 1),
        ("abcdefg 1€", 6),
    ],
)
def test_count_tokens_follows_its_rule(load: Load, text: str, tokens: int) -> None:
    assert load().count_tokens(text) == tokens


def test_count_of_a_prompt_adds_the_chat_format(load: Load) -> None:
    model = load()
    assert model.count_prompt_tokens([]) == 4
    assert model.count_prompt_tokens(MESSAGES) == 4 + sum(6 + model.count_tokens(m.content) for m in MESSAGES)


def test_cost_is_known_by_address_and_model(load: Load) -> None:
    tokens = Usage(1_000_000, 0)
    sold = load(base_url="https://api.openai.com/v1", model="gpt-4o-mini")
    assert sold.cost_usd(tokens) == pytest.approx(0.15)
    assert sold.cost_usd(None) is None
    assert load(model="gpt-4o-mini").cost_usd(tokens) is None


def test_context_limit_is_the_users_word(load: Load) -> None:
    assert load(context_limit=2048).context_limit == 2048


def test_max_tokens_below_one_is_the_callers_mistake(load: Load) -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        load().complete(MESSAGES, max_tokens=0)


def test_times_count_the_waits_between_attempts(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [error(503, "loading"), answer("ok")]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(0.05)

    completion = load(max_retries=1, sleep=sleep).complete(MESSAGES)
    assert waits == [0.5]
    assert completion.first_token_s is not None
    assert completion.first_token_s >= 0.05


def test_an_answer_that_goes_round_in_circles_is_stopped(server: ScriptedEndpoint, load: Load) -> None:
    server.replies = [stream(*(piece("Furniture. ") for _ in range(25)), piece("", "stop"), usage(10, 50))]
    heard: list[str] = []
    completion = load().complete(MESSAGES, on_token=heard.append)
    assert (completion.stop_reason, completion.usage) == ("repetition", None)
    assert completion.text == "Furniture. " * 6 == "".join(heard)
