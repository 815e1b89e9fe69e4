"""Load what a command needs: models, with the progress of a fetch on standard error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground import paths
from playground.cli.terminal import ProgressLine
from playground.types import ChatModel, Document, Embedder

if TYPE_CHECKING:
    from playground.adapters import AdapterStore

# Progress bars of the libraries would draw over ours.
_QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "TOKENIZERS_PARALLELISM": "false"}


def load_model(name: str) -> ChatModel:
    """Load the model that ``--model`` names.

    Raises:
        ModelError: it is unknown, or cannot be fetched, loaded or reached.
    """
    from playground.adapters import branch_loader
    from playground.models.sources import choice_from, load_chat_model

    choice = choice_from(name)
    quieten()
    load_adapter = branch_loader(load_adapter_store(), choice)
    with fetch_progress() as on_progress:
        return load_chat_model(choice, on_progress, load_adapter)


def load_embedder() -> Embedder:
    """Load the bundled embedding model.

    Raises:
        ModelError: it cannot be fetched or loaded.
    """
    from playground.models.bundled import ensure_minilm
    from playground.models.embedding import load_embedder as load_from

    quieten()
    with fetch_progress() as on_progress:
        folder = ensure_minilm(on_progress)
    return load_from(folder)


def load_policy(path: Path) -> Document:
    """Read the document that ``--policy`` names.

    Raises:
        DocumentError: it is missing or cannot be used.
    """
    from playground.documents import POLICY_LIMITS, load_document
    from playground.errors import DocumentError
    from playground.files import read_file

    try:
        if not path.is_file():
            raise DocumentError(f"There is no file {path}. Check --policy.")
        if path.stat().st_size > POLICY_LIMITS.max_bytes:
            raise DocumentError(f"{path} has more than {POLICY_LIMITS.max_bytes >> 20} MB. Split it.")
        data = read_file(path, POLICY_LIMITS.max_bytes)
    except OSError as error:
        raise DocumentError(f"{path} cannot be read ({error.strerror}). Check --policy.") from error
    return load_document(data, path.name)


def load_adapter_store() -> AdapterStore:
    """Return the user's adapters together with those that are shipped."""
    from playground.adapters import AdapterStore, default_root

    return AdapterStore(default_root(), paths.SHIPPED_ADAPTERS)


@contextmanager
def fetch_progress() -> Iterator[Any]:
    """Give a callback for ``models.bundled`` that shows the progress of a fetch."""
    line = ProgressLine()
    try:
        yield lambda progress: line.show(f"{progress.bundle.title}, {progress.stage}", progress.fraction)
    finally:
        line.close()


def quieten() -> None:
    """Keep the libraries' progress bars off the terminal."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
