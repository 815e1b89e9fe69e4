"""Models in Hugging Face's layout: where a folder or a hub id lies on this disk, and which weights it holds.

Nothing here imports torch: an adapter is matched to its base before any model is loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from playground.errors import ModelError
from playground.files import expanded

CONFIG_FILE = "config.json"
_WEIGHTS_FILE, _INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
# Weights as safetensors, settings, tokenizer and chat template; no pickle and no code.
_PATTERNS = ("*.json", "*.txt", "*.jinja", "*.model", "*.safetensors")
# Folders hold other formats, and "consolidated" weights are a second copy of the same.
_LEFT_OUT = ("*/*", "consolidated*")
_HUB_TIMEOUT_S = 4.0
_MAX_CONFIG_BYTES = 1 << 20
_MAX_INDEX_BYTES = 64 << 20
_MAX_HEADER_BYTES = 100 << 20
"""Safetensors' own bound."""
_BLOCK_BYTES = 8 << 20


def find_model_folder(name: str) -> Path | None:
    """Return the folder of a model that is on this disk: ``name`` itself, or what the hub's cache has of that id."""
    folder = expanded(name)
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(name):
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, CONFIG_FILE)
    return Path(found).parent if isinstance(found, str) else None


def fetch_model_folder(name: str, known: str) -> Path:
    """Return the folder of a model, fetching one of the Hugging Face hub that is not here yet.

    ``known`` are the names that the caller takes beside a folder and an id, for the sentence.

    Raises:
        ModelError: it is neither a folder nor an id, or cannot be fetched.
    """
    folder = expanded(name)
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(name):
        raise ModelError(
            f"{name[:100]!r} is neither a folder nor the id of a model. Use {known}, a folder, or an id such as "
            "owner/name."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_PATTERNS), ignore_patterns=list(_LEFT_OUT)))
    except Exception as error:  # offline, unknown, gated: the library raises many kinds
        raise ModelError(
            f"The model {name!r} could not be fetched from the Hugging Face hub ({type(error).__name__}). Check its id "
            "and the network, or give the folder of a model that is here."
        ) from error


def entry_problem(name: str) -> str:
    """Return what is wrong with the name of a model as it was typed, in a sentence; "" where nothing is known to be.

    Cheap enough for every keystroke: of a folder its settings and the names of its weights are looked at. Whether the
    hub has an id is asked of the hub, for at most a few seconds, where the model is not on this disk.
    """
    folder = expanded(name)
    if not folder.is_dir():
        if not _HUB_ID.fullmatch(name) or name.startswith(("/", ".", "~")):
            return f"There is no folder {name[:200]!r}. Enter the folder of a model, or an id such as owner/name."
        known = find_model_folder(name)
        return _hub_problem(name) if known is None else ""
    try:
        read_config(folder)
        weight_files(folder)
    except ModelError as error:
        return str(error)
    return ""


def _hub_problem(name: str) -> str:
    from huggingface_hub import model_info
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        model_info(name, timeout=_HUB_TIMEOUT_S)
    except GatedRepoError:
        return f"The model {name!r} is gated on the Hugging Face hub. Ask for access there, or choose another."
    except RepositoryNotFoundError:
        return f"The Hugging Face hub has no model {name!r} that you may read. Check the id."
    except Exception:  # offline, slow, a proxy: the library raises many kinds
        return (
            f"The model {name!r} is not on this machine, and the Hugging Face hub cannot be reached. Connect, or enter "
            "the folder of a model that is here."
        )
    return ""


def model_identity(name: str) -> str:
    """Return what a manifest calls a model: a hub id whole, of a folder of this machine only the last part."""
    folder = expanded(name)
    return folder.resolve().name if folder.is_dir() else name


def read_config(folder: Path) -> Mapping[str, Any]:
    """Return a model's ``config.json``.

    Raises:
        ModelError: there is none, or it is no JSON object.
    """
    try:
        with (folder / CONFIG_FILE).open("rb") as stream:
            config = json.loads(stream.read(_MAX_CONFIG_BYTES))
        if isinstance(config, dict):
            return config
    except (OSError, ValueError, RecursionError):
        pass
    raise ModelError(f"{folder.name} has no readable {CONFIG_FILE}, so it is no Hugging Face model.")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files that transformers loads from a folder: the one, or the parts that an index names.

    Raises:
        ModelError: there are none, or the index or one of its parts cannot be used.
    """
    if (folder / _WEIGHTS_FILE).is_file():
        return (folder / _WEIGHTS_FILE,)
    if not (folder / _INDEX_FILE).is_file():
        raise ModelError(
            f"{folder.name} holds no safetensors weights ({_WEIGHTS_FILE}); pickles are not opened. Choose another "
            "copy."
        )
    try:
        with (folder / _INDEX_FILE).open("rb") as stream:
            names = set(json.loads(stream.read(_MAX_INDEX_BYTES))["weight_map"].values())
        # A part is a plain file name: an index must not lead out of its folder.
        parts = tuple(folder / name for name in sorted(names) if name == Path(name).name)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{_INDEX_FILE} in {folder.name} cannot be read. Fetch the model again.") from error
    missing = [part.name for part in parts if not part.is_file()]
    if missing or not parts or len(parts) != len(names):
        raise ModelError(
            f"{folder.name} lacks a part of its weights ({', '.join(missing)[:100] or 'all'}). Fetch the model again."
        )
    return parts


def weights_sha256(folder: Path) -> str:
    """Return the hex SHA-256 over the weights of a folder: name, type, shape and bytes of each tensor, by name.

    It names the base in an adapter's manifest: the same weights elsewhere, or in other parts, are the same base. A
    gigabyte takes about a second, once: files whose size and time did not change are not read again.

    Raises:
        ModelError: there are none, or they cannot be read.
    """
    try:
        stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in weight_files(folder)]
        return _weights_sha256(tuple(stats))
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "they are damaged"
        raise ModelError(f"The weights in {folder} cannot be read ({reason}). Fetch the model again.") from error


@lru_cache(maxsize=16)
def _weights_sha256(files: tuple[tuple[str, int, int], ...]) -> str:
    places: dict[str, tuple[str, int, Mapping[str, Any]]] = {}
    for path, _size, _modified_ns in files:
        with Path(path).open("rb") as stream:
            places |= {name: (path, start, entry) for name, start, entry in _tensors(stream)}
    digest = hashlib.sha256()
    for name, (path, start, entry) in sorted(places.items()):
        digest.update(f"{name} {entry['dtype']} {entry['shape']}\n".encode())
        first, end = entry["data_offsets"]
        with Path(path).open("rb") as stream:
            stream.seek(start + first)
            left = end - first
            while left > 0:
                block = stream.read(min(left, _BLOCK_BYTES))
                if not block:
                    raise ValueError(f"{name} is cut off")
                digest.update(block)
                left -= len(block)
    return digest.hexdigest()


def _tensors(stream: BinaryIO) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield name, start of the data section and header entry of each tensor in a safetensors file."""
    length = int.from_bytes(stream.read(8), "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError("the header is too long")
    header = json.loads(stream.read(length))
    for name, entry in header.items():
        if name != "__metadata__":
            yield name, 8 + length, entry
