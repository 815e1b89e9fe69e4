"""Fields and content controls of a DOCX, put into its text as Word shows them.

A form field keeps its choice in the mark where it begins, not in text; a field's instruction may hold the results of
other fields, which are not shown. ``settle_fields`` changes the tree so that whoever walks it needs to know neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.documents.formats.docx_symbols import EMPTY, TICKED, sign
from playground.documents.formats.ooxml import W14, W, is_on, value, whole

DELETED = frozenset(W + tag for tag in ("del", "moveFrom"))
_MARK, _INSTRUCTION = W + "fldChar", W + "instrText"
_SHOWN = (W + "t", W + "sym", W + "tab", W + "br", W + "cr", W + "noBreakHyphen")
_DEEPEST = 50  # fields in one another; Word's own limit is 20
_COMPUTED = re.compile(r"\s*(?:LISTNUM|AUTONUM|AUTONUMLGL|AUTONUMOUT)\b", re.IGNORECASE)
_BUTTON = re.compile(r"\s*(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s+(.*)", re.IGNORECASE | re.DOTALL)
_SYMBOL = re.compile(r"\s*SYMBOL\s+(0x[0-9a-f]{1,5}|\d{1,6})\b.*?\\f\s+\"?([^\"\\]{1,40})", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class ComplexField:
    """A field between marks in the text: ``marks`` are those, ``codes`` hold its instruction.

    ``unseen`` is what stands in the instruction as if it were text, ``result`` what Word shows.
    """

    marks: list[Any]
    codes: list[Any] = field(default_factory=list)
    unseen: list[Any] = field(default_factory=list)
    result: list[Any] = field(default_factory=list)
    separated: bool = False

    @property
    def begin(self) -> Any:
        """The mark where the field begins; a form field keeps its choice there."""
        return self.marks[0]

    @property
    def instruction(self) -> str:
        """What the field does, such as ``PAGEREF _Toc1``."""
        return "".join(code.text or "" for code in self.codes)


def settle_fields(root: Any) -> int:
    """Change a part's tree so that its text is what Word shows: choices of forms, ticked boxes, buttons.

    Returns how many numbers Word works out for itself while it draws the page (LISTNUM, AUTONUM): they are not in the
    file and not in the text.
    """
    for control in list(root.iter(W + "sdtPr")):
        _settle_control(control)
    computed = sum(bool(_COMPUTED.match(simple.get(W + "instr", ""))) for simple in root.iter(W + "fldSimple"))
    for closed in list(complex_fields(root)):
        for element in closed.unseen:
            _show(element, "")
        text = _form_choice(closed.begin)
        if text is not None:
            for element in closed.result:
                _show(element, "")
        elif not closed.result:
            text = _drawn(closed.instruction)
            computed += bool(_COMPUTED.match(closed.instruction))
        if text:
            _show(closed.begin, text)
    return computed


def complex_fields(root: Any) -> Iterator[ComplexField]:
    """Yield the fields that begin and end in the tree, inner ones first. One that never ends changes nothing."""
    fields: list[ComplexField] = []
    for element in root.iter(_MARK, _INSTRUCTION, *_SHOWN):
        if element.tag == _MARK:
            if any(ancestor.tag in DELETED for ancestor in element.iterancestors()):
                continue
            kind = element.get(W + "fldCharType")
            if kind == "begin":
                fields = [*fields[1 - _DEEPEST :], ComplexField([element])]
            elif fields and kind == "separate":
                fields[-1].separated = True
                fields[-1].marks.append(element)
            elif fields and kind == "end":
                fields[-1].marks.append(element)
                yield fields.pop()
        elif not fields:
            continue
        elif element.tag == _INSTRUCTION:
            fields[-1].codes.append(element)
        else:
            outer = next((one for one in fields if not one.separated), None)
            if outer is not None:
                outer.unseen.append(element)
            else:
                fields[-1].result.append(element)
    yield from (ComplexField([one.begin]) for one in fields if one.begin.find(W + "ffData") is not None)


def _form_choice(begin: Any) -> str | None:
    """Return what a ticked box or a drop-down list of a form shows, or None for other fields."""
    box = begin.find(f"{W}ffData/{W}checkBox")
    if box is not None:
        checked = box.find(W + "checked")
        return TICKED if is_on(box.find(W + "default") if checked is None else checked) else EMPTY
    choices = begin.find(f"{W}ffData/{W}ddList")
    if choices is None:
        return None
    entries = [entry.get(W + "val", "") for entry in choices.iterfind(W + "listEntry")]
    chosen = whole(value(choices, "result"))
    chosen = whole(value(choices, "default")) if chosen is None else chosen
    return entries[chosen or 0] if (chosen or 0) < len(entries) else ""


def _drawn(instruction: str) -> str:
    """Return what Word draws for a field that keeps no result: the text of a button, a symbol."""
    button = _BUTTON.match(instruction)
    if button:
        return button[1].strip()
    symbol = _SYMBOL.match(instruction)
    return "" if symbol is None else sign(symbol[2].strip().lower(), int(symbol[1], 0))


def _settle_control(properties: Any) -> None:
    content = properties.getparent().find(W + "sdtContent")
    if content is None:
        return
    box = properties.find(W14 + "checkbox")
    if box is not None:
        checked = box.find(W14 + "checked")
        is_ticked = checked is not None and checked.get(W14 + "val", "1") in ("1", "true", "on")
        _replace_shown(content, TICKED if is_ticked else EMPTY)
        return
    choices = next((one for tag in ("dropDownList", "comboBox") if (one := properties.find(W + tag)) is not None), None)
    chosen = None if choices is None else choices.get(W + "lastValue")
    if choices is None or not chosen or any(element.tag == W + "sym" or (element.text or "").strip()
                                            for element in content.iter(W + "t", W + "sym")):  # fmt: skip
        return
    items = {item.get(W + "value"): item.get(W + "displayText") for item in choices.iterfind(W + "listItem")}
    _replace_shown(content, items.get(chosen) or chosen)


def _replace_shown(content: Any, text: str) -> None:
    shown = list(content.iter(*_SHOWN))
    for element in shown[1:]:
        _show(element, "")
    if shown:
        _show(shown[0], text)
        return
    paragraph = next(content.iter(W + "p"), content)
    run = paragraph.makeelement(W + "r")
    run.append(paragraph.makeelement(W + "t"))
    run[0].text = text
    paragraph.append(run)


def _show(element: Any, text: str) -> None:
    tail = element.tail
    element.clear()
    element.tag, element.text, element.tail = W + "t", text, tail
