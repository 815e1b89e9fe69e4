"""Warn of an answer that says the opposite of what it cites: free where it costs, yes where the text says no.

Numbers are compared elsewhere (``text/quantities.py``). Here two things are told by words alone, so that it is instant
and can be explained: whether something is free or paid, and whether it is allowed or not. A warning needs a sentence
that is about the same (it was cited for the answer's words) and clearly says the other; where the cited sentences say
both, or the sentence has a condition that the question does not speak of, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.types import Citation

__all__ = ["contradicting"]

_FREE = re.compile(
    r"\bfree(?: of charge)?\b(?! (?:from|to choose|gift))|"
    r"\bno (?:extra |additional )?(?:charge|cost|fee|restocking fee)s?\b|\b(?:costs?|pay) (?:you )?nothing\b|"
    r"\bat no (?:extra )?(?:charge|cost)\b|\bwe (?:always )?pay\b|\bnot? (?:have to|need to) pay\b",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"\b(?:costs?|charges?|fees?|deduct(?:ed|s)?|pay|paid|taken off|comes? off)\b[^.;]{0,60}[$€£]?\d|"
    r"(?:[$€£]|\b(?:EUR|USD|GBP)\s?)\d|\bat (?:your|their|the customer's) (?:own )?(?:expense|cost)\b|"
    r"\bbear the cost\b",
    re.IGNORECASE,
)
_ALLOWED = re.compile(
    r"\b(?:can|may|could)\b(?! ?(?:not|n't|only))[^.;]{0,60}\b(?:be )?(?:return|refund|exchang|come back|go back|send|"
    r"accept|bring|cancel|drop|hand)|\b(?:is|are) (?:refunded|accepted|returnable|allowed|covered|possible)\b|"
    r"\bwe (?:accept|take|refund)\b",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"\b(?:can(?:not|'t| not)|may not|must not|won't|don't|do not|doesn't|does not|never|isn't|aren't|is not|are not)\b"
    r"[^.;]{0,40}\b(?:return|refund|exchang|come back|go back|be sent|send|accept|take|cover|bring|cancel|allowed|"
    r"possible|drop)|\bnon-?(?:returnable|refundable)\b|\bexcluded\b|\bfinal sale\b|\bno (?:returns?|refunds?)\b",
    re.IGNORECASE,
)
_FORBIDDING_HEADING = re.compile(
    r"\b(?:cannot|can't|never|not)\b[^.;]{0,40}\b(?:take|return|accept|refund|cover)|\bexclu(?:ded|sions?)\b|"
    r"\bnon-?returnable\b",
    re.IGNORECASE,
)
_YES = re.compile(r"\W{0,6}(?:the answer is:? )?(?:yes|yeah|yep|sure|of course|certainly)\b", re.IGNORECASE)
_NO = re.compile(r"\W{0,6}(?:the answer is:? )?(?:no|nope|unfortunately|sorry)\b", re.IGNORECASE)
_ASKS_PRICE = re.compile(r"\b(?:free|cost|costs|pay|pays|charge|charged|fee|fees)\b", re.IGNORECASE)
_ASKS_LEAVE = re.compile(
    r"^\W*(?:(?:so|and|but|hi|hello)\b\W*)?(?:can|may|could|do you (?:take|accept)|am i allowed|is it possible|"
    r"(?:is|are) .{1,40} returnable)\b|\b(?:can|may) i\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|unless|except|once|when|only|provided|without|until|after|before|as long as|so long as|but|above|over|"
    r"under|below|first|second)\b",
    re.IGNORECASE,
)


_INTACT = re.compile(
    r"\bun(?:opened|worn|used|washed|damaged|cut|touched)\b|\b(?:sealed|intact|in place|closed)\b|"
    r"\b(?:not|n't|never) (?:yet )?(?:opened|removed|used|worn|cut)\b",
    re.IGNORECASE,
)
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")
_NO_SUBJECT = frozenset(
    "the and has have been was were are you your our its for off with they them that this can".split()
)


def contradicting(answer: str, citations: Sequence[Citation], question: str) -> tuple[Citation, ...]:
    """Return the cited sentences that say the opposite of ``answer``, at most one; empty where it cannot be told.

    Args:
        answer: what the model said.
        citations: the sentences that support it by their words, best first.
        question: what was asked; what it names decides whether price or leave is compared.
    """
    if not citations:
        return ()
    claims = [(_price_of(answer, question), _price_of_source), (_leave_of(answer, question), _leave_of_source)]
    for claimed, reading in claims:
        if not claimed:
            continue
        said = [(citation, reading(citation, question)) for citation in citations]
        if any(one in (claimed, "either") for _, one in said):
            continue
        opposite = next((citation for citation, one in said[:1] if one), None)
        if opposite is not None:
            return (opposite,)
    return ()


def _price_of(answer: str, question: str) -> str:
    if not _ASKS_PRICE.search(question):
        return ""
    free, paid = bool(_FREE.search(answer)), bool(_PAID.search(answer))
    return "" if free == paid else "free" if free else "paid"


def _price_of_source(citation: Citation, _question: str) -> str:
    free, paid = bool(_FREE.search(citation.text)), bool(_PAID.search(citation.text))
    if free == paid:
        return "either" if free else ""
    return "either" if free and _CONDITION.search(citation.text) else "free" if free else "paid"


def _leave_of(answer: str, question: str) -> str:
    if not _ASKS_LEAVE.search(question):
        return ""
    if _YES.match(answer):
        return "allowed"
    if _NO.match(answer):
        return "forbidden"
    allowed, forbidden = bool(_ALLOWED.search(answer)), bool(_FORBIDDEN.search(answer))
    return "" if allowed == forbidden else "allowed" if allowed else "forbidden"


def _leave_of_source(citation: Citation, question: str) -> str:
    text = citation.text
    forbidden = bool(_FORBIDDEN.search(text))
    if not forbidden and any(_FORBIDDING_HEADING.search(heading) for heading in citation.heading_path[-1:]):
        forbidden = not _ALLOWED.search(text)
    allowed = not forbidden and bool(_ALLOWED.search(text))
    condition = _CONDITION.search(text)
    # "once the seal is removed": it counts where the question speaks of the seal, and not of one that is intact.
    if condition and (_INTACT.search(question) or not _shared(text[condition.end() :], question)):
        return "either"
    return "forbidden" if forbidden else "allowed" if allowed else ""


def _shared(condition: str, question: str) -> set[str]:
    of_condition, of_question = (set(_LONG_WORD.findall(text.lower())) for text in (condition, question))
    return (of_condition & of_question) - _NO_SUBJECT
