"""What a training tells while it runs, and what it needs to know about the machine it runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["preparing", "training", "validating", "saving"]

FEWEST_STEPS = 5
"""A training stopped after fewer, at the lowest rates of the warm-up, has taught nothing that is worth keeping."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """One report. ``fraction`` in [0, 1] is of the work or of the time budget, whichever ends first.

    ``loss`` is the mean since the last report, ``score`` the newest validation score (None before the first),
    ``best_score`` the best so far: a stop keeps the weights that reached it. ``remaining_s`` is None until known.
    """

    stage: Stage
    step: int
    fraction: float
    epoch: float = 0.0
    examples: int = 0
    loss: float | None = None
    score: float | None = None
    best_score: float | None = None
    examples_per_s: float | None = None
    elapsed_s: float = 0.0
    remaining_s: float | None = None


OnProgress = Callable[[TrainingProgress], bool | None]
"""Called a few times a second at most. Returning False asks the training to stop and keep the best so far."""


class TrainingStopped(Exception):  # noqa: N818 - no error
    """The training was stopped before anything worth keeping was learnt."""
