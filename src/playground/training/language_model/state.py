"""Where a training of a language model stands, kept so that a killed one continues to the same result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.adapters import clear_checkpoints, latest_checkpoint, write_checkpoint
from playground.training.language_model.completions import PackedCompletions
from playground.training.language_model.trained import LanguageModelSettings, StepLoss, ValidationLoss

if TYPE_CHECKING:
    import torch

_TENSOR_FILE, _RECORD_FILE = "state.safetensors", "state.json"
_BEST = "best"
# Settings that a training may be continued with other values of: they change its pace, not its arithmetic.
_FREE_SETTINGS = ("max_minutes", "checkpoint_every_s")


@dataclass(slots=True)
class LoopState:
    """What changes while the loop runs. The order of the examples follows from ``step`` and the seed."""

    step: int = 0
    examples: int = 0
    elapsed_s: float = 0.0
    validated: int = 0
    best_step: int = 0
    best_loss: float | None = None
    losses: list[StepLoss] = field(default_factory=list)
    validations: list[ValidationLoss] = field(default_factory=list)
    best: torch.Tensor | None = None


def fingerprint(
    settings: LanguageModelSettings,
    base_sha256: str,
    train: Iterable[PackedCompletions],
    validation: Iterable[PackedCompletions],
) -> str:
    """Return the hex SHA-256 of what a checkpoint must have been made from to be continued."""
    fixed = {name: value for name, value in asdict(settings).items() if name not in _FREE_SETTINGS}
    digest = hashlib.sha256(json.dumps([fixed, base_sha256], sort_keys=True).encode())
    for part in (train, validation):
        digest.update(b"part")
        for row in part:
            digest.update(repr((row.prefix, [(rest.completion_start, rest.ids) for rest in row.rests])).encode())
    return digest.hexdigest()


def save_state(folder: Path, state: LoopState, tensors: dict[str, torch.Tensor], mark: str) -> None:
    """Write a checkpoint of ``state`` and the optimiser's ``tensors``; an interruption leaves the one before it.

    Raises:
        TrainingError: the disk is full or the folder is not writable.
    """
    from safetensors.torch import save_file

    record = as_record(state) | {"fingerprint": mark}
    held = {name: tensor.cpu() for name, tensor in tensors.items()}
    if state.best is not None:
        held[_BEST] = state.best.cpu()

    def write(target: Path) -> None:
        save_file(held, target / _TENSOR_FILE)
        (target / _RECORD_FILE).write_text(json.dumps(record), encoding="utf-8")

    write_checkpoint(folder, state.step, write)


def restore_state(folder: Path, mark: str) -> tuple[LoopState, dict[str, torch.Tensor]] | None:
    """Read the newest checkpoint; None where there is none of this training, and those of others are removed.

    Raises:
        TrainingError: old checkpoints cannot be removed.
    """
    from safetensors.torch import load_file

    checkpoint = latest_checkpoint(folder)
    if checkpoint is not None:
        record: dict[str, Any] = json.loads((checkpoint / _RECORD_FILE).read_text(encoding="utf-8"))
        if record.pop("fingerprint") == mark:
            tensors = load_file(checkpoint / _TENSOR_FILE)
            return state_from(record, tensors.pop(_BEST, None)), tensors
    # One of a later step would count as newer than what this training is going to write.
    clear_checkpoints(folder)
    return None


def as_record(state: LoopState) -> dict[str, Any]:
    """Return all of ``state`` but the best weights, exactly as JSON can hold it."""
    record = {name: getattr(state, name) for name in LoopState.__dataclass_fields__ if name != _BEST}
    return record | {
        "losses": [asdict(point) for point in state.losses],
        "validations": [asdict(point) for point in state.validations],
        "has_best": state.best is not None,
    }


def state_from(record: dict[str, Any], best: torch.Tensor | None) -> LoopState:
    """Return the state of which ``as_record`` made ``record``."""
    fields = {name: value for name, value in record.items() if name != "has_best"}
    fields["losses"] = [StepLoss(**point) for point in record["losses"]]
    fields["validations"] = [ValidationLoss(**point) for point in record["validations"]]
    return LoopState(**fields, best=best)
