"""Collect what the article's table stands on: recorded figures, the adapters at hand, learning curve, stale facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from playground.adapters import AdapterStore, StoredAdapter
from playground.adapters.store import shipped_default
from playground.answering.answer import BotSettings
from playground.comparison.claims import learning_curve, stale_facts
from playground.comparison.claims.article import ArticleEvidence
from playground.comparison.figures import TechniqueFigures
from playground.comparison.scenario import Scenario, scenario_showing, techniques_of
from playground.errors import EvaluationError

Evidence = TypeVar("Evidence")
_LONGEST_NAME = 80


def collect_evidence(
    scenarios: Sequence[Scenario], figures: Sequence[TechniqueFigures], runs: Path, adapters: AdapterStore
) -> tuple[ArticleEvidence, tuple[str, ...]]:
    """Return the evidence and a sentence for each part that could not be read; such a part counts as missing.

    Args:
        scenarios: all there are; one of them has the facts that change, one the learning curve.
        figures: of the recorded runs of all of them.
        runs: folder of the recorded runs, where the evidence files are.
        adapters: only those that ship with the project count: what the user trained says nothing about the project.
    """
    problems: list[str] = []
    task, changing = scenario_showing("one task", scenarios), scenario_showing("changing facts", scenarios)
    curve_file, facts_file = runs / learning_curve.FILE, runs / stale_facts.FILE
    curve = _read(lambda: learning_curve.read_learning_curve(curve_file, techniques_of(task)), problems)
    facts = _read(lambda: stale_facts.read_stale_facts(facts_file, techniques_of(changing)), problems)
    prompt_examples = changing.load().prompt_examples() if changing else 0
    stored_adapters = adapters.list()
    shipped = [stored.manifest for stored in stored_adapters if stored.shipped]
    settings = tuple(one.name for one in fields(BotSettings) if one.name != "adapter")
    ready = _ready(stored_adapters)
    found = ArticleEvidence(figures, shipped, curve, facts, prompt_examples, settings, ready, scenarios)
    return found, tuple(problems)


def _ready(adapters: Sequence[StoredAdapter]) -> dict[str, str]:
    """Return what the flagger in use out of the box knows, and others that ship and learned from the same data.

    That is the labels of the data. Adapters trained on the project's own clauses ship to show how one is trained.
    """
    default = shipped_default(adapters, "clauses")
    if default is None:
        return {}
    source = _source(default)
    return {
        stored.identity: f"the {len(stored.manifest.labels)} categories of {source}"
        for stored in adapters
        if stored.shipped and stored.manifest.task == "clauses" and _source(stored) == source
    }


def _source(stored: StoredAdapter) -> str:
    """Return what an adapter learned from: the first words of its data's name."""
    return str(stored.manifest.data.get("name", "")).partition(" (")[0][:_LONGEST_NAME] or "its training data"


def _read(read: Callable[[], Evidence | None], problems: list[str]) -> Evidence | None:
    try:
        return read()
    except EvaluationError as error:
        problems.append(str(error))
        return None
