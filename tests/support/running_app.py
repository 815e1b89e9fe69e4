"""The app in a process of its own, started as the Makefile starts it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running_app(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Give the app's address; its adapters, runs and log go to ``folder``, and at the end no traceback may be there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true"]
    log = folder / "log"
    # Adapters that a test trains, and runs that it makes, do not end up among the user's own.
    names = ("adapters", "runs", "sessions")
    places = {f"PLAYGROUND_{name.upper()}": str(folder / name) for name in names}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | places | dict(variables or {}),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(300):
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310 - our own server
                    break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text()
