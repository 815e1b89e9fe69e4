"""The head of an adapter survives writing and reading; damage is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from playground.errors import AdapterError
from playground.flagging.calibration import Calibration
from playground.flagging.head import HEAD_FILE, ClauseHead, load_head, save_head

LABELS = ("Insurance", "Ip Ownership Assignment", "Größe")
HEAD = ClauseHead(
    labels=LABELS,
    weight=np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    bias=np.array([0.5, -1, 2], np.float32),
    calibration=Calibration((1.0, 0.5, 2.0), (0.0, -0.25, 1.0)),
    thresholds=np.array([0.5, 0.25, 1.0], np.float32),
    window_tokens=256,
)


def tensors() -> dict[str, np.ndarray]:
    return {
        "weight": HEAD.weight,
        "bias": HEAD.bias,
        "calibration_slope": np.ones(3, np.float32),
        "calibration_intercept": np.zeros(3, np.float32),
        "thresholds": HEAD.thresholds,
    }


def written(folder: Path, changes: Mapping[str, np.ndarray] | None = None, **metadata: str) -> Path:
    parts = {"labels": json.dumps(LABELS), "window_tokens": "256"} | metadata
    save_file(tensors() | dict(changes or {}), folder / HEAD_FILE, metadata=parts)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(AdapterError) as caught:
        load_head(folder)
    assert folder.name in str(caught.value)
    assert str(caught.value).endswith("again.")
    return str(caught.value)


@pytest.mark.parametrize("window_tokens", [0, 8, 512])
def test_a_head_is_read_as_it_was_written(tmp_path: Path, window_tokens: int) -> None:
    save_head(replace(HEAD, window_tokens=window_tokens, weight=HEAD.weight.astype(np.float64)), tmp_path)
    read = load_head(tmp_path)
    assert (read.labels, read.calibration, read.window_tokens) == (LABELS, HEAD.calibration, window_tokens)
    for name in ("weight", "bias", "thresholds"):
        assert np.array_equal(getattr(read, name), getattr(HEAD, name))
        assert getattr(read, name).dtype == np.float32


def test_the_doctored_files_start_from_one_that_is_read(tmp_path: Path) -> None:
    assert load_head(written(tmp_path)).labels == LABELS


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)
    written(tmp_path)
    whole = (tmp_path / HEAD_FILE).read_bytes()
    for data in (b"", whole[:50], whole[:-4], b"\x80\x04pickle", whole[:8] + b"x" + whole[9:]):
        (tmp_path / HEAD_FILE).write_bytes(data)
        assert "cannot be read" in refusal(tmp_path)
    save_file({"weight": HEAD.weight}, tmp_path / HEAD_FILE)
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    "labels", ["", "{}", '"Insurance"', "[]", '["a", "a", "b"]', '["a", 1, "b"]', '["a", "", "b"]', "[" * 100_000]
)
def test_labels_that_are_no_list_of_different_names(tmp_path: Path, labels: str) -> None:
    assert "cannot be read" in refusal(written(tmp_path, labels=labels))


@pytest.mark.parametrize(
    ("changes", "metadata"),
    [
        ({}, {"labels": '["a", "b"]'}),
        ({"weight": np.ones((2, 4), np.float32)}, {}),
        ({"weight": np.ones(3, np.float32)}, {}),
        ({"weight": np.ones((3, 0), np.float32)}, {}),
        ({"bias": np.ones((3, 1), np.float32)}, {}),
        ({"bias": np.ones(4, np.float32)}, {}),
        ({"calibration_slope": np.ones(2, np.float32)}, {}),
        ({"calibration_intercept": np.ones(2, np.float32)}, {}),
        ({"thresholds": np.ones(2, np.float32)}, {}),
        ({"thresholds": np.array(0.5, np.float32)}, {}),
        ({"thresholds": np.array([0.5, 1.5, 0.5], np.float32)}, {}),
        ({"thresholds": np.array([0.5, -0.1, 0.5], np.float32)}, {}),
        ({"weight": np.full((3, 4), np.nan, np.float32)}, {}),
        ({"bias": np.array([0, np.inf, 0], np.float32)}, {}),
        ({"calibration_slope": np.array([1, np.nan, 1], np.float32)}, {}),
        ({}, {"window_tokens": "-1"}),
        ({}, {"window_tokens": "2"}),
        ({}, {"window_tokens": "1000000"}),
    ],
)
def test_parts_that_do_not_fit_each_other(
    tmp_path: Path, changes: dict[str, np.ndarray], metadata: dict[str, str]
) -> None:
    assert "does not fit together" in refusal(written(tmp_path, changes, **metadata))


def test_a_window_that_is_no_number(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(written(tmp_path, window_tokens="many"))
