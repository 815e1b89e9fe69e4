"""Costs against worked examples by hand, and the closed form of the crossing against a search."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.comparison.claims.break_even import (
    ASSUMED,
    MAY_BE_ZERO,
    TITLES,
    YOURS,
    Assumption,
    Assumptions,
    break_even,
    cumulative_cost_usd,
    default_assumptions,
    request_usd,
    upfront_usd,
    with_values,
)
from playground.comparison.figures import TechniqueFigures, Times
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate
from tests.support.evidence_samples import manifest, stale

# By hand. Prompting: indexing 36 s at $1 an hour is $0.01; a request is 1,000 tokens at $2 and 100 at $10 a million,
# $0.002 + $0.001 = $0.003. Fine-tuning: 200 examples at $0.50 and 1 hour of training are $101; a request is 1.8 s of
# the machine, $0.0005. Nothing changes. The crossing: (101 - 0.01) / (0.003 - 0.0005) = 100.99 / 0.0025 = 40,396.
WORKED = {
    "input_price_usd": 2.0,
    "output_price_usd": 10.0,
    "prompting_input_tokens": 1000.0,
    "prompting_output_tokens": 100.0,
    "prompting_machine_s": 0.0,
    "tuned_machine_s": 1.8,
    "machine_usd_per_hour": 1.0,
    "training_s": 3600.0,
    "labelled_examples": 200.0,
    "annotation_usd_per_example": 0.5,
    "requests_per_day": 1000.0,
    "fact_changes_per_month": 0.0,
    "indexing_s": 36.0,
    "retraining_s": 3600.0,
}


def assumptions(**changes: float) -> Assumptions:
    return Assumptions(**{name: Assumption(value, "", "") for name, value in {**WORKED, **changes}.items()})


def test_the_worked_example_without_changes() -> None:
    found = assumptions()
    assert upfront_usd(found, "prompting") == pytest.approx(0.01)
    assert upfront_usd(found, "fine-tuning") == pytest.approx(101.0)
    assert request_usd(found, "prompting") == pytest.approx(0.003)
    assert request_usd(found, "fine-tuning") == pytest.approx(0.0005)
    assert cumulative_cost_usd(found, "prompting", 10_000) == pytest.approx(30.01)
    assert cumulative_cost_usd(found, "fine-tuning", 10_000) == pytest.approx(106.0)
    crossing = break_even(found)
    assert crossing.requests == pytest.approx(40_396)
    assert crossing.days == pytest.approx(40.396)
    assert (crossing.at_first, crossing.later) == ("prompting", "fine-tuning")
    assert crossing.sentence.startswith("Fine-tuning is cheaper from 40,39")
    assert "40 days at 1,000 a day; before that prompting is." in crossing.sentence
    assert "a request costs $0.003 with prompting and $0.0005 fine-tuned" in crossing.sentence.replace("00 ", " ")


def test_the_worked_example_with_changing_facts() -> None:
    # 30.4375 changes a month are one a day, so one in 1,000 requests: $1 of training is $0.001 each, indexing $0.00001.
    found = assumptions(fact_changes_per_month=365.25 / 12)
    assert request_usd(found, "fine-tuning") == pytest.approx(0.0005 + 0.001)
    assert request_usd(found, "prompting") == pytest.approx(0.003 + 0.00001)
    assert break_even(found).requests == pytest.approx(100.99 / 0.00151)


def test_prompting_on_ones_own_machine_costs_its_time() -> None:
    found = assumptions(input_price_usd=0.0, output_price_usd=0.0, prompting_machine_s=7.2)
    assert request_usd(found, "prompting") == pytest.approx(0.002)


def test_facts_that_change_too_often_make_fine_tuning_never_pay() -> None:
    found = break_even(assumptions(fact_changes_per_month=365.25 / 12 * 10))
    assert (found.requests, found.days, found.at_first, found.later) == (None, None, "prompting", "prompting")
    assert found.sentence.startswith("Fine-tuning never pays under these assumptions: it costs $100.99 more")


def test_fine_tuning_may_be_cheaper_from_the_start_and_not_for_ever() -> None:
    cheap = {"annotation_usd_per_example": 0.0, "training_s": 3.6, "indexing_s": 36.0}
    found = break_even(assumptions(**cheap))
    assert (found.requests, found.at_first, found.later) == (None, "fine-tuning", "fine-tuning")
    assert found.sentence.startswith("Fine-tuning is cheaper from the first request on")
    # $0.009 less at first; a request is $0.005 against $0.003.
    found = break_even(assumptions(**cheap, tuned_machine_s=18.0))
    assert found.requests == pytest.approx(0.009 / 0.002)
    assert (found.at_first, found.later) == ("fine-tuning", "prompting")
    assert found.sentence.startswith("Prompting is cheaper from 5 requests on, which is less than a day")


def test_equal_costs_and_a_crossing_out_of_reach_are_said() -> None:
    same = {"annotation_usd_per_example": 0.0, "training_s": 36.0, "tuned_machine_s": 10.8}
    found = break_even(assumptions(**same, input_price_usd=0.0, output_price_usd=30.0))
    assert (found.requests, found.at_first) == (None, None)
    assert found.sentence.startswith("Both cost the same")
    found = break_even(assumptions(annotation_usd_per_example=1e11, tuned_machine_s=10.7))
    assert (found.requests, found.at_first, found.later) == (None, "prompting", "prompting")
    assert "more requests than anyone will make" in found.sentence


AMOUNTS = st.floats(1e-3, 1e3)


@given(
    st.fixed_dictionaries(
        {name: AMOUNTS | st.just(0.0) if name in MAY_BE_ZERO else AMOUNTS for name in WORKED},
    )
)
def test_the_closed_form_is_what_a_search_finds(values: dict[str, float]) -> None:
    found = assumptions(**values)

    def gap(requests: float) -> float:
        return cumulative_cost_usd(found, "fine-tuning", requests) - cumulative_cost_usd(found, "prompting", requests)

    crossing = break_even(found)
    most = 1e12
    if gap(0) * gap(most) >= 0 or abs(gap(most)) < 1e-6 * cumulative_cost_usd(found, "prompting", most):
        return  # no crossing within reach, or two lines that rounding does not tell apart
    low, high = 0.0, most
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(middle) * gap(0) > 0 else (low, middle)
    assert crossing.requests == pytest.approx(high, rel=1e-4, abs=1e-6)
    assert crossing.requests is not None
    assert crossing.days == pytest.approx(crossing.requests / values["requests_per_day"])
    before = gap(crossing.requests / 2)
    assert (before > 0) == (crossing.at_first == "prompting")


@given(st.fixed_dictionaries(dict.fromkeys(WORKED, AMOUNTS)))
def test_where_there_is_no_crossing_the_cheaper_one_stays_so(values: dict[str, float]) -> None:
    found = assumptions(**values)
    crossing = break_even(found)
    if crossing.requests is None and crossing.at_first is not None:
        dear = "fine-tuning" if crossing.at_first == "prompting" else "prompting"
        for requests in (0.0, 1.0, 1e3, 1e6, 1e9):
            cheap_usd = cumulative_cost_usd(found, crossing.at_first, requests)
            assert cheap_usd <= cumulative_cost_usd(found, dear, requests) * (1 + 1e-9)


@pytest.mark.parametrize("name", [one.name for one in fields(Assumptions)])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf, 0.0, 1e300, True, "x"])
def test_what_cannot_be_is_refused_by_name(name: str, value: float) -> None:
    if value == 0 and value is not False and name in MAY_BE_ZERO:
        assert getattr(assumptions(**{name: value}), name).value == 0
        return
    with pytest.raises(EvaluationError, match=f"^{TITLES[name]}: .* (Give .*(more|at most))"):
        assumptions(**{name: value})


@pytest.mark.parametrize("requests", [-1.0, math.nan, math.inf])
def test_a_number_of_requests_that_cannot_be_is_refused(requests: float) -> None:
    with pytest.raises(EvaluationError, match="requests cannot be. Give a number from 0 on"):
        cumulative_cost_usd(assumptions(), "prompting", requests)


def test_a_changed_value_is_ones_own() -> None:
    found = with_values(assumptions(), {"requests_per_day": 5.0, "training_s": 3600.0})
    assert (found.requests_per_day.value, found.requests_per_day.source) == (5.0, YOURS)
    assert found.training_s.source == ""
    with pytest.raises(EvaluationError, match="There is no assumption 'weather'"):
        with_values(assumptions(), {"weather": 1.0})
    with pytest.raises(EvaluationError, match="Requests per day: 0 cannot be. Give more than 0."):
        with_values(assumptions(), {"requests_per_day": 0})


def figures(title: str, seconds: float, tokens: float | None) -> TechniqueFigures:
    estimate = Estimate(seconds, seconds, seconds)
    return TechniqueFigures(
        *("return_policy", title, title, "m", None, None, "accuracy", {}, None),
        *(Times(estimate, estimate, (seconds,)), {}, tokens, tokens, 0.0, 60, 0, "2026-03-04T00:00:00", "pc", "abc"),
    )


def test_defaults_take_what_was_measured_and_every_one_names_its_source() -> None:
    found = default_assumptions(
        figures("RAG", 1.25, 480.0), figures("LoRA", 0.75, None), adapter=manifest(duration_s=300.0)
    )
    assert (found.prompting_input_tokens.value, found.tuned_machine_s.value) == (480.0, 0.75)
    assert found.prompting_input_tokens.source == "mean of RAG per question, measured on 2026-03-04 with n = 60"
    assert (found.prompting_machine_s.value, found.training_s.value, found.retraining_s.value) == (0.0, 300.0, 300.0)
    assert "price list of" in found.input_price_usd.source
    assert found.input_price_usd.value < found.output_price_usd.value
    for name in TITLES:
        assert len(getattr(found, name).source) > 10
        assert getattr(found, name).unit
    own = default_assumptions(figures("RAG", 1.25, 480.0), hosted=False)
    assert (own.input_price_usd.value, own.prompting_machine_s.value) == (0.0, 1.25)
    nothing = default_assumptions()
    assert nothing.tuned_machine_s.source == nothing.training_s.source == ASSUMED
    assert break_even(nothing).sentence
    assert set(TITLES) == {one.name for one in fields(Assumptions)} == set(WORKED)
    assert replace(found) == found


def test_a_source_says_contracts_and_pairs_where_that_is_what_was_measured() -> None:
    few_shot = replace(figures("Few-shot", 1.25, 480.0), n=12, sample="12 contracts, 60 pairs")
    source = default_assumptions(few_shot).prompting_input_tokens.source
    assert source.endswith("measured on 2026-03-04 with 12 contracts (fewer than 30), 60 pairs")


CLAUSES = manifest(
    "own-clauses",
    task="clauses",
    data={"name": "x", "sha256": "0" * 64, "contracts": 40, "examples": 1108, "train_examples": 595},
)


@pytest.mark.parametrize("task", ["reader", "closed_book"])
def test_examples_that_a_machine_generated_cost_no_annotation(task: str) -> None:
    found = default_assumptions(adapter=manifest(task=task))
    assert found.annotation_usd_per_example.value == 0
    assert "generated" in found.annotation_usd_per_example.source
    # An hour of training at $0.10, and not 5,000 examples at $0.50 besides.
    assert upfront_usd(found, "fine-tuning") == pytest.approx(0.10)


def test_the_readers_examples_name_the_cards_as_their_source() -> None:
    source = default_assumptions(adapter=manifest()).annotation_usd_per_example.source
    assert source.startswith("generated from cards in this repository")
    assert source.endswith("Data: invented")


def test_annotated_clauses_cost_a_minute_each_of_those_trained_on() -> None:
    found = default_assumptions(adapter=CLAUSES)
    assert (found.annotation_usd_per_example.value, found.labelled_examples.value) == (0.5, 595)
    assert ASSUMED in found.annotation_usd_per_example.source
    assert upfront_usd(found, "fine-tuning") == pytest.approx(595 * 0.5 + 0.10)


def test_catching_up_takes_what_was_measured_when_the_facts_changed() -> None:
    facts = stale(
        ("rag", "indexing", 0.5, 30, 2, 30),
        ("rag+lora", "indexing", 0.4, 30, 2, 30),
        ("closed-book-lora", "training", 52.0, 20, 2, 18),
    )
    rag, reader = (
        replace(figures("RAG", 1.0, 400.0), strategy="rag"),
        replace(figures("x", 1.0, 1.0), strategy="rag+lora"),
    )
    found = default_assumptions(rag, reader, adapter=manifest(), stale=facts)
    assert (found.training_s.value, found.retraining_s.value, found.indexing_s.value) == (3600.0, 0.4, 0.5)
    assert found.retraining_s.source.startswith("indexing of RAG + LoRA after a change, measured on 2026-11-25")
    assert "data/runs/stale_facts.json" in found.retraining_s.source
    closed = default_assumptions(rag, replace(reader, strategy="closed-book-lora"), stale=facts)
    assert (closed.retraining_s.value, closed.retraining_s.source.split()[0]) == (52.0, "training")
    assert default_assumptions(rag, reader, adapter=manifest()).retraining_s.value == 3600.0


def test_a_measured_zero_is_a_measurement() -> None:
    scored = replace(figures("Few-shot", 1.0, 480.0), output_tokens=0.0)
    found = default_assumptions(scored)
    assert found.prompting_output_tokens.value == 0
    assert "measured on 2026-03-04" in found.prompting_output_tokens.source
    # Where zero cannot be, it says that nothing was measured.
    assert default_assumptions(adapter=manifest(duration_s=0.0)).training_s.source == ASSUMED
