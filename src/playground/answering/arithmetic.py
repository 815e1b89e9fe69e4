"""Arithmetic done beside a small model: dates, sums, shares and comparisons that a question and its passages suggest.

A model of 135M parameters reads that 60 days are allowed, but cannot count them on from May 3. These lines stand in the
prompt below the passages; which of them matters, if any, is for the model to judge. Nothing is looked up: only numbers
of the question and the passages are combined, each line from two of them.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, islice
from typing import Literal

from playground.text.number_words import spelled_numbers
from playground.text.quantities import stated_quantities

__all__ = ["MOST_LINES", "worked_lines"]

MOST_LINES = 8
_MOST_CHARACTERS = 6_000
_MOST_OF_A_KIND = 6
_MOST_DAYS = 1_500
_YEAR = 2026  # no leap year: a date without its year is read in an ordinary one

Kind = Literal["days", "weeks", "months", "hours", "money", "percent"]

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,3}(?:\.\d{3})+,\d{1,2}|\d{1,7}(?:[.,]\d{1,2})?"
_SIGN = r"(?:[A-Z]{0,2}[$€£]|\b(?:USD|EUR|GBP|CHF|AUD|CAD|NZD))"
_MONEY = re.compile(rf"(?P<before>{_SIGN})\s?(?P<n>{_NUMBER})(?![\d%])|(?P<m>{_NUMBER})\s?(?P<after>[$€£]|EUR\b|CHF\b)")
_WORDED = re.compile(rf"(?P<n>{_NUMBER})\s(?P<word>dollars?|euros?|pounds?|bucks|quid)\b", re.IGNORECASE)
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,2})?)\s?(?:%|per\s?cent\b)", re.IGNORECASE)
_UNIT = re.compile(
    r"\)?[\s-]{1,2}(?:(?:extra|additional|more|further|full|consecutive)\s)?(?:(business|working|calendar)\s)?"
    r"(day|week|month|hour)s?\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![\w.,$€£-])\d{1,4}(?![\d.,]\d|%)")
_DAY = re.compile(r"\d\d-\d\d")
_TOTAL = re.compile(
    r"\b(?:total|altogether|in all|together|combined|at most|sum|both|overall|all in|including|plus)\b", re.IGNORECASE
)
_REST = re.compile(r"\b(?:back|refund\w*|receive|left|remain\w*|get|end up|pay|cost|deduct\w*|credit)\b", re.IGNORECASE)
_WORD_SIGNS = {"dollar": "$", "buck": "$", "euro": "€", "pound": "£", "quid": "£"}


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number with its unit, as the text writes it."""

    kind: Kind
    number: float
    text: str
    sign: str = ""
    sort: str = ""
    """"business" of business days: only equal sorts are added up."""


def worked_lines(question: str, passages: Sequence[str]) -> tuple[str, ...]:
    """Return up to eight sentences of arithmetic on the numbers of ``question`` and ``passages``, most telling first.

    For a date in the question, the date after each period that the passages state; for its amounts and periods, which
    of the passages' they exceed, their shares, and what a fee leaves; where it asks for a total, sums of two amounts or
    periods of the same passage. The first 6,000 characters of each text are read.
    """
    question = question[:_MOST_CHARACTERS]
    texts = [passage[:_MOST_CHARACTERS] for passage in passages]
    asked = _amounts(question)
    stated = list(dict.fromkeys(amount for text in texts for amount in _amounts(text)))
    lines = [*_later_dates(question, stated), *_compared(asked, stated), *_shares(asked, stated)]
    if _TOTAL.search(question):
        lines += _sums([_amounts(text) for text in texts])
    if _REST.search(question):
        lines += _remainders(asked, stated)
    return tuple(list(dict.fromkeys(lines))[:MOST_LINES])


def _later_dates(question: str, stated: Sequence[_Amount]) -> Iterator[str]:
    periods = [amount for amount in stated if amount.kind in ("days", "weeks", "months") and not amount.sort]
    for start, text in islice(_dates(question), 2):
        for period in periods[:_MOST_OF_A_KIND]:
            later = _after(start, period)
            if later is not None:
                month = calendar.month_name[later.month]
                written = f"{later.day} {month}" if text[:1].isdigit() else f"{month} {later.day}"
                yield f"{period.text} after {text} is {written}."


def _dates(question: str) -> Iterator[tuple[date, str]]:
    for quantity in stated_quantities(question):
        days = [reading for reading in quantity.readings if _DAY.fullmatch(reading)]
        if len(days) == 1:
            month, day = map(int, days[0].split("-"))
            try:
                yield date(_YEAR, month, day), quantity.text
            except ValueError:  # 29 February, or a day that no month has
                continue


def _after(start: date, period: _Amount) -> date | None:
    count = int(period.number)
    if period.kind == "months":
        months = start.month - 1 + count
        year, month = start.year + months // 12, months % 12 + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1])) if count <= 48 else None
    days = count * (7 if period.kind == "weeks" else 1)
    return start + timedelta(days) if 0 < days <= _MOST_DAYS else None


def _compared(asked: Sequence[_Amount], stated: Sequence[_Amount]) -> Iterator[str]:
    for mine in asked[:3]:
        alike = [other for other in stated if _comparable(mine, other)]
        for other in alike[:_MOST_OF_A_KIND]:
            left, right = _in_days(mine), _in_days(other)
            relation = "more than" if left > right else "less than" if left < right else "exactly"
            yield f"{mine.text} is {relation} {other.text}."


def _comparable(mine: _Amount, other: _Amount) -> bool:
    periods = ("days", "weeks", "months")
    same = mine.kind == other.kind or (mine.kind in periods and other.kind in periods)
    return same and mine.sign == other.sign and mine.text != other.text


def _in_days(amount: _Amount) -> float:
    return amount.number * {"weeks": 7.0, "months": 30.4}.get(amount.kind, 1.0)


def _shares(asked: Sequence[_Amount], stated: Sequence[_Amount]) -> Iterator[str]:
    for whole in [amount for amount in asked if amount.kind == "money"][:2]:
        for share in [amount for amount in stated if amount.kind == "percent"][:4]:
            part = whole.number * share.number / 100
            write = _writer(whole)
            rest, grown = write(whole.number - part), write(whole.number + part)
            yield f"{share.text} of {whole.text} is {write(part)}; without it {rest}, with it added {grown}."


def _sums(passages: Sequence[Sequence[_Amount]]) -> Iterator[str]:
    for amounts in passages:
        pairs = combinations(list(dict.fromkeys(amounts))[:_MOST_OF_A_KIND], 2)
        for first, second in pairs:
            if (first.kind, first.sign, first.sort) != (second.kind, second.sign, second.sort):
                continue
            if first.kind == "percent":
                continue
            total = first.number + second.number
            written = _writer(first)(total) if first.kind == "money" else f"{total:g} {_unit_of(first)}"
            yield f"{first.text} plus {second.text} is {written}."


def _unit_of(amount: _Amount) -> str:
    return f"{amount.sort} {amount.kind}" if amount.sort else amount.kind


def _remainders(asked: Sequence[_Amount], stated: Sequence[_Amount]) -> Iterator[str]:
    fees = [amount for amount in stated if amount.kind == "money"]
    for whole in [amount for amount in asked if amount.kind == "money"][:2]:
        for fee in fees[:4]:
            if fee.sign == whole.sign and 0 < fee.number < whole.number:
                yield f"{whole.text} less {fee.text} is {_writer(whole)(whole.number - fee.number)}."


def _writer(like: _Amount) -> Callable[[float], str]:
    """Return what writes an amount in the currency, and on the side, of ``like``."""

    def write(number: float) -> str:
        written = f"{number:,.2f}".removesuffix(".00")
        return f"{written} {like.sign}" if like.text[:1].isdigit() else f"{like.sign}{written}"

    return write


def _amounts(text: str) -> list[_Amount]:
    """Return amounts of money, percentages and periods in reading order."""
    found: list[tuple[int, _Amount]] = []
    for match in _MONEY.finditer(text):
        sign = (match["before"] or match["after"]).strip()
        found.append((match.start(), _Amount("money", _value(match["n"] or match["m"]), match.group().strip(), sign)))
    for match in _WORDED.finditer(text):
        sign = _WORD_SIGNS[match["word"].lower().rstrip("s")] if match["word"].lower() != "quid" else "£"
        number = _value(match["n"])
        found.append((match.start(), _Amount("money", number, f"{sign}{number:,.2f}".removesuffix(".00"), sign)))
    for match in _PERCENT.finditer(text):
        number = float(match[1].replace(",", "."))
        found.append((match.start(), _Amount("percent", number, f"{number:g}%")))
    for start, end, value in [*_plain_numbers(text), *spelled_numbers(text)]:
        unit = _UNIT.match(text, end)
        if unit and value > 0:
            sort = "business" if (unit[1] or "").lower() in ("business", "working") else ""
            kinds: dict[str, Kind] = {"day": "days", "week": "weeks", "month": "months", "hour": "hours"}
            kind = kinds[unit[2].lower()]
            written = f"{value} {f'{unit[1].lower()} ' if sort else ''}{kind if value > 1 else kind[:-1]}"
            found.append((start, _Amount(kind, float(value), written, sort=sort)))
    return [amount for _start, amount in sorted(found, key=lambda pair: pair[0])]


def _plain_numbers(text: str) -> Iterator[tuple[int, int, int]]:
    for match in _DIGITS.finditer(text):
        yield match.start(), match.end(), int(match.group())


def _value(digits: str) -> float:
    """Return a number that may have groups of thousands and a point or comma before the cents."""
    if re.search(r",\d{1,2}$", digits):
        return float(digits.replace(".", "").replace(",", "."))
    return float(digits.replace(",", ""))
