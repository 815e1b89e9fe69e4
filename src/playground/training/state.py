"""Where a training stands, kept so that a killed one continues to the same result."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.adapters import clear_checkpoints, latest_checkpoint, write_checkpoint
from playground.training.progress import TrainingProgress
from playground.training.trained import StepLoss, ValidationPoint

if TYPE_CHECKING:
    import torch

    SavedState = tuple[dict[str, Any], dict[str, torch.Tensor]]  # a checkpoint's numbers and its tensors

_TENSOR_FILE, _RECORD_FILE = "state.safetensors", "state.json"
_TENSORS = ("best", "best_outputs")


@dataclass(slots=True)
class LoopState:
    """What changes while the loop runs. The order of the examples follows from ``step`` and the seed.

    ``best`` are the weights to keep, flat, float32; ``best_outputs`` what they made of the validation data, where the
    task keeps it. ``validated`` counts the validations that the schedule wanted so far.
    """

    step: int = 0
    examples: int = 0
    elapsed_s: float = 0.0
    validated: int = 0
    best_step: int = 0
    best_score: float | None = None
    losses: list[StepLoss] = field(default_factory=list)
    validations: list[ValidationPoint] = field(default_factory=list)
    history: list[TrainingProgress] = field(default_factory=list)
    best: torch.Tensor | None = None
    best_outputs: torch.Tensor | None = None


def save_state(folder: Path, state: LoopState, weights: dict[str, torch.Tensor], mark: str) -> None:
    """Write a checkpoint of ``state`` and the optimiser's ``weights``; an interruption leaves the one before it.

    Raises:
        TrainingError: the disk is full or the folder is not writable.
    """
    from safetensors.torch import save_file

    record = {name: getattr(state, name) for name in LoopState.__dataclass_fields__ if name not in _TENSORS}
    record |= {name: [asdict(one) for one in record[name]] for name in ("losses", "validations", "history")}
    held = {name: tensor.cpu() for name, tensor in weights.items()}
    held |= {name: value.cpu() for name in _TENSORS if (value := getattr(state, name)) is not None}

    def write(target: Path) -> None:
        save_file(held, target / _TENSOR_FILE)
        (target / _RECORD_FILE).write_text(json.dumps(record | {"fingerprint": mark}), encoding="utf-8")

    write_checkpoint(folder, state.step, write)


def read_state(folder: Path, mark: str) -> SavedState | None:
    """Read the newest checkpoint; None where there is none of this training, and those of others are removed.

    Raises:
        TrainingError: old checkpoints cannot be removed.
    """
    from safetensors.torch import load_file

    checkpoint = latest_checkpoint(folder)
    if checkpoint is not None:
        record: dict[str, Any] = json.loads((checkpoint / _RECORD_FILE).read_text(encoding="utf-8"))
        if record.pop("fingerprint") == mark:
            return record, load_file(checkpoint / _TENSOR_FILE)
    # One of a later step would count as newer than what this training is going to write.
    clear_checkpoints(folder)
    return None


def state_from(saved: SavedState) -> tuple[LoopState, dict[str, torch.Tensor]]:
    """Return the state of which ``save_state`` wrote ``saved``, and the optimiser's tensors."""
    record, tensors = saved
    state = LoopState(**record)
    state.best, state.best_outputs = (tensors.get(name) for name in _TENSORS)
    state.losses = [StepLoss(**point) for point in record["losses"]]
    state.validations = [ValidationPoint(**point) for point in record["validations"]]
    state.history = [TrainingProgress(**report) for report in record["history"]]
    return state, {name: value for name, value in tensors.items() if name not in _TENSORS}
