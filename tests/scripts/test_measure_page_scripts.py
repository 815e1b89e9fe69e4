"""Pages are measured in turns with an empty one, and a page that fails is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import measure_page_scripts
from scripts.measure_page_scripts import PAGES, main, opened


def test_a_page_is_measured_against_an_empty_one(tmp_path: Path) -> None:
    assert "pages/limits.py" in PAGES
    main(["--pages", "pages/bulk.py", "--rounds", "2", "--out", str(tmp_path / "pages.json")])
    row = json.loads((tmp_path / "pages.json").read_text())
    assert row["rounds"] == 2 and row["machine"] and row["commit"]
    found = row["pages"]["pages/bulk.py"]
    assert found["lowest"] <= found["ratio"] <= found["highest"]
    assert found["lowest"] * found["empty_seconds"] / 10 < found["seconds"]


def test_a_page_whose_script_fails_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.py").write_text("raise ValueError('broken')\n")
    monkeypatch.setattr(measure_page_scripts, "ROOT", tmp_path)
    with pytest.raises(RuntimeError, match=r"app\.py failed: "):
        opened("app.py")


def test_a_ratio_is_of_one_run_each(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter([0.5, 1.0, 1.0, 1.0, 0.25, 1.0])  # five runs of the empty page, one of the page, three rounds
    monkeypatch.setattr(measure_page_scripts, "seconds", lambda _run: next(taken))
    found = measure_page_scripts.measure(["pages/bulk.py"], rounds=3)["pages/bulk.py"]
    assert (found["ratio"], found["lowest"], found["highest"]) == pytest.approx((10.0, 5.0, 20.0))
    assert (found["seconds"], found["empty_seconds"]) == pytest.approx((1.0, 0.1))
