"""A BERT encoder's weights as numpy arrays, with LoRA branches merged in where an adapter is used.

BERT: Devlin et al., 2018 (arXiv 1810.04805). LoRA: ``W + (alpha / r) B A`` (Hu et al., 2021, arXiv 2106.09685).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.openvino_llama import LoraBranch

Array = NDArray[np.float32]
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The shape of an encoder."""

    layers: int
    hidden: int
    heads: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class BertWeights:
    """Tensors by their Hugging Face name without a prefix ("encoder.layer.0.attention.self.query.weight")."""

    config: BertConfig
    tensors: Mapping[str, Array]


def load_bert(folder: Path) -> BertWeights:
    """Read a folder with ``config.json`` and ``model.safetensors``.

    Raises:
        ModelError: a file is missing or damaged, or the model is no BERT with learnt positions and GELU.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        row = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors = {name.removeprefix("bert."): value for name, value in load_file(folder / WEIGHTS_FILE).items()}
        config = BertConfig(
            layers=int(row["num_hidden_layers"]),
            hidden=int(row["hidden_size"]),
            heads=int(row["num_attention_heads"]),
            positions=int(row["max_position_embeddings"]),
            epsilon=float(row["layer_norm_eps"]),
        )
        shapes = _shapes(config, int(row["vocab_size"]), int(row["type_vocab_size"]), int(row["intermediate_size"]))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"The encoder in {folder.name} cannot be read ({error}). Fetch it again.") from error
    if row.get("model_type") != "bert" or row.get("hidden_act") != "gelu":
        raise ModelError(f"{folder.name} is a {row.get('model_type')!r} model; the fast encoder reads BERT with GELU.")
    for name, shape in shapes.items():
        if name not in tensors or tensors[name].shape != shape:
            raise ModelError(
                f"The encoder in {folder.name} is damaged: {name} is missing or misshapen. Fetch it again."
            )
    return BertWeights(config, {name: np.asarray(tensors[name], np.float32) for name in shapes})


def _shapes(config: BertConfig, words: int, segments: int, wide: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that the encoder computes with, by name.

    Raises:
        ValueError: the heads do not divide the hidden size.
    """
    hidden = config.hidden
    if config.layers < 1 or config.heads < 1 or hidden % config.heads:
        raise ValueError(f"{config.layers} layers with {config.heads} heads of {hidden} are no encoder")
    norm: dict[str, tuple[int, ...]] = {"weight": (hidden,), "bias": (hidden,)}
    square: dict[str, tuple[int, ...]] = {"weight": (hidden, hidden), "bias": (hidden,)}
    layer: dict[str, dict[str, tuple[int, ...]]] = {
        "attention.self.query": square,
        "attention.self.key": square,
        "attention.self.value": square,
        "attention.output.dense": square,
        "attention.output.LayerNorm": norm,
        "intermediate.dense": {"weight": (wide, hidden), "bias": (wide,)},
        "output.dense": {"weight": (hidden, wide), "bias": (hidden,)},
        "output.LayerNorm": norm,
    }
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (words, hidden),
        "embeddings.position_embeddings.weight": (config.positions, hidden),
        "embeddings.token_type_embeddings.weight": (segments, hidden),
        **{f"embeddings.LayerNorm.{part}": shape for part, shape in norm.items()},
    }
    for number in range(config.layers):
        for module, parts in layer.items():
            shapes |= {f"encoder.layer.{number}.{module}.{part}": shape for part, shape in parts.items()}
    return shapes


def merged(weights: BertWeights, branches: Mapping[str, LoraBranch]) -> BertWeights:
    """Return the weights with every branch added to its matrix; ``weights`` is unchanged.

    Raises:
        ModelError: a branch names a matrix that is not there, or does not fit it. None is left out in silence.
    """
    tensors = dict(weights.tensors)
    for module, branch in branches.items():
        name = f"{module}.weight"
        if name not in tensors:
            raise ModelError(
                f"The adapter changes {module}, which this encoder does not have. Choose its own base model."
            )
        if tensors[name].shape != (branch.b.shape[0], branch.a.shape[1]) or branch.a.shape[0] != branch.b.shape[1]:
            raise ModelError(f"The adapter does not fit {module} of this encoder. Choose its own base model.")
        tensors[name] = tensors[name] + branch.scale * (branch.b @ branch.a)
    return BertWeights(weights.config, tensors)


def weights_sha256(folder: Path) -> str:
    """Return the hex SHA-256 of the encoder's weights file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with (folder / WEIGHTS_FILE).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"The weights of {folder.name} cannot be read ({error.strerror}). Fetch the model again."
        ) from error
