"""Where a training of an encoder stands, kept so that a killed one continues to the same result."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.adapters import checkpoint_step, latest_checkpoint, write_checkpoint
from playground.training.clauses.encoder_network import EncoderWithHead
from playground.training.progress import TrainingProgress

if TYPE_CHECKING:
    import torch

    SavedState = tuple[dict[str, Any], dict[str, torch.Tensor]]  # a checkpoint's numbers and its tensors


@dataclass(slots=True)
class LoopState:
    """What changes while the loop runs. ``losses`` are those since the last report."""

    step: int = 0
    examples: int = 0
    elapsed_s: float = 0.0
    validated: int = 0
    steps_per_epoch: int = 0
    score: float | None = None
    best_score: float | None = None
    best: dict[str, torch.Tensor] | None = None
    best_scores: np.ndarray | None = None
    history: list[TrainingProgress] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    told_at: float = 0.0
    saved_at_s: float = 0.0


_NUMBERS = (
    "step",
    "examples",
    "elapsed_s",
    "validated",
    "steps_per_epoch",
    "score",
    "best_score",
    "losses",
    "saved_at_s",
)


def save_state(
    folder: Path, state: LoopState, network: EncoderWithHead, optimizer: torch.optim.Optimizer, fingerprint: str
) -> None:
    """Write a checkpoint; an interruption leaves the one before it.

    Raises:
        TrainingError: the disk is full or not writable.
    """

    def write(target: Path) -> None:
        import torch
        from safetensors.torch import save_file

        tensors = {f"now.{name}": value for name, value in network.trained_state().items()}
        tensors |= {f"best.{name}": value for name, value in (state.best or {}).items()}
        for index, entry in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value.detach().cpu().clone() for name, value in entry.items()}
        if state.best_scores is not None:
            tensors["best_scores"] = torch.from_numpy(state.best_scores)
        save_file({name: value.contiguous() for name, value in tensors.items()}, str(target / "state.safetensors"))
        row = {name: getattr(state, name) for name in _NUMBERS}
        row |= {"fingerprint": fingerprint, "history": [asdict(progress) for progress in state.history]}
        (target / "state.json").write_text(json.dumps(row), encoding="utf-8")

    write_checkpoint(folder, state.step, write)


def read_state(folder: Path, fingerprint: str) -> SavedState | None:
    """Read the newest checkpoint; None where there is none, or it is of another training."""
    from safetensors.torch import load_file

    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        return None
    row: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    if row["fingerprint"] != fingerprint or row["step"] != checkpoint_step(checkpoint):
        return None
    return row, load_file(str(checkpoint / "state.safetensors"))


def restore_state(saved: SavedState, network: EncoderWithHead, optimizer: torch.optim.Optimizer) -> LoopState:
    """Take over what ``read_state`` read."""
    row, tensors = saved
    network.load_trained_state(_under(tensors, "now."))
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in _under(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        entries.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
    state = LoopState(**{name: row[name] for name in _NUMBERS})
    state.history = [TrainingProgress(**progress) for progress in row["history"]]
    state.best = _under(tensors, "best.") or None
    if "best_scores" in tensors:
        state.best_scores = tensors["best_scores"].numpy()
    return state


def _under(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
