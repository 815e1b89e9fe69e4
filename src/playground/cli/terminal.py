"""What the commands share when they write to a terminal."""

from __future__ import annotations

import sys

_ANY_STEP = 10


def seconds(value: float | None) -> str:
    """Return a duration for people."""
    return "—" if value is None else f"{value:.2f} s"


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
