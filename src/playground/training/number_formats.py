"""Numbers near zero that a processor handles in software make a training step several times slower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Round such numbers to zero inside the block, in this thread; nothing after it computes differently."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def computes_bfloat16(device: Any) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than float32 ones."""
    import torch

    if getattr(device, "type", "cpu") == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("amx_tile"))
