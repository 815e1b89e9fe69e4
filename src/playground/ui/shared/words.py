"""Words that several pages share."""

from __future__ import annotations

NOTHING = "\u2013"


def clock(seconds: float) -> str:
    """Return a duration such as 1:05 or 2:03:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def of_ten(share: float) -> str:
    """Return a share from 0 to 1 as people say it: "7 of 10", "1 of 14", "19 of 20", "all", "none"."""
    if share <= 0 or share >= 1:
        return "all" if share >= 1 else "none"
    if share < 0.1:
        return f"1 of {round(1 / share):,}"
    if share > 0.9:
        whole = round(1 / (1 - share))
        return f"{whole - 1:,} of {whole:,}"
    return f"{round(share * 10)} of 10"
