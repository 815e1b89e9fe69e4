r"""Count cuts inside a sentence in the clauses of real contracts, and how much of the annotation clauses can reach.

    python scripts/measure_cuts.py /path/to/CUAD.json
    python scripts/measure_cuts.py /path/to/CUAD.json --wrapped --show 10

Each contract is cut in two ways: its text as it is (as training and evaluation do), and read as a text file with its
lines wrapped at 60 to 160 columns and a page number every 50 lines (``--wrapped``). What is counted:

**A cut inside a sentence**, told from the words on both sides of it and from nothing that the splitter decided, so that
any build can be measured. Let *before* be the last paragraph of a clause and *after* the beginning of the next one.
Page numbers, page marks and lines that stand alone five times in the contract (numbers in them apart, no sentences)
are passed over on both sides. A cut is counted when *before* is prose (at least eight words, two of them among the
commonest of English, not a table of contents), does not end with ``. ! ? ; :`` (closing quotes and brackets aside) nor
with ``; and`` or ``, or`` before an item, *after* is no "WHEREAS" or the like, and one of these holds:

- ``lower``: *after* begins with a small letter that is no list mark ("a)", "b.");
- ``open``: *before* ends with a word that cannot end a sentence (an article, preposition, conjunction, auxiliary verb
  or "Section"), with a number written out before "(60)", or with a comma, dollar sign or opening bracket. Where *after*
  is an item of a list ("(b)", "2.", a bullet), it is a sub-clause and no cut inside a sentence, unless *before* ends as
  a reference does ("paragraph", "(a) and") or with the number that *after* repeats in brackets;
- ``quantity``: *after* begins with a number and a small letter ("30 days", "2.5 million");
- ``line``: the cut is at a single line end or within a line, *after* begins with a capital and is no numbered section,
  item or heading in capitals.

Two more kinds do not ask how *before* ends:

- ``abbreviation``: the cut follows "Pub.", "Civ.", "No." and the like, and no line ends there;
- ``comma``: an item of a list within a line is parted from a sentence that goes on with a comma.

Sentences without their full stop, titles set as text and table cells are counted wrongly now and then; every build is
measured by the same words, so what differs is the cutting.

**Reach**: the share of CUAD's spans that one clause, or a run of neighbouring clauses, matches (Jaccard index of the
sets of words of at least one half, CUAD's own rule). Names and dates do not count, as in CUAD's metric. Annotators of
CUAD marked pages: where a page parts a sentence, each half is a span of its own, so a build that keeps the sentence
whole loses some of them.

Intervals are 95 % percentile bootstraps over contracts. Prints a table and writes docs/evaluation/cuts.json.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from playground.annotations import AnnotatedContract, read_cuad
from playground.clauses.splitting import split_clauses
from playground.documents import load_document
from playground.documents.limits import Limits
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.cuad_metric import LEFT_OUT, word_jaccard
from playground.paths import ROOT
from playground.types import Clause, Document
from scenarios.contract_clauses.scenario import labels

KINDS = ("lower", "open", "quantity", "line", "abbreviation", "comma")
RESAMPLES = 2_000
LIMITS = Limits(max_bytes=10**8, max_characters=10**7)
WIDTHS = (60, 72, 80, 100, 130, 160)
PAGE_LINES = 50
LONGEST_RUN = 40

_TERMINAL = re.compile(r"[.!?;:\u2026][\"'\u201d\u2019)\]*_]{0,4}$")
_FURNITURE = re.compile(
    r"\W{0,3}(?:page\s*)?(?:[A-Z]{1,2}-?)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W{0,3}|</?[A-Z][A-Z0-9-]*>",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"\s{2,}(?:page\s*)?-?\s?(?:[A-Z]-?)?\d{1,3}(?:\s*of\s*\d{1,3})?\s?-?$", re.IGNORECASE)
_COMMON = frozenset("the of to and in or shall by for any a an be is that this with such as which not from".split())
_OPEN = frozenset(
    "a an the of to in on at by for from with without within under upon into between among during per via than as and"
    " or nor but if unless whether that which who whose shall will would may might must can is are was were"
    " could should be been being has have had not any each every all such its their his her our your this these those"
    " no section sections article articles clause clauses paragraph paragraphs subsection".split()
)
_NUMBER_WORD = re.compile(
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million)$",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"\(?(?:[a-z]{1,2}|[ivx]{1,6}|\d{1,3}(?:\.\d{1,3}){0,5})[.)]\s|[-\u2022*\u25cf\u25aa\u2013\u2014o]\s", re.I
)
_BRACKETED = re.compile(r"\((?:[a-z]{1,2}|[ivx]{1,6}|\d{1,2})\)", re.I)
_NUMBERED = re.compile(
    r"(?:(?:section|article|exhibit|schedule|annex|appendix)\s)?\d{1,3}(?:\.\d{1,3}){0,5}\.?\s", re.I
)
_REFERENCE_END = re.compile(
    r"(?:\b(?:sections?|articles?|clauses?|(?:sub)?paragraphs?|subsections?)|\([a-z0-9]{1,4}\)\s(?:and|or|to|through))$",
    re.I,
)
_QUANTITY = re.compile(r"\d{1,3}(?:[.,]\d{1,3})?%?\s+[a-z]{2,}")
_ITEM_END = re.compile(r"[;:,]\s*(?:and|or|and/or)[,;]?$|[;:]\s*(?:and|or)[,;]?$", re.I)
_NO_SENTENCE = re.compile(r"(?:whereas|witnesseth|now,?\s*therefore|in witness)\b", re.I)
_ABBREVIATION = re.compile(
    r"(?:^|[^\w.])(?:no|nos|sec|secs|art|pub|civ|ex|del|cal|stat|reg|fed|supp|cir|rev|inc|corp|ltd|co|mr|mrs|ms|dr|u\.s)\.$",
    re.I,
)
_LEADER = re.compile(r"(?:\.{4,}|(?:\s\.){4,})\s*\d{1,3}|\s\d{1,3}$")


@dataclass
class Counted:
    """What was counted of one contract."""

    clauses: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    spans: int = 0
    reached: int = 0
    reached_by_run: int = 0
    shown: list[tuple[str, str, str]] = field(default_factory=list)


def kind_of_cut(before: str, after: str, gap: str) -> str:
    """Return which kind of cut inside a sentence lies between two texts, "" for none; see the module for the rules.

    ``gap`` is the white space between them. Both texts are without page numbers and white space at the cut.
    """
    words = re.findall(r"[A-Za-z']+", before[-400:])
    if not after or len(words) < 8 or sum(word.lower() in _COMMON for word in words) < 2:
        return ""
    is_item = bool(_ITEM.match(after) or _BRACKETED.match(after))
    if "\n" not in gap and _ABBREVIATION.search(before[-12:]) and re.match(r"\d|[a-z]|[A-Z]\.", after):
        return "abbreviation"
    if "\n" not in gap and is_item and before.endswith(","):
        return "comma"
    if _TERMINAL.search(before) or _LEADER.search(before[-40:]) or _NO_SENTENCE.match(after):
        return ""
    return _kind_without_stop(
        before, after, gap, last=words[-1].lower() if before[-1].isalpha() else "", is_item=is_item
    )


def _kind_without_stop(before: str, after: str, gap: str, *, last: str, is_item: bool) -> str:
    """Judge a cut before which no sentence ends."""
    ends_item = bool(_ITEM_END.search(before[-12:]))
    refers = bool(_REFERENCE_END.search(before[-30:]))
    is_capital = after[0].isupper() and not after[:12].isupper()
    if after[0].islower() and not is_item:
        kind = "" if ends_item and ";" in before[-12:] else "lower"
    elif _QUANTITY.match(after):
        kind = "" if ends_item or "$" in after[:12] else "quantity"
    elif is_item:
        repeats = bool(re.match(r"\(\d", after)) and bool(_NUMBER_WORD.search(before[-12:]))
        kind = "open" if repeats or refers else ""
    elif ends_item:
        kind = ""
    elif _NUMBERED.match(after):
        kind = "open" if last in _OPEN or refers else ""
    elif last in _OPEN or before[-1] in ",$([":
        kind = "open"
    else:
        kind = "line" if gap.count("\n") < 2 and is_capital else ""
    return kind


def cuts_of(clauses: Sequence[Clause]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, text before and text after of each cut inside a sentence."""
    text = "".join(clause.text for clause in clauses)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text)]
    lines = Counter(re.sub(r"\d+", "0", " ".join(part.split())) for part in paragraphs if part and "\n" not in part)
    running = {
        line
        for line, count in lines.items()
        if count >= 5 and len(line) <= 300 and not re.search(r"^[a-z]|[.;:]$", line)
    }

    def is_furniture(piece: str) -> bool:
        parts = [" ".join(line.split()) for line in piece.split("\n") if line.strip()]
        return all(_FURNITURE.fullmatch(part) or re.sub(r"\d+", "0", part) in running for part in parts)

    def without_furniture(piece: str, *, at_end: bool) -> str:
        parts = re.split(r"(\n)", piece.strip())
        while parts and is_furniture(parts[-1 if at_end else 0]):
            parts.pop(-1 if at_end else 0)
        return "".join(parts).strip()

    index = 0
    while index < len(clauses) - 1:
        following = index + 1
        while following < len(clauses) and is_furniture(clauses[following].text):
            following += 1
        if following == len(clauses):
            return
        first = clauses[index].text
        before = without_furniture(first, at_end=True)
        before = _TRAILING.sub("", re.split(r"\n\s*\n", before)[-1])
        after = without_furniture(clauses[following].text, at_end=False)
        gap = first[len(first.rstrip()) :] + "\n\n" * (following > index + 1)
        if before and (kind := kind_of_cut(before, after, gap)):
            yield kind, before, after
        index = following


def reach(text: str, span: tuple[int, int], clauses: Sequence[Clause]) -> tuple[bool, bool]:
    """Tell whether one clause, and whether some run of neighbouring clauses, matches a span of the text."""
    marked = text[span[0] : span[1]]
    near = [i for i, clause in enumerate(clauses) if clause.start < span[1] and clause.end > span[0]]
    near = near[:LONGEST_RUN]
    by_one = any(word_jaccard(marked, clauses[i].text) >= 0.5 for i in near)
    by_run = by_one or any(
        word_jaccard(marked, text[clauses[i].start : clauses[j].end]) >= 0.5 for i in near for j in near if j > i
    )
    return by_one, by_run


def as_it_is(contract: AnnotatedContract) -> Counted:
    """Count cuts and reach in the text of a contract, cut as it is."""
    clauses = split_clauses(Document(id="d", title=contract.title, text=contract.text, source="", sha256=""))
    counted = _counted(clauses)
    for span in contract.spans:
        if span.label in LEFT_OUT:
            continue
        by_one, by_run = reach(contract.text, (span.start, span.end), clauses)
        counted.spans += 1
        counted.reached += by_one
        counted.reached_by_run += by_run
    return counted


def as_wrapped(contract: AnnotatedContract) -> Counted:
    """Count cuts in a contract that is read as a text file, wrapped as mail and filings are."""
    document = load_document(wrapped(contract.text, contract.title).encode(), "contract.txt", limits=LIMITS)
    return _counted(split_clauses(document))


def wrapped(text: str, seed: str) -> str:
    """Return the text with its paragraphs wrapped, and a page number with a page mark every 50 lines."""
    generator = random.Random(seed)
    width, mark = generator.choice(WIDTHS), generator.choice(("<PAGE>", "\f", ""))
    lines: list[str] = []
    page = 1
    for paragraph in re.split(r"\n\s*\n", text):
        # A line with columns is no paragraph.
        is_prose = len(re.findall(r"\S {3,}\S", paragraph)) < 2
        for line in textwrap.wrap(paragraph, width) if is_prose else paragraph.split("\n"):
            lines.append(line)
            if len(lines) % PAGE_LINES == 0:
                lines += ["", f"{page:>{width // 2}}", mark, ""] if mark else ["", f"{page:>{width // 2}}", ""]
                page += 1
        lines.append("")
    return "\n".join(lines)


def _counted(clauses: Sequence[Clause]) -> Counted:
    found = list(cuts_of(clauses))
    return Counted(len(clauses), Counter(kind for kind, _, _ in found), shown=found)


def summary(counted: Sequence[Counted]) -> dict[str, object]:
    """Return the rates of all contracts together, each as [value, low, high]."""
    draws = np.random.default_rng(20261201).integers(0, len(counted), (RESAMPLES, len(counted)))

    def rate(numerators: list[int], denominators: list[int]) -> list[float]:
        above, below = np.array(numerators), np.array(denominators)
        resampled = above[draws].sum(axis=1) / below[draws].sum(axis=1)
        low, high = np.percentile(resampled, [2.5, 97.5])
        return [round(float(one), 5) for one in (above.sum() / below.sum(), low, high)]

    clauses = [one.clauses for one in counted]
    found: dict[str, object] = {
        "contracts": len(counted),
        "clauses": sum(clauses),
        "cuts": sum(one.cuts.total() for one in counted),
        "cuts_per_clause": rate([one.cuts.total() for one in counted], clauses),
        "contracts_with_a_cut": sum(one.cuts.total() > 0 for one in counted),
        "by_kind": {kind: sum(one.cuts[kind] for one in counted) for kind in KINDS},
    }
    spans = [one.spans for one in counted]
    if any(spans):
        found["spans"] = sum(spans)
        found["reached_by_a_clause"] = rate([one.reached for one in counted], spans)
        found["reached_by_a_run"] = rate([one.reached_by_run for one in counted], spans)
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cuad", type=Path, help="contracts in CUAD's JSON")
    parser.add_argument("--wrapped", action="store_true", help="also as wrapped text files")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th contract")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N cuts of each kind")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evaluation" / "cuts.json")
    arguments = parser.parse_args()
    names = tuple(label.name for label in labels())
    contracts, _ = read_cuad(arguments.cuad.read_bytes(), arguments.cuad.name, names)
    ways = {"as it is": as_it_is} | ({"wrapped": as_wrapped} if arguments.wrapped else {})
    figures: dict[str, object] = {}
    for way, count in ways.items():
        counted = [count(contract) for contract in contracts[:: arguments.every]]
        figures[way] = summary(counted)
        print(way, json.dumps(figures[way], indent=1))
        show([cut for one in counted for cut in one.shown], arguments.show)
    content = {
        "contracts_of": arguments.cuad.name,
        "machine": describe_machine().label,
        "commit": commit(),
        "measured_at": utc_now(),
        **figures,
    }
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def show(cuts: Sequence[tuple[str, str, str]], count: int) -> None:
    """Print some of the cuts, drawn at random with a fixed seed."""
    for kind in KINDS:
        of_kind = [cut for cut in cuts if cut[0] == kind]
        for _, before, after in random.Random(0).sample(of_kind, min(count, len(of_kind))):
            print(f"{kind}: {' '.join(before[-90:].split())} | {' '.join(after[:70].split())}")


if __name__ == "__main__":
    main()
