"""Tell whether a question leans on the one before it, and what to search for then.

Rules in place of a model: rewriting the question with a small model would cost as much as answering it. A question
taken for a follow-up by mistake is searched together with words of the one before it, which blurs the result; one
missed is searched alone. So a question that names its own subject is left alone, whatever pronouns follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["is_follow_up", "standalone_query"]

_MOST_WORDS = 15
_FEW_WORDS = 5
# Begins a question that continues the one before.
_CONTINUES = re.compile(
    r"(?:and|or|same|else|also|only|even|plus|what about|how about|and what about|but what about|likewise)\b"
)
# Begins a question that may stand alone; a follow-up when it names no subject of its own.
_MAY_CONTINUE = re.compile(
    r"(?:but|so|then|ok(?:ay)?|what if|why|why not|really|how so|how come|what else|are you sure)\b"
)
_FRAGMENT = re.compile(
    r"(?:for|in|with|without|to|from|on|at|if|when|after|before|by|per|until|as|not|unless|over|under)\b"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|am|be|do|does|did|can|could|may|might|must|shall|should|will|would|has|have|had|how|what|"
    r"when|where|which|who|whose|why|'s|'re|'ve|'ll)\b"
)
# "it" stands for nothing in "How long does it take to get a refund?" and "Is it possible to exchange shoes?".
_EXPLETIVE_IT = re.compile(
    r"\b(?:does|will|would|can|is) it(?: still)?(?: (?:takes?|costs?|possible|ok|okay|allowed|necessary|required|"
    r"enough|too late|fine|better|free))?(?: (?:me|you|us|normally|usually))? (?:to|that|until|for \w+ to)\b"
)
_POINTING = re.compile(r"\b(?:it|its|that|those|these|them|they|their|this|ones?|there|then|both|neither|either)\b")
_NOT_POINTING = re.compile(
    r"\b(?:(?:is|are|was|be) there|there (?:is|are|was)|no one|(?:any|some|every)one|"
    # "that" which begins a clause: "refunded that was paid with a card", "tell you that it broke"
    r"\w{2,12}ed that (?:was|were|is|are|has|have|had|i|we|you)|(?:tell|say|know|show|prove)(?: you| us)? that|"
    r"one (?:of|day|week|month|year)|(?:items?|products?|goods|orders?|things?|something|anything) that)\b"
)
_NO_SUBJECT = frozenset(
    """a about after again all also an and any anything applies apply are as at back be because been before bring
    broken but by can can't cannot case cases change changed cost costs could damaged day days deadline did do does
    doesn't doing don't done drop earlier else exactly exchange exchanged extra faulty fee fees few for free from
    get gets give go going got had happen happens has have how i i'd i'll i'm i've if in instead into is item items
    just keep know last late later like long longer many may me mean might money more much must my need new no not
    now of off ok okay on only open opened or order our out over paid pay pays period please possible price product
    products really refund refunded return returned returning returns rule rules same sealed send sent shall should
    so some something still take takes tell than thanks the then there thing things time to too under unopened until
    unused up us use used very want was way we well were what when where which who why will with without work works
    worn would yes yet you your""".split()
)
"""Words that do not say what a question is about, among them those that every return policy is about."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def standalone_query(question: str, earlier: Sequence[str]) -> str:
    """Return what to search for: a follow-up together with the questions it leans on, oldest first.

    ``earlier`` are the questions before, oldest first. A follow-up of a follow-up reaches back to the first question
    that stands alone.
    """
    parts = [question]
    for before in reversed(earlier):
        if not is_follow_up(parts[0]):
            break
        parts.insert(0, before)
    return " ".join(parts)


def is_follow_up(question: str) -> bool:
    """Tell whether ``question`` cannot be understood without the one before it."""
    text = " ".join(question.lower().replace("\u2019", "'").split()).lstrip("\"'(.,-… ")
    words = _WORD.findall(text)
    if not words or len(words) > _MOST_WORDS:
        return False
    if _CONTINUES.match(text):
        return True
    has_subject = any(word not in _NO_SUBJECT and not _POINTING.fullmatch(word) for word in words)
    if _MAY_CONTINUE.match(text) and not has_subject:
        return True
    if len(words) <= _FEW_WORDS and not _VERB.search(text):
        return bool(_FRAGMENT.match(text)) or not has_subject or len(words) <= 2
    return _points_back(text)


def _points_back(text: str) -> bool:
    """Tell whether a pronoun stands before anything in the question that it could stand for."""
    blank = _NOT_POINTING.sub(lambda match: " " * len(match.group()), text)
    blank = _EXPLETIVE_IT.sub(lambda match: " " * len(match.group()), blank)
    pointer = _POINTING.search(blank)
    if not pointer:
        return False
    before = _WORD.findall(blank[: pointer.start()])
    if any(word not in _NO_SUBJECT for word in before):
        return False
    # "this jacket" names what it points at.
    after = _WORD.findall(text[pointer.end() :])[:1]
    names_it = pointer.group() in ("this", "that", "these", "those", "its", "their", "both", "either", "neither")
    return not (names_it and after and after[0] not in _NO_SUBJECT)
