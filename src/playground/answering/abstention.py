"""Recognise an answer that declines to answer: "I don't know.", "The text does not mention parking."

An abstention declines and asserts nothing that could be taken for the answer. It may apologise, say it twice, point
somewhere else ("Please contact us.") or report what the text is about instead ("It only covers returns."). So:

- "I don't know about gloves, but you can return them within 30 days." is an answer: it states a fact of its own.
- "The text does not mention gloves. However, it says that boots come back within 21 days." is an abstention.
- "The text does not say so directly, but it states that all sales are final." is an answer, only a hedged one.
- "Boots: 21 days. I don't know about gloves." is an answer: it begins with one.
"""

from __future__ import annotations

import re

__all__ = ["is_abstention"]

_MOST_CHARACTERS = 1_000

# All patterns are matched against lower-case text with plain apostrophes and single spaces.
_TEXT = r"(?:text|passage|excerpt|context|document|information|source|page|material|content|snippet)s?"
_POLICY = r"(?:(?:returns? |refund )?polic(?:y|ies)|terms)"
_THE = r"(?:(?:the|this|that|these|your|our)(?: \w+){0,2} |any )?"
_GIVEN = r"(?: (?:provided|given|above|supplied|(?:that )?(?:you|i) (?:\w+ ){0,2}(?:provided|given|gave|shared|have)))?"
_SOURCE = rf"{_THE}(?:{_TEXT}|{_POLICY}){_GIVEN}"
_NOT = r"(?:(?:do|does|did)(?: not|n't|nt)|never)(?: \w+ly| actually| seem to| appear to| even){0,2}"
_SAY = (
    r"(?:say|state|mention|specif(?:y|ie)|tell|indicate|answer|address|discuss|describe|define|explain|clarif(?:y|ie)|"
    r"talk|speak|refer|detail|note)(?:e?s)?\b"
)
_HOLD = r"(?:contain|include|provide|give|cover|list|have|has|outline|name|deal|focus)(?:e?s)?\b"
_SAID = r"(?:mentioned|stated|specified|indicated|described|addressed|discussed|defined|explained)\b"
_HELD = rf"(?:{_SAID}|(?:given|provided|included|contained|covered|found|listed|available|answered|known|clear)\b)"
_NO_NEWS = (
    r"(?:information|info|mention|details?|indication|references?|answer|statement|data)\b"
    r"(?! (?:\w+ )?(?:needed|required))"
)
_IN_SOURCE = rf"(?:anywhere )?(?:in|by|from|within) (?:\w+ ){{0,3}}(?:{_TEXT}|{_POLICY})\b"
_ABILITY = r"(?:can ?not|can't|cant|could not|couldn't|(?:am|was|'m) (?:unable|not able) to)"
_DECLINE = (
    rf"(?:answer|tell|say|determine|confirm|find|locate|see|verify|be sure|know|help (?:you )?with (?:that|this)|"
    rf"(?:provide|give) (?:you )?(?:with )?(?:(?:an?|the|that|this|any|more|specific) )*(?:{_NO_NEWS}|that\b|this\b))"
)
_FORMS = (
    rf"i (?:\w+ly |still |just )?(?:do not|don't|dont|did not|didn't) (?:\w+ly |actually )?(?:know\b|see\b|find\b|"
    rf"have (?:\w+ ){{0,3}}(?:{_NO_NEWS}|access\b)|(?:think|believe) (?:it|{_SOURCE}) {_SAY})",
    rf"i ?{_ABILITY} (?:\w+ly )?{_DECLINE}",
    r"i(?: am|'m) (?:not (?:\w+ )?(?:sure|certain|aware)|unsure|uncertain|unaware)\b",
    rf"i have no (?:\w+ )?(?:idea|knowledge|way|{_NO_NEWS})",
    r"(?:do not|don't|dont) know\b|no idea\b|not sure\b|(?:unknown|unclear|idk|n/a|not known)(?=\W*$|[.,;!])",
    rf"(?:{_SOURCE}|it|they) (?:{_NOT} {_SAY}|(?:is|are) (?:silent|unclear|not (?:\w+ )?clear)\b)",
    rf"{_THE}{_TEXT}{_GIVEN} {_NOT} {_HOLD}",
    rf"(?:{_SOURCE}|it) (?:says? nothing|makes? no mention|(?:has|have|gives?|contains?|provides?|offers?|includes?) "
    rf"(?:nothing (?:about|on)|no (?:\w+ )?{_NO_NEWS}))",
    rf"(?:none of|nothing in|neither of|nowhere in) {_SOURCE}(?: is)? (?:\w+ly )?(?:{_SAY}|{_HOLD}|{_HELD})",
    rf"(?:no|neither) (?:passage|text|excerpt) (?:{_SAY}|{_HOLD})",
    rf"(?:not|nowhere) (?:\w+ly )?{_SAID}",
    rf"[a-z][^.,;!?]{{0,80}}?(?: is| are| was| were|'s)(?: not|n't) (?:\w+ly )?(?:{_SAID}|(?:{_HELD} )?{_IN_SOURCE})",
    rf"(?:the|that|this) (?:answer|information)(?: [^.,;!?]{{1,60}}?)? (?:is|are)(?: not|n't) (?:\w+ly )?{_HELD}",
    rf"there(?:'s| is| are| was)(?:n't any| not any| no) (?:\w+ ){{0,2}}{_NO_NEWS}",
    r"there(?:'s nothing| is nothing| isn't anything) (?:about|on|in the|that (?:says|mentions))\b",
    rf"no (?:\w+ )?{_NO_NEWS} (?:is|are|was|about|on|in|regarding|available|provided|given|of)\b",
)
_LEAD = (
    r"(?:(?:the )?(?:final )?answer(?: is)? ?[:-] ?|no[,.] |hmm,? |well, |unfortunately,? |apologies,? (?:but )?|"
    r"(?:i ?'?a?m )?(?:so |very |really )?(?:sorry|afraid)\b[,.!]?(?: but)?(?: that)? |i apologi[sz]e[,.]?(?: but)? |"
    r"(?:based on|according to|from|given|in|per|as for|regarding) [^,.;!?]{1,80}, )"
)
_OPENING = re.compile(rf"{_LEAD}{{0,3}}[\"'*(]{{0,3}}(?:{'|'.join(_FORMS)})")
_CONTRAST = re.compile(r"(?:(?:but|however|although|though|nevertheless|that said|so|yet|therefore)\b,? ?){0,3}")
_HEDGE = re.compile(r"\b(?:explicitly|directly|specifically|exactly|clearly|precisely|expressly|in so many words)\b")
_BREAK = re.compile(
    r"[.!?;]['\")*]{0,3} |[:\n]|,? (?:but|however|although|though|nevertheless|that said)\b,? ?|"
    r", (?:so|yet|therefore) |"
    r" [-\u2013\u2014]{1,2} |\.['\")*]{0,3}$"
)
# "I don't know, you can return it": a comma where a full stop belongs.
_SPLICE = re.compile(
    r", (?=(?:you|we|they|it|the \w+|customers?|items?) (?:can|may|must|will|is|are|has|have|costs?)\b)"
)
_POINTS_ELSEWHERE = re.compile(
    r"(?:and |so |therefore,? |instead,? |perhaps |maybe |for [^,]{1,80}, |if [^,]{1,80}, |to [^,]{1,80}, )*"
    r"(?:please\b|(?:you (?:may|might|can|could|should|will|would|'ll)? ?(?:want|wish|need|like|have)? ?(?:to )?)?"
    r"(?:contact|check|ask|consult|reach out|refer to|get in touch|look (?:at|it up)|try)\b|"
    r"i (?:would |'d )?(?:recommend|suggest|advise|can only|could only)\b|i'd |let me know|feel free|"
    r"it (?:would be|is|'s|might be) (?:best|better|advisable|recommended) to\b|is there (?:anything|something)|"
    r"(?:can|could|may) i help|would you like|(?:could|can) you\b|do you (?:have|want|need)|sorry|my apologies|thank)"
)
_REPORTS = re.compile(
    r"(?:(?:says?|gives?|contains?) (?:nothing|no )|"
    rf"(?:and |while |only |instead,? )*(?:{_SOURCE}|(?:it|they)(?= (?:(?:only|just|merely) |{_SAY})))"
    rf" (?:(?:only|just|merely|does|do) )?(?:{_SAY}|{_HOLD}|(?:is|are) (?:only |just )?about\b))"
)


def is_abstention(text: str) -> bool:
    """Tell whether an answer declines to answer, in the sense of this module; its first 1,000 characters are read."""
    text = text[:_MOST_CHARACTERS].lower().replace("\u2019", "'").replace("\u2018", "'").replace("`", "'")
    text = re.sub(r"[^\S\n]+", " ", re.sub(r"\s*\n\s*", "\n", text)).strip().lstrip("\"'\u201c\u201d*_-> (")
    opening = _OPENING.match(text)
    if not opening:
        return False
    rest = text[opening.end() :]
    splice = _SPLICE.match(rest)
    if splice:
        rest = f". {rest[splice.end() :]}"
    declined, *others = _pieces(rest)
    hedged = bool(_HEDGE.search(f"{opening.group()} {declined}"))
    return all(_asserts_nothing(piece, hedged=hedged) for piece in others)


def _pieces(rest: str) -> list[str]:
    """Cut at sentence ends and at words of contrast; the first piece is what is declined."""
    stripped = (piece.strip(" .,;:!?'\"*()-\n") for piece in _BREAK.split(rest))
    return [_CONTRAST.sub("", piece, count=1) for piece in stripped]


def _asserts_nothing(piece: str, *, hedged: bool) -> bool:
    if not piece or _OPENING.match(piece) or _POINTS_ELSEWHERE.match(piece):
        return True
    return not hedged and bool(_REPORTS.match(piece))
