"""Checkpoints of a training in progress: written atomically, the last few kept, broken ones passed over.

A checkpoint is a folder "step-…" that ``write`` fills with whatever it needs to go on (weights, optimiser, sampler,
random states). They are the machine's own files and are never imported from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from playground.atomic import fsync_tree, publish, remove_folder, remove_stale, staging
from playground.errors import TrainingError

KEEP = 2
"""How many checkpoints stay: the last, and one before it in case the last is damaged."""

_RECORD_FILE = "checkpoint.json"
_FOLDER = re.compile(r"step-(\d{10})")
_MAX_RECORD_BYTES = 16 * 1024 * 1024


def write_checkpoint(folder: Path, step: int, write: Callable[[Path], object], *, keep: int = KEEP) -> Path:
    """Write a checkpoint of ``step`` below ``folder`` and return its folder, which appears when all is on disk.

    One of the same step is replaced. Afterwards all but the last ``keep`` whole ones are removed. An exception of
    ``write`` that is not about storing reaches the caller as it is. When anything fails, the earlier ones stay.

    Raises:
        TrainingError: the disk is full or the folder is not writable.
        ValueError: ``step`` is not in [0, 10**10) or ``keep`` is below 1.
    """
    if not 0 <= step < 10**10 or keep < 1:
        raise ValueError(f"step {step}, keep {keep}")
    target = folder / f"step-{step:010d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale(folder)
        with staging(folder) as staged:
            write(staged)
            record = {"files": _hashes(staged), "format": 1, "step": step}
            (staged / _RECORD_FILE).write_text(json.dumps(record, indent=2), encoding="utf-8")
            # All of it is on disk before the one that it replaces goes.
            fsync_tree(staged)
            if target.exists():
                remove_folder(target)
            publish(staged, target)
        kept = {target}
        for path in _newest_first(folder):
            # A broken one must not push out one that a training could go on from.
            if len(kept) < keep and _is_intact(path):
                kept.add(path)
            elif path not in kept:
                remove_folder(path)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"The checkpoint of step {step} could not be written to {folder} ({error}). Free some space or make the "
            "folder writable, and start again: the training goes on from the checkpoint before it."
        ) from error
    return target


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint whose files are as they were written, None when there is none.

    Its step is ``checkpoint_step``'s; "checkpoint.json" in it is not ``write``'s.
    """
    return next((path for path in _newest_first(folder) if _is_intact(path)), None)


def checkpoint_step(checkpoint: Path) -> int:
    """Return the step of a checkpoint's folder.

    Raises:
        ValueError: it is not the folder of a checkpoint.
    """
    match = _FOLDER.fullmatch(checkpoint.name)
    if match is None:
        raise ValueError(f"{checkpoint} is no checkpoint")
    return int(match[1])


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoints below ``folder``: before a training that starts afresh, and after one that finished.

    Raises:
        TrainingError: one could not be removed.
    """
    try:
        for path in _newest_first(folder):
            remove_folder(path)
        remove_stale(folder)
    except OSError as error:
        raise TrainingError(
            f"The old checkpoints in {folder} could not be removed ({error.strerror or error}). Make the folder "
            "writable or remove it by hand."
        ) from error


def _newest_first(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if _FOLDER.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return []
    return sorted(found, reverse=True)


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                name = path.relative_to(folder).as_posix()
                hashes[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


def _is_intact(checkpoint: Path) -> bool:
    path = checkpoint / _RECORD_FILE
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.read(_MAX_RECORD_BYTES))
        found = _hashes(checkpoint)
    except (OSError, ValueError, RecursionError):
        return False
    found.pop(_RECORD_FILE)
    return isinstance(record, dict) and record.get("files") == found
