"""Runs a parser on untrusted bytes in a child process that is killed when it takes too long or too much memory."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import asdict

from playground.documents.formats.pieces import Extract, check_length
from playground.documents.limits import MIB, Limits
from playground.documents.sniffing import Format
from playground.errors import DocumentError
from playground.paths import SOURCE
from playground.types import Block, RecognisedWord

WORKER = "playground.documents.worker"
_log = logging.getLogger(__name__)
# The child gets what an interpreter needs to start and nothing else: no keys, no proxies.
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "PYTHONHOME")


def extract_isolated(data: bytes, document_format: Format, limits: Limits) -> Extract:
    """Parse ``data`` in a child process under ``limits``.

    Raises:
        DocumentError: the parser refused the file, took too long, needed too much memory or crashed.
    """
    job = json.dumps({"format": document_format, "limits": asdict(limits)})
    return read_reply(run_isolated(WORKER, job, data, limits), limits)


def run_isolated(worker: str, job: str, data: bytes, limits: Limits) -> bytes:
    """Run the module ``worker`` in a child process on ``data`` and return what it writes.

    Raises:
        DocumentError: it took too long, needed too much memory or crashed.
    """
    try:
        done = subprocess.run(
            worker_command(job, worker),
            input=data,
            capture_output=True,
            timeout=limits.timeout_s,
            env=worker_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_slow(limits) from None
    except OSError as error:
        raise DocumentError(
            f"The program that reads documents could not be started ({error.strerror}). Close other programs and "
            "try again."
        ) from error
    if done.returncode:
        _log.warning("parser exited with %d: %s", done.returncode, done.stderr[-2000:].decode("utf-8", "replace"))
        raise crashed(done.returncode, limits)
    return done.stdout


def worker_command(job: str, worker: str = WORKER) -> list[str]:
    """Return the command of the child process for a job in JSON."""
    # -P keeps the working directory off the import path, so that a file lying there cannot be imported.
    return [sys.executable, "-P", "-m", worker, job]


def worker_environment() -> dict[str, str]:
    """Return the environment of the child process, without our keys and proxies."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"PYTHONPATH": str(SOURCE), "PYTHONUTF8": "1"}


def read_reply(stdout: bytes, limits: Limits) -> Extract:
    """Return the extract that the child process wrote.

    Raises:
        DocumentError: it wrote a refusal, or the text is too long.
    """
    reply = json.loads(stdout)
    if "error" in reply:
        raise DocumentError(str(reply["error"]))
    check_length(len(reply["text"]), limits.max_characters)
    return Extract(
        text=reply["text"],
        blocks=tuple(Block(*fields) for fields in reply["blocks"]),
        page_starts=tuple(reply["page_starts"]),
        warnings=tuple(reply["warnings"]),
        pages_without_text=tuple(reply["pages_without_text"]),
        garbled_pages=tuple(reply["garbled_pages"]),
        words=tuple(
            RecognisedWord(start, end, page, tuple(box), doubt) for start, end, page, box, doubt in reply["words"]
        ),
        recognised_pages=tuple(reply["recognised_pages"]),
    )


def too_slow(limits: Limits) -> DocumentError:
    """Return the refusal of a document that took too long."""
    return DocumentError(
        f"Reading the document took longer than {limits.timeout_s:g} s and was stopped. Split it, or save it as plain "
        "text and load that."
    )


def crashed(returncode: int, limits: Limits) -> DocumentError:
    """Return the refusal of a document under which the child process ended with a code other than 0."""
    if returncode == -getattr(signal, "SIGXCPU", 0):
        return too_slow(limits)
    if returncode < 0:
        return DocumentError(
            f"The document could not be read within {limits.max_memory_bytes // MIB} MB of memory, or it is damaged. "
            "Save it again from the program that made it, or load a shorter part."
        )
    return DocumentError(
        "The program that reads documents did not start. Run `pip install -r requirements.txt` again and restart."
    )
