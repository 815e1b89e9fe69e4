"""Takes out of an HTML page what is not live text of the document, and counts it.

Not live: struck through, hidden, a cookie banner. Live although it is not shown at first: an answer that a reader
opens (accordions, tabs, ``details``, ``hidden="until-found"``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playground.documents.formats.html_styles import Style

_STRUCK = frozenset(("del", "s", "strike"))
_OWN_HIDING = re.compile(r"(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE)
_WHOLE_PAGE = frozenset(("html", "body", "main"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# What a reader opens with a click: by the attributes of the pattern (WAI-ARIA), of Bootstrap, or by its class.
_TARGETS = ("aria-controls", "data-target", "data-bs-target", "aria-owns")
_OPENED = re.compile(
    r"accordion|collaps|(?:^|[-_ ])(?:acc|panel|faq|answer|expand\w*|tab-?pane|toggle-?content)(?:$|[-_ ])",
    re.IGNORECASE,
)
_NEVER_OPENED = frozenset(("dialog", "alertdialog", "menu", "menubar", "listbox", "tooltip", "alert", "status"))
# Programs that ask for consent, and names that sites give to such a banner of their own.
_BANNER = re.compile(
    r"onetrust|cookiebot|cookie-?law-?info|cookie-?yes|truste|usercentrics|didomi|qc-cmp|osano|iubenda-cs|termly|cmplz|"
    r"klaro|borlabs|cky-|cc-window|gdpr[-_]?(?:banner|consent|notice|bar|popup)|consent[-_]?(?:banner|manager|popup|bar)|"
    r"cookies?[-_ ]?(?:banner|consent|notice|bar|pop-?up|wall|modal|dialog|message|overlay|alert|prompt|settings)",
    re.IGNORECASE,
)
_CONSENT_BUTTON = re.compile(
    r"(?:accept|allow|agree|reject|decline|got it|ok(?:ay)?|i understand|manage|only necessary)\b", re.IGNORECASE
)
_MAX_BANNER_CHARACTERS = 1500


def drop_what_is_not_live(root: Any, styles: dict[Any, Style]) -> list[str]:
    """Remove banners, hidden and struck text from the tree; return a sentence for the user about each kind."""
    banners = _drop(_banners(root))
    opened = _opened(root)
    hidden = _drop(
        (element for element in root.iter() if _is_hidden(element, styles) and not _can_open(element, opened)),
        keeps_place=lambda element: not _takes_no_place(element, styles),
    )
    struck = _drop((element for element in root.iter() if _is_struck(element, styles)), keeps_place=lambda _: True)
    return (
        [f"The page has struck-through text in {_places(struck)}, which was left out."] * bool(struck)
        + [f"The page has hidden text in {_places(hidden)}, which was left out."] * bool(hidden)
        + ["The page has a cookie banner, which was left out."] * bool(banners)
    )


def text_of(element: Any) -> str:
    """Return an element's text on one line."""
    return " ".join("".join(element.itertext()).split())


def _places(count: int) -> str:
    return f"{count} place{'s' if count > 1 else ''}"


def _drop(elements: Iterable[Any], keeps_place: Callable[[Any], bool] = lambda _: False) -> int:
    """Remove elements, outermost first; return how many had text.

    A cell or list item that ``keeps_place`` stays, but empty: the columns and numbers go on behind it.
    """
    found = [element for element in elements if element.tag not in _WHOLE_PAGE]
    gone: set[Any] = set()
    count = 0
    for element in found:
        parent = element.getparent()
        if parent is None or element in gone:
            continue
        gone.update(element.iterdescendants())
        count += bool(text_of(element))
        if element.tag in ("td", "th", "li") and keeps_place(element):
            del element[:]
            element.text = None
        else:
            element.drop_tree()
    return count


def _is_hidden(element: Any, styles: dict[Any, Style]) -> bool:
    style = styles.get(element, {})
    return (
        _takes_no_place(element, styles)
        or style.get("visibility") in ("hidden", "collapse")
        or bool(_OWN_HIDING.search(element.get("style", "")))
        or (element.tag == "dialog" and element.get("open") is None)
    )


def _takes_no_place(element: Any, styles: dict[Any, Style]) -> bool:
    attribute = element.get("hidden")
    if attribute is not None and attribute.strip().lower() != "until-found":
        return True
    return styles.get(element, {}).get("display") == "none"


def _is_struck(element: Any, styles: dict[Any, Style]) -> bool:
    style = styles.get(element, {})
    lines = [style[name] for name in ("text-decoration", "text-decoration-line") if name in style]
    if any("line-through" in line for line in lines):
        return True
    return element.tag in _STRUCK and not lines  # a sheet may take the line away from <s> and <del>


def _opened(root: Any) -> frozenset[str]:
    """Return the ids of elements that some control of the page opens."""
    ids: set[str] = set()
    for element in root.iter():
        if element.get("aria-haspopup", "false") != "false" or element.get("data-bs-toggle") == "modal":
            continue
        if element.get("data-toggle") == "modal":
            continue
        for name in _TARGETS:
            ids.update(element.get(name, "").replace("#", "").split())
        href = element.get("href", "")
        if href.startswith("#") and (element.get("aria-expanded") or "collapse" in element.get("data-toggle", "")):
            ids.add(href[1:])
    return frozenset(ids)


def _can_open(element: Any, opened: frozenset[str]) -> bool:
    """Whether a hidden element is an answer, a panel or a tab that a reader opens with a click."""
    if element.get("role") in _NEVER_OPENED or element.get("aria-modal") == "true" or element.tag == "dialog":
        return False
    if _is_menu(element):
        return False
    if element.get("id") in opened or element.get("role") in ("region", "tabpanel"):
        return True
    return bool(_OPENED.search(element.get("class", ""))) or _opens_next(element.getprevious())


def _is_menu(element: Any) -> bool:
    links = [len(text_of(link)) for link in element.iter("a")]
    return len(links) >= 3 and sum(links) * 5 > len(text_of(element)) * 3


def _opens_next(before: Any) -> bool:
    """Whether an element is a button, a heading that holds one, or a question, for what follows it."""
    if before is None or not isinstance(before.tag, str):
        return False
    if before.tag in ("button", "summary") or before.get("aria-expanded") is not None or before.get("role") == "button":
        return bool(before.get("aria-haspopup", "false") == "false")
    return (before.tag in _HEADINGS and before.find(".//button") is not None) or text_of(before).endswith("?")


def _banners(root: Any) -> Iterator[Any]:
    whole = len(text_of(root))
    for element in root.iter():
        if element.tag in _WHOLE_PAGE:
            continue
        named = " ".join(element.get(name, "") for name in ("id", "class", "aria-label"))
        if _BANNER.search(named) and _is_small(element, whole):
            yield element
    around: set[Any] = set()
    for element in reversed(list(root.iter())):  # the innermost part that tells of cookies and has the button
        if element not in around and _asks_for_consent(element, whole):
            around.update(element.iterancestors())
            yield element


def _is_small(element: Any, whole: int) -> bool:
    """Whether an element is no container of the document itself."""
    if element.find(".//h1") is not None or element.find(".//main") is not None:
        return False
    length = len(text_of(element))
    return length <= _MAX_BANNER_CHARACTERS or length * 4 < whole


def _asks_for_consent(element: Any, whole: int) -> bool:
    """Whether a part of the page, by its words alone, tells of cookies and has a button to agree."""
    if element.tag not in ("div", "section", "aside", "form", "dialog") or element.find(".//h1") is not None:
        return False
    buttons = (each for each in element.iter("button", "a", "input"))
    if not any(_CONSENT_BUTTON.match(each.get("value", "") or text_of(each)) for each in buttons):
        return False
    text = text_of(element)
    return len(text) <= min(_MAX_BANNER_CHARACTERS, whole // 2) and bool(
        re.search(r"\bcookies?\b", text, re.IGNORECASE)
    )
