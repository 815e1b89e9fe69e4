"""Supervised LoRA fine-tuning of a language model: what it is told, what comes out, and how that is saved.

    python -m playground train clauses --data written --base language-model --out my-reader

The loss is on the completions only. Several processes (``accelerate launch -m playground train ...``; the commands are
in the README) share every step, and the result is that of one process up to the order of additions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playground.errors import TrainingError
from playground.training.language_model.completions import (
    ChatFormat,
    PromptCompletion,
    TokenisedCompletion,
    load_completion_codec,
    pack_neighbours,
    tokenise,
)
from playground.training.language_model.network import Precision, lora_options, reads_packed_rows
from playground.training.number_formats import flushed_denormals
from playground.training.progress import OnProgress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LanguageModelSettings", "PromptCompletion", "TrainedLanguageModel", "save_peft", "train_language_model"]

_VALIDATION_DRAW = 2**32
"""Seeds the choice of validation examples apart from the epochs' orders, which count from 0."""
_MOST_ROW_TOKENS = 1024
"""Of examples that share a beginning: attention over a row costs its length squared."""
_CONFIG_FILE, _WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


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


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Mean cross-entropy (nats) of the completion tokens of one step, before that step's update."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class ValidationLoss:
    """Mean cross-entropy (nats) of the validation completions' tokens after ``step`` steps; step 0 is the base."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class TrainedLanguageModel:
    """The best LoRA weights of a training, and how it went.

    ``state`` holds float32 matrices under PEFT's names, those of ``best_step``. ``validation_loss`` is theirs (None
    without validation examples). ``base_sha256_before`` and ``base_sha256_after`` are over the base's tensors in
    memory, ``base_sha256`` over those in its files. ``examples`` counts repetitions, ``duration_s`` the time before an
    interruption too. ``notes`` are sentences for the user.
    """

    state: Mapping[str, NDArray[np.float32]]
    settings: LanguageModelSettings
    base_id: str
    base_sha256: str
    base_sha256_before: str
    base_sha256_after: str
    target_modules: tuple[str, ...]
    layers: tuple[int, ...] | None
    losses: tuple[StepLoss, ...]
    validations: tuple[ValidationLoss, ...]
    best_step: int
    validation_loss: float | None
    steps: int
    examples: int
    skipped: int
    skipped_validation: int
    duration_s: float
    stopped: bool
    notes: tuple[str, ...]
    processes: int = 1

    @property
    def base_unchanged(self) -> bool:
        """Whether the base's weights are the same bytes after the training as before."""
        return self.base_sha256_before == self.base_sha256_after


def train_language_model(
    base_folder: Path,
    train: Sequence[PromptCompletion],
    validation: Sequence[PromptCompletion],
    settings: LanguageModelSettings | None = None,
    *,
    on_progress: OnProgress | None = None,
    checkpoint_folder: Path | None = None,
    resume: bool = True,
    base_id: str = "",
) -> TrainedLanguageModel:
    """Train LoRA on every linear layer of the decoder in ``base_folder`` (Hugging Face layout, safetensors).

    With the same seed, data and number of threads the result is the same bit by bit, interrupted or not, as long as
    ``max_minutes`` does not end it. A progress report's score is the mean probability (geometric) of the validation
    completions' tokens, ``exp(-loss)``: higher is better. Between two reports lies at most one pass through the
    network, so that a Stop is heard within seconds.

    Neighbours in ``train`` whose prompts begin alike (questions on the same passages) share one reading of that
    beginning; the loss is that of reading each by itself, up to rounding, and one step sees them together. Bases of an
    architecture that is not known to read such rows get each example alone.

    With ``checkpoint_folder`` the state is saved there now and then, and a training of the same data and settings goes
    on from it; checkpoints of another one are removed. They stay when the training ends, so that nothing is lost until
    the adapter is stored: ``playground.adapters.clear_checkpoints`` removes them then.

    Raises:
        TrainingError: data, settings or base cannot be used, the loss is no number, or a checkpoint cannot be written.
        TrainingStopped: ``on_progress`` returned False within the first few steps (without validation examples: before
            the first step). Later, but before the first validation, the weights are validated once and kept: one pass
            over ``validation``.
    """
    from playground.training.language_model.loop import run

    settings = settings or LanguageModelSettings()
    check_settings(settings)
    if not train:
        raise TrainingError("There is no example to train on. Add annotated examples.")
    codec = load_completion_codec(base_folder, settings.chat_format)
    examples, skipped = tokenise(train, codec, settings.max_tokens)
    held_out, skipped_validation = tokenise(validation, codec, settings.max_tokens)
    if not examples:
        raise TrainingError(
            f"All {skipped} examples are longer than {settings.max_tokens} tokens, so none can be trained on. Raise "
            "max_tokens or shorten the texts."
        )
    if validation and not held_out:
        raise TrainingError(
            f"All {skipped_validation} validation examples are longer than {settings.max_tokens} tokens. Raise "
            "max_tokens or shorten the texts."
        )
    notes = tuple(
        f"{count} of {len(given)} {kind} examples were left out: they are longer than {settings.max_tokens} tokens."
        for count, given, kind in ((skipped, train, "training"), (skipped_validation, validation, "validation"))
        if count
    )
    # A row of one token holds no second example.
    row_tokens = _MOST_ROW_TOKENS if reads_packed_rows(base_folder, _MOST_ROW_TOKENS) else 1
    with flushed_denormals():
        return run(
            base_folder,
            pack_neighbours(examples, row_tokens),
            pack_neighbours(_drawn(held_out, settings), row_tokens),
            settings,
            on_progress=on_progress,
            checkpoint_folder=checkpoint_folder,
            resume=resume,
            base_id=base_id or base_folder.name,
            skipped=(skipped, skipped_validation),
            notes=notes,
        )


def _drawn(validation: Sequence[TokenisedCompletion], settings: LanguageModelSettings) -> list[TokenisedCompletion]:
    import numpy as np

    order = np.random.default_rng([settings.seed, _VALIDATION_DRAW]).permutation(len(validation))
    return [validation[at] for at in sorted(order[: settings.validation_examples])]


def save_peft(trained: TrainedLanguageModel, folder: Path) -> None:
    """Write the best weights as PEFT does: adapter_config.json and adapter_model.safetensors.

    In float16, which keeps 11 bits of each number: the file is half as large, and the difference is far below what
    bfloat16 rounded away in training. PEFT and the fast engine compute with them in float32.

    Raises:
        TrainingError: the folder cannot be written.
    """
    import numpy as np
    from peft import LoraConfig
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    settings = trained.settings
    options = lora_options(settings.rank, settings.alpha, trained.target_modules, trained.layers)
    config = LoraConfig(**options, inference_mode=True, base_model_name_or_path=trained.base_id)
    largest = np.finfo(np.float16).max
    small = {
        name: values.astype(np.float16) if np.abs(values).max() < largest else values
        for name, values in trained.state.items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.save_pretrained(str(folder))
        save_file(small, folder / _WEIGHTS_FILE, metadata={"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"The adapter could not be written to {folder} ({error}). Free some space or choose another folder."
        ) from error


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
