"""The house keeps its shape: import-linter sees every folder, and its rules are the ones that hold."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from playground.paths import ROOT, SCENARIOS, SOURCE

CODE = (SOURCE / "playground", SCENARIOS, ROOT / "tests")


@pytest.mark.parametrize("root", CODE, ids=lambda root: root.name)
def test_every_folder_with_code_is_a_package(root: Path) -> None:
    # import-linter passes over a folder without __init__.py and still says that a rule is kept.
    folders = {path.parent for path in root.rglob("*.py")}
    assert folders
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_every_room_of_the_library_has_a_floor() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {room.strip() for layer in layers for room in layer.replace("|", ":").split(":")}
    rooms = {f"playground.{path.stem}" for path in (SOURCE / "playground").iterdir() if path.suffix in ("", ".py")}
    assert rooms - named == {"playground.__init__", "playground.__main__", "playground.__pycache__"}


def test_an_import_that_runs_upward_is_caught(tmp_path: Path) -> None:
    package = tmp_path / "playground"
    for room in ("", "text", "answering"):
        (package / room).mkdir(parents=True, exist_ok=True)
        (package / room / "__init__.py").write_text("", encoding="utf-8")
    (package / "text" / "dates.py").write_text("import playground.answering\n", encoding="utf-8")
    settings = tmp_path / "rules.toml"
    settings.write_text(
        '[tool.importlinter]\nroot_package = "playground"\n[[tool.importlinter.contracts]]\nname = "Downward"\n'
        'type = "layers"\nlayers = ["playground.answering", "playground.text"]\n',
        encoding="utf-8",
    )
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--config", settings, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "playground.text.dates -> playground.answering" in done.stdout


def test_no_files_import_each_other_in_a_circle() -> None:
    from scripts.measure_house import figures

    found = figures(ROOT)
    assert found["circles"] == []
    assert int(str(found["files"])) > 300
