"""Markdown -> blocks. The source stays the document's text, so that a user reads and edits what they wrote.

Only HTML goes out of it (``markdown_html``): a page made of the source shows no tag and no comment either.
A block covers its source with every sign ("## Refunds", "- item", a table's delimiter row with its header row);
``structure.clean_heading`` gives a heading without them. markdown-it-py (CommonMark and tables) finds the blocks;
inline rules are off, since only line ranges are needed, and nothing is rendered.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

from playground.documents.formats.markdown_html import MAYBE_HTML, without_html
from playground.documents.formats.pieces import Extract, check_length
from playground.documents.limits import Limits
from playground.text.normalise import normalise_text
from playground.types import Block, BlockKind

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:[^\n]*\n){0,200}?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_KIND_OF_TOKEN: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "fence": "paragraph",
    "code_block": "paragraph",
    "html_block": "paragraph",
    "tr_open": "table_row",
}


def parse(data: bytes, limits: Limits) -> Extract:
    """Return the Markdown source (UTF-8 ``data``), normalised and without HTML, with its blocks.

    Raises:
        DocumentError: the text is longer than ``limits.max_characters``.
    """
    text = normalise_text(data.decode("utf-8"))
    check_length(len(text), limits.max_characters)
    text, warnings = _without_html(text)
    lines = text.split("\n")
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    owners = _owners(text, len(lines))
    blocks: list[Block] = []
    first = 0
    while first < len(lines):
        stop = first + 1
        while stop < len(lines) and owners[stop] == owners[first]:
            stop += 1
        _add_block(blocks, text, offsets[first], offsets[stop] - 1, owners[first])
        first = stop
    return Extract(text, tuple(blocks), warnings=tuple(warnings))


def _without_html(text: str) -> tuple[str, list[str]]:
    """Return the source without HTML and a sentence about each kind of text that was left out."""
    if not MAYBE_HTML.search(text):
        return text, []
    cleaned = without_html(text, _code_lines(text))
    left_out = (
        ("comment", cleaned.comments),
        ("struck-through passage", cleaned.struck),
        ("hidden passage", cleaned.hidden),
    )
    sentences = [_sentence(name, count) for name, count in left_out if count]
    return normalise_text(cleaned.text), sentences + list(cleaned.warnings)


def _sentence(name: str, count: int) -> str:
    return f"{count} {name}{'s' if count > 1 else ''} of the Markdown source {'were' if count > 1 else 'was'} left out."


def _code_lines(text: str) -> list[bool]:
    """Say for each line whether it is code or front matter, which stays as written."""
    code = [False] * (text.count("\n") + 1)
    tokens, skipped = _tokens(text)
    code[:skipped] = [True] * skipped
    for token in tokens:
        if token.type in ("fence", "code_block") and token.map is not None:
            start, stop = (min(line + skipped, len(code)) for line in token.map)
            code[start:stop] = [True] * (stop - start)
    return code


def _tokens(text: str) -> tuple[list[Token], int]:
    """Return the block tokens of the source after its front matter, and how many lines that has."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable(["inline", "text_join"])
    front_matter = _FRONT_MATTER.match(text)
    if front_matter is None:
        return parser.parse(text), 0
    return parser.parse(text[front_matter.end() :]), front_matter[0].count("\n")


_Owner = tuple[int, BlockKind, int]
"""Which block a line belongs to: (serial number, kind, heading level)."""


def _owners(text: str, line_count: int) -> list[_Owner | None]:
    """Say for each line which block owns it: the innermost list item, else the leaf block; None for the rest."""
    tokens, skipped = _tokens(text)
    owners: list[_Owner | None] = [None] * line_count
    owners[:skipped] = [(-1, "paragraph", 0)] * skipped
    inside_items = 0
    for serial, token in enumerate(tokens):
        if token.type == "list_item_close":
            inside_items -= 1
        if token.map is None:
            continue
        kind = _KIND_OF_TOKEN.get(token.type)
        if token.type == "list_item_open":
            inside_items += 1
            kind = "list_item"
        elif inside_items:
            continue
        if kind is None:
            continue
        level = int(token.tag[1:]) if kind == "heading" else 0
        start, stop = (line + skipped for line in token.map)
        stop = min(stop, line_count)
        owners[start:stop] = [(serial, kind, level)] * (stop - start)
    return owners


def _add_block(blocks: list[Block], text: str, start: int, end: int, owner: _Owner | None) -> None:
    content = text[start:end]
    stripped = content.strip()
    if not stripped:
        return
    start += len(content) - len(content.lstrip())
    end = start + len(stripped)
    if owner is not None:
        blocks.append(Block(owner[1], start, end, owner[2]))
    elif blocks and blocks[-1].kind != "heading":
        # What no token covers (rules, link definitions, a table's delimiter row) belongs to the block before it.
        last = blocks[-1]
        blocks[-1] = Block(last.kind, last.start, end, last.level)
    else:
        blocks.append(Block("paragraph", start, end))
