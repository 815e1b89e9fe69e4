"""llama.cpp's own server in a process of its own, for as long as a block runs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from playground.paths import ROOT

_START_S = 60


@contextlib.contextmanager
def serving(model: Path, key: str, adapter: Path | None = None) -> Iterator[str]:
    """Serve a GGUF model, with a GGUF adapter where one is given; yield the address."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "serve_gguf.py"), str(model), key]
    process = subprocess.Popen(
        [*command, *([str(adapter)] if adapter else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    watchdog = threading.Timer(_START_S, process.kill)  # ends the wait for the address if the server hangs
    watchdog.start()
    address = process.stdout.readline().strip()
    watchdog.cancel()
    try:
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        yield address
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
