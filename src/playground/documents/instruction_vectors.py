"""Whether a sentence speaks to a model, by what it means: its vector beside the score of its words.

A logistic regression on a sentence's vector (the bundled embedder's) and its score by ``instruction_words``, trained by
``scripts/train_instruction_warning.py``. Words alone miss what is worded in a new way; most honest sentences have no
word of an instruction, so few need a vector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WEIGHTS = Path(__file__).with_name("instruction_vectors.json")


@dataclass(frozen=True, slots=True)
class InstructionVectors:
    """Weights of a vector's d numbers and of the words' score, as log-odds; ``model_id`` names the vectors' embedder.

    From ``threshold`` on a sentence counts as an instruction. One whose words score below ``least_words`` does not,
    whatever its vector.
    """

    model_id: str
    weights: tuple[float, ...]
    words_weight: float
    bias: float
    threshold: float
    least_words: float

    def scores(self, vectors: np.ndarray, words: Sequence[float]) -> np.ndarray:
        """Return the log-odds, [n], that sentences speak to a model, of their vectors [n, d] and words' scores [n]."""
        import numpy as np

        found: np.ndarray = vectors @ np.asarray(self.weights) + self.words_weight * np.asarray(words) + self.bias
        return found


@lru_cache(maxsize=1)
def load_instruction_vectors() -> InstructionVectors:
    """Return the weights that ship with the project."""
    read = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return InstructionVectors(**{**read, "weights": tuple(read["weights"])})
