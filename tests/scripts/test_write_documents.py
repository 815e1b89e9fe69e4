from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from playground.cli import command_parser
from playground.paths import ROOT
from scripts import document_commands, write_documents
from scripts.document_figures import complaints, figures_by_hand
from scripts.measurements import sources

PAGE = Path("scenarios/contract_clauses/README.md")
"""A page with one generated part, which takes no model and no run."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of one page, as another root of documents."""
    (tmp_path / PAGE).parent.mkdir(parents=True)
    shutil.copy(ROOT / PAGE, tmp_path / PAGE)
    return tmp_path


def tampered(root: Path, old: str, new: str) -> Path:
    page = root / PAGE
    text = page.read_text(encoding="utf-8")
    assert text.count(old) == 1
    page.write_text(text.replace(old, new), encoding="utf-8")
    return page


def test_an_untouched_page_passes(copy: Path) -> None:
    assert write_documents.main(["--check", "--root", str(copy)]) == 0


def test_a_figure_that_differs_from_its_file_fails_and_is_written_anew(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tampered(copy, "0.46 (0.42 to 0.51)", "0.64 (0.42 to 0.51)")
    before = page.read_bytes()
    assert write_documents.main(["--check", "--root", str(copy)]) == 1
    said = capsys.readouterr().err
    assert "0.64 (0.42 to 0.51)" in said
    assert "Run `make docs`" in said
    assert page.read_bytes() == before, "a check writes nothing"
    assert write_documents.main(["--root", str(copy)]) == 0
    assert page.read_bytes() == (ROOT / PAGE).read_bytes()


def test_a_figure_by_hand_fails(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(copy, "## A label", "It is right in 93 % of the cases.\n\n## A label")
    assert write_documents.main(["--check", "--root", str(copy)]) == 1
    assert "scenarios/contract_clauses/README.md:" in (said := capsys.readouterr().err)
    assert "'93 %' stands by hand" in said


def test_a_part_that_asks_for_a_file_that_is_not_there_fails(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(copy, "outl(contracts.keywords())", 'outl(str(contracts.read("docs/none.json")))')
    assert write_documents.main(["--check", "--root", str(copy)]) == 1
    assert "docs/none.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "right in 41 % of the cases",
        "41% of them",
        "42 points more",
        "it took 0.23 s",
        "after 12 minutes",
        "4.7 times as fast",
        "an average precision of 0.66",
        "equal on 40 of 40 prompts",
        "350 of the 407 contracts",
        "107 tokens/s",
        "| RAG | 0.69 s |",
    ],
)
def test_every_kind_of_figure_is_found(text: str) -> None:
    (found,) = figures_by_hand("page.md", f"# Title\n\n{text}\n")
    assert found.line == 3
    assert found.text in text


@pytest.mark.parametrize(
    "text",
    [
        "Python 3.11 and version 2.0",
        "on 2026-11-27 with 41 labels and 1,108 clauses",
        "LoRA of rank 16, SmolLM2-135M, 127.0.0.1",
        "read `0.66` and `41 %` as code",
        "```\n41 % and 0.23 s\n```",
        "[one](page.md#0.66)",
        "<!-- [[[cog outl(x) ]]] -->\n41 % (34 to 49)\n<!-- [[[end]]] -->",
    ],
)
def test_what_is_no_figure_or_is_generated_or_is_code_is_left_alone(text: str) -> None:
    assert figures_by_hand("page.md", text) == []


def test_an_allowance_is_for_one_figure_of_one_page_and_goes_when_nothing_needs_it() -> None:
    allowed = [{"document": "a.md", "figures": ["60 s"], "reason": "a limit"}]
    assert complaints({"a.md": "silent for 60 s"}, allowed) == []
    assert complaints({"a.md": "", "b.md": "silent for 60 s"}, allowed)[0] == "b.md:1: '60 s' stands by hand"
    (unused,) = complaints({"a.md": "silent for a minute"}, allowed)
    assert unused.endswith("allows '60 s' in a.md, where it does not stand. Take it out.")


def test_a_machine_is_said_alike_whether_a_file_keeps_it_in_words_or_in_parts() -> None:
    parts = {"cpu": "AMD EPYC", "cores": 2, "memory_gb": 25, "system": "Linux", "python": "3.11.7"}
    words = "AMD EPYC, 2 cores, 25 GB, Linux, Python 3.11.7"
    assert sources.machine_words(parts) == sources.machine_words(words) == words


def test_every_command_and_the_arguments_of_each_scenario_are_in_the_page() -> None:
    page = document_commands.commands()
    for name in ("ask", "flag", "report", "models fetch", "train clauses", "train reader"):
        assert f"## `playground {name}`" in page
    of_policies = page.partition("## `playground evaluate return_policy`")[2].partition("\n## ")[0]
    assert "`--policies" in of_policies
    assert "`--contracts" not in of_policies
    assert "%(" not in page
    assert str(ROOT) not in page


def test_a_new_command_is_in_the_page_by_itself_however_wide_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_one_more(argv: list[str]) -> argparse.ArgumentParser:
        parser = command_parser(argv)
        (commands,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
        new = commands.add_parser("sing", help="sing a song", epilog="Loudly.")
        new.add_argument("song", nargs="+", metavar="SONG", help="one | several")
        new.add_argument("--verses", type=int, default=3, required=False, help="how many (default: %(default)s)")
        new.add_argument("--secret", help=argparse.SUPPRESS)
        return parser

    monkeypatch.setattr(document_commands, "command_parser", with_one_more)
    monkeypatch.setenv("COLUMNS", "20")
    narrow = document_commands.commands()
    monkeypatch.setenv("COLUMNS", "200")
    assert document_commands.commands() == narrow
    assert narrow.endswith(
        "## `playground sing`\n\nSing a song.\n\n| Argument | Meaning |\n| --- | --- |\n"
        "| `SONG ...` | one \\| several |\n| `--verses VERSES` | how many (default: 3) |\n\nLoudly."
    )
