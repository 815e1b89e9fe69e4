"""Small models at the edge: the merged file is asked what base and adapter are, and is compared with both."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.adapters import reader_adapter
from playground.errors import EvaluationError
from playground.limits.experiment import LimitRequest, Size
from playground.limits.finding import Finding
from playground.measuring.evaluation import evaluate
from playground.models.catalog import SMOLLM2
from playground.models.sources import ModelChoice
from playground.types import ChatModel, Message, Prediction, RunRecord
from scenarios.return_policy.limits import edge
from scenarios.return_policy.limits.edge import BASE, BESIDE, CONDITIONS, MERGED, found, prepare
from scenarios.return_policy.scenario import adapter_store
from tests.support.fakes import FakeChatModel
from tests.support.fakes_limits import limit_row
from tests.support.scripted_embedder import ScriptedEmbedder


def test_the_merged_model_answers_the_same_questions_and_rows_keep_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    merged = FakeChatModel(lambda _question: "Yes, merged.")
    monkeypatch.setattr(edge, "_merged", lambda _stored, _bundle: (merged, 7_000_000))
    apart = FakeChatModel(lambda _question: "No, apart.")
    request = LimitRequest(size=Size(1))
    plan = prepare(request, load_model=lambda: apart, load_embedder=ScriptedEmbedder)
    rows = {row.strategy: row for row in evaluate(plan)}
    assert set(rows) == set(CONDITIONS)
    assert len({row.example_id for row in rows.values()}) == 1
    details = {name: row.prediction.detail for name, row in rows.items() if row.prediction}
    assert details[MERGED]["file_bytes"] == 7_000_000
    assert int(str(details[BESIDE]["file_bytes"])) > int(str(details[BASE]["file_bytes"])) > 90_000_000
    assert {name: row.adapter is None for name, row in rows.items()} == {BASE: True, BESIDE: False, MERGED: False}
    assert len(merged.questions) < len(apart.questions)


@pytest.mark.models
def test_the_merged_file_is_there_for_every_network_and_goes_with_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = reader_adapter(adapter_store(), None, ModelChoice())
    model, size_bytes = edge._merged(stored, SMOLLM2)
    assert [path.stat().st_size for path in tmp_path.glob("*/merged.gguf")] == [size_bytes]
    question = [Message("user", "May I return a kayak?")]
    assert model.complete(question, max_tokens=3).text
    assert model.complete(question, max_tokens=3, adapter=stored.identity).text
    del model
    gc.collect()
    assert not list(tmp_path.iterdir())


def never() -> ChatModel:
    raise AssertionError("checked before a model is loaded")


def test_only_a_bundled_model_can_be_merged() -> None:
    request = LimitRequest(size=Size(1), model="some/where")
    with pytest.raises(EvaluationError, match=r"Only a bundled model .* Use --model bundled"):
        prepare(request, load_model=never, load_embedder=ScriptedEmbedder)


def rows_of(name: str, right: Callable[[int], bool], text: str, size: int) -> list[RunRecord]:
    detail: dict[str, object] = {"file_bytes": size}
    return [
        limit_row(
            name,
            f"q{number}",
            right=right(number),
            prediction=Prediction(
                text if number else "all the same", None, {"total_s": 0.5, "first_token_s": 0.1}, detail
            ),
        )
        for number in range(40)
    ]


def finding(merged: Callable[[int], bool]) -> Finding:
    return found(
        [
            *rows_of(BASE, lambda number: number < 10, "base", 98_000_000),
            *rows_of(BESIDE, lambda number: number < 30, "apart", 108_000_000),
            *rows_of(MERGED, merged, "apart", 132_000_000),
        ]
    )


def test_it_shows_where_the_merged_file_is_as_good_as_both_apart_and_better_than_the_base() -> None:
    same = finding(lambda number: number < 30)
    assert same.verdict == "shows here"
    assert same.headline.startswith("One file of 132 MB answers 75 % right on this machine")
    assert "40 of 40 answers of the merged file are the same" in same.sentence
    assert any(
        line.startswith("Merged into one file: first token after 0.10 s, whole answer after 0.50 s")
        for line in same.lines
    )
    assert finding(lambda number: number < 12).verdict == "does not show here"
    assert finding(lambda number: number < 20).verdict == "shows in part"


def test_a_form_that_was_not_measured_is_said() -> None:
    with pytest.raises(EvaluationError, match="adapter beside the base has 0 answers"):
        found(rows_of(BASE, lambda _number: True, "base", 1))
