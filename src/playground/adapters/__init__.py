"""The adapter store: LoRA adapters on disk with what they were trained on, and checkpoints of trainings in progress.

Adapters are read as data only: safetensors and JSON, never a pickle. Nothing here imports torch.
"""

from playground.adapters.branches import branch_loader, check_model, reader_adapter
from playground.adapters.checkpoints import checkpoint_step, clear_checkpoints, latest_checkpoint, write_checkpoint
from playground.adapters.contents import CARD_FILE, CONFIG_FILE, HEAD_FILE, WEIGHTS_FILE
from playground.adapters.kinds import TASKS, BaseKind, Task
from playground.adapters.manifest import AdapterFile, AdapterManifest, check_name
from playground.adapters.side_by_side import ComparisonRow
from playground.adapters.store import (
    ROOT_VARIABLE,
    Activation,
    AdapterStore,
    default_root,
)
from playground.adapters.stored import StoredAdapter, check_base, verify

__all__ = [
    "CARD_FILE",
    "CONFIG_FILE",
    "HEAD_FILE",
    "ROOT_VARIABLE",
    "TASKS",
    "WEIGHTS_FILE",
    "Activation",
    "AdapterFile",
    "AdapterManifest",
    "AdapterStore",
    "BaseKind",
    "ComparisonRow",
    "StoredAdapter",
    "Task",
    "branch_loader",
    "check_base",
    "check_model",
    "check_name",
    "checkpoint_step",
    "clear_checkpoints",
    "default_root",
    "latest_checkpoint",
    "reader_adapter",
    "verify",
    "write_checkpoint",
]
