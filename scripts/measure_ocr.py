"""Measure text recognition on pages that are made to look like scans: characters wrong, and flags that change.

    python -m scripts.measure_ocr --out docs/evaluation/ocr.json

The sample contracts are drawn at 150 and 200 dpi, laid askew (at most 1.5 degrees), blurred, made noisy and speckled,
and stored as JPEG in a PDF without text. What is read is held against the text layer: the edit distance over the
characters, white space as one space each. One contract is set in two columns, and a set of pages is stamped over.
The flags of a scanned contract are held against those of its text, by the adapter named.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from fpdf import FPDF
from PIL import Image

from playground import paths
from playground.documents import CONTRACT_LIMITS, load_document
from playground.flagging.flags import flag_contract, score_contract
from playground.flagging.model import ClauseModel
from playground.machine import commit, describe_machine, utc_now
from playground.types import Document, FlaggedContract
from scenarios.contract_clauses import scenario
from scripts.degraded_pages import BLUE, GREY, RED, as_pdf, degraded, rendered, stamped

SEED = 20261201
_MOST_SKEW = 1.5
_RESAMPLES = 2_000
_SAME = 0.5


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page: its characters, how many edits make the reading of them, and of the words that came out wrong how many
    are marked as doubtful; ``doubted`` counts all words that are marked."""

    kind: str
    contract: str
    page: int
    dpi: int
    characters: int
    edits: int
    words: int
    wrong_words: int
    wrong_doubted: int
    doubted: int


@dataclass(frozen=True, slots=True)
class FlagRow:
    """Flags of one contract: on both its text and its scan, on one only."""

    contract: str
    both: int
    text_only: int
    scan_only: int


def main() -> None:
    """Read the pages, print the figures and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", default="cuad-minilm")
    parser.add_argument("--pages", type=int, help="at most so many pages of each contract (no flags are compared then)")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    chooser = random.Random(SEED)
    sources = {
        name: (paths.CONTRACTS / name).read_bytes() for name in ("services-agreement.pdf", "distribution-agreement.pdf")
    }
    sources["nda.txt, two columns"] = in_two_columns((paths.CONTRACTS / "nda.txt").read_text(encoding="utf-8"))
    rows: list[PageRow] = []
    flags: list[FlagRow] = []
    seconds: list[float] = []
    model = None if arguments.pages else _load_model(arguments.adapter)
    for name, data in sources.items():
        truth = load_document(data, "contract.pdf", limits=CONTRACT_LIMITS, ocr=False)
        kind = "two columns" if "two columns" in name else "one column"
        for dpi in (200, 150):
            pages = rendered(data, dpi)[: arguments.pages if dpi == 200 else (arguments.pages or 4)]
            found = _read([_worn(page, chooser) for page in pages], dpi, seconds)
            rows += _page_rows(kind, name, dpi, (truth, found), range(len(pages)))
            if model is not None and dpi == 200:
                flags.append(compare_flags(name, _flags(truth, model), _flags(found, model)))
                print(flags[-1], flush=True)
        if kind == "one column":
            pages = rendered(data, 200)[2 : 2 + len(_STAMPS)]
            worn = [
                stamped(_worn(page, chooser), text, place, colour=colour)
                for page, (text, place, colour) in zip(pages, _STAMPS, strict=True)
            ]
            rows += _page_rows("stamped", name, 200, (truth, _read(worn, 200, seconds)), range(2, 2 + len(pages)))
        print(figures([row for row in rows if row.contract == name]), flush=True)
    measured = {
        "measured_at": utc_now(),
        "machine": describe_machine().label,
        "commit": commit(),
        "command": "python -m scripts.measure_ocr",
        "seed": SEED,
        "seconds_a_page": round(sum(seconds) / max(len(rows), 1), 1),
        "characters": figures(rows),
        "flags": flag_figures(flags, arguments.adapter),
        "rows": [asdict(row) for row in rows],
    }
    print(json.dumps({key: value for key, value in measured.items() if key != "rows"}, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


_STAMPS = (
    ("RECEIVED 12 MAY 2025", (0.5, 0.35), RED),
    ("COPY", (0.45, 0.5), BLUE),
    ("DRAFT - NOT BINDING", (0.5, 0.55), GREY),
)


def _worn(page: Image.Image, chooser: random.Random) -> Image.Image:
    return degraded(
        page,
        chooser,
        skew_degrees=chooser.uniform(-_MOST_SKEW, _MOST_SKEW),
        noise=chooser.uniform(4, 14),
        blur=chooser.uniform(0.2, 0.7),
        specks=15,
    )


def _read(pages: Sequence[Image.Image], dpi: int, seconds: list[float]) -> Document:
    started = time.perf_counter()
    found = load_document(as_pdf(pages, dpi), "scan.pdf", limits=CONTRACT_LIMITS)
    seconds.append(time.perf_counter() - started)
    return found


def _page_rows(
    kind: str, contract: str, dpi: int, documents: tuple[Document, Document], numbers: range
) -> list[PageRow]:
    truth, found = documents
    rows = []
    for position, number in enumerate(numbers):
        right, read = page_text(truth, number), page_text(found, position)
        words = right.split()
        doubted = [found.text[w.start : w.end] for w in found.recognised_words if w.page == position + 1 and w.doubt]
        wrong = _surplus(read.split(), words)
        rows.append(
            PageRow(
                kind=kind,
                contract=contract,
                page=number + 1,
                dpi=dpi,
                characters=len(right),
                edits=edit_distance(read, right),
                words=len(words),
                wrong_words=len(wrong),
                wrong_doubted=sum(word in doubted for word in wrong),
                doubted=len(doubted),
            )
        )
    return rows


def page_text(document: Document, number: int) -> str:
    """Return the text of a page (index), each run of white space as one space, without cell bars and dot leaders."""
    ends = [*document.page_starts[1:], len(document.text)]
    words = document.text[document.page_starts[number] : ends[number]].split()
    return " ".join(word for word in words if word.strip("|.…_"))


def edit_distance(one: str, other: str) -> int:
    """Return how many characters to insert, delete or replace to make one text of the other (Levenshtein 1966)."""
    target = np.frombuffer(other.encode("utf-32-le"), dtype=np.uint32)
    steps = np.arange(len(target) + 1)
    row = steps.copy()
    for position, character in enumerate(one, start=1):
        replaced = row[:-1] + (target != ord(character))
        best = np.concatenate(([position], np.minimum(replaced, row[1:] + 1)))
        row = np.minimum.accumulate(best - steps) + steps  # insertions run along the row
    return int(row[-1])


def _surplus(read: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return the words of the reading that the page has not, or not as often."""
    left = list(right)
    wrong = []
    for word in read:
        if word in left:
            left.remove(word)
        else:
            wrong.append(word)
    return wrong


def figures(rows: Sequence[PageRow]) -> dict[str, dict[str, object]]:
    """Return, for each kind and resolution, the character error rate with its interval over resampled pages."""
    found: dict[str, dict[str, object]] = {}
    for key in dict.fromkeys((row.kind, row.dpi) for row in rows):
        some = [row for row in rows if (row.kind, row.dpi) == key]
        edits, characters = (np.array([getattr(row, name) for row in some]) for name in ("edits", "characters"))
        drawn = np.random.default_rng(SEED).integers(len(some), size=(_RESAMPLES, len(some)))
        rates = edits[drawn].sum(axis=1) / characters[drawn].sum(axis=1)
        wrong = sum(row.wrong_words for row in some)
        found[f"{key[0]}, {key[1]} dpi"] = {
            "pages": len(some),
            "characters": int(characters.sum()),
            "error_rate": round(float(edits.sum() / characters.sum()), 5),
            "ci": [round(float(value), 5) for value in np.percentile(rates, (2.5, 97.5))],
            "words_wrong": wrong,
            "of_them_doubted": sum(row.wrong_doubted for row in some),
            "words_doubted": sum(row.doubted for row in some),
            "words": sum(row.words for row in some),
        }
    return found


def flag_figures(rows: Sequence[FlagRow], adapter: str) -> dict[str, object]:
    """Return how many flags are the same, of all that the text or the scan has."""
    both = sum(row.both for row in rows)
    every = both + sum(row.text_only + row.scan_only for row in rows)
    same = round(both / every, 4) if every else None
    return {"adapter": adapter, "dpi": 200, "flags": every, "same": same, "contracts": [asdict(row) for row in rows]}


def compare_flags(name: str, of_text: FlaggedContract, of_scan: FlaggedContract) -> FlagRow:
    """Pair the flags of one label whose clauses share at least half of their words."""
    left = _labelled(of_scan)
    both = text_only = 0
    for label, words in _labelled(of_text):
        pairs = [entry for entry in left if entry[0] == label and _overlap(words, entry[1]) >= _SAME]
        if pairs:
            left.remove(max(pairs, key=lambda entry: _overlap(words, entry[1])))
            both += 1
        else:
            text_only += 1
    return FlagRow(name, both, text_only, len(left))


def _labelled(contract: FlaggedContract) -> list[tuple[str, frozenset[str]]]:
    texts = {clause.id: frozenset(clause.text.lower().split()) for clause in contract.clauses}
    return [(flag.label, texts[flag.clause_id]) for flag in contract.flags]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def _load_model(adapter: str) -> ClauseModel:
    from playground.flagging.loading import chosen_adapter, load_flagger

    return load_flagger(chosen_adapter(paths.SHIPPED_ADAPTERS, adapter)[0])


def _flags(document: Document, model: ClauseModel) -> FlaggedContract:
    catalogue = {label.name: label for label in scenario.labels()}
    return flag_contract(score_contract(document, model, catalogue), catalogue)


def in_two_columns(text: str) -> bytes:
    """Return a text set in two columns as PDF."""
    pdf = FPDF()
    pdf.set_font("Times", size=10)
    pdf.add_page()
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    plain = "\n\n".join(paragraphs).encode("latin-1", "replace").decode("latin-1")
    with pdf.text_columns(text_align="J", ncols=2, gutter=8) as columns:
        columns.write(plain)
    return bytes(pdf.output())


if __name__ == "__main__":
    main()
