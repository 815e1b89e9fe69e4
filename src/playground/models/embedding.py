"""Texts -> unit vectors, by a sentence-transformers model on the CPU.

Reimers and Gurevych, 2019 (arXiv 1908.10084). The bundled model is all-MiniLM-L6-v2, whose input limit of 256 tokens
sentence-transformers enforces by cutting silently; here a longer text is an error, and a question is shortened by
``fit_query`` where its caller can see it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import ModelError
from playground.models.catalog import MINILM
from playground.types import Embedder

if TYPE_CHECKING:
    import numpy as np

__all__ = ["EmbedderAround", "SentenceEmbedder", "fit_query", "load_embedder"]

_BATCH_TEXTS = 16
_NEEDED_FILES = ("modules.json", "config.json", "tokenizer.json", "model.safetensors")
_MOST_CHARACTERS_PER_TOKEN = 100  # bounds the work on a question of any length; WordPiece words are at most 100 long


class EmbedderAround:
    """What an ``Embedder`` takes over that stands around another one; how it embeds is its own."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model_id(self) -> str:
        """Name of the model."""
        return self._embedder.model_id

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, special tokens included."""
        return self._embedder.max_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``, special tokens included."""
        return self._embedder.count_tokens(text)


class SentenceEmbedder:
    """A loaded sentence-transformers model as an ``Embedder``. Safe to use from several threads.

    Made by ``load_embedder``. ``tokenizer`` never cuts, unlike the model's own; ``threads`` limits the libraries'
    threads (a threadpoolctl controller).
    """

    def __init__(self, model: Any, tokenizer: Any, model_id: str, threads: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._model_id = model_id
        self._threads = threads
        self._max_tokens = int(model.max_seq_length)
        self._width = int(model.get_embedding_dimension())
        self._padding_id = int(model.tokenizer.pad_token_id or 0)

    @property
    def model_id(self) -> str:
        """Name of the model."""
        return self._model_id

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, special tokens included."""
        return self._max_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``, special tokens included."""
        return len(self._tokenizer.encode(text))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 unit vectors of shape [len(texts), d].

        Texts are embedded in batches of similar length; the result is in the order given.

        Raises:
            ValueError: a text has more than ``max_tokens`` tokens.
        """
        import numpy as np

        token_ids = [self._tokenizer.encode(text).ids for text in texts]
        for position, ids in enumerate(token_ids):
            if len(ids) > self._max_tokens:
                raise ValueError(f"text {position} has {len(ids)} tokens; {self._model_id} takes {self._max_tokens}")
        order = sorted(range(len(texts)), key=lambda i: (-len(token_ids[i]), i))
        batches = [order[start : start + _BATCH_TEXTS] for start in range(0, len(order), _BATCH_TEXTS)]
        vectors = np.zeros((len(texts), self._width), dtype=np.float32)
        # One thread a batch, not torch's several threads for one batch: they wait for each other at every layer, and
        # where something else keeps a core busy that made indexing 3 times slower (docs/experiments.md).
        with ThreadPoolExecutor(max_workers=_cores()) as pool:
            embedded = pool.map(lambda batch: self._embed_batch([token_ids[i] for i in batch]), batches)
            for batch, rows in zip(batches, embedded, strict=True):
                vectors[batch] = rows
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def _embed_batch(self, token_ids: Sequence[list[int]]) -> np.ndarray:
        import numpy as np
        import torch

        longest = max(len(ids) for ids in token_ids)
        input_ids = torch.full((len(token_ids), longest), self._padding_id)
        attention_mask = torch.zeros_like(input_ids)
        for row, ids in enumerate(token_ids):
            input_ids[row, : len(ids)] = torch.tensor(ids)
            attention_mask[row, : len(ids)] = 1
        torch.get_num_threads()  # torch sets its threads when first asked in a thread, and would undo the limit
        with self._threads.limit(limits=1, user_api="openmp"), torch.inference_mode():
            output = self._model({"input_ids": input_ids, "attention_mask": attention_mask})
        return np.asarray(output["sentence_embedding"].float().numpy(), dtype=np.float32)


def load_embedder(folder: Path, *, model_id: str = MINILM.id) -> SentenceEmbedder:
    """Load an embedding model from ``folder`` (sentence-transformers' layout) without touching the network.

    Raises:
        ModelError: the folder is not such a model, lacks safetensors weights, or is damaged.
    """
    missing = [name for name in _NEEDED_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"The embedding model in {folder} lacks {', '.join(missing)}. Run `python -m playground models fetch`, or "
            "choose a folder that sentence-transformers saved with safetensors weights."
        )
    try:
        from sentence_transformers import SentenceTransformer
        from threadpoolctl import ThreadpoolController
        from tokenizers import Tokenizer

        with _quiet_loading():
            model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the libraries raise many kinds, the tokenizer's a bare Exception
        raise ModelError(
            f"The embedding model in {folder} could not be loaded ({type(error).__name__}: {str(error)[:200]}). Run "
            "`python -m playground models fetch` to replace it."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return SentenceEmbedder(model.eval(), tokenizer, model_id, ThreadpoolController())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """Silence transformers' progress bar over the weights, which goes to a presenter's terminal otherwise."""
    from transformers.utils import logging as transformers_logging

    was_enabled = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            transformers_logging.enable_progress_bar()


def fit_query(text: str, embedder: Embedder) -> str:
    """Return ``text``, or its beginning where it has more tokens than ``embedder`` takes.

    Cut between words, and inside a word only when that word alone is too long. Compare with ``text`` to tell whether
    something was left out.
    """
    most_characters = embedder.max_tokens * _MOST_CHARACTERS_PER_TOKEN
    if len(text) <= most_characters and embedder.count_tokens(text) <= embedder.max_tokens:
        return text
    words = text[:most_characters].split()
    fitting = _longest(lambda n: " ".join(words[:n]), len(words), embedder)
    if fitting or not words:
        return " ".join(words[:fitting])
    return words[0][: _longest(lambda n: words[0][:n], len(words[0]), embedder)]


def _longest(prefix: Callable[[int], str], size: int, embedder: Embedder) -> int:
    """Return the largest n for which prefix(n) fits, by bisection."""
    low, high = 0, size + 1
    while high - low > 1:
        middle = (low + high) // 2
        if embedder.count_tokens(prefix(middle)) <= embedder.max_tokens:
            low = middle
        else:
            high = middle
    return low
