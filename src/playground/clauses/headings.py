"""Headings and numbers of a contract: what stands over a clause, how deep, and under which number.

Decided by the forms that contracts use, and by the blocks of the document where its format tells headings; nothing is
learnt. All patterns look at the beginning of a line or at a bounded line, so their cost is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.types import Block

__all__ = ["Outline", "clean_title", "is_attachment", "is_heading", "is_operative", "number_of", "run_in_heading"]

LONGEST_HEADING = 120
_LONGEST_TITLE = 100
_MOST_PART_WORDS = 8
_MOST_SENTENCE_WORDS = 6
"""A heading that ends with a full stop and is not in title case is no longer than this."""
_MOST_RUN_IN_WORDS = 4
"""A run-in title in sentence case ("Entire agreement.") is no longer than this."""

_WORD = re.compile(r"[^\W\d_]{2}")
_LONG_NUMBER = re.compile(r"\d{4}")
_NUMBER = re.compile(
    r"\s*(?P<word>(?:article|section|clause|paragraph)\s+)?(?P<number>(?:\d{1,3}|[IVXL]{1,6})(?:\.\d{1,3}){0,5}"
    r"(?:\([a-z]{1,4}\)){0,4}|\([a-z0-9]{1,4}\)|[a-z])(?P<mark>[.):]|(?=\s)|$)(?P<rest>\s{0,3}\S{0,12})",
    re.IGNORECASE,
)
_REFERS = re.compile(r"(?:of|to|and|or|in|above|below|hereof)\b")
"""Behind "Section 5" it names another clause: "Section 5 of this Agreement"."""
_MONTH = re.compile(r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)
_LABEL = (
    r"(?:\s+(?:(?i:no)\.?\s*)?(?:(?:\d{1,3}(?:\.\d{1,3}){0,3}|[IVXLC]{1,6}|[A-Z](?:[-.]?\d{1,3})?)\b"
    r"|[\"\u201c][A-Z0-9-]{1,5}[\"\u201d]))"
)
_ATTACHMENT_WORD = r"(?i:schedule|exhibit|annex|annexure|appendix|attachment)"
_ATTACHMENT = re.compile(rf"\s*{_ATTACHMENT_WORD}(?:{_LABEL}|\s*[:\u2013\u2014-]|\s*$|s?\s+[A-Z]{{2,}})")
_FILING_NUMBER = re.compile(r"\s*exhibit\s+(?:no\.?\s*)?\d{1,3}\.\d", re.IGNORECASE)
"""What a stock exchange calls the whole contract ("Exhibit 10.1"), not an attachment to it."""
_PART = re.compile(
    rf"\s*(?:{_ATTACHMENT_WORD}|(?i:article|part|chapter))(?:{_LABEL}|\s*[:\u2013\u2014-]|\s*$|\s+[A-Z]{{2,}})"
)
_ARTICLE = re.compile(r"\s*article\b", re.IGNORECASE)
_PART_WORD = re.compile(r"\s*(?:part|chapter)\b", re.IGNORECASE)
_SECTION_WORD = re.compile(r"\s*section\b", re.IGNORECASE)
_LEADING = re.compile(
    r"\s*(?:(?:article|section|clause|paragraph)\s+)?(?:\d{1,3}(?:\.\d{1,3}){0,5}|[IVXL]{1,6}|\([a-z0-9]{1,4}\)|[a-zA-Z])"
    r"[.):]?\s+[-\u2013\u2014:.]?\s*",
    re.IGNORECASE,
)
_RUN_IN = re.compile(
    r"\s*(?:(?:section|clause)\s+)?(?:(?P<number>\d{1,3}(?:\.\d{1,3}){0,5}|\([a-z]{1,3}\)|[A-Z](?=[.)]))[.)]?\s+)?"
    r"(?P<title>[A-Z][\w\u2019'/&,;() -]{2,80}?)\s*[.:]\s+(?=[A-Z\u201c\"(])"
)
_OPEN_END = re.compile(r"[;,:](?:\s*(?:and|or))?$")
_OPERATIVE = re.compile(
    r"\b(?:shall|SHALL|must|MUST|will|WILL|may(?:\s+not)?|agrees?|AGREES?|undertakes?|covenants|warrants)\b"
)
_CAPITAL_DUTY = re.compile(r"\b(?:SHALL|WILL|HEREBY)\b")
"""A line in capitals that holds one is a clause, whatever it ends with: "IN NO EVENT WILL EITHER PARTY BE LIABLE"."""
_VERB = re.compile(r"\b(?:shall|must|will|may|is|are|was|were|be|has|have|applies|apply|forms?|survives?|contains?)\b")
_SENTENCE_START = re.compile(
    r"(?:the|a|an|this|these|each|every|neither|either|if|no|any|all|in|on|to|it|we|you)\b", re.I
)
_COMPANY_END = re.compile(r"\b(?:pte|co|inc|ltd|corp|llc|plc|pty|mr|mrs|ms|dr|st|no|nos|art|sec|attn)$", re.IGNORECASE)
_SMALL_WORDS = frozenset(
    "a an and as at by for from in into of on or other the to upon under with without not no than vs its any".split()
)

_ATTACHMENT_LEVEL, _PART_LEVEL, _SECTION_LEVEL, _TITLE_LEVEL, _RUN_IN_LEVEL, _ITEM_LEVEL = 1, 2, 3, 4, 5, 9
_DEEPEST_TITLE_LEVEL = 6


@dataclass(slots=True)
class Outline:
    """What was seen of a contract's headings so far, which decides how deep the next one lies.

    Levels: 1 an attachment (schedule, exhibit), 2 a part, 3 an article or a section "1.", one more for each dot of a
    number, 9 an item "(a)". A heading without a number lies as deep, compared with the last section, as the document's
    own heading levels say; where they say nothing, at 3 in capitals and at 4 otherwise.
    """

    articles: bool = False
    """Sections are counted within articles: "Article II", "Section 1"."""
    section: tuple[int, int] | None = None
    """Our level and the document's level of the last numbered heading or attachment that is a block."""

    def heading_level(self, line: str, block: Block | None) -> int:
        """Return the level of a heading that stands alone, and remember it."""
        number = number_of(line)
        own = block.level if block is not None and block.kind == "heading" else 0
        if is_attachment(line):
            self.articles = False
            level = _ATTACHMENT_LEVEL
        elif _PART_WORD.match(line) and _PART.match(line):
            level = _PART_LEVEL
        elif _ARTICLE.match(line):
            self.articles = True
            level = _SECTION_LEVEL
        elif number[:1].isdigit():
            level = self._number_level(line, number)
        elif number.startswith("("):
            level = _ITEM_LEVEL
        elif own and self.section is not None:
            return min(max(self.section[0] + own - self.section[1], _ATTACHMENT_LEVEL), _DEEPEST_TITLE_LEVEL)
        elif own:
            return min(_SECTION_LEVEL + own - 1, _TITLE_LEVEL)
        else:
            return _SECTION_LEVEL if line.isupper() else _TITLE_LEVEL
        if own and level <= _SECTION_LEVEL + 1:
            self.section = (level, own)
        return level

    def run_in_level(self, piece: str, title: str) -> int:
        """Return the level that a paragraph opens by its number, or by the title that it begins with; 0 for none."""
        number = number_of(piece)
        if number[:1].isdigit():
            return self._number_level(piece, number)
        if not title:
            return 0
        return _ITEM_LEVEL if number.startswith("(") else _RUN_IN_LEVEL

    def _number_level(self, line: str, number: str) -> int:
        depth = 1 + number.count(".") + number.count("(")
        return _SECTION_LEVEL - 1 + depth + (self.articles or (depth == 1 and bool(_SECTION_WORD.match(line))))


def is_heading(line: str, block: Block | None = None) -> bool:
    """Tell whether a piece on one line stands alone as a heading: short, no sentence, in capitals or title case.

    ``block`` is the document's block that the line fills: a heading there counts in any case, unless it is a sentence
    (many contracts set whole clauses in a heading style); a row of a table never does. A page number, a rule or a bare
    section number counts as a heading too: it binds nobody.
    """
    if len(line) > LONGEST_HEADING or (block is not None and block.kind == "table_row"):
        return False
    rest = line[match.end() :] if (match := _LEADING.match(line)) else line
    if not _WORD.search(rest):
        return True
    is_block = block is not None and block.kind == "heading"
    if _OPEN_END.search(rest) and not (is_block and rest.endswith(":")):
        return False
    if _PART.match(line) and len(line) <= _LONGEST_TITLE and not _VERB.search(line):
        return not line.endswith(".") or len(line.split()) <= _MOST_PART_WORDS
    return _is_title(rest, is_block)


def _is_title(text: str, is_block: bool) -> bool:
    """Tell whether a line without its number is a title; ``is_block`` says that the document sets it as a heading."""
    in_title_case = _in_title_case(text)
    ends = text.endswith(".")
    if text.isupper() and (_CAPITAL_DUTY.search(text) or (ends and is_operative(text))):
        return False
    if is_block:
        is_short = len(text.split()) <= _MOST_SENTENCE_WORDS and not _VERB.search(text)
        return not ends or in_title_case or is_short
    if (ends and not in_title_case) or _LONG_NUMBER.search(text) or '"' in text or "\u201c" in text:
        return False
    return text.isupper() or in_title_case


def opens_numbers(line: str, following: str) -> bool:
    """Tell whether a short numbered line is the title of what follows: "2. Term and renewal" before "2.1 ..."."""
    number = number_of(line)
    if not number.isdigit() or len(line) > LONGEST_HEADING or not number_of(following).startswith(f"{number}."):
        return False
    return (
        not line.endswith((".", ";", ",", ":")) and len(line.split()) <= _MOST_PART_WORDS + 2 and not is_operative(line)
    )


def is_attachment(line: str) -> bool:
    """Tell whether a line opens a schedule, an exhibit or the like ("Schedule 2: Service Levels")."""
    return bool(_ATTACHMENT.match(line)) and not _FILING_NUMBER.match(line)


def is_part(line: str) -> bool:
    """Tell whether a line opens an attachment, an article or a part of the contract."""
    return bool(_PART.match(line))


def is_operative(line: str) -> bool:
    """Tell whether a text binds somebody by its words: shall, must, will, may, agrees."""
    return bool(_OPERATIVE.search(line))


def run_in_heading(piece: str) -> str:
    """Return the title that opens a paragraph ("4.4 Return of Materials. Upon ..."), "" where there is none."""
    match = _RUN_IN.match(piece)
    if match is None or _COMPANY_END.search(match["title"]):
        return ""
    title = match["title"]
    is_short = (
        bool(match["number"])
        and len(title.split()) <= _MOST_RUN_IN_WORDS
        and not _VERB.search(title)
        and not _SENTENCE_START.match(title)
    )
    return clean_title(title) if is_short or _in_title_case(title) else ""


def number_of(piece: str) -> str:
    """Return the clause's own number ("7.2", "(a)", "IV"), "" where it begins without one.

    A bare number counts where it can be no quantity: "1 Definitions" is numbered, "30 days" and "1 June" are not.
    """
    match = _NUMBER.match(piece)
    if match is None:
        return ""
    number, mark, rest = match["number"], match["mark"], match["rest"].strip()
    if match["word"] or number.startswith("("):
        refers = bool(match["word"]) and not mark and bool(_REFERS.match(rest))
        return "" if refers else number
    if not number[0].isdigit():
        # "a." and "iv)" are numbers; "I agree", "A party", "mix." and "c: drive" are not.
        return number if mark in (".", ")") and match["rest"][:1].isspace() else ""
    if mark == ":":
        return ""
    if mark or "." in number or "(" in number or not rest:
        return number
    return number if len(number) <= 2 and rest[0].isupper() and not _MONTH.match(rest) else ""


def clean_title(line: str) -> str:
    """Return a heading without its number, on one line of at most 100 characters."""
    line = " ".join(line.split())
    if not _PART.match(line) and (match := _LEADING.match(line)):
        line = line[match.end() :] or line
    return line.strip(" .:-\u2013\u2014_*#")[:_LONGEST_TITLE]


def _in_title_case(text: str) -> bool:
    words = [word.strip(".,:;()[]\u201c\u201d\"'\u2019-\u2013\u2014&/*") for word in text.split()]
    words = [word for word in words if word and not word.isdigit()]
    if not words or len(words) > 14:
        return False
    large = [word for word in words if word.lower() not in _SMALL_WORDS]
    return (
        bool(large)
        and words[0][0].isupper()
        and sum(word[0].isupper() or not word[0].isalpha() for word in large) >= 0.8 * len(large)
    )
