"""The endpoint's chat model against a real server: llama.cpp's, serving the bundled model in a process of its own."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.errors import EndpointError
from playground.models.endpoint.chat_model import EndpointChatModel, EndpointSettings, list_models, load_endpoint
from playground.paths import POLICIES
from playground.types import Message
from tests.support.serving import serving

pytestmark = pytest.mark.models


KEY = "sk-test-of-the-real-server"
STORY = [Message("user", "Tell a long story about a shop.")]


@pytest.fixture(scope="module")
def settings(smollm2_gguf: Path) -> Iterator[EndpointSettings]:
    with serving(smollm2_gguf, KEY) as address:
        yield EndpointSettings(f"{address}/v1", "smollm2", KEY, context_limit=2048)


@pytest.fixture(scope="module")
def model(settings: EndpointSettings) -> Iterator[EndpointChatModel]:
    loaded = load_endpoint(settings)
    yield loaded
    loaded.close()


def ask_server(settings: EndpointSettings, path: str, body: object = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the address is the test's own server
        settings.base_url.removesuffix("/v1") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def test_streamed_completion_with_usage(model: EndpointChatModel, caplog: pytest.LogCaptureFixture) -> None:
    tokens: list[str] = []
    question = "Unworn shoes may be returned within 45 days. Within how many days may unworn shoes be returned?"
    completion = model.complete([Message("user", question)], max_tokens=24, on_token=tokens.append)
    assert "45 days" in completion.text
    assert "".join(tokens) == completion.text
    assert len(tokens) > 3, "not streamed"
    assert completion.usage is not None
    assert 45 < completion.usage.input_tokens < 75  # the question, and the chat template with its system prompt
    assert 3 < completion.usage.output_tokens <= 24
    assert completion.first_token_s is not None
    assert 0 < completion.first_token_s < completion.duration_s
    assert not [record for record in caplog.records if record.name.startswith("playground")]  # nothing was refused


def test_same_answer_at_temperature_zero_and_cached_tokens_counted(model: EndpointChatModel) -> None:
    first = model.complete(STORY, max_tokens=24)
    second = model.complete(STORY, max_tokens=24, seed=7)
    assert first.text == second.text
    assert first.stop_reason == second.stop_reason == "length"
    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.output_tokens == 24
    assert 0 < second.usage.cached_tokens <= second.usage.input_tokens == first.usage.input_tokens


def test_seed_and_temperature_reach_the_server(model: EndpointChatModel) -> None:
    def story(seed: int) -> str:
        return model.complete(STORY, max_tokens=24, temperature=1.5, seed=seed).text

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_stop_from_on_token_frees_the_server(model: EndpointChatModel, settings: EndpointSettings) -> None:
    class Stopped(BaseException):
        pass

    seen: list[str] = []

    def on_token(token: str) -> None:
        seen.append(token)
        if len(seen) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        model.complete(STORY, max_tokens=1900, on_token=on_token)
    # The server has one slot, so this waits until the stopped request has left it.
    assert model.complete([Message("user", "Hello!")], max_tokens=4).text
    assert len(seen) == 3

    with pytest.raises(Stopped):
        seen.clear()
        model.complete(STORY, max_tokens=1900, on_token=on_token)
    for _ in range(600):
        slot = ask_server(settings, "/slots")[0]
        if not slot["is_processing"]:
            break
        time.sleep(0.05)
    assert slot["params"]["n_predict"] == 1900
    assert slot["next_token"][0]["has_next_token"], "the server wrote the whole answer for nobody"


def test_models_of_the_server(settings: EndpointSettings) -> None:
    assert list_models(settings) == ("smollm2",)


def refusal(settings: EndpointSettings, messages: list[Message] = STORY) -> str:
    model = load_endpoint(settings)
    with pytest.raises(EndpointError) as caught:
        model.complete(messages, max_tokens=4)
    model.close()
    return str(caught.value)


def test_unknown_path(settings: EndpointSettings) -> None:
    message = refusal(replace(settings, base_url=settings.base_url.replace("/v1", "/nothing")))
    assert "(404)" in message
    assert "usually ends in /v1" in message


def test_wrong_and_missing_key(settings: EndpointSettings) -> None:
    assert "refused the key (401)" in refusal(replace(settings, api_key="sk-wrong-0123456789"))
    assert "asks for a key (401)" in refusal(replace(settings, api_key=None))


def test_prompt_beyond_the_context(settings: EndpointSettings) -> None:
    message = refusal(settings, [Message("user", "word " * 3000)])
    assert "do not fit into the context of 'smollm2'" in message
    assert "2048 tokens" in message


@pytest.mark.parametrize("policy", ["northtrail-outdoor-v1.md", "pawsome-pantry.txt", "hearth-and-oak-furniture.html"])
def test_estimate_of_tokens_is_high_but_not_by_half(
    model: EndpointChatModel, settings: EndpointSettings, policy: str
) -> None:
    text = (POLICIES / policy).read_text(encoding="utf-8")
    tokens = len(ask_server(settings, "/tokenize", {"content": text})["tokens"])
    assert tokens <= model.count_tokens(text) <= 1.5 * tokens


def test_estimate_of_a_prompt_is_high_but_not_by_half(model: EndpointChatModel) -> None:
    policy = (POLICIES / "northtrail-outdoor-v1.md").read_text(encoding="utf-8")[:3000]
    messages = [Message("system", "Answer from the text."), Message("user", policy), Message("assistant", "Yes.")]
    messages.append(Message("user", "And for opened ones?"))
    completion = model.complete(messages, max_tokens=1)
    assert completion.usage is not None
    assert completion.usage.input_tokens <= model.count_prompt_tokens(messages) <= 1.5 * completion.usage.input_tokens
