"""Arguments are checked before any model loads: one line on standard error, exit code 2, nothing hangs."""

import os
from pathlib import Path
from typing import Any

import pytest

from playground.cli import arguments, loading, main
from playground.paths import ROOT
from scenarios.return_policy.reader import training

POLICY = str(ROOT / "data" / "policies" / "northtrail-outdoor-v1.md")
CONTRACT = str(sorted((ROOT / "data" / "contracts").glob("*.txt"))[0])
LONG = "a" * 5000
HALF = "\udcff"

_EVALUATE = ["evaluate", "return_policy"]
_READER = ["train", "reader", "--out", "mine"]
_CLAUSES = ["train", "clauses", "--data", "written"]


@pytest.fixture(autouse=True)
def _nothing_loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def loaded(*_arguments: Any, **_more: Any) -> None:
        raise AssertionError("a model was loaded before the arguments were checked")

    for name in ("load_model", "load_embedder"):
        monkeypatch.setattr(loading, name, loaded)
    monkeypatch.setattr("playground.training.language_model.bases.load_language_base", loaded)
    monkeypatch.setattr("playground.flagging.loading.load_flagger", loaded)
    monkeypatch.setattr(training, "train_reader", loaded)
    monkeypatch.setenv("PLAYGROUND_ADAPTERS", str(tmp_path / "adapters"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*_EVALUATE, "--out", "run", "--seed", "-1"], "--seed: it must be a whole number from 0"),
        ([*_EVALUATE, "--out", "run", "--seed", str(2**63)], "--seed: it must be a whole number from 0"),
        ([*_EVALUATE, "--out", "run", "--seed", "9" * 5000], "--seed: it must be a whole number from 0"),
        ([*_READER, "--seed", "-1"], "--seed: it must be a whole number from 0"),
        ([*_CLAUSES, "--out", "mine", "--seed", str(2**64)], "--seed: it must be a whole number from 0"),
        ([*_EVALUATE, "--out", ""], "--out: a path is needed, and it is empty"),
        ([*_EVALUATE, "--out=-x"], "--out: -x looks like an option"),
        ([*_CLAUSES, "--out=-x"], "no hyphen first"),
        (["train", "reader", "--out=-x"], "no hyphen first"),
        ([*_EVALUATE, "--out", LONG], "File name too long"),
        ([*_EVALUATE, "--out", "run", "--questions", LONG], "File name too long"),
        (["ask", "q", "--policy", LONG], "File name too long"),
        (["flag", LONG], "File name too long"),
        (["flag", CONTRACT, "--html", LONG], "File name too long"),
        (["report", LONG, "--html", "a.html"], "File name too long"),
        (["adapters", "import", LONG], "File name too long"),
        (["ask", "q", "--policy", "~nouser/a.md"], "There is no file ~nouser/a.md"),
        (["train", "clauses", "--out", "mine", "--data", "~nouser/a.csv"], "There is no file ~nouser/a.csv"),
        (["ask", f"q{HALF}", "--policy", POLICY], "no text"),
        (["ask", "q", "--policy", POLICY, "--system-prompt", HALF], "no text"),
        (["ask", "", "--policy", POLICY], "The question is empty"),
        (["flag", CONTRACT, "--html", "."], "--html: . cannot be written (it is a folder"),
        (["flag", CONTRACT, "--csv", ""], "--csv: a path is needed"),
        (["flag", "/dev/zero"], "/dev/zero cannot be read (it is a folder, a pipe or a device"),
        (["flag", CONTRACT, "--html", "/dev/null"], "/dev/null cannot be written"),
        (["ask", "q", "--policy", "/dev/zero"], "/dev/zero cannot be read"),
        (["adapters", "import", "/dev/zero"], "/dev/zero cannot be read"),
        (["report", "absent", "--html", "/dev/null"], "/dev/null cannot be written"),
        ([*_READER, "--squad", "missing.json"], "missing.json"),
        ([*_READER, "--squad", "empty.json"], "empty.json has nothing to train on"),
        ([*_READER, "--squad", "deep.json"], "deep.json is not in the layout of SQuAD"),
        (["train", "clauses", "--out", "mine", "--data", "deep.json"], "deep.json"),
        ([*_EVALUATE, "--out", "run", "--questions", "deep.json"], "deep.json"),
    ],
)
def test_a_bad_argument_is_one_line_before_any_model_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (tmp_path / "empty.json").write_text('{"data": []}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "adapters") == ["deep.json", "empty.json"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize(
    "words",
    [
        ["ask", "q", "--policy", "pipe"],
        ["flag", "pipe"],
        ["flag", CONTRACT, "--html", "pipe"],
        ["adapters", "import", "pipe"],
        ["train", "clauses", "--out", "mine", "--data", "pipe"],
        [*_READER, "--squad", "pipe"],
        [*_EVALUATE, "--out", "run", "--questions", "pipe"],
        ["evaluate", "contract_clauses", "--out", "run", "--contracts", "pipe"],
        ["report", "piped", "--html", "a.html"],
    ],
)
def test_a_pipe_is_refused_and_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped" / "run.json")
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_leaves_no_archive_that_blocks_the_next_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    words = ["adapters", "export", "own-clauses", "out.zip"]
    with monkeypatch.context() as patched:
        patched.setattr("playground.atomic.fsync_path", full)
        assert main(words) == 2
    assert "No space left" in capsys.readouterr().err
    assert not list(tmp_path.glob("*out*"))
    assert main(words) == 0
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err


def test_seeds_reach_as_far_as_a_manifest_says() -> None:
    assert arguments.seed("0") == 0
    assert arguments.seed(str(2**63 - 1)) == 2**63 - 1
