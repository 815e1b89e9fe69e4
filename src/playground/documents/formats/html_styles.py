"""The few properties of an HTML page's style sheets that decide what a reader sees of its text.

Only sheets inside the page are read (nothing is fetched), and only rules that hold on any screen: no ``@media`` with
a condition. tinycss2 parses, cssselect finds the elements; the cascade is importance, specificity, order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

_PROPERTIES = frozenset(
    ("display", "visibility", "text-decoration", "text-decoration-line", "vertical-align", "list-style",
     "list-style-type", "font-size")
)  # fmt: skip
_WORTH_READING = re.compile(r"none|hidden|collapse|line-through|super|sub\b|list-style", re.IGNORECASE)
_ANY_SCREEN = frozenset(("", "all", "screen", "only screen"))
_MAX_SHEET_CHARACTERS = 1_000_000
_MAX_RULES = 500  # with one of these properties; each is looked for in the whole page

Style = dict[str, str]
_Rank = tuple[bool, tuple[int, int, int, int], int]


def read_styles(root: Any) -> dict[Any, Style]:
    """Return for each element that a sheet or its own ``style`` speaks of the properties above, in lower case."""
    ranks: dict[Any, dict[str, _Rank]] = {}
    styles: dict[Any, Style] = {}

    def put(element: Any, name: str, value: str, rank: _Rank) -> None:
        ranked = ranks.setdefault(element, {})
        if name not in ranked or ranked[name] <= rank:
            ranked[name] = rank
            styles.setdefault(element, {})[name] = value

    order = 0
    for order, (find, specificity, declarations) in enumerate(_rules(root)):
        for element in find(root):
            for name, value, important in declarations:
                put(element, name, value, (important, (0, *specificity), order))
    for element in root.iter(etree.Element):
        own = element.get("style")
        if own:
            for name, value, important in _declarations_of(own):
                put(element, name, value, (important, (1, 0, 0, 0), order))
    return styles


_Declaration = tuple[str, str, bool]


def _rules(root: Any) -> Iterator[tuple[Any, tuple[int, int, int], list[_Declaration]]]:
    import cssselect
    import tinycss2

    translator = cssselect.HTMLTranslator()
    left = _MAX_RULES
    for sheet in root.iter("style"):
        text = (sheet.text or "")[:_MAX_SHEET_CHARACTERS]
        if sheet.get("media", "").strip().lower() not in _ANY_SCREEN or not _WORTH_READING.search(text):
            continue
        for rule in _flat(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
            declarations = list(_declarations_of(rule.content))
            if not declarations or left == 0:
                continue
            left -= 1
            try:
                selectors = cssselect.parse(tinycss2.serialize(rule.prelude))
                found = [
                    (etree.XPath(translator.selector_to_xpath(selector)), selector.specificity())
                    for selector in selectors
                    if selector.pseudo_element is None
                ]
            except (cssselect.SelectorError, etree.XPathSyntaxError):
                continue  # a selector that only a newer browser knows
            for find, specificity in found:
                yield find, specificity, declarations


def _flat(rules: Any) -> Iterator[Any]:
    import tinycss2

    for rule in rules:
        if rule.type == "qualified-rule":
            yield rule
            continue
        if rule.type != "at-rule" or rule.lower_at_keyword != "media" or rule.content is None:
            continue
        if tinycss2.serialize(rule.prelude).strip().lower() in _ANY_SCREEN:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            yield from (each for each in inner if each.type == "qualified-rule")


def _declarations_of(content: Any) -> Iterator[_Declaration]:
    import tinycss2

    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type == "declaration" and node.lower_name in _PROPERTIES:
            yield node.lower_name, tinycss2.serialize(node.value).strip().lower(), node.important
