"""What a training of a language model is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground.errors import TrainingError
from playground.models.completion_codec import ChatFormat
from playground.training.language_model.network import Precision


@dataclass(frozen=True, slots=True)
class LanguageModelSettings:
    """Hyper-parameters of LoRA on a language model.

    Attributes:
        rank: of each low-rank branch.
        alpha: scale of the branches is alpha / rank.
        learning_rate: at its highest, after the warm-up.
        batch_examples: about so many examples make a step, over all processes together; those that share a row stay so.
        epochs: passes over the examples; the schedule ends with them.
        max_minutes: ends the schedule earlier, loading and validation included; None for no limit. Where it is what
            ends the training, the result depends on the machine's speed.
        max_tokens: longer examples, prompt and completion together, are left out.
        warmup: share of the run in which the learning rate rises from zero, in [0, 1).
        decay: how it falls to zero afterwards.
        validation_every: share of the run between validations, in (0, 1].
        validation_examples: so many of the validation examples are used, drawn once by the seed.
        frozen_layers: so many lowest layers get no branches: no gradient has to be computed through them.
        precision: "auto" takes bfloat16 where the machine computes in it and float32 elsewhere.
        chat_format: "chatml" is the bundled model's; "template" takes the base's own chat template.
        batch_tokens: tokens that go through the network at once, padding included; no effect on the result but
            rounding.
        checkpoint_every_s: seconds between checkpoints; no effect on the result.
        seed: of the branches' first values and of the order of the examples.
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 4e-4
    batch_examples: int = 16
    epochs: int = 2
    max_minutes: float | None = None
    max_tokens: int = 512
    warmup: float = 0.06
    decay: Literal["linear", "cosine"] = "linear"
    validation_every: float = 0.1
    validation_examples: int = 64
    frozen_layers: int = 0
    precision: Precision = "auto"
    chat_format: ChatFormat = "chatml"
    batch_tokens: int = 2048
    checkpoint_every_s: float = 60.0
    seed: int = 0


def check_settings(settings: LanguageModelSettings) -> None:
    """Check every setting against its range.

    Raises:
        TrainingError: one is outside; the message names it.
    """
    checks: list[tuple[str, Callable[[LanguageModelSettings], bool], str]] = [
        ("rank", lambda s: 1 <= s.rank <= 256, "between 1 and 256"),
        ("alpha", lambda s: 1 <= s.alpha <= 1024, "between 1 and 1024"),
        ("learning_rate", lambda s: 0 < s.learning_rate <= 1, "above 0 and at most 1; 4e-4 is a good start"),
        ("batch_examples", lambda s: 1 <= s.batch_examples <= 4096, "between 1 and 4096"),
        ("epochs", lambda s: 1 <= s.epochs <= 1000, "between 1 and 1000"),
        ("max_minutes", lambda s: s.max_minutes is None or 0 < s.max_minutes < math.inf, "above 0, or left out"),
        ("max_tokens", lambda s: 8 <= s.max_tokens <= 8192, "between 8 and 8192"),
        ("warmup", lambda s: 0 <= s.warmup < 1, "at least 0 and below 1"),
        ("decay", lambda s: s.decay in ("linear", "cosine"), '"linear" or "cosine"'),
        ("validation_every", lambda s: 0 < s.validation_every <= 1, "above 0 and at most 1"),
        ("validation_examples", lambda s: s.validation_examples >= 1, "at least 1"),
        ("batch_tokens", lambda s: s.batch_tokens >= 1, "at least 1"),
        ("seed", lambda s: 0 <= s.seed < 2**32, "between 0 and 2**32 - 1"),
    ]
    for name, holds, range_words in checks:
        if not holds(settings):
            raise TrainingError(f"{name} is {getattr(settings, name)!r}; it must be {range_words}.")
