"""Which techniques change the prompt and which train weights: what the article's table and a recommendation compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from playground.comparison.figures import TechniqueFigures

Kind = Literal["prompting", "fine-tuning", "baseline"]

PROMPTED = (
    *("no-text", "whole-document", "rag", "rag+few-shot", "rag+cot"),
    *("zero-shot", "few-shot", "few-shot-nearest", "chain-of-thought"),
)
TUNED = ("closed-book-lora", "rag+lora", "lora", "language-model-lora")
LEARNS_FROM_LABELS = ("lora", "language-model-lora", "tfidf", "frozen", "nearest", "few-shot-nearest")
"""Of Scenario B: techniques that are trained, fitted or fed with the user's own labelled clauses."""


def kind_of(strategy: str) -> Kind:
    """Return what a technique changes; one that neither prompts a chat model nor trains an adapter is a baseline."""
    if strategy in PROMPTED:
        return "prompting"
    return "fine-tuning" if strategy in TUNED else "baseline"


def most_accurate(figures: Iterable[TechniqueFigures], scenario: str, kind: Kind) -> TechniqueFigures | None:
    """Return the technique of a kind with the highest accuracy in a scenario; None where none was measured.

    Of the same accuracy, the faster one counts. Small samples only count where there is nothing else.
    """
    found = [one for one in figures if one.scenario == scenario and kind_of(one.strategy) == kind and one.accuracy]
    found = [one for one in found if not one.is_small] or found
    return max(found, key=lambda one: (one.accuracy.value if one.accuracy else 0.0, -median_s(one)), default=None)


def median_s(one: TechniqueFigures) -> float:
    """Return the median seconds of a request; infinite where it was not measured."""
    return one.total_s.p50.value if one.total_s else float("inf")


def tokens_of(one: TechniqueFigures) -> float:
    """Return the mean tokens of a request, prompt and answer; 0 where no language model was asked."""
    return (one.input_tokens or 0.0) + (one.output_tokens or 0.0)
