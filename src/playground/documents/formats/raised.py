"""How a raised or lowered run of text (footnote sign, cents, exponent) joins the text around it, in every format.

A page shows "$49" with a small "99" beside it, or "30" with a small "1" above: glued, they become other numbers.
"""

from __future__ import annotations

import re

# "1st", "2ème", "Acme™": raised letters that belong to the word.
_BELONGS = re.compile(r"(?:st|nd|rd|th|er|re|ère|ème|eme|tm|sm|®|™|©|º|ª)\b.*", re.IGNORECASE)
_UNIT = re.compile(r"(?<![A-Za-z])(?:[cdkm]?m|ft|in|yd|mi)$")
_WHOLE_AMOUNT = re.compile(r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|Kč|zł|kr)\.?) ?\d{1,3}(?:[,. '\u2019]?\d{3})*$")
_WHOLE = re.compile(r"(?<![\d.,])\d{1,3}(?:[,. '\u2019]?\d{3})*$")
_CURRENCY = re.compile(r"\s?(?:[$€£¥₹]|(?:USD|EUR|GBP|CHF|Kč|zł|kr)\b)")
_CENTS = re.compile(r"\d\d(?!\d)")

BEFORE = 40
"""How many characters before a raised run :func:`before_raised` looks at."""


def before_raised(before: str, raised: str, following: str = "") -> str:
    """Return what must stand between ``before`` and a raised run: nothing, a space, or a decimal point.

    "$49" and "99" part by a point, as they are one price; "30" and "1" by a space, as the 1 is a note.
    ``following`` is the text after the run, where a currency may stand.
    """
    before = before[-BEFORE:]
    last, first = before[-1:], raised[:1]
    if not first.isalnum() or not last or last.isspace() or last in "/\u2044([":
        return ""
    if first.isdigit():
        if _CENTS.fullmatch(raised) and (
            _WHOLE_AMOUNT.search(before) or (_WHOLE.search(before) and _CURRENCY.match(following))
        ):
            return "."
        return "" if raised in ("2", "3") and _UNIT.search(before) else " "
    return " " if last.isdigit() and not _BELONGS.fullmatch(raised) else ""


def before_lowered(before: str, lowered: str) -> str:
    """Return what must stand between ``before`` and a lowered run: a space between digits, else nothing ("H2O")."""
    if before[-1:].isdigit() and lowered[:1].isdigit():
        return "." if _CENTS.fullmatch(lowered) and _WHOLE_AMOUNT.search(before[-BEFORE:]) else " "
    return ""


def after_shifted(shifted: str, following: str, *, raised: bool) -> str:
    """Return what must stand between a raised or lowered run and the text after it: a space, or nothing."""
    last, first = shifted[-1:], following[:1]
    if not (last.isalnum() and first.isalnum()):
        return ""
    return " " if raised or (last.isdigit() and first.isdigit()) else ""
