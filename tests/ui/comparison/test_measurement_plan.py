"""What the comparison page plans to measure is what the run then does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground import paths
from playground.comparison.measured_here import RunRequest, new_folder, read_request, repeat_of, runs_root
from playground.comparison.rows import read_run_rows
from playground.errors import EvaluationError
from playground.measuring.evaluation import EvaluationPlan, evaluate_into, sample_examples
from playground.paths import POLICIES, RECORDED_RUNS, SHIPPED_ADAPTERS
from playground.types import Example, Prediction, RunRecord, Strategy
from playground.ui.comparison import measure_again
from playground.ui.comparison import measurement_plan as measuring
from playground.ui.comparison.desk import MeasurementDesk, Part, WatchedEmbedder
from playground.ui.shared import jobs, resources
from scenarios.contract_clauses.request import ClausesRequest
from scenarios.registry import scenario_names
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS, PolicyRequest
from tests.support.fakes import FakeChatModel
from tests.support.fakes_comparison import ANSWER, open_page, row, use_runs
from tests.support.fakes_ui import click, html, run, was_cancelled, words
from tests.support.scripted_embedder import ScriptedEmbedder

ALL_OF_A = ("no-text", "rag", "closed-book-lora")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page with the adapters that are shipped, and no recorded run; returns the folder of recorded ones."""
    folder = use_runs(monkeypatch, tmp_path)
    monkeypatch.setattr(paths, "SHIPPED_ADAPTERS", SHIPPED_ADAPTERS)
    return folder


# How many rows


@pytest.mark.parametrize("limit", [6, 60, None])
def test_planned_rows_are_those_of_the_plan(limit: int | None, tmp_path: Path) -> None:
    request = RunRequest("return_policy", ALL_OF_A, limit, "bundled")
    part = measuring.part_of(
        request,
        tmp_path,
        model=lambda: FakeChatModel(lambda _question: ANSWER),
        embedder=ScriptedEmbedder,
        expected_s={},
    )
    plan = part.prepare()
    assert measuring.planned_rows(request) == plan.rows_of == part.rows_of
    assert part.planned == plan.size
    assert plan.rows_of["closed-book-lora"] < plan.rows_of["rag"], "it is asked about one policy only"


def test_closed_book_alone_is_asked_what_it_was_trained_on() -> None:
    alone = measuring.planned_rows(RunRequest("return_policy", ("closed-book-lora",), None, "bundled"))
    among_others = measuring.planned_rows(RunRequest("return_policy", ALL_OF_A, None, "bundled"))
    assert alone["closed-book-lora"] == among_others["closed-book-lora"] < among_others["rag"]


def test_an_estimate_takes_each_technique_by_its_own_rows() -> None:
    request = RunRequest("return_policy", ALL_OF_A, 60, "bundled")
    rows = measuring.planned_rows(request)
    rates = {"return_policy": {"no-text": 0.0, "rag": 0.0, "closed-book-lora": 1.0}}
    empty = {"return_policy": dict.fromkeys(ALL_OF_A, 0.0)}
    rest = measuring.estimate_s([request], empty) or 0.0
    assert (measuring.estimate_s([request], rates) or 0.0) - rest == rows["closed-book-lora"]


def _finished(request: RunRequest) -> Path:
    folder = new_folder(runs_root(), request)
    part = measuring.part_of(
        request, folder, model=lambda: FakeChatModel(lambda _question: ANSWER), embedder=ScriptedEmbedder, expected_s={}
    )
    for _row in evaluate_into(folder, part.prepare()):
        pass
    return folder


def test_a_finished_run_of_all_techniques_is_not_offered_as_interrupted(shipped: Path) -> None:
    folder = _finished(RunRequest("return_policy", ALL_OF_A, 6, "bundled"))
    app = open_page()
    assert not any("was interrupted" in text for text in words(app.caption))
    path = folder / "records.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    app = open_page()
    assert any("was interrupted after" in text for text in words(app.caption))


# What was recorded is what is measured again


def shipped_ways(scenario_name: str) -> tuple[measuring.Cell, ...]:
    runs = [
        read_run_rows(path, scenario_names())
        for path in sorted(RECORDED_RUNS.iterdir())
        if (path / "run.json").is_file()
    ]
    return measuring.recorded_ways([run for run in runs if run.info.scenario == scenario_name])


def test_each_recorded_adapter_is_measured_again_by_itself_with_as_many_pairs() -> None:
    found = measuring.cells("contract_clauses", shipped_ways("contract_clauses"))
    adapters = [cell.adapter for cell in found if cell.strategy == "lora"]
    names = [str(adapter).partition("@")[0] for adapter in adapters]
    assert sorted(names) == ["cuad-minilm", "cuad-mpnet", "own-clauses"]
    assert {cell.pairs for cell in found} == {5}
    requests = measuring.requests_of("contract_clauses", found, None, "bundled")
    assert [request.strategies.count("lora") for request in requests] == [1, 1, 1], "a run has each technique once"
    for request in requests:
        arguments = measuring.measuring_request(request)
        assert isinstance(arguments, ClausesRequest)
        assert arguments.clauses == 5
        assert arguments.adapter == ",".join(name.partition("@")[0] for _strategy, name in request.adapters)
        assert set(request.adapters) <= {(cell.strategy, cell.adapter) for cell in found}


def test_the_adapters_of_scenario_a_are_named_each_by_its_own_option() -> None:
    found = measuring.cells("return_policy", shipped_ways("return_policy"))
    (request,) = measuring.requests_of("return_policy", [cell for cell in found if cell.adapter], 6, "bundled")
    arguments = measuring.measuring_request(request)
    assert isinstance(arguments, PolicyRequest)
    assert (arguments.adapter, arguments.closed_book_adapter) == ("policy-reader", "closed-book-northtrail")


def test_the_sample_has_the_questions_of_the_recording() -> None:
    recorded = read_run_rows(RECORDED_RUNS / "return_policy-techniques", scenario_names()).records
    limit = measuring.limits_of("return_policy")[measuring.SAMPLE]
    assert limit is not None
    examples = read_questions(QUESTIONS, POLICIES)
    sampled = sample_examples(examples, limit, seed=0, stratum=lambda example: example.metadata["answerable"])
    assert {example.id for example in sampled} == {row.example_id for row in recorded}


def test_an_adapter_that_was_trained_again_is_not_taken_for_the_recorded_one() -> None:
    changed = measuring.Cell("lora", "own-clauses@00000000", 5)
    cells = [cell for cell in measuring.cells("contract_clauses", [changed]) if cell.strategy == "lora"]
    assert "own-clauses@00000000 is not on this machine" in cells[0].problem
    assert cells[1].adapter and not cells[1].problem, "the active one can be measured"
    (request,) = measuring.requests_of("contract_clauses", [changed], 1, "bundled")
    with pytest.raises(EvaluationError, match="trained another time"):
        measuring.planned_rows(request)


def test_a_request_keeps_adapters_and_pairs(tmp_path: Path) -> None:
    request = RunRequest("contract_clauses", ("lora",), 2, "bundled", adapters=(("lora", "a@12345678"),), pairs=5)
    folder = new_folder(tmp_path, request)
    assert read_request(folder) == request
    path = folder / "request.json"
    kept = path.read_text(encoding="utf-8")
    for damaged in (kept.replace('"pairs": 5', '"pairs": -5'), kept.replace('"a@12345678"', "7")):
        assert damaged != kept
        path.write_text(damaged, encoding="utf-8")
        assert read_request(folder) is None


def test_the_page_has_a_row_for_each_recorded_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    page = html(open_page(scenario="B contract clauses"))
    rows = [part for part in page.split('<div class="technique-row">') if "LoRA, encoder</b>" in part]
    assert len(rows) == 3
    for name in ("own-clauses@", "cuad-minilm@", "cuad-mpnet@"):
        (own,) = [part for part in rows if name in part]
        assert '<span class="pill">recorded</span>' in own


def asked(*pairs: tuple[int, int, float | None, str]) -> RunRecord:
    detail = {
        "asked": [
            {"clause": clause, "label": label, "score": score, "reply": reply} for clause, label, score, reply in pairs
        ]
    }
    flagged = sum((score or 0.0) >= 0.5 for _clause, _label, score, _reply in pairs)
    output = f"{flagged} of {len(pairs)} pairs flagged"
    return row("few-shot", "a", right=True, prediction=Prediction(output, None, {"total_s": 2.0 * len(pairs)}, detail))


def test_answers_are_compared_pair_by_pair_on_those_asked_in_both() -> None:
    recorded = asked((0, 1, 0.9, ""), (1, 1, 0.2, ""), (2, 1, 0.7, "Yes."), (3, 2, None, "Maybe"), (4, 2, 0.9, ""))
    here = asked((0, 1, 0.8, ""), (1, 1, 0.6, ""), (2, 1, 0.7, "Yes, it is."))
    found = repeat_of([recorded], [here], {}, {})
    assert (found.answers, found.same) == (3, 1), "of the other two, one is flagged now and one is worded differently"
    assert found.times_as_long == 1.0, "two seconds a pair in both"
    whole = row("rag", "a", right=True)
    assert (repeat_of([whole], [whole], {}, {}).answers, repeat_of([whole], [whole], {}, {}).same) == (1, 1)


# The spending cap


OWN = ("http://localhost:8000/v1", "our-model")
HOSTED = ("https://api.openai.com/v1", "gpt-4o-mini")


def page_with(monkeypatch: pytest.MonkeyPatch, endpoint: tuple[str, str], price_usd: float | None) -> AppTest:
    """Open the page with an endpoint (address, model) as the chosen model; a script answers, nothing is sent."""
    for name, value in zip(("OPENAI_BASE_URL", "OPENAI_MODEL"), endpoint, strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        resources, "chat_model", lambda _choice: FakeChatModel(lambda _question: ANSWER, price_usd=price_usd)
    )
    monkeypatch.setattr(resources, "endpoint_problem", lambda _settings: "")
    app = open_page()
    app.radio(key="model_source").set_value("endpoint")
    return run(app)


def measured(app: AppTest) -> AppTest:
    click(app, "measure_return_policy_rag")
    latest = measure_again.DESK.latest()
    assert latest is not None and latest.job.done.wait(120)
    return run(app)


def test_an_endpoint_without_a_price_is_measured_and_the_page_says_that_no_cap_is_kept(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_with(monkeypatch, OWN, None)
    assert app.number_input(key="comparison_cap_unpriced").value is None
    assert any("no cap can be kept" in text for text in words(app.warning))
    app = measured(app)
    assert any("Measured 6 of 6 rows" in text for text in words(app.success)), words(app.error)


def test_a_larger_bundled_model_is_noted_as_itself_and_borrows_no_adapter(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "chat_model", lambda _choice: FakeChatModel(lambda _question: ANSWER))
    app = open_page()
    app.button_group(key="model_size").set_value("large")
    app = run(app)
    assert "the small bundled model and fits no other" in html(app)
    measured(app)
    latest = measure_again.DESK.latest()
    assert latest is not None
    assert [part.request.model for part in latest.parts] == ["large"]


def test_a_cap_that_the_user_sets_is_refused_where_the_price_is_not_known(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_with(monkeypatch, OWN, None)
    app.number_input(key="comparison_cap_unpriced").set_value(2.0)
    app = measured(run(app))
    assert any("a spending cap cannot be kept" in text for text in words(app.error))


def test_an_endpoint_with_a_price_has_a_cap_from_the_start(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_with(monkeypatch, HOSTED, 0.3)
    assert app.number_input(key="comparison_cap").value == 1.0
    assert not any("no cap can be kept" in text for text in words(app.warning))
    app = measured(app)
    assert any("spending cap of $1.00 stops this run" in text for text in words(app.error))


# Stop and closing


@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_measurement_ends_between_the_warm_ups_of_its_techniques(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm-up loads or fits: what is under way is finished, and no other technique's is begun."""
    closing = threading.Event()
    monkeypatch.setattr(jobs, "_closing", closing)
    begun, go_on = threading.Event(), threading.Event()
    asked: list[tuple[str, str]] = []

    def strategy(name: str) -> Strategy:
        def answer(example: Example) -> Prediction:
            asked.append((name, example.id))
            begun.set()
            assert go_on.wait(30)
            return Prediction(ANSWER, None, {})

        return answer

    plan = EvaluationPlan(
        scenario="return_policy",
        model_id="m",
        seed=0,
        strategies={name: strategy(name) for name in ("rag", "no-text")},
        examples=[Example("q1", "How long?", "")],
        metrics={},
        warm_up=Example("warm-up", "Hello", ""),
    )
    part = Part(RunRequest("return_policy", ("rag", "no-text"), 1, "m"), tmp_path / "run", lambda: plan)
    measurement = MeasurementDesk().start([part], "me")
    assert begun.wait(30)
    assert measurement.stage == "Warming up (RAG)"
    (measurement.stop if end == "stop" else closing).set()
    go_on.set()
    assert measurement.job.done.wait(30)
    assert asked == [("rag", "warm-up")]
    assert measurement.job.error is None and not read_run_rows(tmp_path / "run", scenario_names()).records
    assert was_cancelled(measurement.job) == (end == "close")


@pytest.mark.parametrize("end", ["stop", "close"])
def test_a_measurement_ends_while_a_baseline_embeds_what_it_is_fitted_on(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = threading.Event()
    monkeypatch.setattr(jobs, "_closing", closing)
    embedded: list[int] = []

    class Ending(ScriptedEmbedder):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            embedded.append(len(texts))
            if len(embedded) == 2:
                (desk.latest().stop if end == "stop" else closing).set()  # type: ignore[union-attr]
            return super().embed(texts)

    desk = MeasurementDesk()
    part = measuring.part_of(
        RunRequest("contract_clauses", ("frozen", "nearest"), 1, "bundled"),
        tmp_path / "run",
        model=lambda: FakeChatModel(lambda _question: ANSWER),
        embedder=Ending,
        expected_s={},
    )
    measurement = desk.start([part], "me")
    assert measurement.job.done.wait(60)
    assert embedded == [WatchedEmbedder.PORTION] * 2, "the 751 clauses are embedded no further"
    assert measurement.job.error is None and not read_run_rows(tmp_path / "run", scenario_names()).records
    assert was_cancelled(measurement.job) == (end == "close")


def test_a_watched_embedder_gives_what_the_embedder_gives() -> None:
    texts = [f"text {number}" for number in range(2 * WatchedEmbedder.PORTION + 1)]
    plain, checks = ScriptedEmbedder(), []
    watched = WatchedEmbedder(plain, lambda: checks.append(1))
    assert np.array_equal(watched.embed(texts), plain.embed(texts))
    assert len(checks) == 3
    assert watched.embed([]).shape == plain.embed([]).shape
    assert (watched.model_id, watched.max_tokens) == (plain.model_id, plain.max_tokens)
    assert watched.count_tokens("two words") == plain.count_tokens("two words")
