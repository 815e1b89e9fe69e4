"""What a document may cost before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one untrusted document.

    ``max_bytes`` bounds the file, ``max_characters`` the extracted text, ``max_pages`` the pages of a PDF,
    ``timeout_s`` the wall clock of the child process that parses, ``max_memory_bytes`` its address space (enforced
    where the operating system can; on Windows only the time-out holds), ``threads`` the processor cores that it may
    keep busy. ``max_scanned_pages`` and ``max_pixels`` bound what OCR reads: pages, and pixels of one picture.
    """

    max_bytes: int = 10 * MIB
    max_characters: int = 2_000_000
    max_pages: int = 1_000
    timeout_s: float = 30.0
    max_memory_bytes: int = 1024 * MIB
    threads: int = 1
    max_scanned_pages: int = 100
    max_pixels: int = 80_000_000


POLICY_LIMITS = Limits()

CONTRACT_LIMITS = Limits(max_bytes=25 * MIB, max_characters=300_000)
"""A contract is judged clause by clause, so its text may be shorter than a policy's and its file larger."""


def ocr_limits(limits: Limits) -> Limits:
    """Return the limits of a child process that also runs text recognition: it needs more time and memory."""
    return replace(limits, timeout_s=900.0, max_memory_bytes=6 * 1024 * MIB, threads=4)
