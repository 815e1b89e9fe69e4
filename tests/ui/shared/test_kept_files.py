"""The files of kept sessions: whole or not at all, bounded, opened by their token only, gone after a day."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from playground.ui.shared import kept_files
from playground.ui.shared.kept_files import KEPT_S, MOST_SESSIONS, KeptFiles, NotKeptError, new_token

NOT_TOKENS = ("", "..", "../..", "a/../../b", "/etc", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "\n", "0" * 31 + "/")


@pytest.fixture
def files(tmp_path: Path) -> KeptFiles:
    return KeptFiles(tmp_path / "sessions")


def keep(files: KeptFiles, text: bytes = b"one", part: str = "bot") -> str:
    token = new_token()
    piece = files.add_piece(token, part, text)
    files.set_index(token, part, b'{"piece": "' + piece.encode() + b'"}', [piece])
    return token


def age(files: KeptFiles, token: str, seconds: float) -> None:
    for path in files.folder(token).glob("*/index.json"):
        os.utime(path, (time.time() - seconds,) * 2)


def test_what_was_written_is_read_back_and_pieces_no_longer_named_are_gone(files: KeptFiles) -> None:
    token = keep(files)
    assert files.has(token) and files.index(token, "bot") is not None
    old = next(path.name for path in (files.folder(token) / "bot").iterdir() if path.name != "index.json")
    assert files.piece(token, "bot", old) == b"one"
    new = files.add_piece(token, "bot", b"two")
    files.set_index(token, "bot", b"{}", [new])
    assert {path.name for path in (files.folder(token) / "bot").iterdir()} == {"index.json", new}


def test_two_sessions_are_apart_and_deleting_one_leaves_the_other(files: KeptFiles) -> None:
    one, two = keep(files, b"mine"), keep(files, b"yours")
    name = files.add_piece(one, "bot", b"mine")
    with pytest.raises(NotKeptError):
        files.piece(two, "bot", name)
    files.delete(one)
    assert not files.has(one) and files.index(one, "bot") is None
    assert files.has(two)


@pytest.mark.parametrize("token", NOT_TOKENS)
def test_what_is_no_token_opens_nothing(files: KeptFiles, token: str) -> None:
    keep(files)
    assert not files.has(token)
    for use in (lambda: files.folder(token), lambda: files.delete(token), lambda: files.add_piece(token, "bot", b"x")):
        with pytest.raises(NotKeptError):
            use()
    assert files.index(token, "bot") is None


@pytest.mark.parametrize("name", ["../index.json", "index.json", "", "g" * 64])
def test_what_is_no_name_of_a_piece_opens_nothing(files: KeptFiles, name: str) -> None:
    with pytest.raises(NotKeptError):
        files.piece(keep(files), "bot", name)
    with pytest.raises(NotKeptError):
        files.index(keep(files), "../bot")


def test_a_session_older_than_a_day_is_not_opened_and_goes_at_the_next_start(files: KeptFiles) -> None:
    old, new = keep(files), keep(files)
    age(files, old, KEPT_S + 60)
    assert not files.has(old) and files.index(old, "bot") is None
    assert files.folder(old).exists()
    files.remove_old()
    assert not files.folder(old).exists() and files.has(new)


def test_there_are_never_more_than_so_many_sessions(files: KeptFiles) -> None:
    tokens = [keep(files) for _ in range(MOST_SESSIONS + 3)]
    for number, token in enumerate(tokens):
        age(files, token, 1000 - number)
    files.remove_old()
    assert [files.has(token) for token in tokens] == [False] * 3 + [True] * MOST_SESSIONS


def test_what_is_too_large_is_refused_and_what_was_kept_stays(
    files: KeptFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = keep(files)
    monkeypatch.setattr(kept_files, "MOST_BYTES", 50)
    with pytest.raises(NotKeptError, match="more than"):
        files.add_piece(token, "bot", b"x" * 51)
    monkeypatch.setattr(kept_files, "MOST_INDEX_BYTES", 10)
    with pytest.raises(NotKeptError, match="more than"):
        files.set_index(token, "bot", b"x" * 11, [])
    with pytest.raises(NotKeptError, match="larger"):
        files.index(token, "bot")


def test_a_changed_piece_is_noticed_and_a_part_is_set_aside(files: KeptFiles) -> None:
    token = keep(files)
    name = files.add_piece(token, "bot", b"whole")
    (files.folder(token) / "bot" / name).write_bytes(b"half")
    with pytest.raises(NotKeptError, match="not what was written"):
        files.piece(token, "bot", name)
    aside = files.set_aside(token, "bot")
    assert (aside / "index.json").exists() and files.index(token, "bot") is None
    files.delete(token)
    assert not aside.exists()


def test_a_copy_is_a_session_of_its_own(files: KeptFiles) -> None:
    token = keep(files)
    copy = files.copied(token)
    assert copy != token and files.index(copy, "bot") == files.index(token, "bot")
    files.delete(token)
    assert files.has(copy)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read_it(files: KeptFiles) -> None:
    token = keep(files)
    for path in [files.root, *files.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert files.size_bytes(token) > 0
