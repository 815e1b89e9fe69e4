"""Scenario A as the project knows it: an online shop answers questions about its return policy."""

from __future__ import annotations

from playground.comparison.scenario import ArticlePart, Page, Samples, Scenario, ScenarioFunctions, Training
from playground.paths import POLICIES
from scenarios.return_policy.home import CARD, DEMO
from scenarios.return_policy.presented import ACTIONS
from scenarios.return_policy.request import QUESTIONS, PolicyRequest
from scenarios.return_policy.techniques import NAME, TECHNIQUES, TITLE


def load() -> ScenarioFunctions:
    """Return how it is measured, compared and put in words."""
    from scenarios.return_policy import compared, evaluation, figures_table, questions, scenario, side_by_side

    return ScenarioFunctions(
        prepare=evaluation.prepare,
        compared=lambda info, _file: compared.compared_scenario(info),
        example_count=lambda: len(questions.read_questions(QUESTIONS, POLICIES)),
        outline=evaluation.outline,
        summarise=evaluation.summarise,
        as_table=figures_table.as_table,
        shown_examples=side_by_side.shown_examples,
        shown_answers=side_by_side.shown_answers,
        prompt_examples=lambda: len(scenario.few_shot_examples()),
    )


PAGE = Page("pages/return_policy.py", "Return-policy bot", ":material/forum:")
SCENARIO = Scenario(
    name=NAME,
    title=TITLE,
    techniques=TECHNIQUES,
    load=load,
    request=PolicyRequest,
    default_techniques=("rag",),
    examples_are="questions",
    # A quick look at every technique of both scenarios takes less than three minutes; a sample is what
    # data/runs/return_policy-techniques was recorded on.
    samples=Samples(quick=6, sample=60),
    page=PAGE,
    letter="A",
    card=CARD,
    demo=DEMO.with_actions(ACTIONS),
    article=ArticlePart("Scenario A", "changing facts"),
    trainings=(Training("reader", "Policy reader (Scenario A)"),),
)
