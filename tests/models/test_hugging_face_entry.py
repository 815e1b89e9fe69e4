"""What is wrong with the id or folder of a model is said when it is entered, without loading anything."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from playground.models import hugging_face
from playground.models.hugging_face import entry_problem


def no_hub(*_: object, **__: object) -> None:
    raise AssertionError("the hub was asked")


def test_a_folder_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "model_info", no_hub)
    assert "There is no folder" in entry_problem(str(tmp_path / "missing"))
    assert "no readable config.json" in entry_problem(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert "holds no safetensors weights" in entry_problem(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert entry_problem(str(tmp_path)) == ""


@pytest.mark.parametrize("name", ["no id at all", "a/b/c", "../models", "/no/such/folder", "owner/na me"])
def test_what_is_no_id_is_said_without_the_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "model_info", no_hub)
    assert "There is no folder" in entry_problem(name)


def test_an_id_is_asked_of_the_hub_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def unreachable(_name: str, *, timeout: float) -> None:
        asked.append(timeout)
        raise OSError("no network")

    monkeypatch.setattr(hugging_face, "find_model_folder", lambda _name: None)
    monkeypatch.setattr(huggingface_hub, "model_info", unreachable)
    assert "the Hugging Face hub cannot be reached" in entry_problem("owner/name")
    assert len(asked) == 1 and asked[0] <= 5
    monkeypatch.setattr(huggingface_hub, "model_info", lambda _name, **_: None)
    assert entry_problem("owner/name") == ""
    monkeypatch.setattr(hugging_face, "find_model_folder", lambda _name: Path("cached"))
    monkeypatch.setattr(huggingface_hub, "model_info", no_hub)
    assert entry_problem("owner/name") == ""
