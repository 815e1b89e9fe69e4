"""What a network computed of a long text, kept on this disk: after a restart or a roll back nobody waits for it again.

A prompt's keys and values are written as safetensors beside the models. They are as private as the text they were made
of, so they go after a day, as kept sessions do, and the folder never grows beyond its bound.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground import atomic
from playground.models.bundled import cache_folder

KEPT_S = 24 * 3600
MOST_BYTES = 1_000_000_000
"""Of all kept prompts together; a policy of 2,000 tokens takes 50 to 120 MB."""
FEWEST_TOKENS = 256
"""A shorter prompt is read again as fast as a file is."""
_FREE_BYTES = 2_000_000_000
"""What must stay free on the disk."""
_TOKENS = "tokens"
_SUFFIX = ".safetensors"

Cache = Mapping[str, NDArray[np.float32]]
"""Keys and values by the engine's name, each float32 [1, key-value heads, tokens, size of a head]."""


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """A prompt on the disk: its tokens, and the file that holds its keys and values."""

    tokens: tuple[int, ...]
    path: Path

    def read(self) -> Cache:
        """Return keys and values.

        Raises:
            OSError: the file is gone or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            cache = load_file(self.path)
        except (SafetensorError, ValueError) as error:
            raise OSError(f"{self.path.name} is damaged: {error}") from error
        del cache[_TOKENS]
        return cache


class KeptPrompts:
    """The prompts that one model's networks have read. Several processes may use one folder.

    Args:
        folder: holds those of all models; made when first needed.
        model: what decides keys and values beside the tokens: the hash of the weights and how they are computed with.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._model = model
        self._known: dict[Path, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    def find(self, adapter: str | None, prompt: Sequence[int]) -> KeptPrompt | None:
        """Return the longest kept prompt that ``prompt`` begins with and that ``adapter``'s network read."""
        with self._lock:
            paths = self._paths(adapter)
            self._known = {path: known for path, known in self._known.items() if path in paths}
            begun = [
                KeptPrompt(tokens, path)
                for path in paths
                if (tokens := self._tokens_of(path)) and list(prompt[: len(tokens)]) == list(tokens)
            ]
        return max(begun, key=lambda kept: len(kept.tokens), default=None)

    def keep(self, adapter: str | None, tokens: Sequence[int], cache: Cache) -> None:
        """Write a prompt that was read, in place of the oldest ones where the folder is full.

        A disk that is full, or a folder that cannot be written, keeps nothing: that costs time, not an answer.
        """
        from safetensors.numpy import save

        size_bytes = sum(array.nbytes for array in cache.values())
        path = self._folder / f"{self._prefix(adapter)}-{_digest(','.join(map(str, tokens)))}{_SUFFIX}"
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            forget_old(self._folder, room_for_bytes=size_bytes)
            if size_bytes > MOST_BYTES or shutil.disk_usage(self._folder).free < size_bytes + _FREE_BYTES:
                return
            content = save({**cache, _TOKENS: np.asarray(tokens, dtype=np.int64)})
            atomic.replace_file(path, content)

    def forget(self, kept: KeptPrompt) -> None:
        """Remove a prompt that cannot be used."""
        with contextlib.suppress(OSError):
            kept.path.unlink()

    def _prefix(self, adapter: str | None) -> str:
        return _digest(f"{self._model}\n{adapter or ''}")

    def _paths(self, adapter: str | None) -> set[Path]:
        fresh = set()
        for path in self._folder.glob(f"{self._prefix(adapter)}-*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime <= KEPT_S:
                    fresh.add(path)
        return fresh

    def _tokens_of(self, path: Path) -> tuple[int, ...]:
        from safetensors import SafetensorError, safe_open

        if path not in self._known:
            try:
                with safe_open(path, framework="numpy") as file:
                    self._known[path] = tuple(file.get_tensor(_TOKENS).tolist())
            except (OSError, SafetensorError, ValueError):
                return ()
        return self._known[path]


def prompts_folder() -> Path:
    """Return where the kept prompts of all models are; it need not exist yet."""
    return cache_folder() / "prompts"


def forget_old(folder: Path, *, room_for_bytes: int = 0) -> None:
    """Remove what is older than a day, what killed processes left, and the oldest prompts beyond the bound."""
    atomic.remove_stale(folder)
    found = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    total = room_for_bytes + sum(size for _written, size, _path in found)
    for written, size, path in sorted(found):
        if total > MOST_BYTES or time.time() - written > KEPT_S:
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def delete_all(folder: Path) -> None:
    """Remove every kept prompt of every model."""
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            path.unlink()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
