"""What can be seen of a paragraph's runs, bit by bit: no deletions, nothing hidden, nothing struck through.

Reading takes the text from here, and the Word report finds the places of its comments by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from playground.documents.formats.docx_fields import DELETED
from playground.documents.formats.docx_math import math_text
from playground.documents.formats.docx_styles import Look, Style, Styles
from playground.documents.formats.docx_symbols import is_symbol_font, sign, signs
from playground.documents.formats.ooxml import MC, M, W

TEXT_BOX = W + "txbxContent"
FALLBACK = MC + "Fallback"
INSERTED = frozenset(W + tag for tag in ("ins", "moveTo"))
_TEXT, _RUN, _SYMBOL, _HYPHEN, _CONTROL = (W + tag for tag in ("t", "r", "sym", "noBreakHyphen", "sdt"))
_PROPERTIES = W + "rPr"
_FORMULA = M + "oMath"
_TYPED = {W + "tab": "\t", W + "ptab": "\t", W + "br": "\n", W + "cr": "\n"}
_CHARACTERS = frozenset((_TEXT, _HYPHEN, _SYMBOL, _FORMULA, *_TYPED))
_NOTE_REFERENCES = {W + "footnoteReference": "footnote", W + "endnoteReference": "endnote"}
# Never part of the text: properties (they hold old formatting and deleted marks), field codes, old versions.
_SKIPPED = frozenset(
    W + tag for tag in ("pPr", "rPr", "instrText", "delText", "delInstrText", "tblPr", "sectPr", "sdtPr")
)
_SKIPPED |= {FALLBACK}
_PICTURES = (W + "drawing", W + "pict", W + "object", MC + "AlternateContent")
GAP = "\x00"  # no XML holds it. Two words beside it stay apart: white space went with struck text, or a line's end
_BREAKS = frozenset((_CONTROL, W + "fldChar"))


class Bit(NamedTuple):
    """A piece of a paragraph's text.

    ``element`` holds just these characters in the file; it is None for what is drawn otherwise (a symbol, a formula, a
    tab) and, with no text, where something stands that may be read as text (a form field). ``position`` is 1 for raised
    and -1 for lowered text.
    """

    element: Any | None
    text: str
    position: int = 0


@dataclass(slots=True)
class Seen:
    """What was met on the way and is not in the bits."""

    revised: bool = False
    hidden: bool = False
    struck_words: int = 0
    struck_places: int = 0
    boxes: list[Any] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)  # ("footnote", id), as referred to
    striking: bool = False  # the last text met was struck through

    def strike(self, text: str) -> None:
        """Count struck text; runs that follow one another are one place."""
        words = len(text.split())
        self.struck_words += words
        if words and not self.striking:
            self.struck_places += 1
        self.striking = self.striking or bool(words)


def bits_of(element: Any, style: Style, styles: Styles, seen: Seen, look: Look | None = None) -> Iterator[Bit]:
    """Yield what can be seen of a paragraph of ``style``, or of a part of it, tracked changes accepted.

    Text boxes and notes are put into ``seen``: they are paragraphs of their own.
    """
    position = 0 if look is None else look.position or 0
    for child in element:
        tag = child.tag
        if tag == _RUN:
            yield from _run(child, style, styles, seen)
        elif tag in _CHARACTERS:
            yield _characters(child, look, position)
        elif tag in DELETED:
            seen.revised = True
        elif tag in _NOTE_REFERENCES:
            seen.notes.append((_NOTE_REFERENCES[tag], child.get(W + "id", "")))
        elif tag == TEXT_BOX:
            seen.boxes.append(child)
        elif tag not in _SKIPPED:
            seen.revised = seen.revised or tag in INSERTED
            stands_apart = tag in _BREAKS
            if stands_apart:
                yield Bit(None, "", position)
            yield from bits_of(child, style, styles, seen, look)
            if stands_apart:
                yield Bit(None, "", position)


def _characters(element: Any, look: Look | None, position: int) -> Bit:
    tag = element.tag
    if tag == _TEXT:
        text = element.text or ""
        if look is not None and look.font is not None and is_symbol_font(look.font):
            return _in_symbol_font(look.font, text, position)
        return Bit(element, text, position)
    if tag == _HYPHEN:
        return Bit(element, "-", position)
    if tag == _SYMBOL:
        return Bit(None, _sign(element), position)
    return Bit(None, math_text(element)) if tag == _FORMULA else Bit(None, _TYPED[tag], position)


def _run(run: Any, style: Style, styles: Styles, seen: Seen) -> Iterator[Bit]:
    look = styles.look(run.find(_PROPERTIES), style)
    if look.hidden:
        seen.hidden = seen.hidden or bool("".join(run.itertext(W + "t")).strip())
        return
    if look.crossed_out:
        struck = "".join(bit.text for bit in bits_of(run, style, styles, Seen(), look) if bit.text != GAP)
        seen.strike(struck)
        if struck[:1].isspace() or struck[-1:].isspace():
            yield Bit(None, GAP)
        for picture in run.iterchildren(*_PICTURES):  # the line goes through letters, not through a text box
            yield from bits_of(picture, style, styles, seen, look)
        return
    shown = False
    for bit in bits_of(run, style, styles, seen, look):
        shown = shown or bool(bit.text.strip())
        yield bit
    if shown:
        seen.striking = False


def _in_symbol_font(font: str, text: str, position: int) -> Bit:
    # Word writes the letters of a symbol font into a range for private use; in Symbol plain letters are often a slip.
    if font == "symbol":
        return Bit(None, "".join(sign(font, ord(one)) if ord(one) >= 0xA0 else one for one in text), position)
    return Bit(None, signs(font, text), position)


def _sign(symbol: Any) -> str:
    code = symbol.get(W + "char", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,5}", code):
        return ""
    return sign(symbol.get(W + "font", "").lower(), int(code, 16))


_UNIT = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,2}$")  # "m", "km", "x": what stands before a power
_TAIL_CHARACTERS = 4


class LineText:
    """Joins bits into a line so that raised and lowered digits stay apart from those beside them.

    "30" and a raised "1" are "30 1", never 301; "$49" and a raised "99" are "$49 99"; "1st" and "m2" stay whole.
    """

    __slots__ = ("_gap", "_parts", "_position", "_tail")

    def __init__(self, text: str = "") -> None:
        self._parts = [text]
        self._position = 0
        self._tail = text[-_TAIL_CHARACTERS:]
        self._gap = False

    def add(self, text: str, position: int = 0) -> None:
        """Append a bit's text."""
        if not text:
            return
        if text == GAP:
            self._gap = True
            return
        if self._tail:
            gap = "" if position == self._position else _gap(self._tail, self._position, text, position)
            if self._gap and self._tail[-1].isalnum() and text[0].isalnum():
                gap = " "
            self._parts.append(gap)
        self._parts.append(text)
        self._position, self._gap = position, False
        self._tail = (self._tail + text)[-_TAIL_CHARACTERS:]

    def __str__(self) -> str:
        return "".join(self._parts)


def _gap(before: str, position_before: int, text: str, position: int) -> str:
    """Return what keeps a number from changing where text moves up or down."""
    last, first = before[-1], text[0]
    if last.isdigit() and position > 0:
        if first in "-\u2212\u2013" and text[1:2].isdigit():
            return "^"
        return " " if first.isdigit() else ""
    if last.isdigit() and first.isdigit():
        return " "
    if position > 0 and first.isdigit():
        # A note's number: "days 1", "30. 1"; powers of short units and variables stay ("m2", "x2").
        glued = last.isspace() or last in "([{/" or bool(_UNIT.search(before))
        return "" if glued else " "
    return " " if position_before > 0 and last.isdigit() and first.isalpha() else ""
