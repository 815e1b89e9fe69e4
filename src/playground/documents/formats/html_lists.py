"""What a browser prints before the items of an HTML list (HTML standard, "The ol element" and "The li element")."""

from __future__ import annotations

import re
from typing import Any

from playground.documents.formats.html_styles import Style

_INTEGER = re.compile(r"\s*([+-]?\d{1,6})")
_KIND_OF_TYPE = {"1": "decimal", "a": "lower-alpha", "A": "upper-alpha", "i": "lower-roman", "I": "upper-roman"}
_ALIASES = {"lower-latin": "lower-alpha", "upper-latin": "upper-alpha"}
_KINDS = (*_KIND_OF_TYPE.values(), "decimal-leading-zero", *_ALIASES, "disc", "circle", "square", "none")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
BULLET = "- "


class ItemMarkers:
    """Counts the items of one open list."""

    def __init__(self, element: Any, styles: dict[Any, Style]) -> None:
        """``element`` is an ``ol``, ``ul`` or ``menu``; ``styles`` come from ``read_styles``."""
        self._styles = styles
        self._ordered = element.tag == "ol"
        self._kind = self._kind_of(element) or "decimal"
        self._step = -1 if element.get("reversed") is not None else 1
        first = _integer(element.get("start"))
        if first is None:
            first = 1 if self._step == 1 else len(element.findall("li"))
        self._next = first

    def marker(self, item: Any) -> str:
        """Return what stands before an ``li``, with a space at its end; "" where the list shows no number."""
        if not self._ordered:
            return BULLET
        value = _integer(item.get("value"))
        number = self._next if value is None else value
        self._next = number + self._step
        kind = self._kind_of(item) or self._kind
        if kind in ("disc", "circle", "square"):
            return BULLET
        return "" if kind == "none" else f"{numeral(number, kind)}. "

    def _kind_of(self, element: Any) -> str:
        style = self._styles.get(element, {})
        named = [word for name in ("list-style-type", "list-style") for word in style.get(name, "").split()]
        kind = next((word for word in named if word in _KINDS), "") or _KIND_OF_TYPE.get(element.get("type", ""), "")
        return _ALIASES.get(kind, kind)


def numeral(number: int, kind: str) -> str:
    """Return a number as a list prints it: ``kind`` is a ``list-style-type`` of CSS. Beyond its range it is decimal."""
    if kind in ("lower-alpha", "upper-alpha") and number > 0:
        letters = ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("a") + rest) + letters
        return letters.upper() if kind == "upper-alpha" else letters
    if kind in ("lower-roman", "upper-roman") and 0 < number < 4000:
        roman = ""
        for value, letters in _ROMAN:
            count, number = divmod(number, value)
            roman += letters * count
        return roman.upper() if kind == "upper-roman" else roman
    return f"{number:02d}" if kind == "decimal-leading-zero" else str(number)


def _integer(value: str | None) -> int | None:
    """Read an integer as HTML does: what follows the digits is ignored."""
    match = _INTEGER.match(value or "")
    return int(match[1]) if match else None
