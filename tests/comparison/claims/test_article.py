"""The article's table: seven rows, verdicts that follow from the evidence and change with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.adapters import AdapterStore
from playground.comparison.claims.article import (
    NOT_MEASURED,
    ArticleEvidence,
    ArticleRow,
    article_rows,
    base_unchanged,
    examples_to_beat_prompting,
)
from playground.comparison.claims.evidence import collect_evidence
from playground.comparison.claims.learning_curve import read_learning_curve
from playground.comparison.claims.stale_facts import write_stale_facts
from playground.paths import ROOT
from scenarios.registry import all_scenarios
from tests.support.evidence_samples import STALE, curve, figures, manifest, seconds, stale

SHIPPED = ROOT / "data" / "adapters"
CURVE = curve({0: 50, 4: 55, 64: 58, 256: 59}, {4: 50, 64: 57, 256: 70, 1024: 80})
SETTINGS = tuple(f"choice {number}" for number in range(8))


def row(row_id: str, **evidence: object) -> ArticleRow:
    values = {"prompt_examples": 4, "prompt_settings": SETTINGS, "scenarios": all_scenarios(), **evidence}
    return next(one for one in article_rows(ArticleEvidence(**values)) if one.id == row_id)  # type: ignore[arg-type]


def test_there_are_seven_rows_in_the_articles_order_with_its_cells() -> None:
    rows = article_rows(ArticleEvidence(scenarios=all_scenarios()))
    assert [one.title for one in rows] == [
        *("Alters weights", "Expertise", "Upfront cost", "Inference cost"),
        *("Time to implement", "Best for", "Data needed"),
    ]
    assert (rows[0].prompting, rows[0].fine_tuning) == ("no", "yes")
    assert rows[6].fine_tuning == "1,000+ examples"


def test_without_evidence_no_row_has_a_verdict_and_each_names_a_command() -> None:
    for one in article_rows(ArticleEvidence(scenarios=all_scenarios())):
        assert one.verdict is None and one.verdict_words == NOT_MEASURED
        assert one.command.startswith("python ")
        assert one.measured and one.rule and one.summary


def test_a_base_that_stayed_the_same_makes_altered_weights_true_in_part() -> None:
    found = row("alters-weights", adapters=[manifest()], figures=[figures("rag", 0.6)])
    assert found.verdict == "partly"
    # 1,000,000 of 98,362,432 bytes.
    assert "unchanged" in found.measured[0] and "1.0 MB, 1.0% of the base's file" in found.measured[0]
    assert "abc1234" in found.measured[0]
    said = "No weight of the base changed in 1 of 1 trainings; each adapter has 1 % of its base's size."
    assert found.summary == said
    changed = row("alters-weights", adapters=[manifest(metrics={"base_unchanged": False})])
    assert changed.verdict == "holds" and "CHANGED" in changed.measured[0]
    adapted = row("alters-weights", adapters=[manifest()], figures=[figures("rag", 0.6, adapter="x@1")])
    assert adapted.verdict == "not here"


def test_an_adapter_without_hashes_proves_nothing_about_its_base() -> None:
    assert base_unchanged(manifest(metrics={})) is None
    assert base_unchanged(manifest(metrics={"base_sha256_before": "a", "base_sha256_after": "a"})) is True
    assert base_unchanged(manifest(metrics={"base_sha256_before": "a", "base_sha256_after": "b"})) is False
    assert row("alters-weights", adapters=[manifest(metrics={})]).verdict is None
    both = row("alters-weights", adapters=[manifest(), manifest("other", metrics={})])
    assert any("before and after the training of other" in line and "not known" in line for line in both.measured)


def test_the_hashes_of_the_base_are_shown_where_they_were_recorded() -> None:
    same = manifest("x", metrics={"base_sha256_before": "0123456789abcdef", "base_sha256_after": "0123456789abcdef"})
    found = row("alters-weights", adapters=[same, manifest("y")])
    assert "unchanged by the training (SHA-256 0123456789ab… before, 0123456789ab… after)" in found.measured[0]
    assert "not recorded" in found.measured[1]


@pytest.mark.parametrize(
    ("settings", "examples", "verdict"),
    [(12, 5000, "holds"), (12, 30, "partly"), (3, 5000, "partly"), (3, 30, "not here")],
)
def test_expertise_counts_settings_and_examples(settings: int, examples: int, verdict: str) -> None:
    adapter = manifest(
        hyper_parameters=dict.fromkeys(map(str, range(settings)), 0),
        data={"name": "x", "sha256": "0" * 64, "examples": examples, "contracts": 0},
    )
    assert row("expertise", adapters=[adapter]).verdict == verdict


@pytest.mark.parametrize(("training_s", "verdict"), [(3600.0, "holds"), (3.0, "partly"), (0.4, "not here")])
def test_upfront_cost_compares_training_with_indexing(training_s: float, verdict: str) -> None:
    found = row("upfront-cost", adapters=[manifest(duration_s=training_s)], stale=STALE)
    assert found.verdict == verdict
    assert "500 ms of indexing" in found.measured[0]


def test_upfront_cost_in_dollars_by_hand() -> None:
    # 5,000 examples at $0.50, and an hour of a machine at $0.10; what was generated costs that hour alone.
    found = row("upfront-cost", adapters=[manifest(task="clauses"), manifest()], stale=STALE)
    assert "annotated at $0.50 each, an assumption) $2,500.10 against" in found.measured[1]
    assert "5,000 examples (generated from cards in this repository) $0.10 against" in found.measured[2]


def test_inference_cost_takes_the_most_accurate_of_each_kind() -> None:
    slow, quick = seconds(2.0, 3.0), seconds(0.5, 1.0)
    measured = [
        figures("rag", 0.6, input_tokens=400.0, total_s=slow),
        figures("no-text", 0.2, input_tokens=10.0, total_s=quick),
        figures("rag+lora", 0.9, input_tokens=380.0, total_s=quick),
        figures("few-shot", 0.6, input_tokens=500.0, total_s=slow),
        figures("lora", 0.9, input_tokens=None, output_tokens=None, total_s=quick),
    ]
    found = row("inference-cost", figures=measured)
    assert found.verdict == "holds"
    assert "RAG 410 tokens and 2.0 s" in found.measured[0] and "no tokens" in found.measured[1]
    measured[2] = figures("rag+lora", 0.9, input_tokens=500.0, total_s=quick)
    assert row("inference-cost", figures=measured).verdict == "partly"
    turned = [figures("rag", 0.6, total_s=quick), figures("rag+lora", 0.9, input_tokens=500.0, total_s=slow)]
    assert row("inference-cost", figures=turned).verdict == "not here"


def test_a_small_sample_counts_only_where_there_is_nothing_else() -> None:
    measured = [
        figures("rag", 0.6, input_tokens=400.0),
        figures("rag+few-shot", 1.0, input_tokens=20.0, n=5),
        figures("rag+lora", 0.9),
    ]
    assert "RAG 410 tokens" in row("inference-cost", figures=measured).measured[0]


@pytest.mark.parametrize(("training_s", "verdict"), [(8 * 86400.0, "holds"), (3600.0, "partly"), (0.1, "not here")])
def test_time_to_implement(training_s: float, verdict: str) -> None:
    assert row("time", adapters=[manifest(duration_s=training_s)], stale=STALE).verdict == verdict


def test_best_for_needs_both_halves() -> None:
    apart = [figures("few-shot", 0.6), figures("lora", 0.9)]
    alike = [figures("few-shot", 0.6), figures("lora", 0.62)]
    assert row("best-for", figures=apart, stale=STALE).verdict == "holds"
    assert row("best-for", figures=alike, stale=STALE).verdict == "partly"
    quick_training = stale(("rag", "indexing", 0.5, 30, 2, 10), ("closed-book-lora", "training", 0.6, 20, 2, 30))
    assert row("best-for", figures=alike, stale=quick_training).verdict == "not here"
    half = row("best-for", figures=apart)
    assert half.verdict is None and "measure_stale_facts" in half.command


def test_data_needed_follows_the_curve() -> None:
    assert row("data-needed", curve=CURVE).verdict == "holds"
    assert row("data-needed", curve=curve({4: 55, 256: 70}, {256: 70, 1024: 80})).verdict == "partly"
    early = row("data-needed", curve=curve({4: 55, 256: 70}, {16: 79, 1024: 80}))
    assert early.verdict == "not here"
    assert "from 16 labelled examples on (95 % interval of the difference above 0)" in early.measured[1]


def test_the_crossing_must_last() -> None:
    assert examples_to_beat_prompting(CURVE) == 1024
    assert examples_to_beat_prompting(curve({4: 50}, {4: 75, 16: 50, 64: 80})) == 64
    assert examples_to_beat_prompting(curve({4: 90}, {4: 60, 64: 70})) is None
    # Prompts of more than 64 examples are not what has to be beaten.
    assert examples_to_beat_prompting(curve({4: 60, 256: 95}, {64: 60, 256: 80})) == 256
    assert examples_to_beat_prompting(None) is None


def test_a_difference_that_may_be_chance_is_no_win() -> None:
    # By hand: 59 and 60 of 100 against 50: the intervals of Wilson reach 0.10 each, so 0.13 has to be between them.
    assert examples_to_beat_prompting(curve({4: 50}, {4: 60})) is None
    # The worst seed counts: 64 of 100 is 0.14 above, 62 is 0.12.
    assert examples_to_beat_prompting(curve({4: 50}, {4: 65})) == 4
    assert examples_to_beat_prompting(curve({4: 50}, {4: 63})) is None
    found = row("data-needed", curve=curve({4: 50}, {4: 55, 64: 60}))
    assert "by more than chance with no number of labelled examples up to 64" in found.measured[1]


def test_four_examples_do_not_beat_prompting_on_the_recorded_curve() -> None:
    recorded = read_learning_curve(ROOT / "data" / "runs" / "learning_curve.json")
    crossing = examples_to_beat_prompting(recorded)
    assert crossing is not None and crossing >= 64


def test_a_clause_for_all_labels_is_compared_with_a_clause_for_all_labels() -> None:
    pair = figures(
        *("few-shot", 0.5),
        **{"unit": "clause and label", "parts": 41, "whole_unit": "clause, all 41 labels"},
        total_s=seconds(0.1, 0.2),
    )
    lora = figures("lora", 0.9, total_s=seconds(0.5, 0.6), input_tokens=400.0, unit="clause, all 41 labels")
    found = row("inference-cost", figures=[pair, lora])
    assert (
        "Few-shot 4,100 tokens and 4.1 s per clause, all 41 labels (asked 41 times, once a label)" in found.measured[1]
    )
    assert "LoRA, encoder 410 tokens and 500 ms per clause, all 41 labels (n = 100" in found.measured[1]
    # One request for one label takes less time and fewer tokens; the same work takes more of both.
    assert found.verdict == "holds"


def test_a_technique_of_scenario_b_is_cited_with_its_contracts_and_pairs() -> None:
    of_pairs = {"n": 40, "sample": "40 contracts, 200 pairs"}
    measured = [figures("few-shot", 0.6, **of_pairs), figures("lora", 0.9, **of_pairs)]
    assert "(40 contracts, 200 pairs, 2026-11-25)" in row("inference-cost", figures=measured).measured[1]
    found = row("best-for", figures=measured, stale=STALE).measured[1]
    assert found.count("], 40 contracts, 200 pairs") == 2
    few = [figures("few-shot", 0.6, n=12, sample="12 contracts, 60 pairs"), figures("lora", 0.9, n=12)]
    found = row("best-for", figures=few, stale=STALE).measured[1]
    assert "], 12 contracts (fewer than 30), 60 pairs" in found and "], n = 12 (fewer than 30)" in found


def test_evidence_is_collected_from_the_files_and_damage_is_said(tmp_path: Path) -> None:
    store = AdapterStore(tmp_path / "own", SHIPPED)
    write_stale_facts(tmp_path / "stale_facts.json", STALE)
    (tmp_path / "learning_curve.json").write_text("{", encoding="utf-8")
    found, problems = collect_evidence(all_scenarios(), [figures("rag", 0.6)], tmp_path, store)
    assert found.stale == STALE and found.curve is None
    assert len(problems) == 1 and "learning_curve.json is damaged" in problems[0]
    assert {"cuad-mpnet", "cuad-minilm"} <= {one.name for one in found.adapters}
    assert "work_out" in found.prompt_settings
    # Of the four that ship to flag clauses the one that is in use out of the box, and the other one taught the same.
    assert {identity.partition("@")[0] for identity in found.ready} == {"cuad-mpnet", "cuad-minilm"}
    assert set(found.ready.values()) == {"the 41 categories of CUAD v1"}
    assert collect_evidence(all_scenarios(), [], tmp_path, AdapterStore(tmp_path / "own"))[0].ready == {}
    assert next(one for one in article_rows(found) if one.id == "time").verdict == "partly"
