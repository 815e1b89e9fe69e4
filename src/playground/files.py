"""Files that somebody names: read only where they are files, and looked at before work begins whose result goes there.

A pipe, a socket or a device such as /dev/zero can be opened like a file and may never end; a folder cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

NO_FILE = "it is a folder, a pipe or a device and no file"


def read_file(path: Path, most_bytes: int | None = None) -> bytes:
    """Return the content of a regular file, or of what a link leads to.

    With ``most_bytes``, at most one byte more than that is read, so that the caller can tell that there is more.

    Raises:
        OSError: it cannot be opened or read, or is no regular file.
    """
    try:
        # Opening a pipe waits for its writer unless it is told not to.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a zero byte, or half of a character, in the name
        raise OSError(errno.EINVAL, "its name holds what no file name can") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NO_FILE)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read() if most_bytes is None else stream.read(most_bytes + 1)


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below ``folder``; 0 where there is none. It may change while it is looked at."""
    total = 0
    # What a download or another session removes meanwhile counts nothing: os.walk goes on where Path.rglob raises.
    for place, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def expanded(name: str) -> Path:
    """Return the path of ``name``, with ``~`` as the user's folder; an unknown ``~name`` is a name like others."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises RuntimeError for an unknown user


def check_output(path: Path) -> None:
    """Check that a file may be written to ``path``: replaced where there is one, made with its folders where not.

    Raises:
        OSError: it is a folder, a pipe or a device, or it or its folder cannot be written.
    """
    try:
        if path.is_symlink() or path.exists():
            check_regular(path)
        place = path.resolve().parent
        while not place.exists() and place != place.parent:
            place = place.parent
    except (ValueError, RuntimeError) as error:  # as above; a circle of links
        raise OSError(errno.EINVAL, "its name holds what no file name can") from error
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{place} is no folder")
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, f"{place} cannot be written")


def check_regular(path: Path) -> None:
    """Check that ``path``, or what it leads to where it is a link, is a regular file or not there.

    Raises:
        OSError: it is there and no regular file.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, NO_FILE)
