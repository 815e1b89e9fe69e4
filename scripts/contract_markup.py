"""The markup of the sample contracts' sources: text, structure, annotation and tracked changes in one file.

One paragraph a line: "# " title, "## " and "### " headings, "> " centred lines, "| a | b |" table rows, "1.1 ",
"(a) ", "(i) " clauses; "@head left | right", "@foot text", "@toc", "@page", "@columns" ... "@end", "@missing labels".
``{Label; Label: text}`` annotates text, ``[+text+]`` and ``[-text-]`` are tracked insertions and deletions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["title", "heading", "subheading", "centred", "row", "clause", "paragraph", "directive"]
Change = Literal["", "ins", "del"]
Runs = tuple[tuple[str, Change], ...]

_TOKEN = re.compile(r"(\[\+|\+\]|\[-|-\]|\{[A-Z][^:{}]*: |\})")
_NUMBER = re.compile(r"(\d+\.\d+|\d+\.|\([a-z]+\)|\([A-Z]\)|\(\d\)) (?=\S)")
_ARTICLE = re.compile(r"ARTICLE [IVX]+ (?=\S)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a source. ``number`` is the clause's own; a table row has ``cells``, everything else one cell."""

    kind: Kind
    cells: tuple[Runs, ...]
    number: str = ""

    @property
    def text(self) -> str:
        """The text with all changes accepted, without the number."""
        return " ".join(accepted(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed source; ``gold`` are (label, text) pairs in the order of the text."""

    lines: tuple[Line, ...]
    gold: tuple[tuple[str, str], ...]
    settings: dict[str, str]

    @property
    def title(self) -> str:
        return next(line.text for line in self.lines if line.kind == "title")


def accepted(runs: Runs) -> str:
    """Return the text of runs with all changes accepted."""
    return "".join(text for text, change in runs if change != "del")


def parse_source(source: str) -> Source:
    """Parse the markup that the docstring of this module describes."""
    kinds: dict[str, Kind] = {"#": "title", "##": "heading", "###": "subheading", ">": "centred"}
    lines: list[Line] = []
    gold: list[tuple[str, str]] = []
    settings: dict[str, str] = {}
    for raw in source.splitlines():
        mark, _, rest = raw.partition(" ")
        if mark in ("@head", "@foot", "@missing"):
            settings[mark[1:]] = rest
        elif mark.startswith("@"):
            lines.append(Line("directive", (((raw, ""),),)))
        elif mark == "|":
            cells = [cell.strip() for cell in raw.strip("|").split("|")]
            lines.append(Line("row", tuple(_parse_runs(cell, gold) for cell in cells)))
        elif mark in kinds:
            number = _ARTICLE.match(rest)
            runs = _parse_runs(rest[number.end() :] if number else rest, gold)
            lines.append(Line(kinds[mark], (runs,), number[0].strip() if number else ""))
        elif raw.strip():
            number = _NUMBER.match(raw)
            runs = _parse_runs(raw[number.end() :] if number else raw, gold)
            lines.append(Line("clause" if number else "paragraph", (runs,), number[1] if number else ""))
    return Source(tuple(lines), tuple(gold), settings)


def _parse_runs(marked: str, gold: list[tuple[str, str]]) -> Runs:
    """Return the runs of a marked-up text and add what it annotates to ``gold``."""
    changes: dict[str, Change] = {"[+": "ins", "[-": "del", "+]": "", "-]": ""}
    runs: list[tuple[str, Change]] = []
    change: Change = ""
    labels, first = "", 0
    for part in _TOKEN.split(marked):
        if part in changes:
            change = changes[part]
        elif part.startswith("{"):
            labels, first = part[1:-2], len(runs)
        elif part == "}":
            annotated = " ".join(accepted(tuple(runs[first:])).split())
            gold += [(label, annotated) for label in labels.split("; ")]
        elif part:
            runs.append((part, change))
    return tuple(runs)


def with_typographic_quotes(marked: str) -> str:
    """Return a source with curly quotation marks and apostrophes."""
    opened = re.sub(r'(?m)(^|(?<=[\s(+-]))"', "\u201c", marked)
    return opened.replace('"', "\u201d").replace("'", "\u2019")
