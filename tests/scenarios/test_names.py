"""No table of scenario names: outside a scenario's folders its name is only imported, and only where it has to be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from playground.paths import ROOT
from scenarios.registry import scenario_names

COMMANDS_OF_ONE = (
    "cli/adapters.py",
    "cli/ask.py",
    "cli/bulk.py",
    "cli/flag.py",
    "cli/train.py",
    "cli/train_reader.py",
    "ui/training",
)
"""What is about one scenario by its nature: its commands, and the training of its adapter. These may import it."""


def strings_naming(tree: ast.Module, names: tuple[str, ...]) -> list[int]:
    """Return the lines of the strings that hold a scenario's name; docstrings are not among them."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
        and any(name in node.value for name in names)
    ]


def imports_of(tree: ast.Module, names: tuple[str, ...]) -> list[int]:
    """Return the lines that import a scenario's folder."""
    folders = tuple(f"scenarios.{name}" for name in names)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        if any(module == folder or module.startswith(f"{folder}.") for module in modules for folder in folders):
            found.append(node.lineno)
    return found


def files() -> list[Path]:
    """Return what is no scenario's own: the library without the pages of one scenario, the home page, other pages."""
    library = ROOT / "src" / "playground"
    own = [library / "ui" / name for name in scenario_names()]
    pages = [path for path in (ROOT / "pages").glob("*.py") if path.stem not in scenario_names()]
    found = [path for path in library.rglob("*.py") if not any(folder in path.parents for folder in own)]
    return [*found, *pages, ROOT / "app.py"]


def test_no_string_of_the_library_names_a_scenario() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files()
        for line in strings_naming(ast.parse(path.read_text(encoding="utf-8")), scenario_names())
    ]
    assert not places, "a table of scenario names: take them from scenarios.registry, or from a field of the record"


def test_only_what_is_about_one_scenario_imports_it() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files()
        if not any(f"src/playground/{one}" in path.as_posix() for one in COMMANDS_OF_ONE)
        for line in imports_of(ast.parse(path.read_text(encoding="utf-8")), scenario_names())
    ]
    assert not places, "go through scenarios.registry"


@pytest.mark.parametrize(
    ("source", "strings", "imports"),
    [
        ('TITLES = {"return_policy": "Return policy"}', 1, 0),
        ('def f():\n    "It is for return_policy."\n    return f"evaluate {1} return_policy"', 1, 0),
        ("from scenarios.return_policy import record", 0, 1),
        ("from scenarios import contract_clauses, registry", 0, 1),
        ("import scenarios.contract_clauses.scenario", 0, 1),
        ("from scenarios.registry import all_scenarios", 0, 0),
    ],
)
def test_such_a_table_would_be_found(source: str, strings: int, imports: int) -> None:
    tree, names = ast.parse(source), ("return_policy", "contract_clauses")
    assert (len(strings_naming(tree, names)), len(imports_of(tree, names))) == (strings, imports)
