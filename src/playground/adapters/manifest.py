"""The manifest of an adapter: what it was trained on and with, how well it did, and which bytes it consists of.

A manifest may come from a stranger's zip, so that every field is checked for type and bounds before it is believed.
Its texts are shown as plain text, never as Markdown or HTML.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal, NoReturn, get_args

from playground.errors import AdapterError

Task = Literal["clauses", "reader", "closed_book"]
TASKS: tuple[Task, ...] = get_args(Task)
BaseKind = Literal["encoder", "language_model"]

FORMAT = 1
MANIFEST_FILE = "manifest.json"
MAX_MANIFEST_BYTES = 1024 * 1024
"""Far above any manifest of ours (41 labels with their metrics take 20 kB)."""

_NAME = re.compile(r"[a-z0-9-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Windows opens a device instead of a file of these names.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_MAX_TEXT = 500
_MAX_LABELS = 1000
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """The content of one file of an adapter: hex SHA-256 and size."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class AdapterManifest:
    """How an adapter came about.

    ``data`` has at least "name", "sha256", "examples" and "contracts"; ``hyper_parameters`` and ``metrics`` hold
    whatever JSON can. ``created_at`` is ISO 8601 with a time zone, ``duration_s`` the training's wall clock.
    ``files`` is everything in the folder but the manifest; the store fills it in when it saves.
    """

    name: str
    task: Task
    base_kind: BaseKind
    base_id: str
    base_sha256: str
    labels: tuple[str, ...]
    data: Mapping[str, object]
    hyper_parameters: Mapping[str, object]
    seed: int
    metrics: Mapping[str, object]
    duration_s: float
    created_at: str
    machine: str
    commit: str
    files: Mapping[str, AdapterFile] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Size of the adapter without its manifest."""
        return sum(file.size_bytes for file in self.files.values())

    @property
    def adapter_sha256(self) -> str:
        """Hex SHA-256 over the names and hashes of the files: equal exactly when every file is equal."""
        lines = (f"{file.sha256}  {name}\n" for name, file in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def identity(self) -> str:
        """What a run records: the name, and enough of the hash to tell a retrained adapter of the same name."""
        return f"{self.name}@{self.adapter_sha256[:8]}"


def check_name(name: str) -> None:
    """Check that ``name`` may name an adapter: a folder of that name works on every system.

    Raises:
        AdapterError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise AdapterError(
            f"{_quoted(name)} cannot name an adapter. Use 1 to 64 lower-case letters (a to z), digits and hyphens."
        )
    if name in _DEVICES:
        raise AdapterError(f"{name!r} is a device on Windows and cannot name an adapter. Choose another name.")


def free_name(name: str, taken: Collection[str]) -> str:
    """Return ``name`` or, when it is taken, the first free of name-2, name-3 and so on, within 64 characters."""
    if name not in taken:
        return name
    stem = re.sub(r"-\d+$", "", name) or name
    number = 2
    while True:
        ending = f"-{number}"
        candidate = stem[: 64 - len(ending)] + ending
        if candidate not in taken:
            return candidate
        number += 1


def manifest_json(manifest: AdapterManifest) -> bytes:
    """Return the manifest as UTF-8 JSON, one byte string for one manifest.

    Raises:
        AdapterError: it holds what JSON cannot, such as an array or NaN.
    """
    try:
        text = json.dumps(
            {"format": FORMAT, **asdict(manifest)}, indent=2, ensure_ascii=False, allow_nan=False, sort_keys=True
        )
        return text.encode() + b"\n"
    except (ValueError, TypeError, RecursionError) as error:
        raise AdapterError(
            f"The manifest of {_quoted(manifest.name)} cannot be written as JSON ({error}). Use plain numbers, texts, "
            "lists and mappings."
        ) from error


def parse_json_object(data: bytes, what: str) -> dict[str, object]:
    """Return untrusted JSON as a mapping; numbers that JSON does not have (NaN, Infinity, 1e999) are refused.

    Raises:
        AdapterError: it is no JSON object; ``what`` names it in the sentence.
    """
    try:
        row = json.loads(data.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{what} is not valid JSON. Export or train the adapter again.") from error
    if not isinstance(row, dict):
        raise AdapterError(f"{what} is not a JSON object. Export or train the adapter again.")
    return row


def manifest_from(data: bytes) -> AdapterManifest:
    """Read a manifest that may come from anybody.

    Raises:
        AdapterError: it is too large, of a later format, or a field is missing or of the wrong kind (it is named).
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise AdapterError(f"The manifest is larger than {MAX_MANIFEST_BYTES // 1024} kB, so it is not one of ours.")
    row = parse_json_object(data, "The manifest")
    version = row.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise AdapterError(
            f"The adapter was written by a later version (manifest format {version}, this one reads {FORMAT}). Update "
            "the playground."
        )
    if version != FORMAT or isinstance(version, bool):
        raise _wrong("format", f"{FORMAT}")
    name = _text(row, "name")
    check_name(name)
    task, base_kind = row.get("task"), row.get("base_kind")
    if task not in TASKS:
        raise _wrong("task", " or ".join(TASKS))
    if base_kind not in get_args(BaseKind):
        raise _wrong("base_kind", " or ".join(get_args(BaseKind)))
    labels = _labels(row)
    if task == "clauses" and not labels:
        raise _wrong("labels", "at least one label, as the adapter flags clauses")
    return AdapterManifest(
        name=name,
        task=task,
        base_kind=base_kind,  # type: ignore[arg-type]
        base_id=_text(row, "base_id"),
        base_sha256=_sha256(row, "base_sha256"),
        labels=labels,
        data=_training_data(row),
        hyper_parameters=_mapping(row, "hyper_parameters"),
        seed=_count(row, "seed"),
        metrics=_mapping(row, "metrics"),
        duration_s=_duration_s(row),
        created_at=_time(row),
        machine=_text(row, "machine"),
        commit=_text(row, "commit"),
        files=_files(row),
    )


def _wrong(key: str, expected: str) -> AdapterError:
    return AdapterError(
        f"The manifest's {key!r} is missing or wrong: it must be {expected}. Export or train the adapter again."
    )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT or not value.isprintable():
        raise _wrong(key, f"one line of 1 to {_MAX_TEXT} characters")
    return value


def _sha256(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _wrong(key, "a SHA-256 in 64 hexadecimal digits")
    return value


def _count(row: Mapping[str, object], key: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise _wrong(key, "a whole number from 0")
    return value


def _duration_s(row: Mapping[str, object]) -> float:
    value = row.get("duration_s")
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise _wrong("duration_s", "seconds from 0")
    return float(value)


def _time(row: Mapping[str, object]) -> str:
    value = row.get("created_at")
    try:
        # The offset is asked for, because times with and without a zone cannot be ordered.
        if isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None:
            datetime.fromisoformat(value).timestamp()
            return value
    except (ValueError, OverflowError):
        pass
    raise _wrong("created_at", "a time in ISO 8601 with a time zone")


def _labels(row: Mapping[str, object]) -> tuple[str, ...]:
    value = row.get("labels")
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise _wrong("labels", f"a list of at most {_MAX_LABELS} labels")
    labels = [label for label in value if isinstance(label, str) and 0 < len(label) <= 100 and label.isprintable()]
    if len(labels) != len(value) or len(set(labels)) != len(value):
        raise _wrong("labels", "a list of different texts of 1 to 100 characters")
    return tuple(labels)


def _mapping(row: Mapping[str, object], key: str) -> dict[str, object]:
    value = row.get(key)
    if not isinstance(value, dict) or not _is_shallow(value, _MAX_DEPTH):
        raise _wrong(key, f"a mapping nested at most {_MAX_DEPTH} deep")
    return value


def _is_shallow(value: object, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is None or (depth > 0 and all(_is_shallow(item, depth - 1) for item in inner))


def _training_data(row: Mapping[str, object]) -> dict[str, object]:
    data = _mapping(row, "data")
    try:
        _text(data, "name"), _sha256(data, "sha256"), _count(data, "examples"), _count(data, "contracts")
    except AdapterError as error:
        raise _wrong("data", "a mapping with name, sha256 (hexadecimal), examples and contracts (counts)") from error
    return data


def _files(row: Mapping[str, object]) -> dict[str, AdapterFile]:
    value = row.get("files")
    if not isinstance(value, dict) or len(value) > 100:
        raise _wrong("files", "a mapping of file names")
    try:
        entries = {name: _mapping(value, name) for name in value}
        return {
            name: AdapterFile(_sha256(entry, "sha256"), _count(entry, "size_bytes")) for name, entry in entries.items()
        }
    except AdapterError as error:
        raise _wrong("files", "a mapping of file names, each with a sha256 (hexadecimal) and size_bytes") from error
