"""The recommendation follows from needs and measurements: each rule has a case in which it turns the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.comparison.claims.recommendation import Needs, Recommendation, recommend
from playground.errors import EvaluationError
from playground.measuring.estimates import Estimate
from tests.support.evidence_samples import STALE, curve, figures, seconds

RAG = figures("rag", 0.6)
CLOSED = figures("closed-book-lora", 0.9, total_s=seconds(0.5, 0.8))
HOSTED = figures("rag", 0.95, model_id="gpt-4o-mini", token_cost_usd=0.0001, total_s=seconds(1.0, 2.0))
FEW_SHOT = figures("few-shot", 0.6)
LORA = figures("lora", 0.9, input_tokens=None, output_tokens=None, total_s=seconds(0.05, 0.1))
CURVE = curve({0: 50, 4: 60}, {4: 50, 64: 55, 256: 75, 1024: 90})


def name(found: Recommendation) -> str:
    assert found.chosen is not None, found.sentence
    return f"{found.chosen.strategy} on {found.chosen.model_id}"


def needs(scenario: str = "return_policy", **changes: object) -> Needs:
    values: dict[str, object] = {"fact_changes_per_month": 0.0, **changes}
    return Needs(scenario, **values)  # type: ignore[arg-type]


def test_privacy_turns_a_hosted_model_into_one_of_the_machine() -> None:
    assert name(recommend(needs(private=False), [RAG, HOSTED])) == "rag on gpt-4o-mini"
    private = recommend(needs(private=True), [RAG, HOSTED])
    assert name(private) == "rag on smollm2-135m-instruct"
    assert "must not leave the machine" in private.left_out[0].reason.text


def test_a_price_that_is_not_known_is_not_on_this_machine() -> None:
    unknown = figures("rag", 0.95, model_id="elsewhere", token_cost_usd=None)
    assert name(recommend(needs(private=True), [RAG, unknown])) == "rag on smollm2-135m-instruct"
    found = recommend(needs(), [unknown])
    assert found.usd_per_month is None and "unknown" in found.sentence


def test_latency_leaves_out_what_is_too_slow_at_its_95th_percentile() -> None:
    slow = figures("whole-document", 0.95, total_s=seconds(1.0, 6.0))
    assert name(recommend(needs(latency_s=8.0), [RAG, slow])).startswith("whole-document")
    quick = recommend(needs(latency_s=5.0), [RAG, slow])
    assert name(quick).startswith("rag ")
    assert "6 s" in quick.left_out[0].reason.text and "n = 100" in quick.left_out[0].reason.text


def test_volume_leaves_out_what_one_machine_cannot_manage() -> None:
    slow = figures("whole-document", 0.95, total_s=seconds(2.0, 4.0))
    assert name(recommend(needs(requests_per_day=40_000), [RAG, slow])).startswith("whole-document")
    busy = recommend(needs(requests_per_day=50_000), [RAG, slow])
    assert name(busy).startswith("rag ")
    assert "43,200 a day" in busy.left_out[0].reason.text


def test_of_equally_accurate_techniques_the_cheapest_is_taken() -> None:
    better = figures("whole-document", 0.62, total_s=seconds(2.0, 3.0))
    found = recommend(needs(), [RAG, better])
    assert name(found).startswith("rag ")
    assert any("does not tell apart" in reason.text for reason in found.reasons)
    # 500 requests of a second on 365.25 / 12 days, at $0.10 an hour.
    assert found.usd_per_month == pytest.approx(500 * 365.25 / 12 / 3600 * 0.10)


def test_a_narrow_interval_tells_apart_what_a_wide_one_does_not() -> None:
    slow = figures("whole-document", 0.62, total_s=seconds(2.0, 3.0))
    best = replace(slow, accuracy=Estimate(0.62, 0.5, 0.74))
    wide = replace(RAG, accuracy=Estimate(0.52, 0.4, 0.64))
    narrow = replace(RAG, accuracy=Estimate(0.52, 0.5, 0.54))
    assert name(recommend(needs(), [best, wide])).startswith("rag ")
    assert name(recommend(needs(), [best, narrow])).startswith("whole-document")


def test_what_is_wrong_more_often_than_right_is_not_recommended() -> None:
    assert recommend(needs(), [figures("rag", 0.5)]).sentence.startswith("Use RAG")
    found = recommend(needs(), [figures("rag", 0.49)])
    assert found.sentence.startswith("None is right half of the time") and "The nearest is RAG" in found.sentence


def test_facts_that_change_leave_out_what_is_trained_again() -> None:
    assert name(recommend(needs(), [RAG, CLOSED], stale=STALE)).startswith("closed-book")
    changing = recommend(needs(fact_changes_per_month=4.0), [RAG, CLOSED], stale=STALE)
    assert name(changing).startswith("rag ")
    (left,) = changing.left_out
    assert left.figures is CLOSED and "200 s each" in left.reason.text
    assert any("75% of the answers about changed facts" in reason.text for reason in changing.reasons)


def test_labelled_examples_decide_between_prompting_and_training() -> None:
    both = [FEW_SHOT, LORA]
    assert name(recommend(needs("contract_clauses"), both, curve=CURVE)).startswith("few-shot")
    few = recommend(needs("contract_clauses", labelled_examples=64), both, curve=CURVE)
    assert name(few).startswith("few-shot")
    assert "from 256 on" in few.left_out[0].reason.text
    enough = recommend(needs("contract_clauses", labelled_examples=300), both, curve=CURVE)
    assert name(enough).startswith("lora")
    # The curve at 256 examples, and not the 90 % of the adapter that had them all.
    assert enough.expected_accuracy == pytest.approx(0.75)
    many = recommend(needs("contract_clauses", labelled_examples=2000), both, curve=CURVE)
    assert many.expected_accuracy == pytest.approx(0.9)


def test_what_was_not_on_the_curve_does_not_borrow_loras_accuracy() -> None:
    tfidf = figures("tfidf", 0.88, model_id="none", total_s=seconds(5.95e-05, 8e-05))
    some = recommend(needs("contract_clauses", labelled_examples=300), [FEW_SHOT, LORA, tfidf], curve=CURVE)
    assert name(some).startswith("lora")
    assert (
        "with all 1,024 labelled examples only: how right it is with 300 is not known" in some.left_out[0].reason.text
    )
    everything = recommend(needs("contract_clauses", labelled_examples=1024), [FEW_SHOT, LORA, tfidf], curve=CURVE)
    assert everything.chosen is tfidf
    assert everything.expected_accuracy == pytest.approx(0.88)


SHIPPED = figures("lora", 0.8, adapter="cuad-minilm@12345678", total_s=seconds(0.05, 0.1))
READY = {"cuad-minilm@12345678": "the 41 categories of CUAD v1"}


def test_what_ships_ready_needs_no_labels_for_its_categories_and_says_that_others_do() -> None:
    without = recommend(needs("contract_clauses"), [FEW_SHOT, SHIPPED], curve=CURVE)
    assert name(without).startswith("few-shot") and "there are none" in without.left_out[0].reason.text
    found = recommend(needs("contract_clauses"), [FEW_SHOT, SHIPPED], curve=CURVE, ready=READY)
    assert found.chosen is SHIPPED and not found.left_out
    assert found.expected_accuracy == pytest.approx(0.8)
    assert any(
        "ready for the 41 categories of CUAD v1 and needs no labels for these; categories of your own need labelled "
        "examples and a training" in one.text
        for one in found.reasons
    )


def test_what_ships_ready_is_named_with_its_accuracy_where_another_technique_is_recommended() -> None:
    keywords = figures("keywords", 0.9, model_id="none", total_s=seconds(0.001, 0.002))
    found = recommend(needs("contract_clauses"), [keywords, SHIPPED], curve=CURVE, ready=READY)
    assert found.chosen is keywords and not found.left_out
    said = found.reasons[-1].text
    assert said.startswith("LoRA, encoder ships ready for the 41 categories of CUAD v1 and needs no labels for these")
    assert said.endswith("Here it is right 80% of the time (n = 100, 2026-11-25).")


def test_what_ships_ready_is_not_charged_for_labels_nor_judged_by_the_curve_of_another() -> None:
    wanted = needs("contract_clauses", labelled_examples=4, labels_to_make=60)
    found = recommend(wanted, [SHIPPED], curve=CURVE, ready=READY)
    assert found.expected_accuracy == pytest.approx(0.8)  # at 64 examples the curve of a new training has 0.55
    assert found.usd_per_month == pytest.approx(500 * 365.25 / 12 * 0.05 / 3600 * 0.10)
    assert not any("annotating" in one.text for one in found.reasons)


def test_readiness_is_the_shipped_adapters_own_and_not_the_strategys() -> None:
    own = replace(SHIPPED, adapter="own-clauses@87654321", accuracy=Estimate(0.95, 0.93, 0.97))
    found = recommend(needs("contract_clauses"), [SHIPPED, own], curve=CURVE, ready=READY)
    assert found.chosen is SHIPPED
    assert [one.figures for one in found.left_out] == [own]


def test_a_technique_without_a_model_is_not_on_none_and_microseconds_are_read_as_such() -> None:
    keywords = figures("keywords", 0.8, model_id="none", total_s=seconds(5.95e-05, 8e-05))
    found = recommend(needs("contract_clauses"), [keywords])
    assert found.sentence.startswith("Use Keywords: 80% right")
    said = " ".join(reason.text for reason in found.reasons)
    assert "It takes 59.5 µs per question" in said and "e-05" not in said


def test_labels_that_are_still_to_be_made_have_their_price() -> None:
    at_hand = recommend(needs("contract_clauses", labelled_examples=300), [FEW_SHOT, LORA], curve=CURVE)
    to_make = recommend(
        needs("contract_clauses", labelled_examples=100, labels_to_make=200), [FEW_SHOT, LORA], curve=CURVE
    )
    assert name(at_hand) == name(to_make) == "lora on smollm2-135m-instruct"
    assert at_hand.usd_per_month is not None and to_make.usd_per_month is not None
    # 200 at $0.50 over 12 months; training took 10 s of a machine at $0.10 an hour both times.
    assert to_make.usd_per_month - at_hand.usd_per_month == pytest.approx(100 / 12)
    requests = 500 * 365.25 / 12 * 0.05 / 3600 * 0.10
    assert at_hand.usd_per_month == pytest.approx(requests + 10 / 3600 * 0.10 / 12)
    assert any("annotating 200 clauses $100.00 ($0.50 each, an assumption)" in one.text for one in to_make.reasons)
    assert not any("annotating" in one.text for one in at_hand.reasons)


def test_labels_to_make_count_as_labels() -> None:
    none = recommend(needs("contract_clauses"), [FEW_SHOT, LORA], curve=CURVE)
    made = recommend(needs("contract_clauses", labels_to_make=300), [FEW_SHOT, LORA], curve=CURVE)
    assert (name(none).split()[0], name(made).split()[0]) == ("few-shot", "lora")


def test_a_difference_within_chance_does_not_recommend_training() -> None:
    chance = curve({4: 50}, {4: 53, 64: 60})
    found = recommend(needs("contract_clauses", labelled_examples=64), [FEW_SHOT, LORA], curve=chance)
    assert name(found).startswith("few-shot")
    assert "by more than chance with no number that was tried" in found.left_out[0].reason.text


def test_a_clause_that_is_asked_label_by_label_takes_all_its_requests() -> None:
    pair = figures(
        *("few-shot", 0.9),
        total_s=seconds(0.2, 0.3),
        **{"unit": "clause and label", "parts": 41, "whole_unit": "clause, all 41 labels"},
    )
    found = recommend(needs("contract_clauses", latency_s=20.0), [pair])
    # 500 clauses a day at 41 requests of 0.2 s.
    assert found.usd_per_month == pytest.approx(41 * 0.2 * 500 * 365.25 / 12 / 3600 * 0.10)
    assert "500 requests a day (one: clause, all 41 labels (asked 41 times, once a label))" in found.sentence
    slow = recommend(needs("contract_clauses", latency_s=5.0), [pair])
    assert slow.chosen is None and "12.3 s per clause, all 41 labels" in slow.sentence


def test_the_reader_needs_no_labels_of_the_users_own() -> None:
    reader = figures("rag+lora", 0.85)
    assert name(recommend(needs(labelled_examples=0), [RAG, reader], curve=CURVE)).startswith("rag+lora")


def test_the_reasons_cite_the_measurement() -> None:
    found = recommend(needs(), [RAG])
    assert "60% [56%, 64%] (n = 100, 2026-11-25)" in found.reasons[0].text
    small = recommend(needs(), [figures("rag", 0.6, n=9)])
    assert any("Only 9 examples" in reason.text for reason in small.reasons)


def test_contracts_and_pairs_are_cited_for_what_they_are() -> None:
    few_shot = figures("few-shot", 0.6, n=12, sample="12 contracts, 60 pairs")
    found = recommend(needs("contract_clauses"), [few_shot])
    assert "60% [56%, 64%] (12 contracts (fewer than 30), 60 pairs, 2026-11-25)" in found.reasons[0].text
    assert any(one.text.startswith("Only 12 contracts, 60 pairs were measured") for one in found.reasons)
    slow = recommend(needs("contract_clauses", latency_s=0.1), [few_shot])
    assert "95th percentile, 12 contracts (fewer than 30), 60 pairs, 2026" in slow.sentence


def test_the_largest_sample_of_a_technique_counts() -> None:
    found = recommend(needs(), [figures("rag", 1.0, n=5), RAG])
    assert found.chosen is RAG


def test_nothing_measured_and_nothing_fitting_are_said() -> None:
    nothing = recommend(needs(), [LORA])
    assert nothing.chosen is None and "evaluate return_policy" in nothing.sentence
    none_fits = recommend(needs(latency_s=0.1), [RAG])
    assert none_fits.chosen is None and "1.5 s" in none_fits.sentence


@pytest.mark.parametrize(
    "bad",
    [{"requests_per_day": 0.0}, {"requests_per_day": -1.0}, {"latency_s": 0.0}, {"labelled_examples": -1},
     {"fact_changes_per_month": float("nan")}, {"latency_s": float("inf")},
     {"labels_to_make": -1}],
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused_by_name(bad: dict[str, float]) -> None:
    with pytest.raises(EvaluationError, match="cannot be"):
        needs(**bad)


def test_where_new_examples_were_measured_nothing_else_is_promised() -> None:
    words = {("rag", RAG.model_id, None): "on new shops it answers 4 of 10 rightly"}
    assert recommend(needs(), [RAG], elsewhere=words).sentence.startswith(
        "Use RAG on smollm2-135m-instruct: on new shops it answers 4 of 10 rightly, at "
    )
    other = recommend(needs(), [HOSTED], elsewhere=words).sentence
    assert "what it does on new examples was not measured" in other and "%" not in other
    assert "60% right is expected" in recommend(needs(), [RAG]).sentence
