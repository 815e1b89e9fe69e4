"""The model that an adapter is trained on: bundled, or a BERT-like encoder from a folder or the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.adapters import BaseKind
from playground.errors import ModelError
from playground.models.bert_weights import WEIGHTS_FILE
from playground.models.bundled import OnProgress, ensure_minilm, ensure_smollm2_gguf, sha256_of
from playground.models.catalog import MINILM, SMOLLM2, BundledFile
from playground.models.hugging_face import fetch_model_folder, model_identity, read_config

BUNDLED_BASES: dict[str, str] = {"encoder": MINILM.title, "language_model": SMOLLM2.title}
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
        ModelError: it is not there, or is no BERT-like encoder with safetensors weights.
    """
    if name == "encoder":
        return TrainingBase("encoder", MINILM.id, ensure_minilm(on_progress), *_of_file(MINILM.main_file))
    if name == "language_model":
        gguf = ensure_smollm2_gguf(on_progress)
        return TrainingBase("language_model", SMOLLM2.id, gguf.parent, *_of_file(SMOLLM2.main_file))
    folder = fetch_model_folder(name, "encoder, language-model")
    _check_encoder(folder)
    weights = folder / WEIGHTS_FILE
    return TrainingBase("encoder", model_identity(name), folder, sha256_of(weights), weights.stat().st_size)


def _of_file(file: BundledFile) -> tuple[str, int]:
    return file.sha256, file.size_bytes


def _check_encoder(folder: Path) -> None:
    kind = read_config(folder).get("model_type")
    if kind != "bert":
        raise ModelError(
            f"{folder.name} is a model of the kind {str(kind)[:40]!r}. The flagger runs on encoders of the kind "
            "'bert', such as all-MiniLM-L6-v2 or legal-bert. Choose one of these."
        )
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder.name} has no {WEIGHTS_FILE}; pickles are not opened. Choose another copy.")
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder.name} has no tokenizer.json. Save it with a fast tokenizer.")
