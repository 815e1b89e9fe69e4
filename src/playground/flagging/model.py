"""What gives clauses their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from playground.types import AnnotatedClause

if TYPE_CHECKING:
    import numpy as np

OnShare = Callable[[float], None]
"""Called with the share of the work that is done, in (0, 1]. Raising from it ends the work."""


class ClauseModel(Protocol):
    """What judges clauses: an encoder with an adapter, a language model, a baseline."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def thresholds(self) -> np.ndarray:
        """Probability from which on a label is flagged, float [labels]."""
        ...

    @property
    def model_id(self) -> str: ...

    @property
    def adapter(self) -> str | None: ...

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return probabilities in [0, 1], float [clauses, labels]."""
        ...


class JudgedPart(NamedTuple):
    """Clauses that are judged for good: ``places`` int [n], ``probabilities`` float32 [n, labels]; ``share`` in (0, 1]
    of the work is done."""

    places: np.ndarray
    probabilities: np.ndarray
    share: float


@runtime_checkable
class JudgesInParts(Protocol):
    """A ``ClauseModel`` that can say what it found while it goes on. Together the parts hold every clause once, with
    the probabilities that ``probabilities`` would return."""

    def judge_in_parts(self, clauses: Sequence[AnnotatedClause]) -> Iterator[JudgedPart]: ...


_BATCH_CLAUSES = 32


@dataclass(frozen=True, slots=True)
class ScoringModel:
    """A ``ClauseModel`` around a function from clauses to scores in [0, 1], float [clauses, labels].

    ``thresholds`` are float [labels]. Safe to use from as many threads as ``score``.
    """

    labels: tuple[str, ...]
    score: Callable[[Sequence[AnnotatedClause]], np.ndarray]
    thresholds: np.ndarray
    model_id: str
    adapter: str | None = None

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return the scores, in batches where somebody wants to know how far it is."""
        import numpy as np

        if on_share is None:
            return self.score(clauses)
        found = np.zeros((len(clauses), len(self.labels)))
        for start in range(0, len(clauses), _BATCH_CLAUSES):
            batch = clauses[start : start + _BATCH_CLAUSES]
            found[start : start + len(batch)] = self.score(batch)
            on_share((start + len(batch)) / len(clauses))
        return found


def undecided(labels: Sequence[str]) -> np.ndarray:
    """Return a threshold of one half for each label, where none was chosen."""
    import numpy as np

    return np.full(len(labels), 0.5)
