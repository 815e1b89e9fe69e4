"""Any command line ends in 0, 2 or 130: what was wrong is one line on standard error.

    PLAYGROUND_FUZZ_EXAMPLES=20000 python -m pytest tests/fuzz/test_command_lines.py        (by hand)

The lines are made from the parser's own commands and options, with values that are right, odd and wrong. No model is
loaded: whatever would load one says that there is none, so that all that stands before and after it is tried.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.cli import command_parser, loading, main
from playground.errors import ModelError
from playground.models import bundled
from playground.paths import CONTRACTS, POLICIES, RECORDED_RUNS

LINES = int(os.environ.get("PLAYGROUND_FUZZ_EXAMPLES", "0")) or 400
_NUMBERS = ["0", "1", "-1", "2", "0.5", "1e308", "nan", "inf", "-0.0", "9" * 400, str(2**63), "0x10", "1_000", "\uff11"]
_TEXTS = [
    "",
    " ",
    "x",
    "-x",
    "--",
    "rag",
    "rag,prompt",
    ",",
    "[]",
    "{}",
    "a" * 5_000,
    "\udcff",
    "\u202egnp",
    "é\n",
    "%s",
]
_FILES = [
    str(POLICIES / "pawsome-pantry.txt"),
    str(POLICIES / "northtrail-outdoor-v1.md"),
    str(CONTRACTS / "nda.txt"),
    str(CONTRACTS / "gold.json"),
    str(RECORDED_RUNS / "return_policy-rag"),
    str(POLICIES),
    *("missing.md", "empty.txt", "deep.json", "lines.jsonl", "folder", "~nouser/a", "/dev/null", "pipe", ".", "/"),
]


def _commands(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return every command of a parser with the parser of its arguments."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return [one for name, below in action.choices.items() for one in _commands(below, (*path, name))]
    return [(path, parser)]


_ALL = _commands(command_parser(["evaluate", "return_policy"]))
_VALUES = st.sampled_from(_NUMBERS + _TEXTS + _FILES)


@st.composite
def _lines(draw: st.DrawFn) -> list[str]:
    path, parser = draw(st.sampled_from(_ALL))
    words = list(path)
    positionals = [action for action in parser._actions if not action.option_strings]
    options = [action for action in parser._actions if action.option_strings and "--help" not in action.option_strings]
    for action in positionals:
        words += draw(st.lists(_value(action), max_size=2) if action.nargs in ("*", "+", "?") else _one(action))
    for action in draw(st.lists(st.sampled_from(options), max_size=5, unique_by=id)) if options else []:
        words.append(action.option_strings[-1])
        if action.nargs != 0:
            words += draw(_one(action))
    if draw(st.integers(0, 9)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(_VALUES))
    return words


def _value(action: argparse.Action) -> st.SearchStrategy[str]:
    right = [str(choice) for choice in action.choices or ()]
    return st.sampled_from(right) | _VALUES if right else _VALUES


def _one(action: argparse.Action) -> st.SearchStrategy[list[str]]:
    return st.lists(_value(action), min_size=1, max_size=1)


@pytest.fixture
def _no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none(*_arguments: Any, **_more: Any) -> None:
        raise ModelError("There is no model here.")

    monkeypatch.setattr(loading, "load_model", none)
    monkeypatch.setattr(loading, "load_embedder", none)
    for name in ("ensure_bundle", "ensure_minilm", "ensure_smollm2_gguf"):
        monkeypatch.setattr(bundled, name, none)
    monkeypatch.setattr("playground.training.language_model.bases.load_language_base", none)
    monkeypatch.setattr("playground.flagging.loading.load_flagger", none)
    monkeypatch.setenv("PLAYGROUND_ADAPTERS", str(tmp_path / "adapters"))
    monkeypatch.setenv("PLAYGROUND_OCR", "off")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("empty.txt").touch()
    Path("deep.json").write_text("[" * 100_000)
    Path("lines.jsonl").write_text('{"text": "A clause.", "labels": ["Insurance"]}\n' * 3)
    Path("folder").mkdir()
    os.mkfifo("pipe")


@settings(max_examples=LINES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(_lines())
def _ends_well(words: list[str]) -> None:
    try:
        code = main(words)
    except SystemExit as stopped:  # argparse, for --help
        code = stopped.code
    assert code in (0, 2, 130), words


def test_generated_command_lines_end_in_0_2_or_130(_no_models: None, capsys: pytest.CaptureFixture[str]) -> None:
    _ends_well()
    assert "Traceback" not in "".join(capsys.readouterr())
