"""Whether a hyphen at a line's end is real ("Licensor-owned") or was only set to break a word ("refund-able")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from playground.documents.formats.pdf_layout import Segment
from playground.text.spelling import english_words

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
# Parts that keep their hyphen when nothing else in the document tells.
_HYPHENATED_PARTS = frozenset(
    ("non", "self", "ex", "co", "e", "well", "third", "second", "first", "one", "two", "three")
)
# Endings that are words too: "assign-able" is one word.
_ENDINGS = frozenset(
    ("able", "age", "ally", "ant", "ate", "ed", "ful", "hood", "ible", "ing", "ion", "ism", "ist", "less", "like",
     "ment", "ness", "or", "ors", "ous", "ship", "ward", "wards", "wise")
)  # fmt: skip
_SHORTEST_PART = 3


class Vocabulary:
    """The words of a document in lower case, hyphenated ones whole, as far as no line's end cuts them."""

    def __init__(self, lines: Sequence[Segment]) -> None:
        self._lines = lines

    @cached_property
    def words(self) -> frozenset[str]:
        """Gathered at the first question: most documents have no hyphen at a line's end."""
        text = "\n".join(line.text for line in self._lines if not line.text.endswith("-"))
        return frozenset(_WORD.findall(text.lower()))


def ended(text: str, hyphen: bool, following: str, vocabulary: Vocabulary) -> str:
    """Return ``text`` as it must end before the next line: with a space, a hyphen, or nothing.

    ``hyphen`` says that a hyphen stood behind it, which is not part of it. The document's own words decide first
    (``vocabulary``), then a list of English words.
    """
    if not hyphen and not (text.endswith("-") and text[-2:-1].isalnum()):
        return text + " "
    stem = text if hyphen else text[:-1]
    last, first = _LAST_WORD.search(stem), _FIRST_WORD.match(following)
    if last is None or first is None or not first[0][0].islower() or last[0].isupper():
        return stem + "-"
    left, right = last[0].lower(), first[0].lower()
    words = vocabulary.words
    if left + right in words:
        return stem
    keeps = (
        f"{left}-{right}" in words
        or left in _HYPHENATED_PARTS
        or _are_two_words(left, right, words, name=last[0][0].isupper())
    )
    return stem + "-" if keeps else stem


def _are_two_words(left: str, right: str, vocabulary: frozenset[str], *, name: bool) -> bool:
    """Whether both parts are words of their own, and no word when joined.

    A capitalised part may be half of a ``name`` ("Wood-ward"); it counts when the document has it alone ("Licensor").
    """
    if len(left) < _SHORTEST_PART or len(right) < _SHORTEST_PART or right in _ENDINGS:
        return False
    words = english_words()
    if left + right in words or (name and left not in vocabulary):
        return False
    return (left in vocabulary or left in words) and (right in vocabulary or right in words)
