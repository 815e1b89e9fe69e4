"""How readily the reader abstains, and what each level is said to have done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.errors import EvaluationError
from playground.paths import ROOT
from playground.types import Prediction, RunRecord
from scenarios.return_policy import caution
from scenarios.return_policy.caution import (
    DEFAULT_LEVEL,
    LEVELS,
    MEASURED,
    as_detail,
    as_sentence,
    level_named,
    measured_file,
    measured_rates,
    rates_at,
)
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.new_shops import new_shops
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import QUESTIONS
from scenarios.return_policy.scenario import adapter_store
from scripts import measure_caution


def row(
    name: str, probability: float | None, *, answerable: bool, right: bool = False, held: bool = False
) -> RunRecord:
    """Return a row of a run in which the reader never abstained; ``held``: its answer was withheld."""
    return RunRecord(
        run_id="run",
        strategy="rag+lora",
        model_id="model",
        adapter="reader@12345678",
        example_id=name,
        seed=0,
        prediction=Prediction("text", None, {}, {"abstain_probability": probability}),
        scores={"answerable": float(answerable), "right": float(right), "abstained": float(held)},
        cost_usd=0.0,
        error=None,
        started_at="2026-01-01T00:00:00+00:00",
        machine="machine",
        commit="abc",
    )


ROWS = [
    row("a", 0.1, answerable=True, right=True),
    row("b", 0.3, answerable=True, right=True),
    row("c", 0.6, answerable=True, right=False),
    row("d", 0.0, answerable=True, held=True),
    row("e", 0.4, answerable=False),
    row("f", 0.9, answerable=False, held=True),
]


@pytest.mark.parametrize(
    ("abstain_at", "false_answers", "false_refusals", "right"),
    [(0.05, 0.0, 1.0, 0.0), (0.3, 0.0, 0.75, 0.25), (0.5, 0.5, 0.5, 0.5), (1.01, 0.5, 0.25, 0.5)],
)
def test_the_rates_of_a_level_follow_from_the_probabilities(
    abstain_at: float, false_answers: float, false_refusals: float, right: float
) -> None:
    rates = rates_at(ROWS, abstain_at)
    assert (rates.false_answers.value, rates.false_refusals.value, rates.right.value) == (
        *(false_answers, false_refusals, right),
    )
    assert (rates.n_answerable, rates.n_unanswerable) == (4, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, row("g", None, answerable=True)], "Question g has no probability"),
        ([*ROWS, replace(ROWS[0], example_id="h", error="failed", prediction=None)], "Question h has no probability"),
        (ROWS[:4], "one kind is missing"),
        (ROWS[4:], "one kind is missing"),
    ],
)
def test_rows_that_cannot_tell_are_refused(rows: list[RunRecord], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        rates_at(rows, 0.5)


def test_levels_rise_and_an_unknown_one_is_the_default() -> None:
    assert [level.abstain_at for level in LEVELS] == sorted({level.abstain_at for level in LEVELS})
    assert level_named("helpful").abstain_at > DEFAULT_LEVEL.abstain_at > level_named("very cautious").abstain_at
    assert level_named("reckless") == DEFAULT_LEVEL


def test_a_reader_ships_for_two_models_and_each_is_measured() -> None:
    shipped = {one.name for one in adapter_store().list() if one.shipped and one.manifest.task == "reader"}
    assert shipped == {"policy-reader", "policy-reader-medium"} == {path.stem for path in MEASURED.glob("*.json")}


@pytest.mark.parametrize("name", ["policy-reader", "policy-reader-medium"])
def test_every_level_was_measured_with_the_reader_that_ships_on_the_questions_kept_aside(name: str) -> None:
    measured = [measured_rates(adapter_store().get(name).identity, level) for level in LEVELS]
    kept_aside = read_questions(
        QUESTIONS.with_name("questions_kept_aside.jsonl"), ROOT / "data" / "policies_kept_aside"
    )
    answerable = [bool(example.metadata["answerable"]) for example in kept_aside]
    asked = answerable.count(True), answerable.count(False)
    assert all(rates is not None and (rates.n_answerable, rates.n_unanswerable) == asked for rates in measured)
    answers = [rates.false_answers.value for rates in measured if rates]
    refusals = [rates.false_refusals.value for rates in measured if rates]
    assert answers == sorted(answers)
    assert refusals == sorted(refusals, reverse=True)


def test_another_reader_has_no_measured_rates() -> None:
    assert measured_rates("other@00000000", DEFAULT_LEVEL) is None
    assert measured_rates(None, DEFAULT_LEVEL) is None


def test_the_sentence_is_in_words_and_the_detail_says_both_rates_with_their_counts() -> None:
    rates = rates_at(ROWS, 0.5)
    detail = as_detail(rates)
    assert "answers 50 % (9 to 91)" in detail
    assert "declines 50 % (15 to 85)" in detail
    assert "(4 and 2 questions; " in detail
    right = round(10 * rates.right.value)
    assert as_sentence(rates) == (
        f"On new shops, measured: answers {right} of 10 rightly that it should answer, declines 5 of 10 that it should "
        "decline."
    )


def test_what_to_expect_of_a_technique_is_what_it_did_on_shops_kept_aside() -> None:
    found = new_shops()
    reader = found["rag+lora", "smollm2-135m-instruct", str(measured_adapter())]
    assert reader == (
        "on new shops it answers 4 of 10 rightly that it should answer, declines 7 of 10 that it should decline (275 "
        "questions)"
    )
    assert "declines 0 of 10" in found["rag", "smollm2-135m-instruct", None]


def measured_adapter() -> str:
    return str(json.loads(measured_file("policy-reader").read_text(encoding="utf-8"))["adapter"])


def test_the_bot_begins_at_the_default_level() -> None:
    assert bot_settings("rag+lora", adapter="reader@12345678").abstain_at == DEFAULT_LEVEL.abstain_at
    assert bot_settings("rag").abstain_at is None


def test_the_script_sums_up_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    run = type("Run", (), {"records": (*ROWS, replace(ROWS[0], strategy="rag"))})
    monkeypatch.setattr(measure_caution, "read_run_rows", lambda _folder, _scenarios: run)
    monkeypatch.setattr("sys.argv", ["measure_caution.py", "run", "--out", str(tmp_path / "reader.json")])
    measure_caution.main()
    assert "| helpful | 0.5 | 50 % (9 to 91) | 50 % (15 to 85) | 50 % (15 to 85) |" in capsys.readouterr().out
    monkeypatch.setattr(caution, "MEASURED", tmp_path)
    caution._measured.cache_clear()
    try:
        rates = measured_rates("reader@12345678", level_named("helpful"))
        assert rates is not None
        assert rates.right.value == 0.5
    finally:
        caution._measured.cache_clear()
    assert json.loads((tmp_path / "reader.json").read_text())["machine"] == "machine"
