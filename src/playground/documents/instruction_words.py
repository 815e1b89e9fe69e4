"""Whether a sentence speaks to a model, by its words and pairs of words: a logistic regression trained beforehand.

``scripts/train_instruction_warning.py`` makes ``instruction_words.json`` of the sentences of
``data/instruction_sentences`` and of honest documents. A sentence is the set of its words and pairs of neighbours, each
weighing 1 / sqrt(how many), so that long sentences do not count more.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

WEIGHTS = Path(__file__).with_name("instruction_words.json")
MOST_CHARACTERS = 600
"""A longer sentence is judged by its first characters."""

_TOKEN = re.compile(r"[a-z0-9']+|[:\"]")
_MOST_REPEATED = 3
_FEWEST_WORDS = 3
"""Fewer are a heading or a fragment, of which one word alone would decide."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class InstructionWords:
    """Weights of words and pairs, as log-odds; from ``threshold`` on a sentence counts as an instruction."""

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def score(self, sentence: str) -> float:
        """Return the log-odds that ``sentence`` speaks to a model."""
        terms, tokens = terms_of(sentence), len(_TOKEN.findall(sentence.casefold()))
        if (
            tokens < _FEWEST_WORDS or len(terms) * _MOST_REPEATED < tokens
        ):  # no sentence, or a few words again and again
            return self.bias
        total = sum(self.weights.get(term, 0.0) for term in terms)
        return self.bias + total / math.sqrt(max(1, len(terms)))

    def speaks_to_a_model(self, sentence: str) -> bool:
        """Whether the score of ``sentence`` reaches the threshold."""
        return self.score(sentence) >= self.threshold


def terms_of(sentence: str) -> frozenset[str]:
    """Return the words and pairs of neighbouring words, in lower case, figures as "0"."""
    text = _NUMBER.sub("0", sentence[:MOST_CHARACTERS].casefold().replace("\u2019", "'").replace("\u201c", '"'))
    words = ["^", *_TOKEN.findall(text)]
    return frozenset(words[1:]) | frozenset(f"{one} {other}" for one, other in pairwise(words))


@lru_cache(maxsize=1)
def load_instruction_words() -> InstructionWords:
    """Return the weights that ship with the project."""
    read = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return InstructionWords(read["weights"], read["bias"], read["threshold"])
