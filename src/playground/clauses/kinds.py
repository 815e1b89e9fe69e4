"""What a piece of a contract is for: text that binds, a heading, a definition, a table of contents, a signature.

Decided from the piece, those around it and the blocks of the document, by the forms that contracts use; nothing is
learnt. Where a form is in doubt the piece binds: a liability must not be silenced by a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from playground.clauses.headings import (
    LONGEST_HEADING,
    Outline,
    clean_title,
    is_attachment,
    is_heading,
    is_operative,
    is_part,
    number_of,
    opens_numbers,
    run_in_heading,
)
from playground.types import Block, ClauseKind

__all__ = ["Kind", "kinds_of"]

_REPEATED = 3
"""A line that stands this often in a contract is a running head, not a heading."""
_WORD = re.compile(r"[^\W\d_]{2}")
_CONNECTIVE = re.compile(r"\W{0,3}(?:by and between|between|among|and|by|with|to|or)\W{0,3}", re.IGNORECASE)
"""Stands alone between the parties' names on a cover."""
_DEFINITION = re.compile(
    r"\s*(?:[-•*]\s*)?(?:\(?[a-zA-Z0-9]{1,4}[.)]\s*|\d{1,3}(?:\.\d{1,3}){0,5}\.?\s*)?"
    r"(?:[Tt]he\s+(?:term\s+)?)?[\u201c\"\u2018'][^\u201c\u201d\"]{2,80}[\u201d\"\u2019'](?:\s+or\s+[\u201c\"][^\u201c\u201d\"]{2,60}[\u201d\"])?,?\s*"
    r"(?:\([^()]{0,80}\)\s*)?(?:shall\s+mean|means?\b|will\s+mean|has\s+the\s+(?:same\s+)?meaning|shall\s+have\s+the\s+meaning"
    r"|have\s+the\s+meaning|includes?\b|refers?\s+to|is\s+defined|shall\s+refer|:)"
)
_GRANT = re.compile(r"\b(?:hereby|grants?|assigns?|waives?|releases?)\b", re.IGNORECASE)
_BINDS = re.compile(
    r"\bin\s+no\s+event\b|\bwithout\s+(?:any\s+)?limit"
    r"|\b(?:shall|must|will|may|agrees?\s+to|undertakes?\s+to)\s+(?:not\s+|never\s+|only\s+|each\s+|also\s+)?"
    r"(?:be\s+liable|exceed|indemnify|defend|hold\s+harmless|pay|appoint|compete|solicit|engage|hire|assign|transfer"
    r"|grant|license|maintain|insure|audit|purchase|buy|sell|supply|terminate|renew|sue|challenge)\b",
    re.IGNORECASE,
)
"""In a definition: says what somebody owes, so that the sentence is more than a definition."""
_DEFINITIONS_TITLE = re.compile(r"\b(?:definitions?|defined terms|interpretation|words mean)\b", re.IGNORECASE)
_QUOTED_TERM = re.compile(r"\s*(?:\(?[a-zA-Z0-9.]{1,6}[.)]?\s+)?[\u201c\"][^\u201c\u201d\"]{2,80}[\u201d\"]")

_CONTENTS_TITLE = re.compile(r"\s*(?:table\s+of\s+)?contents\s*$", re.IGNORECASE)
_CONTENTS_ENTRY = re.compile(
    r"(?:\.{3,6}|(?:\s\.){3,60}|\u2026|_{4,6}|\s{3}|\t)\s{0,3}(?:[ivxlc]{1,6}|\d{1,3})\s{0,3}$", re.IGNORECASE
)
_CONTENTS_INLINE = re.compile(r"(?:\.{4,6}|(?:\s\.){4,60}|\s{3})\s{0,3}\d{1,3}(?=\s)")
_PAGE_AT_END = re.compile(r"\s\d{1,3}\s{0,3}$")
_FEWEST_ENTRIES = 3
_LONGEST_ENTRY = 200

_WITNESS = re.compile(
    r"\s*(?:in\s+witness\s+(?:whereof|hereof|thereof)|executed\s+as\s+(?:a\s+deed|an\s+agreement)"
    r"|signed\s+(?:by|for|as a deed))\b",
    re.IGNORECASE,
)
_SIGNATURES_TITLE = re.compile(
    r"\W*(?:signatures?|signatories|signed|execution\s+pages?|signature\s+(?:pages?|blocks?)[^.]{0,60})\W*$",
    re.IGNORECASE,
)
_SIGNED_LABEL = (
    r"(?:by|name|title|signature|signed|date|dated|its|print(?:ed)? name|witness|place|duly authori[sz]ed)\s{0,3}:"
)
_SIGNED_LABELS = re.compile(rf"(?:^|\s){_SIGNED_LABEL}", re.IGNORECASE)
_SIGNED_LINE = re.compile(rf"{_SIGNED_LABEL}.{{0,80}}$", re.IGNORECASE)
_RULE = re.compile(r"_{5,}")
_SLASHED = re.compile(r"/s/", re.IGNORECASE)
_LONGEST_SIGNATURE = 220
_LONGEST_SIGNATURES = 900
"""Several signatures side by side, as one piece."""
_MOST_WORDS_BY_RULE = 8
_FEWEST_WORDS_OF_CLAUSE = 3
_MOST_NAMES = 2
"""Lines above a signature that name who signs."""

_SPACE_RUN = re.compile(r"\s{3,}")
_SAME_CHARACTER_RUN = re.compile(r"(\S)\1{6,}")
_MOST_READ = 4_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a piece is. ``level`` is set where it opens a section named ``title``: a heading, alone or run into text.

    A level without a title opens a section that has none; ``resets`` says that no earlier heading stands above it.
    """

    kind: ClauseKind = "body"
    level: int = 0
    title: str = ""
    resets: bool = False


def kinds_of(pieces: Sequence[str], blocks: Sequence[Block | None] = ()) -> list[Kind]:
    """Return the kind of each piece of a contract, given in order. Linear in their length.

    Args:
        pieces: cover the contract, white space included.
        blocks: the document's block that each piece lies in, None where it lies in none or in several.
    """
    squeezed = [_squeezed(piece) for piece in pieces]
    lines = [" ".join(piece.split()) for piece in squeezed]
    places = list(blocks) if blocks else [None] * len(pieces)
    contents = _contents(squeezed, lines)
    signatures = _signatures(lines)
    counts = Counter(lines)
    outline = Outline()
    found: list[Kind] = []
    definitions_level = 0
    for index, line in enumerate(lines):
        block = places[index]
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if contents[index]:
            found.append(Kind("table_of_contents", resets=True))
        elif signatures[index]:
            found.append(Kind("signature"))
        elif _CONNECTIVE.fullmatch(line):
            found.append(Kind("heading"))
        elif not _DEFINITION.match(line) and (is_heading(line, block) or opens_numbers(line, following)):
            if counts[line] >= _REPEATED or not _WORD.search(line):
                found.append(Kind("heading"))
                continue
            level, title = outline.heading_level(line, block), clean_title(line)
            resets = is_attachment(line) or bool(_SIGNATURES_TITLE.match(title))
            definitions_level = _definitions_level(definitions_level, level, title)
            found.append(Kind("heading", level, title, resets))
        elif block is not None and block.kind == "table_row":
            is_definition = bool(definitions_level) and bool(_QUOTED_TERM.match(line)) and not _BINDS.search(line)
            found.append(Kind("definition" if is_definition else "body"))
        else:
            title = run_in_heading(squeezed[index])
            level = outline.run_in_level(line, title)
            if level:
                definitions_level = _definitions_level(definitions_level, level, title)
            is_definition = not _BINDS.search(line) and (
                bool(_DEFINITION.match(line))
                or (bool(definitions_level) and bool(_QUOTED_TERM.match(line)))
                or (index > 0 and found[-1].kind == "definition" and _goes_on(pieces, places, index, definitions_level))
            )
            found.append(Kind("definition" if is_definition else "body", level, title))
    return found


def _definitions_level(before: int, level: int, title: str) -> int:
    """Return the level of the section of definitions that a heading opens or leaves open; 0 for none."""
    if _DEFINITIONS_TITLE.search(title):
        return level
    return before if level > before else 0


def _goes_on(pieces: Sequence[str], blocks: Sequence[Block | None], index: int, in_definitions: int) -> bool:
    """Tell whether a piece goes on with the definition before it, and binds nobody by its words."""
    text = pieces[index][:_MOST_READ]
    if is_operative(text) or _GRANT.search(text):
        return False
    block, before = blocks[index], pieces[index - 1]
    same_line = not before[len(before.rstrip()) :].count("\n")
    is_item = bool(in_definitions) and number_of(pieces[index]).startswith("(")
    return same_line or is_item or (block is not None and block == blocks[index - 1])


def _squeezed(piece: str) -> str:
    """Bound what the patterns have to look at: a form is told from a piece's beginning, and from short runs."""
    piece = _SPACE_RUN.sub("   ", piece[:_MOST_READ].strip())
    return _SAME_CHARACTER_RUN.sub(lambda match: match[1] * 6, piece)


def _signatures(lines: Sequence[str]) -> list[bool]:
    """Tell which lines belong to signatures.

    Below "In witness whereof" or a title "Signatures" that is everything short until a clause, an attachment or a
    binding sentence comes; elsewhere the lines with a signature, those labelled next to them and the names above.
    """
    found = [False] * len(lines)
    on_page = in_block = False
    for index, line in enumerate(lines):
        is_title = bool(_SIGNATURES_TITLE.match(line)) and len(line) <= LONGEST_HEADING
        if on_page and not is_title:
            on_page = not _leaves_signatures(line, lines[index + 1] if index + 1 < len(lines) else "")
        signed = bool(_WITNESS.match(line)) or _is_signed(line)
        in_block = signed or (in_block and bool(_SIGNED_LINE.match(line)) and not is_operative(line))
        if is_title:
            on_page = True
            continue
        on_page = on_page or bool(_WITNESS.match(line))
        found[index] = on_page or in_block
        if signed and not on_page:
            _mark_names(lines, found, index)
    return found


def _is_signed(line: str) -> bool:
    """Tell whether a line is a signature or the place for one; a blank in a sentence ("pays $____ on ____") is not."""
    if len(line) > _LONGEST_SIGNATURES:
        return False
    labels, rules = len(_SIGNED_LABELS.findall(line)), len(_RULE.findall(line))
    slashed = bool(_SLASHED.search(line))
    if len(line) > _LONGEST_SIGNATURE:
        return labels >= 4 and not is_operative(line)
    if slashed:
        return True
    if is_operative(line):
        return False
    words = len(_WORD.findall(_RULE.sub(" ", line)))
    by_rule = rules and words <= _MOST_WORDS_BY_RULE and not line.endswith((".", ";", ","))
    return labels >= 2 or bool(labels and rules) or bool(by_rule)


def _leaves_signatures(line: str, following: str) -> bool:
    if is_attachment(line) or (is_part(line) and is_heading(line)):
        return True
    if _WITNESS.match(line) or _is_signed(line) or _SIGNED_LINE.match(line):
        return False
    if len(line) > _LONGEST_SIGNATURE or (is_operative(line) and line.endswith((".", ";", ":"))):
        return True
    if number_of(line)[:1].isdigit():
        return len(line.split()) > _FEWEST_WORDS_OF_CLAUSE - 1
    return is_heading(line) and number_of(following)[:1].isdigit() and not _SIGNED_LINE.match(following)


def _mark_names(lines: Sequence[str], found: list[bool], index: int) -> None:
    """Mark the lines right above a signature that belong to it: labelled ones and the name of the party."""
    first = max(0, index - _MOST_NAMES)
    for above in range(index - 1, first - 1, -1):
        line = lines[above]
        is_name = is_heading(line) and not number_of(line) and not is_part(line) and not _SIGNATURES_TITLE.match(line)
        if found[above] or not (is_name or (_SIGNED_LINE.match(line) and not is_operative(line))):
            return
        found[above] = True


def _contents(pieces: Sequence[str], lines: Sequence[str]) -> list[bool]:
    """Tell which pieces belong to a table of contents: under its title, or a row of entries with page numbers."""
    found = [False] * len(pieces)
    inline = [len(_CONTENTS_INLINE.findall(piece)) >= _FEWEST_ENTRIES for piece in pieces]
    entries = [
        has_several or (len(line) <= _LONGEST_ENTRY and bool(_CONTENTS_ENTRY.search(piece)) and not line.endswith("."))
        for piece, line, has_several in zip(pieces, lines, inline, strict=True)
    ]
    position = 0
    while position < len(pieces):
        if _CONTENTS_TITLE.match(lines[position]) or lines[position].lower().endswith("table of contents"):
            found[position] = True
            end = position + 1
            quiet = 0
            while end < len(pieces) and quiet < 2:
                is_entry = entries[end] or (
                    len(lines[end]) <= LONGEST_HEADING and bool(_PAGE_AT_END.search(lines[end]))
                )
                quiet = 0 if is_entry else quiet + 1
                end += 1
            for index in range(position + 1, end - quiet):
                found[index] = True
            position = end - quiet
            continue
        run = position
        while run < len(pieces) and entries[run]:
            run += 1
        if run - position >= _FEWEST_ENTRIES or (run > position and inline[position]):
            for index in range(position, run):
                found[index] = True
        position = max(run, position + 1)
    return found
