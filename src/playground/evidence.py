"""What stands behind an answer: is it an abstention, which sentences support it, which numbers nothing supports."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from playground.quantities import stated_quantities, unsupported_quantities
from playground.types import Citation, Document, Passage

_ABSTENTION = re.compile(
    r"^\W*(?:(?:i'?\s?a?m\s+)?(?:sorry|afraid)\W+(?:but\s+)?|unfortunately\W+)?"
    r"(?:i\s+(?:do\s+not|don\s?['\u2019]?\s?t|cannot|can['\u2019]?t)\s+(?:know|say|tell|answer)\b"
    r"|(?:the|this)\s+(?:\w+\s+){0,2}(?:text|passages?|policy|document)\s+(?:does|do)\s*(?:not|n['\u2019]t)\s+"
    r"(?:say|state|mention|specify|contain|provide|include|answer))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^\s].*?(?:[.!?](?=\s|$)|\n|$)", re.DOTALL)
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][a-z]+)?")
_STOP = frozenset(
    "a an and any are as at be been but by can could do does for from had has have i if in into is it its may me my no "
    "not of on or our shall should so that the their them then there these they this to us was we were what when where "
    "which who will with would you your yes".split()
)
_MOST_CITATIONS = 3
_LEAST_SUPPORT = 0.34
"""A sentence is cited when it covers this share of the answer's weighted content words and numbers, at least."""


def is_abstention(text: str) -> bool:
    """Tell whether an answer says, first of all, that it does not know or that the text does not say."""
    return bool(_ABSTENTION.match(text.strip()[:400]))


def cite(answer: str, passages: Sequence[Passage], document: Document) -> tuple[Citation, ...]:
    """Return the sentences of ``passages`` that support ``answer``, best first, at most three.

    Support is the share of the answer's content words and numbers that a sentence covers, each weighted by how rare
    it is among all candidate sentences (inverse document frequency); numbers weigh double. Sentences are added only
    while they cover something new. Empty when nothing covers enough: then no evidence is claimed.
    """
    candidates = [(passage, start, end) for passage in passages for start, end in _sentences(passage, document)]
    terms = [_terms(document.text[start:end]) for _passage, start, end in candidates]
    wanted = _terms(answer)
    if not wanted or not candidates:
        return ()
    frequency = Counter(term for sentence in terms for term in sentence)
    weight = {
        term: (2.0 if term.startswith("#") else 1.0) * math.log(1 + len(candidates) / (1 + frequency[term]))
        for term in wanted
    }
    total = sum(weight.values())
    chosen: list[int] = []
    open_terms = set(wanted)
    while len(chosen) < _MOST_CITATIONS:
        gains = [sum(weight[term] for term in sentence & open_terms) for sentence in terms]
        best = max(range(len(gains)), key=gains.__getitem__)
        least = _LEAST_SUPPORT if not chosen else _LEAST_SUPPORT / 2
        if gains[best] < least * total:
            break
        chosen.append(best)
        open_terms -= terms[best]
    return tuple(_citation(*candidates[index], document) for index in chosen)


def unsupported(
    answer: str, citations: Iterable[Citation], passages: Iterable[Passage], question: str
) -> tuple[str, ...]:
    """Return the numbers, dates and amounts in ``answer`` that no cited passage contains.

    A cited passage is the whole passage around a citation, with its headings. What the user stated in ``question`` is
    not a claim of the answer.
    """
    cited_ranks = {citation.rank for citation in citations}
    sources = [question]
    for passage in passages:
        if passage.rank in cited_ranks:
            sources += [*passage.chunk.heading_path, passage.chunk.text]
    return unsupported_quantities(answer, "\n".join(sources))


def _sentences(passage: Passage, document: Document) -> Iterator[tuple[int, int]]:
    chunk = passage.chunk
    for match in _SENTENCE.finditer(document.text[chunk.start : chunk.end]):
        text = match.group().rstrip()
        if any(character.isalnum() for character in text):
            yield chunk.start + match.start(), chunk.start + match.start() + len(text)


def _terms(text: str) -> set[str]:
    """Content words, cut to a crude stem so that "returned" meets "return", and quantities marked with ``#``."""
    words = {token.lower() for token in _TOKEN.findall(text)}
    stems = {word if len(word) < 5 else re.sub(r"(?:ing|ed|es|s|able)$", "", word)[:8] for word in words - _STOP}
    return {stem for stem in stems if not stem.isdigit()} | {f"#{q.value}" for q in stated_quantities(text)}


def _citation(passage: Passage, start: int, end: int, document: Document) -> Citation:
    return Citation(
        document_id=document.id,
        document=document.source,
        start=start,
        end=end,
        text=document.text[start:end],
        score=passage.score,
        rank=passage.rank,
        page=document.page_at(start),
        heading_path=passage.chunk.heading_path,
    )
