"""What is recorded beside every measurement."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from playground import machine


def test_the_machine_is_described_without_its_name() -> None:
    described = machine.describe_machine()
    assert described.cores >= 1
    assert described.cpu
    assert f"{described.cores} cores" in described.label
    import socket

    assert socket.gethostname() not in described.label


def test_time_is_utc_to_the_second() -> None:
    moment = datetime.fromisoformat(machine.utc_now())
    assert moment.utcoffset() is not None
    assert moment.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert moment.microsecond == 0


def test_commit_of_a_checkout_and_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.commit(tmp_path) == "unknown"

    def git(*words: str) -> None:
        subprocess.run(
            ["/usr/bin/env", "git", "-c", "user.name=t", "-c", "user.email=t@e", "-C", str(tmp_path), *words],
            check=True,
        )

    git("init", "-q")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("1")
    git("add", "-A")
    git("commit", "-qm", "first")
    clean = machine.commit(tmp_path)
    assert clean != "unknown" and "+" not in clean
    (tmp_path / "src" / "a.py").write_text("2")
    assert machine.commit(tmp_path) == f"{clean}+changes"
    monkeypatch.setattr(machine.shutil, "which", lambda _name: None)
    assert machine.commit(tmp_path) == "unknown"
