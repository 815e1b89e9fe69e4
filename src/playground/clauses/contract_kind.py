"""What kind of contract a document is: a guess from its title and its first words, so that each is asked for its own.

The guess decides nothing but which labels are listed as missing, and is said wherever they are.
"""

from __future__ import annotations

import re

from playground.types import ContractKind, Document

CONTRACT_KINDS: dict[ContractKind, str] = {
    "nda": "a non-disclosure agreement",
    "licence": "a licence",
    "services": "a services agreement",
    "lease": "a lease",
    "distribution": "a distribution or supply agreement",
    "employment": "an employment or consulting agreement",
    "general": "a commercial contract",
}
"""Each kind as it stands in a sentence; "general" is what fits none of the others."""

_OPENING_CHARACTERS = 2_000
_TITLE_CHARACTERS = 200
_TITLE_LINE_CHARACTERS = 80
_TITLE_WORD = re.compile(r"\b(?:agreement|contract|(?:sub)?lease|licen[cs]e|deed)\s*$", re.IGNORECASE)
_FEWEST_CUES = 2
_IN_TITLES: dict[ContractKind, str] = {
    "nda": r"non-?\s?disclosure|confidentiality (?:\w+ ){0,3}?(?:agreement|deed|undertaking)|\bnda\b",
    "licence": r"\b(?:sub)?licen[cs](?:e|ing)\b|\beula\b",
    "services": r"\bservices?\b|\boutsourcing\b|\bmaintenance\b|\bhosting\b",
    "lease": r"\b(?:sub)?lease\b|\btenancy\b|\brental\b",
    "distribution": r"\bdistribut(?:ion|or|orship)\b|\bresell(?:er|ing)\b|\bdealer(?:ship)?\b|\bsupply\b",
    "employment": r"\bemployment\b|\bconsult(?:ing|ancy|ant)\b|\bindependent contractor\b",
}
_IN_OPENINGS: dict[ContractKind, tuple[str, ...]] = {
    "nda": (r"confidential information", r"disclos(?:er|ing party)", r"recipient|receiving party"),
    "licence": (r"\blicensor\b", r"\blicensee\b", r"grants? .{0,60}\blicen[cs]e\b"),
    "services": (r"\bservice provider\b", r"\bthe services\b", r"statement of work|service levels?"),
    "lease": (r"\blandlord\b|\blessor\b", r"\btenant\b|\blessee\b", r"\bpremises\b", r"\brent\b"),
    "distribution": (r"\bdistributor\b|\breseller\b", r"\bterritory\b", r"\bthe products\b|\bthe goods\b"),
    "employment": (r"\bemployee\b|\bconsultant\b", r"\bemployer\b", r"\bsalary\b|\bconsulting services\b"),
}


def contract_kind(document: Document) -> ContractKind:
    """Return the kind that the title names first; without one, the kind that the opening has most words of.

    Title, first heading, first line and the first short line with a word like
    "agreement" count as the title. An opening decides with two different expressions of one
    kind, and more than of any other; else the contract is "general".
    """
    heading = next((block for block in document.blocks if block.kind == "heading"), None)
    lines = [line for line in document.text[:_OPENING_CHARACTERS].splitlines() if line.strip()]
    titles = [line for line in lines if len(line.strip()) <= _TITLE_LINE_CHARACTERS and _TITLE_WORD.search(line)]
    heads = (document.title, document.text[heading.start : heading.end] if heading else "", *lines[:1], *titles[:1])
    for title in heads:
        if named := _named_in(_folded(title)[:_TITLE_CHARACTERS]):
            return named
    opening = _folded(document.text[:_OPENING_CHARACTERS])
    counts = {kind: sum(bool(re.search(cue, opening)) for cue in cues) for kind, cues in _IN_OPENINGS.items()}
    most = max(counts.values())
    leading = [kind for kind, count in counts.items() if count == most]
    return leading[0] if most >= _FEWEST_CUES and len(leading) == 1 else "general"


def kind_sentence(kind: ContractKind) -> str:
    """Return how a contract was read, as a sentence for the reader."""
    if kind == "general":
        return "What kind of contract this is was not recognised."
    return f"Read as {CONTRACT_KINDS[kind]}: a guess from its title and opening words."


def _named_in(title: str) -> ContractKind | None:
    found = {kind: match.start() for kind, words in _IN_TITLES.items() if (match := re.search(words, title))}
    return next((kind for kind, start in found.items() if start == min(found.values())), None)


def _folded(text: str) -> str:
    return " ".join(text.lower().split())
