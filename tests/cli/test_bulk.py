"""``bulk flag``: what is printed, what is refused; the work itself is tested in tests/bulk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.adapters import ROOT_VARIABLE, AdapterStore
from playground.cli import main
from playground.flagging import loading
from playground.models.catalog import MINILM
from tests.support.bulk_jobs import CONTRACT
from tests.support.fakes_adapters import writing
from tests.support.scripted_flagger import ScriptedFlagger


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two contracts and one that is none, with an active adapter behind which a scripted flagger stands."""
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "adapters"))
    store = AdapterStore(tmp_path / "adapters")
    store.save("mine", writing(base_sha256=MINILM.main_file.sha256))
    store.activate("mine", "clauses")
    monkeypatch.setattr(loading, "load_flagger", lambda _stored, **_: ScriptedFlagger())
    path = tmp_path / "contracts"
    path.mkdir()
    for number in (1, 2):
        (path / f"{number}.txt").write_text(CONTRACT.format(number))
    (path / "bad.pdf").write_bytes(b"\x00\x01 no contract")
    return path


def test_the_summary_is_printed_and_the_same_command_again_judges_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bulk", "flag", str(folder), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "2 of 3 files flagged (0 copies), 1 failed." in out
    assert "Read these first:\n  1.txt: " in out
    assert "3 files, 3 different" in err
    assert "contracts: 100 %  3 of 3" in err
    assert main([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["files"], found["failed"]) == (3, 1)
    assert [one["file"] for one in found["read_first"]] == ["1.txt", "2.txt"]
    assert "3 of them judged before" in err


@pytest.mark.parametrize(
    "case",
    [
        (("1.txt", "2.txt"), [], "None of the 1 files could be flagged"),
        (("1.txt", "2.txt", "bad.pdf"), [], "names no contract"),
        ((), ["--labels", "Nothing"], "Nothing"),
        ((), ["--shift", "100"], "from -20 to 20"),
        ((), ["--workers", "0"], "at least 1"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, case: tuple[tuple[str, ...], list[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    remove, options, sentence = case
    for name in remove:
        (folder / name).unlink()
    assert main(["bulk", "flag", str(folder), "--out", str(folder.parent / "out"), "--workers", "1", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_source_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bulk", "flag", str(tmp_path / "gone"), "--out", str(tmp_path / "out")]) == 2
    assert "There is no file or folder" in capsys.readouterr().err


def test_annotated_contracts_are_flagged_and_compared(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONTRACT.format(1)
    marked = text.partition("2. Cover. ")[2].strip()
    answers = [{"text": marked, "answer_start": text.index(marked)}]
    question = {"id": "A__Insurance", "question": 'Highlight the parts related to "Insurance".', "answers": answers}
    paragraph = {"context": text, "qas": [question | {"is_impossible": False}]}
    data = {"version": "x", "data": [{"title": "A", "paragraphs": [paragraph]}]}
    (tmp_path / "cuad.json").write_text(json.dumps(data))
    command = ["bulk", "evaluate", str(tmp_path / "cuad.json"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    labels = {one["label"]: (one["marked"], one["found"], one["false"]) for one in found["labels"]}
    assert labels == {"Audit Rights": (0, 0, 1), "Insurance": (1, 1, 0)}
    assert main(command) == 0
    assert "recall 1.000 [1.000, 1.000], precision 0.500" in capsys.readouterr().out
