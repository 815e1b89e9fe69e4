"""Where a stretch of extracted text stands in the XML of a Word document, and how to put a comment there.

Extraction adds list labels, joins cells and leaves out what is hidden or struck through, so offsets cannot be carried
over. Both sides are reduced to letters that survive it (no white space, no combining marks, no cell separators), and
each paragraph of the file is looked for in the letters of the text: long paragraphs first, each between the neighbours
already found. What extraction draws otherwise than the file (a ticked box, a formula) cuts a paragraph in two.
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from playground.documents.formats.docx_runs import FALLBACK, TEXT_BOX, Seen, bits_of
from playground.documents.formats.docx_styles import Styles
from playground.documents.formats.ooxml import W
from playground.text.normalise import normalise_text

# Where the schema allows comment marks between runs; elsewhere they go around the whole child of the paragraph.
_TAKES_MARKS = frozenset(W + tag for tag in ("p", "hyperlink", "ins", "moveTo", "smartTag", "sdtContent", "fldSimple"))
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"

_LEAST_COVERED = 0.5
"""Share of a stretch's letters that must be found for it to count as placed."""
_MOST_SCANNED_CHARACTERS = 300_000_000
"""Bound on the search: a file of many paragraphs that are not in the text would take quadratic time."""
_MOST_TRIES = 20
"""Occurrences of a paragraph inside lines that are passed over for one at the end of a line."""


@lru_cache(maxsize=8192)
def _letters(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", normalise_text(character))
    return "".join(c for c in decomposed if not c.isspace() and c != "|" and not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Spot:
    """One character in the file: ``element`` holds text, ``offset`` counts its characters."""

    element: Any
    offset: int


@dataclass(slots=True)
class _Paragraph:
    letters: str
    elements: list[Any]
    offsets: array[int]


@dataclass(frozen=True, slots=True)
class _Placed:
    start: int  # in the letters of the text
    end: int
    paragraph: _Paragraph


class TextPlaces:
    """The paragraphs of a body, found in the text that was extracted from it."""

    def __init__(self, text: str, body: Any, styles: Styles | None = None) -> None:
        styles = Styles() if styles is None else styles
        self._letters_before = array("I", [0])
        parts = []
        line_ends = set()  # counts of letters at which a line or a cell ends
        count = 0
        for character in text:
            letters = _letters(character)
            parts.append(letters)
            count += len(letters)
            self._letters_before.append(count)
            if character in "\n|":
                line_ends.add(count)
        line_ends.add(count)
        paragraphs = [part for paragraph in _paragraphs(body) for part in _read(paragraph, styles)]
        self._placed = _place("".join(parts), line_ends, paragraphs)
        self._ends = [placed.end for placed in self._placed]

    def find(self, start: int, end: int) -> tuple[Spot, Spot] | None:
        """Return the first and the last character of ``text[start:end]`` in the file, or None where it is not there."""
        first, last = self._letters_before[start], self._letters_before[end]
        touched = []
        for index in range(bisect_right(self._ends, first), len(self._placed)):
            if self._placed[index].start >= last:
                break
            touched.append(self._placed[index])
        covered = sum(min(placed.end, last) - max(placed.start, first) for placed in touched)
        if not covered or covered < _LEAST_COVERED * (last - first):
            return None
        return _spot(touched[0], max(touched[0].start, first)), _spot(touched[-1], min(touched[-1].end, last) - 1)


def _spot(placed: _Placed, letter: int) -> Spot:
    index = letter - placed.start
    return Spot(placed.paragraph.elements[index], placed.paragraph.offsets[index])


def _paragraphs(body: Any) -> Iterator[Any]:
    for paragraph in body.iter(W + "p"):
        # Word writes a text box twice, once for readers that know no drawings.
        if next(paragraph.iterancestors(FALLBACK), None) is None:
            yield paragraph


def _read(paragraph: Any, styles: Styles) -> Iterator[_Paragraph]:
    """Yield the parts of a paragraph whose letters stand in the text as they stand in the file."""
    letters: list[str] = []
    read = _Paragraph("", [], array("I"))
    for bit in bits_of(paragraph, styles.of_paragraph(paragraph.find(W + "pPr")), styles, Seen()):
        if bit.element is None:
            if letters and not bit.text.isspace():
                read.letters = "".join(letters)
                yield read
                letters, read = [], _Paragraph("", [], array("I"))
            continue
        for offset, character in enumerate(bit.text):
            for letter in _letters(character):
                letters.append(letter)
                read.elements.append(bit.element)
                read.offsets.append(offset)
    read.letters = "".join(letters)
    yield read


def _find(letters: str, wanted: str, low: int, high: int, line_ends: set[int]) -> int:
    """Return where ``wanted`` begins between ``low`` and ``high``, at the end of a line if it can be had; else -1."""
    first = start = letters.find(wanted, low, high)
    for _ in range(_MOST_TRIES):
        if start < 0 or start + len(wanted) in line_ends:
            break
        start = letters.find(wanted, start + 1, high)
    else:
        start = -1
    return first if start < 0 else start


def _one_after_the_other(paragraphs: list[_Paragraph]) -> list[_Placed]:
    """Place paragraphs that are the whole text: nothing has to be looked for, so nothing alike can be mistaken."""
    ends = list(accumulate(len(paragraph.letters) for paragraph in paragraphs))
    return [_Placed(end - len(p.letters), end, p) for end, p in zip(ends, paragraphs, strict=True) if p.letters]


def _place(letters: str, line_ends: set[int], paragraphs: list[_Paragraph]) -> list[_Placed]:
    """Return the paragraphs that are in ``letters``, in order and without overlap."""
    if "".join(paragraph.letters for paragraph in paragraphs) == letters:
        return _one_after_the_other(paragraphs)
    found: dict[int, _Placed] = {}
    order: list[int] = []  # indices of the found paragraphs, sorted
    scanned = 0
    by_length = sorted(
        (i for i, p in enumerate(paragraphs) if p.letters), key=lambda i: (-len(paragraphs[i].letters), i)
    )
    for index in by_length:
        paragraph = paragraphs[index]
        after = bisect_left(order, index)
        low = found[order[after - 1]].end if after else 0
        high = found[order[after]].start if after < len(order) else len(letters)
        if high - low < len(paragraph.letters):
            continue
        start = _find(letters, paragraph.letters, low, high, line_ends)
        scanned += high - low
        if start >= 0:
            order.insert(after, index)
            found[index] = _Placed(start, start + len(paragraph.letters), paragraph)
        if scanned > _MOST_SCANNED_CHARACTERS:
            break
    return [found[index] for index in order]


def mark(first: Spot, last: Spot, start_marks: list[Any], end_marks: list[Any]) -> None:
    """Put elements before the first and after the last character, cutting runs in two where needed.

    A cut run keeps its formatting in both halves. Spots before ``first`` stay valid; those from it on do not, so a
    document is marked from its end, and all marks of one stretch are put at once.
    """
    end = _run_to(last)
    for element in reversed(end_marks):
        end.addnext(element)
    start = _run_from(first)
    for element in start_marks:
        start.addprevious(element)


def _run_to(spot: Spot) -> Any:
    """Return an element that ends with the spot's character."""
    run = _cuttable_run(spot)
    if run is None:
        return _child_of_paragraph(spot.element)
    _cut(run, spot.element, spot.offset + 1)
    return run


def _run_from(spot: Spot) -> Any:
    """Return an element that begins with the spot's character."""
    run = _cuttable_run(spot)
    return _child_of_paragraph(spot.element) if run is None else _cut(run, spot.element, spot.offset)


def _cuttable_run(spot: Spot) -> Any | None:
    run = spot.element.getparent()
    parent = run.getparent()
    in_box = next(spot.element.iterancestors(TEXT_BOX), None) is not None
    simple = spot.element.tag == W + "t" and run.tag == W + "r" and parent.tag in _TAKES_MARKS
    return run if simple and not in_box else None


def _child_of_paragraph(element: Any) -> Any:
    # Word takes no comment inside a text box: it goes to what holds the box.
    boxes = list(element.iterancestors(TEXT_BOX))
    child = boxes[-1] if boxes else element
    while child.getparent().tag != W + "p":
        child = child.getparent()
    return child


def _cut(run: Any, text: Any, offset: int) -> Any:
    """Move what follows ``offset`` in a run to a new run behind it; return the run that begins there."""
    content = text.text or ""
    following = list(text.itersiblings())
    before = [sibling for sibling in text.itersiblings(preceding=True) if sibling.tag != W + "rPr"]
    if offset == 0 and not before:
        return run
    if offset == len(content) and not following:
        return run
    rest = run.makeelement(run.tag, dict(run.attrib), run.nsmap)
    properties = run.find(W + "rPr")
    if properties is not None:
        rest.append(deepcopy(properties))
    moved = [] if offset == len(content) else [text]
    if 0 < offset < len(content):
        moved = [deepcopy(text)]
        moved[0].text, text.text = content[offset:], content[:offset]
        for half in (text, moved[0]):
            half.set(_XML_SPACE, "preserve")
    for element in (*moved, *following):
        rest.append(element)
    run.addnext(rest)
    return rest
