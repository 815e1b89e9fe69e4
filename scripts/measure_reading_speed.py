"""Measure how long reading a long PDF and a long DOCX takes, against pypdf and docx2python, and what memory it takes.

    python -m scripts.measure_reading_speed --out docs/evaluation/reading_speed.json

Both files are made of a sample contract: 100 pages of PDF text, and a DOCX of 139,000 characters. The readings take
turns, so that a slow moment of the machine meets both; a figure is ours divided by the other's in the same round.
"parser" is the work that the other does too, in this process. "whole" is what a user waits for: it starts a process of
its own, under limits, and looks for hidden instructions, which the other does not. Memory is the peak of a fresh
process that reads the file once, and of the process that it starts (Linux).
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import multiprocessing
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from playground.documents import Limits, load_document
from playground.documents.formats import docx, pdf
from playground.machine import commit, describe_machine, utc_now
from playground.paths import CONTRACTS
from scripts.measure_reading import OTHERS

SAMPLE = CONTRACTS / "services-agreement.pdf"
PDF_PAGES = 100
DOCX_CHARACTERS = 139_000
_PARSERS: dict[str, Callable[[bytes, Limits], object]] = {".pdf": pdf.parse, ".docx": docx.parse}
_LINES_A_PAGE = 48
_LINE_CHARACTERS = 92
_LIMITS = Limits(max_bytes=50 << 20)


def long_pdf(text: str, pages: int = PDF_PAGES) -> bytes:
    """Return a PDF of so many pages of running text, as a contract is printed."""
    from fpdf import FPDF

    made = FPDF()
    made.set_auto_page_break(False)
    made.set_font("Helvetica", size=10)
    lines = _wrapped(text)
    for page in range(pages):
        made.add_page()
        for row in range(_LINES_A_PAGE):
            made.set_xy(15, 15 + 5.4 * row)
            made.cell(text=lines[(page * _LINES_A_PAGE + row) % len(lines)])
    return bytes(made.output())


def long_docx(text: str, characters: int = DOCX_CHARACTERS) -> bytes:
    """Return a DOCX with about so many characters in paragraphs."""
    from docx import Document

    document, written = Document(), 0
    paragraphs = [line for line in text.splitlines() if line.strip()]
    while written < characters:
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
            written += len(paragraph) + 1
            if written >= characters:
                break
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _wrapped(text: str) -> list[str]:
    import textwrap

    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, _LINE_CHARACTERS)]
    return [line.encode("latin-1", "replace").decode("latin-1") for line in lines]


def ratios(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> dict[str, object]:
    """Return the seconds of both, in turns, and what ours takes of theirs in each round; a first round is not counted.

    ``ratio`` is the median of the rounds, ``ratio_lowest`` and ``ratio_highest`` their range.
    """
    seconds: list[tuple[float, float]] = []
    for _round in range(rounds + 1):
        pair = []
        for read in (ours, theirs):
            started = time.perf_counter()
            read()
            pair.append(time.perf_counter() - started)
        seconds.append((pair[0], pair[1]))
    found = [mine / other for mine, other in seconds[1:]]
    return {
        "seconds": round(statistics.median(mine for mine, _ in seconds[1:]), 3),
        "other_seconds": round(statistics.median(other for _, other in seconds[1:]), 3),
        "ratio": round(statistics.median(found), 3),
        "ratio_lowest": round(min(found), 3),
        "ratio_highest": round(max(found), 3),
    }


def peak_bytes(name: str, data: bytes) -> int:
    """Return the peak of resident memory of a process that reads a file, with that of the process it starts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_read_once, (name, data))


def _read_once(name: str, data: bytes) -> int:
    load_document(data, name, limits=_LIMITS)
    own, started = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1024 * (own + started)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the files, measure both, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pages", type=int, default=PDF_PAGES)
    parser.add_argument("--characters", type=int, default=DOCX_CHARACTERS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    text = load_document(SAMPLE.read_bytes(), SAMPLE.name).text
    files = {"long.pdf": long_pdf(text, options.pages), "long.docx": long_docx(text, options.characters)}
    found: dict[str, object] = {}
    for name, data in files.items():
        other, extract = OTHERS[Path(name).suffix]
        theirs = partial(extract, data)
        ways: dict[str, Callable[[], object]] = {
            "parser": partial(_PARSERS[Path(name).suffix], data, _LIMITS),
            "whole": partial(load_document, data, name, limits=_LIMITS),
        }
        figures = {way: ratios(read, theirs, options.rounds) for way, read in ways.items()}
        peak = peak_bytes(name, data)
        found[name] = {"other": other, "n_rounds": options.rounds, **figures, "peak_bytes": peak}
        for way, one in figures.items():
            print(
                f"{name}, {way}: {one['seconds']} s, {other} {one['other_seconds']} s, ratio {one['ratio']} "
                f"({one['ratio_lowest']} to {one['ratio_highest']})"
            )
        print(f"{name}: peak {peak / 1e6:.0f} MB")
    if options.out:
        stamp = {
            "date": utc_now(),
            "commit": commit(),
            "machine": describe_machine().label,
            "command": "python -m scripts.measure_reading_speed",
            "pages": options.pages,
            "characters": options.characters,
        }
        options.out.write_text(json.dumps(stamp | {"files": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
