"""Adapters of the store as branches for an engine: found by name, verified, and only for the base they fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from playground.adapters.store import AdapterStore, trained_examples
from playground.adapters.stored import StoredAdapter, check_base, verify
from playground.errors import AdapterError

if TYPE_CHECKING:
    from playground.models.openvino.lora_branches import LoraBranch
    from playground.models.sources import ModelChoice

__all__ = ["branch_loader", "check_model", "reader_adapter"]

_TRAIN = "python -m playground train reader"


def reader_adapter(store: AdapterStore, name: str | None = None, choice: ModelChoice | None = None) -> StoredAdapter:
    """Return the adapter through which a model (default: the bundled one) reads passages.

    It is ``name``; else the active one where it was trained on this model; else one that was: a shipped one, of several
    the one that was trained on most examples, or the newest. What an endpoint serves cannot be compared: there the
    adapter is taken as named, or the active one.

    Raises:
        AdapterError: there is none, or ``name`` was trained for something else or on another model.
        ModelError: the model's weights on this disk cannot be read.
    """
    if name is not None:
        stored = store.get(name)
        if stored.manifest.task != "reader":
            raise AdapterError(f"The adapter {name!r} was trained for {stored.manifest.task!r}, not to read passages.")
        check_model(stored, choice)
        return stored
    activation = store.activation("reader")
    if activation.adapter and _fits(activation.adapter, choice):
        return activation.adapter  # the page asks several times a run: the others are not read for that
    others = [stored for stored in store.list() if stored.manifest.task == "reader"]
    others.sort(key=lambda stored: -trained_examples(stored) if stored.shipped else 1)
    for stored in others:
        if _fits(stored, choice):
            return stored
    first = activation.adapter or next(iter(others), None)
    if first is None:
        reason = activation.note or "There is no adapter that reads passages."
        raise AdapterError(f"{reason} Train one ({_TRAIN}) or ask without LoRA.")
    raise AdapterError(
        f"No adapter that reads passages was trained on {_label(choice)}: {first.name!r} was trained on "
        f"{first.manifest.base_id}. Train one ({_TRAIN} --base FOLDER_OR_ID), choose the adapter's own model, or "
        "ask without LoRA."
    )


def check_model(stored: StoredAdapter, choice: ModelChoice | None) -> None:
    """Check that an adapter was trained on the chosen model (default: the bundled one).

    By the hash of the weights; where they are not on this disk yet, by the model's id, and by the hash once they are.

    Raises:
        AdapterError: it was trained on another; the message names both.
        ModelError: the model's weights on this disk cannot be read.
    """
    from playground.models.sources import ModelChoice, base_weights

    choice = choice or ModelChoice()
    if choice.source == "endpoint":
        return
    base = base_weights(choice)
    if base.sha256:
        check_base(stored.manifest, base.id, base.sha256)
    elif stored.manifest.base_id != base.id:
        raise AdapterError(
            f"The adapter {stored.name!r} was trained on {stored.manifest.base_id}, not on {base.id[:100]}. Choose the "
            "adapter's own base, or train an adapter on this one."
        )


def branch_loader(store: AdapterStore, choice: ModelChoice) -> Callable[[str], Mapping[str, LoraBranch]]:
    """Return what an engine of this model loads an adapter with, by its name or its identity ("name@first8").

    What it returns raises AdapterError where there is no such adapter, its files changed since they were asked for by
    identity, or it was trained on another base, and ModelError where the files are no plain LoRA.
    """

    def load(identity: str) -> Mapping[str, LoraBranch]:
        from playground.models.openvino.lora_branches import load_lora_branches

        name, at, _digest = identity.partition("@")
        stored = store.get(name)
        if at and stored.identity != identity:
            raise AdapterError(f"The adapter {name!r} was replaced meanwhile (now {stored.identity}). Ask again.")
        check_model(stored, choice)
        verify(stored)
        return load_lora_branches(stored.folder)

    return load


def _fits(stored: StoredAdapter, choice: ModelChoice | None) -> bool:
    from playground.models.catalog import SMOLLM2

    is_other = choice is not None and choice.source == "hugging_face"
    if is_other and stored.manifest.base_sha256 == SMOLLM2.main_file.sha256:
        return False  # known without reading the other model, which may be large
    try:
        check_model(stored, choice)
    except AdapterError:
        return False
    return True


def _label(choice: ModelChoice | None) -> str:
    from playground.models.catalog import SMOLLM2

    return SMOLLM2.title if choice is None else choice.label[:100]
