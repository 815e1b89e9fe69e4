"""``read``: what a file is read as, without a model: text, structure, clauses, and what was left out or decided."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli.terminal import ProgressLine
from playground.errors import DocumentError
from playground.text.terminal import one_line

if TYPE_CHECKING:
    from playground.types import Clause, Document


def add_command(commands: Any) -> None:
    """Add ``read`` to the parser."""
    parser = commands.add_parser("read", help="show what a file is read as: pages, words, what was left out; no model")
    parser.add_argument("file", type=Path, metavar="FILE", help="PDF, DOCX, Markdown, HTML, text, or a scan")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with text, blocks and clauses")
    parser.add_argument("--no-ocr", action="store_true", help="read no scans and pictures (text recognition)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Read the file, print the report unless JSON is wanted, and return the JSON object.

    Raises:
        DocumentError: the file is missing or cannot be read.
    """
    from playground.clauses.splitting import split_clauses

    document = _read(arguments.file, ocr=not arguments.no_ocr)
    clauses = split_clauses(document)
    if not arguments.json:
        _print(document, clauses)
    return as_object(document, clauses)


def as_object(document: Document, clauses: tuple[Clause, ...]) -> dict[str, object]:
    """Return text, blocks and clauses as one object; offsets are into the text, ``pages`` None without pages."""
    return {
        "document": document.source,
        "text": document.text,
        "pages": len(document.page_starts) or None,
        "warnings": list(document.warnings),
        "blocks": [
            {"kind": block.kind, "level": block.level, "start": block.start, "end": block.end}
            for block in document.blocks
        ],
        "clauses": [
            {"number": clause.number, "kind": clause.kind, "start": clause.start, "end": clause.end}
            for clause in clauses
        ],
    }


def _read(path: Path, *, ocr: bool) -> Document:
    from playground.documents import CONTRACT_LIMITS, POLICY_LIMITS, Limits, load_document

    # As large a file as a contract may have, as long a text as a policy may.
    limits = Limits(max_bytes=CONTRACT_LIMITS.max_bytes, max_characters=POLICY_LIMITS.max_characters)
    try:
        if not path.is_file():
            raise DocumentError(f"There is no file {path}. Check its name.")
        if path.stat().st_size > limits.max_bytes:
            raise DocumentError(f"{path} has more than {limits.max_bytes >> 20} MB. Split it.")
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path} cannot be read ({error.strerror}). Check its permissions.") from error
    line = ProgressLine()
    try:
        return load_document(
            data,
            path.name,
            limits=limits,
            ocr=ocr,
            on_page=lambda done, pages: line.show("Reading by OCR", done / max(pages, 1), f"{done} of {pages} pages"),
        )
    finally:
        line.close()


def _print(document: Document, clauses: tuple[Clause, ...]) -> None:
    from playground.documents.reading_report import reading_report, report_lines

    report = reading_report(document)
    print(one_line(report.source))
    for line in (*report_lines(report), f"{len(clauses):,} clause{'' if len(clauses) == 1 else 's'}"):
        print(f"  {line}")
    if report.notes:
        print("Left out, or decided:")
        for note in report.notes:
            print(f"  - {one_line(note)}")
    else:
        print("Nothing was left out, nothing had to be decided.")
