"""Shares as people say them."""

from __future__ import annotations

import pytest

from playground.ui.shared.words import of_ten


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "none"),
        (0.07, "1 of 14"),
        (0.55, "6 of 10"),
        (0.74, "7 of 10"),
        (0.9, "9 of 10"),
        (0.95, "19 of 20"),
        (1.0, "all"),
    ],
)
def test_a_share_is_said_in_whole_things(share: float, said: str) -> None:
    assert of_ten(share) == said
