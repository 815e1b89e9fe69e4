"""One training at a time in a store, and which of several processes writes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from playground.adapters import (
    AdapterStore,
)
from playground.errors import TrainingError


@contextlib.contextmanager
def training_lock(store: AdapterStore) -> Iterator[None]:
    """Hold the one place for a training on this machine. The system frees it when the process ends, however it ends.

    Raises:
        TrainingError: another training is running.
    """
    from filelock import FileLock, Timeout

    try:
        store.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(store.root / ".training.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            "Another training is running on this machine, in another window or on a command line. Wait for its end or "
            "stop it, and start again."
        ) from error
    except OSError as error:
        raise TrainingError(
            f"The adapter folder {store.root} is not writable ({error.strerror or error}), so nothing could be saved. "
            "Make it writable and start again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_main_process() -> bool:
    """Tell whether this process speaks and saves: the only one, or the first of ``accelerate launch``."""
    return os.environ.get("RANK", "0") == "0"
