"""The evidence beside a flag: similar annotated clauses, with vectors that are kept between runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.flagging.baselines import embed_clauses
from playground.flagging.similar_clauses import evidence_from, load_written_evidence
from playground.models.bundled import CACHE_VARIABLE
from playground.types import AnnotatedClause
from tests.support.scripted_embedder import ScriptedEmbedder

CLAUSES = (
    AnnotatedClause("1", "the tenant keeps insurance of the shop", ("Insurance",), "a"),
    AnnotatedClause("2", "the tenant keeps insurance of the car", ("Insurance",), "b"),
    AnnotatedClause("3", "insurance of a ship and its cargo is kept", ("Insurance",), "c"),
    AnnotatedClause("4", "the tenant keeps the books open", ("Audit Rights",), "d"),
)


def test_the_two_most_similar_clauses_with_the_label_are_found() -> None:
    embedder = ScriptedEmbedder()
    find = evidence_from(CLAUSES, embed_clauses(CLAUSES, embedder), embedder)
    text = "the tenant keeps insurance of the shop and of the car"
    insurance, audit = find([(text, "Insurance"), (text, "Audit Rights")])
    assert {clause.contract for clause in insurance} == {"a", "b"}
    assert insurance[0].similarity >= insurance[1].similarity > 0.5
    assert [clause.contract for clause in audit] == ["d"]
    assert embedder.batches[1:] == [(text,)]  # once for both flags


def write_clauses(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    row = '{"id": "1", "contract": "a", "split": "train", "heading": "", "text": "%s", "labels": ["Insurance"]}\n'
    (folder / "part.jsonl").write_text(row % text)
    return folder


def test_vectors_are_kept_and_made_anew_when_clauses_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = write_clauses(tmp_path / "clauses", "the tenant keeps insurance")
    used = []
    for text in ("the tenant keeps insurance", "the tenant keeps insurance", "the landlord keeps insurance"):
        write_clauses(folder, text)
        used.append(ScriptedEmbedder())
        load_written_evidence(folder, ["Insurance"], used[-1])
    assert [len(embedder.batches) for embedder in used] == [1, 0, 1]


@pytest.mark.parametrize("damage", [b"no array", b""])
def test_damaged_vectors_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = write_clauses(tmp_path / "clauses", "the tenant keeps insurance")
    load_written_evidence(folder, ["Insurance"], ScriptedEmbedder())
    (kept,) = (tmp_path / "cache" / "vectors").iterdir()
    kept.write_bytes(damage)
    embedder = ScriptedEmbedder()
    (found,) = load_written_evidence(folder, ["Insurance"], embedder)([("insurance", "Insurance")])
    assert found[0].contract == "a"
    assert len(embedder.batches) == 2
    assert np.load(kept).shape == (1, embedder.dimensions)
