"""Every way in which an endpoint can fail ends in one sentence that says what to do, without the key."""

from __future__ import annotations

import email.utils
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground.errors import EndpointError
from playground.models.endpoint.chat_model import EndpointChatModel, EndpointSettings, list_models
from playground.models.endpoint.errors import clean, without_key
from playground.models.endpoint.http import load_client
from playground.types import Message
from tests.support.scripted_endpoint import (
    Reply,
    ScriptedEndpoint,
    answer,
    error,
    events,
    hang_up,
    models,
    piece,
    scripted_endpoint,
    silent,
    status,
    stream,
    usage,
)

KEY = "sk-test-0123456789abcdef/+x"
MESSAGES = [Message("user", "How long may I return shoes?")]

Ask = Callable[..., str]


@pytest.fixture
def server() -> Iterator[ScriptedEndpoint]:
    with scripted_endpoint() as script:
        yield script


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def ask(server: ScriptedEndpoint, waits: list[float]) -> Iterator[Ask]:
    """Ask and return the message of the error, after checks that hold for every error."""
    loaded: list[EndpointChatModel] = []

    def ask_with(adapter: str | None = None, **settings: Any) -> str:
        given = EndpointSettings(
            **{"base_url": server.base_url, "model": "m", "api_key": KEY, "max_retries": 0, **settings}
        )
        model = EndpointChatModel(given, load_client(given), sleep=waits.append)
        loaded.append(model)
        with pytest.raises(EndpointError) as caught:
            model.complete(MESSAGES, adapter=adapter)
        message = str(caught.value)
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None, "the request, key included, hangs on the error"
        assert "Traceback" not in message
        assert "Error" not in message, "the name of a class is no sentence"
        assert "\n" not in message
        assert message.endswith((".", "?"))
        assert len(message) < 700
        return message

    yield ask_with
    for model in loaded:
        model.close()


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), ["refused the key (401)", "OPENAI_API_KEY"]),
        (error(403, "no"), ["does not let this key use 'm' (403)", "choose another model"]),
        (error(402, "Insufficient Balance"), ["quota", "(402)"]),
        (error(429, "slow down"), ["too many requests (429)", "Wait a minute", "slow down."]),
        (error(429, "x", code="insufficient_quota"), ["quota", "billing"]),
        (status(429, {}, retry_after="7"), ["Wait 7 s"]),
        (error(500, "CUDA out of memory"), ["failed (500)", "CUDA out of memory.", "server's log"]),
        (status(502, "<html><h1>Bad gateway</h1></html>"), ["failed (502)", "server's log"]),
        (status(503, {"error": "loading model"}), ["failed (503)", "loading model."]),
        (error(400, "This model's maximum context length is 64 tokens."), ["do not fit", "Use fewer passages"]),
        (error(413, "no"), ["do not fit"]),
        (error(400, "messages: bad"), ["rejected the request (400)", "messages: bad."]),
        (status(418, {"odd": 1}), ["rejected the request (418)"]),
        (
            status(307, "", location="https://evil.example/v1?k=1"),
            ["redirects", "at evil.example (307)", "not followed"],
        ),
    ],
)
def test_status(server: ScriptedEndpoint, ask: Ask, reply: Reply, says: list[str]) -> None:
    server.replies = [reply]
    message = ask()
    for part in says:
        assert part in message
    assert "<" not in message
    assert len(server.completions()) == 1


def test_missing_key(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [error(401, "no")]
    assert "asks for a key (401). Set it" in ask(api_key=None)


def test_unknown_model_lists_a_few_of_those_there_are(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [error(404, "model not found")]
    server.models = models(*(f"model-{n}" for n in range(8)))
    message = ask()
    assert "does not know the model 'm' (404)" in message
    assert "model-0, model-1, model-2, model-3, model-4 and 3 more" in message
    assert "'clauses'" in ask(adapter="clauses")


@pytest.mark.parametrize("listing", [None, status(200, {"data": 1}), models("m")])
def test_not_found_without_a_list_that_helps_doubts_the_address(
    server: ScriptedEndpoint, ask: Ask, listing: Reply | None
) -> None:
    server.replies = [error(404, "no such page")]
    server.models = listing
    message = ask(base_url=server.base_url.removesuffix("/v1"))
    assert "Check the address" in message
    assert "usually ends in /v1" in message
    assert "usually" not in ask()


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again_a_bounded_number_of_times(
    server: ScriptedEndpoint, ask: Ask, waits: list[float], code: int
) -> None:
    server.replies = [error(code, "busy")]
    ask(max_retries=2)
    assert len(server.completions()) == 3
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 501])
def test_lasting_failures_are_not_tried_again(
    server: ScriptedEndpoint, ask: Ask, waits: list[float], code: int
) -> None:
    server.replies = [error(code, "no")]
    ask(max_retries=2)
    assert len(server.completions()) == 1
    assert waits == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [("3", [3.0]), ("0.25", [0.25]), ("soon", [0.5]), ("-1", [0.5]), ("nan", [0.5]), ("20", [20.0]), ("21", [])],
)
def test_retry_after_is_respected_up_to_a_cap(
    server: ScriptedEndpoint, ask: Ask, waits: list[float], header: str, expected: list[float]
) -> None:
    server.replies = [status(429, {}, retry_after=header)]
    ask(max_retries=1)
    assert waits == expected


def test_retry_after_as_a_date(server: ScriptedEndpoint, ask: Ask, waits: list[float]) -> None:
    server.replies = [status(503, {}, retry_after=email.utils.formatdate(time.time() + 10, usegmt=True))]
    ask(max_retries=1)
    assert len(waits) == 1
    assert 0 < waits[0] <= 10
    server.replies = [status(503, {}, retry_after=email.utils.formatdate(time.time() + 3600, usegmt=True))]
    ask(max_retries=1)
    assert len(waits) == 1


def test_no_wait_beyond_the_time_budget(server: ScriptedEndpoint, ask: Ask, waits: list[float]) -> None:
    server.replies = [status(429, {}, retry_after="15")]
    ask(max_retries=1, total_timeout_s=10)
    assert waits == []


def test_quota_is_not_tried_again(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [error(429, "x", type="insufficient_quota")]
    ask(max_retries=2)
    assert len(server.completions()) == 1


def test_connection_that_breaks_before_the_answer_is_tried_again(
    server: ScriptedEndpoint, ask: Ask, waits: list[float]
) -> None:
    server.replies = [hang_up]
    assert "broke before the answer" in ask(max_retries=2)
    assert len(server.completions()) == 3


def test_refused_connection(ask: Ask, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    message = ask(base_url=f"http://127.0.0.1:{port}/v1", max_retries=2)
    assert f"Nothing answers at 127.0.0.1:{port}. Start the server" in message
    assert waits == [], "tried again, though nobody starts a server within a second"


def test_unknown_host(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert "llm.example leads to no machine. Check its spelling" in ask(base_url="https://llm.example/v1")


def test_unreachable_host(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", fail)
    assert "No connection to 10.0.0.1 within 3 s" in ask(base_url="http://10.0.0.1/v1", connect_timeout_s=3)


def test_server_without_tls(server: ScriptedEndpoint, ask: Ask) -> None:
    message = ask(base_url=server.base_url.replace("http:", "https:"))
    assert "No secure connection" in message
    assert "use http://" in message


def test_silence_before_the_answer(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [silent()]
    assert "sent nothing for 0.1 s. Ask again" in ask(timeout_s=0.1)
    assert "took longer than 0.1 s" in ask(total_timeout_s=0.1)


def test_silence_within_the_answer(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [silent(piece("Within"), piece(" 30"))]
    assert "sent nothing for 0.1 s after 9 characters of the answer" in ask(timeout_s=0.1)


CHUNK = b'data: {"choices":[{"delta":{"content":"Within 30"}}]}\n\n'


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (events(CHUNK, end=False), "broke after 9 characters of the answer"),
        (events(CHUNK), "stopped in the middle, after 9 characters of the answer"),
        (stream(piece("Within 30")), "stopped in the middle, after 9 characters of the answer"),
        (events(CHUNK, b'data: {"choices": [{"del\n\n'), "unreadable after 9 characters"),
        (events(CHUNK, b"data: \xff\xfe\n\n"), "unreadable after 9 characters"),
        (events(CHUNK, b"data: " + b"[" * 100_000 + b"\n\n"), "unreadable after 9 characters"),
        (events(CHUNK, b'data: {"choices": 5}\n\n'), "unreadable after 9 characters"),
        (events(CHUNK, b'data: {"choices": {"a": 1}}\n\n'), "unreadable after 9 characters"),
        (events(CHUNK, b'data: {"choices": [5]}\n\n'), "stopped in the middle"),
        (stream(piece("Within 30"), {"choices": [{"delta": {"content": {"a": 1}}}]}), "unreadable after 9"),
        (
            stream(piece("Within 30"), {"error": {"message": f"out of memory, {KEY}", "code": 500}}),
            "reported an error after 9 characters of the answer: out of memory, [key]",
        ),
        (stream(piece("Within 30"), piece(None, "content_filter")), "content filter"),
        (events(b"data: nonsense\n\n"), "not answer in the OpenAI protocol"),
        (events(b"hello\n\n"), "not answer in the OpenAI protocol"),
        (events(b"data: [1]\n\n"), "no answer"),
        (events(b""), "not answer in the OpenAI protocol"),
        (stream(), "not answer in the OpenAI protocol"),
        (stream({"choices": []}, usage(1, 0)), "no answer (its list of choices is empty)"),
        (status(200, "<!doctype html><title>Sign in</title>"), "not answer in the OpenAI protocol"),
        (status(200, {"choices": [{"message": {"content": "not streamed"}}]}), "not answer in the OpenAI protocol"),
        (status(200, {}, content_encoding="gzip"), "compressed its answer"),
    ],
)
def test_stream_that_is_cut_or_no_stream(server: ScriptedEndpoint, ask: Ask, reply: Reply, says: str) -> None:
    server.replies = [reply]
    assert says in ask()


def test_body_of_an_error_is_bounded(server: ScriptedEndpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.models.endpoint.http.BODY_BYTES_LIMIT", 10_000)
    server.replies = [error(500, "x" * 20_000)]
    assert "far more data" in ask()
    server.models = error(500, "x" * 20_000)
    with pytest.raises(EndpointError, match="far more data"):
        list_models(EndpointSettings(server.base_url, "m"))


def test_failure_is_not_the_end_of_the_model(server: ScriptedEndpoint) -> None:
    settings = EndpointSettings(server.base_url, "m", KEY, max_retries=0)
    server.replies = [events(CHUNK, end=False), error(500, "no"), answer("ok")]
    with load_client(settings) as client:
        model = EndpointChatModel(settings, client)
        for _ in range(2):
            with pytest.raises(EndpointError):
                model.complete(MESSAGES)
        assert model.complete(MESSAGES).text == "ok"


@pytest.mark.parametrize(
    "echo",
    [
        f"bad header: Bearer {KEY}",
        "key=sk-test-0123456789abcdef%2F%2Bx was refused",
        "bad key sk-test-0123456789ab",
        f"a \x00{KEY}\x1b[0m b",
        "x" * 290 + KEY,
        "![k](https://evil.example/" + KEY + ")",
    ],
)
@pytest.mark.parametrize("code", [400, 401, 404, 429, 500])
def test_key_that_the_server_repeats_is_taken_out(server: ScriptedEndpoint, ask: Ask, echo: str, code: int) -> None:
    server.replies = [error(code, echo)]
    server.models = models(echo)
    message = ask()
    assert "sk-test" not in message
    assert message.isprintable()


def test_key_that_the_user_typed_in_the_wrong_field_is_taken_out(server: ScriptedEndpoint, ask: Ask) -> None:
    server.replies = [error(404, "no such model")]
    assert "'[key]'" in ask(model=KEY)
    assert "/[key]" in ask(base_url=f"{server.base_url}/{KEY.replace('/', '')}", api_key=KEY.replace("/", ""))


@pytest.mark.parametrize("failing", [error(500, KEY), models(KEY, "b")])
def test_key_in_the_list_of_models_is_taken_out(server: ScriptedEndpoint, failing: Reply) -> None:
    server.models = failing
    try:
        shown = str(list_models(EndpointSettings(server.base_url, "m", KEY)))
    except EndpointError as caught:
        shown = str(caught)
    assert "[key]" in shown
    assert KEY not in shown


def test_without_key_leaves_other_text_alone() -> None:
    assert without_key("nothing to hide", KEY) == "nothing to hide"
    assert without_key("nothing to hide", None) == "nothing to hide"
    assert without_key("a short one", "short") == "a [key] one"


def test_without_key_finds_escaped_forms() -> None:
    assert without_key("k=a%2Fb%2Bc", "a/b+c") == "k=[key]"
    assert without_key(r"k=a\"b\\c", 'a"b\\c') == "k=[key]"


def test_clean_makes_one_bounded_printable_line() -> None:
    assert clean(" a\n\tb\x00c  ", None) == "a b c"
    assert clean("x" * 500, None, limit=10) == "x" * 9 + "…"
    assert clean("x" * 8 + KEY, KEY, limit=10) == "x" * 8 + "[…"
