"""A flagger without a model: what a clause says decides. A module of its own: other processes load it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from playground.errors import ModelError
from playground.flagging.model import OnShare
from playground.types import AnnotatedClause, SimilarClause

LABELS = ("Audit Rights", "Insurance")
SCORES: Mapping[str, tuple[str, float]] = {
    "inspect the books": ("Audit Rights", 0.9),
    "keep insurance": ("Insurance", 0.8),
    "may be inspected": ("Audit Rights", 0.3),
}


class ScriptedFlagger:
    """Gives a clause the scores of the phrases in it; ``read`` keeps the number of clauses of each call."""

    labels = LABELS
    thresholds = np.array([0.5, 0.5])
    model_id = "scripted-encoder"
    adapter = "scripted@12345678"

    def __init__(self, scores: Mapping[str, tuple[str, float]] = SCORES) -> None:
        self.scores = scores
        self.read: list[int] = []

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        self.read.append(len(clauses))
        found = np.zeros((len(clauses), len(self.labels)), dtype=np.float32)
        for row, clause in enumerate(clauses):
            if "END THE PROCESS" in clause.text:
                os._exit(9)
            if "RAISE" in clause.text:
                raise ZeroDivisionError("as scripted")
            for phrase, (label, score) in self.scores.items():
                if phrase in clause.text:
                    found[row, self.labels.index(label)] = score
        if on_share is not None:
            on_share(1.0)
        return found


def load_scripted(threads: int) -> ScriptedFlagger:
    """Stand in for loading an adapter."""
    assert threads >= 1
    return ScriptedFlagger()


def load_nothing(threads: int) -> ScriptedFlagger:
    """Stand in for an adapter that cannot be loaded."""
    raise ModelError("The encoder is gone. Fetch it again.")


def similar(pairs: Sequence[tuple[str, str]]) -> list[tuple[SimilarClause, ...]]:
    """Stand in for the evidence: one annotated clause a flag."""
    return [(SimilarClause(f"An annotated clause of {label}.", (label,), "sample", 0.75),) for _text, label in pairs]


def load_similar() -> object:
    """Stand in for loading the evidence."""
    return similar
