"""Takes HTML out of a Markdown source: tags, comments and text that is not live go, tables and lists become Markdown.

What stands in code (fences, indented code, back-ticks) stays as written, and so does what only looks like a tag:
"<Customer>" in a template is a blank to be filled in, not HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from playground.documents.formats.raised import BEFORE, after_shifted, before_lowered, before_raised

_TAGS = frozenset(
    "a abbr acronym address article aside b bdi bdo big blockquote body br button caption center cite code col "
    "colgroup data dd del details dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 head "
    "header hr html i iframe img input ins kbd label legend li link main mark menu meta nav nobr noscript ol "
    "option p picture pre q s samp script section select small source span strike strong style sub summary sup "
    "svg table tbody td template textarea tfoot th thead time title tr tt u ul var video audio wbr".split()
)
_EMPTY = frozenset(("br", "hr", "img", "input", "link", "meta", "source", "wbr", "col"))
_STRUCK = frozenset(("del", "s", "strike"))
_NO_TEXT = frozenset(
    ("script", "style", "template", "head", "iframe", "noscript", "svg", "video", "audio", "select", "nav")
)
# Structure that Markdown has signs for: the HTML reader reads it as a whole.
_STRUCTURES = frozenset(("table", "ul", "ol", "dl", "h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = frozenset(
    ("address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dt", "figcaption", "figure",
     "footer", "header", "hr", "li", "main", "p", "pre", "section", "td", "th", "tr")
)  # fmt: skip
_ATTRIBUTES = r"""(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^"'=<>`\s]+|'[^']*'|"[^"]*"))?){0,100}"""
# Code and escapes come first, as they hide what follows.
_SIGN = re.compile(
    r"\\[\\`<~&]"
    r"|(?P<ticks>`+)"
    r"|(?P<comment><!--)"
    r"|(?P<definition>^ {0,3}\[(?://|comment|_comment|#)\]:[ \t]*(?:#|<>)[^\n]*)"  # a reference that none can follow
    r"|(?P<instruction><\?.{0,2000}?\?>|<![A-Z][^>]{0,2000}>|<!\[CDATA\[.{0,2000}?\]\]>)"
    rf"|<(?P<close>/?)(?P<tag>[A-Za-z][A-Za-z0-9-]{{0,20}})(?P<attributes>{_ATTRIBUTES})\s*/?>"
    r"|(?P<strike>(?<!~)~~(?!~))"
    r"|(?P<entity>&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#[Xx][0-9A-Fa-f]{1,6});)",
    re.DOTALL | re.MULTILINE,
)
MAYBE_HTML = re.compile(r"<[A-Za-z/!?]|~~|&[A-Za-z#]|\]:[ \t]*(?:#|<>)")
"""What a source must hold at least for :func:`without_html` to change anything."""
_HIDDEN_ATTRIBUTE = re.compile(r"""(?:^|\s)hidden(?:\s*=\s*["']?(?!until-found)\w*["']?)?(?=\s|$)""", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*["']([^"'|\n]{0,60})["']""", re.IGNORECASE)
_STRUCK_STYLE = re.compile(r"text-decoration[\w-]*\s*:[^;\"']*line-through", re.IGNORECASE)
_LIST_MARKER = re.compile(r"(?:[-+*]|\d{1,9}[.)]) ")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A source without HTML, and how much that is not live was left out of it."""

    text: str
    comments: int
    struck: int
    hidden: int
    warnings: tuple[str, ...]
    """What the HTML reader says of the tables and lists that it read."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A tag, comment, or mark of a strike in the source; ``kind`` says which."""

    kind: str
    start: int
    end: int
    tag: str = ""
    attributes: str = ""


def without_html(text: str, code_lines: list[bool]) -> Cleaned:
    """Return a Markdown source without HTML; ``code_lines`` says of each line whether it lies in a block of code."""
    signs = list(_signs(text, _code_spans(text, code_lines)))
    partners = _partners(text, signs)
    parts: list[str] = []
    warnings: list[str] = []
    counts = {"comment": 0, "struck": 0, "hidden": 0}
    position = index = 0
    while index < len(signs):
        sign = signs[index]
        parts.append(text[position : sign.start])
        partner = partners.get(index)
        away = _away(sign, partner is not None)
        position, following = sign.end, index + 1
        if away:
            end = sign if partner is None else signs[partner]
            if text[sign.end : end.start].strip() or sign.kind == "comment":
                counts[away] = counts.get(away, 0) + 1
            position, following = end.end, (index if partner is None else partner) + 1
            if sign.kind == "comment" or partner is not None:
                position = _past_own_line(text, sign.start, position)
        elif sign.tag in _STRUCTURES and sign.kind == "open" and partner is not None and _opens_line(text, sign.start):
            position, following = signs[partner].end, partner + 1
            written, said = _as_markdown(text[sign.start : position])
            parts.append(written)
            warnings += said
        elif sign.tag in ("sup", "sub") and sign.kind == "open" and partner is not None:
            raised = sign.tag == "sup"
            before = "".join(parts[-8:])[-BEFORE:]
            inner = "".join(_bare(text, signs, index, partner)).strip()
            position, following = signs[partner].end, partner + 1
            after = text[position : position + BEFORE]
            gap = before_raised(before, inner, after) if raised else before_lowered(before, inner)
            parts.append(gap + inner + after_shifted(inner, after, raised=raised))
        else:
            parts.append(_instead(text, sign))
        index = following
    parts.append(text[position:])
    return Cleaned(
        "".join(parts), counts["comment"], counts["struck"], counts["hidden"], tuple(dict.fromkeys(warnings))
    )


def _signs(text: str, code: list[tuple[int, int]]) -> Iterator[_Sign]:
    position = span = blank = 0
    comments_end = True
    while match := _SIGN.search(text, position):
        position = match.end()
        while span < len(code) and code[span][1] <= match.start():
            span += 1
        if span < len(code) and code[span][0] <= match.start():
            position = code[span][1]
            continue
        if match["ticks"]:
            position, blank = _after_code(text, position, match["ticks"], blank)
        elif match["comment"]:
            end = text.find("-->", match.start() + 2) if comments_end else -1
            comments_end = end >= 0
            if comments_end or _opens_line(text, match.start()):  # an open one hides the rest, as in a browser
                position = end + 3 if comments_end else len(text)
                yield _Sign("comment", match.start(), position)
        elif match["definition"]:
            yield _Sign("comment", *match.span())
        elif match["tag"]:
            tag = match["tag"].lower()
            if tag in _TAGS:
                yield _Sign("close" if match["close"] else "open", *match.span(), tag, match["attributes"])
            else:
                position = match.start("tag")
        elif match["strike"]:
            yield _Sign("strike", *match.span(), "~~")
        elif match["entity"] or match["instruction"]:
            yield _Sign("entity" if match["entity"] else "instruction", *match.span())


def _after_code(text: str, position: int, ticks: str, blank: int) -> tuple[int, int]:
    """Return where the code that ``ticks`` open has ended, and where the next blank line lies, which ends any code."""
    if blank < position:
        following = _BLANK_LINE.search(text, position)
        blank = len(text) if following is None else following.start()
    closing = re.compile(rf"(?<!`){ticks}(?!`)").search(text, position, blank)
    return (position if closing is None else closing.end()), blank


def _code_spans(text: str, code_lines: list[bool]) -> list[tuple[int, int]]:
    """Return (start, end) of each run of code lines."""
    spans: list[tuple[int, int]] = []
    position = 0
    for line, is_code in zip(text.split("\n"), code_lines, strict=True):
        end = position + len(line) + 1
        if is_code:
            start = spans.pop()[0] if spans and spans[-1][1] == position else position
            spans.append((start, end))
        position = end
    return spans


def _partners(text: str, signs: list[_Sign]) -> dict[int, int]:
    """Map each opening sign to the sign that closes it. What ends with its paragraph must close inside it."""
    partners: dict[int, int] = {}
    waiting: dict[str, list[int]] = {}
    for index, sign in enumerate(signs):
        before = waiting.setdefault(sign.tag, [])
        if sign.kind == "strike":
            closes = before and not text[sign.start - 1].isspace()
            if closes and not _BLANK_LINE.search(text, signs[before[-1]].end, sign.start):
                partners[before.pop()] = index
            elif text[sign.end : sign.end + 1].strip():
                before[:] = [index]
        elif sign.kind == "open" and sign.tag not in _EMPTY:
            before.append(index)
        elif sign.kind == "close" and before:
            partners[before.pop()] = index
    return partners


def _away(sign: _Sign, closed: bool) -> str:
    """Return why a sign goes with everything in it ("" when only the sign itself does)."""
    if sign.kind == "comment":
        return "comment"
    if not closed:
        return ""
    if sign.kind == "strike" or sign.tag in _STRUCK or _STRUCK_STYLE.search(sign.attributes):
        return "struck"
    if _HIDDEN_ATTRIBUTE.search(sign.attributes) or _HIDDEN_STYLE.search(sign.attributes):
        return "hidden"
    return "code" if sign.tag in _NO_TEXT else ""


def _past_own_line(text: str, start: int, end: int) -> int:
    """Move past the line end when what goes had the line to itself, so that no gap is left in a list."""
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    if not _opens_line(text, start) or text[end:line_end].strip():
        return end
    between_blanks = (
        text[max(0, start - 5) : start].rstrip(" ")[-2:] in ("", "\n\n") and text[line_end + 1 : line_end + 2] == "\n"
    )
    return min(line_end + 1 + between_blanks, len(text))


def _opens_line(text: str, start: int) -> bool:
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _bare(text: str, signs: list[_Sign], first: int, last: int) -> Iterator[str]:
    """Yield the text between two signs without the signs inside."""
    position = signs[first].end
    for sign in signs[first + 1 : last + 1]:
        yield text[position : sign.start]
        position = sign.end


def _instead(text: str, sign: _Sign) -> str:
    """Return what stands in the place of a sign that goes alone."""
    if sign.kind == "entity":
        return _character(text[sign.start : sign.end])
    if sign.kind == "strike":
        return "~~"  # nothing closes it: it is text
    ends_line = text[sign.end : sign.end + 1] in ("\n", "")
    line_start = text.rfind("\n", 0, sign.start) + 1
    in_row = text[line_start : line_start + 4].lstrip()[:1] == "|"
    instead = ""
    if sign.tag == "br":
        instead = " " if in_row or ends_line or text[line_start] == "#" else "\n"
    elif sign.tag == "img" and in_row:  # an icon in a table speaks by its label, as in HTML
        label = _ALT.search(sign.attributes)
        instead = label[1] if label else ""
    elif sign.tag == "summary":
        instead = "#### " if sign.kind == "open" and _opens_line(text, sign.start) else "\n"
    elif sign.tag in _BLOCKS and not _opens_line(text, sign.start):
        instead = "\n" if ends_line and sign.kind == "close" else " "
    return instead


def _character(entity: str) -> str:
    """Return the character of an entity; the entity itself where the character would be a sign of Markdown or HTML."""
    character = unescape(entity)
    return character if character in ("\u00a0", "&") or not character.isascii() else entity


def _as_markdown(source: str) -> tuple[str, tuple[str, ...]]:
    """Read a piece of HTML with the HTML reader; return it with the signs of Markdown, and the reader's warnings."""
    from playground.documents.formats import html
    from playground.documents.limits import Limits
    from playground.errors import DocumentError

    try:
        extract = html.parse(source.encode("utf-8"), Limits())
    except DocumentError:  # it holds no text
        return "", ()
    lines: list[str] = []
    before = ""
    for block in extract.blocks:
        content = extract.text[block.start : block.end]
        if block.kind == "heading":
            content = "#" * min(block.level, 6) + " " + content
        elif block.kind == "table_row":
            content = f"| {content.strip('| ')} |" + ("" if before == "table_row" else _delimiter(content))
        elif block.kind == "list_item" and not _LIST_MARKER.match(content):
            content = "- " + content  # Markdown has no "a." or "iv."
        indent = len(extract.text[extract.text.rfind("\n", 0, block.start) + 1 : block.start])
        together = before == block.kind and block.kind in ("table_row", "list_item")
        lines.append(("" if together or not lines else "\n") + " " * indent + content)
        before = block.kind
    return "\n".join(lines), extract.warnings


def _delimiter(header: str) -> str:
    return "\n|" + "---|" * (header.count(" | ") + 1)
