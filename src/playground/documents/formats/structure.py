"""What a line of text looks like when nothing but its characters says so: a heading, a list item, a page number."""

from __future__ import annotations

import re

_DASHES = "\u2013\u2014"
BULLET = re.compile(rf"[-*+•◦▪‣●○·■□➢✓{_DASHES}]\s+(?=\S)")
ITEM_NUMBER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]\s+(?=\S)")
_SECTION_NUMBER = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,5})([.)]?)\s+(?=\S)")
_SECTION_WORD = re.compile(
    r"(?:section|article|part|chapter|clause|schedule|appendix|annex|exhibit)\s+(?:\d{1,3}|[ivxlc]{1,6}|[a-z])\b",
    re.IGNORECASE,
)
_PAGE_NUMBER = re.compile(
    rf"(?:page|seite|p\.)?\s*[-|{_DASHES}]?\s*(?:\d{{1,4}}|[ivxlc]{{1,6}})\s*(?:(?:of|/|von)\s*\d{{1,4}})?\s*"
    rf"[-|{_DASHES}]?",
    re.IGNORECASE,
)
_MAX_TITLE_CHARACTERS = 80
_MAX_TITLE_WORDS = 12


_HASHES = re.compile(r"#{1,6}\s+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"\*{1,3}|`+|(?<!\w)_{1,3}|_{1,3}(?!\w)")
_RULE_CHARACTERS = "-=~_*+#|: "
_THREE_STROKES = re.compile(r"[-=~_*+#]{3}")
_MAX_CLEAN_CHARACTERS = 400


def clean_heading(text: str) -> str:
    """Return a heading on one line of at most 400 characters, without the signs of Markdown.

    Hashes, an underline, emphasis, code and link signs go: "## 2. **Refunds** ##" becomes "2. Refunds".
    """
    title, newline, underline = text.strip().rpartition("\n")
    if not newline or not is_rule(underline.strip()):
        title = text
    line = " ".join(title.split())[:_MAX_CLEAN_CHARACTERS]
    hashes = _HASHES.match(line)
    if hashes:
        line = re.sub(r"(?<= )#+$", "", line[hashes.end() :])
    return _EMPHASIS.sub("", _LINK.sub(r"\1", line)).strip()


def clean_row(text: str) -> str:
    """Return a table row on one line as "cell | cell"; a Markdown delimiter row under it is left out."""
    first = text.strip().split("\n", 1)[0][:_MAX_CLEAN_CHARACTERS].strip("|")
    cells = re.split(r"\t+|(?<!\\)\|| {3,}", first)
    return " | ".join(cell for cell in (clean_heading(cell) for cell in cells) if cell)


def is_rule(line: str) -> bool:
    """Whether a line is drawn rather than written: dashes, equals signs, a table's delimiter row."""
    return not line.strip(_RULE_CHARACTERS) and bool(_THREE_STROKES.search(line))


def is_title_like(line: str) -> bool:
    """Whether a line is short, begins like a title and does not end like a sentence. A question may be a title."""
    if not 2 <= len(line) <= _MAX_TITLE_CHARACTERS or "\n" in line or line[-1] in ".,;:!-|" + _DASHES:
        return False
    words = line.split()
    if len(words) > _MAX_TITLE_WORDS:
        return False
    first = next((c for c in line if c.isalnum()), "")
    letters = sum(c.isalpha() for c in line)
    return (first.isupper() or first.isdigit()) and letters >= 2 and letters * 2 >= len(line.replace(" ", ""))


def is_all_caps(line: str) -> bool:
    """Whether a line is a title in capitals (a closing colon is allowed)."""
    letters = [c for c in line if c.isalpha()]
    return (
        len(letters) >= 3
        and not any(c.islower() for c in letters)
        and letters[0].isupper()
        and is_title_like(line.rstrip(":"))
    )


def section_depth(line: str) -> int:
    """Return the depth of a section number that opens a line ("2.1 Refunds" has 2, "Section 4" 1), or 0.

    A bare integer counts only before a capital, so that "30 days" is no section.
    """
    if _SECTION_WORD.match(line):
        return 1
    match = _SECTION_NUMBER.match(line)
    if match is None:
        return 0
    number, mark = match.groups()
    if not mark and not line[match.end()].isupper():
        return 0
    return number.count(".") + 1


def is_list_item(line: str) -> bool:
    """Whether a line begins with a bullet, a number or a letter in brackets."""
    return bool(BULLET.match(line) or ITEM_NUMBER.match(line))


def is_page_number(line: str) -> bool:
    """Whether a line holds a page number and nothing else."""
    return bool(_PAGE_NUMBER.fullmatch(line.strip()))
