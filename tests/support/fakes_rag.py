"""Documents, passages and an index for tests of retrieval-augmented answers: no model, every search scripted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playground.documents import load_document, load_pasted
from playground.paths import ROOT
from playground.retrieval.chunking import chunk_document
from playground.retrieval.index import RetrievalSettings
from playground.types import Chunk, Document, Passage

QUESTIONS = ROOT / "scenarios" / "return_policy" / "questions.jsonl"
PHRASINGS = ROOT / "tests" / "data" / "return_policy_phrasings.jsonl"


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def policy(name: str) -> Document:
    return load_document((ROOT / "data" / "policies" / name).read_bytes(), name)


def about_tokens(text: str) -> int:
    """Return about as many tokens as the embedding model's tokenizer would."""
    return 2 + len(re.findall(r"\w{1,6}|[^\w\s]", text))


def as_passages(chunks: Sequence[Chunk]) -> tuple[Passage, ...]:
    return tuple(Passage(chunk, 1 / rank, rank) for rank, chunk in enumerate(chunks, start=1))


@cache
def policy_passages(name: str) -> tuple[Passage, ...]:
    return as_passages(chunk_document(policy(name), count_tokens=about_tokens))


def pasted(text: str) -> tuple[Document, tuple[Passage, ...]]:
    document = load_pasted(text, "policy.md")
    return document, as_passages(chunk_document(document, count_tokens=about_tokens))


class ScriptedIndex:
    """Looks like a ``PassageIndex``; every search finds the first ``top_k`` chunks, or those at ``finds``."""

    def __init__(self, document: Document, *, finds: Sequence[int] | None = None, max_tokens: int = 200) -> None:
        self.document = document
        self.chunks = chunk_document(document, count_tokens=about_tokens, max_tokens=max_tokens, target_tokens=16)
        self.queries: list[str] = []
        self._finds = finds

    def search(self, question: str, settings: RetrievalSettings) -> tuple[Passage, ...]:
        self.queries.append(question)
        finds = range(min(settings.top_k, len(self.chunks))) if self._finds is None else self._finds
        return as_passages([self.chunks[position] for position in finds])
