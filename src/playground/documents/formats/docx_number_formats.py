"""How Word writes the counter of a list: ``w:numFmt`` of ECMA-376 part 1, 17.18.59."""

from __future__ import annotations

import re
from collections.abc import Callable

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_CHICAGO = "*†‡§"
_PADDED = re.compile(r"(0+)1, 0*2, 0*3, \.\.\.")  # "001, 002, 003, ..."
_MOST_REPEATS = 8


def format_number(number: int, number_format: str) -> str:
    """Write a counter as Word's ``numFmt`` says, or as a custom format such as "001, 002, 003, ..." shows.

    Formats that we do not know are written in decimals, and so are numbers that a format cannot write; bullets have no
    number.
    """
    if number_format in ("none", "bullet"):
        return ""
    writer = _WRITERS.get(number_format)
    if writer is not None and 0 < number <= writer[1]:
        return writer[0](number)
    padded = _PADDED.fullmatch(number_format)
    width = len(padded[1]) + 1 if padded else 2 if number_format == "decimalZero" else 1
    return f"{number:0{width}d}"


def _letters(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * min(1 + (number - 1) // 26, _MOST_REPEATS)


def _chicago(number: int) -> str:
    return _CHICAGO[(number - 1) % 4] * min(1 + (number - 1) // 4, _MOST_REPEATS)


def _roman(number: int) -> str:
    steps = (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x")
    parts = []
    for size, sign in (*steps, (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
        parts.append(sign * (number // size))
        number %= size
    return "".join(parts)


def _suffix(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _spelled(number: int) -> str:
    """Spell out 0 to 9,999 as Word does: "one hundred twenty-one"."""
    parts = []
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            parts.append(f"{_spelled(number // size)} {name}")
            number %= size
    if number < 20:
        if number or not parts:
            parts.append(_ONES[number])
    else:
        parts.append(_TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else ""))
    return " ".join(parts)


def _ordinal(words: str) -> str:
    head, last = re.fullmatch(r"(.*?)(\w+)", words).groups()  # type: ignore[union-attr]
    if last.endswith("y"):
        return f"{head}{last[:-1]}ieth"
    return head + _ORDINALS.get(last, f"{last}th")


# What writes a format, and up to which number.
_WRITERS: dict[str, tuple[Callable[[int], str], int]] = {
    "lowerLetter": (_letters, 10**9),
    "upperLetter": (lambda number: _letters(number).upper(), 10**9),
    "lowerRoman": (_roman, 3_999),
    "upperRoman": (lambda number: _roman(number).upper(), 3_999),
    "chicago": (_chicago, 10**9),
    "ordinal": (lambda number: f"{number}{_suffix(number)}", 10**9),
    "cardinalText": (lambda number: _spelled(number).capitalize(), 9_999),
    "ordinalText": (lambda number: _ordinal(_spelled(number)).capitalize(), 9_999),
    "hex": (lambda number: f"{number:X}", 10**9),
    "numberInDash": (lambda number: f"- {number} -", 10**9),
    "decimalEnclosedCircle": (lambda number: chr(ord("①") + number - 1), 20),
    "decimalEnclosedCircleChinese": (lambda number: chr(ord("①") + number - 1), 20),
}
