"""Cut a stretch of a document into the pieces that are cited: sentences, list items and table rows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from playground.text.page_furniture import PageFurniture
from playground.types import Block, Document

__all__ = ["cited_units", "sentence_spans"]

_CLOSING = "\"')\\]\u2019\u201d\u00bb*_"
# A full stop inside "6.95" or "northtrail.example" is followed by no space, so it ends nothing.
_END = re.compile(rf"[.!?\u2026]{{1,8}}[{_CLOSING}]{{0,4}}(?=\s)|[\u3002\uff01\uff1f]|\n[^\S\n]*\n")
_ABBREVIATION = re.compile(
    r"(?:^|[^\w.])(?:(?:[a-z]\.){1,3}[a-z]|[a-z]|etc|inc|ltd|corp|mr|mrs|ms|dr|st|vs|approx|incl|excl|min|max|tel|fig)\.$",
    re.IGNORECASE,
)
_BEFORE_NUMBER = re.compile(
    r"\b(?:nos?|nr|arts?|secs?|pp?|cl|vol|ca|pars?|paras?|sched|app|exh|ch|fig|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:Pub|Civ|Crim|Ex|Exh|Del|Cal|Mass|Conn|Ill|Tex|Fla|Minn|Wis|Mich|Pa|Va|Md|Ga|Stat|Reg|Regs|Fed|Supp|Cir|Rev"
    r"|Proc|Evid|Bankr|Ann|Gen|Bus|Corps?|Co|Bros|Jr|Sr|Esq|Assn|Dept|Hon|Rptr|App|Sess|Const|Treas|Code|cert|seq|al)\.$"
)
"""Abbreviations of statutes, courts and companies that may end a sentence as well."""
_AFTER_LEGAL = re.compile(
    r"[a-z\d\u00a7(,]|(?:[A-Z]\.|[A-Z]{1,3}\d?(?=\s)|Code\b|Stat\.|Rev\.|Proc\.|Reg\.|Regs\.|Civ\.|Gen\.|Corp\.|Evid\."
    r"|R\.|Supp\.|Ann\.|Bus\.|Cas\.|Sess\.|Laws?\b|No\.|Ltd\b|Inc\b)"
)
_ABBREVIATION_CHARACTERS = 12
_AHEAD_CHARACTERS = 12
_BULLET = re.compile(r"\s*(?:[-*+\u2022\u2013]\s+)?")
_ITEM_NUMBER = re.compile(r"\s*\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]", re.IGNORECASE)
_WHOLE_CHARACTERS = 400
"""A list item or table row up to this length is cited whole; a longer item by sentence."""


def cited_units(document: Document, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each piece of ``document.text[start:end]`` that can be cited, in order.

    List items (up to 400 characters) and table rows stay whole, paragraphs are cut into sentences. Pieces without any
    letter or digit are left out. Where the document has no blocks, blank lines part its paragraphs.
    """
    for block in _blocks_within(document, start, end):
        first, last = max(block.start, start), min(block.end, end)
        is_item = block.kind == "list_item" and last - first <= _WHOLE_CHARACTERS
        whole = is_item or block.kind in ("table_row", "heading")
        for span in [(first, last)] if whole else sentence_spans(document.text, first, last):
            trimmed = _trimmed(document.text, *span)
            if trimmed is not None:
                yield trimmed


def sentence_spans(text: str, start: int, end: int, pages: PageFurniture | None = None) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence of ``text[start:end]``, in order, in linear time.

    Decimal numbers and abbreviations do not end a sentence, nor does the end of a line; a blank line does, unless
    ``pages`` is given and the sentence goes on behind it.
    """
    first = start
    for match in _END.finditer(text, start, end):
        if match.group()[0] in ".!?\u2026" and _goes_on(text, first, match.end(), end):
            continue
        if pages is not None and match.group()[0] == "\n" and pages.paragraph_runs_on(text, match.end()):
            continue
        if text[first : match.end()].strip():
            yield first, match.end()
        first = match.end()
    if text[first:end].strip():
        yield first, end


def _goes_on(text: str, first: int, stop: int, end: int) -> bool:
    """Tell whether the sentence from ``first`` goes on after the full stop that ends at ``stop``."""
    before = text[max(first, stop - _ABBREVIATION_CHARACTERS) : stop]
    is_short = stop - first <= _ABBREVIATION_CHARACTERS
    if _ABBREVIATION.search(before) or (is_short and _ITEM_NUMBER.fullmatch(text, first, stop)):
        return True
    after = text[stop : min(end, stop + _AHEAD_CHARACTERS)].lstrip()
    if _BEFORE_NUMBER.search(before) and after[:1].isdigit():
        return True
    return bool(_LEGAL.search(before) and _AFTER_LEGAL.match(after))


def _blocks_within(document: Document, start: int, end: int) -> Iterator[Block]:
    blocks = document.blocks or (Block("paragraph", 0, len(document.text)),)
    position = max(0, bisect_right(blocks, start, key=lambda block: block.start) - 1)
    while position < len(blocks) and blocks[position].start < end:
        if blocks[position].end > start:
            yield blocks[position]
        position += 1


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span without white space and without a bullet in front; None when nothing readable is left."""
    bullet = _BULLET.match(text, start, end)
    start = bullet.end() if bullet else start
    end = start + len(text[start:end].rstrip())
    return (start, end) if any(character.isalnum() for character in text[start:end]) else None
