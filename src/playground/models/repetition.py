"""Notice while a text is streamed that it goes round in circles: small models' greedy text does.

By words, so that it holds for every engine and for an endpoint, whose tokens nobody sees.
"""

from __future__ import annotations

import re

__all__ = ["RepetitionWatch", "without_repetition"]

_WORD = re.compile(r"\S+")
_MARKER = re.compile(r"\W*\d{0,3}\W*")
_LONGEST_UNIT = 40
"""Words of a stretch that may repeat; longer ones are left to the length of the answer."""
_MOST_WORDS = 3 * _LONGEST_UNIT + 8
_MOST_CHARACTERS = 16_000


def _times(size: int) -> int:
    """Return how often a stretch of ``size`` words must stand in a row to be a circle: "very, very" is none."""
    return 6 if size == 1 else 4 if size < 4 else 3


class RepetitionWatch:
    """Takes a text piece by piece; the work for each is bounded."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._open = ""

    def add(self, piece: str) -> bool:
        """Tell whether the text ends in a circle now; the word that is still being written does not count."""
        text = self._open + piece
        whole, space, self._open = text.rpartition(" ") if " " in text else text.rpartition("\n")
        self._open = self._open[-_MOST_CHARACTERS:]
        if not space:
            return False
        new = _plain_words(whole)
        self._words = (self._words + new)[-_MOST_WORDS:]
        return bool(new) and _circle(self._words) > 0


def _plain_words(text: str) -> list[str]:
    """Return the words in small letters without punctuation; a list's marker is none."""
    words = (match.group().lower() for match in _WORD.finditer(text[-_MOST_CHARACTERS:]))
    return [word.strip(".,;:!?*_\"'()-") for word in words if not _MARKER.fullmatch(word)]


def _circle(words: list[str]) -> int:
    """Return the size of the stretch that the words end in several times; 0 where they do not."""
    for size in range(1, min(_LONGEST_UNIT, len(words) // 3) + 1):
        span = size * _times(size)
        tail = words[-span:]
        if len(tail) == span and all(tail[i] == tail[i + size] for i in range(span - size)):
            return size
    return 0


def without_repetition(text: str) -> str:
    """Return a text that was stopped for repeating itself with what repeats in it once."""
    matches = [match for match in _WORD.finditer(text) if not _MARKER.fullmatch(match.group())][-2_000:]
    words = [_plain_words(match.group())[0] for match in matches]
    # The last word may be cut off in the middle, and the circle with it.
    for cut in range(min(_LONGEST_UNIT, len(words)) + 1):
        size = _circle(words[: len(words) - cut])
        if size:
            first = len(words) - cut - size
            while first >= size and words[first - size : first] == words[first : first + size]:
                first -= size
            once = text[: matches[first + size - 1].end()].rstrip(" ,;")
            whole = max(once.rfind(end) for end in ".!?\n") + 1
            # The circle may have begun in the middle of a sentence.
            return once[:whole] if whole and len(once[whole:].split()) < size else once
    return text
