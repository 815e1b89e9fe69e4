"""Read a folder of files with us and with a well-kept extractor each, and say where the readings differ, a file a line.

    python scripts/measure_reading.py data/contracts
    python scripts/measure_reading.py FOLDER --json

PDF is held against pypdf, DOCX against docx2python. Words are compared without case and punctuation. "lost": words
that the other has more often than we; "more": the other way round, doubled words and what the other leaves out;
"order": of the other's runs of three words that we have, how many stand nowhere together in ours. A difference is not
yet a fault of ours: running heads, page numbers and deleted text are left out on purpose, Word's numbers are put in.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from playground.documents import Limits, load_document
from playground.errors import DocumentError

_WORD = re.compile(r"[^\W_]+")
_MOST_SHOWN = 8
_LIMITS = Limits(max_bytes=50 << 20)


@dataclass(frozen=True, slots=True)
class Difference:
    """How our reading of a file differs from the other's; ``most_lost`` are the words lost most often."""

    file: str
    other: str
    words: int
    other_words: int
    lost: int
    more: int
    order: int
    most_lost: tuple[str, ...] = ()
    note: str = ""


def main() -> None:
    """Read every PDF and DOCX below a folder and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--ocr", action="store_true", help="read scans too; the others do not")
    arguments = parser.parse_args()
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if not arguments.json:
        print(f"{'file':40} {'other':12} {'words':>7} {'theirs':>7} {'lost':>6} {'more':>6} {'order':>6}")
    for path in sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() in OTHERS):
        found = compared(path, arguments.folder, ocr=arguments.ocr)
        print(json.dumps(asdict(found), ensure_ascii=False) if arguments.json else as_line(found), flush=True)


def compared(path: Path, folder: Path, *, ocr: bool = False) -> Difference:
    """Return how the two readings of a file differ; a reading that is refused has no words."""
    name, extract = OTHERS[path.suffix.lower()]
    data = path.read_bytes()
    note = ""
    try:
        ours = load_document(data, path.name, limits=_LIMITS, ocr=ocr).text
    except DocumentError as error:
        ours, note = "", str(error)
    try:
        theirs = extract(data)
    except Exception as error:  # whatever another extractor raises is its result
        theirs, note = "", f"{name}: {type(error).__name__}"
    return difference(str(path.relative_to(folder)), name, ours, theirs, note)


def difference(file: str, other: str, ours: str, theirs: str, note: str = "") -> Difference:
    """Return the difference of two texts."""
    our_words, their_words = words(ours), words(theirs)
    our_counts, their_counts = Counter(our_words), Counter(their_words)
    lost, more = their_counts - our_counts, our_counts - their_counts
    together = set(zip(our_words, our_words[1:], our_words[2:], strict=False))
    runs = [
        run for run in zip(their_words, their_words[1:], their_words[2:], strict=False) if our_counts.keys() >= set(run)
    ]
    return Difference(
        file=file,
        other=other,
        words=len(our_words),
        other_words=len(their_words),
        lost=lost.total(),
        more=more.total(),
        order=sum(run not in together for run in runs),
        most_lost=tuple(word for word, _count in lost.most_common(_MOST_SHOWN)),
        note=note,
    )


def words(text: str) -> list[str]:
    """Return the words of a text; those divided at a line's end are put together."""
    return _WORD.findall(re.sub(r"(?<=[^\W\d_])[-\u00ad]\s*\n\s*(?=[a-z])", "", text).lower())


def as_line(found: Difference) -> str:
    """Return a difference as a line of the table."""
    figures = f"{found.words:7,} {found.other_words:7,} {found.lost:6,} {found.more:6,} {found.order:6,}"
    said = " ".join(found.most_lost) if not found.note else found.note[:100]
    return f"{found.file[-40:]:40} {found.other:12} {figures}  {said}"


def _by_pypdf(data: bytes) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def _by_docx2python(data: bytes) -> str:
    from docx2python import docx2python

    with docx2python(io.BytesIO(data)) as read:
        return str(read.text)


OTHERS: Mapping[str, tuple[str, Callable[[bytes], str]]] = {
    ".pdf": ("pypdf", _by_pypdf),
    ".docx": ("docx2python", _by_docx2python),
}


if __name__ == "__main__":
    main()
