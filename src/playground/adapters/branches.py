"""Adapters of the store as branches for the fast engine: found by name, verified, and only for the base they fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from playground.adapters.store import AdapterStore
from playground.adapters.stored import StoredAdapter, check_base, verify
from playground.errors import AdapterError

if TYPE_CHECKING:
    from playground.models.catalog import Bundle
    from playground.models.openvino_llama import LoraBranch

__all__ = ["branch_loader", "reader_adapter"]


def reader_adapter(store: AdapterStore, name: str | None = None) -> StoredAdapter:
    """Return the adapter that reads passages: ``name``, else the active one.

    Raises:
        AdapterError: there is none, or it was trained for something else.
    """
    if name is None:
        activation = store.activation("reader")
        if activation.adapter is None:
            reason = activation.note or "There is no adapter that reads passages."
            raise AdapterError(f"{reason} Train one (python scripts/train_reader.py) or ask without LoRA.")
        return activation.adapter
    stored = store.get(name)
    if stored.manifest.task != "reader":
        raise AdapterError(f"The adapter {name!r} was trained for {stored.manifest.task!r}, not to read passages.")
    return stored


def branch_loader(store: AdapterStore, base: Bundle) -> Callable[[str], Mapping[str, LoraBranch]]:
    """Return what an engine on this base loads an adapter with, by its name or its identity ("name@first8").

    What it returns raises AdapterError where there is no such adapter, its files changed since they were asked for by
    identity, or it was trained on another base, and ModelError where the files are no plain LoRA.
    """

    def load(identity: str) -> Mapping[str, LoraBranch]:
        from playground.models.lora_branches import load_lora_branches

        name, at, _digest = identity.partition("@")
        stored = store.get(name)
        if at and stored.identity != identity:
            raise AdapterError(f"The adapter {name!r} was replaced meanwhile (now {stored.identity}). Ask again.")
        check_base(stored.manifest, base.id, base.main_file.sha256)
        verify(stored)
        return load_lora_branches(stored.folder)

    return load
