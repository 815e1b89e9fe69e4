"""The model that an adapter is trained on: bundled, or a BERT-like encoder from a folder or the Hugging Face hub."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from playground.adapters import BaseKind
from playground.errors import ModelError
from playground.models.bert_weights import WEIGHTS_FILE
from playground.models.bundled import OnProgress, ensure_minilm, ensure_smollm2_gguf, sha256_of
from playground.models.catalog import MINILM, SMOLLM2, BundledFile

BUNDLED_BASES: dict[str, str] = {"encoder": MINILM.title, "language_model": SMOLLM2.title}
"""Name in a plan -> title for people."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
_MAX_CONFIG_BYTES = 1 << 20


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
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _load_from_hub(name)
    _check_encoder(folder)
    weights = folder / WEIGHTS_FILE
    # A hub id is kept whole; of a folder of this machine only the last part goes into a manifest.
    identity = folder.resolve().name if Path(name).expanduser().is_dir() else name
    return TrainingBase("encoder", identity, folder, sha256_of(weights), weights.stat().st_size)


def _of_file(file: BundledFile) -> tuple[str, int]:
    return file.sha256, file.size_bytes


def _load_from_hub(name: str) -> Path:
    if not _HUB_ID.fullmatch(name):
        raise ModelError(
            f"{name[:100]!r} is neither a folder nor the id of a model. Use encoder, language-model, a folder, or an "
            "id such as owner/name."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.txt"]))
    except Exception as error:  # offline, unknown, gated: the library raises many kinds
        raise ModelError(
            f"The model {name!r} could not be fetched from the Hugging Face hub ({type(error).__name__}). Check its id "
            "and the network, or give the folder of a model that is here."
        ) from error


def _check_encoder(folder: Path) -> None:
    try:
        with (folder / "config.json").open("rb") as stream:
            kind = json.loads(stream.read(_MAX_CONFIG_BYTES)).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder.name} has no readable config.json, so it is no Hugging Face model.") from error
    if kind != "bert":
        raise ModelError(
            f"{folder.name} is a model of the kind {str(kind)[:40]!r}. The flagger runs on encoders of the kind "
            "'bert', such as all-MiniLM-L6-v2 or legal-bert. Choose one of these."
        )
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder.name} has no {WEIGHTS_FILE}; pickles are not opened. Choose another copy.")
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"{folder.name} has no tokenizer.json. Save it with a fast tokenizer.")
