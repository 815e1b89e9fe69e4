"""The adapter store: one folder an adapter, visible whole or not at all, beside read-only adapters that are shipped.

The user's own live in ``root``, by default in the user's data folder. A killed or failed save leaves the store as it
was; a folder that is damaged is reported in a sentence and never used.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import platformdirs
from safetensors import SafetensorError

from playground.adapters.archive import pack, unpack
from playground.adapters.contents import (
    check_content,
    describe_files,
)
from playground.adapters.kinds import (
    Task,
)
from playground.adapters.manifest import (
    MANIFEST_FILE,
    AdapterManifest,
    check_name,
    free_name,
    manifest_from,
    manifest_json,
    parse_json_object,
)
from playground.adapters.side_by_side import ComparisonRow, comparison_rows
from playground.adapters.stored import StoredAdapter, broken_sentence, read_stored, verify
from playground.atomic import publish, remove_folder, remove_stale, replace_file, staging
from playground.errors import AdapterError
from playground.files import expanded

ROOT_VARIABLE = "PLAYGROUND_ADAPTERS"
"""Environment variable that moves the folder of the user's adapters."""
SHIPPED_DEFAULTS: dict[Task, str] = {"clauses": "cuad-mpnet"}
"""By task: more examples do not make the smaller encoder the better one."""

WriteAdapter = Callable[[Path], AdapterManifest]
"""Fills an empty folder with an adapter's files and returns its manifest; the store sets ``name`` and ``files``."""

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_MAX_POINTER_BYTES = 4096


def default_root() -> Path:
    """Return the folder of the user's adapters; it need not exist yet."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return expanded(chosen)
    return platformdirs.user_data_path("scenario-playground") / "adapters"


@dataclass(frozen=True, slots=True)
class Activation:
    """The adapter in use for a task, if any. ``note`` is a sentence for the user when it is not the chosen one."""

    adapter: StoredAdapter | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AdapterStore:
    """The user's adapters in ``root`` and read-only ones in ``shipped``. Every call looks at the disk, and reads
    what changed since the last look.

    Safe for threads and processes at the same time: a name is published by one rename, which one of them wins.
    """

    root: Path
    shipped: Path | None = None

    def list(self) -> tuple[StoredAdapter, ...]:
        """Return the usable adapters, newest first, each file's hash checked. Never raises for what is on disk."""
        return self._scan()[0]

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each folder that is not usable, and what to do about it."""
        return self._scan()[1]

    def get(self, name: str) -> StoredAdapter:
        """Return one adapter; the user's own where a shipped one has the same name.

        Raises:
            AdapterError: there is none of that name, or it is damaged.
        """
        check_name(name)
        for folder, is_shipped in ((self.root, False), (self.shipped, True)):
            if folder is not None and (folder / name).is_dir():
                return read_stored(folder / name, shipped=is_shipped)
        known = ", ".join(stored.name for stored in self.list()) or "none"
        raise AdapterError(
            f"There is no adapter {name!r} (there is: {known}). Choose one of these, train or import one."
        )

    def free_name(self, name: str) -> str:
        """Return ``name`` or, when it is taken, the first free of name-2, name-3 and so on."""
        return free_name(name, self._taken())

    def save(self, name: str, write: WriteAdapter) -> StoredAdapter:
        """Store a new adapter: ``write`` fills a hidden folder, which appears under ``name`` when all of it is on disk.

        When anything fails, and when the process is killed, the store is as it was. An exception of ``write`` that is
        not about storing (a cancellation, for example) reaches the caller as it is.

        Raises:
            AdapterError: the name is not allowed or taken, the disk is full or not writable, or what ``write`` left is
                not an adapter.
        """
        check_name(name)
        if name in self._taken():
            raise self._taken_error(name)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            remove_stale(self.root)
            with staging(self.root) as folder:
                written = write(folder)
                manifest = replace(written, name=name, files=describe_files(folder))
                data = manifest_json(manifest)
                # Read back, so that nothing is stored that could not be listed, exported or imported.
                manifest = manifest_from(data)
                (folder / MANIFEST_FILE).write_bytes(data)
                try:
                    publish(folder, self.root / name)
                except FileExistsError as error:
                    raise self._taken_error(name) from error
        except (OSError, SafetensorError, RuntimeError) as error:
            # torch and safetensors report a full disk in exceptions of their own.
            raise self._storage_error(name, error) from error
        return StoredAdapter(self.root / name, manifest)

    def delete(self, name: str) -> None:
        """Remove one of the user's adapters, usable or not. Where it was active, the shipped one is again.

        Raises:
            AdapterError: there is none of that name, it is shipped, or it cannot be removed.
        """
        check_name(name)
        folder = self.root / name
        if not folder.is_dir():
            if self.shipped is not None and (self.shipped / name).is_dir():
                raise AdapterError(f"The adapter {name!r} comes with the app and stays. Activate another one instead.")
            raise AdapterError(f"There is no adapter {name!r} to delete. Reload the list.")
        try:
            if folder.is_symlink():
                folder.unlink()
            else:
                remove_folder(folder)
            for path in self.root.glob(".active-*.json"):
                if _read_pointer(path)[:1] == (name,):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise AdapterError(
                f"The adapter {name!r} could not be deleted ({error.strerror or error}). Close what uses it and check "
                f"that {self.root} is writable."
            ) from error

    def rename(self, name: str, to: str) -> StoredAdapter:
        """Give one of the user's adapters another name; where it was active, it stays so. Its files stay the same.

        Raises:
            AdapterError: there is none of that name, it is shipped or damaged, or the new name is not allowed or taken.
        """
        stored = self.get(name)
        if stored.shipped:
            raise AdapterError(
                f"The adapter {name!r} comes with the app and keeps its name. Import a copy of it instead."
            )
        check_name(to)
        if to in self._taken():
            raise self._taken_error(to)
        active = self.active(stored.manifest.task)
        try:
            publish(stored.folder, self.root / to)
        except FileExistsError as error:
            raise self._taken_error(to) from error
        except OSError as error:
            raise self._storage_error(to, error) from error
        if active is not None and active.folder == stored.folder:
            return self.activate(to, stored.manifest.task)
        return self.get(to)

    def activate(self, name: str, task: Task) -> StoredAdapter:
        """Make an adapter the one in use for ``task``, after reading all of it.

        Raises:
            AdapterError: there is none of that name, it is damaged or for another task, or the choice cannot be saved;
                the active adapter stays what it was.
        """
        stored = self.get(name)
        if stored.manifest.task != task:
            raise AdapterError(
                f"The adapter {name!r} was trained for {stored.manifest.task!r}, not for {task!r}. Choose another one."
            )
        verify(stored)
        pointer = {"adapter_sha256": stored.manifest.adapter_sha256, "name": name}
        try:
            replace_file(self._pointer(task), json.dumps(pointer).encode() + b"\n")
        except OSError as error:
            raise AdapterError(
                f"The choice of {name!r} could not be saved in {self.root} ({error.strerror or error}); the active "
                "adapter is unchanged. Free some space or make the folder writable, and activate it again."
            ) from error
        return stored

    def active(self, task: Task) -> StoredAdapter | None:
        """Return the adapter in use for ``task``; see ``activation`` for why it is another than the chosen one."""
        return self.activation(task).adapter

    def activation(self, task: Task) -> Activation:
        """Return the adapter in use for ``task``: the activated one, else the shipped default, else none."""
        usable, _ = self._scan()
        default = shipped_default(usable, task)
        if not self._pointer(task).exists():
            return Activation(default)
        chosen = _read_pointer(self._pointer(task))
        if not chosen:
            return Activation(default, f"The record of the active adapter is damaged. {_instead(default)}")
        name, sha256 = chosen
        stored = next((stored for stored in usable if stored.name == name and stored.manifest.task == task), None)
        if stored is None:
            return Activation(default, f"The active adapter {name!r} was deleted or is damaged. {_instead(default)}")
        if stored.manifest.adapter_sha256 != sha256:
            return Activation(
                default, f"The adapter {name!r} is not the one that was activated under this name. {_instead(default)}"
            )
        return Activation(stored)

    def export_zip(self, name: str) -> bytes:
        """Return the adapter as a zip that ``import_zip`` takes; the same bytes every time.

        Raises:
            AdapterError: there is none of that name, it is damaged, or too large for a zip.
        """
        stored = self.get(name)
        files = {}
        try:
            for file_name, expected in stored.manifest.files.items():
                data = (stored.folder / file_name).read_bytes()
                if hashlib.sha256(data).hexdigest() != expected.sha256:
                    raise AdapterError(f"{file_name} is not the file that was saved.")
                files[file_name] = data
        except (AdapterError, OSError) as error:
            raise AdapterError(broken_sentence(stored.folder, error, shipped=stored.shipped)) from error
        return pack({**files, MANIFEST_FILE: manifest_json(stored.manifest)})

    def import_zip(
        self, data: bytes, name: str | None = None, *, known_labels: Collection[str] | None = None
    ) -> StoredAdapter:
        """Store an adapter from a zip that may come from anybody, under ``name`` or its own.

        Every file is checked before anything is written, and nothing of it is executed. With ``known_labels``, an
        adapter that knows other labels is refused.

        Raises:
            AdapterError: the zip is refused (the sentence says why), or cannot be stored.
        """
        files = unpack(data)
        manifest = manifest_from(files.pop(MANIFEST_FILE))
        if unlisted := sorted(set(files) ^ set(manifest.files)):
            raise AdapterError(f"The manifest and the archive disagree about {unlisted[0][:80]!r}. Export it again.")
        for file_name, content in files.items():
            check_content(file_name, content)
            if hashlib.sha256(content).hexdigest() != manifest.files[file_name].sha256:
                raise AdapterError(
                    f"{file_name} in the archive is not the file that its manifest describes: it was changed or "
                    "damaged. Export the adapter again."
                )
        if known_labels is not None and (unknown := [label for label in manifest.labels if label not in known_labels]):
            raise AdapterError(
                f"The adapter flags {unknown[0]!r}, which is no label here ({len(unknown)} unknown in all). Import an "
                "adapter that was trained on this app's labels."
            )

        def write(folder: Path) -> AdapterManifest:
            for file_name, content in files.items():
                (folder / file_name).write_bytes(content)
            return manifest

        return self.save(manifest.name if name is None else name, write)

    def compare(self, names: Sequence[str]) -> tuple[ComparisonRow, ...]:
        """Return the properties of several adapters side by side, in the order of ``names``.

        Raises:
            AdapterError: one of them is not there or damaged.
        """
        return comparison_rows([self.get(name).manifest for name in names])

    def _scan(self) -> tuple[tuple[StoredAdapter, ...], tuple[str, ...]]:
        found: dict[str, StoredAdapter] = {}
        problems: list[str] = []
        for folder, is_shipped in ((self.root, False), (self.shipped, True)):
            for path in _subfolders(folder, problems) if folder is not None else ():
                try:
                    stored = read_stored(path, shipped=is_shipped)
                except AdapterError as error:
                    # One that another process deletes meanwhile is not a problem.
                    if path.exists():
                        problems.append(str(error))
                    continue
                if stored.name in found:
                    problems.append(
                        f"Your adapter {stored.name!r} hides the shipped one of that name. Export yours, import it "
                        "under another name and delete it to see both."
                    )
                else:
                    found[stored.name] = stored
        newest_first = sorted(
            found.values(), key=lambda stored: (-_created_s(stored.manifest), stored.shipped, stored.name)
        )
        return tuple(newest_first), tuple(problems)

    def _taken(self) -> set[str]:
        names: set[str] = set()
        for folder in (self.root, self.shipped):
            # A folder that cannot be read is heard of when something is written to it.
            with contextlib.suppress(OSError):
                names |= {path.name for path in folder.iterdir()} if folder is not None else set()
        return names

    def _taken_error(self, name: str) -> AdapterError:
        return AdapterError(
            f"There is an adapter {name!r} already, and none is overwritten. Save it as {self.free_name(name)!r}, or "
            "delete the other one first."
        )

    def _pointer(self, task: Task) -> Path:
        return self.root / f".active-{task}.json"

    def _storage_error(self, name: str, error: Exception) -> AdapterError:
        words = str(error)
        full = isinstance(error, OSError) and error.errno in _FULL
        if full or any(sign in words for sign in ("No space left", "File too large", "os error 28", "os error 112")):
            try:
                free_mb = f"{shutil.disk_usage(self.root).free / 1e6:.0f} MB free"
            except OSError:
                free_mb = "free space unknown"
            return AdapterError(
                f"The disk of {self.root} is full ({free_mb}): the adapter {name!r} was not saved, and nothing else "
                f"changed. Free some space and save it again, or set {ROOT_VARIABLE} to a folder on another disk."
            )
        reason = (error.strerror if isinstance(error, OSError) else "") or f"{type(error).__name__}: {words[:200]}"
        return AdapterError(
            f"The adapter {name!r} could not be saved in {self.root} ({reason}), and nothing else changed. Make the "
            f"folder writable or set {ROOT_VARIABLE} to another one, and save it again."
        )


def _subfolders(folder: Path, problems: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(
            f"The adapter folder {folder} cannot be read ({error.strerror or error}). Check its permissions, or set "
            f"{ROOT_VARIABLE} to another folder."
        )
        return []


def shipped_default(adapters: Iterable[StoredAdapter], task: Task) -> StoredAdapter | None:
    """Return the shipped adapter that is in use for ``task`` when nobody chose; None where none ships.

    It is the one named in ``SHIPPED_DEFAULTS``, else the one that was trained on most examples: others ship to be
    compared with it.
    """
    shipped = [stored for stored in adapters if stored.shipped and stored.manifest.task == task]
    named = [stored for stored in shipped if stored.name == SHIPPED_DEFAULTS.get(task)]
    return max(named or shipped, key=trained_examples, default=None)


def trained_examples(stored: StoredAdapter) -> int:
    """Return how many examples an adapter was trained on; 0 where its manifest does not say."""
    count = stored.manifest.data.get("examples")
    return count if isinstance(count, int) else 0


def _created_s(manifest: AdapterManifest) -> float:
    return datetime.fromisoformat(manifest.created_at).timestamp()


def _read_pointer(path: Path) -> tuple[str, str] | tuple[()]:
    """Return name and hash of the active adapter; empty when the file is missing or damaged."""
    try:
        with path.open("rb") as stream:
            row = parse_json_object(stream.read(_MAX_POINTER_BYTES), path.name)
        name, sha256 = row["name"], row["adapter_sha256"]
    except (OSError, AdapterError, KeyError):
        return ()
    return (name, sha256) if isinstance(name, str) and isinstance(sha256, str) else ()


def _instead(default: StoredAdapter | None) -> str:
    if default is None:
        return "No adapter is shipped for this task: activate, train or import one."
    return f"The shipped {default.name!r} is used instead; activate another one to change that."
