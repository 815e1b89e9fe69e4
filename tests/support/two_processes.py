"""Two processes of one training, each with what torchrun and ``accelerate launch`` set for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def run_two_processes(program: str, folder: Path, *arguments: object) -> None:
    """Run ``program`` twice at once, as ranks 0 and 1, and assert that both end well; the last argument is the rank."""
    script = folder / "worker.py"
    script.write_text(program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    workers = [
        subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments), str(rank)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        for worker in workers:
            _output, errors = worker.communicate(timeout=300)
            assert worker.returncode == 0, errors[-3000:]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
