"""An experiment measured into a folder: interrupted, gone on with, on a disk that is full."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from playground.comparison.measured_here import ROOT_VARIABLE
from playground.errors import EvaluationError, ModelError
from playground.limits.experiment import LimitRequest, Size
from playground.limits.measure import measure_into, new_folder, read_request
from playground.limits.recorded import folders_here, rows_in
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.runs import read_records
from tests.support.fakes import FakeChatModel
from tests.support.fakes_limits import tiny_experiment
from tests.support.scripted_embedder import ScriptedEmbedder


def plan(model: FakeChatModel, examples: int = 6) -> EvaluationPlan:
    request = LimitRequest(size=Size(examples))
    return tiny_experiment().load().prepare(request, load_model=lambda: model, load_embedder=ScriptedEmbedder)


@pytest.mark.parametrize("in_turns", [True, False])
def test_a_run_that_was_interrupted_goes_on_and_asks_nothing_twice(tmp_path: Path, in_turns: bool) -> None:
    model = FakeChatModel(lambda _question: "yes")
    rows = measure_into(tmp_path, plan(model), in_turns=in_turns)
    assert len(list(islice(rows, 7))) == 7
    rows.close()  # type: ignore[attr-defined]
    assert len(list(measure_into(tmp_path, plan(model), in_turns=in_turns))) == 5
    assert len(model.questions) == len(set(model.questions)) == 12


def test_without_turns_one_condition_follows_the_other(tmp_path: Path) -> None:
    model = FakeChatModel(lambda _question: "yes")
    in_order = [row.strategy for row in measure_into(tmp_path / "a", plan(model, 8), in_turns=False)]
    assert in_order == ["first"] * 8 + ["second"] * 8
    assert [row.strategy for row in measure_into(tmp_path / "b", plan(model, 8), in_turns=True)] != in_order


def test_what_was_measured_before_the_model_was_gone_stays(tmp_path: Path) -> None:
    def script(question: str) -> str | Exception:
        return ModelError("The model is gone.") if question.startswith("second") else "yes"

    list(measure_into(tmp_path, plan(FakeChatModel(script)), in_turns=False))
    rows = rows_in(tiny_experiment(), [tmp_path])
    assert rows is not None
    assert [row.error is None for row in rows.rows if row.strategy == "first"] == [True] * 6
    assert "given up" in str(rows.rows[-1].error)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence_and_what_was_written_stays(tmp_path: Path) -> None:
    model = FakeChatModel(lambda _question: "yes")
    list(measure_into(tmp_path, plan(model, examples=3), in_turns=True))
    kept = (tmp_path / "records.jsonl").read_bytes()
    (tmp_path / "records.jsonl").rename(tmp_path / "kept")
    (tmp_path / "records.jsonl").symlink_to("/dev/full")
    with pytest.raises(EvaluationError):
        list(measure_into(tmp_path, plan(model), in_turns=True))
    assert (tmp_path / "kept").read_bytes() == kept


def test_an_endpoint_without_a_price_keeps_no_cap(tmp_path: Path) -> None:
    model = FakeChatModel(lambda _question: "yes", price_usd=None)
    with pytest.raises(EvaluationError, match=r"price of fake-model .* is not known, so a spending cap cannot be kept"):
        list(measure_into(tmp_path, plan(model), in_turns=True, max_cost_usd=1.0))
    assert not (tmp_path / "records.jsonl").exists() and model.questions == []


def test_a_run_of_this_machine_is_found_again_with_what_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    experiment = tiny_experiment()
    request = LimitRequest(size=Size(6, ("first",)), model="medium", seed=3)
    folder = new_folder(experiment, request)
    assert read_request(folder) == request
    assert folders_here(experiment) == ()  # nothing was measured yet
    list(measure_into(folder, plan(FakeChatModel(lambda _question: "yes")), in_turns=True))
    assert folders_here(experiment) == (folder,)
    assert len(read_records(folder)) == 12


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"examples": -1}', "[" * 10_000])
def test_a_request_that_was_edited_is_no_request(tmp_path: Path, text: str) -> None:
    (tmp_path / "request.json").write_text(text)
    assert read_request(tmp_path) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(EvaluationError, match="cannot be written to .*Free space and measure again"):
        new_folder(tiny_experiment(), LimitRequest(size=Size(1)))
