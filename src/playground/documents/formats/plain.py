"""Plain text -> blocks. The text stays as it was written (normalised); only its structure is recognised.

Headings: underlined, numbered ("2.1 Refunds", "Article 3"), in capitals, or a short title alone between blank lines;
a title alone on the first line is level 1. List items begin with a bullet, a number or a letter. Table rows are two
or more neighbouring lines with the same kind of column separator. Every decision looks at a line, a few neighbours
and the width at which the text is wrapped, so the scan is linear.

A line that goes on with the sentence of the line before (``text.line_breaks``) begins nothing, whatever it looks like.
What pages and filings add is left out first (``plain_pages``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.documents.formats.pieces import Extract, check_length
from playground.documents.formats.plain_pages import without_pages
from playground.documents.formats.structure import (
    BULLET,
    is_all_caps,
    is_list_item,
    is_rule,
    is_title_like,
    section_depth,
)
from playground.documents.limits import Limits
from playground.text.line_breaks import MOST_READ, runs_on
from playground.text.normalise import normalise_text
from playground.text.page_furniture import is_page_line
from playground.types import Block, BlockKind

_UNDERLINE = re.compile(r"(=|-|~)\1{2,}")
_SENTENCE_END = (".", "!", "?", ":", ";", ")")
_WRAPPED_AT = 120
"""A longer line was not wrapped by hand, unless most lines of the text are as long: it is a paragraph by itself."""
_NARROWEST_WRAP, _WIDEST_WRAP = 40, 400
_FEWEST_WRAPPED = 3
_MOST_PAGE_LINES = 4
"""Lines that a page may put between two parts of a sentence."""
_SPACED_COLUMNS = re.compile(r"\S {3,}(?=\S)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with text: ``start`` and ``end`` are without the white space around, ``indent`` counts what precedes.

    ``first`` and ``last``: a blank line (or the end of the text) lies before and after.
    """

    content: str
    start: int
    end: int
    indent: int
    first: bool
    last: bool


def parse_plain(text: str, limits: Limits) -> Extract:
    """Return normalised ``text`` with its blocks, without what its pages added; the warnings say what was left out.

    Raises:
        DocumentError: the text is longer than ``limits.max_characters``.
    """
    text, warnings = without_pages(text.replace("\r\n", "\n").replace("\r", "\n"))
    text = normalise_text(text)
    check_length(len(text), limits.max_characters)
    lines = _lines(text)
    scanner = _Scanner(lines, capitals=_capitals_stand_out(text), column=_wrap_column(lines))
    return Extract(text, tuple(scanner.scan()), warnings=warnings)


def _lines(text: str) -> list[_Line]:
    found: list[tuple[str, int, int, int, bool]] = []
    position = 0
    blank_before = True
    for line in text.split("\n"):
        content = line.strip()
        if content:
            indent = len(line) - len(line.lstrip())
            start = position + indent
            found.append((content, start, start + len(content), indent, blank_before))
        blank_before = not content
        position += len(line) + 1
    last = [blank_before for *_, blank_before in found[1:]] + [True] * bool(found)
    return [_Line(*line, last=ends) for line, ends in zip(found, last, strict=True)]


def _capitals_stand_out(text: str) -> bool:
    """Whether capitals may mark headings: not in a text that is mostly written in capitals."""
    sample = text[:100_000]
    letters = sum(c.isalpha() for c in sample)
    return sum(c.isupper() for c in sample) * 2 <= letters


def _wrap_column(lines: list[_Line]) -> int:
    """Return the column at which a text is wrapped, 0 where it is not: most of its long lines end close to it.

    A wrapped line is one that another follows without a blank line; in a text that is not wrapped their lengths differ.
    """
    inner = sorted(line.indent + len(line.content) for line in lines if not line.last)
    if not inner:
        return 0
    widest = inner[-1 - len(inner) // 50]
    long = [length for length in inner if length > widest // 2]
    close = sum(widest - length <= max(12, widest // 8) for length in long)
    is_wrapped = _NARROWEST_WRAP <= widest <= _WIDEST_WRAP and close >= max(_FEWEST_WRAPPED, 0.6 * len(long))
    return widest if is_wrapped else 0


class _Scanner:
    """Walks over the lines once. Holds the position and the blocks so far."""

    def __init__(self, lines: list[_Line], *, capitals: bool, column: int) -> None:
        self.lines = lines
        self.capitals = capitals
        self.column = column
        self.blocks: list[Block] = []
        self.previous = ""  # content of the last line taken
        self.pending_rule: int | None = None  # start of a rule that no block precedes

    def scan(self) -> list[Block]:
        i = 0
        while i < len(self.lines):
            i = self._take(i)
        if self.pending_rule is not None and self.lines:
            self.blocks.append(Block("paragraph", self.pending_rule, self.lines[-1].end))
        return self.blocks

    def _take(self, i: int) -> int:
        """Add the block that begins at line ``i``; return the line after it."""
        line = self.lines[i]
        heading = self._heading(i)
        if heading:
            level, count = heading
            return self._add("heading", i, i + count, level)
        if is_rule(line.content):
            self._attach_rule(line)
            return i + 1
        rows = self._table_end(i)
        if rows:
            return self._add_rows(i, rows)
        if self._starts_item(i):
            return self._add("list_item", i, self._item_end(i))
        return self._add("paragraph", i, self._paragraph_end(i))

    def _add(self, kind: BlockKind, first: int, stop: int, level: int = 0) -> int:
        start = self.lines[first].start if self.pending_rule is None else self.pending_rule
        self.pending_rule = None
        self.blocks.append(Block(kind, start, self.lines[stop - 1].end, level))
        self.previous = self.lines[stop - 1].content
        return stop

    def _attach_rule(self, line: _Line) -> None:
        """A line of dashes is no block of its own; it ends the block before it, or opens the one after."""
        if self.blocks and self.blocks[-1].kind != "heading":
            last = self.blocks[-1]
            self.blocks[-1] = Block(last.kind, last.start, line.end, last.level)
        elif self.pending_rule is None:
            self.pending_rule = line.start

    def _heading(self, i: int) -> tuple[int, int] | None:
        """Return (level, lines) when a heading begins at line ``i``."""
        line = self.lines[i]
        following = self.lines[i + 1] if i + 1 < len(self.lines) else None
        if following is None or not self._may_open(line) or BULLET.match(line.content):
            return None
        title = is_title_like(line.content)
        if title and not following.first:
            underline = _UNDERLINE.fullmatch(following.content)
            if underline:
                return (1 if underline[1] == "=" else 2), 2
        return None if self._is_broken_sentence(i) else self._title(i, line, following)

    def _title(self, i: int, line: _Line, following: _Line) -> tuple[int, int] | None:
        """Return (level, lines) of a heading that nothing underlines."""
        title = is_title_like(line.content)
        capitals = self.capitals and is_all_caps(line.content)
        depth = section_depth(line.content) if title or capitals else 0
        if depth and self._opens_section(line, following, depth):
            # Numbered titles in capitals rank with the capitals that have no number ("BACKGROUND", "1. TERM").
            return (1 if capitals else 2) + depth, 1
        if depth or is_list_item(line.content) or _columns(line.content):
            return None
        is_title_of_all = i == 0 and (capitals or (title and line.last))
        if is_title_of_all or capitals:
            return (1 if is_title_of_all else 2), 1
        return (3, 1) if title and self._stands_alone(line, following) else None

    def _may_open(self, line: _Line) -> bool:
        after_heading = bool(self.blocks) and self.blocks[-1].kind == "heading"
        return line.first or after_heading or self.previous.endswith(_SENTENCE_END)

    def _opens_section(self, line: _Line, following: _Line, depth: int) -> bool:
        """Whether a numbered title has text under it. Otherwise it is an item of a list."""
        after_item = bool(self.blocks) and self.blocks[-1].kind == "list_item"
        if after_item and self.previous[:1].isdigit() and line.content[:1].isdigit():
            return False
        other_depth = section_depth(following.content)
        if other_depth:
            return other_depth > depth
        continues = following.indent > line.indent or following.content[:1].islower()
        return following.first or not continues

    def _stands_alone(self, line: _Line, following: _Line) -> bool:
        """Whether a short line between blank lines introduces what follows, rather than being one of many."""
        if not (line.first and line.last) or len(line.content) > 60 or len(line.content.split()) > 8:
            return False
        if self.previous.endswith((":", ",")):
            return False
        longer = not following.last or len(following.content) > len(line.content)
        return longer or following.content.endswith((".", "!", ":")) or is_list_item(following.content)

    def _starts_item(self, i: int) -> bool:
        line = self.lines[i]
        if BULLET.match(line.content):
            return True
        # "within\n30. After that" is a wrapped sentence, not an item.
        after_item = bool(self.blocks) and self.blocks[-1].kind == "list_item"
        return is_list_item(line.content) and (after_item or self._may_open(line))

    def _item_end(self, i: int) -> int:
        item = self.lines[i]
        stop = i + 1
        while stop < len(self.lines) and not self.lines[stop].first:
            line, before = self.lines[stop], self.lines[stop - 1]
            is_long = len(before.content) >= 50 or self._is_full(stop - 1)
            wrapped = is_long and not before.content.endswith((".", "!", "?"))
            continues = line.indent > item.indent or line.content[0].islower() or wrapped
            runs_over = self._sentence_runs_on(stop, i)
            if is_rule(line.content) or (not runs_over and (is_list_item(line.content) or not continues)):
                break
            stop += 1
        return stop

    def _paragraph_end(self, i: int) -> int:
        stop = i + 1
        self.previous = self.lines[i].content
        while stop < len(self.lines) and not self.lines[stop].first:
            if self._ends_paragraph(stop, i):
                break
            self.previous = self.lines[stop].content
            stop += 1
        return stop

    def _sentence_runs_on(self, i: int, block_start: int) -> bool:
        """Tell whether line ``i`` goes on with the sentence of the lines before it, from ``block_start`` on."""
        before = " ".join(line.content for line in self.lines[max(block_start, i - 3) : i])
        after = "\n".join(line.content for line in self.lines[i : i + 3])
        return runs_on(before[-MOST_READ:], after, blank=False)

    def _is_broken_sentence(self, i: int) -> bool:
        """Tell whether a line that looks like a title is a part of a sentence that a line or a page ended."""
        if not self.lines[i + 1].first:
            is_text = not (self.capitals and is_all_caps(self.lines[i].content))
            return self._sentence_runs_on(i + 1, i) or (is_text and self._is_full(i))
        ahead = i + 1
        while ahead < len(self.lines) and ahead <= i + _MOST_PAGE_LINES and is_page_line(self.lines[ahead].content):
            ahead += 1
        if ahead == i + 1 or ahead == len(self.lines):
            return False
        return runs_on(self.lines[i].content[-MOST_READ:], self.lines[ahead].content, blank=True)

    def _is_full(self, i: int) -> bool:
        """Tell whether the first word of the next line would not have fitted on line ``i`` of a wrapped text."""
        line = self.lines[i]
        word = self.lines[i + 1].content.split(" ", 1)[0]
        return bool(self.column) and line.indent + len(line.content) + 1 + len(word) > self.column

    def _ends_paragraph(self, i: int, paragraph_start: int) -> bool:
        line = self.lines[i]
        longest = max(self.column, _WRAPPED_AT)
        is_unwrapped = len(line.content) > longest or len(self.previous) > longest
        if is_rule(line.content) or (is_unwrapped and self.previous.endswith(",") and line.content[0].isupper()):
            return True
        if self._sentence_runs_on(i, paragraph_start):
            return False
        if is_unwrapped or BULLET.match(line.content) or self._table_end(i):
            return True
        if is_list_item(line.content) or section_depth(line.content) > 1:
            return self.previous.endswith(_SENTENCE_END)
        # The line before decides whether a heading may open here, and the paragraph is not among the blocks yet.
        after_sentence = self.previous.endswith(_SENTENCE_END) and i > paragraph_start
        return after_sentence and self._heading(i) is not None

    def _table_end(self, i: int) -> int:
        """Return the line after the table that begins at line ``i``, or 0 when none does."""
        kind = _columns(self.lines[i].content)
        if not kind:
            return 0
        stop = i + 1
        while stop < len(self.lines) and not self.lines[stop].first and self._continues_table(stop, kind):
            stop += 1
        rows = sum(not is_rule(self.lines[k].content) for k in range(i, stop))
        return stop if rows >= 2 else 0

    def _continues_table(self, i: int, kind: str) -> bool:
        content = self.lines[i].content
        return _columns(content) == kind or is_rule(content)

    def _add_rows(self, first: int, stop: int) -> int:
        for k in range(first, stop):
            if is_rule(self.lines[k].content):
                self._attach_rule(self.lines[k])
            else:
                self._add("table_row", k, k + 1)
        return stop


def _columns(content: str) -> str:
    """Return which separator a line has between columns: a tab, a bar, runs of spaces, or none ("")."""
    if "\t" in content and not is_list_item(content):
        return "tab"
    if " | " in content or (content.startswith("|") and content.count("|") > 2):
        return "bar"
    if _SPACED_COLUMNS.search(content) and not is_list_item(content):
        return "spaces"
    return ""
