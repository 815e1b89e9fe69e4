"""What the commands share when they write to a terminal."""

from __future__ import annotations

import argparse
import math
import sys

_ANY_STEP = 10


def plain(text: str) -> str:
    """Return ``text`` without control characters: a policy or a model must not be able to steer the terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def one_line(text: str) -> str:
    """Return ``text`` as one printable line."""
    return " ".join(plain(text).split())


def seconds(value: float | None) -> str:
    """Return a duration for people."""
    return "—" if value is None else f"{value:.2f} s"


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


class ProgressLine:
    """Progress on standard error: one line that is rewritten in a terminal, a line for every tenth elsewhere."""

    def __init__(self) -> None:
        self._rewrites = sys.stderr.isatty()
        self._width = 0
        self._shown: tuple[str, int] | None = None

    def show(self, label: str, fraction: float, detail: str = "") -> None:
        """Show that ``label`` is done to ``fraction`` in [0, 1]."""
        percent = int(100 * min(max(fraction, 0.0), 1.0))
        text = f"{label}: {percent} %{detail and f'  {detail}'}"
        if self._rewrites:
            print(f"\r{text:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(text)
        elif self._shown != (label, percent // _ANY_STEP):
            self._shown = (label, percent // _ANY_STEP)
            print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print a line of its own that stays."""
        self.close()
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line."""
        if self._width:
            self._width = 0
            print(file=sys.stderr, flush=True)
