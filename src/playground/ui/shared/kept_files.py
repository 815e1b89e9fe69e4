"""What a browser session keeps on this disk: one folder a session, in it one folder for each part (bot, contracts).

A part is an index, a small JSON file, and pieces: files named by the SHA-256 of what is in them. A piece is written
once and never changed, so that keeping one more answer costs one more answer. Everything is bounded, appears whole or
not at all, and is readable by its owner only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from playground.atomic import remove_folder, remove_stale, replace_file, temporary_path
from playground.files import expanded, folder_bytes, read_file

ROOT_VARIABLE = "PLAYGROUND_SESSIONS"
KEPT_S = 24 * 3600
"""How long a session is kept after its last change."""
MOST_SESSIONS = 20
MOST_BYTES = 48 * 2**20
"""Most bytes of the pieces of one part."""
MOST_INDEX_BYTES = 2 * 2**20

_INDEX = "index.json"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"[a-z_]{1,40}")
_PIECE = re.compile(r"[0-9a-f]{64}")


class NotKeptError(Exception):
    """Something could not be kept or read back; the message is a sentence for the user."""


def default_root() -> Path:
    """Return the folder of all kept sessions; it need not exist yet."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return expanded(chosen) if chosen else platformdirs.user_state_path("scenario-playground") / "sessions"


def new_token() -> str:
    """Return a name for a session that nobody can guess: 128 random bits, as 32 hex digits."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """The kept sessions in ``root``. A token is the one thing that opens a session; whatever is none opens nothing."""

    root: Path

    def folder(self, token: str) -> Path:
        """Return the folder of a session.

        Raises:
            NotKeptError: ``token`` is none: it may come from an address that anybody wrote.
        """
        if not _TOKEN.fullmatch(token):
            raise NotKeptError("The address names no session.")
        return self.root / token

    def has(self, token: str) -> bool:
        """Tell whether a session is kept under ``token`` and not too old."""
        try:
            return time.time() - _changed_at(self.folder(token)) <= KEPT_S
        except (NotKeptError, OSError):
            return False

    def changed_at(self, token: str) -> float:
        """Return when a session was last changed, in seconds since 1970; now where it is not there."""
        try:
            return _changed_at(self.folder(token))
        except (NotKeptError, OSError):
            return time.time()

    def size_bytes(self, token: str) -> int:
        """Return how many bytes are kept of a session."""
        try:
            return folder_bytes(self.folder(token))
        except NotKeptError:
            return 0

    def index(self, token: str, part: str) -> bytes | None:
        """Return the index of a part; None where there is none.

        Raises:
            NotKeptError: it is too large or cannot be read.
        """
        if not self.has(token):
            return None
        path = self._part(token, part) / _INDEX
        return _read(path, MOST_INDEX_BYTES) if path.exists() else None

    def piece(self, token: str, part: str, name: str) -> bytes:
        """Return a piece.

        Raises:
            NotKeptError: ``name`` is none, or the file is missing, too large or not what was written.
        """
        if not _PIECE.fullmatch(name):
            raise NotKeptError("a piece has a name that none has")
        data = _read(self._part(token, part) / name, MOST_BYTES)
        if hashlib.sha256(data).hexdigest() != name:
            raise NotKeptError("a piece is not what was written")
        return data

    def add_piece(self, token: str, part: str, data: bytes) -> str:
        """Write a piece, if it is not there, and return its name.

        Raises:
            NotKeptError: the part would become too large, or the disk refuses.
        """
        folder, name = self._part(token, part), hashlib.sha256(data).hexdigest()
        path = folder / name
        try:
            if path.exists():
                return name
            self._make(folder)
            if sum(piece.stat().st_size for piece in folder.iterdir()) + len(data) > MOST_BYTES:
                raise NotKeptError(f"There is more than the {MOST_BYTES // 2**20} MB that are kept of a session.")
            _write(path, data)
        except OSError as error:
            raise NotKeptError(f"The disk refuses it: {error.strerror or error}.") from error
        return name

    def set_index(self, token: str, part: str, data: bytes, pieces: Collection[str]) -> None:
        """Write the index of a part, and remove the pieces that it does not name.

        Raises:
            NotKeptError: it is too large, or the disk refuses.
        """
        folder = self._part(token, part)
        if len(data) > MOST_INDEX_BYTES:
            raise NotKeptError("There is more than is kept of a session.")
        try:
            self._make(folder)
            _write(folder / _INDEX, data)
            for path in folder.iterdir():
                if _PIECE.fullmatch(path.name) and path.name not in pieces:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise NotKeptError(f"The disk refuses it: {error.strerror or error}.") from error

    def set_aside(self, token: str, part: str) -> Path:
        """Put a damaged part out of the way and return where it is now; it goes with the session.

        Raises:
            NotKeptError: the disk refuses.
        """
        folder = self._part(token, part)
        aside = folder.with_name(f"{part}.damaged-{secrets.token_hex(4)}")
        try:
            return folder.rename(aside)
        except OSError as error:
            raise NotKeptError(f"The disk refuses it: {error.strerror or error}.") from error

    def copied(self, token: str) -> str:
        """Copy a session and return the copy's token.

        Raises:
            NotKeptError: the disk refuses.
        """
        copy = new_token()
        staged = temporary_path(self.root)
        try:
            shutil.copytree(self.folder(token), staged)
            staged.rename(self.root / copy)
        except OSError as error:
            shutil.rmtree(staged, ignore_errors=True)
            raise NotKeptError(f"The disk refuses it: {error.strerror or error}.") from error
        return copy

    def delete(self, token: str) -> None:
        """Remove a session; no half of it stays in sight.

        Raises:
            NotKeptError: the disk refuses; it is still there.
        """
        folder = self.folder(token)
        try:
            if folder.exists():
                remove_folder(folder)
        except OSError as error:
            raise NotKeptError(f"The disk refuses it: {error.strerror or error}.") from error

    def remove_old(self) -> None:
        """Remove sessions older than a day, the oldest beyond ``MOST_SESSIONS``, and what was left half-written."""
        remove_stale(self.root)
        with contextlib.suppress(OSError):
            ages = [(_changed_at(folder), folder) for folder in self.root.iterdir() if _TOKEN.fullmatch(folder.name)]
            for place, (changed_at, folder) in enumerate(sorted(ages, reverse=True)):
                if place >= MOST_SESSIONS or time.time() - changed_at > KEPT_S:
                    with contextlib.suppress(OSError):
                        remove_folder(folder)

    def _part(self, token: str, part: str) -> Path:
        if not _PART.fullmatch(part):
            raise NotKeptError("a part has a name that none has")
        return self.folder(token) / part

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for path in (self.root, folder.parent, folder):
                path.chmod(0o700)


def _changed_at(folder: Path) -> float:
    indexes = [path.stat().st_mtime for path in folder.glob(f"*/{_INDEX}")]
    return max(indexes) if indexes else folder.stat().st_mtime


def _write(path: Path, data: bytes) -> None:
    replace_file(path, data)
    path.chmod(0o600)


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        data = read_file(path, most_bytes)
    except OSError as error:
        raise NotKeptError(f"a file cannot be read ({error.strerror or error})") from error
    if len(data) > most_bytes:
        raise NotKeptError("a file is larger than any that was written")
    return data
