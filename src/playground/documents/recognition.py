"""Text recognition (OCR) in a child process with limits of its own: whether it is there, its progress, its stop."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict

from playground.documents.formats.pieces import Extract
from playground.documents.isolation import crashed, read_reply, too_slow, worker_command, worker_environment
from playground.documents.limits import Limits, ocr_limits
from playground.documents.sniffing import Format
from playground.errors import DocumentError

OnPage = Callable[[int, int], None]
"""Called with how many pages were read, of how many, a few times a second; what it raises stops the reading."""

SWITCH = "PLAYGROUND_OCR"
"""Environment variable that turns text recognition off: "off", "no" or "0"."""
HOW_TO_INSTALL = "To have scans read here, run `pip install -r requirements-ocr.txt` and restart."
HOW_TO_TURN_ON = f"Text recognition is turned off here ({SWITCH}, or --no-ocr)."

_POLL_S = 0.2
_log = logging.getLogger(__name__)


def is_wanted() -> bool:
    """Whether text recognition is not turned off."""
    return os.environ.get(SWITCH, "").strip().lower() not in ("off", "no", "0", "false")


def is_installed() -> bool:
    """Whether the packages of requirements-ocr.txt are there. Imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "openvino"))


def unavailable(wanted: bool) -> str:
    """Return what to do so that scans are read, empty where they are.

    Args:
        wanted: False when the caller turned text recognition off.
    """
    if not wanted or not is_wanted():
        return HOW_TO_TURN_ON
    return "" if is_installed() else HOW_TO_INSTALL


def recognise_isolated(data: bytes, document_format: Format, limits: Limits, on_page: OnPage | None = None) -> Extract:
    """Read ``data`` in a child process under ``ocr_limits(limits)``.

    Args:
        data: a PDF ("scan") or a picture ("picture").
        document_format: which of the two.
        limits: of the document.
        on_page: gets the progress; an exception that it raises ends the child process and reaches the caller.

    Raises:
        DocumentError: the file was refused, took too long, needed too much memory, or recognition cannot be started.
    """
    bounds = ocr_limits(limits)
    job = json.dumps({"format": document_format, "limits": asdict(bounds)})
    with tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(
                worker_command(job),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=worker_environment(),
            )
        except OSError as error:
            raise DocumentError(
                f"The program that reads scans could not be started ({error.strerror}). Close other programs and try "
                "again."
            ) from error
        try:
            reply = _follow(child, data, bounds, on_page)
        finally:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if reply is None:
            errors.seek(0)
            _log.warning(
                "parser exited with %d: %s", child.returncode, errors.read()[-2000:].decode("utf-8", "replace")
            )
            raise crashed(child.returncode, bounds)
    return read_reply(reply, bounds)


def _follow(child: subprocess.Popen[bytes], data: bytes, limits: Limits, on_page: OnPage | None) -> bytes | None:
    """Pass the child's progress on until its reply, the last line, is there; None when it died without one."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def feed() -> None:
        with contextlib.suppress(OSError, ValueError):  # the child may end before it has read everything
            if child.stdin:
                child.stdin.write(data)
                child.stdin.close()

    def collect() -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in child.stdout or ():
                lines.put(line)
        lines.put(None)

    for work in (feed, collect):
        threading.Thread(target=work, daemon=True).start()
    give_up_at = time.monotonic() + limits.timeout_s
    progress = (0, 0)
    last: bytes | None = None
    while True:
        if time.monotonic() > give_up_at:
            raise too_slow(limits)
        try:
            line = lines.get(timeout=_POLL_S)
        except queue.Empty:
            line = b""
        if line is None:
            child.wait()
            return last if child.returncode == 0 else None
        if line.startswith(b'{"page"'):
            found = json.loads(line)
            progress = (int(found["page"]), int(found["of"]))
        elif line:
            last = line
        if on_page is not None:
            on_page(*progress)
