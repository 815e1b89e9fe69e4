"""What the parsers hand over: pieces of text in reading order, put together into a text with exact offsets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.errors import DocumentError
from playground.text.normalise import normalise_text
from playground.types import Block, BlockKind, RecognisedWord

NO_TEXT_LAYER = (
    "The PDF has no text layer: its pages are pictures, probably a scan. Run text recognition (OCR) on it, or load the "
    "original document."
)

NO_LETTERS = (
    "The PDF has text, but its fonts do not say which letters they draw, so none of it can be read. Run text "
    "recognition (OCR) on it, or load the original document."
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One block before it has an offset.

    ``depth`` indents a nested list item (the indent lies outside the block). ``table`` tells the rows of one table
    from those of the next. ``pages`` says where in ``text`` pages begin, as (page index, offset); a piece that has
    them must be normalised already.
    """

    kind: BlockKind
    text: str
    level: int = 0
    depth: int = 0
    table: int = 0
    pages: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """Extracted text with its structure: a ``Document`` without identity."""

    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    pages_without_text: tuple[int, ...] = ()
    """Pages from 1 that are pictures of text."""
    garbled_pages: tuple[int, ...] = ()
    """Pages from 1 whose text is not what is printed on them."""
    words: tuple[RecognisedWord, ...] = ()
    recognised_pages: tuple[int, ...] = ()
    """Pages from 1 that OCR read, with its ``words``."""


def assemble(
    pieces: Iterable[Piece], *, max_characters: int, page_count: int = 0, warnings: Sequence[str] = ()
) -> Extract:
    """Join pieces into one text: rows of a table and items of a list by a line end, everything else by a blank line.

    Raises:
        DocumentError: the text is longer than ``max_characters``.
    """
    parts: list[str] = []
    blocks: list[Block] = []
    starts: list[int | None] = [None] * page_count
    position = 0
    previous: Piece | None = None
    for piece in pieces:
        text = piece.text if piece.pages else normalise_text(piece.text).strip()
        if not text:
            continue
        gap = ("" if previous is None else _separator(previous, piece)) + "  " * min(piece.depth, 8)
        start = position + len(gap)
        position = start + len(text)
        check_length(position, max_characters)
        for page, offset in piece.pages:
            if starts[page] is None:
                starts[page] = start + offset
        parts += (gap, text)
        blocks.append(Block(piece.kind, start, position, piece.level))
        previous = piece
    return Extract("".join(parts), tuple(blocks), _filled(starts, position), tuple(warnings))


def check_length(characters: int, max_characters: int) -> None:
    """Raise DocumentError when a text is longer than allowed."""
    if characters > max_characters:
        raise DocumentError(
            f"The document has more than {max_characters:,} characters of text. Split it and load the part you need."
        )


def _separator(previous: Piece, piece: Piece) -> str:
    same_list = previous.kind == piece.kind == "list_item"
    same_table = previous.kind == piece.kind == "table_row" and previous.table == piece.table
    return "\n" if same_list or same_table else "\n\n"


def _filled(starts: list[int | None], end: int) -> tuple[int, ...]:
    """Give a page without text the start of the next page that has some."""
    filled: list[int] = []
    following = end
    for start in reversed(starts):
        following = following if start is None else start
        filled.append(following)
    if filled:
        filled[-1] = 0  # text before the first page mark (there is none) would belong to page 1
    return tuple(reversed(filled))
