"""The documents for people: short where they promise it, their links lead somewhere, the tree is the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground.paths import ROOT, SOURCE
from scripts.write_documents import documents

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in _HEADING.findall(text)}


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_readme_is_read_to_the_end() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130
    for needed in (
        "make run",
        "make test",
        "pip install -r requirements.txt",
        "streamlit run app.py",
        "docs/screenshots/",
    ):
        assert needed in text


def test_the_tree_of_the_architecture_names_every_room_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = page.partition("src/playground/\n")[2].partition("\ntests/")[0]
    named = set(re.findall(r"^  (\w+)/", tree, re.MULTILINE))
    rooms = {path.parent.name for path in (SOURCE / "playground").glob("*/__init__.py")}
    assert named == rooms
    (ground,) = re.findall(r"^  (\w+(?: \w+)+)  ", tree, re.MULTILINE)
    files = {path.stem for path in (SOURCE / "playground").glob("*.py") if not path.stem.startswith("__")}
    assert set(ground.split()) == files


def test_the_decisions_are_listed_in_their_order() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert _LINK.findall((folder / "README.md").read_text(encoding="utf-8")) == pages
