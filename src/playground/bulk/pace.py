"""How fast a long run goes and when it will end."""

from __future__ import annotations

_FEW = 3


def pace(done: int, total: int, elapsed_s: float) -> str:
    """Return rate and time left as words: "3.2 a second, 12 min left".

    Args:
        done: of this run.
        total: to do in this run.
        elapsed_s: seconds since it began.

    Returns:
        "" until a few are done: the first ones wait for what is loaded.
    """
    if done < _FEW or elapsed_s <= 0:
        return ""
    rate = done / elapsed_s
    speed = f"{rate:.1f} a second" if rate >= 1 else f"{rate * 60:.1f} a minute"
    return f"{speed}, {duration((total - done) / rate)} left"


def duration(seconds: float) -> str:
    """Return seconds as people say them: "40 s", "12 min", "3 h 20 min", "2 d 4 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, left = divmod(round(minutes / 60), 24)
    return f"{days} d {left} h" if left else f"{days} d"
