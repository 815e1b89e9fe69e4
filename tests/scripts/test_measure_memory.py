"""The peak of a process's memory, as the system tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.measure_memory import measure, peak_bytes, shipped_reader
from tests.support.tiny_qwen2 import write_tiny_qwen2


def test_the_peak_is_read_in_bytes() -> None:
    assert peak_bytes("Name:\tpython\nVmPeak:\t  90 kB\nVmHWM:\t   12 kB\nVmRSS:\t   11 kB\n") == 12 * 1024


def test_a_system_that_does_not_tell_is_named() -> None:
    with pytest.raises(ValueError, match="does not tell the peak"):
        peak_bytes("Name:\tpython\n")


def test_a_model_is_loaded_and_reads_a_prompt(tmp_path: Path) -> None:
    path = write_tiny_qwen2(tmp_path / "tiny.gguf")
    figures = measure(path)
    assert figures["file_bytes"] == path.stat().st_size
    assert figures["file_bytes"] < figures["loaded_bytes"] <= figures["prompt_read_bytes"]


def test_the_readers_that_ship_are_measured_with_their_model() -> None:
    assert [folder and folder.name for folder in map(shipped_reader, ("small", "medium", "large"))] == [
        "policy-reader",
        "policy-reader-medium",
        None,
    ]
