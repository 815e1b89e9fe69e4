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
from typing import NoReturn

from playground.adapters.kinds import BaseKind, Task
from playground.errors import AdapterError

FORMAT = 1
MANIFEST_FILE = "manifest.json"
MAX_MANIFEST_BYTES = 1024 * 1024
"""Far above any manifest of ours (41 labels with their metrics take 20 kB)."""

# No hyphen first: a command would take the name for an option.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# Windows opens a device instead of a file of these names.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})


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
            f"{_quoted(name)} cannot name an adapter. Use 1 to 64 lower-case letters (a to z), digits and hyphens, "
            "no hyphen first."
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
    from pydantic import ValidationError

    from playground.adapters.manifest_fields import ManifestFields, first_wrong

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
    try:
        found = ManifestFields.model_validate(row)
    except ValidationError as error:
        raise _wrong(*first_wrong(error)) from error
    check_name(found.name)
    if found.task == "clauses" and not found.labels:
        raise _wrong("labels", "at least one label, as the adapter flags clauses")
    files = {name: AdapterFile(file.sha256, file.size_bytes) for name, file in found.files.items()}
    return AdapterManifest(**{**dict(found), "files": files})


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
