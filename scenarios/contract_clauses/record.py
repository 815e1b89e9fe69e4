"""Scenario B as the project knows it: a law firm has the risky clauses of a contract flagged."""

from __future__ import annotations

from playground.comparison.scenario import ArticlePart, Page, Samples, Scenario, ScenarioFunctions, Training
from scenarios.contract_clauses.home import CARD, DEMO
from scenarios.contract_clauses.presented import ACTIONS
from scenarios.contract_clauses.request import ClausesRequest
from scenarios.contract_clauses.techniques import NAME, TECHNIQUES, TITLE


def load() -> ScenarioFunctions:
    """Return how it is measured, compared and put in words."""
    from scenarios.contract_clauses import compared, evaluation, figures_table, measured_contracts, side_by_side

    return ScenarioFunctions(
        prepare=evaluation.prepare,
        compared=lambda info, contracts: compared.compared_scenario(info, contracts=contracts),
        example_count=lambda: len(measured_contracts.load_measured_set(None, None, 0).examples),
        outline=evaluation.outline,
        summarise=evaluation.summarise,
        as_table=figures_table.as_table,
        shown_examples=side_by_side.shown_examples,
        shown_answers=side_by_side.shown_answers,
    )


SCENARIO = Scenario(
    name=NAME,
    title=TITLE,
    techniques=TECHNIQUES,
    load=load,
    request=ClausesRequest,
    default_techniques=("lora", "keywords", "tfidf", "frozen", "nearest"),
    examples_are="contracts",
    samples=Samples(quick=2, sample=6),
    page=Page("pages/contract_clauses.py", "Contract flagger", ":material/gavel:"),
    letter="B",
    card=CARD,
    demo=DEMO.with_actions(ACTIONS),
    article=ArticlePart("Scenario B", "one task"),
    trainings=(Training("clauses", "Clause flagger (Scenario B)"),),
)
