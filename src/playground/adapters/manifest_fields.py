"""The fields of a manifest with their types and bounds; imported when a manifest is read, as pydantic takes a while.

A field's description is what an error says that it must be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, get_args

from annotated_types import Ge, Lt, MaxLen, MinLen, Predicate
from pydantic import BaseModel, BeforeValidator, Field, StrictInt, StrictStr, ValidationError

from playground.adapters.kinds import BaseKind, Task

MAX_TEXT, MAX_LABELS, MAX_DEPTH, MAX_FILES = 500, 1000, 8, 100


def _is_zoned(text: str) -> bool:
    # The offset is asked for, because times with and without a zone cannot be ordered.
    try:
        time = datetime.fromisoformat(text)
        return time.utcoffset() is not None and time.timestamp() is not None
    except (ValueError, OverflowError):
        return False


def _is_shallow(value: object, depth: int = MAX_DEPTH) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is None or (depth > 0 and all(_is_shallow(item, depth - 1) for item in inner))


def _shallow(value: object) -> object:
    if not _is_shallow(value):
        raise ValueError("nested too deeply")
    return value


Text = Annotated[StrictStr, MinLen(1), Predicate(str.isprintable)]
Line = Annotated[Text, MaxLen(MAX_TEXT), Field(description=f"one line of 1 to {MAX_TEXT} characters")]
Sha256 = Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$", description="a SHA-256 in 64 hexadecimal digits")]
Whole = Annotated[StrictInt, Ge(0), Lt(2**63), Field(description="a whole number from 0")]
Seconds = Annotated[float, Field(strict=True, ge=0, lt=1e9, description="seconds from 0")]
Time = Annotated[StrictStr, Predicate(_is_zoned), Field(description="a time in ISO 8601 with a time zone")]
Tree = Annotated[
    dict[str, object], Predicate(_is_shallow), Field(description=f"a mapping nested at most {MAX_DEPTH} deep")
]
Labels = Annotated[
    tuple[Annotated[Text, MaxLen(100)], ...],
    MaxLen(MAX_LABELS),
    Predicate(lambda labels: len(set(labels)) == len(labels)),
    Field(description=f"a list of at most {MAX_LABELS} labels, different texts of 1 to 100 characters"),
]


class TrainingData(BaseModel):
    """What every description of training data has."""

    name: Line
    sha256: Sha256
    examples: Whole
    contracts: Whole


class FileFields(BaseModel):
    """What a manifest says of a file."""

    sha256: Sha256
    size_bytes: Whole


Data = Annotated[
    Tree,
    Predicate(lambda data: TrainingData.model_validate(data) is not None),
    Field(description="a mapping with name, sha256 (hexadecimal), examples and contracts (counts)"),
]
Files = Annotated[
    dict[str, Annotated[FileFields, BeforeValidator(_shallow)]],
    MaxLen(MAX_FILES),
    Field(description="a mapping of file names, each with a sha256 (hexadecimal) and size_bytes"),
]


class ManifestFields(BaseModel):
    """The fields of ``AdapterManifest``, as anybody may have written them."""

    name: Line
    task: Annotated[Task, Field(description=" or ".join(get_args(Task)))]
    base_kind: Annotated[BaseKind, Field(description=" or ".join(get_args(BaseKind)))]
    base_id: Line
    base_sha256: Sha256
    labels: Labels
    data: Data
    hyper_parameters: Tree
    seed: Whole
    metrics: Tree
    duration_s: Seconds
    created_at: Time
    machine: Line
    commit: Line
    files: Files


def first_wrong(error: ValidationError) -> tuple[str, str]:
    """Return the first field that is missing or wrong, and what it must be."""
    name = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
    return name, ManifestFields.model_fields[name].description or ""
