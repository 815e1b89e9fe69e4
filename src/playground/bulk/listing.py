"""Which files a bulk run is about: those of a folder and its folders, or those that a manifest names; one at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.documents import CONTRACT_LIMITS
from playground.errors import DocumentError
from playground.files import read_file
from playground.flagging.files.folder import is_contract

_LONGEST_LINE = 8_192
_MOST_MANIFEST_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of the run. ``name`` is its path from the folder or the manifest, as bytes: not every name is text.

    ``content`` says what is in it: a hash of its bytes and its suffix, by which it is parsed. Files with the same
    content are judged once. "" with a sentence in ``error`` where it cannot be read.
    """

    name: bytes
    path: bytes
    content: str
    size: int
    error: str = ""


def listed_files(source: Path) -> Iterator[ListedFile]:
    """Yield the contracts below a folder, or those that a manifest names, a path a line, from the manifest's folder.

    Of a folder, files that are no contracts by their name are left out, and links to folders are not followed. A
    manifest's files are all taken; empty lines and lines that begin with # are not names.

    Raises:
        DocumentError: the folder or the manifest cannot be read.
    """
    paths = _in_folder(source) if source.is_dir() else _in_manifest(source)
    for name, path in paths:
        yield _listed(name, path)


def content_of(data: bytes, path: Path) -> str:
    """Return what tells a file's content from another's: SHA-256 of its bytes, and the suffix that it is parsed by."""
    return f"{hashlib.sha256(data).hexdigest()}{path.suffix.lower()}"


def _in_folder(folder: Path) -> Iterator[tuple[bytes, Path]]:
    def refuse(error: OSError) -> None:
        raise DocumentError(
            f"{error.filename or folder} cannot be read ({error.strerror}). Check its name and permissions."
        ) from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if is_contract(path):
                yield os.fsencode(path.relative_to(folder)), path


def _in_manifest(manifest: Path) -> Iterator[tuple[bytes, Path]]:
    try:
        if manifest.stat().st_size > _MOST_MANIFEST_BYTES:
            raise DocumentError(f"{manifest} is larger than {_MOST_MANIFEST_BYTES >> 30} GB. Split it.")
        with manifest.open("rb") as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE or b"\0" in line:
                    raise DocumentError(f"Line {number} of {manifest} is no path. Write one path a line.")
                name = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
                if name and not name.startswith(b"#"):
                    yield name, manifest.parent / os.fsdecode(name)
    except OSError as error:
        raise DocumentError(f"{manifest} cannot be read ({error.strerror}). Check its name.") from error


def _listed(name: bytes, path: Path) -> ListedFile:
    size = 0
    try:
        if not path.is_file():
            return ListedFile(name, os.fsencode(path), "", 0, "There is no such file. Check its name.")
        size = path.stat().st_size
        if size > CONTRACT_LIMITS.max_bytes:
            sentence = f"The file has more than {CONTRACT_LIMITS.max_bytes >> 20} MB. Split it."
            return ListedFile(name, os.fsencode(path), "", size, sentence)
        data = read_file(path, CONTRACT_LIMITS.max_bytes)
    except OSError as error:
        sentence = f"The file cannot be read ({error.strerror}). Check its permissions."
        return ListedFile(name, os.fsencode(path), "", size, sentence)
    return ListedFile(name, os.fsencode(path.absolute()), content_of(data, path), len(data))
