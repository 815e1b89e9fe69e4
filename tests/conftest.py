"""Fixtures that several test modules share. Those that load a bundled model fetch it on first use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Before anything imports huggingface_hub: a test that reaches for the hub fails instead of fetching.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import settings

from playground.models.bundled import ensure_bundle, ensure_minilm, ensure_smollm2_gguf
from playground.models.catalog import MPNET
from playground.models.embedding import SentenceEmbedder, load_embedder
from tests.support.running_app import running_app
from tests.support.scripted_embedder import ScriptedEmbedder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# One commit tries the same examples everywhere, and a busy machine fails nothing. By hand, with more examples, the
# search is free: PLAYGROUND_FUZZ_EXAMPLES=20000 (see docs/security.md).
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("search" if "PLAYGROUND_FUZZ_EXAMPLES" in os.environ else "suite")

BROWSER_WAIT_MS = 120_000  # loading models on a busy machine; nothing is expected to take this long


@pytest.fixture(scope="session", autouse=True)
def kept_sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pages keep their sessions in a folder of the tests, not among the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_SESSIONS", str(tmp_path_factory.mktemp("sessions")))
        yield


@pytest.fixture(scope="session", autouse=True)
def small_model() -> Iterator[None]:
    """The app begins with the small model, also on a machine that has a larger one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_MODEL", "small")
        yield


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """Return the bundled language model's file."""
    return ensure_smollm2_gguf()


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Return the bundled embedding model's folder."""
    return ensure_minilm()


@pytest.fixture(scope="session")
def mpnet() -> Path:
    """Return the folder of the larger bundled encoder."""
    return ensure_bundle(MPNET)


@pytest.fixture(scope="session")
def embedder(minilm: Path) -> SentenceEmbedder:
    """Return the bundled embedding model, loaded."""
    return load_embedder(minilm)


@pytest.fixture
def fake_embedder() -> ScriptedEmbedder:
    """Return an embedder that needs no model."""
    return ScriptedEmbedder()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small matrices are multiplied slower by several threads, far slower on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    path = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("PLAYGROUND_REQUIRE_BROWSER"):
            pytest.fail("No Chromium: install it, or name it in PLAYGROUND_CHROMIUM.")
        pytest.skip("No Chromium on this machine: install it, or name it in PLAYGROUND_CHROMIUM.")
    return path


@pytest.fixture(scope="session")
def address(smollm2_gguf: Path, minilm: Path, mpnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, started as the Makefile starts it; the models are in the cache already."""
    with running_app(tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless browser that fetches nothing by itself."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=BROWSER_WAIT_MS)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()
