"""Contract -> clauses, along the contract's own structure.

Paragraphs, numbered sections and sub-clauses are found in the text itself, because contracts come as PDF, DOCX or
pasted text and their numbering often stands in the middle of a line. What is still long is cut at sentences. Every
character of the text is in exactly one clause.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from playground.clauses.headings import number_of, run_in_heading
from playground.clauses.kinds import kinds_of
from playground.text.page_furniture import PageFurniture
from playground.text.sentences import sentence_spans
from playground.types import Block, Clause, Document

MOST_CHARACTERS = 1_200
"""No clause is longer, unless it holds one unbroken word."""

_WHOLE_CHARACTERS = 200
"""A paragraph or numbered section up to this length is one clause; a longer one is cut at its sentences."""
_FEWEST_CHARACTERS = 30
"""A shorter sentence is kept with the one before it."""
_SPLIT_LIST_CHARACTERS = 200
"""A longer sentence is cut at its own list: (a) ...; (b) ... Never at a comma: that would cut inside a sentence."""
_SPLIT_PARTS_CHARACTERS = 400
"""A longer sentence is cut at its semicolons too."""

_LONGEST_RUN_IN = 100

_DEEPEST = 4
"""Headings kept above a clause; numbering that is misread must not pile up."""

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_MARKER = (
    r"(?:(?:article|section|clause|schedule|exhibit|annex|appendix)\s+(?:\d{1,3}|[ivxlc]{1,6}|[a-z])\b"
    r"|\d{1,3}(?:\.\d{1,3}){0,5}[.)]?\s|\((?:\d{1,3}|[a-z]{1,2}|[ivx]{1,5})\)\s?|[a-z][.)]\s|[-•*◦▪\u2013\u2014]\s)"
)
_LINE_MARKER = re.compile(rf"\n[^\S\n]*(?={_MARKER})", re.IGNORECASE)
# "4.4 Return of Materials." in the middle of a line, after the end of a sentence.
_INLINE_SECTION = re.compile(
    r"(?:(?<=[.;:)\]\u201d\"])|(?<=[A-Z]{2}))\s+(?=(?:\d{1,2}(?:\.\d{1,3}){1,4}\.?|(?:ARTICLE|Article|SECTION|Section)\s+(?:\d{1,2}|[IVX]{1,5})"
    r"(?:\.\d{1,2})?[.:]?|\d{1,2}\.)\s+[A-Z\u201c\"])"
)
_INLINE_ITEM = re.compile(
    r"(?<=[;:.])\s+(?:(?:and|or)\s+)?(?=(?:\((?:[a-z]{1,2}|[ivx]{1,5}|\d{1,2})\)|[a-z][.)])\s)|(?<=[a-z]:)\s+(?=[A-Z])"
)
_INLINE_PART = re.compile(rf"{_INLINE_ITEM.pattern}|(?<=;)\s+(?:(?:and|or)\s+)?(?=\S)")
_BREAKS = (
    re.compile(r";\s"),
    re.compile(r",\s+(?:(?:and|or)\s+)?(?=\((?:[a-z]{1,2}|[ivx]{1,5}|\d{1,2})\)\s)"),
    re.compile(r",\s"),
    re.compile(r"\s"),
)
"""Where a sentence that is too long is cut, the best first."""
_CITES = re.compile(
    r"(?:\b(?:section|sections|article|articles|clause|clauses|paragraph|§|no|nos|and|or|to|in|of)\.?)$", re.I
)


def split_clauses(document: Document) -> tuple[Clause, ...]:
    """Cut a contract into clauses that cover its text without gap or overlap, in order.

    A clause is a paragraph, a numbered section or sub-clause; one of more than 200 characters is cut at its sentences,
    and a sentence of more than 200 at the items of its list. No clause begins within a sentence that goes on, over a
    line's end, a page or a running head, unless the sentence has more than 1,200 characters. White space between
    clauses belongs to the one before. Linear in the length of the text.
    """
    text = document.text
    if not text:
        return ()
    spans = list(pairwise([0, *_cuts(document), len(text)]))
    blocks = _blocks_of(document, spans)
    kinds = kinds_of([text[start:end] for start, end in spans], blocks)
    clauses: list[Clause] = []
    path: list[tuple[int, str]] = []
    for position, ((start, end), kind, block) in enumerate(zip(spans, kinds, blocks, strict=True), 1):
        if kind.resets:
            path.clear()
        while kind.level and path and path[-1][0] >= kind.level:
            path.pop()
        if kind.title and kind.kind != "heading":
            path.append((kind.level, kind.title))  # run into the clause's own text
        clauses.append(
            Clause(
                id=f"c{position}",
                document_id=document.id,
                text=text[start:end],
                start=start,
                end=end,
                kind=kind.kind,
                number="" if block is not None and block.kind == "table_row" else number_of(text[start:end]),
                heading_path=tuple(title for _level, title in path[-_DEEPEST:]),
                page=bisect_right(document.page_starts, start) or None,
            )
        )
        if kind.kind == "heading" and kind.title:
            path.append((kind.level, kind.title))
    return tuple(clauses)


def _blocks_of(document: Document, spans: Sequence[tuple[int, int]]) -> list[Block | None]:
    """Return the block that each span lies in, white space apart; None where it lies in none or in several."""
    found: list[Block | None] = []
    position = 0
    for start, end in spans:
        while position < len(document.blocks) and document.blocks[position].end <= start:
            position += 1
        block = document.blocks[position] if position < len(document.blocks) else None
        if block is not None and (block.start >= end or document.text[block.end : end].strip()):
            block = None
        found.append(block)
    return found


def _cuts(document: Document) -> list[int]:
    """Return where clauses begin, the first apart, in order. White space alone is none: it ends the one before."""
    text = document.text
    first = _past_space(text, 0, len(text))
    cuts: list[int] = []
    for cut in sorted(set(_all_cuts(document))):
        if not first < cut < len(text):
            continue
        if cuts and text[cuts[-1] : cut].isspace():
            cuts.pop()
        cuts.append(cut)
    if cuts and text[cuts[-1] :].isspace():
        cuts.pop()
    return cuts


def _all_cuts(document: Document) -> Iterator[int]:
    """Yield the offsets at which clauses begin, in no particular order."""
    text = document.text
    pages = PageFurniture.of(text)
    sections = sorted({0, *_section_cuts(document, pages), len(text)})
    for start, end in pairwise(sections):
        yield start
        if end - start > _WHOLE_CHARACTERS:
            yield from _sentence_cuts(text, start, end, pages)


def _section_cuts(document: Document, pages: PageFurniture) -> Iterator[int]:
    """Yield where paragraphs, numbered sections and sub-clauses begin; none within a sentence that goes on."""
    text = document.text
    for pattern in (_BLANK, _LINE_MARKER):
        for match in pattern.finditer(text):
            if not pages.sentence_runs_on(text, match.end()):
                yield match.end()
    for match in _INLINE_SECTION.finditer(text):
        cites = _CITES.search(text, max(0, match.start() - 12), match.start())
        if not cites and not pages.sentence_runs_on(text, match.end()):
            yield match.end()
    before = ""
    for block in document.blocks:
        kind = block.kind
        if kind == "heading" and pages.is_furniture(text[block.start : block.end]):
            kind = "paragraph"  # a running head
        if {before, kind} & {"heading", "table_row"} or not pages.sentence_runs_on(text, block.start):
            yield block.start
        before = kind


def _sentence_cuts(text: str, start: int, end: int, pages: PageFurniture) -> Iterator[int]:
    first = start
    for _begin, sentence_end in sentence_spans(text, start, end, pages):
        stop = _past_space(text, sentence_end, end)
        is_short = stop - first < _FEWEST_CHARACTERS or (first == start and _is_run_in(text, start, stop))
        if is_short and stop < end:
            continue
        if stop - first > _SPLIT_LIST_CHARACTERS:
            yield from _item_cuts(text, first, stop)
        if end - stop < _FEWEST_CHARACTERS:
            return
        yield stop
        first = stop


def _is_run_in(text: str, start: int, stop: int) -> bool:
    """Tell whether a section's first sentence is its title and nothing else: "5.1 Warranty of the Works. ..."."""
    if stop - start > _LONGEST_RUN_IN:
        return False
    title = run_in_heading(text[start : stop + _LONGEST_RUN_IN])
    return bool(title) and " ".join(text[start:stop].split()).rstrip(".: ").endswith(title)


def _item_cuts(text: str, start: int, end: int) -> Iterator[int]:
    first = start
    pattern = _INLINE_PART if end - start > _SPLIT_PARTS_CHARACTERS else _INLINE_ITEM
    for match in pattern.finditer(text, start, end):
        if match.end() - first >= _FEWEST_CHARACTERS * 2 and end - match.end() >= _FEWEST_CHARACTERS:
            yield from _hard_cuts(text, first, match.end())
            yield match.end()
            first = match.end()
    yield from _hard_cuts(text, first, end)


def _hard_cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Cut what is too long and has no structure: at an item, else a comma, else white space, the last there is."""
    while end - start > MOST_CHARACTERS:
        cut = _last_break(text, start)
        if cut is None:
            following = re.compile(r"\s").search(text, start + MOST_CHARACTERS, end)
            if following is None:
                return
            cut = following.start()
        start = _past_space(text, cut, end)
        yield start


def _last_break(text: str, start: int) -> int | None:
    """Return where the best place to cut ends within the longest clause that begins at ``start``, if there is one."""
    first, last = start + MOST_CHARACTERS // 3, start + MOST_CHARACTERS
    for pattern in _BREAKS:
        places = [match.end() for match in pattern.finditer(text, first, last)]
        if places:
            return places[-1]
    return None


def _past_space(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position
