"""Scenario B as the project knows it: a law firm has the risky clauses of a contract flagged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.comparison.scenario import ArticlePart, Page, Samples, Scenario, ScenarioFunctions, Training
from playground.comparison.techniques import Technique
from playground.measuring.request import MeasuringRequest, option
from scenarios.contract_clauses.home import CARD, DEMO

TECHNIQUES = (
    Technique("zero-shot", "Zero-shot", "#439bd0", "circle", "prompting"),
    Technique("few-shot", "Few-shot", "#366797", "diamond", "prompting", stands_for_kind=True),
    Technique("few-shot-nearest", "Few-shot, nearest", "#6688db", "diamond-tall", "prompting", learns_from_labels=True),
    Technique("chain-of-thought", "Chain of thought", "#7d65b9", "triangle-up", "prompting"),
    Technique(
        *("lora", "LoRA, encoder", "#029e71", "star", "fine-tuning", "none"),
        stands_for_kind=True,
        learns_from_labels=True,
    ),
    Technique(
        *("language-model-lora", "LoRA, language model", "#c55500", "cross", "fine-tuning", "none"),
        learns_from_labels=True,
    ),
    Technique("keywords", "Keywords", "#8494a6", "x", chat_model="none"),
    Technique("tfidf", "TF-IDF + regression", "#bf8b03", "square", chat_model="none", learns_from_labels=True),
    Technique(
        *("frozen", "Frozen embeddings + regression", "#be678e", "hexagon"), chat_model="none", learns_from_labels=True
    ),
    Technique("nearest", "Nearest neighbours", "#7a8f3a", "pentagon", chat_model="none", learns_from_labels=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClausesRequest(MeasuringRequest):
    """What is to be measured of Scenario B; the help of each option says what it is."""

    contracts: Path | None = option(
        None,
        "contracts in CUAD's JSON (default: our own test clauses)",
        kind="file",
        metavar="FILE",
        means="examples file",
    )
    train: Path | None = option(
        None, "what the baselines are fitted on (default: our own training clauses)", kind="file", metavar="FILE"
    )
    adapter: str | None = option(
        None,
        "of `lora`, of `language-model-lora`, or A,B (default: the active one, the newest)",
        metavar="NAME",
        adapter_of=("lora", "language-model-lora"),
    )
    clauses: int = option(
        3, "a contract, that chat models are asked (default: 3)", kind="count", metavar="N", means="pairs"
    )


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
    name="contract_clauses",
    title="Contract clauses",
    techniques=TECHNIQUES,
    load=load,
    request=ClausesRequest,
    default_techniques=("lora", "keywords", "tfidf", "frozen", "nearest"),
    examples_are="contracts",
    samples=Samples(quick=2, sample=6),
    page=Page("pages/contract_clauses.py", "Contract flagger", ":material/gavel:"),
    letter="B",
    card=CARD,
    demo=DEMO,
    article=ArticlePart("Scenario B", "one task"),
    trainings=(Training("clauses", "Clause flagger (Scenario B)"),),
)
