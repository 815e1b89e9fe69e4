"""Document -> HTML with the cited stretches marked; comparison -> HTML. Every character of a document is escaped.

What is produced holds only the tags written here; Streamlit's sanitiser is the second wall, not the first.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from playground.documents.diff import DiffLine, DiffSpan, PlacedChange
from playground.types import Block, Chunk, Citation, Document, Passage
from playground.ui.shared.markup import shortened

MOST_CHARACTERS = 120_000
"""A longer document is shown in part, around what is cited: a browser slows down long before our 2,000,000."""

_MOST_REMOVED = 400
_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+")
_CLASSES = {
    "heading": "policy-heading",
    "list_item": "policy-item",
    "table_row": "policy-row",
    "paragraph": "policy-text",
}


def document_html(
    document: Document,
    citations: Sequence[Citation] = (),
    passages: Sequence[Passage] = (),
    changes: Sequence[PlacedChange] = (),
    *,
    focus: int | None = None,
) -> str:
    """Return ``document`` as HTML: ``<mark class="citation">`` on the cited stretches, a tint on what was retrieved.

    Citations and passages of another document are ignored. ``changes`` are shown in their place, old words in
    ``<del>``, new ones in ``<ins>``; the block with the offset ``focus`` has a class to scroll to.
    """
    cited = _spans(c for c in citations if c.document_id == document.id)
    retrieved = _spans(p.chunk for p in passages if p.chunk.document_id == document.id)
    blocks: Sequence[Block] = document.blocks or (Block("paragraph", 0, len(document.text)),)
    blocks, note = _window(blocks, cited, len(document.text))
    depths = _depths(blocks)
    lines = [
        _block_html(document, block, cited, retrieved, changes, focus=focus, depth=depth)
        for block, depth in zip(blocks, depths, strict=True)
    ]
    # Focusable, so that the box around it is scrolled with the keyboard.
    region = '<div role="region" aria-label="The policy text" tabindex="0">'
    return f'<div class="policy">{region}{note}{"".join(lines)}</div></div>'


def _depths(blocks: Sequence[Block]) -> list[int]:
    """Return the levels of the headings below the page's own title, without a gap; 0 for what is no heading."""
    above: list[int] = []
    depths = []
    for block in blocks:
        if block.kind == "heading":
            while above and above[-1] >= block.level:
                above.pop()
            above.append(block.level)
        depths.append(min(len(above) + 1, 6) if block.kind == "heading" else 0)
    return depths


def _spans(stretches: Iterable[Citation] | Iterable[Chunk]) -> list[tuple[int, int]]:
    spans = sorted((stretch.start, stretch.end) for stretch in stretches)
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _window(blocks: Sequence[Block], cited: Sequence[tuple[int, int]], length: int) -> tuple[Sequence[Block], str]:
    if length <= MOST_CHARACTERS:
        return blocks, ""
    first = max(cited[0][0] - MOST_CHARACTERS // 2, 0) if cited else 0
    start = max(bisect_left(blocks, first, key=lambda block: block.start) - 1, 0)
    shown = [b for b in blocks[start:] if b.start < first + MOST_CHARACTERS]
    note = f"Characters {first:,} to {min(first + MOST_CHARACTERS, length):,} of {length:,} are shown."
    return shown, f'<div class="policy-note">{note}</div>'


def _block_html(
    document: Document,
    block: Block,
    cited: Sequence[tuple[int, int]],
    retrieved: Sequence[tuple[int, int]],
    changes: Sequence[PlacedChange],
    *,
    focus: int | None,
    depth: int,
) -> str:
    # A single block without any structure may be the whole document; it is cut like everything else.
    end = min(block.end, block.start + MOST_CHARACTERS)
    classes = [_CLASSES[block.kind]]
    if block.kind == "heading":
        classes.append(f"policy-level-{min(max(block.level, 1), 4)}")
    if any(start < end and block.start < stop for start, stop in retrieved):
        classes.append("retrieved")
    if focus is not None and block.start <= focus <= block.end:
        classes.append("policy-focus")
    role = f' role="heading" aria-level="{depth}"' if depth else ""
    return f'<div class="{" ".join(classes)}"{role}>{_marked(document.text, block, end, cited, changes)}</div>'


def _marked(
    text: str, block: Block, end: int, cited: Sequence[tuple[int, int]], changes: Sequence[PlacedChange]
) -> str:
    parts, position = [], block.start
    if block.kind == "heading" and (match := _MARKDOWN_HEADING.match(text, block.start, end)):
        position = match.end()
    here = [change for change in changes if position <= change.start and change.end <= end]
    for start, stop in cited:
        start, stop = max(start, position), min(stop, end)  # noqa: PLW2901 - the part that lies in this block
        if start < stop:
            parts.append(_changed(text, position, start, here))
            parts.append(f'<mark class="citation">{_changed(text, start, stop, here)}</mark>')
            position = stop
    parts.append(_changed(text, position, end, here, is_last=True))
    return "".join(parts)


def _changed(text: str, start: int, end: int, changes: Sequence[PlacedChange], *, is_last: bool = False) -> str:
    """Return a stretch with what changed in it; what a stretch cuts in two is new in both."""
    parts, position = [], start
    for change in changes:
        if start <= change.start < end or (is_last and change.start == end):
            parts.append(_escaped(text[position : change.start]))
            position = max(position, change.start)
            if change.removed:
                parts.append(f"<del>{_escaped(shortened(change.removed, _MOST_REMOVED))}</del>")
        first, last = max(change.start, position), min(change.end, end)
        if first < last:
            parts.append(f"{_escaped(text[position:first])}<ins>{_escaped(text[first:last])}</ins>")
            position = last
    parts.append(_escaped(text[position:end]))
    return "".join(parts)


def _escaped(text: str) -> str:
    # Markdown's bold markers stay in the text, for copying, but the style sheet hides them.
    return html.escape(text).replace("**", '<span class="markdown-marker">**</span>')


def diff_html(lines: Sequence[DiffLine]) -> str:
    """Return a comparison as HTML: removed words in ``<del>``, added words in ``<ins>``."""
    return f'<div class="diff">{"".join(_diff_line(line) for line in lines)}</div>'


def _diff_line(line: DiffLine) -> str:
    note = f'<div class="diff-note">{html.escape(line.note)}</div>' if line.note else ""
    if line.kind == "same":
        return note or f'<div class="diff-same">{_spans_html(line.new)}</div>'
    # A line that is wholly new or gone needs no words marked in it.
    old_tag, new_tag = ("del", "ins") if line.kind == "changed" else ("", "")
    old = f'<div class="diff-old">{_spans_html(line.old, old_tag)}</div>' if line.old else ""
    new = f'<div class="diff-new">{_spans_html(line.new, new_tag)}</div>' if line.new else ""
    return f"{old}{new}{note}"


def _spans_html(spans: Sequence[DiffSpan], tag: str = "") -> str:
    return "".join(
        f"<{tag}>{_escaped(span.text)}</{tag}>" if span.changed and tag else _escaped(span.text) for span in spans
    )
