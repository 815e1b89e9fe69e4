"""An embedder without a model: words hashed into 64 numbers, so that texts with the same words are near."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np


class ScriptedEmbedder:
    """Deterministic; a token is a word. ``batches`` keeps the texts of each call of ``embed``."""

    model_id = "scripted-embedder"
    dimensions = 64

    def __init__(self, max_tokens: int = 256) -> None:
        self.max_tokens = max_tokens
        self.batches: list[tuple[str, ...]] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            if self.count_tokens(text) > self.max_tokens:
                raise ValueError(f"text {row} has more than {self.max_tokens} words")
            for word in text.lower().split():
                vectors[row, zlib.crc32(word.strip(".,;:?!>").encode()) % self.dimensions] += 1
            if not text.split():
                vectors[row, 0] = 1
        if texts:
            self.batches.append(tuple(texts))
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
