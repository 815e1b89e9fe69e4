"""Does a text look like an English contract? Sentences for the reader where it does not; nothing is refused."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 20_000
_FEWEST_WORDS = 40
_LONGEST_WORD = 12  # characters, with the space behind it, that a word has at most on average
_FUNCTION_WORDS = frozenset(
    "the of and to in or any for by shall this be a with is as that such not it its on from at are".split()
)
_CONTRACT_WORDS = frozenset(
    "agreement agreements contract party parties shall hereby herein hereof hereunder hereto thereof term terms"
    " terminate termination obligations obligation liability liable indemnify warranty warranties breach notice clause"
    " clauses section licence license licensor licensee tenant landlord lease supplier customer confidential"
    " governing law assign assignment rights covenant covenants undertakes deed schedule".split()
)
_ENGLISH_SHARE = 0.18
_CONTRACT_SHARE = 0.02


def contract_notes(text: str) -> tuple[str, ...]:
    """Return what a reader should know before trusting flags: another language, or no contract.

    English prose has about 35 % of such function words, other languages under 10 %; contracts have about 6 % of words
    of contracts, other prose under 1 %. Looks at the first 20,000 words.
    """
    words = [word.lower() for word in _WORD.findall(text[: _MOST_WORDS * _LONGEST_WORD])[:_MOST_WORDS]]
    if len(words) < _FEWEST_WORDS and len(text) < _FEWEST_WORDS * _LONGEST_WORD:  # scripts without spaces have few
        return ("This text is very short. Flags of a few sentences out of context are less reliable.",)
    if sum(word in _FUNCTION_WORDS for word in words) < _ENGLISH_SHARE * max(1, len(words)):
        return (
            "This text does not look like English. The flagger learnt from English contracts only: do not rely on what "
            "it flags or misses here.",
        )
    if sum(word in _CONTRACT_WORDS for word in words) < _CONTRACT_SHARE * len(words):
        return (
            "This text does not look like a contract. The flagger judges every sentence as if it were a clause: do not "
            "rely on its flags here.",
        )
    return ()
