"""What a page carries beside its text: running heads, page numbers, the line numbers of pleadings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from playground.documents.formats.pdf_layout import Segment
from playground.documents.formats.pdf_words import Word
from playground.documents.formats.structure import is_page_number

_MARGIN_SHARE = 0.12  # running heads and page numbers lie in this share of the page at its top and bottom
_NUMBER = re.compile(r"\d{1,4}")
_LINE_NUMBER = re.compile(r"\d{1,3}")
_NUMBERED_LINE = re.compile(r"^\d{1,3}(?=\s|\Z)", re.MULTILINE)
_SAME_COLUMN = 4.0  # points
_FEWEST_LINE_NUMBERS = 5
# "Page 3 of 10", "3/10", "- 3 -", "| 3", "p. 3": numbers that count pages. Any other number is part of the words.
_PAGE_COUNT = re.compile(
    r"\b(?:page|seite|pag\.?|página|sheet|p\.)\s*\d{1,4}(?:\s*(?:of|/|von|de)\s*\d{1,4})?"
    r"|\b\d{1,4}\s*(?:of|/|von)\s*\d{1,4}\b"
    r"|[-|•·\u2013\u2014]\s*\d{1,4}\s*[-|\u2013\u2014]?(?=\s*$)|^\d{1,4}\s*[-|•·\u2013\u2014]",
    re.IGNORECASE,
)
_NUMBER_AT_EDGE = re.compile(r"^(\d{1,4})\s+(?=\D)|(?<=\D)\s+(\d{1,4})$")
_SHORTEST_TEXT = 40  # characters of a line of running text
# Words that a number right behind them counts, so that it is not the page's.
_COUNTED = re.compile(
    r"\b(?:schedule|section|article|part|chapter|clause|appendix|annex|exhibit|attachment|group|class|category|zone|"
    r"table|figure|step|level|phase|tier|item|lot|form|version|no|nr|number|volume|book|title|rule|day|week|year)\.?$",
    re.IGNORECASE,
)

_Line = list[Segment]
_Edge = tuple[_Line, _Line | None]
"""A line at a page's edge and its neighbour on the side of the text."""


def drop_running_heads(pages: Sequence[Sequence[Segment]], heights: Sequence[float]) -> list[list[Segment]]:
    """Remove page numbers, and what repeats (page numbers apart) at one height in the margins of many pages.

    Lines that are alike but for a number ("Schedule 1", "Schedule 2") are headings, unless the number counts pages.
    """
    seen: dict[tuple[str, int], list[tuple[int, float]]] = {}
    edges: list[list[tuple[_Edge, tuple[str, int]]]] = []
    found = [_edge_lines(segments, height) for segments, height in zip(pages, heights, strict=True)]
    counting = _counting_edges(found)
    for number, lines in enumerate(found):
        keyed = [(edge, _masked(edge[0], number, counting)) for edge in lines]
        edges.append(keyed)
        for (line, _), key in keyed:
            seen.setdefault(key, []).append((number, line[0].y0))
    kept = []
    for segments, keyed in zip(pages, edges, strict=True):
        dropped: set[int] = set()
        for (line, inner), key in keyed:
            repeats = _repeats(seen[key], line[0].y0, len(pages))
            apart = inner is None or id(inner[0]) in dropped or not _runs_into(line, inner)
            if is_page_number(_text(line)) or (repeats and apart):
                dropped.update(id(segment) for segment in line)
        kept.append([segment for segment in segments if id(segment) not in dropped])
    return kept if any(kept) else [list(segments) for segments in pages]


def _edge_lines(segments: Sequence[Segment], height: float) -> list[_Edge]:
    """Return the two uppermost and two lowest lines, as far as they lie in the margins, the inner ones first.

    Each comes with its neighbour on the side of the text.
    """
    lines: list[_Line] = []
    for segment in sorted(segments, key=lambda s: s.middle):
        if lines and segment.middle - lines[-1][0].middle < 0.5 * segment.height:
            lines[-1].append(segment)
        else:
            lines.append([segment])
    lines = [sorted(line, key=lambda s: s.x0) for line in lines]
    top = [i for i in (1, 0) if i < len(lines) and lines[i][0].middle < height * _MARGIN_SHARE]
    bottom = [
        i for i in (len(lines) - 2, len(lines) - 1) if i >= 2 and lines[i][0].middle > height * (1 - _MARGIN_SHARE)
    ]
    return [(lines[i], lines[i + 1] if i + 1 < len(lines) else None) for i in top] + [
        (lines[i], lines[i - 1]) for i in bottom
    ]


def _runs_into(line: _Line, inner: _Line) -> bool:
    """Whether a line at a page's edge is running text: long, and set as closely and as large as the line beside it."""
    edge, other = line[0], inner[0]
    close = abs(other.y0 - edge.y0) < 1.5 * edge.height and abs(other.size - edge.size) < 0.08 * edge.size
    upper, lower = (edge, other) if edge.y0 < other.y0 else (other, edge)
    overlaps = min(upper.x1, lower.x1) > max(upper.x0, lower.x0)
    return close and overlaps and len(upper.text) >= _SHORTEST_TEXT


def _counting_edges(found: Sequence[Sequence[_Edge]]) -> frozenset[tuple[str, int]]:
    """Return (words, number less page) of lines whose first or last number goes up with the pages: "ACME terms 7"."""
    pages: Counter[tuple[str, int]] = Counter()
    for number, lines in enumerate(found):
        for line, _ in lines:
            edge = _edge_number(_text(line))
            if edge is not None:
                pages[(edge[0], edge[1] - number)] += 1
    return frozenset(key for key, count in pages.items() if count >= 3)


def _edge_number(text: str) -> tuple[str, int] | None:
    """Return the words and the number of a line of words that begins or ends with a number of its own."""
    match = _NUMBER_AT_EDGE.search(text)
    if match is None:
        return None
    words = (text[: match.start()] + text[match.end() :]).strip()
    if _COUNTED.search(words) or len(words.split()) < 2:
        return None
    return words, int(match[1] or match[2])


def _masked(line: Sequence[Segment], page: int, counting: frozenset[tuple[str, int]]) -> tuple[str, int]:
    """Return a line without its page number, and its font size: equal for one running head on all its pages."""
    parts = [segment.text for segment in line]
    if len(parts) > 1:  # a number that stands apart, at the other side of the page
        parts = ["#" if _NUMBER.fullmatch(part) else part for part in parts]
    text = " ".join(parts).lower()
    edge = _edge_number(text)
    if edge is not None and (edge[0], edge[1] - page) in counting:
        text = edge[0] + " #"
    return _PAGE_COUNT.sub("#", text), round(line[0].size)


def _text(line: Sequence[Segment]) -> str:
    return " ".join(segment.text for segment in line).lower()


def _repeats(places: Sequence[tuple[int, float]], y0: float, page_count: int) -> bool:
    pages = {page for page, other in places if abs(other - y0) < 8}
    # Heads may differ on left and right pages and from chapter to chapter.
    return len(pages) >= (2 if page_count <= 3 else 3) or _is_mirrored(pages, page_count)


def _is_mirrored(pages: set[int], page_count: int) -> bool:
    """Whether a head stands on two pages that are all left or all right ones there are, a title page apart."""
    first = min(pages)
    return len(pages) == 2 and first <= 2 and pages == set(range(first, page_count, 2))


def may_have_line_numbers(text: str) -> bool:
    """Whether enough lines of a page's characters hold or begin with a bare number."""
    return len(_NUMBERED_LINE.findall(text)) >= _FEWEST_LINE_NUMBERS


def without_line_numbers(words: Sequence[Word]) -> tuple[list[Word], bool]:
    """Remove the numbers that count the lines of a page in its left margin; also say whether there were any.

    They stand in a column at the left of all text and go up by one or five. Lines of running text stand beside them
    (a good part begins in mid-sentence, as rows of a table never do), or nothing at all (ruled pleading paper).
    """
    numbers = [word for word in words if word.size == 0 and _LINE_NUMBER.fullmatch(word.text)]
    if len(numbers) < _FEWEST_LINE_NUMBERS:
        return list(words), False
    dropped: set[int] = set()
    for column in _columns(numbers):
        if _counts_lines(column, words):
            dropped.update(id(word) for word in column)
    return [word for word in words if id(word) not in dropped], bool(dropped)


def _columns(numbers: Sequence[Word]) -> list[list[Word]]:
    """Return numbers that stand one below the other, aligned at their right or left, from top to bottom."""
    columns: list[list[Word]] = []
    for word in sorted(numbers, key=lambda word: word.y0):
        for column in columns:
            last = column[-1]
            if min(abs(word.x1 - last.x1), abs(word.x0 - last.x0)) < _SAME_COLUMN:
                column.append(word)
                break
        else:
            columns.append([word])
    return [column for column in columns if len(column) >= _FEWEST_LINE_NUMBERS]


def _counts_lines(column: Sequence[Word], words: Sequence[Word]) -> bool:
    values = [int(word.text) for word in column]
    steps = {after - before for before, after in pairwise(values)}
    if steps not in ({1}, {5}):
        return False
    beside: list[str] = []
    left, right = min(word.x0 for word in column), max(word.x1 for word in column)
    for number in column:
        middle = (number.y0 + number.y1) / 2
        line = [word for word in words if word is not number and word.y0 < middle < word.y1]
        if any(word.x0 < left for word in line):
            return False
        following = min((word for word in line if word.x0 > right - 1), key=lambda word: word.x0, default=None)
        beside.append("" if following is None else following.text)
    with_text = [text for text in beside if text]
    in_sentence = sum(text[0].islower() for text in with_text)
    if len(with_text) >= 3 and in_sentence * 10 >= 3 * len(with_text):
        return True
    return len(column) >= 20 and (len(column) - len(with_text)) * 5 >= len(column)
