"""What an adapter's folder may hold, and the checks of each file. Files are read as data; nothing is executed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import safetensors

from playground.adapters.manifest import (
    MANIFEST_FILE,
    MAX_MANIFEST_BYTES,
    AdapterFile,
    AdapterManifest,
    manifest_from,
    parse_json_object,
)
from playground.errors import AdapterError

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
HEAD_FILE = "head.safetensors"
CARD_FILE = "README.md"
REQUIRED_FILES = frozenset({CONFIG_FILE, WEIGHTS_FILE})
ALLOWED_FILES = REQUIRED_FILES | {HEAD_FILE, CARD_FILE}
"""Every file an adapter may have beside its manifest."""

_PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
_MAX_TEXT_BYTES = 1024 * 1024
# 10,000 tensors take about 1.5 MB of header; the parser's own bound is 100 MB.
_MAX_HEADER_BYTES = 4 * 1024 * 1024
_MAX_RANK = 1024
# Alpha over rank scales a branch. Published adapters have an alpha of a few times the rank; far beyond, numbers
# overflow.
_MAX_ALPHA = 16 * _MAX_RANK
# Fields with which PEFT imports a module by name, changes the base, or runs another method than plain LoRA.
_MUST_BE_EMPTY = (
    *("megatron_config", "layer_replication", "eva_config", "corda_config", "lora_ga_config"),
    *("velora_config", "monteclora_config", "use_bdlora", "arrow_config", "kasa_config", "loftq_config"),
)
# PEFT puts these into regular expressions, so that a stranger's text there could run for hours.
_MODULE_FIELDS = (
    *("target_modules", "exclude_modules", "modules_to_save", "layers_pattern", "rank_pattern", "alpha_pattern"),
    *("target_parameters",),
)
# PEFT notes the base's class here when it was told no task, and may import that module: one of the installed ones.
_LIBRARY = re.compile(r"(transformers|sentence_transformers|playground)(\.[A-Za-z0-9_]+)*")
_MODULE = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def check_file_names(names: Iterable[str]) -> None:
    """Check the names of an adapter's files, its manifest left out.

    Raises:
        AdapterError: a required file is missing, or one is a pickle or unknown.
    """
    names = set(names)
    for name in sorted(names - ALLOWED_FILES):
        if name.lower().endswith(_PICKLE_SUFFIXES):
            raise AdapterError(
                f"{name[:80]!r} is a pickle, which can run code when it is loaded, so it is never opened. Save the "
                "adapter as safetensors (PEFT: save_pretrained with safe_serialization=True)."
            )
        raise AdapterError(
            f"{name[:80]!r} does not belong to an adapter. Keep only {', '.join(sorted(ALLOWED_FILES))} and "
            f"{MANIFEST_FILE}, without a folder around them."
        )
    if missing := sorted(REQUIRED_FILES - names):
        raise AdapterError(f"The adapter lacks {' and '.join(missing)}. Export or train it again.")


def check_content(name: str, data: bytes) -> None:
    """Check the bytes of one file: safetensors that parse, a configuration of plain LoRA, a card that is text.

    Raises:
        AdapterError: it is not what its name says.
    """
    if name.endswith(".safetensors"):
        _check_safetensors(name, data)
    elif len(data) > _MAX_TEXT_BYTES:
        raise AdapterError(f"{name} is larger than {_MAX_TEXT_BYTES // 1024} kB. Shorten it.")
    elif name == CONFIG_FILE:
        check_config(parse_json_object(data, CONFIG_FILE))
    else:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AdapterError(f"{name} is not UTF-8 text. Save it as UTF-8.") from error


def _check_safetensors(name: str, data: bytes) -> None:
    problem = ""
    if int.from_bytes(data[:8], "little") > _MAX_HEADER_BYTES:
        problem = "its header is too long"
    else:
        try:
            if not safetensors.deserialize(data):  # type: ignore[no-untyped-call]
                problem = "it holds no tensor"
        except safetensors.SafetensorError as error:
            problem = str(error)[:200]
    if problem and _looks_like_pickle(data):
        raise AdapterError(
            f"{name} is a pickle under the name of a safetensors file. A pickle can run code when it is loaded, so it "
            "was not opened. Save the adapter as safetensors (PEFT: safe_serialization=True)."
        )
    if problem:
        raise AdapterError(f"{name} is not a valid safetensors file ({problem}). Export or train the adapter again.")


def _looks_like_pickle(data: bytes) -> bool:
    # Protocols 2 to 5 say so in two bytes; older ones end with the opcode STOP; a PyTorch checkpoint is a zip of one.
    modern = data[:1] == b"\x80" and data[1:2] <= b"\x05"
    old = data[:1] in (b"(", b"]", b"}", b"c") and data.endswith(b".")
    return modern or old or data.startswith(b"PK\x03\x04")


def check_config(config: Mapping[str, object]) -> None:
    """Check PEFT's configuration of an adapter: plain LoRA, modules named and not described by an expression.

    Raises:
        AdapterError: it is for another method, or a field is refused (it is named).
    """
    if config.get("peft_type") != "LORA":
        raise AdapterError(f"{CONFIG_FILE} is not for LoRA (peft_type). Train the adapter as LoRA.")
    rank = config.get("r")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= _MAX_RANK:
        raise AdapterError(f"The rank (r) in {CONFIG_FILE} must be a whole number from 1 to {_MAX_RANK}.")
    alpha = config.get("lora_alpha")
    if not _is_alpha(alpha):
        raise AdapterError(f"lora_alpha in {CONFIG_FILE} must be a number from 0 to {_MAX_ALPHA:,}.")
    for key in _MUST_BE_EMPTY:
        if config.get(key):
            raise AdapterError(f"{key!r} in {CONFIG_FILE} is refused: only plain LoRA is loaded. Remove that field.")
    mapping = config.get("auto_mapping")
    if mapping and not (isinstance(mapping, dict) and _LIBRARY.fullmatch(str(mapping.get("parent_library")))):
        raise AdapterError(f"'auto_mapping' in {CONFIG_FILE} names a foreign module to import. Remove that field.")
    if config.get("init_lora_weights", True) not in (True, False, None, "gaussian"):
        raise AdapterError(
            f"'init_lora_weights' in {CONFIG_FILE} would change the base when the adapter is loaded. Set it to true."
        )
    for key in _MODULE_FIELDS:
        value = config.get(key) or ()
        modules = [value] if isinstance(value, str) else value
        plain = isinstance(modules, (list, tuple, dict)) and all(
            isinstance(module, str) and _MODULE.fullmatch(module) for module in modules
        )
        if not plain:
            raise AdapterError(
                f"{key!r} in {CONFIG_FILE} must name modules one by one (letters, digits, _, - and .), not by an "
                "expression."
            )
    ranks = config.get("rank_pattern") or {}
    if not isinstance(ranks, dict) or not all(isinstance(r, int) and 1 <= r <= _MAX_RANK for r in ranks.values()):
        raise AdapterError(f"'rank_pattern' in {CONFIG_FILE} must give ranks from 1 to {_MAX_RANK}.")
    alphas = config.get("alpha_pattern") or {}
    if not isinstance(alphas, dict) or not all(_is_alpha(alpha) for alpha in alphas.values()):
        raise AdapterError(f"'alpha_pattern' in {CONFIG_FILE} must give numbers from 0 to {_MAX_ALPHA:,}.")
    dropout = config.get("lora_dropout") or 0
    if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout < 1:
        raise AdapterError(f"'lora_dropout' in {CONFIG_FILE} must be a number from 0 to below 1.")


def _is_alpha(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MAX_ALPHA


def describe_files(folder: Path) -> dict[str, AdapterFile]:
    """Check and hash every file of a folder that has no manifest yet.

    Raises:
        AdapterError: a file is missing, unknown or not what its name says.
        OSError: a file cannot be read.
    """
    paths = {path.name: path for path in folder.iterdir()}
    check_file_names(paths)
    files = {}
    for name, path in sorted(paths.items()):
        data = path.read_bytes()
        check_content(name, data)
        files[name] = AdapterFile(hashlib.sha256(data).hexdigest(), len(data))
    return files


def read_manifest(folder: Path) -> AdapterManifest:
    """Read the manifest of an adapter's folder, which goes by the folder's name.

    A file whose size and times have not changed since it was read in this process is not parsed again: a page lists the
    adapters at every redraw.

    Raises:
        AdapterError: there is none, or it is damaged.
        OSError: it cannot be read.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise AdapterError(f"It has no {MANIFEST_FILE}, so it is incomplete.")
    return _manifest_of(*_identity(path, path.stat()))


def check_folder(folder: Path, manifest: AdapterManifest, *, fresh: bool = False) -> None:
    """Check that the folder's files are those of the manifest, by hash.

    A file whose size and times have not changed since it was hashed in this process is not read again unless
    ``fresh``, so that a page can list the adapters at every redraw.

    Raises:
        AdapterError: a file is missing, changed, a link, or not in the manifest.
        OSError: a file cannot be read.
    """
    check_file_names(manifest.files)
    for name, expected in sorted(manifest.files.items()):
        path = folder / name
        try:
            status = path.lstat()
        except FileNotFoundError as error:
            raise AdapterError(f"{name} is missing.") from error
        if not stat.S_ISREG(status.st_mode):
            raise AdapterError(f"{name} is not a plain file.")
        # The size first: it is free, and most damage changes it.
        sha256 = ""
        if status.st_size == expected.size_bytes:
            key = _identity(path, status)
            sha256 = _sha256_of.__wrapped__(*key) if fresh else _sha256_of(*key)
        if sha256 != expected.sha256:
            raise AdapterError(f"{name} is not the file that was saved.")
    # A loader would pick it up by its name, although nobody vouches for it.
    if unlisted := sorted(name for name in ALLOWED_FILES - set(manifest.files) if (folder / name).exists()):
        raise AdapterError(f"{unlisted[0]} is not in its manifest.")


def _identity(path: Path, status: os.stat_result) -> tuple[str, int, int, int, int]:
    """Return what tells a file from an earlier one of its name, as far as that can be told without reading it."""
    return str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=128)
def _manifest_of(path: str, _inode: int, _size: int, _modified_ns: int, _changed_ns: int) -> AdapterManifest:
    with Path(path).open("rb") as stream:
        return manifest_from(stream.read(MAX_MANIFEST_BYTES + 1))


@lru_cache(maxsize=512)
def _sha256_of(path: str, _inode: int, _size: int, _modified_ns: int, _changed_ns: int) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
