"""Where and when a measurement was made: stands beside every recorded number."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine in words that say how fast it is, not whose it is."""

    cpu: str
    cores: int
    memory_gb: int | None
    system: str
    python: str

    @property
    def label(self) -> str:
        """One line for stamps and tables."""
        memory = f", {self.memory_gb} GB" if self.memory_gb else ""
        return f"{self.cpu}, {self.cores} cores{memory}, {self.system}, Python {self.python}"


@lru_cache(maxsize=1)
def describe_machine() -> Machine:
    """Return this machine; what the system does not tell is left out."""
    return Machine(_cpu(), os.cpu_count() or 1, _memory_gb(), platform.system(), platform.python_version())


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def days_of(times: Iterable[str]) -> str:
    """Return the days of times, one at least, as ``utc_now`` gives them: "2026-11-27", "2026-11-27 to 2026-12-01"."""
    days = sorted({time[:10] for time in times})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def free_memory_bytes() -> int:
    """Return how much memory a process can take now without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def commit(folder: Path | None = None) -> str:
    """Return the short commit of the checkout this package runs from, "+changes" where files differ from it.

    "unknown" where it is no checkout or git is not installed.
    """
    git = shutil.which("git")
    if git is None:
        return "unknown"
    folder = folder or Path(__file__).parent

    def ask(*words: str) -> str:
        result = subprocess.run(
            [git, "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return result.stdout.strip()

    try:
        changed = ask("status", "--porcelain", "--untracked-files=no", "--", "src", "scenarios", ":/src", ":/scenarios")
        return ask("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    except (AttributeError, ValueError, OSError):
        return None


_BUSY_SHARE = 0.5


def busy_sentence() -> str:
    """Return that this machine has other work, from its load of the last minute; "" where it has not, or none is told.

    A measurement that begins on a busy machine finds longer times than a quiet one.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows tells none
        return ""
    cores = os.cpu_count() or 1
    if load < _BUSY_SHARE * cores:
        return ""
    return (
        f"This machine was busy when the measurement began (load {load:.1f} on {cores} cores): the times are longer "
        "than on a quiet one, and do not compare with recorded ones."
    )
