"""Numbers that are spelled out in English: "twenty-one", "a hundred and twenty", "fifteen hundred", "two dozen"."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["COUNTED", "ORDINALS", "spelled_numbers"]

_ONES = dict(zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True))
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TEENS_AND_ZERO = {"zero": 0, **dict(zip(_TEENS, range(10, 20), strict=True))}
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
# No "second": more often a unit of time. Alone an ordinal is an order, not a number; in "twenty-first" it ends one.
_ORDINAL_ONES = {"first": 1, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9}
ORDINALS = {**_ORDINAL_ONES, "second": 2, "tenth": 10, "eleventh": 11, "twelfth": 12}
"""Ordinals and their numbers."""

_UNIT = (
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|per\s?cent|dollars?|euros?|pounds?|cents?|times?)"
)
COUNTED = rf"(?:(?:business|working|calendar|full|extra|more|whole)\s)?{_UNIT}\b"
"""Pattern of a unit that a number counts."""

_WORD = "|".join([*_ONES, *_TEENS_AND_ZERO, *_TENS, *_SCALES, *_ORDINAL_ONES])
_RUN = re.compile(rf"\b(?:{_WORD})(?:[\s-]{{1,2}}(?:and\s)?(?:{_WORD})){{0,12}}\b", re.IGNORECASE)
_PIECE = re.compile(rf"\b(?:{_WORD}|and)\b", re.IGNORECASE)
_COUNTS = re.compile(rf"[\s-]{COUNTED}", re.IGNORECASE)
_ARTICLE = re.compile(r"\ba\s$", re.IGNORECASE)


def spelled_numbers(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and value of each number that ``text`` spells out, in linear time.

    "one" counts only before a unit ("one week") or inside a longer number: it is a pronoun more often than a number.
    An ordinal counts only where it ends a longer number ("twenty-first").
    """
    for run in _RUN.finditer(text):
        for start, end, value, words in _parsed(text, run):
            if words == ["one"] and not _COUNTS.match(text, end):
                continue
            if len(words) == 1 and words[0] in _ORDINAL_ONES:
                continue
            article = _ARTICLE.search(text, max(0, start - 2), start) if words[0] in _SCALES else None
            yield (article.start() if article else start), end, value


def _parsed(text: str, run: re.Match[str]) -> Iterator[tuple[int, int, int, list[str]]]:
    """Cut a run of number words where it stops being one number ("two three" are two)."""
    words: list[str] = []
    start = end = total = group = 0
    after_and = False
    for piece in _PIECE.finditer(text, run.start(), run.end()):
        word = piece.group().lower()
        if word == "and":
            after_and = True
            continue
        if words and (not _continues(words[-1], word) or (after_and and words[-1] not in _SCALES)):
            yield start, end, total + group, words
            words, total, group = [], 0, 0
        after_and = False
        if not words:
            start = piece.start()
        end = piece.end()
        words.append(word)
        scale = _SCALES.get(word, 0)
        if scale in (12, 100):
            group = (group or 1) * scale
        elif scale:
            total, group = total + (group or 1) * scale, 0
        else:
            group += (_ONES | _TEENS_AND_ZERO | _TENS | _ORDINAL_ONES)[word]
    if words:
        yield start, end, total + group, words


def _continues(before: str, word: str) -> bool:
    """Tell whether ``word`` can follow ``before`` within one number."""
    if before in _ORDINAL_ONES or before in ("zero", "dozen") or word == "zero":
        return False
    if word in _SCALES:
        return before not in _SCALES or _SCALES[before] < _SCALES[word] != 12
    if word in _ONES or word in _ORDINAL_ONES:
        return before in _TENS or before in _SCALES
    return before in _SCALES
