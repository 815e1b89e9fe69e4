"""The model that an adapter is trained on: bundled, or an encoder like BERT or MPNet from a folder or the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.adapters import BaseKind
from playground.errors import ModelError
from playground.models.bert_weights import WEIGHTS_FILE
from playground.models.bundled import OnProgress, ensure_bundle, ensure_smollm2_gguf, sha256_of
from playground.models.catalog import MINILM, MPNET, SMOLLM2, Bundle
from playground.models.hugging_face import fetch_model_folder, model_identity, read_config

BUNDLED_BASES: dict[str, str] = {
    "encoder": MINILM.title,
    "large_encoder": MPNET.title,
    "language_model": SMOLLM2.title,
}
"""Name in a plan -> title for people."""
_ENCODERS = {"encoder": MINILM, "large_encoder": MPNET}


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
    if name in _ENCODERS:
        return _bundled("encoder", _ENCODERS[name], ensure_bundle(_ENCODERS[name], on_progress))
    if name == "language_model":
        return _bundled("language_model", SMOLLM2, ensure_smollm2_gguf(on_progress).parent)
    folder = fetch_model_folder(name, "encoder, large-encoder, language-model")
    _check_encoder(folder)
    weights = folder / WEIGHTS_FILE
    return TrainingBase("encoder", model_identity(name), folder, sha256_of(weights), weights.stat().st_size)


def _bundled(kind: BaseKind, bundle: Bundle, folder: Path) -> TrainingBase:
    return TrainingBase(kind, bundle.id, folder, bundle.main_file.sha256, bundle.main_file.size_bytes)


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
