"""From the adapter store to a loaded flagger: which adapter, is it whole, does it fit the base, then compile it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playground.adapters import AdapterStore, StoredAdapter, check_base, default_root, verify
from playground.errors import AdapterError
from playground.models.catalog import ENCODERS, MINILM, SMOLLM2, Bundle

if TYPE_CHECKING:
    from playground.flagging.encoder import ClauseEncoder
    from playground.flagging.model import ScoringModel
    from playground.models.bundled import OnProgress

NO_ADAPTER = (
    "There is no adapter to flag clauses with. Train one with `python -m playground train clauses`, or restore "
    "data/adapters from the repository."
)


def chosen_adapter(shipped: Path, name: str | None) -> tuple[StoredAdapter, str]:
    """Return the adapter called ``name``, or the active one where it is None, and a note for the user ("" for none).

    Raises:
        AdapterError: there is none, it is damaged, or it is for another task.
    """
    store = AdapterStore(default_root(), shipped=shipped)
    if name is None:
        activation = store.activation("clauses")
        if activation.adapter is None:
            raise AdapterError(f"{activation.note} {NO_ADAPTER}".strip())
        return activation.adapter, activation.note
    stored = store.get(name)
    if stored.manifest.task != "clauses":
        raise AdapterError(f"The adapter {name!r} was trained for {stored.manifest.task!r}, not to flag clauses.")
    return stored, ""


def load_flagger(
    stored: StoredAdapter, *, threads: int | None = None, on_progress: OnProgress | None = None
) -> ClauseEncoder:
    """Check an encoder adapter against its bundled encoder and load both; the encoder is fetched where it is missing.

    Args:
        stored: from ``chosen_adapter``.
        threads: limit of the processor's cores; None for all.
        on_progress: of a fetch.

    Raises:
        AdapterError: the adapter is damaged, belongs to another base, or is none of an encoder.
        ModelError: the encoder cannot be fetched or loaded.
    """
    from playground.flagging.encoder import load_clause_encoder
    from playground.models.bundled import ensure_bundle

    check_flagger(stored)
    verify(stored)
    base = base_of(stored)
    folder = ensure_bundle(base, on_progress)  # checks the hash of the weights
    return load_clause_encoder(folder, stored.folder, model_id=base.id, adapter=stored.identity, threads=threads)


def base_of(stored: StoredAdapter) -> Bundle:
    """Return the bundled encoder that an adapter was trained on; the smallest one where it is none of them."""
    return next((base for base in ENCODERS.values() if base.main_file.sha256 == stored.manifest.base_sha256), MINILM)


def check_flagger(stored: StoredAdapter) -> None:
    """Check, without reading weights, that an adapter can be loaded by ``load_flagger``.

    Raises:
        AdapterError: it is none of an encoder, or of one that is not bundled.
    """
    if stored.manifest.base_kind != "encoder":
        raise AdapterError(
            f"The adapter {stored.name!r} is for a language model, which judges one clause and one label at a time: "
            "too slow for whole contracts. Choose an adapter of the encoder."
        )
    base = base_of(stored)
    check_base(stored.manifest, base.id, base.main_file.sha256)


def activate_adapter(store: AdapterStore, name: str) -> StoredAdapter:
    """Make an adapter the one in use for its task; one that flags clauses must be loadable by ``load_flagger``.

    Raises:
        AdapterError: it is unknown or damaged, cannot flag contracts, or the choice cannot be saved; the active adapter
            stays what it was.
    """
    stored = store.get(name)
    if stored.manifest.task == "clauses":
        check_flagger(stored)
    return store.activate(name, stored.manifest.task)


def load_language_model_scorer(stored: StoredAdapter, on_progress: OnProgress | None = None) -> ScoringModel:
    """Load the bundled language model with an adapter that names what a clause is about, one pass over each clause.

    Returns:
        A model of the adapter's labels, for one thread.

    Raises:
        AdapterError: the adapter is damaged or belongs to another base.
        ModelError: the language model cannot be fetched or loaded.
    """
    from playground.flagging.language_model import language_model_scorer
    from playground.models.bundled import ensure_smollm2_gguf
    from playground.models.completion_codec import load_completion_codec
    from playground.models.openvino.engine import load_openvino_engine
    from playground.models.openvino.lora_branches import load_lora_branches
    from playground.models.transformers_engine import ensure_dequantised

    check_base(stored.manifest, SMOLLM2.id, SMOLLM2.main_file.sha256)
    verify(stored)
    gguf = ensure_smollm2_gguf(on_progress)
    engine = load_openvino_engine(gguf, load_adapter=lambda _name: load_lora_branches(stored.folder))
    codec = load_completion_codec(ensure_dequantised(gguf))
    return language_model_scorer(
        engine.load_network(stored.name), codec, stored.manifest.labels, model_id=SMOLLM2.id, adapter=stored.identity
    )
