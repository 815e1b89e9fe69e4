"""Read dates and times of day in the spellings that English texts use, with both readings of an ambiguous one.

A reader takes a match of its pattern and returns what the match states, each as its readings (see ``quantities``):
a day is "05-03", a year "2026", a time "17:30". No readings: the match is no date or time after all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["DATE_AND_TIME_READERS", "FREE", "RANGE", "Readings", "hours_of"]

Readings = list[tuple[str, ...]]

FREE = r"(?<!\w)(?<!\d[.,:])"
"""Where a number can begin: not inside a word nor after another's point or comma ("delivery.30 days" states 30)."""

RANGE = r"\s?(?:-|to|and|or|until|through|&)\s?"

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:(?:\.?,?\s{1,2}|\sof\s|[./-])(?P<year>(?:19|20)\d\d)(?!\w))?"
_DAY_FIRST = re.compile(
    rf"{FREE}(?:(?P<other>{_DAY}){RANGE})?(?P<day>{_DAY})(?P<of>\s(?:day\s)?of)?[\s./-]{{1,2}}{_MONTH}{_YEAR}",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b{_MONTH}\.?[\s-]{{1,2}}(?:the\s)?(?P<day>{_DAY})(?![\w%]|[.,:]\d)"
    rf"(?:{RANGE}(?P<other>{_DAY})(?![\w%]|[.,:/-]\d))?{_YEAR}",
    re.IGNORECASE,
)
_NUMERIC_DATE = re.compile(r"(?<![\w./-])(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?!\d|[./-]\d)")
_SLASHED = re.compile(r"(?<![\w./])(\d{1,2})\s?/\s?(\d{1,2})(?![\w/]|[.,]\d)")
_CLOCK = r"\d{1,2}(?:[:.]\d\d)?"
_TIME_12 = re.compile(
    rf"{FREE}(?:(?P<other>{_CLOCK}){RANGE})?(?P<time>{_CLOCK})\s?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE
)
_TIME_24 = re.compile(r"(?<![\w.,:])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:])")
_TIME_WORD = re.compile(r"\b(?:noon|midday|midnight)\b|(?<![\w.,:])(\d{1,2})\s?o'clock\b", re.IGNORECASE)
_ALSO_A_VERB = re.compile(r"may|march|mar", re.IGNORECASE)
_VERB_FOLLOWS = re.compile(r"\s(?:be|not|also|only|still|have|apply|return|I|we|you|the)\b", re.IGNORECASE)


def _read_named_date(match: re.Match[str]) -> Readings:
    """Read "3 May", "May 3rd, 2026", "3-5 May"; "30 may be returned" may also be the number 30."""
    parts = match.groupdict()
    month, word = _MONTHS.index(parts["month"][:3].lower()) + 1, parts["month"]
    day = _day(parts["day"])
    if not 1 <= day <= 31:
        return []
    certain = bool(parts.get("of") or parts["year"] or not parts["day"].isdigit() or not _ALSO_A_VERB.fullmatch(word))
    if not certain:
        unusual_case = word in (word.lower(), word.upper())
        certain = not (unusual_case or _VERB_FOLLOWS.match(match.string, match.end()) or ". " in match.group())
    readings: Readings = []
    if parts["other"]:
        other = _day(parts["other"])
        readings.append((_date(month, other), str(other)) if 1 <= other <= 31 else (str(other),))
    readings.append((_date(month, day),) if certain else (_date(month, day), str(day)))
    return [*readings, (parts["year"],)] if parts["year"] else readings


def _read_numeric_date(match: re.Match[str]) -> Readings:
    """Read "2026-05-03", and "03/05/2026" in both orders."""
    first, _, middle, last = match.groups()
    if len(first) == 4:
        year, pairs = first, [(middle, last), (last, middle)]
        pairs = pairs[:1] if match[2] == "-" or int(middle) <= 12 else pairs
    elif len(last) in (2, 4):
        year, pairs = last if len(last) == 4 else f"20{last}", [(first, middle), (middle, first)]
    else:
        return []
    dates = _dates(pairs)
    # The text itself is a reading too: "2.10.15" may number a clause.
    return [(*dates, match.group()), (year, match.group())] if dates else []


def _read_slashed(match: re.Match[str]) -> Readings:
    """Read "7/2": a fraction, or a day in either order."""
    return [(*fraction_readings(int(match[1]), int(match[2])), *_dates([(match[1], match[2]), (match[2], match[1])]))]


def fraction_readings(count: int, parts: int) -> tuple[str, ...]:
    """Return a fraction as written, as a decimal and as a percentage where these end after two digits."""
    percent, rest = divmod(100 * count, parts) if parts else (0, 1)
    exact = (str(percent), f"{percent / 100:.2f}".rstrip("0").rstrip(".")) if not rest else ()
    return (f"{count}/{parts}", *exact)


def _read_time_12(match: re.Match[str]) -> Readings:
    """Read "5.30 pm" and "9 to 5pm", whose first hour may lie in either half of the day."""
    half = match["half"].lower()
    time = _time(match["time"], half)
    if time is None:
        return []
    readings: Readings = []
    if match["other"]:
        both = {_time(match["other"], half), _time(match["other"], "a" if half == "p" else "p")} - {None}
        readings.append((*sorted(str(reading) for reading in both), match["other"]))
    return [*readings, (time,)]


def _read_time_24(match: re.Match[str]) -> Readings:
    hour, minute = int(match[1]) % 24, match[2]
    morning = f"{hour:02d}:{minute}"
    # Without "am" or "pm" an hour up to 12 may be of the evening.
    return [(morning, f"{(hour + 12) % 24:02d}:{minute}") if hour <= 12 else (morning,)]


def _read_time_word(match: re.Match[str]) -> Readings:
    if match[1]:
        hour = int(match[1])
        return [(f"{hour % 24:02d}:00", f"{(hour + 12) % 24:02d}:00")] if hour <= 24 else []
    return [("00:00" if match.group().lower() == "midnight" else "12:00",)]


DATE_AND_TIME_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Readings]], ...] = (
    (_DAY_FIRST, _read_named_date),
    (_MONTH_FIRST, _read_named_date),
    (_NUMERIC_DATE, _read_numeric_date),
    (_TIME_12, _read_time_12),
    (_TIME_24, _read_time_24),
    (_TIME_WORD, _read_time_word),
    (_SLASHED, _read_slashed),
)
"""Patterns and their readers, in the order in which they must be tried."""


def hours_of(time: str) -> set[str]:
    """Return how the hour of a time ("17:00") is said as a plain number: "17" and "5"; none when minutes are past."""
    hour, minute = int(time[:2]), time[3:]
    return {str(hour), str(hour % 12 or 12)} if minute == "00" else set()


def _day(text: str) -> int:
    return int(text.rstrip("stndrhSTNDRH"))


def _date(month: int, day: int) -> str:
    return f"{month:02d}-{day:02d}"


def _dates(pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    """Return the valid ones among (month, day) pairs, each once."""
    numbers = [(int(month), int(day)) for month, day in pairs]
    return tuple(dict.fromkeys(_date(m, d) for m, d in numbers if 1 <= m <= 12 and 1 <= d <= 31))


def _time(clock: str, half: str) -> str | None:
    hour, minute = re.split("[:.]", clock) if not clock.isdigit() else (clock, "00")
    if int(hour) > 24 or int(minute) > 59:
        return None
    number = int(hour) if int(hour) > 12 else int(hour) % 12 + (12 if half == "p" else 0)
    return f"{number % 24:02d}:{minute}"
