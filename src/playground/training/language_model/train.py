"""Supervised LoRA fine-tuning of a language model: what it is told, what comes out, and how that is saved.

    python -m playground train clauses --data written --base language-model --out my-reader

The loss is on the completions only. Several processes (``accelerate launch -m playground train ...``; the commands are
in docs/training.md) share every step, and the result is that of one process up to the order of additions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playground.errors import TrainingError
from playground.models.completion_codec import PromptCompletion, load_completion_codec
from playground.training.language_model.completions import (
    PackedCompletions,
    TokenisedCompletion,
    pack_neighbours,
    tokenise,
)
from playground.training.language_model.network import (
    base_sha256,
    load_lora_network,
    reads_packed_rows,
    tensors_sha256,
)
from playground.training.language_model.settings import LanguageModelSettings, check_settings
from playground.training.language_model.task import LanguageModelTask, fingerprint
from playground.training.loop import Checkpoints, Schedule, TrainingLoop
from playground.training.number_formats import flushed_denormals
from playground.training.processes import Processes
from playground.training.progress import OnProgress
from playground.training.reports import Reporter
from playground.training.state import LoopState
from playground.training.trained import TrainedAdapter

__all__ = ["LanguageModelSettings", "PromptCompletion", "TrainedLanguageModel", "save_peft", "train_language_model"]

TrainedLanguageModel = TrainedAdapter[LanguageModelSettings]

_VALIDATION_DRAW = 2**32
"""Seeds the choice of validation examples apart from the epochs' orders, which count from 0."""
_MOST_ROW_TOKENS = 1024
"""Of examples that share a beginning: attention over a row costs its length squared."""
_CONFIG_FILE, _WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


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
        trained = _train(
            base_folder,
            pack_neighbours(examples, row_tokens),
            pack_neighbours(_drawn(held_out, settings), row_tokens),
            settings,
            on_progress=on_progress,
            checkpoint_folder=checkpoint_folder,
            resume=resume,
        )
    trained.lora_config.base_model_name_or_path = base_id or base_folder.name
    return replace(trained, skipped=skipped, skipped_validation=skipped_validation, notes=notes)


def _train(
    base_folder: Path,
    train: Sequence[PackedCompletions],
    validation: Sequence[PackedCompletions],
    settings: LanguageModelSettings,
    *,
    on_progress: OnProgress | None,
    checkpoint_folder: Path | None,
    resume: bool,
) -> TrainedLanguageModel:
    processes = Processes()
    reporter = Reporter(on_progress if processes.is_main else None)
    reporter.tell("preparing", LoopState(), 0.0, force=True)
    network = load_lora_network(
        base_folder,
        processes.device,
        rank=settings.rank,
        alpha=settings.alpha,
        frozen_layers=settings.frozen_layers,
        precision=settings.precision,
    )
    before = tensors_sha256(network.base_tensors.items())
    task = LanguageModelTask(train, validation, settings, network, processes)
    sha256 = base_sha256(base_folder)
    mark = fingerprint(settings, sha256, train, validation)
    result = TrainingLoop(
        task, schedule_of(settings), Checkpoints(checkpoint_folder, mark, resume), reporter, processes
    ).run()
    return result.account(
        task.weights,
        settings,
        lora_config=network.lora_config,
        base_sha256_before=before,
        base_sha256_after=tensors_sha256(network.base_tensors.items()),
        base_sha256=sha256,
        processes=processes.count,
    )


def schedule_of(settings: LanguageModelSettings) -> Schedule:
    """Return what the loop is told of ``settings``."""
    return Schedule(
        epochs=settings.epochs,
        max_minutes=settings.max_minutes,
        warmup=settings.warmup,
        decay=settings.decay,
        validation_every=settings.validation_every,
        checkpoint_every_s=settings.checkpoint_every_s,
        validates_base=True,
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
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    config = trained.lora_config
    config.inference_mode = True
    largest = torch.finfo(torch.float16).max
    small = {
        name: (values.half() if values.abs().max() < largest else values).contiguous()
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
