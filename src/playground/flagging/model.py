"""What gives clauses their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

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


ClauseScorer = Callable[[Sequence[AnnotatedClause]], "np.ndarray"]
