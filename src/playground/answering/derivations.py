"""What a rule yields for the numbers of a question: "within 60 days" makes May 3 July 2, "10%" makes $640 into $64.

Only to find the sentence that an answer was worked out from; whether the rule applies is for the reader to judge, and
a number that was worked out is still one that no passage states. Steps over two rules ($49 and 10%) are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from playground.text.quantities import Quantity, stated_quantities

__all__ = ["derived_values"]

_MOST_QUANTITIES = 12  # of question and rule each, so that the work stays small
_MOST_DAYS = 400
_YEARS = (2025, 2028)  # an ordinary and a leap year: a date without its year may lie in either
_DAY = re.compile(r"\d\d-\d\d")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,4})?")


def derived_values(question: str, rule: str) -> frozenset[str]:
    """Return values, as in ``Quantity.value``, that ``rule`` yields for the dates and amounts in ``question``.

    A date and a number of days: the date as many days later. An amount and a percentage: the part, what remains
    without it, and the sum. Two other numbers: difference and product.
    """
    asked = stated_quantities(question)[:_MOST_QUANTITIES]
    ruled = stated_quantities(rule)[:_MOST_QUANTITIES]
    days = {int(n) for quantity in ruled for n in _numbers(quantity) if n == int(n) and 0 < n <= _MOST_DAYS}
    dates = {reading for quantity in asked for reading in quantity.readings if _DAY.fullmatch(reading)}
    values = {value for day in dates for value in _days_later(day, days)}
    for quantity in asked:
        for amount in _numbers(quantity):
            for other in ruled:
                values.update(_amounts(amount, other))
    return frozenset(values)


def _numbers(quantity: Quantity) -> list[Decimal]:
    return [Decimal(reading) for reading in quantity.readings if _NUMBER.fullmatch(reading)]


def _days_later(day: str, days: set[int]) -> Iterator[str]:
    month, day_of_month = map(int, day.split("-"))
    for year in _YEARS:
        try:
            start = date(year, month, day_of_month)
        except ValueError:  # 29 February, or a day that no month has
            continue
        yield from (f"{start + timedelta(n):%m-%d}" for n in days)


def _amounts(amount: Decimal, rule: Quantity) -> Iterator[str]:
    is_share = re.search(r"%|per\s?cent", rule.text)
    for number in _numbers(rule):
        share = amount * number / 100
        results = (share, amount - share, amount + share) if is_share else (amount - number, amount * number)
        for result in results:
            if result > 0:
                text = f"{result:.2f}"
                yield text.rstrip("0").rstrip(".")
