"""Scenario A as the project knows it: an online shop answers questions about its return policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.comparison.scenario import ArticlePart, Page, Samples, Scenario, ScenarioFunctions, Training
from playground.comparison.techniques import Technique
from playground.measuring.request import MeasuringRequest, option
from playground.paths import POLICIES
from scenarios.return_policy.caution import DEFAULT_LEVEL
from scenarios.return_policy.home import CARD, DEMO

QUESTIONS = Path(__file__).with_name("questions.jsonl")
CLOSED_BOOK = "closed-book-lora"
_GUARD = "what stands around the reader of rag+lora; each can be measured without"

TECHNIQUES = (
    Technique("no-text", "No text", "#8494a6", "x", "prompting"),
    Technique("whole-document", "Whole document", "#bf8b03", "square", "prompting"),
    Technique("rag", "RAG", "#366797", "circle", "prompting", stands_for_kind=True),
    Technique("rag+few-shot", "RAG + few-shot", "#439bd0", "diamond", "prompting"),
    Technique("rag+cot", "RAG + chain of thought", "#7d65b9", "triangle-up", "prompting"),
    Technique(CLOSED_BOOK, "Closed-book LoRA", "#c55500", "cross", "fine-tuning", "bundled"),
    Technique("rag+lora", "RAG + LoRA", "#029e71", "star", "fine-tuning", "bundled", stands_for_kind=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest(MeasuringRequest):
    """What is to be measured of Scenario A; the help of each option says what it is."""

    policies: Path = option(POLICIES, "folder of the policies (default: the samples)", kind="file", metavar="DIR")
    questions: Path = option(QUESTIONS, "questions, JSON lines (default: our own)", kind="file", metavar="FILE")
    adapter: str | None = option(
        None, "of `rag+lora` (default: the active one that fits)", metavar="NAME", adapter_of=("rag+lora",)
    )
    closed_book_adapter: str | None = option(
        None, f"of `{CLOSED_BOOK}` (default: the active one)", metavar="NAME", adapter_of=(CLOSED_BOOK,)
    )
    top_k: int | None = option(None, "passages in a prompt (default: 3; rag+lora: 1)", kind="count", metavar="N")
    no_arithmetic: bool = option(False, "work nothing out for it", kind="switch", group=_GUARD)
    keep_unsupported: bool = option(False, "give answers with numbers no passage states", kind="switch", group=_GUARD)
    abstain_at: float | None = option(
        None,
        f"abstain from this probability on (above 1: never; default: {DEFAULT_LEVEL.abstain_at:g})",
        kind="number",
        metavar="P",
        group=_GUARD,
    )


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
    name="return_policy",
    title="Return policy",
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
    demo=DEMO,
    article=ArticlePart("Scenario A", "changing facts"),
    trainings=(Training("reader", "Policy reader (Scenario A)"),),
)
