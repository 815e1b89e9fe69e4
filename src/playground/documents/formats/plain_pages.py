r"""Plain text -> the same text without what its pages and its filing added: tags, page numbers, interrupting footnotes.

Only where the text itself marks its pages, with form feeds or with the tags of EDGAR (the system in which companies
file with the Securities and Exchange Commission; the tags stand in its Filer Manual, volume II), and only what stands
beside such a mark. A sentence that a page ended in its middle is put together again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.text.line_breaks import runs_on, tail_of

__all__ = ["without_pages"]

_TAG = re.compile(r"</?(?:PAGE|TABLE|CAPTION|TEXT|DOCUMENT|SEC-DOCUMENT|SEC-HEADER|S|C|FN|F\d{1,2}|R)>", re.IGNORECASE)
_TAGS_ONLY = re.compile(rf"\s*(?:{_TAG.pattern}\s*)+", re.IGNORECASE)
_SURE_TAG = re.compile(
    r"^[^\S\n]*(?:</?(?:PAGE|TABLE|CAPTION|DOCUMENT|TEXT|SEC-HEADER)>|<TYPE>\S)", re.IGNORECASE | re.MULTILINE
)
_FILING_LINE = re.compile(r"\s*<(?:TYPE|SEQUENCE|FILENAME|DESCRIPTION)>[^<>]*", re.IGNORECASE)
_PAGE_TAG = re.compile(r"\s*<PAGE>\s*(?P<number>\d{0,4})\s*", re.IGNORECASE)
_NUMBER = re.compile(
    r"[-\u2013\u2014(\[]?\s*(?:page\s*)?[-\u2013\u2014]?\s*(?:(?:[A-Z]{1,2}-)?\d{1,4}|[ivxl]{1,6})\s*(?:(?:of|/)\s*\d{1,4})?"
    r"\s*[-\u2013\u2014)\]]?",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:[_\u2014\u2500-]\s?){3,}\s*")
_FOOTNOTE = re.compile(
    r"\s*(?:\(?\d{1,2}[.)]?|\[\d{1,2}\]|\*{1,3}|[\u2020\u2021\u00b9\u00b2\u00b3\u2074-\u2079]{1,2})\s*\S.*[^\W\d_]{2}"
)
_MOST_FOOTNOTE_LINES = 30
_LINES_BEFORE = 12
_PAGE = "\f"


def without_pages(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Return a text without tags of a filing, form feeds and the page numbers beside them, and what was left out.

    A footnote that stands between two parts of one sentence, under a line drawn across the page, comes behind the
    paragraph that it interrupted. Everything else keeps its place. Linear in the text.

    Args:
        text: with ``\n`` line ends; form feeds still in it.
    """
    tagged = bool(_SURE_TAG.search(text))
    lines: list[str] = []
    tags = 0
    for line in text.replace(_PAGE, f"\n{_PAGE}\n").split("\n"):
        if tagged and "<" in line:
            page = _PAGE_TAG.fullmatch(line)
            if page or _TAGS_ONLY.fullmatch(line) or _FILING_LINE.fullmatch(line):
                tags += 1
                lines += [_PAGE] if page else []
                continue
            kept, count = _TAG.subn("", line)
            tags += count
            lines.append(kept)
        else:
            lines.append(line)
    numbers = 0
    if _PAGE in lines:
        lines, numbers = _joined_over_pages(lines)
    lines, footnotes = _footnotes_behind(lines)
    return "\n".join(lines), _warnings(tags, numbers, footnotes)


def _joined_over_pages(lines: Sequence[str]) -> tuple[list[str], int]:
    """Leave out page marks with the numbers beside them; return the lines and how many numbers there were."""
    kept: list[str] = []
    numbers = 0
    position = 0
    while position < len(lines):
        if lines[position] != _PAGE:
            kept.append(lines[position])
            position += 1
            continue
        while kept and not kept[-1].strip():
            kept.pop()
        has_number = bool(kept) and _is_number(kept)
        if has_number:
            kept.pop()
            while kept and not kept[-1].strip():
                kept.pop()
        while position < len(lines) and (lines[position] == _PAGE or not lines[position].strip()):
            position += 1
        alone = position + 1 >= len(lines) or not lines[position + 1].strip()
        if not has_number and position < len(lines) and alone and _NUMBER.fullmatch(lines[position].strip()):
            has_number = True
            position += 1
            while position < len(lines) and (lines[position] == _PAGE or not lines[position].strip()):
                position += 1
        numbers += has_number
        if kept and position < len(lines) and not _sentence_runs_on(kept, lines[position : position + 3]):
            kept.append("")
    return kept, numbers


def _is_number(kept: Sequence[str]) -> bool:
    """Tell whether the last line is a page number: alone, as the last row of a table is not."""
    return bool(_NUMBER.fullmatch(kept[-1].strip())) and (len(kept) < 2 or not kept[-2].strip())


def _footnotes_behind(lines: list[str]) -> tuple[list[str], int]:
    """Put each footnote that interrupts a sentence behind the paragraph; return the lines and how many there were."""
    found = 0
    position = 0
    kept: list[str] = []
    while position < len(lines):
        end = _footnote_end(lines, position)
        following = end or len(lines)
        while following < len(lines) and not lines[following].strip():
            following += 1
        if following == len(lines) or not _sentence_runs_on(kept, lines[following : following + 3]):
            kept.append(lines[position])
            position += 1
            continue
        found += 1
        while kept and not kept[-1].strip():
            kept.pop()
        paragraph = following
        while paragraph < len(lines) and lines[paragraph].strip():
            paragraph += 1
        kept += [*lines[following:paragraph], "", *lines[position + 1 : end], ""]
        position = paragraph
    return kept, found


def _footnote_end(lines: Sequence[str], position: int) -> int:
    """Return the line after the footnotes under the rule at ``position``; 0 where no footnote stands there."""
    if not _RULE.fullmatch(lines[position]):
        return 0
    end = position + 1
    while end < len(lines) and not lines[end].strip():
        end += 1
    if end == len(lines) or not _FOOTNOTE.match(lines[end]):
        return 0
    last = min(len(lines), position + _MOST_FOOTNOTE_LINES)
    while end < last and (lines[end].strip() or (end + 1 < last and _FOOTNOTE.match(lines[end + 1]))):
        end += 1
    return end


def _sentence_runs_on(before: Sequence[str], after: Sequence[str]) -> bool:
    behind = "\n".join(before[-_LINES_BEFORE:]).rstrip()
    return runs_on(tail_of(behind, len(behind)), "\n".join(after).lstrip(), blank=True)


def _warnings(tags: int, numbers: int, footnotes: int) -> tuple[str, ...]:
    parts = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in (
            (tags, "tag of a filing", "tags of a filing"),
            (numbers, "page number", "page numbers"),
        )
        if count
    ]
    found = [f"Left out of the text: {' and '.join(parts)}."] if parts else []
    if footnotes:
        one = "One footnote that interrupted a sentence stands behind its paragraph."
        many = f"{footnotes:,} footnotes that interrupted a sentence stand behind their paragraphs."
        found.append(one if footnotes == 1 else many)
    return tuple(found)
