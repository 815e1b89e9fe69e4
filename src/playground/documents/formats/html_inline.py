"""Makes plain text of what a page says inside its lines without plain text: raised figures, icons, buttons, ticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from playground.documents.formats.html_live import text_of
from playground.documents.formats.html_styles import Style
from playground.documents.formats.raised import BEFORE, after_shifted, before_lowered, before_raised

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MAX_QUESTION_CHARACTERS = 300
_MAX_LABEL_CHARACTERS = 60
_ACCORDION = re.compile(
    r"(?:^|[-_ ])(?:acc|accordion|collaps\w*|faq|question|toggle|expand\w*)(?:$|[-_ ])", re.IGNORECASE
)
_RAISED_CLASS = re.compile(
    r"(?:^|[-_ ])(?:sup|superscript|cents?|fraction|decimals?|footnote(?:-?ref)?)(?:$|[-_ ])", re.IGNORECASE
)
_RAISED_ALIGN = frozenset(("super", "text-top", "top"))
# Icons that say yes or no by their name only, as in the usual icon fonts.
_ICON_NAMES = (
    (re.compile(r"(?:^|[-_/ ])(?:check(?:ed|mark)?|tick|yes)(?:$|[-_. ])", re.IGNORECASE), "✓"),
    (re.compile(r"(?:^|[-_/ ])(?:cross|xmark|times|close|no|x)(?:$|[-_. ])", re.IGNORECASE), "✗"),
)  # fmt: skip
_INLINE_SHIFTS = ("sup", "sub")
_UNBROKEN = frozenset(
    ("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd", "label",
     "mark", "q", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "nobr")
)  # fmt: skip


def buttons_as_headings(root: Any) -> None:
    """Turn a button or summary that opens what follows it into a heading; take the other buttons out."""
    level = 1
    for element in list(root.iter("button", "summary", "div", "span", "dt", *_HEADINGS)):
        tag = element.tag
        if tag in _HEADINGS:
            # Questions rank alike, whether or not the page makes headings of their buttons.
            level = _HEADINGS[tag] + (element.find(".//button") is None)
        elif tag not in ("button", "summary") and not _is_control(element):
            continue
        elif next(element.iterancestors(*_HEADINGS), None) is not None:
            element.tag = "span"
        elif next(element.iterdescendants(*_HEADINGS), None) is not None:
            element.tag = "div"
        elif tag != "button" or _asks(element):
            if len(text_of(element)) <= _MAX_QUESTION_CHARACTERS:
                element.tag = f"h{min(level, 6)}"
            elif tag == "button":
                element.tag = "div"
        else:
            element.drop_tree()


def _is_control(element: Any) -> bool:
    """Whether a ``div`` or ``span`` plays a button that opens something."""
    return element.get("aria-expanded") is not None and element.get("aria-haspopup", "false") == "false"


def _asks(button: Any) -> bool:
    """Whether a button opens text of the document, rather than acting ("Add to cart")."""
    if button.get("aria-haspopup", "false") != "false":
        return False
    if any(
        button.get(name) is not None for name in ("aria-expanded", "aria-controls", "data-target", "data-bs-target")
    ):
        return bool(text_of(button))
    return bool(_ACCORDION.search(button.get("class", ""))) or text_of(button).endswith("?")


def label_icons(root: Any) -> int:
    """Put the label of an icon in its place where it stands in a table cell or list item.

    Returns:
        The number of table cells that hold nothing but pictures without a label.
    """
    unlabelled = 0
    for holder in root.iter("td", "th", "li"):
        pictures = [(picture, _label(picture)) for picture in _icons(holder)]
        for picture, _ in pictures:
            del picture[:]  # the title of a drawing is its label, not text beside it
        bare = not text_of(holder)
        for picture, label in pictures:
            if label and label.lower() not in text_of(holder).lower():
                picture.tail = f" {label} {picture.tail or ''}"
        unlabelled += bare and holder.tag != "li" and bool(pictures) and not text_of(holder)
    return unlabelled


def _icons(holder: Any) -> Iterator[Any]:
    for element in holder.iter("img", "svg", "i", "span", "input", "object"):
        if element.tag in ("i", "span") and (text_of(element) or len(element)):
            continue
        if element.tag == "input" and element.get("type", "").lower() not in ("checkbox", "radio"):
            continue
        nearest = next(element.iterancestors("td", "th", "li"), None)
        named = element.tag not in ("i", "span") or any(
            element.get(name) for name in ("class", "aria-label", "title", "role")
        )
        if nearest is holder and named:
            yield element


def _label(picture: Any) -> str:
    if picture.tag == "input":
        return "☒" if picture.get("checked") is not None else "☐"
    for name in ("aria-label", "alt", "title"):
        label = " ".join(picture.get(name, "").split())
        if label:
            return label if len(label) <= _MAX_LABEL_CHARACTERS else ""
    if picture.tag == "svg":
        title = picture.find("title")
        if title is not None and text_of(title):
            return text_of(title)[:_MAX_LABEL_CHARACTERS]
    names = " ".join((picture.get("class", ""), picture.get("src", "").rsplit("/", 1)[-1], _used(picture)))
    return next((sign for pattern, sign in _ICON_NAMES if pattern.search(names)), "")


def _used(picture: Any) -> str:
    """Return the name of the symbol that an svg takes from elsewhere: ``<use href="#icon-check">``."""
    use = picture.find(".//use")
    return "" if use is None else (use.get("href") or use.get("xlink:href") or "").rpartition("#")[2]


def part_raised(root: Any, styles: dict[Any, Style]) -> None:
    """Part raised and lowered figures from the numbers around them, as ``raised`` says."""
    before = ""  # the end of the text of this line so far
    shifted: list[tuple[Any, str, bool]] = []  # open runs: element, text before it, raised
    ended: tuple[str, bool] | None = None  # the run that has just ended
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        if element.tag not in _UNBROKEN:
            before, ended = "", None
        if event == "start":
            raised = _is_raised(element, before, styles)
            if raised is not None:
                shifted.append((element, before, raised))
            if element.text:
                element.text, before, ended = _added(element.text, before, ended)
        else:
            if shifted and shifted[-1][0] is element:
                _, outside, raised = shifted.pop()
                text = text_of(element)
                following = element.tail or (element.getparent().tail if element.getparent() is not None else "") or ""
                gap = before_raised(outside, text, following) if raised else before_lowered(outside, text)
                if gap:
                    element.text = gap + (element.text or "")
                before, ended = (outside + gap + text)[-BEFORE:], (text, raised)
            if element.tail and element is not root:
                element.tail, before, ended = _added(element.tail, before, ended)


def _added(text: str, before: str, ended: tuple[str, bool] | None) -> tuple[str, str, None]:
    if ended is not None:
        text = after_shifted(ended[0], text, raised=ended[1]) + text
    return text, (before + " ".join(text.split("\n")))[-BEFORE:], None


def _is_raised(element: Any, before: str, styles: dict[Any, Style]) -> bool | None:
    """Return True for a raised run, False for a lowered one, None for text on the line."""
    if element.tag in _INLINE_SHIFTS:
        return bool(element.tag == "sup")
    align = styles.get(element, {}).get("vertical-align", "")
    if align == "sub":
        return False
    if align in _RAISED_ALIGN and element.tag in _UNBROKEN:
        return True
    # "$49<span class=cents>99</span>": only a figure right behind a figure may be a raised one.
    if before[-1:].isdigit() and element.tag == "span" and _RAISED_CLASS.search(element.get("class", "")):
        return text_of(element)[:1].isdigit() or None
    return None
