"""The simulation of many contracts: whoever is free takes the next, and the rest follows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.measure_scale import simulate, write_contracts


@pytest.mark.parametrize(
    ("contracts", "cores", "seconds"), [(10, 1, 20.0), (10, 5, 4.0), (11, 5, 6.0), (3, 100, 2.0), (1_000_000, 10, 2e5)]
)
def test_contracts_of_one_length_take_what_can_be_reckoned(contracts: int, cores: int, seconds: float) -> None:
    assert simulate([2.0], contracts, cores) == pytest.approx(seconds)


def test_the_longest_contract_is_the_floor_and_twice_the_cores_take_about_half() -> None:
    times = [0.5, 1.0, 6.0]
    assert simulate(times, 50, 1_000) == 6.0
    assert simulate(times, 20_000, 8) / simulate(times, 20_000, 16) == pytest.approx(2, abs=0.02)
    assert simulate(times, 20_000, 8) == simulate(times, 20_000, 8)


def test_contracts_are_drawn_and_written_whole(tmp_path: Path) -> None:
    data = {"data": [{"title": "A", "paragraphs": [{"context": "One."}, {"context": "Two."}]}]}
    (tmp_path / "cuad.json").write_text(json.dumps(data))
    write_contracts(tmp_path / "cuad.json", tmp_path / "out", 1, 0)
    assert (tmp_path / "out" / "0000.txt").read_text() == "One.\n\nTwo."
