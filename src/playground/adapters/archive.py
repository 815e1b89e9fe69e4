"""An adapter as one zip file: written the same way every time, read as what a stranger may have made.

Nothing is unpacked before the archive's own directory has been checked, nothing is unpacked to disk here, and no more
is unpacked than was declared.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from playground.adapters.contents import check_file_names
from playground.adapters.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES
from playground.errors import AdapterError

MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
"""Bound on the zip and, apart from it, on everything in it together."""
MAX_MEMBERS = 16

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_64_SIGNATURE = b"PK\x06\x07"
_LOCATOR_64_BYTES = 20
# 16 entries of 46 bytes, with generous room for names and extra fields.
_MAX_DIRECTORY_BYTES = 64 * 1024
_BLOCK_BYTES = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)

_DAMAGED = "The file is damaged or is not a zip archive. Export the adapter again and import that file."


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of ``files``, byte for byte the same for the same files.

    Stored, not compressed: weights hardly shrink, and the bytes of deflate differ between versions of zlib.

    Raises:
        AdapterError: it would be larger than ``unpack`` accepts.
    """
    if sum(len(data) for data in files.values()) > MAX_ARCHIVE_BYTES - _MAX_DIRECTORY_BYTES:
        raise AdapterError(
            f"The adapter is larger than the {MAX_ARCHIVE_BYTES >> 20} MB that import accepts. Copy its folder into "
            "the other machine's adapter folder instead."
        )
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
    return output.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the files of an untrusted zip, the manifest among them.

    Raises:
        AdapterError: it is too large, damaged, a bomb, encrypted, or holds anything but an adapter's files.
    """
    if len(data) > MAX_ARCHIVE_BYTES:
        raise AdapterError(f"The file is larger than {MAX_ARCHIVE_BYTES >> 20} MB, so it was not read.")
    _check_directory_size(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive.infolist())
            return _read_entries(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError, struct.error) as error:
        raise AdapterError(_DAMAGED) from error


def _check_directory_size(data: bytes) -> None:
    """Bound the list of members before ``zipfile`` makes an object of each: a small file can list a million."""
    at = data.rfind(_END_SIGNATURE, max(0, len(data) - 65535 - _END.size))
    if at < 0 or len(data) - at < _END.size:
        raise AdapterError(_DAMAGED)
    directory_bytes = _END.unpack_from(data, at)[5]
    located = data[max(0, at - _LOCATOR_64_BYTES) : at]
    if directory_bytes > _MAX_DIRECTORY_BYTES or located.startswith(_LOCATOR_64_SIGNATURE):
        raise AdapterError(
            f"The archive lists more than an adapter's files; at most {MAX_MEMBERS} are accepted. Import a file that "
            "this app exported."
        )


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise AdapterError(f"The archive holds {len(entries)} files; an adapter has at most {MAX_MEMBERS}.")
    names = [entry.filename for entry in entries]
    for entry in entries:
        name = entry.filename
        # Without a name, ZipInfo.is_dir raises IndexError up to Python 3.11.
        if not name or entry.is_dir() or "/" in name or "\\" in name or ":" in name or entry.orig_filename != name:
            raise AdapterError(
                f"The archive holds the path {name[:80]!r}. Zip the adapter's files themselves, without a folder "
                "around them."
            )
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise AdapterError(f"{name[:80]!r} in the archive is a link or device. Zip the file that it stands for.")
        if entry.flag_bits & 1:
            raise AdapterError("The archive is protected by a password. Zip the adapter without one.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AdapterError("The archive is packed in an unusual way. Zip the adapter with the normal method.")
    if len(set(names)) != len(names):
        raise AdapterError("The archive holds two files of the same name. Export the adapter again.")
    check_file_names(set(names) - {MANIFEST_FILE})
    if MANIFEST_FILE not in names:
        raise AdapterError(
            f"The archive has no {MANIFEST_FILE}, so nothing says what the adapter was trained for. Import a file that "
            "this app exported."
        )
    _check_unpacked_size(sum(entry.file_size for entry in entries))
    manifest_bytes = next(entry.file_size for entry in entries if entry.filename == MANIFEST_FILE)
    if manifest_bytes > MAX_MANIFEST_BYTES:
        raise AdapterError(f"{MANIFEST_FILE} in the archive is larger than {MAX_MANIFEST_BYTES >> 10} kB.")


def _check_unpacked_size(size_bytes: int) -> None:
    if size_bytes > MAX_ARCHIVE_BYTES:
        raise AdapterError(
            f"The archive unpacks to more than {MAX_ARCHIVE_BYTES >> 20} MB, far more than an adapter, and was not "
            "unpacked."
        )


def _read_entries(archive: zipfile.ZipFile) -> dict[str, bytes]:
    files, total_bytes = {}, 0
    for entry in archive.infolist():
        blocks = []
        with archive.open(entry) as stream:
            while block := stream.read(_BLOCK_BYTES):
                blocks.append(block)
                total_bytes += len(block)
                # What was declared is not believed.
                _check_unpacked_size(total_bytes)
        files[entry.filename] = b"".join(blocks)
    return files
