"""Rate and time left, in words."""

import pytest

from playground.bulk.pace import duration, pace


@pytest.mark.parametrize(
    ("done", "total", "elapsed", "words"),
    [
        (2, 100, 1.0, ""),
        (50, 100, 25.0, "2.0 a second, 25 s left"),
        (10, 100, 100.0, "6.0 a minute, 15 min left"),
        (100, 100, 10.0, "10.0 a second, 0 s left"),
    ],
)
def test_pace_says_rate_and_time_left(done: int, total: int, elapsed: float, words: str) -> None:
    assert pace(done, total, elapsed) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.7, "1 min"),
        (3_570, "1 h"),
        (5_400, "1 h 30 min"),
        (172_000, "47 h 47 min"),
        (180_000, "2 d 2 h"),
        (172_800, "2 d"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
