"""What stands on top of an encoder: a linear layer per label, calibration and thresholds, in one safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.errors import AdapterError
from playground.flagging.calibration import Calibration
from playground.flagging.words import ClauseWords, words_from, words_tensors

HEAD_FILE = "head.safetensors"
_TENSORS = ("weight", "bias", "calibration_slope", "calibration_intercept", "thresholds")
_FEWEST_WINDOW_TOKENS, _MOST_WINDOW_TOKENS = 8, 4_096


@dataclass(frozen=True, slots=True)
class ClauseHead:
    """``weight`` float32 [labels, hidden], ``bias`` float32 [labels]; ``thresholds`` are of calibrated probabilities.

    ``window_tokens`` is how clauses were read in training (see ``clause_windows.WindowReader``). The log-odds of
    ``words``, where there are any, are added to those of the linear layer before the calibration.
    """

    labels: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    calibration: Calibration
    thresholds: np.ndarray
    window_tokens: int
    words: ClauseWords | None = None


def save_head(head: ClauseHead, folder: Path) -> None:
    """Write ``head.safetensors`` into ``folder``."""
    from safetensors.numpy import save_file

    tensors = {
        "weight": head.weight.astype(np.float32),
        "bias": head.bias.astype(np.float32),
        "calibration_slope": np.asarray(head.calibration.a, np.float32),
        "calibration_intercept": np.asarray(head.calibration.b, np.float32),
        "thresholds": np.asarray(head.thresholds, np.float32),
    }
    if head.words is not None:
        tensors |= words_tensors(head.words)
    metadata = {"labels": json.dumps(head.labels), "window_tokens": str(head.window_tokens)}
    save_file(tensors, folder / HEAD_FILE, metadata=metadata)


def load_head(folder: Path) -> ClauseHead:
    """Read ``head.safetensors``.

    Raises:
        AdapterError: it is missing or damaged, or its parts do not fit each other.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / HEAD_FILE
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        labels = _labels(metadata["labels"])
        words = words_from(stored, len(labels))
        tensors = {name: np.asarray(values, np.float32) for name, values in stored.items() if name in _TENSORS}
        head = ClauseHead(
            labels=labels,
            weight=tensors["weight"],
            bias=tensors["bias"],
            calibration=Calibration(
                tuple(map(float, tensors["calibration_slope"])), tuple(map(float, tensors["calibration_intercept"]))
            ),
            thresholds=tensors["thresholds"],
            window_tokens=int(metadata["window_tokens"]),
            words=words,
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise AdapterError(
            f"The head of the adapter {folder.name} cannot be read ({error}). Train or import the adapter again."
        ) from error
    columns = {tensors[name].shape for name in ("bias", "calibration_slope", "calibration_intercept", "thresholds")}
    fits = head.weight.ndim == 2 and head.weight.shape[1] > 0 and columns == {head.weight.shape[:1]} == {(len(labels),)}
    finite = all(np.isfinite(tensor).all() for tensor in tensors.values())
    in_range = bool(((head.thresholds >= 0) & (head.thresholds <= 1)).all())
    readable = head.window_tokens == 0 or _FEWEST_WINDOW_TOKENS <= head.window_tokens <= _MOST_WINDOW_TOKENS
    if not (fits and finite and in_range and readable):
        raise AdapterError(f"The head of the adapter {folder.name} does not fit together. Train or import it again.")
    return head


def _labels(text: str) -> tuple[str, ...]:
    """Read the labels: a JSON list of different names.

    Raises:
        ValueError: it is not.
    """
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("its labels are no list of names")
    if not names or len(set(names)) != len(names):
        raise ValueError("it has no labels, or one twice")
    return tuple(names)
