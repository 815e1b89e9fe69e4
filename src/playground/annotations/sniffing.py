"""Which of the three formats a file is in, and what it is when it is none."""

from __future__ import annotations

import json
from itertools import islice
from typing import Literal

from playground.annotations.limits import ACCEPTED
from playground.errors import AnnotationError

Format = Literal["cuad", "csv", "json_lines"]

_NEXT = f"Load annotations as {ACCEPTED}."
_PICKLE = (
    "is a Python pickle, which can run code when it is opened; it was not opened. Export the annotations as CSV or "
    "JSON lines."
)
_EXCEL = "is an Excel workbook. Save the sheet as CSV (UTF-8) and load that."
# Leading bytes of what people try.
_KNOWN: tuple[tuple[bytes, str], ...] = (
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
    *((start, _PICKLE) for start in (b"(dp0\n", b"(lp0\n", b"ccopy_reg\n", b"}q\x00", b"]q\x00")),
    (b"%PDF-", "is a PDF: a contract, not annotations. Contracts are flagged on the page for contracts. " + _NEXT),
    (b"PAR1", "is a Parquet file. Export it as CSV or JSON lines."),
    (b"ARROW1", "is an Arrow file. Export it as CSV or JSON lines."),
    (b"SQLite format 3", "is a database. Export the table as CSV."),
    (b"\xd0\xcf\x11\xe0", "is an old Office file. Save the sheet as CSV (UTF-8) and load that."),
    (b"\x1f\x8b", "is compressed. Unpack it and load the file inside."),
    (b"BZh", "is compressed. Unpack it and load the file inside."),
    (b"\xfd7zXZ", "is compressed. Unpack it and load the file inside."),
    (b"7z\xbc\xaf", "is compressed. Unpack it and load the file inside."),
    (b"Rar!", "is compressed. Unpack it and load the file inside."),
    (b"\x93NUMPY", "is a NumPy array, not annotated clauses. " + _NEXT),
)
_PROBED_LINES = 20
_PROBED_CHARACTERS = 1_000_000


def refuse_known_others(data: bytes, name: str) -> None:
    """Name the format of a file that is none of ours; nothing is opened or unpacked for it.

    Raises:
        AnnotationError: the file is a pickle, an archive, a workbook or another binary format.
    """
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        raise AnnotationError(f"{name} {_archive(data)}")
    if data[8:9] == b"{" and b'"dtype"' in data[:100_000] and b"\x00" in data[:8]:
        raise AnnotationError(f"{name} is a safetensors file: weights, not annotations. Import adapters on their page.")
    for start, message in _KNOWN:
        if data.startswith(start):
            raise AnnotationError(f"{name} {message}")


def sniff_format(text: str, name: str) -> Format:
    """Return the format of a decoded file; what it contains decides, its name does not.

    Raises:
        AnnotationError: the text is in none of the formats.
    """
    start = text[:1_000].lstrip()
    if start.startswith("<"):
        raise AnnotationError(f"{name} is an HTML or XML file. {_NEXT}")
    if start.startswith("["):
        raise AnnotationError(
            f"{name} is one JSON list. Write one object a line without the brackets (JSON lines), or load CUAD's JSON "
            "or CSV."
        )
    if not start.startswith("{"):
        return "csv"
    objects = [value for line in _first_lines(text) if isinstance(value := _parsed(line), dict)]
    if objects and not isinstance(objects[0].get("data"), list):
        return "json_lines"
    # CUAD's file may be one line of 40 MB or indented: it is recognised without parsing it here.
    if objects or '"paragraphs"' in text:
        return "cuad"
    raise AnnotationError(
        f"{name} begins like JSON but is neither CUAD's layout nor one object a line. {_NEXT} A JSON lines file has "
        'rows such as {"text": "…", "labels": ["…"]}.'
    )


def lines_of(text: str) -> list[str]:
    """Return the lines of a JSON lines file: other line separators of Unicode are allowed inside its strings."""
    return text.replace("\r\n", "\n").split("\n")


def _first_lines(text: str) -> list[str]:
    return [line for line in islice(lines_of(text[:_PROBED_CHARACTERS]), _PROBED_LINES) if line.strip()]


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _archive(data: bytes) -> str:
    if b"xl/" in data:
        return _EXCEL
    if b"word/document" in data:
        return "is a Word document: a contract, not annotations. " + _NEXT
    if b"data.pkl" in data:
        return "is a PyTorch file, which holds a pickle that can run code; it was not opened. " + _NEXT
    return "is a zip archive. Unpack it and load the file inside."
