"""The slots of a fact card: what is drawn at random for them, and how it reads in a sentence.

A card's numbers, dates and names are drawn anew for every invented policy, so that a reader trained on them can learn
to read, but no fact.
"""

from __future__ import annotations

import ast
import calendar
import math
import operator
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from playground.errors import TrainingError

_MOST_DRAWS = 60
_EXACT = 1e-6
_YEAR = 2026
_SLOT = re.compile(r"\{([a-z_][a-z0-9_]*)((?::[a-z]+)*)\}")
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_ARITHMETIC = (ast.Expression, ast.BinOp, ast.operator, ast.Name, ast.Constant, ast.expr_context)


@dataclass(frozen=True, slots=True)
class WritingStyle:
    """How one shop writes amounts, dates and times of day."""

    currency: str = "$"
    currency_after: bool = False
    decimal_comma: bool = False
    day_first: bool = False
    clock_24h: bool = False

    def money(self, amount: float) -> str:
        """Return an amount in the shop's currency; whole amounts without cents."""
        number = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
        if self.decimal_comma:
            number = number.replace(",", "_").replace(".", ",").replace("_", ".")
        return f"{number} {self.currency}" if self.currency_after else f"{self.currency}{number}"

    def day(self, day: date) -> str:
        """Return a date without its year."""
        month = calendar.month_name[day.month]
        return f"{day.day} {month}" if self.day_first else f"{month} {day.day}"

    def time(self, hour: int) -> str:
        """Return a full hour."""
        if self.clock_24h:
            return f"{hour}:00"
        return f"{(hour - 1) % 12 + 1} {'am' if hour < 12 else 'pm'}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn value: as it stands in a list or sentence, in its form for one thing, and as a number where it is one."""

    text: str
    one: str
    number: float | None = None
    words: str = ""
    members: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    day: date | None = None


_Slot = Mapping[str, Any]
_Values = Mapping[str, Drawn]


def draw_style(generator: random.Random) -> WritingStyle:
    """Return how one invented shop writes."""
    currency, after, comma, day_first = generator.choice(
        (
            ("$", False, False, False),
            ("$", False, False, False),
            ("£", False, False, True),
            ("€", False, False, True),
            ("€", False, True, True),
            ("EUR", True, False, True),
            ("A$", False, False, True),
            ("CHF", True, False, True),
        )
    )
    return WritingStyle(currency, after, comma, day_first, generator.random() < 0.35)


def draw_slots(slots: Mapping[str, Any], generator: random.Random, style: WritingStyle) -> dict[str, Drawn]:
    """Draw a value for every slot; those that depend on others after them.

    Raises:
        TrainingError: a slot is not written as the format asks, or its conditions cannot be met.
    """
    for _attempt in range(_MOST_DRAWS):
        drawn: dict[str, Drawn] = {}
        waiting = dict(slots)
        while waiting:
            ready = [name for name, slot in waiting.items() if _needs(slot) <= drawn.keys()]
            if not ready:
                raise TrainingError(f"The slots {', '.join(waiting)} need slots that do not exist.")
            values = {name: _draw(waiting.pop(name), drawn, generator, style) for name in ready}
            for name, value in values.items():
                if isinstance(value, dict):
                    drawn |= value
                elif value is not None:
                    drawn[name] = value
            if None in values.values():
                break
        else:
            return drawn
    raise TrainingError(f"No values were found for the slots {', '.join(slots)}; widen their ranges.")


def fill(template: str, values: Mapping[str, Drawn]) -> str:
    """Put the drawn values into a sentence.

    Raises:
        TrainingError: the sentence names a slot that was not drawn, or a form that it does not have.
    """

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            raise TrainingError(f"{{{match[1]}}} stands in a sentence but is no slot of its card: {template[:80]}")
        text = value.text
        for form in match[2].split(":")[1:]:
            if form == "one":
                text = value.one
            elif form in ("words", "both") and value.words:
                text = value.words if form == "words" else f"{value.words} ({value.text})"
            elif form == "cap":
                text = text[:1].upper() + text[1:]
            else:
                raise TrainingError(f"{{{match[1]}:{form}}} has no such form: {template[:80]}")
        return text

    return _SLOT.sub(put, template)


def spelled(number: int) -> str:
    """Return a whole number from 0 to 999 in words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    rest = number % 100
    return f"{_ONES[number // 100]} hundred" + (f" and {spelled(rest)}" if rest else "")


def _not_arithmetic(expression: str) -> TrainingError:
    return TrainingError(f"{expression!r} may only have numbers, slots that are numbers, and + - * /.")


def _needs(slot: Mapping[str, Any]) -> set[str]:
    kind = slot["kind"]
    if kind == "computed":
        nodes = list(ast.walk(ast.parse(str(slot["of"]), mode="eval")))
        if not all(isinstance(node, _ARITHMETIC) for node in nodes):
            raise _not_arithmetic(str(slot["of"]))
        return {node.id for node in nodes if isinstance(node, ast.Name)}
    if kind == "date_after":
        return {slot["date"], slot["days"]}
    return {slot[name] for name in ("above", "below", "of") if name in slot}


def _draw(
    slot: _Slot, drawn: _Values, generator: random.Random, style: WritingStyle
) -> Drawn | dict[str, Drawn] | None:
    """Return a value, several for ``rows``, or None when this draw cannot meet the slot's condition."""
    draw = _KINDS.get(slot["kind"])
    if draw is None:
        raise TrainingError(f"There is no kind of slot {slot['kind']!r}.")
    return draw(slot, drawn, generator, style)


def _number(slot: Mapping[str, Any], drawn: Mapping[str, Drawn], generator: random.Random) -> float | None:
    side = "above" if "above" in slot else "below" if "below" in slot else ""
    if side:
        base = drawn[slot[side]].number
        low, high = slot.get("by", [1, 30])
        if base is None:
            raise TrainingError(f"{slot[side]} is no number.")
        away = generator.randint(math.ceil(low), math.floor(high))
        value = math.floor(base) + away if side == "above" else math.ceil(base) - away
        return float(value) if value >= 1 else None
    if "values" in slot:
        return float(generator.choice(slot["values"]))
    low, high, step = float(slot["low"]), float(slot["high"]), float(slot.get("step", 1))
    return round(low + step * generator.randint(0, int((high - low) / step + 1e-9)), 2)


def _quantity(kind: str, number: float | None, style: WritingStyle) -> Drawn | None:
    if number is None:
        return None
    whole = int(number) if number == int(number) else None
    words = spelled(whole) if whole is not None and 0 <= whole < 1000 else ""
    plain = f"{whole:,}" if whole is not None else f"{number:g}"
    if kind == "money":
        text = style.money(number)
        return Drawn(text, text, number)
    if kind == "percent":
        return Drawn(f"{plain}%", f"{plain}%", number, f"{words} per cent" if words else "")
    return Drawn(plain, plain, number, words)


def _computed(expression: str, drawn: Mapping[str, Drawn]) -> float:
    """Return the value of an expression of slots, numbers and + - * /; nothing else is evaluated."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return float(_OPERATORS[type(node.op)](value(node.left), value(node.right)))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        number = drawn[node.id].number if isinstance(node, ast.Name) else None
        if number is None:
            raise _not_arithmetic(expression)
        return number

    return value(ast.parse(expression, mode="eval").body)


def _dated(day: date, style: WritingStyle) -> Drawn:
    text = style.day(day)
    return Drawn(text, text, day=day)


def _plain(text: str) -> Drawn:
    many, _bar, one = text.partition("|")
    return Drawn(many, one or many)


def _sampled(slot: Mapping[str, Any], generator: random.Random) -> Drawn:
    values: Sequence[str] = slot["values"]
    count = slot.get("count", 3)
    low, high = (count, count) if isinstance(count, int) else count
    members = tuple(generator.sample(values, min(len(values) - 1, generator.randint(low, high))))
    names = [member.partition("|")[0] for member in members]
    joined = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return Drawn(joined, joined, members=members, rest=tuple(value for value in values if value not in members))


def _draw_quantity(slot: _Slot, drawn: _Values, generator: random.Random, style: WritingStyle) -> Drawn | None:
    return _quantity(slot["kind"], _number(slot, drawn, generator), style)


def _draw_computed(slot: _Slot, drawn: _Values, _generator: random.Random, style: WritingStyle) -> Drawn | None:
    value = _computed(str(slot["of"]), drawn)
    exact = value * (100 if slot["as"] == "money" else 1)
    if value <= 0 or abs(exact - round(exact)) > _EXACT:
        return None
    return _quantity(str(slot["as"]), round(value, 2), style)


def _draw_date(_slot: _Slot, _drawn: _Values, generator: random.Random, style: WritingStyle) -> Drawn:
    return _dated(date(_YEAR, 1, 1) + timedelta(generator.randrange(365)), style)


def _draw_date_after(slot: _Slot, drawn: _Values, _generator: random.Random, style: WritingStyle) -> Drawn | None:
    start, days = drawn[slot["date"]].day, drawn[slot["days"]].number
    return None if start is None or days is None else _dated(start + timedelta(int(days)), style)


def _draw_row(slot: _Slot, _drawn: _Values, generator: random.Random, _style: WritingStyle) -> dict[str, Drawn]:
    row = generator.choice(slot["values"])
    return {name: _plain(str(value)) for name, value in zip(slot["names"], row, strict=True)}


def _draw_member(slot: _Slot, drawn: _Values, generator: random.Random, _style: WritingStyle) -> Drawn:
    base = drawn[slot["of"]]
    return _plain(generator.choice(base.members if slot["kind"] == "member" else base.rest))


_KINDS: dict[str, Callable[[_Slot, _Values, random.Random, WritingStyle], Drawn | dict[str, Drawn] | None]] = {
    **dict.fromkeys(("number", "money", "percent"), _draw_quantity),
    "computed": _draw_computed,
    "date": _draw_date,
    "date_after": _draw_date_after,
    "weekday": lambda _slot, _drawn, generator, _style: _plain(generator.choice(calendar.day_name[:])),
    "time": lambda _slot, _drawn, generator, style: _plain(style.time(generator.randint(8, 20))),
    "choice": lambda slot, _drawn, generator, _style: _plain(generator.choice(slot["values"])),
    "rows": _draw_row,
    "sample": lambda slot, _drawn, generator, _style: _sampled(slot, generator),
    **dict.fromkeys(("member", "outsider"), _draw_member),
}
