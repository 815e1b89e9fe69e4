"""What a kept policy saves is measured on a model that really keeps it."""

from __future__ import annotations

from pathlib import Path

from playground.documents import load_pasted
from playground.retrieval.index import build_index
from scripts import measure_kept_policy
from tests.support.scripted_embedder import ScriptedEmbedder
from tests.support.tiny_qwen2 import write_tiny_qwen2


def test_every_way_is_timed_and_what_is_kept_is_counted(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(measure_kept_policy, "system_prompt", lambda: "Read.")
    index = build_index(load_pasted("in tin " * 60, "Tins"), ScriptedEmbedder())
    found = measure_kept_policy.measured(write_tiny_qwen2(tmp_path / "tiny.gguf", seed=7), index, 1)
    assert found["tokens"] > 256 and found["size_bytes"] == 2 * 2 * 2 * 64 * 4 * found["tokens"]
    assert all(found[name] > 0 for name in ("cold_s", "kept_s", "restarted_s", "kept_ratio"))
