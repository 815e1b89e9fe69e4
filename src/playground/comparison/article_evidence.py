"""Collect what the article's table stands on: recorded figures, the adapters at hand, learning curve, stale facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from playground.adapters import AdapterStore
from playground.comparison import learning_curve, stale
from playground.comparison.article import ArticleEvidence
from playground.comparison.figures import TechniqueFigures
from playground.errors import EvaluationError
from playground.rag import BotSettings

Evidence = TypeVar("Evidence")


def collect_evidence(
    figures: Sequence[TechniqueFigures], runs: Path, adapters: AdapterStore, *, prompt_examples: int
) -> tuple[ArticleEvidence, tuple[str, ...]]:
    """Return the evidence and a sentence for each part that could not be read; such a part counts as missing.

    Args:
        figures: of the recorded runs of both scenarios.
        runs: folder of the recorded runs, where the evidence files are.
        adapters: only those that ship with the project count: what the user trained says nothing about the project.
        prompt_examples: worked examples of the few-shot prompt of Scenario A.
    """
    problems: list[str] = []
    curve = _read(lambda: learning_curve.read_learning_curve(runs / learning_curve.FILE), problems)
    facts = _read(lambda: stale.read_stale_facts(runs / stale.FILE), problems)
    shipped = [stored.manifest for stored in adapters.list() if stored.shipped]
    settings = tuple(one.name for one in fields(BotSettings) if one.name != "adapter")
    return ArticleEvidence(figures, shipped, curve, facts, prompt_examples, settings), tuple(problems)


def _read(read: Callable[[], Evidence | None], problems: list[str]) -> Evidence | None:
    try:
        return read()
    except EvaluationError as error:
        problems.append(str(error))
        return None
