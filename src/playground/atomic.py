"""Folders and files that appear whole or not at all, also when the process is killed or the disk fills up.

Everything is written under a hidden temporary name in the folder where it will live, forced to disk, and renamed into
place in one step. The temporary name carries the writer's process id, so that what a killed process left behind can be
told from what a live one is still writing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from playground.files import check_regular

_PREFIX = ".tmp-"
# No write takes a day. The bound also removes leftovers whose process id has meanwhile been given to another process,
# and is the only rule on Windows, where asking whether a process lives cannot be done with os.kill.
_ABANDONED_S = 24 * 3600


def temporary_path(root: Path) -> Path:
    """Return a new hidden path in ``root`` that names this process; nothing is created."""
    return root / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"


@contextlib.contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Give a new temporary folder in ``root``, which is made when missing; what is left of it is removed at the end."""
    root.mkdir(parents=True, exist_ok=True)
    folder = temporary_path(root)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(staged: Path, target: Path) -> None:
    """Rename a staged folder to ``target``, which holds it whole from then on, also after a power cut.

    Raises:
        FileExistsError: ``target`` exists; of two processes that publish the same name, one gets this.
    """
    fsync_tree(staged)
    try:
        # A rename onto a folder that is not empty fails on every system, so that nothing is ever overwritten.
        staged.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) or isinstance(error, FileExistsError):
            raise FileExistsError(errno.EEXIST, "exists already", str(target)) from error
        raise
    fsync_path(target.parent)


def remove_folder(folder: Path) -> None:
    """Remove ``folder`` so that no half of it is ever visible: it is hidden in one step, then deleted.

    Raises:
        OSError: it could not be hidden; it is still whole.
    """
    hidden = temporary_path(folder.parent)
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``: a reader sees the old content or the new one. A link stays; its file is written.

    Raises:
        OSError: it cannot be written, or ``path`` is there and no regular file. What was there is unchanged.
    """
    check_regular(path)
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _staged(path, data) as staged:
        fsync_path(staged)
        staged.replace(path)
    fsync_path(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, which appears whole or not at all and never takes the place of anything.

    Raises:
        FileExistsError: ``path`` is there, also as a link that leads nowhere.
        OSError: it cannot be written; nothing is left of it.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "exists already", str(path))
    with _staged(path, data) as staged:
        publish_file(staged, path)


def publish_file(staged: Path, target: Path) -> None:
    """Give a staged file the name ``target``, which never takes the place of anything; who staged it removes the rest.

    Raises:
        FileExistsError: ``target`` is there.
        OSError: it cannot be written.
    """
    fsync_path(staged)
    try:
        os.link(staged, target)  # unlike a rename, it fails where another process was faster
    except FileExistsError as error:
        raise FileExistsError(errno.EEXIST, "exists already", str(target)) from error
    except OSError:  # a file system without hard links
        staged.rename(target)
    fsync_path(target.parent)


@contextlib.contextmanager
def _staged(path: Path, data: bytes) -> Iterator[Path]:
    staged = temporary_path(path.parent)
    try:
        staged.write_bytes(data)
        yield staged
    finally:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)


def remove_stale(root: Path) -> None:
    """Remove what killed processes left half-written in ``root``; what a live process writes is not touched."""
    try:
        entries = list(root.iterdir())
    except OSError:
        return
    for path in entries:
        if not _is_stale(path):
            continue
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def fsync_tree(folder: Path) -> None:
    """Force every file and folder below ``folder``, and itself, to disk."""
    for path in sorted(folder.rglob("*")):
        fsync_path(path)
    fsync_path(folder)


def fsync_path(path: Path) -> None:
    """Force a file or folder to disk; a folder cannot be on Windows, where this does nothing for it."""
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot do this for a folder; a full or broken disk must still be heard.
        if not is_folder or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _is_stale(path: Path) -> bool:
    if not path.name.startswith(_PREFIX):
        return False
    process = path.name.removeprefix(_PREFIX).partition("-")[0]
    with contextlib.suppress(OSError):
        if time.time() - path.lstat().st_mtime > _ABANDONED_S:
            return True
    return process.isdecimal() and os.name != "nt" and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        # It belongs to somebody else, or cannot be asked: it counts as alive, so that nothing live is removed.
        return True
    return True
