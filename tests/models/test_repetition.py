"""A text that goes round in circles is noticed by its words, whatever pieces it arrives in, and cut to one round."""

from __future__ import annotations

import pytest

from playground.models.repetition import RepetitionWatch, without_repetition


def stops_after(pieces: list[str]) -> int:
    """Return after how many pieces the watch says stop; -1 where it never does."""
    watch = RepetitionWatch()
    return next((number for number, piece in enumerate(pieces, start=1) if watch.add(piece)), -1)


@pytest.mark.parametrize(
    "unit",
    ["Furniture. ", "no refund, ", "You can return it. ", "1. Furniture\n2. Furniture\n", "word " * 12 + "end. "],
)
def test_a_circle_is_stopped(unit: str) -> None:
    text = unit * 25
    for size in (1, 5, len(unit)):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert 0 < stops_after(pieces) * size <= 8 * len(unit)


@pytest.mark.parametrize(
    "text",
    [
        "Very, very, very good boots come back within 60 days. ",
        "Shoes: 21 days. Boots: 21 days. Tents: 60 days. Packs: 60 days. GPS units: 20 days. ",
        "You can return shoes. You can return boots. You can return tents. You can return packs. ",
        "",
    ],
)
def test_what_only_sounds_alike_goes_on(text: str) -> None:
    assert stops_after(list(text)) == -1
    assert without_repetition(text) == text


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("Furniture. " * 7 + "Furn", "Furniture."),
        ("Items: ropes, ropes, ropes, ropes, ropes, ropes, ropes,", "Items: ropes"),
        ("You may. You can go. You can go. You can go. You can go. You ca", "You may. You can go."),
        ("Fine.", "Fine."),
    ],
)
def test_what_repeats_is_kept_once(text: str, once: str) -> None:
    assert without_repetition(text) == once


def test_the_work_is_bounded_whatever_arrives() -> None:
    watch = RepetitionWatch()
    assert not any(watch.add("x" * 10_000) for _ in range(50))
    assert not any(watch.add(f"{n} {n * n}w ") for n in range(2_000))
