"""What stands behind an answer: which sentences support it, and which of its numbers nothing supports.

Support is lexical, so that it is instant, needs no model and can be explained: shared words and quantities, the rare
ones among the passages counting more. ``tests/answering/test_citations.py`` measures how often it finds the right
sentence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from playground.answering.abstention import is_abstention
from playground.answering.derivations import derived_values
from playground.retrieval.bm25 import words_of
from playground.text.quantities import agree, stated_quantities, unsupported_quantities
from playground.text.sentences import cited_units, sentence_spans
from playground.types import Citation, Document, Passage

__all__ = ["cite", "is_abstention", "unsupported"]

# Beside the stop words, stemmed: what only says yes, no or may, and how answers are introduced ("The answer is no.").
_EMPTY_WORDS = frozenset("cannot can't yes yeah may must shall would could you'd get got answer accord text".split())
_MOST_CITATIONS = 3
_MOST_ANSWER_CHARACTERS = 4_000
_MOST_ANSWER_SENTENCES = 12
_QUANTITY_WEIGHT = 2.0
"""A quantity tells more than a word, unless the question already says it."""
_QUESTION_WEIGHT = 0.8
"""Of the question's words, beside the answer's, when sentences are compared."""
_HEADING_WEIGHT = 0.5
"""Of a word in the headings over a sentence, beside one in the sentence."""
_LEAST_SHARE = 0.15
"""A sentence is cited when it covers this share of the answer's weight, beyond what is covered already."""
_LEAST_TOTAL = 0.4
"""What all cited sentences must cover together."""
_LEAST_QUESTION_WORDS = 2
_LEAST_QUESTION_WEIGHT = 1.2
"""For an answer without words of its own ("No."): what a sentence must share with the question. The weight is in
units of a word that no passage has."""


Measure = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may be cited: its words and measures (see ``Quantity``), and those of the headings over it."""

    passage: Passage
    start: int
    end: int
    words: frozenset[str]
    heading_words: frozenset[str]
    measures: frozenset[Measure]
    heading_measures: frozenset[Measure]


def cite(answer: str, passages: Sequence[Passage], document: Document, question: str = "") -> tuple[Citation, ...]:
    """Return the sentences, list items and table rows of ``passages`` that support ``answer``, best first, at most 3.

    Support is the share of the answer's content words and quantities that a sentence covers, each weighted by how rare
    it is among all candidates (inverse document frequency). Sentences are added while they cover something new, the
    one with more of the question's words first. A quantity that no candidate states counts as covered by a sentence
    that yields it for the question's numbers (see ``derivations``). An answer of several sentences that is not
    supported as a whole is taken sentence by sentence.

    An answer without words of its own ("No.") has what the question's words find, provided they find it clearly.
    Empty when nothing supports enough: then no evidence is claimed.
    """
    answer = answer[:_MOST_ANSWER_CHARACTERS]
    candidates = _candidates(passages, document)
    if not candidates or not any(character.isalnum() for character in answer):
        return ()
    scale = _Scale(candidates, question)
    chosen = _supporting(answer, candidates, scale)
    if not chosen:
        chosen = _supporting_parts(answer, candidates, scale)
    if not chosen:
        chosen = _found_by_question(answer, candidates, scale)
    return tuple(_citation(candidate, document) for candidate in chosen)


def unsupported(
    answer: str, citations: Iterable[Citation] | None, passages: Iterable[Passage], question: str
) -> tuple[str, ...]:
    """Return the numbers, dates and amounts in ``answer`` that no cited passage contains.

    A cited passage is the whole passage around a citation, with its headings; None for ``citations`` stands for all
    passages. What the user stated in ``question`` is not a claim of the answer.
    """
    cited_ranks = None if citations is None else {citation.rank for citation in citations}
    sources = [question]
    for passage in passages:
        if cited_ranks is None or passage.rank in cited_ranks:
            sources += [*passage.chunk.heading_path, passage.chunk.text]
    return unsupported_quantities(answer, "\n".join(sources))


class _Scale:
    """What a word or a quantity weighs among the candidates of one question."""

    def __init__(self, candidates: Sequence[_Candidate], question: str) -> None:
        self.frequency = Counter(word for c in candidates for word in c.words | c.heading_words)
        self.size = len(candidates)
        self.question = question
        self.question_words = _words(question)
        self.question_measures = _measures(question)

    def rarity(self, frequency: int) -> float:
        return math.log(1 + self.size / (0.5 + frequency))

    def weight(self, word: str) -> float:
        return self.rarity(self.frequency[word])

    def covered(self, candidate: _Candidate, words: Iterable[str]) -> float:
        """Return the weight of those of ``words`` that the candidate or its headings have."""
        return math.fsum(self.weight(word) * _share(word, candidate.words, candidate.heading_words) for word in words)


@dataclass(frozen=True, slots=True)
class _Claims:
    """What an answer says, each word and quantity once: its weight, and how far each candidate covers it (0 to 1)."""

    weights: Mapping[str, float]
    shares: Sequence[Mapping[str, float]]

    def gain(self, candidate: int, wanted: Iterable[str]) -> float:
        return math.fsum(self.weights[claim] * self.shares[candidate].get(claim, 0.0) for claim in wanted)


def _claims(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> _Claims:
    words = _words(answer)
    weights = {word: scale.weight(word) for word in words}
    shares = [
        {word: share for word in words if (share := _share(word, candidate.words, candidate.heading_words))}
        for candidate in candidates
    ]
    quantities = {quantity.measures: quantity for quantity in stated_quantities(answer)}
    derived: list[frozenset[str]] = []
    for measures, quantity in quantities.items():
        # Never a word: those have no space in them.
        claim = f"# {quantity.text} {sorted(measures)}"
        own = [_quantity_share(measures, candidate) for candidate in candidates]
        stated = len(own) - own.count(0.0)
        if not stated:
            derived = derived or [_derived(candidate, scale) for candidate in candidates]
            own = [float(not quantity.readings.isdisjoint(values)) for values in derived]
        weights[claim] = scale.rarity(stated)
        if not agree(measures, scale.question_measures):
            weights[claim] *= _QUANTITY_WEIGHT
        for share_of, share in zip(shares, own, strict=True):
            if share:
                share_of[claim] = share
    return _Claims(weights, shares)


def _share(word: str, words: frozenset[str], heading_words: frozenset[str]) -> float:
    return 1.0 if word in words else _HEADING_WEIGHT if word in heading_words else 0.0


def _quantity_share(measures: frozenset[Measure], candidate: _Candidate) -> float:
    if agree(measures, candidate.measures):
        return 1.0
    return _HEADING_WEIGHT if agree(measures, candidate.heading_measures) else 0.0


def _supporting(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    """Return the candidates that cover what the answer says, none when they cover too little of it."""
    claims = _claims(answer, candidates, scale)
    total = math.fsum(claims.weights.values())
    wanted, open_words = set(claims.weights), set(scale.question_words - claims.weights.keys())
    chosen: list[int] = []
    covered = 0.0
    while claims.weights and len(chosen) < min(_MOST_CITATIONS, len(candidates)):
        gains = [claims.gain(i, wanted) for i in range(len(candidates))]
        merits = [
            gain + _QUESTION_WEIGHT * scale.covered(candidate, open_words) if i not in chosen else -1.0
            for i, (candidate, gain) in enumerate(zip(candidates, gains, strict=True))
        ]
        best = max(range(len(candidates)), key=merits.__getitem__)
        if gains[best] < _LEAST_SHARE * total:
            break
        chosen.append(best)
        covered += gains[best]
        wanted -= claims.shares[best].keys()
        open_words -= candidates[best].words | candidates[best].heading_words
    return [candidates[i] for i in chosen] if covered >= _LEAST_TOTAL * total else []


def _supporting_parts(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    spans = list(sentence_spans(answer, 0, len(answer)))[:_MOST_ANSWER_SENTENCES]
    if len(spans) < 2:
        return []
    found = (candidate for start, end in spans for candidate in _supporting(answer[start:end], candidates, scale))
    return list({(candidate.start, candidate.end): candidate for candidate in found}.values())[:_MOST_CITATIONS]


def _found_by_question(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    """Return the candidate that clearly has most of the question's words, if the answer adds no word to them."""
    if _words(answer) - scale.question_words:
        return []
    shared = [scale.covered(candidate, scale.question_words) for candidate in candidates]
    best = candidates[max(range(len(candidates)), key=shared.__getitem__)]
    words = len((best.words | best.heading_words) & scale.question_words)
    enough = max(shared) >= _LEAST_QUESTION_WEIGHT * math.log(1 + 2 * scale.size)
    return [best] if enough and words >= _LEAST_QUESTION_WORDS else []


def _derived(candidate: _Candidate, scale: _Scale) -> frozenset[str]:
    """Return what the candidate yields for the numbers of the question."""
    if not candidate.measures:
        return frozenset()
    text = candidate.passage.chunk.text
    offset = candidate.passage.chunk.start
    return derived_values(scale.question, text[candidate.start - offset : candidate.end - offset])


def _candidates(passages: Sequence[Passage], document: Document) -> list[_Candidate]:
    found: dict[tuple[int, int], _Candidate] = {}
    for passage in passages:
        headings = "\n".join(passage.chunk.heading_path)
        for start, end in cited_units(document, passage.chunk.start, passage.chunk.end):
            text = document.text[start:end]
            words, measures = _words(text), _measures(text, of_source=True)
            heading_measures = _measures(headings, of_source=True) - measures
            candidate = _Candidate(passage, start, end, words, _words(headings) - words, measures, heading_measures)
            found.setdefault((start, end), candidate)
    return list(found.values())


@lru_cache(maxsize=8192)
def _words(text: str) -> frozenset[str]:
    """Return stemmed content words."""
    return frozenset(word for word in words_of(text) if not word[0].isdigit() and word not in _EMPTY_WORDS)


@lru_cache(maxsize=8192)
def _measures(text: str, *, of_source: bool = False) -> frozenset[Measure]:
    return frozenset(one for quantity in stated_quantities(text, of_source=of_source) for one in quantity.measures)


def _citation(candidate: _Candidate, document: Document) -> Citation:
    return Citation(
        document_id=document.id,
        document=document.source,
        start=candidate.start,
        end=candidate.end,
        text=document.text[candidate.start : candidate.end],
        score=candidate.passage.score,
        rank=candidate.passage.rank,
        page=document.page_at(candidate.start),
        heading_path=candidate.passage.chunk.heading_path,
    )
