"""BM25 over short texts: words in, scores out.

Robertson and Zaragoza, 2009, in Lucene's form as computed by bm25s (Lù, 2024, arXiv 2407.03618).
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LexicalIndex", "build_lexical_index", "words_of"]

# A number keeps its decimals ("7.95"); letters and digits part, so that "20kg" meets "20 kg".
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
_MOST_WORD_CHARACTERS = 40
_K1, _B = 1.5, 0.75  # bm25s' defaults; others were no better on the project's questions (docs/experiments.md)
_stemmer_lock = threading.Lock()


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` that BM25 compares: lower case, without English stop words, stemmed, in order."""
    stop_words = _stop_words()
    words = []
    for match in _WORD.finditer(text.lower().replace("\u2019", "'")):
        word = match[0][:_MOST_WORD_CHARACTERS]
        if word[0].isdigit():
            words.append(_THOUSANDS.sub("", word))
        elif word not in stop_words:
            words.append(_stem(word))
    return words


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN_PLUS

    return frozenset(STOPWORDS_EN_PLUS)


@lru_cache(maxsize=1)
def _english_stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=32_768)
def _stem(word: str) -> str:
    with _stemmer_lock:  # a stemmer works on a word that it keeps in itself
        return str(_english_stemmer().stemWord(word))


class LexicalIndex:
    """BM25 scores of a fixed list of texts. Immutable; made by ``build_lexical_index``."""

    def __init__(
        self, retriever: Any, vocabulary: dict[str, int], document_frequency: Sequence[int], size: int
    ) -> None:
        self._retriever = retriever
        self._vocabulary = vocabulary
        self._document_frequency = document_frequency
        self._size = size

    def scores(self, question: str) -> tuple[np.ndarray, float]:
        """Score every text for ``question``; a word counts once however often the question says it.

        Returns:
            float32 BM25 scores of shape [n], 0 where no word is shared, and the score that no text can exceed: that of
            one with every word of the question very often. Words that no text has count towards it, so that the ratio
            says how much of the question a text covers.
        """
        import numpy as np

        asked = dict.fromkeys(words_of(question))
        known = [self._vocabulary[word] for word in asked if word in self._vocabulary]
        bound = math.fsum(self._idf(self._document_frequency[word_id]) for word_id in known)
        bound += (len(asked) - len(known)) * self._idf(0)
        if not known:
            return np.zeros(self._size, dtype=np.float32), bound
        return np.asarray(self._retriever.get_scores_from_ids(known), dtype=np.float32), bound

    def _idf(self, document_frequency: int) -> float:
        return math.log(1 + (self._size - document_frequency + 0.5) / (document_frequency + 0.5))


def build_lexical_index(texts: Iterable[str]) -> LexicalIndex:
    """Index ``texts`` for BM25; texts without words score 0 for every question."""
    words = [words_of(text) for text in texts]
    frequency = Counter(word for text_words in words for word in set(text_words))
    vocabulary = {word: word_id for word_id, word in enumerate(sorted(frequency))}
    retriever = _index([[vocabulary[word] for word in text_words] for text_words in words], vocabulary)
    return LexicalIndex(retriever, vocabulary, [frequency[word] for word in vocabulary], len(words))


def _index(word_ids: list[list[int]], vocabulary: dict[str, int]) -> Any:
    import logging

    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG when imported
    retriever = bm25s.BM25(k1=_K1, b=_B, method="lucene")
    if vocabulary:  # bm25s cannot index texts without any word, and nobody asks it then
        corpus = bm25s.tokenization.Tokenized(ids=word_ids, vocab=vocabulary)
        retriever.index(corpus, create_empty_token=False, show_progress=False)
    return retriever
