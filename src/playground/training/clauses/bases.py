"""The model that an adapter is trained on: bundled, or an encoder like BERT or MPNet from a folder or the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.adapters import BaseKind
from playground.errors import ModelError
from playground.models.bundled import OnProgress, ensure_bundle, sha256_of
from playground.models.catalog import MINILM, MPNET, SMOLLM2
from playground.models.hugging_face import fetch_model_folder, model_identity, read_config
from playground.models.openvino.bert_weights import WEIGHTS_FILE

_BUNDLES = {"encoder": MINILM, "large_encoder": MPNET, "language_model": SMOLLM2}
BUNDLED_BASES: dict[str, str] = {name: bundle.title for name, bundle in _BUNDLES.items()}
"""Name in a plan -> title for people."""


@dataclass(frozen=True, slots=True)
class TrainingBase:
    """A base on disk. ``folder`` is a Hugging Face folder, or holds the GGUF file of the bundled language model.

    ``sha256`` is of the weights as they lie on disk: what an adapter is bound to.
    """

    kind: BaseKind
    id: str
    folder: Path
    sha256: str
    size_bytes: int


def load_training_base(name: str, on_progress: OnProgress | None = None) -> TrainingBase:
    """Find a base, fetching the bundled ones and those of the hub where they are not here yet.

    Raises:
        ModelError: it is not there, or is no encoder like BERT or MPNet with safetensors weights.
    """
    if bundle := _BUNDLES.get(name):
        kind: BaseKind = "language_model" if bundle is SMOLLM2 else "encoder"
        weights_file = bundle.main_file
        folder = ensure_bundle(bundle, on_progress)
        return TrainingBase(kind, bundle.id, folder, weights_file.sha256, weights_file.size_bytes)
    folder = fetch_model_folder(name, "encoder, large-encoder, language-model")
    _check_encoder(folder)
    weights = folder / WEIGHTS_FILE
    return TrainingBase("encoder", model_identity(name), folder, sha256_of(weights), weights.stat().st_size)


def _check_encoder(folder: Path) -> None:
    kind = read_config(folder).get("model_type")
    if kind not in ("bert", "mpnet"):
        raise ModelError(
            f"{folder.name} is a model of the kind {str(kind)[:40]!r}. The flagger runs on encoders of the kinds "
            "'bert' and 'mpnet', such as all-MiniLM-L6-v2, legal-bert or all-mpnet-base-v2. Choose one of these."
        )
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder.name} has no {WEIGHTS_FILE}; pickles are not opened. Choose another copy.")
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder.name} has no tokenizer.json. Save it with a fast tokenizer.")
