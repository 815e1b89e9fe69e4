"""Section signs and numbers of clauses that do not fit what stands around them.

A reading is sure of "(ii)" where "(iii)" is printed, and of "S 4" where "§ 4" is: no score tells. The numbering of the
document itself does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from playground.documents.formats.pieces import Extract

OUT_OF_ORDER = "does not follow the number before it"
NO_SUCH_SECTION = "no section of this number was read"
SECTION_SIGN = "may be the section sign"
LETTERS_LIKE_I = "letters alike to i were read as i"

_FEWEST_SECTIONS = 6
"""A document with fewer numbered sections mostly refers to those of another."""
_ITEM = re.compile(r"\(([a-z]{1,5}|[A-Z]|\d{1,2})\)\s")
_SECTION = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?\s")
_REFERENCE = re.compile(
    r"\b(?:section|clause|paragraph)s?\s+(\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)(?![\d.]*\d)", re.IGNORECASE
)
_SIGN = re.compile(r"(?<!\S)(?:[S8$]\s(?=\d{1,3}(?:\.\d{1,3})+\b)|S(?=\d{1,3}(?:\.\d{1,3})*\b)|S\s(?=\d{1,3}\b))")
_ALIKE = re.compile(r"\(([il1I|!jtvx]{2,5})\)")
_TO_I = str.maketrans("l1I|!jt", "iiiiiii")
_ROMAN = ("i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx").split()

Doubt = tuple[int, int, str]
"""Start, end, reason."""


def with_roman_letters(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return ``text`` with list numbers such as "(ili)", which are no numbers, as "(iii)"; and where they stand."""
    places: list[tuple[int, int]] = []

    def mended(match: re.Match[str]) -> str:
        roman = match[1].translate(_TO_I)
        if match[1] in _ROMAN or roman not in _ROMAN or match[1].isdigit():
            return match[0]
        places.append(match.span())
        return f"({roman})"

    return _ALIKE.sub(mended, text), tuple(places)


def doubts(extract: Extract) -> list[Doubt]:
    """Return the numbers and signs of a text that do not fit, in no order."""
    opening = [(block.start, extract.text[block.start : block.end] + " ") for block in extract.blocks]
    prose = [entry for entry, block in zip(opening, extract.blocks, strict=True) if block.kind != "table_row"]
    found = [*_item_doubts(prose), *_section_doubts(prose), *_reference_doubts(extract.text, prose)]
    found += [(match.start(), match.end(), SECTION_SIGN) for match in _SIGN.finditer(extract.text)]
    return found


def _item_doubts(opening: Sequence[tuple[int, str]]) -> Iterator[Doubt]:
    last: dict[str, int] = {}
    for start, text in opening:
        match = _ITEM.match(text)
        if match is None:
            if _SECTION.match(text):
                last.clear()
            continue
        values = _values(match[1])
        if not values:
            continue
        fits = {style: value for style, value in values.items() if value == 1 or last.get(style) == value - 1}
        if not fits and last:
            yield start, start + match.end(1) + 1, OUT_OF_ORDER
        last |= fits or values


def _values(number: str) -> dict[str, int]:
    """Return what a list number may count as: a letter, a Roman number or a figure."""
    values = {}
    if number in _ROMAN:
        values["roman"] = _ROMAN.index(number) + 1
    if len(number) == 1 and number.isalpha():
        values["upper" if number.isupper() else "letter"] = ord(number.lower()) - ord("a") + 1
    if number.isdigit():
        values["figure"] = int(number)
    return values


def _section_doubts(opening: Sequence[tuple[int, str]]) -> Iterator[Doubt]:
    before: tuple[int, ...] = ()
    for start, text in opening:
        match = _SECTION.match(text)
        if match is None:
            continue
        number = tuple(int(part) for part in match[1].split("."))
        if before and "." in match[1] and not _follows(before, number):
            yield start, start + match.end(1), OUT_OF_ORDER
        before = number


def _follows(before: tuple[int, ...], number: tuple[int, ...]) -> bool:
    if number[-1] == 1:  # a new list, or the first part of what came before
        return True
    depth = len(number)
    return len(before) >= depth and before[: depth - 1] == number[:-1] and before[depth - 1] + 1 == number[-1]


def _reference_doubts(text: str, opening: Sequence[tuple[int, str]]) -> Iterator[Doubt]:
    numbers = {match[1] for _start, opens in opening if (match := _SECTION.match(opens)) and "." in match[1]}
    if len(numbers) < _FEWEST_SECTIONS:
        return
    chapters = {number.split(".")[0] for number in numbers}
    for match in _REFERENCE.finditer(text):
        if match[1] not in numbers and match[1].split(".")[0] in chapters:
            yield match.start(1), match.end(1), NO_SUCH_SECTION
