"""How the commands that train end: a process that is one of several, and a training that is stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playground.cli.terminal import ProgressLine


@contextmanager
def secondary_process() -> Iterator[None]:
    """Run a training in a process that is not the first one: what is wrong is said once a machine."""
    from playground.errors import PlaygroundError

    try:
        yield
    except PlaygroundError:
        if os.environ.get("LOCAL_RANK") == "0":  # the first of another machine: its own files may be what is wrong
            raise
        raise SystemExit(2) from None  # the first process of this machine has said why


@contextmanager
def training_line() -> Iterator[ProgressLine]:
    """Give the line that a training shows itself on, closed at its end.

    Raises:
        KeyboardInterrupt: the training was stopped; the message says what is left of it, or how to go on.
    """
    from playground.training.progress import TrainingStopped

    line = ProgressLine()
    try:
        yield line
    except TrainingStopped as stopped:
        raise KeyboardInterrupt(str(stopped)) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Stopped; the active adapter is unchanged. Run the same command again to go on from the last checkpoint."
        ) from None
    finally:
        line.close()
