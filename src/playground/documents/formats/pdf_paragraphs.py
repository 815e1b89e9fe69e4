"""Lines of a PDF in reading order -> pieces: paragraphs, headings with levels, list items, table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from playground.documents.formats.pdf_hyphens import Vocabulary, ended
from playground.documents.formats.pdf_layout import (
    Item,
    Row,
    Segment,
    body_style,
    group_rows,
    order_page,
    usual_pitch,
)
from playground.documents.formats.pdf_margins import drop_running_heads
from playground.documents.formats.pieces import Piece
from playground.documents.formats.structure import BULLET, is_all_caps, is_list_item, is_title_like, section_depth

_SENTENCE_END = (".", "!", "?", ":", ";")
_MAX_HEADING_CHARACTERS = 150
_MAX_LEVEL = 9
_LETTER_BULLET = re.compile(r"o (?=\S)")  # Word's second-level bullet is the letter o of a typewriter font


def rebuild(pages: Sequence[Sequence[Segment]], heights: Sequence[float]) -> list[Piece]:
    """Turn the segments of each page, in content order, into pieces in reading order.

    ``heights`` are the page heights in points. Every piece says on which page it begins and continues.
    """
    kept = drop_running_heads(pages, heights)
    items = [item for segments in kept for item in group_rows(order_page(segments))]
    everything = [segment for segments in kept for segment in segments]
    columns = [[item for item in flow if isinstance(item, Segment)] for _, flow in _flows(items)]
    size, bold = body_style(everything)
    style = _Style(size, bold, usual_pitch(columns), Vocabulary(everything))
    drafts = _merged([draft for is_row, flow in _flows(items) for draft in _drafts(is_row, flow, style)])
    return _pieces(drafts, style)


@dataclass(frozen=True, slots=True)
class _Style:
    """The document's usual text: size in points, boldness, line pitch in font sizes, words met inside lines."""

    size: float
    bold: bool
    pitch: float
    vocabulary: Vocabulary


@dataclass(slots=True)
class _Draft:
    """A block in the making: lines of a paragraph, or the cells of a row. ``table`` numbers the tables."""

    lines: list[Segment]
    row: Row | None = None


def _flows(items: Sequence[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """Split into runs of rows and runs of lines; lines break where the reading jumps to a new column or page."""
    flow: list[Item] = []
    for item in items:
        if flow and not _same_flow(flow[-1], item):
            yield isinstance(flow[0], Row), flow
            flow = []
        flow.append(item)
    if flow:
        yield isinstance(flow[0], Row), flow


def _same_flow(before: Item, item: Item) -> bool:
    if isinstance(before, Row) or isinstance(item, Row):
        return isinstance(before, Row) and isinstance(item, Row)
    overlaps = min(before.x1, item.x1) > max(before.x0, item.x0)
    return before.page == item.page and item.y0 > before.y0 and overlaps


def _drafts(is_row: bool, flow: Sequence[Item], style: _Style) -> Iterator[_Draft]:
    if is_row:
        for row in flow:
            if isinstance(row, Row):
                yield _Draft([line for cell in row.cells for line in cell], row)
        return
    lines = [item for item in flow if isinstance(item, Segment)]
    right = max(line.x1 for line in lines)
    paragraph: list[Segment] = []
    for line in lines:
        if paragraph and _begins_paragraph(paragraph, line, right, style):
            yield _Draft(paragraph)
            paragraph = []
        paragraph.append(line)
    yield _Draft(paragraph)


def _begins_paragraph(paragraph: Sequence[Segment], line: Segment, right: float, style: _Style) -> bool:
    first, before = paragraph[0], paragraph[-1]
    closed = before.text.endswith(_SENTENCE_END)
    other_size = abs(line.size - before.size) > 0.12 * before.size
    gap = line.y0 - before.y0 > 1.3 * style.pitch * before.size
    other_weight = line.bold != before.bold and (closed or is_title_like(before.text) or is_title_like(line.text))
    if other_size or gap or other_weight or (closed and section_depth(line.text) > 1):
        return True
    if _is_item(line.text) and (_has_bullet(line.text) or closed or _is_item(first.text)):
        return True
    if _left_room(before, line, right, style):
        return True
    short = before.x1 < right - 0.12 * (right - first.x0)
    if before.hyphen or (short and (closed or _is_lone_title(paragraph, line, right))):
        return not before.hyphen
    if _is_item(first.text):
        hangs = len(paragraph) > 1 and before.x0 > first.x0 + 0.5 * line.size
        return line.x0 < first.x0 - 0.5 * line.size or (hangs and line.x0 < before.x0 - 0.5 * line.size)
    return closed and line.x0 > before.x0 + 0.8 * line.size


def _left_room(before: Segment, line: Segment, right: float, style: _Style) -> bool:
    """Whether the first word of ``line`` would have fitted on the line before, so that something ended there.

    It finds list items whose bullets are drawn. Only for the text's own style: titles are broken for balance.
    """
    plain = abs(line.size - style.size) <= 0.12 * style.size and not line.bold
    if not plain or before.hyphen or line.text[:1].islower():
        return False
    word_share = (len(line.text.split(" ", 1)[0]) + 1) / len(line.text)
    return right - before.x1 > 1.5 * word_share * (line.x1 - line.x0) + line.size


def _is_lone_title(paragraph: Sequence[Segment], line: Segment, right: float) -> bool:
    """Whether a numbered or capital line, in the style of the text, stands as a title over what follows."""
    title = paragraph[0]
    if len(paragraph) > 1 or title.x1 > right - 0.3 * (right - title.x0) or line.text[:1].islower():
        return False
    return (bool(section_depth(title.text)) and is_title_like(title.text)) or is_all_caps(title.text)


def _is_item(text: str) -> bool:
    return is_list_item(text) or bool(_LETTER_BULLET.match(text))


def _has_bullet(text: str) -> bool:
    return bool(BULLET.match(text) or _LETTER_BULLET.match(text))


def _merged(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Join paragraphs that run on in the next column or page, past a page's end in mid-sentence."""
    merged: list[_Draft] = []
    rights: dict[int, float] = {}
    for line in (line for draft in drafts if draft.row is None for line in draft.lines):
        rights[line.page] = max(line.x1, rights.get(line.page, 0.0))
    for draft in drafts:
        if merged and _runs_on(merged[-1], draft, rights):
            merged[-1].lines += draft.lines
        else:
            merged.append(draft)
    return merged


def _runs_on(before: _Draft, draft: _Draft, rights: dict[int, float]) -> bool:
    if before.row is not None or draft.row is not None:
        return False
    last, first = before.lines[-1], draft.lines[0]
    new_place = first.page != last.page or first.y0 < last.y0
    same_style = abs(first.size - last.size) < 0.08 * last.size and first.bold == last.bold
    in_sentence = last.hyphen or not last.text.endswith(_SENTENCE_END)
    if not (new_place and same_style and in_sentence) or _is_item(first.text):
        return False
    return first.text[:1].islower() or (first.page != last.page and _was_full(last, first, rights[last.page]))


def _was_full(last: Segment, first: Segment, right: float) -> bool:
    """Whether a page ends in mid-sentence although the next begins with a capital, as defined terms and names do.

    The last line then reaches the right edge: the next word would not have fitted on it.
    """
    if section_depth(first.text) or is_title_like(first.text) or is_all_caps(last.text):
        return False
    word_share = (len(first.text.split(" ", 1)[0]) + 1) / len(first.text)
    return right - last.x1 < word_share * (first.x1 - first.x0) + 0.5 * last.size


def _pieces(drafts: Sequence[_Draft], style: _Style) -> list[Piece]:
    texts = [_join_lines(draft.lines, style) if draft.row is None else ("", ()) for draft in drafts]
    headings = [
        draft.row is None and following is not None and _is_heading(draft, text, style, following)
        for draft, (text, _), following in zip(drafts, texts, [*(text for text, _ in texts[1:]), None], strict=True)
    ]
    levels = _heading_levels([d for d, is_heading in zip(drafts, headings, strict=True) if is_heading])
    pieces: list[Piece] = []
    table = 0
    for is_row, group in groupby(zip(drafts, texts, headings, strict=True), key=lambda entry: entry[0].row is not None):
        table += is_row
        for draft, (text, pages), is_heading in group:
            if draft.row is not None:
                pieces.append(_row_piece(draft.row, table, style))
            elif is_heading:
                level = min(levels[_style_key(draft)] + max(0, section_depth(text) - 1), _MAX_LEVEL)
                pieces.append(Piece("heading", text, level, pages=pages))
            else:
                pieces.append(Piece("list_item" if _is_item(text) else "paragraph", text, pages=pages))
    return pieces


def _row_piece(row: Row, table: int, style: _Style) -> Piece:
    cells = [_join_lines(cell, style)[0] for cell in row.cells]
    return Piece("table_row", " | ".join(cells), table=table, pages=((row.cells[0][0].page, 0),))


def _is_heading(draft: _Draft, text: str, style: _Style, following: str) -> bool:
    """Whether a paragraph is a heading by its size, weight, capitals or number; ``following`` is the text after it."""
    if len(draft.lines) > 3 or len(text) > _MAX_HEADING_CHARACTERS or _has_bullet(text):
        return False
    relative_size = draft.lines[0].size / style.size
    numbered = section_depth(text)
    if relative_size >= 1.15:
        return sum(c.isalpha() for c in text) >= 2
    if relative_size < 0.95 or (is_list_item(text) and not numbered):
        return False
    if is_all_caps(text):
        return True
    stands_out = not style.bold and all(line.bold for line in draft.lines)
    # In the style of the text itself, a numbered title needs text under it; else it is an item of a list.
    opens_section = numbered and not section_depth(following) and not following[:1].islower()
    return is_title_like(text) and bool(stands_out or opens_section)


_StyleKey = tuple[float, bool, bool]


def _style_key(draft: _Draft) -> _StyleKey:
    line = draft.lines[0]
    return round(line.size), all(line.bold for line in draft.lines), is_all_caps(line.text)


def _heading_levels(headings: Sequence[_Draft]) -> dict[_StyleKey, int]:
    """Rank the styles of headings: the larger, then the bolder, then capitals."""
    ranked = sorted({_style_key(draft) for draft in headings}, reverse=True)
    return {key: rank for rank, key in enumerate(ranked, start=1)}


def _join_lines(lines: Sequence[Segment], style: _Style) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Join lines into one text; also return (page, offset) where each of its pages begins."""
    text = _LETTER_BULLET.sub("◦ ", lines[0].text) if _LETTER_BULLET.match(lines[0].text) else lines[0].text
    pages = [(lines[0].page, 0)]
    for before, line in pairwise(lines):
        text = ended(text, before.hyphen, line.text, style.vocabulary)
        if line.page != before.page:
            pages.append((line.page, len(text)))
        text += line.text
    return text, tuple(pages)
