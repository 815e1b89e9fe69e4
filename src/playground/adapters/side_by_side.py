"""Adapters side by side: what they were trained with and how well they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.adapters.manifest import AdapterManifest

Group = Literal["training", "data", "hyper_parameters", "metrics"]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One property of several adapters: ``values[i]`` is that of the i-th, None where it has none.

    ``differs`` tells whether the adapters disagree. A nested property has a dotted name ("per_label.Insurance.f1").
    """

    group: Group
    name: str
    values: tuple[object, ...]
    differs: bool


def comparison_rows(manifests: Sequence[AdapterManifest]) -> tuple[ComparisonRow, ...]:
    """Return one row for each property that any of ``manifests`` has, in the order in which they name them.

    Lists, such as curves, are left out.
    """
    rows = []
    columns: dict[Group, list[dict[str, object]]] = {
        "training": [_training(manifest) for manifest in manifests],
        "data": [_flat(manifest.data) for manifest in manifests],
        "hyper_parameters": [_flat(manifest.hyper_parameters) for manifest in manifests],
        "metrics": [_flat(manifest.metrics) for manifest in manifests],
    }
    for group, properties in columns.items():
        for name in dict.fromkeys(name for column in properties for name in column):
            values = tuple(column.get(name) for column in properties)
            rows.append(ComparisonRow(group, name, values, any(value != values[0] for value in values)))
    return tuple(rows)


def _training(manifest: AdapterManifest) -> dict[str, object]:
    return {
        "task": manifest.task,
        "base_id": manifest.base_id,
        "base_kind": manifest.base_kind,
        "labels": len(manifest.labels),
        "seed": manifest.seed,
        "duration_s": manifest.duration_s,
        "created_at": manifest.created_at,
        "machine": manifest.machine,
        "commit": manifest.commit,
        "size_bytes": manifest.size_bytes,
        "adapter_sha256": manifest.adapter_sha256,
    }


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, (list, tuple)):
            flat[prefix + name] = value
    return flat
