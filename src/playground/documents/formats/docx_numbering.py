"""What Word prints before the paragraphs of a list: one model of a list number (ECMA-376 part 1, 17.9).

A paragraph names a list (``w:num``) and a level. Lists of one definition (``w:abstractNum``) share its counters, save
at a level that a list defines anew (``w:lvl`` inside ``w:lvlOverride``): there it counts on its own. Where the standard
is silent (a level passed over, the reach of ``w:startOverride``) this follows what Open-Xml-PowerTools found out by
comparing with Word and what LibreOffice prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from playground.documents.formats.docx_number_formats import format_number
from playground.documents.formats.ooxml import W, is_on, value, whole

BULLET = "-"
_DEEPEST = 8
_MOST_LINKS = 5
_MOST_PATTERN_CHARACTERS = 40
_WORD = re.compile(r"\w\w")
_OPENING = "\"'\u201c\u2018([$€£"


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed before a paragraph; ``text`` may be empty. ``apart`` tells whether white space follows it."""

    text: str
    depth: int
    apart: bool = True

    def before(self, text: str) -> str:
        """Return the label and ``text`` as one line. Without a gap only punctuation follows: "1" "0 days" is not 10."""
        glued = not self.apart and not (text[:1].isalnum() or text[:1] in _OPENING)
        return f"{self.text}{text}" if glued else f"{self.text} {text}".strip()


@dataclass(frozen=True, slots=True)
class _Level:
    number_format: str = "decimal"
    pattern: str = ""
    start: int = 1
    style_id: str | None = None
    legal: bool = False  # writes all numbers in decimals: "1.1" under "ARTICLE I"
    restart: int | None = None  # 0: never; n: only after a paragraph of the first n levels
    hidden: bool = False
    apart: bool = True


@dataclass(slots=True)
class _List:
    """A ``w:num``: ``own`` levels replace the definition's, ``starts`` are numbers to start again from."""

    key: str
    definition: str
    own: dict[int, _Level] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    restarted: bool = False


@dataclass(slots=True)
class Numbering:
    """Counts list paragraphs in the order of the document."""

    lists: dict[str, _List] = field(default_factory=dict)
    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    # (definition, level, list where it counts on its own) -> (number, when it was last used)
    counters: dict[tuple[str, int, str], tuple[int, int]] = field(default_factory=dict)
    clock: int = 0

    def level_of(self, list_id: str, styles: Iterable[tuple[str, int | None]]) -> int:
        """Return the level that a paragraph style has in a list.

        ``styles`` are the style and those it is based on, nearest first, each with the level that it states. A level
        that names the style (``w:pStyle``) comes before the stated one, as 17.9.23 says.
        """
        entry = self.lists.get(list_id)
        levels = {} if entry is None else self.levels.get(entry.definition, {}) | entry.own
        for style_id, stated in styles:
            linked = next((index for index, level in levels.items() if level.style_id == style_id), stated)
            if linked is not None:
                return linked
        return 0

    def count(self, list_id: str, index: int) -> Label | None:
        """Advance a list by one paragraph and return what is printed before it; None where the list is not defined."""
        entry = self.lists.get(list_id)
        if entry is None:
            return None
        index = min(index, _DEEPEST)
        for above in range(index):  # Word counts a level that is passed over: "1.1.1" straight after "1", then "1.2"
            if not self._runs(entry, above):
                self._set(entry, above, self._start(entry, above))
        restart = None if entry.restarted else entry.starts.get(index)
        if restart is not None:
            # Only the list's first paragraph starts again: Word writes the override for all levels when a user restarts
            # one of them, and the levels above it count on.
            entry.restarted = True
            self._set(entry, index, restart)
        elif self._runs(entry, index):
            self._set(entry, index, self.counters[self._key(entry, index)][0] + 1)
        else:
            self._set(entry, index, self._start(entry, index))
        level = self._level(entry, index)
        if level is None or level.hidden:
            return Label("", index)
        if level.number_format == "bullet" and not _WORD.search(level.pattern):
            return Label(BULLET, index)
        return Label(self._filled(entry, level), index, level.apart)

    def _level(self, entry: _List, index: int) -> _Level | None:
        return entry.own.get(index) or self.levels.get(entry.definition, {}).get(index)

    def _key(self, entry: _List, index: int) -> tuple[str, int, str]:
        return entry.definition, index, entry.key if index in entry.own else ""

    def _set(self, entry: _List, index: int, number: int) -> None:
        self.clock += 1
        self.counters[self._key(entry, index)] = number, self.clock

    def _start(self, entry: _List, index: int) -> int:
        level = self._level(entry, index)
        return entry.starts.get(index, 1 if level is None else level.start)

    def _runs(self, entry: _List, index: int) -> bool:
        """Whether a level counts on: it was used, and no level above that it restarts after was used since."""
        counter = self.counters.get(self._key(entry, index))
        if counter is None:
            return False
        level = self._level(entry, index)
        restart = None if level is None else level.restart
        reach = index if restart is None or restart > index else restart
        return all(self.counters.get(self._key(entry, above), (0, 0))[1] < counter[1] for above in range(reach))

    def _filled(self, entry: _List, level: _Level) -> str:
        def number(match: re.Match[str]) -> str:
            index = int(match[1]) - 1
            shown = self._level(entry, index) or _Level()
            counter = self.counters.get(self._key(entry, index), (self._start(entry, index), 0))
            plain = level.legal and shown.number_format not in ("none", "bullet", "decimalZero")
            return format_number(counter[0], "decimal" if plain else shown.number_format)

        return re.sub(r"%([1-9])", number, level.pattern).strip()


def load_numbering(root: Any | None, list_of_style: dict[str, str]) -> Numbering:
    """Read ``numbering.xml``; ``list_of_style`` names the list of each numbering style."""
    numbering = Numbering()
    if root is None:
        return numbering
    links: dict[str, str] = {}  # definition -> numbering style that holds its levels
    homes: dict[str, str] = {}  # numbering style -> definition that says it is the style's
    for abstract in root.iterfind(W + "abstractNum"):
        definition = abstract.get(W + "abstractNumId", "")
        numbering.levels[definition] = {_index(level): _read_level(level) for level in abstract.iterfind(W + "lvl")}
        link, home = value(abstract, "numStyleLink"), value(abstract, "styleLink")
        if link is not None:
            links[definition] = link
        if home is not None:
            homes.setdefault(home, definition)
    definitions = {num.get(W + "numId", ""): value(num, "abstractNumId") or "" for num in root.iterfind(W + "num")}
    for num in root.iterfind(W + "num"):
        list_id = num.get(W + "numId", "")
        definition = definitions[list_id]
        for _ in range(_MOST_LINKS):
            if definition not in links:
                break
            style = links[definition]
            definition = definitions.get(list_of_style.get(style, ""), homes.get(style, definition))
        entry = numbering.lists[list_id] = _List(list_id, definition)
        for override in num.iterfind(W + "lvlOverride"):
            start, own = whole(value(override, "startOverride")), override.find(W + "lvl")
            if start is not None:
                entry.starts[_index(override)] = start
            if own is not None:
                entry.own[_index(override)] = _read_level(own)
    return numbering


def _index(level: Any) -> int:
    return min(whole(level.get(W + "ilvl")) or 0, _DEEPEST)


def _read_level(level: Any) -> _Level:
    start = whole(value(level, "start"))
    return _Level(
        number_format=_number_format(level),
        pattern=(value(level, "lvlText") or "")[:_MOST_PATTERN_CHARACTERS],
        start=1 if start is None else start,
        style_id=value(level, "pStyle"),
        legal=is_on(level.find(W + "isLgl")),
        restart=whole(value(level, "lvlRestart")),
        hidden=is_on(level.find(f"{W}rPr/{W}vanish")),
        apart=value(level, "suff") != "nothing",
    )


def _number_format(level: Any) -> str:
    """Return the format's name, or the example that stands for a custom one ("001, 002, 003, ...")."""
    # Word wraps a custom format in an alternative: the choice comes first in the file.
    found = next(level.iter(W + "numFmt"), None)
    if found is None:
        return "decimal"
    name = found.get(W + "val", "decimal")
    return str(found.get(W + "format", "decimal") if name == "custom" else name)
