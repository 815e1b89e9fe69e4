"""What stands behind an answer: which sentences support it, and which of its numbers nothing supports.

Support is lexical, so that it is instant, needs no model and can be explained: shared words and quantities, the rare
ones among the passages counting more. ``tests/answering/test_citations.py`` measures how often it finds the right
sentence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from playground.answering.abstention import is_abstention
from playground.answering.derivations import derived_values
from playground.retrieval.bm25 import words_of
from playground.text.quantities import stated_quantities, unsupported_quantities
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


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may be cited, with its terms and those of the headings over it."""

    passage: Passage
    start: int
    end: int
    terms: frozenset[str]
    heading_terms: frozenset[str]


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
    """What a term weighs among the candidates of one question."""

    def __init__(self, candidates: Sequence[_Candidate], question: str) -> None:
        self.frequency = Counter(term for c in candidates for term in c.terms | c.heading_terms)
        self.size = len(candidates)
        self.question = question
        self.question_terms = _terms(question)
        self.question_words = frozenset(term for term in self.question_terms if not _is_quantity(term))

    def weight(self, term: str) -> float:
        rarity = math.log(1 + self.size / (0.5 + self.frequency[term]))
        if _is_quantity(term) and term not in self.question_terms:
            return _QUANTITY_WEIGHT * rarity
        return rarity

    def covered(self, candidate: _Candidate, terms: Iterable[str], derived: frozenset[str] = frozenset()) -> float:
        """Return the weight of those of ``terms`` that the candidate, its headings or its ``derived`` terms have."""
        total = 0.0
        for term in terms:
            if term in candidate.terms or term in derived:
                total += self.weight(term)
            elif term in candidate.heading_terms:
                total += _HEADING_WEIGHT * self.weight(term)
        return total


def _supporting(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    """Return the candidates that cover the answer's terms, none when they cover too little of them."""
    wanted, unstated = _wanted(answer, scale)
    total = math.fsum(map(scale.weight, wanted))
    derived = [_derived_terms(candidate, unstated, scale) for candidate in candidates]
    open_terms, open_words = set(wanted), set(scale.question_words - wanted)
    chosen: list[int] = []
    covered = 0.0
    while wanted and len(chosen) < min(_MOST_CITATIONS, len(candidates)):
        gains = [scale.covered(c, open_terms, d) for c, d in zip(candidates, derived, strict=True)]
        merits = [
            gain + _QUESTION_WEIGHT * scale.covered(candidate, open_words) if i not in chosen else -1.0
            for i, (candidate, gain) in enumerate(zip(candidates, gains, strict=True))
        ]
        best = max(range(len(candidates)), key=merits.__getitem__)
        if gains[best] < _LEAST_SHARE * total:
            break
        chosen.append(best)
        covered += gains[best]
        known = candidates[best].terms | candidates[best].heading_terms | derived[best]
        open_terms -= known
        open_words -= known
    return [candidates[i] for i in chosen] if covered >= _LEAST_TOTAL * total else []


def _supporting_parts(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    spans = list(sentence_spans(answer, 0, len(answer)))[:_MOST_ANSWER_SENTENCES]
    if len(spans) < 2:
        return []
    found = (candidate for start, end in spans for candidate in _supporting(answer[start:end], candidates, scale))
    return list({(candidate.start, candidate.end): candidate for candidate in found}.values())[:_MOST_CITATIONS]


def _found_by_question(answer: str, candidates: Sequence[_Candidate], scale: _Scale) -> list[_Candidate]:
    """Return the candidate that clearly has most of the question's words, if the answer adds no word to them."""
    if any(not _is_quantity(term) for term in _terms(answer) - scale.question_words):
        return []
    shared = [scale.covered(candidate, scale.question_words) for candidate in candidates]
    best = candidates[max(range(len(candidates)), key=shared.__getitem__)]
    words = len((best.terms | best.heading_terms) & scale.question_words)
    enough = max(shared) >= _LEAST_QUESTION_WEIGHT * math.log(1 + 2 * scale.size)
    return [best] if enough and words >= _LEAST_QUESTION_WORDS else []


def _wanted(answer: str, scale: _Scale) -> tuple[set[str], dict[str, frozenset[str]]]:
    """Return the answer's terms, one for each quantity, and the readings of those quantities that nothing states."""
    wanted = set(_word_terms(answer))
    unstated: dict[str, frozenset[str]] = {}
    for quantity in stated_quantities(answer):
        readings = sorted(quantity.readings)
        stated = [_quantity_term(reading) for reading in readings if scale.frequency[_quantity_term(reading)]]
        if stated:
            wanted.add(min(stated, key=scale.frequency.__getitem__))
        else:
            wanted.add(_quantity_term(quantity.value))
            unstated[_quantity_term(quantity.value)] = quantity.readings
    return wanted, unstated


def _derived_terms(candidate: _Candidate, unstated: dict[str, frozenset[str]], scale: _Scale) -> frozenset[str]:
    if not unstated or not any(_is_quantity(term) for term in candidate.terms):
        return frozenset()
    text = candidate.passage.chunk.text
    offset = candidate.passage.chunk.start
    values = derived_values(scale.question, text[candidate.start - offset : candidate.end - offset])
    return frozenset(term for term, readings in unstated.items() if readings & values)


def _candidates(passages: Sequence[Passage], document: Document) -> list[_Candidate]:
    found: dict[tuple[int, int], _Candidate] = {}
    for passage in passages:
        headings = _terms("\n".join(passage.chunk.heading_path))
        for start, end in cited_units(document, passage.chunk.start, passage.chunk.end):
            terms = _terms(document.text[start:end])
            found.setdefault((start, end), _Candidate(passage, start, end, terms, headings - terms))
    return list(found.values())


@lru_cache(maxsize=8192)
def _terms(text: str) -> frozenset[str]:
    """Return stemmed content words, and each reading of each quantity marked with ``#``."""
    readings = (reading for quantity in stated_quantities(text) for reading in quantity.readings)
    return _word_terms(text) | {_quantity_term(reading) for reading in readings}


def _word_terms(text: str) -> frozenset[str]:
    return frozenset(word for word in words_of(text) if not word[0].isdigit() and word not in _EMPTY_WORDS)


def _quantity_term(reading: str) -> str:
    return f"#{reading}"


def _is_quantity(term: str) -> bool:
    return term.startswith("#")


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
