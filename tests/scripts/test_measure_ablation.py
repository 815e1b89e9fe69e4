from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scripts import measure_ablation as script
from tests.support.fakes import FakeChatModel
from tests.support.scripted_embedder import ScriptedEmbedder


def test_every_variant_answers_the_same_questions_and_differs_in_what_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = FakeChatModel(lambda _prompt: "You have 99 days.")
    monkeypatch.setattr(script.loading, "load_model", lambda _name: model)
    monkeypatch.setattr(script.loading, "load_embedder", ScriptedEmbedder)
    out = tmp_path / "ablation.json"
    argv = ["measure_ablation.py", "--rows", str(tmp_path / "rows"), "--limit", "6", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", argv)
    script.main()
    measured = json.loads(out.read_text())
    rates = {row["title"]: row["unsupported_number_rate"] for row in measured["variants"]}
    assert len(rates) == len(script.VARIANTS)
    # Ninety-nine days stand in no policy: what ships withholds every answer, without the guard every answer has them.
    assert rates["RAG + LoRA as it ships"] is None
    assert rates["numbers that no passage states are not withheld"] == 1.0
    assert {row["n"] for row in measured["variants"]} == {6}
    table = capsys.readouterr().out
    assert "| no answer |" in table
    assert table.count("| 100 % (") >= 2
    folders = sorted(folder.name for folder in (tmp_path / "rows").iterdir())
    assert len(folders) == len(script.VARIANTS)
