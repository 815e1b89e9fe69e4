"""What the soak calls growth, and what it does not."""

from scripts.soak import Level, growth

WARM = [Level(900.0, 8, 6), Level(1000.0, 10, 8)]


def test_memory_within_5_percent_is_level_and_the_warm_up_does_not_count() -> None:
    assert growth([*WARM, Level(1049.0, 10, 8)]) == []


def test_what_grew_is_named() -> None:
    assert growth([*WARM, Level(1051.0, 11, 9)]) == [
        "Memory grew from 1000 to 1051 MB.",
        "Threads grew from 10 to 11.",
        "Open files grew from 8 to 9.",
    ]


def test_too_few_rounds_tell_nothing() -> None:
    assert growth(WARM) == ["2 rounds tell nothing: more than 2 are needed."]
