"""How much of a page's text cannot be what is printed: glyph soup, doubled letters, letters that no code stands for.

A PDF draws glyphs and may say falsely, or not at all, which letters they are. Nothing but the text itself tells then.
A word is called implausible by what no language does, so that text in any language is left alone: no dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

# Characters that mean nothing: controls, private use, the replacement character, lone halves of a pair. A hyphen at a
# line's end comes from pdfium as U+0002 or U+FFFE.
_MEANINGLESS = re.compile("[\x00\x01\x03-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufeff\ufff9-\ufffd\uffff]")
_LINE_END_HYPHENS = re.compile("[\x02\ufffe]")
_EAST_ASIAN = re.compile("[\u3400-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff]")
_EAST_ASIAN_RUN = re.compile(f"{_EAST_ASIAN.pattern}+")
_EAST_ASIAN_CODES = ("gb2312", "big5", "shift_jis", "euc_kr")
"""National standards of the characters in daily use; nearly every character of a text is in the one of its country."""
_USED_DAILY = 0.9
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
_GREEK_OR_CYRILLIC = re.compile("[\u0391-\u03c9\u0400-\u04ff]")
_VOWELS = frozenset("aeiouy")
_SYMBOL = re.compile(r"[!-/:-@\[-`{-~]")
_ODD_SYMBOL = re.compile(r"[!\"#&'*;<=>?@\[\\\]^_`{}~]")
"""Symbols but for those of numbers, dates and lists."""
_LETTER_BETWEEN_SYMBOLS = re.compile(r"[^\W\d_][\\^<>{}|~`;=][^\W\d_]")
_ROMAN = re.compile(r"[ivxlcdm]+", re.IGNORECASE)
_UP_AND_DOWN = re.compile(r"[a-z][A-Z]")

_LEADERS = re.compile(r"\[?([._\-=*#\u2026\u2013\u2014\u2500])\1{2,}\]?|\b([Xx])\2+\b")
"""Rows of dots, lines to sign on, and "XXXX" or "[*****]" in the place of what is kept secret."""
_LONG_RUN = re.compile("[.]{3}|___|---|===|[*]{3}|###|\u2026{3}|\u2013{3}|\u2014{3}|\u2500{3}|XX|xx")
_FEWEST_VOWELS = 0.26
"""Share of the letters; a page in any language written in Latin letters has 0.33 or more."""
_MOST_SYMBOLS = 0.12
"""Share of a page's characters that are odd symbols; a page of contracts has 0.02."""

WARNED_SHARE = 0.15
"""From this share of implausible text on a page is pointed out: ordinary pages have below 0.03."""
GARBLED_SHARE = 0.5
"""From this share on the text of a page is of no use."""
_LEAST_CHARACTERS = 40
"""A page with less text is not judged: a part number and a web address would be half of it."""
_MOST_QUOTED = 40


@dataclass(frozen=True, slots=True)
class Legibility:
    """``share`` of a page's characters, white space left out, that stand in implausible words; an ``example``."""

    share: float
    example: str


def legibility(text: str) -> Legibility:
    """Return how much of a page's text is implausible. ``text`` is as pdfium gave it, U+0000 for an unknown glyph."""
    text = _LINE_END_HYPHENS.sub("", text)
    if _LONG_RUN.search(text):
        text = _LEADERS.sub(" ", text)
    words = text.split()
    characters = sum(map(len, words))
    if characters < _LEAST_CHARACTERS:
        return Legibility(0.0, "")
    implausible = 0
    bad: list[str] = []
    if not text.isascii():
        implausible, rare = _rare_east_asian(text)
        bad += [rare] if rare else []
        words = [part for word in words for part in _EAST_ASIAN_RUN.split(word) if part]
    of_no_language = _is_of_no_language(words)
    for word, times in Counter(words).items():
        if len(word) > 1 and (of_no_language(word) or not is_plausible(word)):
            implausible += len(word) * times
            bad.append(word)
    return Legibility(implausible / characters, _quoted(bad))


def _is_of_no_language(words: Sequence[str]) -> Callable[[str], bool]:
    """Return which words are implausible because of the page as a whole: hardly a vowel on it, or mostly symbols."""
    joined = "".join(words)
    letters = "".join(_LATIN.findall(joined)).lower()
    if not letters.isascii():
        letters = unicodedata.normalize("NFD", letters)
    vowels = sum(map(letters.count, _VOWELS))
    no_vowels = len(letters) > 2 * _LEAST_CHARACTERS and vowels < _FEWEST_VOWELS * len(letters)
    symbols = len(_ODD_SYMBOL.findall(joined)) > _MOST_SYMBOLS * len(joined)
    return lambda word: (no_vowels and bool(_LATIN.search(word))) or (symbols and not word.isalnum())


@lru_cache(maxsize=20_000)
def is_plausible(word: str) -> bool:
    """Whether a run of at least two characters without white space may be a word, a number or a mark."""
    if _MEANINGLESS.search(word):
        return False
    bare = word.strip("\"'()[]{}.,:;!?*\u2018\u2019\u201c\u201d\u00ab\u00bb")
    if "@" in bare or "/" in bare or "www." in bare:  # addresses, alternatives
        return True
    if len(_SYMBOL.findall(bare)) * 2 > len(bare) and len(set(bare)) > 3:
        return False
    if _LETTER_BETWEEN_SYMBOLS.search(bare) or len(_UP_AND_DOWN.findall(bare)) > 2:
        return False
    latin = _LATIN.findall(bare)
    if len(_GREEK_OR_CYRILLIC.findall(bare)) > 1 and sum(map(len, latin)) > 1:
        return False
    return all(_may_be_latin(run) for run in latin)


def _may_be_latin(run: str) -> bool:
    """Whether letters of the Latin script may be a word or a part of one: not all doubled, some of them vowels."""
    size = len(run)
    if size >= 6 and size % 2 == 0 and run[::2] == run[1::2]:
        return False
    if size < 4 or _ROMAN.fullmatch(run) or (run.isupper() and size < 6):
        return True  # "Ltd", "xviii", "GMBH"
    plain = unicodedata.normalize("NFD", run.casefold())
    vowels = sum(letter in _VOWELS for letter in plain)
    # "strengths", "Schmerz"; r and l make syllables in Czech and Croatian: "smrt", "čtvrt"
    return vowels * 9 >= size or (size < 6 and ("r" in plain or "l" in plain))


def _rare_east_asian(text: str) -> tuple[int, str]:
    """Return how many East Asian characters are not of daily use in the country that fits best, and which.

    None where they are a few: names have rare ones.
    """
    found = "".join(_EAST_ASIAN.findall(text))
    used = [_used(found, code) for code in _EAST_ASIAN_CODES]
    rare = min(([c for c in found if c not in of_country] for of_country in used), key=len)
    return (len(rare), "".join(rare)) if len(rare) > (1 - _USED_DAILY) * len(found) else (0, "")


def _used(characters: str, code: str) -> frozenset[str]:
    return frozenset(characters.encode(code, "ignore").decode(code))


def _quoted(bad: list[str]) -> str:
    shown = "".join(c if c.isprintable() and not _MEANINGLESS.match(c) else "\ufffd" for c in " ".join(bad[:6]))
    return shown[:_MOST_QUOTED].strip()
