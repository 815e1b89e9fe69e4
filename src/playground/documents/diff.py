"""A readable comparison of two documents, bounded in time for texts of any size.

Compared are the documents' blocks (paragraphs, list items, table rows) with white space folded, so that a text wrapped
differently is the same. Blocks that occur once in both texts and in the same order are anchors (Bram Cohen's patience
diff); difflib compares what lies between them, within a budget.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from playground.types import Document

__all__ = ["DiffLine", "DiffSpan", "PlacedChange", "changed_lines", "diff_documents", "placed_changes"]

_CONTEXT_LINES = 1
_MOST_LINES = 1_000  # shown; nobody reads more, and a page should not draw more
_MOST_CHARACTERS = 4_000  # shown of one span
_LINE_BUDGET = 500_000  # pairs of lines that difflib may look at in all
_MOST_PAIRED = 60  # lines of a replaced block whose best pairing is sought; longer blocks are compared in order
_LIKENESS = 0.4  # share of common words from which two lines are versions of each other
_MOST_WORDS = 1_000  # differing words of one line that difflib compares, white space included
_WORD_BUDGET = 4_000_000  # pairs of words that difflib may look at in all
_WORD = re.compile(r"\s+|\w+(?:[.,'\u2019/-]\w+)*|[^\w\s]")
_TOO_LARGE = "This passage is too large to compare word by word."


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A piece of a line; ``changed`` where the other version has something else."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a comparison.

    ``old`` and ``new`` are the line in either version: both for "same" and "changed", one of them empty for "removed"
    and "added". ``note`` is a sentence for the reader; a "same" line with a note and no spans stands for lines left
    out. Texts come from the user's documents: show them as plain text.
    """

    kind: Literal["same", "removed", "added", "changed"]
    old: tuple[DiffSpan, ...] = ()
    new: tuple[DiffSpan, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlacedChange:
    """What is new at ``text[start:end]`` of a document (nothing where they are equal), and what stood there before."""

    start: int
    end: int
    removed: str = ""


@dataclass(slots=True)
class _Budget:
    """Work left, in pairs compared; difflib's time grows with their number."""

    line_pairs: int = _LINE_BUDGET
    word_pairs: int = _WORD_BUDGET


def diff_documents(old: Document, new: Document) -> tuple[DiffLine, ...]:
    """Compare two documents; unchanged lines away from a change are collapsed into one line with a note.

    Two documents without a difference give a single line with a note.
    """
    before, after = _lines(old), _lines(new)
    budget = _Budget()
    shown: list[DiffLine] = []
    cursor = 0
    changes = list(_changes(before, after, budget))
    for position, (old_start, old_stop, new_start, new_stop) in enumerate(changes):
        shown += _unchanged(before[cursor:old_start], opens=position == 0)
        shown += _replaced(before[old_start:old_stop], after[new_start:new_stop], budget)
        cursor = old_stop
        if len(shown) > _MOST_LINES:
            return (*shown[:_MOST_LINES], DiffLine("same", note="The comparison is long; its rest is not shown."))
    if not changes:
        return (DiffLine("same", note="The two versions have the same text."),)
    return (*shown, *_unchanged(before[cursor:], closes=True))


def changed_lines(lines: Sequence[DiffLine]) -> int:
    """Return how many lines of a comparison differ."""
    return sum(line.kind != "same" for line in lines)


def placed_changes(old: Document, new: Document) -> tuple[PlacedChange, ...]:
    """Return what differs in ``new``, at its place in ``new.text``, in order.

    Empty where more of the text differs than is the same: then they are two documents, not two versions of one.
    """
    blocks = new.blocks
    lines = diff_documents(old, new)
    if not blocks or changed_lines(lines) > min(len(blocks), len(old.blocks)) / 2:
        return ()
    found: list[PlacedChange] = []
    position = 0
    for line in lines:
        now = "".join(span.text for span in line.new)
        before = "".join(span.text for span in line.old)
        if not now:
            if before:
                place = blocks[position - 1].end if position else blocks[0].start
                found.append(PlacedChange(place, place, f" {before}"))
            continue
        folded = ((i, " ".join(new.text[b.start : b.end].split())) for i, b in enumerate(blocks[position:], position))
        at = next((i for i, text in folded if text == now), None)
        if at is None:  # a line so long that the comparison shortened it
            continue
        position = at + 1
        if line.kind == "added":
            found.append(PlacedChange(blocks[at].start, blocks[at].end))
        elif line.kind == "changed":
            found += _changed_words(before, new.text[blocks[at].start : blocks[at].end], blocks[at].start)
    return tuple(found)


def _changed_words(before: str, now: str, offset: int) -> Iterator[PlacedChange]:
    a, b = _WORD.findall(before), _WORD.findall(now)
    if max(len(a), len(b)) > _MOST_WORDS:
        return
    starts = [0]
    for word in b:
        starts.append(starts[-1] + len(word))
    folded = [" " if word.isspace() else word for word in b]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, folded, autojunk=False).get_opcodes():
        if tag != "equal":
            yield PlacedChange(offset + starts[j1], offset + starts[j2], "".join(a[i1:i2]))


def _lines(document: Document) -> list[str]:
    if document.blocks:
        pieces: Sequence[str] = [document.text[block.start : block.end] for block in document.blocks]
    else:
        pieces = document.text.splitlines()
    return [folded for piece in pieces if (folded := " ".join(piece.split()))]


def _unchanged(lines: Sequence[str], *, opens: bool = False, closes: bool = False) -> list[DiffLine]:
    """Return the lines next to a change, and a note in place of the others."""
    head = 0 if opens else _CONTEXT_LINES
    tail = 0 if closes else _CONTEXT_LINES
    hidden = len(lines) - head - tail
    if hidden <= 1:
        return [_same(line) for line in lines]
    note = DiffLine("same", note=f"{hidden:,} unchanged lines")
    return [*map(_same, lines[:head]), note, *map(_same, lines[len(lines) - tail :])]


def _same(line: str) -> DiffLine:
    spans = (DiffSpan(_shortened(line)),)
    return DiffLine("same", spans, spans)


_Change = tuple[int, int, int, int]


def _changes(before: Sequence[str], after: Sequence[str], budget: _Budget) -> Iterator[_Change]:
    """Yield (old start, old stop, new start, new stop) of the blocks that differ, in order."""
    matches = [(-1, -1), *_anchors(before, after), (len(before), len(after))]
    pending: _Change | None = None
    for (old_left, new_left), (old_right, new_right) in pairwise(matches):
        for change in _gap(before, after, (old_left + 1, old_right, new_left + 1, new_right), budget):
            if pending and pending[1] == change[0] and pending[3] == change[2]:
                pending = (pending[0], change[1], pending[2], change[3])
                continue
            if pending:
                yield pending
            pending = change
    if pending:
        yield pending


def _anchors(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of positions of equal lines: common beginning, common end, and unique lines in the same order."""
    start = 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[len(before) - 1 - end] == after[len(after) - 1 - end]:
        end += 1
    old_stop, new_stop = len(before) - end, len(after) - end
    old_count, new_count = Counter(before[start:old_stop]), Counter(after[start:new_stop])
    new_position = {after[i]: i for i in range(start, new_stop) if new_count[after[i]] == 1}
    unique = [
        (i, new_position[before[i]])
        for i in range(start, old_stop)
        if old_count[before[i]] == 1 and before[i] in new_position
    ]
    head = [(i, i) for i in range(start)]
    tail = [(old_stop + i, new_stop + i) for i in range(end)]
    return head + _longest_rising(unique) + tail


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence with rising second members (patience sorting; O(n log n))."""
    tops: list[int] = []  # the smallest last member of a rising run of each length
    holders: list[int] = []  # which pair that is
    previous: list[int] = []
    for position, (_, value) in enumerate(pairs):
        length = bisect_left(tops, value)
        previous.append(holders[length - 1] if length else -1)
        tops[length : length + 1] = [value]
        holders[length : length + 1] = [position]
    rising = []
    position = holders[-1] if holders else -1
    while position >= 0:
        rising.append(pairs[position])
        position = previous[position]
    return rising[::-1]


def _gap(before: Sequence[str], after: Sequence[str], gap: _Change, budget: _Budget) -> Iterator[_Change]:
    old_start, old_stop, new_start, new_stop = gap
    old_size, new_size = old_stop - old_start, new_stop - new_start
    if not old_size and not new_size:
        return
    pairs = old_size * new_size
    if not pairs or pairs > budget.line_pairs:
        yield gap
        return
    budget.line_pairs -= pairs
    matcher = SequenceMatcher(None, before[old_start:old_stop], after[new_start:new_stop])
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield old_start + i1, old_start + i2, new_start + j1, new_start + j2


def _replaced(old_lines: Sequence[str], new_lines: Sequence[str], budget: _Budget) -> Iterator[DiffLine]:
    """Show a replaced block: lines that resemble each other side by side, the others as removed or added."""
    old_lines, new_lines = old_lines[: _MOST_LINES + 1], new_lines[: _MOST_LINES + 1]
    i = j = 0
    for old_match, new_match in [*_pairs(old_lines, new_lines), (len(old_lines), len(new_lines))]:
        for line in old_lines[i:old_match]:
            yield DiffLine("removed", old=(DiffSpan(_shortened(line), changed=True),))
        for line in new_lines[j:new_match]:
            yield DiffLine("added", new=(DiffSpan(_shortened(line), changed=True),))
        if old_match < len(old_lines):
            yield _changed(old_lines[old_match], new_lines[new_match], budget)
        i, j = old_match + 1, new_match + 1


def _pairs(old_lines: Sequence[str], new_lines: Sequence[str]) -> list[tuple[int, int]]:
    """Pair the lines of a replaced block in order, with the greatest sum of likeness."""
    old_words, new_words = ([Counter(_words(line)) for line in lines] for lines in (old_lines, new_lines))
    if max(len(old_lines), len(new_lines)) > _MOST_PAIRED:
        in_order = enumerate(zip(old_words, new_words, strict=False))
        return [(i, i) for i, (a, b) in in_order if _likeness(a, b) >= _LIKENESS]
    rows, columns = len(old_lines), len(new_lines)
    likeness = [[_likeness(a, b) for b in new_words] for a in old_words]
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]  # best[i][j]: of old_lines[i:] and new_lines[j:]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] >= _LIKENESS else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    pairs = []
    i = j = 0
    while i < rows and j < columns:
        if likeness[i][j] >= _LIKENESS and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _words(line: str) -> list[str]:
    return [word for word in _WORD.findall(line[:_MOST_CHARACTERS]) if not word.isspace()]


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    """Return Dice's coefficient of two bags of words, in [0, 1]."""
    return 2 * (a & b).total() / max(a.total() + b.total(), 1)


def _changed(old_line: str, new_line: str, budget: _Budget) -> DiffLine:
    """Mark the words that differ. A common beginning and end cost nothing, so one edit in a huge line is found."""
    a, b = _WORD.findall(old_line), _WORD.findall(new_line)
    shorter = min(len(a), len(b))
    head = 0
    while head < shorter and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and a[len(a) - 1 - tail] == b[len(b) - 1 - tail]:
        tail += 1
    a_middle, b_middle = a[head : len(a) - tail], b[head : len(b) - tail]
    pairs = len(a_middle) * len(b_middle)
    note = ""
    opcodes: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(a_middle), 0, len(b_middle))]
    if max(len(a_middle), len(b_middle)) > _MOST_WORDS or pairs > budget.word_pairs:
        note = _TOO_LARGE
    else:
        budget.word_pairs -= pairs
        opcodes = SequenceMatcher(None, a_middle, b_middle).get_opcodes()
    old_marks = [(tag != "equal", a_middle[i1:i2]) for tag, i1, i2, _, _ in opcodes]
    new_marks = [(tag != "equal", b_middle[j1:j2]) for tag, _, _, j1, j2 in opcodes]
    opening, closing = (False, a[:head]), (False, a[len(a) - tail :])
    return DiffLine("changed", _spans([opening, *old_marks, closing]), _spans([opening, *new_marks, closing]), note)


def _spans(marked: Sequence[tuple[bool, list[str]]]) -> tuple[DiffSpan, ...]:
    """Join words into spans; white space between two changed words is drawn as changed too."""
    joined: list[tuple[bool, str]] = []
    for changed, words in marked:
        text = "".join(words)
        if not text:
            continue
        if joined and joined[-1][0] == changed:
            joined[-1] = (changed, joined[-1][1] + text)
        elif changed and len(joined) > 1 and joined[-1][1].isspace():
            space = joined.pop()[1]
            joined[-1] = (True, joined[-1][1] + space + text)
        else:
            joined.append((changed, text))
    return tuple(DiffSpan(_shortened(text), changed) for changed, text in joined)


def _shortened(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]} … {text[-half:]}"
