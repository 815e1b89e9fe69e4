"""The child process that parses one untrusted document; ``isolation`` starts it.

    python -m playground.documents.worker '{"format": "pdf", "limits": {...}}' < FILE

Writes one JSON object to standard output: the extract, or ``{"error": sentence}``. Formats that are read by OCR write a
line ``{"page": read, "of": pages}`` before it for each page.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable
from functools import partial

from playground.documents.formats.pieces import Extract
from playground.documents.limits import MIB, Limits
from playground.errors import DocumentError

Parser = Callable[[bytes, Limits], Extract]

READ_BY_OCR = ("scan", "picture")


def main(job: str) -> None:
    """Parse standard input as ``job`` says, under limits that this process puts upon itself."""
    request = json.loads(job)
    limits = Limits(**request["limits"])
    parse = _load_parser(request["format"])  # before the limits, so that they leave room for the document only
    limit_resources(limits)
    sys.stdout.buffer.write(guarded(lambda: _reply(parse(sys.stdin.buffer.read(), limits)), limits))


def guarded(work: Callable[[], bytes], limits: Limits) -> bytes:
    """Return what ``work`` returns, or ``{"error": sentence}`` in JSON where it fails."""
    try:
        return work()
    except DocumentError as error:
        return _error(str(error))
    except MemoryError:
        return _error(
            f"The document needs more than {limits.max_memory_bytes // MIB} MB of memory to be read. Split it, or save "
            "it as plain text and load that."
        )
    except RecursionError:
        return _error("The document is nested too deeply to be read. Save it as PDF or plain text and load that.")
    except Exception as error:  # a defect in a parser must reach the user as a sentence, not as a traceback
        return _error(f"The document is damaged ({type(error).__name__}). Save it again from the program that made it.")


def _load_parser(document_format: str) -> Parser:
    module = importlib.import_module(f"playground.documents.formats.{document_format}")
    parse: Parser = partial(module.parse, on_page=_tell) if document_format in READ_BY_OCR else module.parse
    return parse


def _tell(read: int, pages: int) -> None:
    sys.stdout.buffer.write(json.dumps({"page": read, "of": pages}).encode() + b"\n")
    sys.stdout.buffer.flush()


def limit_resources(limits: Limits) -> None:
    """Put ``limits`` upon this process, where the operating system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time-out still holds
        return
    cpu_s = math.ceil(limits.timeout_s * limits.threads) + 1
    for kind, value in (
        (resource.RLIMIT_AS, limits.max_memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),  # a parser writes no files
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (allowed, hard))
        except (ValueError, OSError):  # macOS refuses RLIMIT_AS; the time-out still holds
            continue


def _reply(extract: Extract) -> bytes:
    return json.dumps(
        {
            "text": extract.text,
            "blocks": [(block.kind, block.start, block.end, block.level) for block in extract.blocks],
            "page_starts": extract.page_starts,
            "warnings": extract.warnings,
            "pages_without_text": extract.pages_without_text,
            "garbled_pages": extract.garbled_pages,
            "words": [(word.start, word.end, word.page, word.box, word.doubt) for word in extract.words],
            "recognised_pages": extract.recognised_pages,
        },
        ensure_ascii=False,
    ).encode("utf-8")


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode("utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
