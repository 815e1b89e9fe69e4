"""What a page adds to a text: its number, marks of its end, running heads, tags of a filing.

A sentence that goes on over the page goes on behind them. Where a text has tags or form feeds that mark its pages, the
reader of plain text leaves them out together with the page numbers beside them; anywhere else such lines stay in the
text, and are passed over when it is cut.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from playground.text.line_breaks import MOST_READ, runs_on, tail_of

__all__ = ["PageFurniture", "is_page_line"]

_TAG = r"</?(?:PAGE|TABLE|CAPTION|TEXT|DOCUMENT|S|C|FN|F\d{1,2}|R)>"
_PAGE_LINE = re.compile(
    rf"(?:{_TAG}\s*)+\d{{0,4}}"
    r"|[-\u2013\u2014(\[]?\s*(?:page\s*)?[-\u2013\u2014]?\s*(?:(?:[A-Z]{1,2}-)?\d{1,4}|[ivxl]{1,6})\s*(?:(?:of|/)\s*\d{1,4})?\s*[-\u2013\u2014)\]]?"
    r"|(?:strictly\s+)?(?:confidential|draft|copy|execution (?:copy|version))",
    re.IGNORECASE,
)
_LONGEST_LINE = 300
_FEWEST_REPEATED = 3
_MOST_LINES = 6
"""Lines that a page may put between two parts of a sentence."""
_WIDEST_GAP = 500
"""Characters of white space beyond which nothing goes on."""
_NOT_SPACE = re.compile(r"\S")
_TRAILING_NUMBER = re.compile(
    r"\s{2,}(?:page\s*)?[-\u2013\u2014]?\s?(?:[A-Z]-)?\d{1,3}\s?[-\u2013\u2014]?$", re.IGNORECASE
)


def is_page_line(line: str) -> bool:
    """Tell whether a line holds a page number, page mark or the like and nothing else."""
    return len(line) <= _LONGEST_LINE and bool(_PAGE_LINE.fullmatch(line.strip()))


@dataclass(frozen=True, slots=True)
class PageFurniture:
    """What pages put between the sentences of one text: ``repeated`` holds its running heads, numbers made equal."""

    repeated: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, text: str) -> PageFurniture:
        """Look for the lines that stand three times or more, each time alone between blank lines. Linear in the text.

        A line that ends like a sentence is none of them unless it holds a number: the last word of a sentence that a
        page parted ("Agreement.") stands alone too.
        """
        lines = text.split("\n")
        blank = [not line or line.isspace() for line in lines]
        alone = (
            line
            for i, line in enumerate(lines)
            if not blank[i]
            and len(line) <= _LONGEST_LINE
            and (i == 0 or blank[i - 1])
            and (i + 1 == len(lines) or blank[i + 1])
        )
        counts = Counter(_alike(line) for line in alone)
        return cls(frozenset(one for one, count in counts.items() if count >= _FEWEST_REPEATED and _may_repeat(one)))

    def is_furniture(self, line: str) -> bool:
        """Tell whether a line that stands alone may belong to the page rather than to the text."""
        return is_page_line(line) or (len(line) <= _LONGEST_LINE and _alike(line) in self.repeated)

    def sentence_runs_on(self, text: str, start: int) -> bool:
        """Tell whether no sentence begins at ``start``: one goes on there, or goes on behind the page that ends there.

        ``start`` is the offset of a character that is no white space. Reads a bounded part of the text around.
        """
        if start <= 0 or start >= len(text):
            return False
        first = max(0, start - MOST_READ)
        before = first + len(text[first:start].rstrip())
        gap = text[before:start]
        if "\n" not in gap:
            return runs_on(tail_of(text, before), text[start : start + MOST_READ], blank=False)
        blank = gap.count("\n") > 1
        tail = tail_of(text, before)
        if runs_on(_TRAILING_NUMBER.sub("", tail) if blank else tail, text[start : start + MOST_READ], blank=blank):
            return True
        behind = self._last_line_of_text(text, before)
        ahead = self._next_line_of_text(text, start)
        if behind == before and ahead == start:
            return False
        tail = _TRAILING_NUMBER.sub("", tail_of(text, behind))
        return runs_on(tail, text[ahead : ahead + MOST_READ], blank=True)

    def paragraph_runs_on(self, text: str, end: int) -> bool:
        """Tell whether a sentence goes on behind the blank lines that begin at ``end``."""
        following = _NOT_SPACE.search(text, end, end + _WIDEST_GAP)
        return following is not None and self.sentence_runs_on(text, following.start())

    def _next_line_of_text(self, text: str, start: int) -> int:
        """Return where the first line from ``start`` on begins that is no furniture; ``start`` where all are."""
        position = start
        for _ in range(_MOST_LINES):
            end = text.find("\n", position, position + _LONGEST_LINE + 1)
            following = None if end < 0 else _NOT_SPACE.search(text, end, end + _WIDEST_GAP)
            if following is None:
                return position
            alone = text.count("\n", end, following.start()) > 1
            if not self._is_passed_over(text[position:end], alone=alone):
                return position
            position = following.start()
        return start

    def _last_line_of_text(self, text: str, end: int) -> int:
        """Return where the last line up to ``end`` ends that is no furniture; ``end`` where all are."""
        position = end
        for _ in range(_MOST_LINES):
            begin = text.rfind("\n", max(0, position - _LONGEST_LINE - 1), position)
            first = max(0, begin - _WIDEST_GAP)
            before = first + len(text[first : max(0, begin)].rstrip())
            if begin < 0 or before == first:
                return position
            alone = text.count("\n", before, begin + 1) > 1
            if not self._is_passed_over(text[begin + 1 : position], alone=alone):
                return position
            position = before
        return end

    def _is_passed_over(self, line: str, *, alone: bool) -> bool:
        return self.is_furniture(line) if alone else is_page_line(line)


def _may_repeat(line: str) -> bool:
    if line.endswith((";", ":", ",")) or line[0].islower():
        return False
    return not line.endswith(".") or ("0" in line and len(line.split()) > 2)


def _alike(line: str) -> str:
    return re.sub(r"\d+", "0", " ".join(line.split()))
