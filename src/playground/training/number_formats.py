"""Numbers near zero that a processor handles in software make a training step several times slower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Round such numbers to zero inside the block, in this thread; nothing after it computes differently."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
