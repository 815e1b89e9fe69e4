"""Prices come from the bundled list; what is not in it is unknown, never zero."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

import pytest

from playground.paths import ROOT
from playground.pricing import cost_usd, describe_cost, prices_date
from playground.types import Usage

REQUIREMENTS = ROOT / "requirements.txt"
OPENAI = "https://api.openai.com/v1"
USAGE = Usage(input_tokens=1000, output_tokens=100)


def test_price_of_a_listed_model_is_its_rates_times_the_tokens() -> None:
    # gpt-4o-mini: 0.15 USD per million input tokens, 0.60 per million output tokens, 0.075 for cached input.
    assert cost_usd(USAGE, "gpt-4o-mini", provider_base_url=OPENAI) == pytest.approx(1000 * 0.15e-6 + 100 * 0.60e-6)


def test_cached_tokens_are_priced_as_cache_reads() -> None:
    cached = Usage(input_tokens=1000, output_tokens=100, cached_tokens=600)
    expected = 400 * 0.15e-6 + 600 * 0.075e-6 + 100 * 0.60e-6
    assert cost_usd(cached, "gpt-4o-mini", provider_base_url=OPENAI) == pytest.approx(expected)


def test_dated_name_of_a_model_has_its_price() -> None:
    assert cost_usd(USAGE, "gpt-4o-mini-2024-07-18", provider_base_url=OPENAI) == cost_usd(
        USAGE, "gpt-4o-mini", provider_base_url=OPENAI
    )


@pytest.mark.parametrize(
    ("usage", "model_id", "base_url"),
    [
        (None, "gpt-4o-mini", OPENAI),
        (USAGE, "a-model-that-nobody-sells", OPENAI),
        (USAGE, "gpt-4o-mini", None),
        (USAGE, "gpt-4o-mini", "http://localhost:8000/v1"),
        (USAGE, "gpt-4o-mini", "https://gateway.example.com/v1"),
        # Listed without token prices: the sum over nothing would be zero.
        (USAGE, "whisper-1", OPENAI),
        (USAGE, "meta-llama/llama-3.3-70b-instruct:free", "https://openrouter.ai/api/v1"),
        # Listed without a price for output.
        (USAGE, "text-embedding-3-small", OPENAI),
        # More tokens from the cache than there were.
        (Usage(10, 1, cached_tokens=20), "gpt-4o-mini", OPENAI),
    ],
)
def test_unknown_price_is_none_and_not_zero(usage: Usage | None, model_id: str, base_url: str | None) -> None:
    assert cost_usd(usage, model_id, provider_base_url=base_url) is None


def test_tokens_of_a_local_model_have_no_price_even_uncounted() -> None:
    assert cost_usd(USAGE, "SmolLM2-135M-Instruct", provider_base_url=None, local=True) == 0.0
    assert cost_usd(None, "gpt-4o-mini", provider_base_url=OPENAI, local=True) == 0.0


def test_nothing_is_fetched() -> None:
    # A fresh process, so that the import of the price list is covered too.
    code = (
        "import socket, threading\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from playground.pricing import cost_usd\n"
        "from playground.types import Usage\n"
        f"assert cost_usd(Usage(1000, 100), 'gpt-4o-mini', provider_base_url={OPENAI!r}) > 0\n"
        "assert threading.active_count() == 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_date_belongs_to_the_pinned_version_of_the_list() -> None:
    pinned = re.search(r"^genai-prices==(.+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned is not None
    assert re.fullmatch(rf"20\d\d-\d\d-\d\d \(genai-prices {re.escape(pinned[1])}\)", prices_date())


def test_date_of_another_version_is_not_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0")
    assert prices_date() == "genai-prices 99.0"


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (None, "unknown price"),
        (0.0, "$0"),
        (0.00012, "$0.00012"),
        (0.0000075, "$0.0000075"),
        (0.00001, "$0.00001"),
        (0.012345, "$0.012"),
        (0.05, "$0.05"),
        (0.0999, "$0.10"),
        (0.5, "$0.50"),
        (0.999, "$1.00"),
        (1234.5, "$1,234.50"),
        (1e-9, "less than $0.00000001"),
    ],
)
def test_describe_cost(cost: float | None, text: str) -> None:
    assert describe_cost(cost) == text
