"""Find the numbers, dates and amounts that a text states, in a form that can be compared.

"thirty days", "30 days" and "30-day" state the same number; "$6.95" and "6.95 USD" the same amount; "3 May", "May 3rd"
and "2026-05-03" the same day. Comparison is by value only: whether the unit is right is not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = {word: 10 * (i + 2) for i, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
_SMALL = {word: i for i, word in enumerate(_UNITS)}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS).replace("sep(", "sept?(")
_DAY = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"

_ISO = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b")
_DAY_FIRST = re.compile(
    rf"\b{_DAY.format('day')}(?:\s+of)?\s+(?P<name>{_MONTH})\b\.?(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b(?P<name>{_MONTH})\b\.?\s+(?:the\s+)?{_DAY.format('day')}\b(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.,])[$€£]?\s?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\d])")
# "one" is left out: it is a pronoun more often than a number.
_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[\s-](?P<unit>{'|'.join(_UNITS[1:10])}))?|(?P<small>{'|'.join(_UNITS[2:])}))\b",
    re.IGNORECASE,
)
_MOST_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A stated value: ``value`` is comparable ("30", "6.95", "05-03"), ``text`` is how it was written."""

    value: str
    text: str


def stated_quantities(text: str) -> tuple[Quantity, ...]:
    """Return the quantities of ``text`` in reading order, dates before plain numbers; bounded to 20,000 characters."""
    text = text[:_MOST_CHARACTERS]
    found: list[Quantity] = []
    for pattern in (_ISO, _DAY_FIRST, _MONTH_FIRST):
        text = pattern.sub(lambda match: _take_date(match, found), text)
    found += [Quantity(_plain(match), match.group().strip()) for match in _NUMBER.finditer(text)]
    found += [Quantity(str(_spelled(match)), match.group()) for match in _WORD.finditer(text)]
    return tuple(found)


def unsupported_quantities(answer: str, sources: str) -> tuple[str, ...]:
    """Return how ``answer`` writes each quantity that ``sources`` does not state, each once."""
    known = {quantity.value for quantity in stated_quantities(sources)}
    # A year beside a date is a number of its own in the source.
    missing = [quantity for quantity in stated_quantities(answer) if quantity.value not in known]
    return tuple(dict.fromkeys(quantity.text for quantity in missing))


def _take_date(match: re.Match[str], found: list[Quantity]) -> str:
    """Record a date and blank it out, so that its day is not read again as a number."""
    parts = match.groupdict()
    if "name" in parts:
        month = next(i for i, name in enumerate(_MONTHS, start=1) if name.startswith(parts["name"].lower()[:3]))
    else:
        month = int(parts["month"])
    day = int(parts["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    found.append(Quantity(f"{month:02d}-{day:02d}", match.group().strip()))
    return f" {parts['year']} " if parts.get("year") else " "


def _plain(match: re.Match[str]) -> str:
    whole, fraction = match.group(1).replace(",", "").lstrip("0") or "0", (match.group(2) or "").rstrip("0").rstrip(".")
    return whole + fraction


def _spelled(match: re.Match[str]) -> int:
    if small := match.group("small"):
        return _SMALL[small.lower()]
    unit = match.group("unit")
    return _TENS[match.group("tens").lower()] + (_SMALL[unit.lower()] if unit else 0)
