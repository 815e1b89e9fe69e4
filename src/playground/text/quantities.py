"""Find the numbers, dates, times and amounts that a text states, in a form that can be compared.

"thirty days", "30 days" and "30-day" state the same number; "$6.95" and "6.95 USD" the same amount; "3 May", "May 3rd"
and "2026-05-03" the same day; "5.30 pm" and "17:30" the same time. What can be read in two ways ("03/05/2026") has both
readings, and so have a week (7 days), a year (12 months) and a day (24 hours). Kind and unit of time are compared where
both texts name one: "$48" is not stated by "48 hours", "4 weeks" not by "4 to 6 business days" or by "4 photos". A
business day is taken for a day. A day and its year are compared apart, so that "3 May" agrees with "3 May 2026".

Numbers that only point at something are no quantities: markers of a numbered list, "clause 2.1", "step 3".
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from playground.text.dates import DATE_AND_TIME_READERS, FREE, Readings, fraction_readings, hours_of
from playground.text.number_words import COUNTED, ORDINALS, spelled_numbers

__all__ = ["Quantity", "agree", "stated_quantities", "unsupported_quantities"]

MOST_CHARACTERS = 20_000
MOST_SOURCE_CHARACTERS = 500_000
_MOST_SHOWN_CHARACTERS = 60
_SMALLER_UNITS = {"week": (7, "day"), "year": (12, "month"), "day": (24, "hour")}
_TIME_WORDS = {
    "second": "seconds?|sekunden?|secondes?|segundos?",
    "minute": "minutes?|minuten|minutos?|minuti",
    "hour": "hours?|stunden?|heures?|horas?|ore|uur",
    "day": "days?|nights?|tage?n?|jours?|d[ií]as?|giorn[io]|dag(?:en)?",
    "week": "weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken",
    "month": "months?|monate?n?|mois|mes(?:es|i)?|maand(?:en)?",
    "year": "years?|jahre?n?|ans?|ann[eé]es?|a[nñ]os?|ann[io]|jaar",
}
_BUSINESS = r"(?:business|working|werk|arbeits)"
_TIME = re.compile(
    rf"[\s-](?:or\s(?:more|fewer|less)\s)?(?P<business>{_BUSINESS}[\s-]?)?"
    r"(?P<adjective>(?:calendar|consecutive|full|extra|more|whole)\s)?(?:"
    + "|".join(f"(?P<{unit}>{words})" for unit, words in _TIME_WORDS.items())
    + r")\b",
    re.IGNORECASE,
)
# The first number of a range has the unit of the second: "4 to 6 business days", "10-15 %".
_RANGE_GOES_ON = re.compile(
    r"(?:\s?-\s?|\s(?:to|or|and|bis|oder)\s)(?:\d{1,6}(?:[.,]\d{1,2})?|[a-z]{3,9}(?:-[a-z]{3,5})?)(?=[\s%-])",
    re.IGNORECASE,
)
_THINGS = re.compile(r"\s[a-z]{2,14}(?<![sui])s\b", re.IGNORECASE)
"""A plural right after a number: it counts things, not time."""

# Only the place of a marker; whether it is one depends on its neighbours.
_MARKER = re.compile(r"(?P<line>(?:^|(?<=\n)) {0,12})?(?<![\w.,$€£-])\(?(?P<n>\d{1,3})[.)](?= {1,4}[^\d\s])")
_SENTENCE_BEFORE = re.compile(r"[.:;!?)] {1,2}$")
_REFERENCE = re.compile(
    r"(?:\b(?:steps?|clauses?|sections?|articles?|paragraphs?|passages?|pages?|point|rule|option)\s|§\s?)"
    r"\(?\d{1,3}(?:\.\d{1,3}){0,4}(?![\w%]|[.,]\d)(?:\([a-z]\))?",
    re.IGNORECASE,
)
_PARTS = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4}
_SIGNS = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4)}
_CODES = "USD|EUR|GBP|CAD|AUD|NZD|CHF"
_KINDS = (
    ("percent", re.compile(r"%|per\s?cent", re.IGNORECASE), re.compile(r"\s?(?:%|per\s?cent\b)", re.IGNORECASE)),
    (
        "money",
        re.compile(rf"[$€£¥]|{_CODES}"),
        re.compile(rf"\s?[$€£¥]|[\s-](?:{_CODES}|dollars?|euros?|pounds?|quid|cents?)\b", re.IGNORECASE),
    ),
)
_FRACTION = re.compile(
    rf"\b(?:(?P<count>{'|'.join(_COUNTS)}|[1-4])[\s-](?P<part>{'|'.join(_PARTS)})s?|half)\b|[{''.join(_SIGNS)}]",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9}){2,9}(?![\w]|[.,]\d)")
_NUMBER = re.compile(
    rf"{FREE}(?:(?:\b[A-Z]{{1,3}})?[$€£¥]\s?|\b(?:{_CODES})\s)?(?:"
    r"(?P<grouped>\d{1,3}(?:[,']\d{3}){1,8}(?:\.\d{1,9})?)"  # 1,299.00 and 1'299.00
    r"|(?P<continental>\d{1,3}(?:\.\d{3}){1,8},\d{1,2})"  # 1.299,00
    r"|(?P<spaced>(?<!\d )\d{1,3}(?: \d{3}){1,8}(?:[.,]\d{1,2})?)"  # 1 299,00
    r"|(?P<comma>\d{1,15},\d{1,2}(?!,\d))"  # 6,95
    r"|(?P<plain>\d{1,30}(?:\.\d{1,9})?|\.\d{1,9})"
    rf")(?!\d)(?:\s?[%$€£¥](?![\d.])|\s(?:per\s?cent|{_CODES})\b|(?:st|nd|rd|th)\b)?"
)
# What a source also says, though an answer that says it claims nothing.
_LOOSE = (
    (re.compile(rf"\b(?:one|once|single|(?:an?|per|each|every)\s{COUNTED})", re.IGNORECASE), "1"),
    (re.compile(r"\b(?:twice|both|double|pair)\b", re.IGNORECASE), "2"),
    (re.compile(r"\b(?:free|nothing|no\s(?:extra\s)?(?:charges?|costs?|fees?))\b", re.IGNORECASE), "0"),
)
_ONE_UNIT = re.compile(rf"\b(?:one|an?|per|each|every)\s(?P<unit>{'|'.join(_SMALLER_UNITS)})\b", re.IGNORECASE)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(ORDINALS)})\b", re.IGNORECASE)
_DIGIT_GROUPS = re.compile(r"(?<![\w.,])\d{1,15}(?:[ -]\d{1,15}){1,8}(?!\w)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A stated value: ``value`` is comparable ("30", "6.95", "05-03", "17:30"), ``text`` is how it was written.

    ``others`` are further readings of the same text ("03-05" beside "05-03"). ``unit`` is "money", "percent", a unit of
    time ("day") or "things" where a sign or the words after it say so, else empty. ``smaller`` is the value in the next
    smaller unit, with that unit: ("28", "day") for four weeks.
    """

    value: str
    text: str
    others: tuple[str, ...] = ()
    unit: str = ""
    smaller: tuple[str, str] | None = None

    @property
    def readings(self) -> frozenset[str]:
        """All readings, in whatever unit."""
        return frozenset((self.value, *self.others, *(self.smaller[:1] if self.smaller else ())))

    @property
    def measures(self) -> frozenset[tuple[str, str]]:
        """All readings with their units; two quantities agree when they share one."""
        own = {(reading, self.unit) for reading in (self.value, *self.others)}
        return frozenset(own | ({self.smaller} if self.smaller else set()))


def agree(one: Iterable[tuple[str, str]], other: Iterable[tuple[str, str]]) -> bool:
    """Tell whether two quantities, given by their ``measures``, may be the same value."""
    others = list(other)
    return any(value == stated and _same_unit(unit, u) for value, unit in one for stated, u in others)


def _same_unit(one: str, other: str) -> bool:
    """Tell whether two units of the same number may mean the same: one that is not named may be any.

    Things are told from time only: "the fee is 22 flat for boots" and "$22" are the same.
    """
    if not one or not other or one == other:
        return True
    return "things" in (one, other) and not {one, other} <= {"things", *_TIME_WORDS}


def stated_quantities(text: str, *, of_source: bool = False) -> tuple[Quantity, ...]:
    """Return the quantities of ``text`` in reading order. The first 20,000 characters are read, in linear time.

    ``of_source``: the text is a part of a document, where a marker that begins a line is one even without its
    neighbours ("4. Keep the receipt."). In an answer it may be the value that was asked for ("30. It starts ...").
    """
    text = text[:MOST_CHARACTERS]
    return _stated(_without_pointers(_folded(text), every_line=of_source), text)


def unsupported_quantities(answer: str, sources: str) -> tuple[str, ...]:
    """Return how ``answer`` writes each quantity that ``sources`` does not state, each once.

    Of ``sources`` the first 500,000 characters are read. They are taken generously: "a week" also states 1, "the first
    two" 1 and 2, "free" 0, and the digits of "0491 570 156" are also one number.
    """
    sources = sources[:MOST_SOURCE_CHARACTERS]
    markers = _folded(sources)
    folded = _without_pointers(markers, every_line=True)
    known: dict[str, set[str]] = defaultdict(set)
    for quantity in _stated(folded, sources):
        for reading, unit in quantity.measures:
            known[reading].add(unit)
            for hour in hours_of(reading) if re.fullmatch(r"\d\d:\d\d", reading) else ():
                known[hour].add("")
    for value, unit in _loosely_stated(folded):
        known[value].add(unit)
    answer = answer[:MOST_CHARACTERS]
    claimed = _without_quoted_markers(_folded(answer), markers)
    missing = [quantity for quantity in _stated(_without_pointers(claimed), answer) if not _is_known(quantity, known)]
    return tuple(dict.fromkeys(quantity.text for quantity in missing))


def _is_known(quantity: Quantity, known: Mapping[str, set[str]]) -> bool:
    return any(_same_unit(unit, stated) for reading, unit in quantity.measures for stated in known.get(reading, ()))


def _without_quoted_markers(folded: str, sources: str) -> str:
    """Blank out the markers that an answer quotes together with the word behind them."""

    def behind(text: str, match: re.Match[str]) -> tuple[str, str]:
        return match["n"], text[match.end() : match.end() + 24].lower().split()[0]

    def blanked(match: re.Match[str]) -> str:
        is_quoted = match["line"] is not None and behind(folded, match) in quoted
        return "\0" * len(match.group()) if is_quoted else match.group()

    quoted = {behind(sources, match) for match in _MARKER.finditer(sources) if match["line"] is not None}
    return _MARKER.sub(blanked, folded)


def _stated(folded: str, text: str) -> tuple[Quantity, ...]:
    """Read ``folded`` one kind after the other; what was read is blanked out, so that it is not read again."""
    found: list[tuple[int, Quantity]] = []
    plain = folded

    def record(start: int, end: int, readings: Readings) -> None:
        shown = " ".join(text[start:end].split())
        shown = shown if len(shown) <= _MOST_SHOWN_CHARACTERS else f"{shown[: _MOST_SHOWN_CHARACTERS - 1]}…"
        unit, converts = _unit(text[start:end], plain, end)
        for value, *others in readings:
            smaller = _in_smaller_units(value, unit) if converts else None
            found.append((start, Quantity(value, shown, tuple(others), unit, smaller)))

    def take(read: Callable[[re.Match[str]], Readings], match: re.Match[str]) -> str:
        readings = read(match)
        if not readings:
            return match.group()
        record(match.start(), match.end(), readings)
        return "\0" * len(match.group())

    for pattern, read in _READERS:
        folded = pattern.sub(partial(take, read), folded)
    for start, end, value in spelled_numbers(folded):
        record(start, end, [(str(value),)])
    return tuple(quantity for _, quantity in sorted(found, key=lambda entry: entry[0]))


def _in_smaller_units(value: str, unit: str) -> tuple[str, str] | None:
    """Return 14 days for the 2 of "2 weeks"."""
    if unit not in _SMALLER_UNITS or not value.isdigit():
        return None
    count, smaller = _SMALLER_UNITS[unit]
    return str(int(value) * count), smaller


def _unit(written: str, folded: str, end: int) -> tuple[str, bool]:
    """Return what a number counts, by its own sign or the words behind it, and whether it can be converted.

    Two business days are not 48 hours.
    """
    unit, converts = _unit_behind(written, folded, end)
    if unit in ("", "things") and (further := _RANGE_GOES_ON.match(folded, end)):
        unit_of_range, of_range_converts = _unit_behind("", folded, further.end())
        if unit_of_range not in ("", "things"):
            return unit_of_range, of_range_converts
    return unit, converts


def _unit_behind(written: str, folded: str, end: int) -> tuple[str, bool]:
    for kind, sign, word in _KINDS:
        if sign.search(written) or word.match(folded, end):
            return kind, False
    if time := _TIME.match(folded, end):
        unit = next(unit for unit in _TIME_WORDS if time[unit])
        return unit, not time["business"] and not time["adjective"]
    return ("things", False) if _THINGS.match(folded, end) else ("", False)


def _read_fraction(match: re.Match[str]) -> Readings:
    if match.group() in _SIGNS:
        return [fraction_readings(*_SIGNS[match.group()])]
    if not match["part"]:
        return [fraction_readings(1, 2)]
    count = match["count"].lower()
    return [fraction_readings(_COUNTS.get(count) or int(count), _PARTS[match["part"].lower()])]


def _read_dotted(match: re.Match[str]) -> Readings:
    """Read a version or clause number ("1.2.3"), which may be a continental million ("1.000.000")."""
    text = match.group()
    groups = text.split(".")
    is_million = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    return [(text, "".join(groups))] if is_million else [(text,)]


def _read_number(match: re.Match[str]) -> Readings:
    kind = match.lastgroup or "plain"
    digits = match[kind]
    if kind == "grouped":
        return [(_plain(re.sub("[,']", "", digits)),)]
    if kind == "continental":
        return [(_plain(digits.replace(".", "").replace(",", ".")),)]
    if kind == "spaced":
        return [(_plain(digits.replace(" ", "").replace(",", ".")),)]
    if kind == "comma":
        return [(_plain(digits.replace(",", ".")),)]
    # "1.000" is one in English and a thousand on the continent.
    thousands = (digits.replace(".", ""),) if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits) else ()
    return [(_plain(digits), *thousands)]


_READERS = (
    *DATE_AND_TIME_READERS,
    (_FRACTION, _read_fraction),
    (_DOTTED, _read_dotted),
    (_NUMBER, _read_number),
)


def _plain(digits: str) -> str:
    """Return a decimal number without leading zeros or zeros at the end of its fraction."""
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{fraction}" if fraction else whole.lstrip("0") or "0"


def _loosely_stated(folded: str) -> set[tuple[str, str]]:
    values = {value for pattern, value in _LOOSE if pattern.search(folded)}
    values |= {str(ORDINALS[match.group().lower()]) for match in _ORDINAL.finditer(folded)}
    for match in _DIGIT_GROUPS.finditer(folded):
        groups = re.split("[ -]", match.group())
        values |= {_plain(group) for group in groups} | {_plain("".join(groups))}
    smaller = (_in_smaller_units("1", match["unit"].lower()) for match in _ONE_UNIT.finditer(folded))
    return {(value, "") for value in values} | {one for one in smaller if one}


def _without_pointers(folded: str, *, every_line: bool = False) -> str:
    """Blank out the markers of numbered lists and references to numbered parts.

    A marker is one when the number before or after it marks something too, or when it is a 1 that begins a line.
    ``every_line``: any that begins a line is.
    """

    def is_candidate(match: re.Match[str]) -> bool:
        begins_line = match["line"] is not None
        return begins_line or bool(_SENTENCE_BEFORE.search(folded, max(0, match.start() - 3), match.start()))

    markers = [match for match in _MARKER.finditer(folded) if is_candidate(match)]
    numbers = {int(match["n"]) for match in markers}
    pieces, position = [], 0
    for match in markers:
        n = int(match["n"])
        begins_list = match["line"] is not None and (every_line or n == 1)
        if begins_list or n - 1 in numbers or n + 1 in numbers:
            pieces += [folded[position : match.start()], "\0" * len(match.group())]
            position = match.end()
    return _REFERENCE.sub(lambda match: "\0" * len(match.group()), "".join([*pieces, folded[position:]]))


# Dashes, apostrophes and the fraction slash; the other rules are in ``_folded_character``.
_PLAIN = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-") | dict.fromkeys("\u2018\u2019\u02bc", "'")
_PLAIN |= {"\u2044": "/", "\n": "\n"}


def _folded(text: str) -> str:
    """Return ``text`` with plain digits, dashes, apostrophes and spaces, every character still in its place."""
    return "".join(map(_folded_character, text))


@lru_cache(maxsize=4096)
def _folded_character(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isspace():
        return " "
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    # Full-width letters and signs; superscripts and fractions (category No) mean something else than their digits.
    plain = unicodedata.normalize("NFKC", character) if unicodedata.category(character) != "No" else character
    return plain if len(plain) == 1 else character
