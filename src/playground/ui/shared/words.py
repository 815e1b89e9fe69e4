"""Words that several pages share."""

from __future__ import annotations

NOTHING = "\u2013"


def clock(seconds: float) -> str:
    """Return a duration such as 1:05 or 2:03:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
