"""Does a text look like an English contract? Sentences for the reader where it does not; nothing is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 20_000
_FEWEST_WORDS = 40
_LONGEST_WORD = 12  # characters, with the space behind it, that a word has at most on average
_FUNCTION_WORDS = frozenset(
    "the of and to in or any for by shall this be a with is as that such not it its on from at are".split()
)
_OTHER_FUNCTION_WORDS = frozenset(
    # French, German, Spanish, Italian, Portuguese, Dutch; none that English has too.
    "le la les des du de une et est dans pour par sur au aux qui que ce cette avec ne pas ou son sa ses ou sont"
    " der das und ist nicht ein eine einer von mit zu dem den sich auf für im wird werden oder bei nach"
    " el los las del en con por una se su al para il di che della un da do em os uma não het een van op met".split()
)
_CONTRACT_WORDS = frozenset(
    "agreement agreements contract party parties shall hereby herein hereof hereunder hereto thereof term terms"
    " terminate termination obligations obligation liability liable indemnify warranty warranties breach notice clause"
    " clauses section licence license licensor licensee tenant landlord lease supplier customer confidential"
    " governing law assign assignment rights covenant covenants undertakes deed schedule".split()
)
_SOMEBODY = (
    r"(?:part(?:y|ies)|landlord|tenant|less(?:or|ee)|licens(?:or|ee)|supplier|customer|client|provider|contractor"
    r"|recipient|discloser|company|companies|buyer|seller|distributor|manufacturer|vendor|bank|members?|participants?"
    r"|franchis(?:or|ee)|employ(?:er|ee)|consultant|agent|owner|you|we|(?:each|neither|either|one) of us)"
)
_DUTY = re.compile(
    r"\bshall\b|\bhere(?:by|in|of|to|under)\b"
    rf"|\b{_SOMEBODY}(?: (?:or|and) \w{{1,20}}| [ab])? (?:further |hereto |also )?"
    r"(?:will|must|may|agrees?|undertakes?|is entitled|are entitled)\b",
    re.IGNORECASE,
)
"""What binds or entitles somebody; texts about contracts use their words without it."""

_ENGLISH_SHARE = 0.18
_CONTRACT_SHARE = 0.01
_DUTY_SHARE = 0.0015
_PARAGRAPH_WORDS = 12
"""Shorter paragraphs (numbers, names, headings) are read with the next one."""
_OTHER_LANGUAGE_SHARE = 0.1
_LAST_LATIN = "\u024f"

_ADVICE = "The flagger learnt from English contracts only: do not rely on what it flags or misses"


def contract_notes(text: str) -> tuple[str, ...]:
    """Return what a reader should know before trusting flags: another language, or no contract.

    English prose has about 35 % of such function words, other languages under 10 %; language is judged by paragraphs
    too, as a contract may be half English. A contract has words of contracts (1 % at least, mostly 3 to 10 %) and says
    who shall, must or may do something (once in 650 words at least); a résumé or a README has the words alone. Looks at
    the first 20,000 words.
    """
    found = list(islice(_WORD.finditer(text[: _MOST_WORDS * _LONGEST_WORD]), _MOST_WORDS))
    words = [match.group().lower() for match in found]
    if len(words) < _FEWEST_WORDS and len(text) < _FEWEST_WORDS * _LONGEST_WORD:  # scripts without spaces have few
        return ("This text is very short. Flags of a few sentences out of context are less reliable.",)
    read = text[: found[-1].end() if found else 0]
    is_english = sum(word in _FUNCTION_WORDS for word in words) >= _ENGLISH_SHARE * max(1, len(words))
    other = _other_language_share(read)
    if not is_english and not _OTHER_LANGUAGE_SHARE <= other <= 1 - _OTHER_LANGUAGE_SHARE:
        return (f"This text does not look like English. {_ADVICE} here.",)
    notes = []
    if other >= _OTHER_LANGUAGE_SHARE:
        notes.append(f"About {other:.0%} of this text does not look like English. {_ADVICE} there.")
    contract_words = sum(word in _CONTRACT_WORDS for word in words)
    duties = sum(1 for _ in _DUTY.finditer(" ".join(read.split())))
    if contract_words < _CONTRACT_SHARE * len(words) or duties < _DUTY_SHARE * (1 - other) * len(words):
        notes.append(
            "This text does not look like a contract. The flagger judges every sentence as if it were a clause: do not "
            "rely on its flags here."
        )
    return tuple(notes)


def _other_language_share(text: str) -> float:
    """Return which share of the letters is in paragraphs of another language; paragraphs of neither do not count.

    Tables and addresses have few function words of any language: only those of another one, or letters of another
    script, say that a paragraph is not English.
    """
    english = other = 0
    for paragraph in _paragraphs(text):
        words = [word.lower() for word in _WORD.findall(paragraph)]
        letters = sum(map(len, words))
        ours = sum(word in _FUNCTION_WORDS for word in words)
        theirs = sum(word in _OTHER_FUNCTION_WORDS for word in words)
        foreign_script = sum(len(word) for word in words if word[0] > _LAST_LATIN) > letters / 2
        if foreign_script or (theirs > ours and theirs >= _ENGLISH_SHARE / 2 * len(words)):
            other += letters
        elif ours >= _ENGLISH_SHARE / 2 * len(words):
            english += letters
    return other / max(1, english + other)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield what blank lines part, or lines where there are none; a short one together with the next."""
    parts = re.split(r"\n[ \t]*\n", text)
    held = ""
    for part in parts if len(parts) > 1 else text.splitlines():
        held = f"{held}\n{part}" if held else part
        if len(_WORD.findall(held)) >= _PARAGRAPH_WORDS:
            yield held
            held = ""
    if held:
        yield held
