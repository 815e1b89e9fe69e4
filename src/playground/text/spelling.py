"""English words, and the mending of words that are misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["english_words", "mend_spelling"]

_DICTIONARY = "frequency_dictionary_en_82_765.txt"
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_CONTRACTION = re.compile(r"(?:have|has|had|is|are|was|were|do|does|did|ca|wo|would|could|should|must|need)nt")
"""Only its apostrophe is missing, and mending it to "have" would turn its sense round."""
_SHORTEST = 4
_LONG = 6
_MOST_MENDED = 6
# What questions are made of, whatever the text says.
_ASKING = frozenset(
    """about after again also and any arrive arrived because before broken buy bought can cannot cost could damaged
    days deliver delivered delivery does exchange faulty free from gift give have hello how item items keep label
    long made make money month months must need not order ordered open opened pay paid please policy possible product
    receipt receive received refund refunded return returned returning returns send sent ship shipped shipping shoes
    should size something still take than that them then there they thing this until want was week weeks what when
    where which while who will with without would year years you your""".split()
)


@cache
def english_words() -> frozenset[str]:
    """Return some 82,000 English words in lower case (the word list of SymSpell, MIT licence)."""
    package = find_spec("symspellpy")
    if package is None or package.origin is None:
        return frozenset()
    lines = (Path(package.origin).parent / _DICTIONARY).read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.split(" ", 1)[0] for line in lines)


def mend_spelling(question: str, vocabulary: Iterable[str]) -> str:
    """Return ``question`` with the words mended that are no English words and nearly one of ``vocabulary``.

    Only words that a text has, or that questions are made of, can come out: a misspelling matters where it hides one
    of them. Names, numbers, capitals and words under four letters stay as they are. The search is SymSpell's (Garbe,
    2012), for at most two edits, one in a short word.

    Args:
        question: what somebody typed.
        vocabulary: the words of the text that is asked about, in lower case.
    """
    known = frozenset(vocabulary) | _ASKING
    odd = [match for match in _WORD.finditer(question) if _is_odd(match.group(), known)]
    if not odd or len(odd) > _MOST_MENDED:
        return question
    from symspellpy import SymSpell, Verbosity

    checker = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    for word in known:
        # What questions are made of is more frequent than what only this text says.
        checker.create_dictionary_entry(word, 2 if word in _ASKING else 1)
    pieces, position = [], 0
    for match in odd:
        word = match.group()
        found = checker.lookup(word, Verbosity.TOP, max_edit_distance=2 if len(word) >= _LONG else 1)
        if found:
            pieces += [question[position : match.start()], found[0].term]
            position = match.end()
    return "".join([*pieces, question[position:]])


def _is_odd(word: str, known: frozenset[str]) -> bool:
    if len(word) < _SHORTEST or not word.islower() or not word.isalpha():
        return False
    return word not in known and word not in english_words() and not _CONTRACTION.fullmatch(word)
