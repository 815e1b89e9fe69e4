"""Checked arguments of commands that measure."""

from __future__ import annotations

import argparse
import math


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
