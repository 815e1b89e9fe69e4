"""Checkpoints: whole or absent, the last two kept, and a broken one never stops a training from going on."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.adapters import checkpoint_step, clear_checkpoints, latest_checkpoint, write_checkpoint
from playground.errors import TrainingError


def state(step: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "weights").write_bytes(bytes([step % 256]) * 1000)
        (folder / "optimizer").mkdir()
        (folder / "optimizer" / "moments").write_text(str(step))

    return write


def found(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_last_two_are_kept_and_the_newest_found(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert latest_checkpoint(folder) is None
    for step in (5, 90, 1000):
        path = write_checkpoint(folder, step, state(step))
        assert latest_checkpoint(folder) == path
        assert checkpoint_step(path) == step
        assert (path / "optimizer" / "moments").read_text() == str(step)
    assert found(folder) == ["step-0000000090", "step-0000001000"]
    write_checkpoint(folder, 2000, state(0), keep=1)
    assert found(folder) == ["step-0000002000"]


def test_a_step_written_again_is_replaced(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1, state(1))
    path = write_checkpoint(tmp_path, 1, state(2))
    assert (path / "optimizer" / "moments").read_text() == "2"
    assert latest_checkpoint(tmp_path) == path
    assert found(tmp_path) == ["step-0000000001"]


def _cut(path: Path) -> None:
    (path / "weights").write_bytes(b"")


def _add(path: Path) -> None:
    (path / "more").write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _add,
        lambda path: (path / "optimizer" / "moments").unlink(),
        lambda path: (path / "checkpoint.json").unlink(),
        lambda path: (path / "checkpoint.json").write_text("{"),
        lambda path: (path / "checkpoint.json").write_text("[]"),
    ],
)
def test_a_broken_checkpoint_is_passed_over(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    first, second = (write_checkpoint(tmp_path, step, state(step)) for step in (1, 2))
    damage(second)
    assert latest_checkpoint(tmp_path) == first
    # It does not push out the whole one either.
    third = write_checkpoint(tmp_path, 3, state(3))
    assert found(tmp_path) == [first.name, third.name]
    damage(first)
    damage(third)
    assert latest_checkpoint(tmp_path) is None


@pytest.mark.parametrize("step", ["fsync", "rename", "write_text"])
def test_a_full_disk_keeps_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    old = write_checkpoint(tmp_path, 1, state(1))

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, step) if step == "fsync" else (Path, step)), fail)
    for number in (1, 2):
        with pytest.raises(TrainingError, match="Free some space"):
            write_checkpoint(tmp_path, number, state(number))
    monkeypatch.undo()
    assert latest_checkpoint(tmp_path) == old
    assert found(tmp_path) == [old.name]


def test_a_cancellation_passes_through(tmp_path: Path) -> None:
    def write(_folder: Path) -> None:
        raise KeyError("cancelled")

    with pytest.raises(KeyError):
        write_checkpoint(tmp_path, 1, write)
    assert found(tmp_path) == []


def test_clearing_leaves_what_is_not_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    write_checkpoint(tmp_path, 1, state(1))
    clear_checkpoints(tmp_path)
    assert found(tmp_path) == ["settings.json"]
    clear_checkpoints(tmp_path / "missing")


@pytest.mark.parametrize(("step", "keep"), [(-1, 2), (10**10, 2), (1, 0)])
def test_a_senseless_step_is_an_error_of_the_caller(tmp_path: Path, step: int, keep: int) -> None:
    with pytest.raises(ValueError, match="step"):
        write_checkpoint(tmp_path, step, state(1), keep=keep)
    with pytest.raises(ValueError, match="no checkpoint"):
        checkpoint_step(tmp_path / "other")


LOOP = """
import sys
from pathlib import Path
from playground.adapters import checkpoint_step, latest_checkpoint, write_checkpoint
folder = Path(sys.argv[1])
last = latest_checkpoint(folder)
step = checkpoint_step(last) if last else 0
print("ready", flush=True)
while True:
    step += 1
    write_checkpoint(folder, step, lambda staged: (staged / "weights").write_bytes(str(step).encode() * 100_000))
    print("written", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_training_killed_at_random_moments_always_finds_a_whole_checkpoint(tmp_path: Path) -> None:
    moments = random.Random(7)
    reached = 0
    for turn in range(10):
        process = subprocess.Popen([sys.executable, "-c", LOOP, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if turn % 2:
            assert process.stdout.readline() == "written\n"
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.communicate()
        newest = latest_checkpoint(tmp_path)
        assert newest is not None or reached == 0
        if newest:
            step = checkpoint_step(newest)
            assert step >= reached
            assert (newest / "weights").read_bytes() == str(step).encode() * 100_000
            reached = step
    assert reached > 0
