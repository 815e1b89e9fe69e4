"""Document -> passages that answer a question: dense and lexical retrieval, fused.

Dense: every sentence of a chunk, under the chunk's headings, has a vector of its own, and a chunk is as near to the
question as its nearest sentence; on the project's questions that finds more than one vector for the whole chunk
(docs/experiments.md). FAISS searches the vectors exactly. Lexical: BM25 over headings and text.

Hybrid: the weighted mean of the cosine and of the share that the chunk's BM25 score is of the highest attainable one.
A convex combination with fixed bounds, after Bruch, Gai and Ingber, 2023 (ACM TOIS 42(1), "An Analysis of Fusion
Functions for Hybrid Retrieval"): unlike reciprocal rank fusion it keeps how much better the best passage is, and its
scores compare across questions.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

from playground.models.embedding import fit_query
from playground.retrieval.bm25 import LexicalIndex, build_lexical_index
from playground.retrieval.chunking import chunk_document
from playground.types import Chunk, Document, Embedder, Passage

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Fusion", "PassageIndex", "RetrievalSettings", "build_index"]

Fusion = Literal["hybrid", "dense", "lexical"]

MAX_CHUNK_TOKENS = 200
TARGET_CHUNK_TOKENS = 180
_BATCH_SENTENCES = 64
_FEWEST_CHARACTERS = 12  # a shorter sentence ("No printer?") means little alone and joins the next
_SENTENCE_BREAK = re.compile(r"[.!?\u2026][\"')\]\u2019\u201d]*(?:\s++)(?![a-z])|[\u3002\uff01\uff1f]\s*")
_TITLE_SHARE = 0.8  # a first heading over so many of the chunks is the document's title


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found.

    ``top_k`` passages are returned; each retriever proposes its best ``candidates`` chunks (at least ``top_k``).
    ``dense_weight`` in [0, 1] is the share of the dense score in the hybrid one.
    """

    top_k: int = 3
    fusion: Fusion = "hybrid"
    dense_weight: float = 0.4
    candidates: int = 20

    def __post_init__(self) -> None:
        if self.top_k < 1 or self.candidates < 1:
            raise ValueError(f"top_k and candidates must be at least 1, not {self.top_k} and {self.candidates}")
        if not 0 <= self.dense_weight <= 1:
            raise ValueError(f"dense_weight must be in [0, 1], not {self.dense_weight}")
        if self.fusion not in get_args(Fusion):
            raise ValueError(f"fusion must be one of {', '.join(get_args(Fusion))}, not {self.fusion!r}")


class PassageIndex:
    """The chunks of one document, ready to be searched. Immutable; made by ``build_index``.

    ``vectors`` is a FAISS index over sentences, ``owners[i]`` the position of the chunk that sentence i is from.
    """

    __slots__ = ("_embedder", "_lexical", "_owners", "_vectors", "chunks", "document")

    def __init__(
        self,
        document: Document,
        chunks: tuple[Chunk, ...],
        *,
        embedder: Embedder,
        vectors: Any,
        owners: np.ndarray,
        lexical: LexicalIndex,
    ) -> None:
        self.document = document
        self.chunks = chunks
        self._embedder = embedder
        self._vectors = vectors
        self._owners = owners
        self._lexical = lexical

    def search(self, question: str, settings: RetrievalSettings = RetrievalSettings()) -> tuple[Passage, ...]:
        """Return the passages for ``question``, best first; passages of equal score in document order.

        An empty question has none. ``lexical`` returns only passages that share a word with the question, so perhaps
        none. ``Passage.score`` is in [0, 1]. A question longer than the embedder takes is shortened for the dense
        part (see ``embedding.fit_query``). May be called from several threads at once.
        """
        if not question.strip() or not self.chunks:
            return ()
        depth = max(settings.candidates, settings.top_k)
        dense = self._dense(question, depth) if settings.fusion != "lexical" else {}
        lexical, bound = self._lexical_scores(question, depth) if settings.fusion != "dense" else ({}, 1.0)
        weight = {"dense": 1.0, "lexical": 0.0, "hybrid": settings.dense_weight}[settings.fusion]
        scores = {
            position: weight * _unit(dense.get(position, 0.0))
            + (1 - weight) * _unit(lexical.get(position, 0.0) / bound)
            for position in dense.keys() | lexical.keys()
        }
        best = sorted(scores, key=lambda position: (-scores[position], position))[: settings.top_k]
        return tuple(
            Passage(
                chunk=self.chunks[position],
                score=scores[position],
                rank=rank,
                dense_score=dense.get(position),
                lexical_score=lexical.get(position),
            )
            for rank, position in enumerate(best, start=1)
        )

    def _dense(self, question: str, depth: int) -> dict[int, float]:
        """Return position -> cosine of the ``depth`` chunks nearest to the question."""
        import numpy as np

        query = self._embedder.embed([fit_query(question, self._embedder)])
        # One query at a time: FAISS shares work between threads by query, so this starts none beside torch's.
        found, sentences = self._vectors.search(query, self._vectors.ntotal)
        nearest = np.full(len(self.chunks), -1.0, dtype=np.float32)
        np.maximum.at(nearest, self._owners[sentences[0]], found[0])
        return {int(position): min(float(nearest[position]), 1.0) for position in _best(nearest, depth)}

    def _lexical_scores(self, question: str, depth: int) -> tuple[dict[int, float], float]:
        """Return position -> BM25 of the ``depth`` best chunks that share a word, and the highest attainable BM25."""
        scores, bound = self._lexical.scores(question)
        return {int(p): float(scores[p]) for p in _best(scores, depth) if scores[p] > 0}, bound or 1.0


def _best(scores: np.ndarray, depth: int) -> np.ndarray:
    import numpy as np

    return np.argsort(-scores, kind="stable")[:depth]


def _unit(score: float) -> float:
    return min(max(score, 0.0), 1.0)


def build_index(
    document: Document,
    embedder: Embedder,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    max_tokens: int = MAX_CHUNK_TOKENS,
    target_tokens: int = TARGET_CHUNK_TOKENS,
) -> PassageIndex:
    """Chunk a document and index the chunks.

    Args:
        document: what to index.
        embedder: embeds the sentences now and the questions later.
        on_progress: called with (sentences done, sentences in all), first with 0 done; raising from it ends the
            indexing, and the exception reaches the caller.
        max_tokens: most tokens of a chunk with its headings; never more than the embedder takes.
        target_tokens: size up to which small blocks are merged into one chunk.
    """
    import faiss
    import numpy as np

    chunks = chunk_document(
        document,
        count_tokens=embedder.count_tokens,
        max_tokens=min(max_tokens, embedder.max_tokens),
        target_tokens=target_tokens,
    )
    paths = _telling_paths(chunks)
    sentences, owners = [], []
    for position, (chunk, path) in enumerate(zip(chunks, paths, strict=True)):
        for sentence in _sentences(document, chunk):
            sentences.append(_under(path, sentence))
            owners.append(position)
    vectors = faiss.IndexFlatIP(embedder.embed([]).shape[1])
    vectors.add(_embed_all(sentences, embedder, on_progress or (lambda _done, _total: None)))
    return PassageIndex(
        document,
        chunks,
        embedder=embedder,
        vectors=vectors,
        owners=np.asarray(owners, dtype=np.int64),
        lexical=build_lexical_index(_under(path, chunk.text) for chunk, path in zip(chunks, paths, strict=True)),
    )


def _telling_paths(chunks: Sequence[Chunk]) -> list[tuple[str, ...]]:
    """Return the heading path of each chunk without the document's title, which says the same of all of them."""
    first = Counter(chunk.heading_path[0] for chunk in chunks if chunk.heading_path)
    title, count = first.most_common(1)[0] if first else ("", 0)
    if len(chunks) == 1 or count < _TITLE_SHARE * len(chunks):
        return [chunk.heading_path for chunk in chunks]
    return [chunk.heading_path[chunk.heading_path[:1] == (title,) :] for chunk in chunks]


def _under(path: tuple[str, ...], text: str) -> str:
    return f"{' > '.join(path)}\n{text}" if path else text


def _sentences(document: Document, chunk: Chunk) -> list[str]:
    """Cut a chunk at the document's blocks and at sentence ends; together the pieces have all of its words."""
    blocks = document.blocks
    cuts = {match.end() for match in _SENTENCE_BREAK.finditer(chunk.text)}
    position = bisect_left(blocks, chunk.start, key=lambda block: block.start)
    while position < len(blocks) and blocks[position].start < chunk.end:
        cuts.add(blocks[position].start - chunk.start)
        position += 1
    edges = [0, *sorted(cuts - {0, len(chunk.text)}), len(chunk.text)]
    sentences: list[str] = []
    pending = ""
    for start, end in pairwise(edges):
        pending = " ".join((pending + " " + chunk.text[start:end]).split())
        if len(pending) >= _FEWEST_CHARACTERS:
            sentences.append(pending)
            pending = ""
    if pending and sentences:
        sentences[-1] += f" {pending}"
    elif pending:
        sentences.append(pending)
    return sentences


def _embed_all(sentences: Sequence[str], embedder: Embedder, on_progress: Callable[[int, int], None]) -> np.ndarray:
    """Embed in batches of similar length, longest first, so that the progress does not slow down towards the end.

    A batch at a time also lets a question through while a long document is indexed.
    """
    import numpy as np

    order = sorted(range(len(sentences)), key=lambda i: (-len(sentences[i]), i))
    vectors = np.zeros((len(sentences), embedder.embed([]).shape[1]), dtype=np.float32)
    on_progress(0, len(sentences))
    for start in range(0, len(order), _BATCH_SENTENCES):
        batch = order[start : start + _BATCH_SENTENCES]
        vectors[batch] = embedder.embed([sentences[i] for i in batch])
        on_progress(start + len(batch), len(sentences))
    return vectors
