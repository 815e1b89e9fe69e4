"""Document -> chunks that follow its structure and fit the embedding model.

What is in a chunk: every block that is not a heading lies in exactly one chunk, or in several neighbouring ones when it
alone is too long. A heading is part of ``heading_path`` of the chunks under it, not of their text; a heading with
nothing under it (often a sentence in capitals) is text of a chunk like a paragraph. So every character of the
document that is not white space is in exactly one chunk or in a heading.

A chunk that begins inside a table gets the table's header row as the last element of its path, and one that begins
inside a list the sentence that introduces the list ("These items cannot be returned:"): without it, a row or an item
says something else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from playground.documents.formats.structure import clean_heading, clean_row
from playground.types import Block, Chunk, Document

__all__ = ["chunk_document", "embedding_text"]

CountTokens = Callable[[str], int]

MIN_MAX_TOKENS = 16
MAX_CHARACTERS_PER_TOKEN = 16
_PATH_SHARE = 3  # the heading path takes at most a third of a chunk's tokens; with a header row at most a half
_SMALL_SHARE = 4
_OPENING, _CLOSING = "\"'(\\[\u201c\u2018", "\"')\\]\u201d\u2019"  # quotes and brackets
_CAPITAL = "A-Z0-9\u00c0-\u00de\u0391-\u03a9\u0410-\u042f"  # Latin, Greek, Cyrillic
_SENTENCE_END = re.compile(
    rf"[.!?\u2026][{_CLOSING}]*(?=\s+[{_OPENING}]?[{_CAPITAL}])|[\u3002\uff01\uff1f]|\n\s*\n|;(?=\s)"
)
_ABBREVIATION = re.compile(r"\b(?:[A-Za-z]|e\.g|i\.e|etc|No|Nos|Art|Sec|Inc|Ltd|Co|Corp|Mr|Mrs|Ms|Dr|St|vs|approx)\.$")
_LAST_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD_END = re.compile(r"(?<=\S)(?=\s)")


def chunk_document(
    document: Document, *, count_tokens: CountTokens, max_tokens: int = 200, target_tokens: int = 120
) -> tuple[Chunk, ...]:
    """Cut a document into chunks for retrieval.

    Small blocks of one section are merged until ``target_tokens``; a list with its introduction or a table stays
    together up to ``max_tokens``; a longer block is cut at sentence ends, else between words, and inside a word only
    when that word alone is too long. A stretch of more than 16 characters per token counts as too long whatever its
    tokens, so that the work stays linear in the text.

    Args:
        document: the document; its blocks give the structure.
        count_tokens: tokens of a text in the embedding model, special tokens included.
        max_tokens: most tokens of ``embedding_text(chunk)``.
        target_tokens: size up to which small blocks are merged.

    Returns:
        Chunks in document order, not overlapping, each with ``text == document.text[start:end]``.

    Raises:
        ValueError: ``max_tokens`` is below 16, or one character alone has more tokens than that.
    """
    if max_tokens < MIN_MAX_TOKENS:
        raise ValueError(f"max_tokens is {max_tokens}; at least {MIN_MAX_TOKENS} are needed")
    budget = _Budget(document.text, count_tokens, max_tokens, min(target_tokens, max_tokens))
    spans = (span for section in _sections(document) for span in _section_spans(section, budget))
    return tuple(
        Chunk(
            id=f"{document.id}-{span.start}-{span.end}",
            document_id=document.id,
            text=document.text[span.start : span.end],
            start=span.start,
            end=span.end,
            heading_path=span.path,
            page=bisect_right(document.page_starts, span.start) or None,
        )
        for span in spans
    )


def embedding_text(chunk: Chunk) -> str:
    """Return what is embedded for a chunk: its heading path on one line, then its text."""
    return _with_path(chunk.heading_path, chunk.text)


def _with_path(path: tuple[str, ...], text: str) -> str:
    return f"{' > '.join(path)}\n{text}" if path else text


@dataclass(frozen=True, slots=True)
class _Section:
    """Neighbouring blocks under the same headings. ``path`` is not yet bounded.

    ``runs`` says for each block where its list or table begins in ``blocks``; see ``_runs``.
    """

    path: tuple[str, ...]
    blocks: list[Block]
    runs: list[int]


@dataclass(frozen=True, slots=True)
class _Span:
    """A future chunk."""

    start: int
    end: int
    path: tuple[str, ...]


class _Budget:
    """Counts stretches of one text. Every answer is a count of the very text that will be embedded."""

    def __init__(self, text: str, count_tokens: CountTokens, max_tokens: int, target_tokens: int) -> None:
        self.text = text
        self.count = count_tokens
        self.max_tokens = max_tokens
        self.target_tokens = target_tokens
        self.characters = 4 * target_tokens  # how many characters the last full stretch had: the next guess
        self.bounded = lru_cache(maxsize=64)(self._bounded)

    def fits(self, path: tuple[str, ...], start: int, end: int, tokens: int) -> bool:
        if end - start > MAX_CHARACTERS_PER_TOKEN * tokens:
            return False
        return self.count(_with_path(path, self.text[start:end])) <= tokens

    def is_small(self, start: int, end: int) -> bool:
        """Whether a stretch has less than a quarter of the target's tokens: too little to stand alone."""
        short = end - start <= MAX_CHARACTERS_PER_TOKEN * self.target_tokens
        return short and self.count(self.text[start:end]) * _SMALL_SHARE < self.target_tokens

    def longest(self, path: tuple[str, ...], start: int, ends: Sequence[int], tokens: int) -> int:
        """Return how many of the ascending ``ends`` fit (the largest k with text[start:ends[k - 1]] within tokens).

        Starts from a guess and doubles the step, so that it needs a few counts of about the result's length.
        """
        guess = min(max(1, bisect_right(ends, start + self.characters)), len(ends))
        low, high = 0, len(ends) + 1  # low fits, high does not
        step = 1
        probe = guess
        while high - low > 1:
            if self.fits(path, start, ends[probe - 1], tokens):
                low = probe
                probe = low + step
            else:
                high = probe
                probe = high - step
            step *= 2
            if not low < probe < high:
                probe = (low + high) // 2
        if low:
            self.characters = max(16, ends[low - 1] - start)
        return low

    def _bounded(self, path: tuple[str, ...], share: int) -> tuple[str, ...]:
        """Trim a path from the left to a share of the tokens; of a last heading that is too long keep the end."""
        allowed = self.max_tokens // share
        while len(path) > 1 and self.count(" > ".join(path)) > allowed:
            path = path[1:]
        if not path or self.count(path[0]) <= allowed:
            return path
        words = path[0].split()
        while len(words) > 1 and self.count("… " + " ".join(words)) > allowed:
            words = words[max(1, len(words) // 8) :]
        shortened = "… " + " ".join(words)
        return (shortened,) if self.count(shortened) <= allowed else ()


def _sections(document: Document) -> Iterator[_Section]:
    """Split at headings. A heading without anything under it counts as text."""
    text = document.text
    blocks = document.blocks or _whole(text)
    open_headings: list[tuple[int, str]] = []
    current_path: tuple[str, ...] = ()
    current: list[Block] = []
    for position, block in enumerate(blocks):
        following = blocks[position + 1] if position + 1 < len(blocks) else None
        if block.kind == "heading":
            while open_headings and open_headings[-1][0] >= block.level:
                open_headings.pop()
            introduces = following is not None and (following.kind != "heading" or following.level > block.level)
            if introduces:
                open_headings.append((block.level, clean_heading(text[block.start : block.end])))
                continue
        path = tuple(heading for _, heading in open_headings if heading)
        if current and (current_path != path or _heading_between(current[-1], block, text)):
            yield _Section(current_path, current, _runs(current, text))
            current = []
        current_path = path
        current.append(block)
    if current:
        yield _Section(current_path, current, _runs(current, text))


def _heading_between(before: Block, block: Block, text: str) -> bool:
    """Whether a heading lies between two blocks whose paths happen to be equal."""
    return bool(text[before.end : block.start].strip())


def _whole(text: str) -> tuple[Block, ...]:
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    return (Block("paragraph", start, end),) if start < end else ()


def _section_spans(section: _Section, budget: _Budget) -> Iterator[_Span]:
    """Merge the blocks of a section into spans, and cut those that are too long."""
    blocks = section.blocks
    ends = [block.end for block in blocks]
    path = budget.bounded(section.path, _PATH_SHARE)
    first = 0
    while first < len(blocks):
        start = blocks[first].start
        lead = _lead(section, first, budget.text)
        span_path = path
        if lead:
            with_lead = (*path, lead)
            # A lead that had to be cut would mislead, so it stays whole or goes.
            if budget.count(" > ".join(with_lead)) <= budget.max_tokens // 2:
                span_path = with_lead
        fitting = budget.longest(span_path, start, ends[first : first + _WINDOW], budget.target_tokens)
        if fitting == 0 and budget.fits(span_path, start, ends[first], budget.max_tokens):
            fitting = 1
        if fitting == 0:
            yield from _cut_block(blocks[first], span_path, budget)
            first += 1
            continue
        stop = _better_stop(section, first, first + fitting, span_path, budget)
        yield _Span(start, blocks[stop - 1].end, span_path)
        first = stop


_WINDOW = 512  # most blocks in one chunk; bounds the work of a document of a million tiny lines


def _runs(blocks: Sequence[Block], text: str) -> list[int]:
    """Number the lists and tables of a section: for each block the index of its run's first block, itself when alone.

    A paragraph that ends in a colon belongs to the run that it introduces. Tables part where a blank line lies
    between rows.
    """
    runs = list(range(len(blocks)))
    for i in range(1, len(blocks)):
        before, block = blocks[i - 1], blocks[i]
        if block.kind not in ("list_item", "table_row"):
            continue
        same_kind = before.kind == block.kind
        if same_kind and block.kind == "table_row":
            same_kind = text.count("\n", before.end, block.start) < 2
        introduced = before.kind == "paragraph" and text[before.start : before.end].endswith(":")
        if same_kind or introduced:
            runs[i] = runs[i - 1]
    return runs


def _lead(section: _Section, first: int, text: str) -> str:
    """Return what a chunk that begins inside a run must be told: the introduction or the header row; else ""."""
    blocks, runs = section.blocks, section.runs
    head = runs[first]
    if head == first:
        return ""
    opening = blocks[head]
    if opening.kind == "paragraph":
        if blocks[first].kind == "table_row" and first > head + 1:
            return clean_row(text[blocks[head + 1].start : blocks[head + 1].end])
        return clean_heading(_LAST_SENTENCE.split(text[opening.start : opening.end])[-1])
    return clean_row(text[opening.start : opening.end]) if opening.kind == "table_row" else ""


def _better_stop(section: _Section, first: int, stop: int, path: tuple[str, ...], budget: _Budget) -> int:
    """Move the end of a chunk so that it does not part what belongs together, as far as the limit allows."""
    blocks, runs = section.blocks, section.runs
    start = blocks[first].start
    if stop < len(blocks) and runs[stop] != stop:
        run_start = runs[stop]
        run_stop = stop
        while run_stop < len(blocks) and run_stop - first < _WINDOW and runs[run_stop] == run_start:
            run_stop += 1
        run_end = blocks[run_stop - 1].end
        little_before = run_start <= first or budget.is_small(start, blocks[run_start - 1].end)
        if little_before and budget.fits(path, start, run_end, budget.max_tokens):
            stop = run_stop
        elif run_start > first:
            alone = budget.fits(path, blocks[run_start].start, run_end, budget.max_tokens)
            only_introduced = stop - run_start == 1 and blocks[run_start].kind == "paragraph"
            if alone or only_introduced:
                stop = run_start
    rest = blocks[stop:] if len(blocks) - stop <= 8 else []
    if rest:
        small = budget.is_small(rest[0].start, rest[-1].end)
        if small and budget.fits(path, start, rest[-1].end, budget.max_tokens):
            return len(blocks)
    return stop


def _cut_block(block: Block, path: tuple[str, ...], budget: _Budget) -> Iterator[_Span]:
    """Cut a block that alone is too long: at sentence ends near the target, else between words, else inside a word."""
    text = budget.text
    sentences = _sentence_ends(text, block)
    start = block.start
    position = 0  # of the first sentence end after start
    while start < block.end:
        while sentences[position] <= start:
            position += 1
        window = sentences[position : position + _WINDOW]
        fitting = budget.longest(path, start, window, budget.target_tokens)
        if fitting == 0 and budget.fits(path, start, window[0], budget.max_tokens):
            fitting = 1
        if fitting:
            end = window[fitting - 1]
            small_rest = end < block.end and budget.is_small(end, block.end)
            if small_rest and budget.fits(path, start, block.end, budget.max_tokens):
                end = block.end
        else:
            end = _cut_sentence(start, window[0], path, budget)
        yield _Span(start, end, path)
        start = _skip_space(text, end, block.end)


def _cut_sentence(start: int, stop: int, path: tuple[str, ...], budget: _Budget) -> int:
    """Return where a piece of the text from ``start`` must end, ``stop`` being too far: a word's end, if any fits."""
    reach = min(stop, start + MAX_CHARACTERS_PER_TOKEN * budget.max_tokens + 1)
    ends = [match.start() for match in _WORD_END.finditer(budget.text, start + 1, reach)]
    fitting = budget.longest(path, start, ends, budget.max_tokens) if ends else 0
    if fitting:
        return ends[fitting - 1]
    inside = range(start + 1, ends[0] if ends else reach)
    fitting = budget.longest(path, start, inside, budget.max_tokens) if inside else 0
    if fitting == 0:
        raise ValueError(f"the character at offset {start} alone has more tokens than a chunk may have")
    return inside[fitting - 1]


def _sentence_ends(text: str, block: Block) -> list[int]:
    ends = []
    for match in _SENTENCE_END.finditer(text, block.start, block.end):
        blank_line = match[0][0] == "\n"
        if blank_line or not _ABBREVIATION.search(text, max(block.start, match.start() - 8), match.start() + 1):
            ends.append(match.start() if blank_line else match.end())
    return [*ends, block.end]


def _skip_space(text: str, start: int, stop: int) -> int:
    while start < stop and text[start].isspace():
        start += 1
    return start
