"""Tell the language of a text by its function words ("and", "und", "et"), or by its script.

The lists are those of bm25s (MIT), a library that the retrieval uses anyway. A word that is in the English list too
counts for both, so a text is taken for English until enough speaks against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["ENGLISH", "language_of"]

ENGLISH = "English"
_LISTS = ("DANISH", "DUTCH", "FRENCH", "GERMAN", "ITALIAN", "NORWEGIAN", "PORTUGUESE", "SPANISH", "SWEDISH", "TURKISH")
_MOST_CHARACTERS = 20_000
_LEAST_WORDS = 2
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "CYRILLIC": "Russian or another language in Cyrillic",
    "CJK": "Chinese or Japanese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
    "DEVANAGARI": "Hindi",
}


def language_of(text: str) -> str:
    """Return the English name of the language of ``text``; English where nothing clearly says another.

    The first 20,000 characters are read, in linear time.
    """
    text = text[:_MOST_CHARACTERS].lower()
    if script := _script_of(text):
        return script
    words = _WORD.findall(text)
    lists = _function_words()
    english = sum(word in lists[ENGLISH] for word in words)
    hits = {name: sum(word in known for word in words) for name, known in lists.items() if name != ENGLISH}
    best = max(hits, key=hits.__getitem__)
    return best if hits[best] >= _LEAST_WORDS and hits[best] > english else ENGLISH


def _script_of(text: str) -> str:
    """Return what most letters are written in, where that is not Latin."""
    letters = [character for character in text if character.isalpha()]
    foreign = [character for character in letters if ord(character) > 0x36F and not _is_latin(character)]
    if not foreign or 2 * len(foreign) < len(letters):
        return ""
    name = unicodedata.name(foreign[len(foreign) // 2], "").split(" ")[0]
    return _SCRIPTS.get(name, "a language in another script")


@lru_cache(maxsize=4096)
def _is_latin(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN")


@lru_cache(maxsize=1)
def _function_words() -> Mapping[str, frozenset[str]]:
    from bm25s import stopwords

    lists = {name.capitalize(): frozenset(getattr(stopwords, f"STOPWORDS_{name}")) for name in _LISTS}
    return lists | {ENGLISH: frozenset(stopwords.STOPWORDS_EN_PLUS)}
