"""Where the endpoint's address, model and key come from, and which of them are accepted."""

from __future__ import annotations

import os

import pytest

from playground.errors import EndpointError
from playground.models.endpoint.settings import OPENAI_BASE_URL, EndpointSettings, settings_from

KEY = "sk-test-0123456789abcdef"


def test_key_is_neither_in_repr_nor_in_str() -> None:
    settings = EndpointSettings("http://localhost:8000/v1", "m", KEY)
    assert settings.api_key == KEY
    assert KEY not in repr(settings)
    assert KEY not in str(settings)
    assert "localhost:8000" in repr(settings)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        (" https://api.openai.com/v1 ", "https://api.openai.com/v1"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://192.168.1.20/v1", "http://192.168.1.20/v1"),
        ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000/v1"),
        ("http://vllm:8000/v1", "http://vllm:8000/v1"),
        ("http://gpu.local/v1", "http://gpu.local/v1"),
    ],
)
def test_accepted_addresses(given: str, stored: str) -> None:
    assert EndpointSettings(given, "m").base_url == stored


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "http"),
        ("localhost:8000", "http"),
        ("ftp://localhost/v1", "http"),
        ("file:///etc/passwd", "http"),
        ("http://", "http"),
        ("http://localhost:99999/v1", "not a URL"),
        ("http://[::1/v1", "not a URL"),
        ("http://local host/v1", "not a URL"),
        ("http://localhost/v1\r\nX-Header: 1", "not a URL"),
        ("https://localhost/" + "a" * 3000, "not a URL"),
        (f"https://user:{KEY}@example.com/v1", "user name or password"),
        (f"https://{KEY}@example.com/v1", "user name or password"),
        (f"https://example.com/v1?key={KEY}", "before any \\?"),
        (f"https://example.com/v1#{KEY}", "before any \\?"),
        ("http://example.com/v1", "unencrypted"),
        ("http://8.8.8.8/v1", "unencrypted"),
        ("http://169.254.169.254/latest", "unencrypted"),
    ],
)
def test_refused_addresses_say_why_and_never_repeat_a_secret(url: str, says: str) -> None:
    with pytest.raises(EndpointError, match=says) as caught:
        EndpointSettings(url, "m")
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "k" * 5000])
def test_key_that_cannot_travel_in_a_header_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(EndpointError, match="Copy it again") as caught:
        EndpointSettings("http://localhost/v1", "m", key)
    assert key not in str(caught.value)


def test_pasted_white_space_around_a_key_is_dropped_and_an_empty_key_is_none() -> None:
    assert EndpointSettings("http://localhost/v1", "m", f" {KEY}\n").api_key == KEY
    assert EndpointSettings("http://localhost/v1", "m", "  ").api_key is None


@pytest.mark.parametrize("model", ["", "  ", "a\x00b", "a\nb", "m" * 300])
def test_unusable_model_names(model: str) -> None:
    with pytest.raises(EndpointError, match="model name"):
        EndpointSettings("http://localhost/v1", model)


@pytest.mark.parametrize(
    "numbers",
    [
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"connect_timeout_s": -1},
        {"total_timeout_s": float("inf")},
        {"max_retries": -1},
        {"context_limit": 0},
    ],
)
def test_unusable_numbers_are_named(numbers: dict[str, float]) -> None:
    with pytest.raises(EndpointError, match=next(iter(numbers))):
        EndpointSettings("http://localhost/v1", "m", **numbers)


def test_environment_alone() -> None:
    settings = settings_from(
        {
            "OPENAI_BASE_URL": "http://localhost:8000/v1",
            "OPENAI_MODEL": "m",
            "OPENAI_API_KEY": KEY,
            "OPENAI_CONTEXT_LIMIT": "4096",
        },
        {},
    )
    assert settings == EndpointSettings("http://localhost:8000/v1", "m", KEY, context_limit=4096)


def test_secrets_alone() -> None:
    table = {"base_url": "http://localhost:8000/v1", "model": "m", "api_key": KEY, "context_limit": 4096}
    settings = settings_from({}, {"endpoint": table, "other": {"x": 1}})
    assert settings == EndpointSettings("http://localhost:8000/v1", "m", KEY, context_limit=4096)


def test_model_and_key_without_an_address_mean_openai() -> None:
    settings = settings_from({"OPENAI_MODEL": "m", "OPENAI_API_KEY": KEY}, {})
    assert settings is not None
    assert (settings.base_url, settings.api_key) == (OPENAI_BASE_URL, KEY)


@pytest.mark.parametrize("environment", [{}, {"OPENAI_API_KEY": KEY}, {"OPENAI_MODEL": " ", "OPENAI_BASE_URL": ""}])
def test_nothing_configured_is_none(environment: dict[str, str]) -> None:
    assert settings_from(environment, {}) is None
    assert settings_from(environment, {"endpoint": {}}) is None


def test_environment_wins_over_secrets() -> None:
    settings = settings_from(
        {"OPENAI_BASE_URL": "http://localhost:1/v1", "OPENAI_MODEL": "env"},
        {"endpoint": {"base_url": "http://localhost:2/v1", "model": "table"}},
    )
    assert settings is not None
    assert (settings.base_url, settings.model) == ("http://localhost:1/v1", "env")


def test_key_is_never_sent_to_an_address_from_the_other_source() -> None:
    table_address = settings_from(
        {"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "m"}, {"endpoint": {"base_url": "http://localhost:2/v1"}}
    )
    assert table_address is not None
    assert table_address.base_url == "http://localhost:2/v1"
    assert table_address.api_key is None

    environment_address = settings_from(
        {"OPENAI_BASE_URL": "http://localhost:1/v1", "OPENAI_MODEL": "m"}, {"endpoint": {"api_key": KEY}}
    )
    assert environment_address is not None
    assert environment_address.api_key is None


def test_address_without_model_says_what_to_set() -> None:
    with pytest.raises(EndpointError, match="Set OPENAI_MODEL"):
        settings_from({"OPENAI_BASE_URL": "http://localhost:1/v1"}, {})


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("http://localhost", "must be a table"),
        ({"base-url": "http://localhost"}, "unknown key 'base-url'"),
        ({"model": 5}, "model under"),
        ({"model": "m", "api_key": ["x"]}, "api_key under"),
        ({"model": "m", "context_limit": "many"}, "whole number"),
        ({"model": "m", "context_limit": True}, "context_limit under"),
    ],
)
def test_unusable_secrets_are_named(endpoint: object, says: str) -> None:
    with pytest.raises(EndpointError, match=says):
        settings_from({}, {"endpoint": endpoint})


def test_sources_and_the_process_environment_stay_as_they_were() -> None:
    before = dict(os.environ)
    environment = {"OPENAI_MODEL": "m", "OPENAI_API_KEY": KEY}
    secrets = {"endpoint": {"model": "n"}}
    settings_from(environment, secrets)
    assert environment == {"OPENAI_MODEL": "m", "OPENAI_API_KEY": KEY}
    assert secrets == {"endpoint": {"model": "n"}}
    assert dict(os.environ) == before
