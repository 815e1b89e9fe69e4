"""Checked arguments of commands."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.measuring.request import Kind


def positive(text: str) -> int:
    """Read a whole number from 1 on, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("it must be a whole number of at least 1")
    return number


def dollars(text: str) -> float:
    """Read an amount of US dollars above 0, for argparse."""
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not math.isfinite(amount) or amount <= 0:
        raise argparse.ArgumentTypeError("it must be an amount of US dollars above 0")
    return amount


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_option(kind: Kind) -> Callable[[str], object]:
    """Return how argparse reads the value of an option of a request (``measuring.request``)."""
    readers: dict[Kind, Callable[[str], object]] = {"file": Path, "count": positive, "number": float}
    return readers.get(kind, str)
