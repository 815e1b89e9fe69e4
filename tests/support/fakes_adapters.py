"""Small adapters written by hand, without torch: also what the killed processes of the store's tests write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from playground.adapters import AdapterManifest

MANIFEST = AdapterManifest(
    name="draft",
    task="clauses",
    base_kind="encoder",
    base_id="all-MiniLM-L6-v2",
    base_sha256="a" * 64,
    labels=("Insurance", "Audit Rights"),
    data={"name": "written clauses", "sha256": "b" * 64, "examples": 640, "contracts": 40},
    hyper_parameters={"r": 8, "learning_rate": 6e-4, "layers": [4, 5]},
    seed=7,
    metrics={"micro_ap": 0.75, "per_label": {"Insurance": {"f1": 0.9}}},
    duration_s=61.5,
    created_at="2026-01-01T00:00:00+00:00",
    machine="a laptop, 2 cores",
    commit="abc1234",
)
CONFIG: dict[str, object] = {
    "peft_type": "LORA",
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["query", "value"],
    "init_lora_weights": True,
}


def safetensors_bytes(tensors: Mapping[str, bytes]) -> bytes:
    """Return a safetensors file of one-dimensional uint8 tensors."""
    header: dict[str, object] = {}
    at = 0
    for name, data in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(tensors.values())


def adapter_files(fill: int = 0, size_bytes: int = 64) -> dict[str, bytes]:
    """Return the files of a complete adapter whose content ``fill`` decides."""
    return {
        "adapter_config.json": json.dumps(CONFIG).encode(),
        "adapter_model.safetensors": safetensors_bytes({"lora_A": bytes([fill % 256]) * size_bytes}),
        "head.safetensors": safetensors_bytes({"weight": bytes([fill % 256]) * 8}),
        "README.md": f"# Adapter {fill}\n".encode(),
    }


def writing(
    files: Mapping[str, bytes] | None = None, manifest: AdapterManifest = MANIFEST, **changes: object
) -> Callable[[Path], AdapterManifest]:
    """Return a function that the store calls to have ``files`` written."""
    contents = adapter_files() if files is None else files

    def write(folder: Path) -> AdapterManifest:
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        return replace(manifest, **changes)  # type: ignore[arg-type]

    return write
