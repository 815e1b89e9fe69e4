"""What the styles of a DOCX say of a paragraph or a run: heading, list, hidden, struck through, raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from playground.documents.formats.ooxml import W, is_on, value, whole

_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)
_MAX_BASED_ON = 20
_RAISED_HALF_POINTS = 4  # text moved up by hand; a point or less only lines it up
_CHARACTER_STYLE = W + "rStyle"
_POSITIONS = {"superscript": 1, "subscript": -1, "baseline": 0}


@dataclass(frozen=True, slots=True)
class Look:
    """How a run is shown, as far as it matters to reading; None where nothing is said.

    ``position`` is 1 for raised, -1 for lowered, 0 for neither. ``font`` is set where letters stand for symbols.
    """

    hidden: bool | None = None
    struck: bool | None = None
    twice_struck: bool | None = None
    position: int | None = None
    font: str | None = None

    @property
    def crossed_out(self) -> bool:
        """Whether a line or two go through the text."""
        return bool(self.struck or self.twice_struck)


PLAIN = Look()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Style:
    """A style with what it inherits. ``heading`` is 0 for "Title", 1 to 9 for headings, else None.

    ``list_id`` names its list; "0" is none. ``chain`` holds the style and those it is based on, nearest first, each
    with the list level that it states.
    """

    name: str = ""
    heading: int | None = None
    list_id: str | None = None
    chain: tuple[tuple[str, int | None], ...] = ()
    look: Look = PLAIN


NO_STYLE = Style()


@dataclass(slots=True)
class Styles:
    """The styles of a document by id; ``default`` is that of paragraphs that name none."""

    by_id: dict[str, Style] = field(default_factory=dict)
    default: Style = NO_STYLE
    defaults: Look = PLAIN  # of all text of the document
    list_of: dict[str, str] = field(default_factory=dict)  # numbering style -> its list
    _looks: dict[tuple[int, str | None], Look] = field(default_factory=dict)  # by paragraph and character style

    def of_paragraph(self, properties: Any | None) -> Style:
        """Return the style of a paragraph with these properties (``w:pPr``)."""
        style_id = value(properties, "pStyle")
        return self.default if style_id is None else self.by_id.get(style_id, self.default)

    def look(self, properties: Any | None, style: Style) -> Look:
        """Return how a run with these properties (``w:rPr``) in a paragraph of ``style`` is shown.

        Hidden and struck through are toggles (17.7.3): what the run says itself counts; else they are on where the
        document's defaults or just one of paragraph and character style turns them on.
        """
        if properties is None:
            return self._styled(style, None)
        named = properties.find(_CHARACTER_STYLE)
        styled = self._styled(style, None if named is None else named.get(W + "val"))
        direct = read_look(properties)
        if direct is PLAIN:
            return styled
        return Look(
            styled.hidden if direct.hidden is None else direct.hidden,
            styled.struck if direct.struck is None else direct.struck,
            styled.twice_struck if direct.twice_struck is None else direct.twice_struck,
            styled.position if direct.position is None else direct.position,
            styled.font if direct.font is None else direct.font,
        )

    def _styled(self, style: Style, character_style: str | None) -> Look:
        """Return how the styles alone show a run."""
        known = self._looks.get((id(style), character_style))
        if known is None:
            character = NO_STYLE if character_style is None else self.by_id.get(character_style, NO_STYLE)
            nearest = (character.look, style.look, self.defaults)
            known = self._looks[id(style), character_style] = Look(
                _toggled(*(look.hidden for look in nearest)),
                _toggled(*(look.struck for look in nearest)),
                _nearest(*(look.twice_struck for look in nearest)),
                _nearest(*(look.position for look in nearest)),
                _nearest(*(look.font for look in nearest)),
            )
        return known


def _toggled(character: bool | None, paragraph: bool | None, default: bool | None) -> bool:
    return bool(default) or bool(paragraph) != bool(character)


def _nearest(*said: _T | None) -> _T | None:
    return next((one for one in said if one is not None), None)


def read_look(properties: Any) -> Look:
    """Read what run properties (``w:rPr``) say themselves."""
    hidden = struck = twice = position = font = None
    for child in properties:
        tag = child.tag
        if tag == W + "vanish" or tag == W + "webHidden":
            hidden = is_on(child) or bool(hidden)
        elif tag == W + "strike":
            struck = is_on(child)
        elif tag == W + "dstrike":
            twice = is_on(child)
        elif tag == W + "vertAlign":
            position = _POSITIONS.get(child.get(W + "val", ""), 0)
        elif tag == W + "position" and position is None:
            moved = child.get(W + "val", "")
            raised = whole(moved.removeprefix("-")) or 0
            if raised >= _RAISED_HALF_POINTS:
                position = -1 if moved.startswith("-") else 1
        elif tag == W + "rFonts":
            named = child.get(W + "ascii") or child.get(W + "hAnsi")
            font = None if named is None else named.lower()
    look = Look(hidden, struck, twice, position, font)
    return PLAIN if look == PLAIN else look


def read_styles(root: Any | None) -> Styles:
    """Read ``styles.xml``, inheritance resolved."""
    styles = Styles()
    if root is None:
        return styles
    raw = {style.get(W + "styleId"): style for style in root.iterfind(W + "style") if style.get(W + "styleId")}
    for style_id, element in raw.items():
        styles.by_id[style_id] = style = _resolve(style_id, raw)
        if element.get(W + "type") == "numbering" and style.list_id is not None:
            styles.list_of[style_id] = style.list_id
    default_id = next(
        (key for key, style in raw.items() if style.get(W + "default") in ("1", "true", "on")
         and style.get(W + "type", "paragraph") == "paragraph"),
        "Normal",
    )  # fmt: skip
    styles.default = styles.by_id.get(default_id, NO_STYLE)
    defaults = root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
    if defaults is not None:
        styles.defaults = replace(read_look(defaults), font=None)
    return styles


def _ancestry(style_id: str, raw: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    current: str | None = style_id
    for _ in range(_MAX_BASED_ON):
        style = raw.get(current or "")
        if style is None:
            return
        yield current or "", style
        current = value(style, "basedOn")


def _resolve(style_id: str, raw: dict[str, Any]) -> Style:
    heading: int | None = None
    list_id: str | None = None
    chain = []
    looks = []
    for name, style in _ancestry(style_id, raw):
        properties, run_properties = style.find(W + "pPr"), style.find(W + "rPr")
        if heading is None:
            heading = _heading_of(style)
        list_id = list_id or value(properties, "numPr/numId")
        chain.append((name, whole(value(properties, "numPr/ilvl"))))
        if run_properties is not None:
            looks.append(read_look(run_properties))
    look = PLAIN
    if looks:
        look = Look(
            _nearest(*(one.hidden for one in looks)),
            _nearest(*(one.struck for one in looks)),
            _nearest(*(one.twice_struck for one in looks)),
            _nearest(*(one.position for one in looks)),
            _nearest(*(one.font for one in looks)),
        )
    return Style((value(raw[style_id], "name") or "").lower(), heading, list_id, tuple(chain), look)


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
    level = whole(value(properties, "outlineLvl"))
    return level + 1 if level is not None and level < 9 else None
