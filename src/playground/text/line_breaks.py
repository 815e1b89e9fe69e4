"""Whether a sentence goes on over the end of a line, a paragraph or a page: the one rule for every format.

Contracts come wrapped by hand, from mail, from filings and from pages. A line that begins with "30 days", "Section 5",
"(b)" or "(60) days" looks like a section or an item of a list, and is none where the line before it cannot end there.
The rule looks at the words on both sides of the break, at most 200 characters of each, so it costs the same anywhere.
"""

from __future__ import annotations

import re

__all__ = ["ends_sentence", "runs_on", "tail_of"]

MOST_READ = 200
"""Characters that are looked at on either side of a break."""

_TERMINAL = re.compile(r"[.!?;:\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\]*_]{0,4}$")
_ITEM_END = re.compile(r"[,;:]\s*(?:and|or|and/or)$", re.IGNORECASE)
_ITEM = re.compile(
    r"(?:\((?:\d{1,3}|[a-z]{1,2}|[ivx]{1,6})\)|(?:\d{1,3}(?:\.\d{1,3}){0,5}|[a-z]|[ivx]{1,5})[.)]\s"
    r"|\d{1,3}(?:\.\d{1,3}){1,5}\s|[-\u2013\u2014*\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u00b7\u25a0\u25a1o]\s)",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"(?:article|section|clause|schedule|exhibit|annex|appendix|paragraph|part|chapter)s?\s+(?:[\dIVXLC]+|[A-Z]\b)"
    r"(?P<number>(?:\.\d{1,3}){0,5}(?:\([a-z0-9]{1,4}\)){0,4})(?P<rest>.?\s*\S{0,20})",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"(?:\b(?:sections?|articles?|clauses?|(?:sub)?paragraphs?|sub-?(?:section|clause)s?|schedules?|exhibits?"
    r"|appendix|annex|parts?|chapters?|items?|nos?\.?|\u00a7{1,2})"
    r"|(?:\([a-z0-9]{1,4}\)|\d\.\d{1,3}),?\s(?:and|or|to|through)"
    r"|\b(?:sections?|articles?|clauses?|paragraphs?)\s\d[\d.]*(?:\([a-z]\))?,?\s(?:and|or|to|through))$",
    re.IGNORECASE,
)
_REFERRED = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){0,5}(?:\([a-z0-9]{1,4}\)){0,4}|\([a-z0-9]{1,4}\)|[IVXLC]{1,6}\b|[A-Z]\b)"
    r"(?!\w|\.\d|[.)]?\s+[A-Z\u201c\"])"
)
"""What a reference names: "5 of this Agreement", "(b)", "IV". A number with a title behind it opens a section."""
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w{3,5})?|hundred|thousand|million|percent|dollars)$",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"\d{1,3}(?:[.,]\d{1,3})?\s+(?!and\b|or\b)[a-z%]|\d{4,}\b|\d{1,3}(?:,\d{3})+|\d{1,2}/\d")
_DASH_PAIR = re.compile(
    r"[-\u2013\u2014]\s(?:(?!\n\s*[-\u2013\u2014*\u2022]\s)[^.;:]){3,160}?[^\S\n][-\u2013\u2014](?:\s|$)"
)
_BULLET_BELOW = re.compile(r"\n\s*[-\u2013\u2014*\u2022]\s")
_OPEN = frozenset(
    "a an the of to in on at by for from with without within under upon into onto between among during per via than as"
    " and or nor but if unless whether that which who whose where when shall will would may might must should"
    " is are was were be been being has have had not any each every all both either neither such its their his"
    " her our your this these those no hereby respective applicable".split()
)
"""Words that no sentence ends with, and hardly any title."""
_COMMON = frozenset("the of to and in or shall by for any a an be is are that this with such as not from on at".split())
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_FEWEST_WORDS = 4
_NO_SENTENCE = re.compile(r"(?:whereas|witnesseth|now,?\s+therefore|in\s+witness)\b", re.IGNORECASE)


def ends_sentence(text: str) -> bool:
    """Tell whether a text ends like a sentence or like an item of a list: with a stop, a colon or a semicolon."""
    return bool(_TERMINAL.search(text[-8:].rstrip()))


def tail_of(text: str, end: int) -> str:
    """Return what is looked at before a break at ``end``: the end of its paragraph, without white space behind."""
    tail = text[max(0, end - MOST_READ) : end].rstrip()
    return re.split(r"\n[^\S\n]*\n", tail)[-1]


def runs_on(before: str, after: str, *, blank: bool) -> bool:
    """Tell whether a sentence that is broken between two texts goes on.

    Args:
        before: the end of the paragraph before the break (``tail_of``).
        after: what follows, without white space in front; what lies beyond its first 200 characters is not read.
        blank: whether a blank line or a page lies between; where it does, a new paragraph is likelier.
    """
    after = after[:MOST_READ]
    if not before or not after or ends_sentence(before):
        return False
    is_item = bool(_ITEM.match(after))
    if after[0].islower() and not is_item:
        return not (blank and before[-12:].count(";") and _ITEM_END.search(before[-12:]))
    words = _WORD.findall(before)
    if len(words) < _FEWEST_WORDS:
        return False
    if _REFERENCE.search(before[-40:]) and _REFERRED.match(after):
        return True
    return _capital_or_number_runs_on(before, after, words, is_item=is_item, blank=blank)


def _capital_or_number_runs_on(before: str, after: str, words: list[str], *, is_item: bool, blank: bool) -> bool:
    """Judge what begins with a capital, a number or a list mark, by the last word before it."""
    last = words[-1].lower() if before[-1].isalpha() else ""
    ends_item = bool(_ITEM_END.search(before[-12:]))
    if after[0].isdigit() or is_item:
        return _number_runs_on(before, after, last, ends_item=ends_item, blank=blank)
    if section := _SECTION.match(after):
        return _section_runs_on(section, last, ends_item=ends_item, blank=blank)
    if ends_item or _NO_SENTENCE.match(after) or not _is_prose(words):
        return False
    needs_more = last in _OPEN or before[-1] in "$([" or before.endswith((" -", "/"))
    return needs_more or (before[-1] == "," and not _is_capital_line(after))


def _number_runs_on(before: str, after: str, last: str, *, ends_item: bool, blank: bool) -> bool:
    """Judge what begins with a number, a letter in brackets or a bullet."""
    if after[0] == "(":
        is_repeated = bool(re.match(r"\(\d", after)) and bool(_NUMBER_WORD.search(before[-16:]))
        return is_repeated and not ends_item
    if after[0].isdigit():
        if not _QUANTITY.match(after):
            return False
        return last in _OPEN - {"and", "or"} or before[-1] in "$(" or (not blank and not ends_item)
    in_dashes = bool(_DASH_PAIR.match(after)) and not _BULLET_BELOW.search(after)
    return in_dashes and not blank and not ends_item and before[-1] != ","


def _section_runs_on(section: re.Match[str], last: str, *, ends_item: bool, blank: bool) -> bool:
    """Judge what begins with "Section 5", "Article IV" and the like."""
    if last in _OPEN and not ends_item:
        return True
    rest = section["rest"].strip()
    return not blank and not ends_item and (rest[:1].islower() or rest[:1] == ",")


def _is_prose(words: list[str]) -> bool:
    """Tell whether the last words before a break are of a sentence rather than of a cover, a table or an address."""
    return any(word.lower() in _COMMON for word in words[:-1][-12:])


def _is_capital_line(after: str) -> bool:
    line = after.split("\n", 1)[0]
    return line.isupper()
