"""Fixtures that several test modules share. Those that load a bundled model fetch it on first use."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports huggingface_hub: a test that reaches for the hub fails instead of fetching.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from scripted_embedder import ScriptedEmbedder

from playground.embedding import SentenceEmbedder, load_embedder
from playground.models.bundled import ensure_minilm, ensure_smollm2_gguf


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """Return the bundled language model's file."""
    return ensure_smollm2_gguf()


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Return the bundled embedding model's folder."""
    return ensure_minilm()


@pytest.fixture(scope="session")
def embedder(minilm: Path) -> SentenceEmbedder:
    """Return the bundled embedding model, loaded."""
    return load_embedder(minilm)


@pytest.fixture
def fake_embedder() -> ScriptedEmbedder:
    """Return an embedder that needs no model."""
    return ScriptedEmbedder()
