"""Headlines: what a chart says in a sentence, from its figures alone."""

from __future__ import annotations

from dataclasses import replace

from playground.comparison.costs import CostBasis
from playground.comparison.figures import HeatMap
from playground.comparison.headlines import (
    accuracy_headline,
    cost_headline,
    decided_by,
    heat_map_headline,
    times_headline,
)
from playground.measuring.estimates import Estimate
from tests.comparison.charts.test_charts import technique, times_of
from tests.support.fakes_adapters import MANIFEST

GOOD = technique("rag+lora", accuracy=Estimate(0.9, 0.85, 0.95), total_s=times_of([0.1] * 40))
FAIR = technique("rag", accuracy=Estimate(0.88, 0.8, 0.92), total_s=times_of([1.0] * 40))
POOR = technique("no-text", accuracy=Estimate(0.2, 0.1, 0.3), total_s=times_of([0.05] * 40))


def test_the_best_is_named_and_whether_the_next_is_within_its_margin() -> None:
    assert "RAG + LoRA is right most often: 90%" in accuracy_headline([POOR, GOOD, FAIR])
    assert "Next, within its margin of error: RAG, 88%" in accuracy_headline([POOR, GOOD, FAIR])
    assert "Next, clearly below: No text, 20%" in accuracy_headline([POOR, GOOD])
    assert accuracy_headline([replace(GOOD, accuracy=None)]) == ""


def test_where_new_shops_were_measured_they_are_promised_and_nothing_else() -> None:
    promised = "on new shops it answers 4 of 10 rightly that it should answer"
    elsewhere = {(GOOD.strategy, GOOD.model_id, GOOD.adapter): promised}
    said = accuracy_headline([POOR, GOOD, FAIR], elsewhere)
    assert said == f"RAG + LoRA is right most often here; {promised}."
    assert "90%" in accuracy_headline([POOR, GOOD], {("rag", GOOD.model_id, None): promised}), "of another technique"


def test_costs_and_times_name_the_ends() -> None:
    assert "the cheapest, No text" in cost_headline([POOR, GOOD, FAIR], CostBasis())
    assert "no other is cheaper" in cost_headline([GOOD, FAIR], CostBasis())
    assert "RAG takes 20 times as long" in times_headline([POOR, FAIR])


def test_the_hardest_column_is_the_one_of_the_lowest_mean() -> None:
    heat_map = HeatMap(("a", "b"), ("easy", "hard"), ((0.9, 0.1), (0.7, 0.3)), ((4, 4), (4, 4)))
    assert heat_map_headline(heat_map) == "Hardest: hard, 20% right over all techniques. Easiest: easy, 80%."


def test_which_examples_decide_is_said_where_adapters_of_one_technique_learned_from_different_data() -> None:
    own = replace(MANIFEST, name="own", data={"name": "our clauses", "examples": 10})
    metrics = {"measured_on": "39 contracts"}
    cuad = replace(MANIFEST, name="cuad", data={"name": "CUAD", "examples": 90}, metrics=metrics)
    figures = [technique("lora", adapter="own@1"), technique("lora", adapter="cuad@2")]
    said, details = decided_by(figures, {"own@1": own, "cuad@2": cuad}, "cuad@2")
    assert "Which contracts are judged decides who is ahead" in said
    assert "own learned from our clauses; cuad (in use) learned from CUAD, measured there on 39 contracts" in details
    assert decided_by(figures[:1], {"own@1": own}, None) == ("", "")
