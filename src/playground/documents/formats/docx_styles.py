"""What a DOCX keeps outside its body: which styles are headings, and how lists count."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playground.documents.formats.ooxml import W

_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)
_MAX_BASED_ON = 20
BULLET = "-"


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph style with what it inherits. ``heading`` is 0 for "Title", 1 to 9 for headings, else None.

    ``numbering`` is (list id, level or None).
    """

    name: str = ""
    heading: int | None = None
    numbering: tuple[str, int | None] | None = None


def value(element: Any | None, path: str) -> str | None:
    """Return the ``w:val`` of the element at ``path`` ("pPr/pStyle"), or None."""
    if element is None:
        return None
    found = element.find("/".join(W + step for step in path.split("/")))
    result: str | None = None if found is None else found.get(W + "val")
    return result


def read_styles(root: Any | None) -> dict[str, Style]:
    """Read ``styles.xml``: paragraph styles by id, inheritance resolved."""
    if root is None:
        return {}
    raw = {style.get(W + "styleId"): style for style in root.iterfind(W + "style") if style.get(W + "styleId")}
    return {style_id: _resolve(style_id, raw) for style_id in raw}


def _resolve(style_id: str, raw: dict[str, Any]) -> Style:
    heading: int | None = None
    numbering: tuple[str, int | None] | None = None
    current: str | None = style_id
    for _ in range(_MAX_BASED_ON):
        style = raw.get(current or "")
        if style is None:
            break
        if heading is None:
            heading = _heading_of(style)
        if numbering is None:
            numbering = read_numbering(style.find(W + "pPr"))
        current = value(style, "basedOn")
    return Style((value(raw[style_id], "name") or "").lower(), heading, numbering)


def _heading_of(style: Any) -> int | None:
    name = value(style, "name") or ""
    match = _HEADING_NAME.fullmatch(name)
    if match:
        return int(match[1])
    if name.lower() == "title":
        return 0
    return outline_level(style.find(W + "pPr"))


def outline_level(properties: Any | None) -> int | None:
    """Return the heading level 1 to 9 that an outline level gives, or None (9 in the file means body text)."""
    level = value(properties, "outlineLvl")
    return int(level) + 1 if level is not None and level.isdigit() and int(level) < 9 else None


def read_numbering(properties: Any | None) -> tuple[str, int | None] | None:
    """Return (list id, level) from paragraph properties; list id "0" switches numbering off."""
    list_id = value(properties, "numPr/numId")
    if list_id is None:
        return None
    level = value(properties, "numPr/ilvl")
    return list_id, int(level) if level is not None and level.isdigit() else None


@dataclass(frozen=True, slots=True)
class _Level:
    number_format: str = "bullet"
    pattern: str = ""
    start: int = 1
    style_id: str | None = None
    legal: bool = False  # writes all numbers in decimals: "1.1" under "ARTICLE I"


@dataclass(slots=True)
class Numbering:
    """Counts list paragraphs as Word does: lists of one definition share their counters."""

    definition_of: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    restarts: dict[str, dict[int, int]] = field(default_factory=dict)
    counters: dict[str, dict[int, int]] = field(default_factory=dict)

    def label(self, list_id: str, level: int | None, style_id: str | None) -> tuple[str, int]:
        """Advance the list and return (the label of this paragraph such as "2.1" or "-", its level)."""
        definition = self.definition_of.get(list_id, "")
        levels = self.levels.get(definition, {})
        if level is None:
            level = next((n for n, entry in levels.items() if entry.style_id and entry.style_id == style_id), 0)
        counters = self.counters.setdefault(definition, {})
        for restarted, start in self.restarts.pop(list_id, {}).items():
            counters[restarted] = start - 1
        entry = levels.get(level, _Level())
        counters[level] = counters.get(level, entry.start - 1) + 1
        for deeper in [n for n in counters if n > level]:
            del counters[deeper]
        if entry.number_format == "bullet":
            return BULLET, level
        return _fill(entry, levels, counters), level


def load_numbering(root: Any | None) -> Numbering:
    """Read ``numbering.xml``."""
    numbering = Numbering()
    if root is None:
        return numbering
    for abstract in root.iterfind(W + "abstractNum"):
        levels = {_level_index(level): _read_level(level) for level in abstract.iterfind(W + "lvl")}
        numbering.levels[abstract.get(W + "abstractNumId", "")] = levels
    for entry in root.iterfind(W + "num"):
        list_id = entry.get(W + "numId", "")
        numbering.definition_of[list_id] = value(entry, "abstractNumId") or ""
        for override in entry.iterfind(W + "lvlOverride"):
            start = value(override, "startOverride")
            if start is not None and start.isdigit():
                numbering.restarts.setdefault(list_id, {})[_level_index(override)] = int(start)
    return numbering


def _level_index(level: Any) -> int:
    index = level.get(W + "ilvl", "0")
    return int(index) if index.isdigit() else 0


def _read_level(level: Any) -> _Level:
    start = value(level, "start") or "1"
    return _Level(
        number_format=value(level, "numFmt") or "decimal",
        pattern=(value(level, "lvlText") or "")[:40],
        start=int(start) if start.isdigit() else 1,
        style_id=value(level, "pStyle"),
        legal=_is_legal(level),
    )


def _is_legal(level: Any) -> bool:
    switch = level.find(W + "isLgl")
    return switch is not None and switch.get(W + "val", "true") not in ("0", "false", "off")


def _fill(numbered: _Level, levels: dict[int, _Level], counters: dict[int, int]) -> str:
    def number(match: re.Match[str]) -> str:
        level = int(match[1]) - 1
        entry = levels.get(level, _Level("decimal"))
        number_format = "decimal" if numbered.legal and entry.number_format != "none" else entry.number_format
        return format_number(counters.get(level, entry.start), number_format)

    return re.sub(r"%(\d)", number, numbered.pattern).strip()


def format_number(number: int, number_format: str) -> str:
    """Write a counter as Word's ``numFmt`` says; formats we do not know are written in decimals."""
    if number_format == "none":
        return ""
    if number_format in ("lowerLetter", "upperLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * min(1 + (number - 1) // 26, 8)
        return letter.upper() if number_format == "upperLetter" else letter
    if number_format in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        roman = _roman(number)
        return roman.upper() if number_format == "upperRoman" else roman
    return f"{number:02d}" if number_format == "decimalZero" else str(number)


def _roman(number: int) -> str:
    steps = (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x")
    parts = []
    for size, sign in (*steps, (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
        parts.append(sign * (number // size))
        number %= size
    return "".join(parts)
