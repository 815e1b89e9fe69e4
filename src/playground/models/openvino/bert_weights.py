"""An encoder's weights as numpy arrays, BERT's or MPNet's, with LoRA branches merged in where an adapter is used.

BERT: Devlin et al., 2018 (arXiv 1810.04805). MPNet: Song et al., 2020 (arXiv 2004.09297); it is BERT without segments,
and with a bias for how far apart two tokens are, shared by all layers. LoRA: ``W + (alpha / r) B A`` (Hu et al., 2021,
arXiv 2106.09685).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.openvino.lora_branches import LoraBranch

Array = NDArray[np.float32]
Kind = Literal["bert", "mpnet"]
WEIGHTS_FILE = "model.safetensors"

_MODULES: dict[str, dict[str, str]] = {
    "bert": {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "attended": "attention.output.dense",
        "attended_norm": "attention.output.LayerNorm",
    },
    "mpnet": {
        "query": "attention.attn.q",
        "key": "attention.attn.k",
        "value": "attention.attn.v",
        "attended": "attention.attn.o",
        "attended_norm": "attention.LayerNorm",
    },
}
_SHARED_MODULES = {"wide": "intermediate.dense", "narrow": "output.dense", "norm": "output.LayerNorm"}
_RELATIVE_BIAS = "encoder.relative_attention_bias.weight"
_FARTHEST = 128
"""Tokens apart from which on MPNet tells distances no more."""
_UNUSED_POSITIONS = 2
"""MPNet numbers its positions from 2 on, the two before are for padding."""


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The shape of an encoder; ``positions`` is how many tokens it reads at once."""

    layers: int
    hidden: int
    heads: int
    positions: int
    epsilon: float
    kind: Kind = "bert"

    def module(self, layer: int, part: str) -> str:
        """Return the Hugging Face name of a part of a layer: "query", "attended_norm", "wide" and so on."""
        return f"encoder.layer.{layer}.{(_MODULES[self.kind] | _SHARED_MODULES)[part]}"


@dataclass(frozen=True, slots=True)
class BertWeights:
    """Tensors by their Hugging Face name without a prefix ("encoder.layer.0.attention.self.query.weight")."""

    config: BertConfig
    tensors: Mapping[str, Array]

    def positions(self) -> Array:
        """Return what is added to the word at each position, segment included: float32 [positions, hidden]."""
        rows = self.tensors["embeddings.position_embeddings.weight"]
        if self.config.kind == "mpnet":
            return rows[_UNUSED_POSITIONS:]
        segment: Array = self.tensors["embeddings.token_type_embeddings.weight"][0]
        return rows + segment

    def relative_bias(self) -> Array | None:
        """Return what is added to the attention of a token to another, float32 [heads, positions, positions]."""
        if self.config.kind == "bert":
            return None
        table = self.tensors[_RELATIVE_BIAS]
        places = np.arange(self.config.positions)
        return np.ascontiguousarray(table[_buckets(places[:, None] - places[None, :], len(table))].transpose(2, 0, 1))


def load_bert(folder: Path) -> BertWeights:
    """Read a folder with ``config.json`` and ``model.safetensors``.

    Raises:
        ModelError: a file is missing or damaged, or the model is neither BERT with learnt positions nor MPNet, or has
            no GELU.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        row = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = row.get("model_type")
        tensors = {
            name.removeprefix("bert.").removeprefix("mpnet."): value
            for name, value in load_file(folder / WEIGHTS_FILE).items()
        }
        unused = _UNUSED_POSITIONS if kind == "mpnet" else 0
        config = BertConfig(
            layers=int(row["num_hidden_layers"]),
            hidden=int(row["hidden_size"]),
            heads=int(row["num_attention_heads"]),
            positions=int(row["max_position_embeddings"]) - unused,
            epsilon=float(row["layer_norm_eps"]),
            kind="mpnet" if kind == "mpnet" else "bert",
        )
        shapes = _shapes(config, row)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"The encoder in {folder.name} cannot be read ({error}). Fetch it again.") from error
    if kind not in _MODULES or row.get("hidden_act") != "gelu":
        raise ModelError(f"{folder.name} is a {kind!r} model; the fast encoder reads BERT and MPNet with GELU.")
    for name, shape in shapes.items():
        if name not in tensors or tensors[name].shape != shape:
            raise ModelError(
                f"The encoder in {folder.name} is damaged: {name} is missing or misshapen. Fetch it again."
            )
    return BertWeights(config, {name: np.asarray(tensors[name], np.float32) for name in shapes})


def _shapes(config: BertConfig, row: Mapping[str, object]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that the encoder computes with, by name; ``row`` is its configuration.

    Raises:
        KeyError: a size is missing.
        ValueError: the heads do not divide the hidden size.
    """
    hidden = config.hidden
    words, wide = _size(row, "vocab_size"), _size(row, "intermediate_size")
    if config.layers < 1 or config.heads < 1 or config.positions < 1 or hidden % config.heads:
        raise ValueError(f"{config.layers} layers with {config.heads} heads of {hidden} are no encoder")
    norm: dict[str, tuple[int, ...]] = {"weight": (hidden,), "bias": (hidden,)}
    square: dict[str, tuple[int, ...]] = {"weight": (hidden, hidden), "bias": (hidden,)}
    layer: dict[str, dict[str, tuple[int, ...]]] = {
        "query": square,
        "key": square,
        "value": square,
        "attended": square,
        "attended_norm": norm,
        "wide": {"weight": (wide, hidden), "bias": (wide,)},
        "narrow": {"weight": (hidden, wide), "bias": (hidden,)},
        "norm": norm,
    }
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (words, hidden),
        **{f"embeddings.LayerNorm.{part}": shape for part, shape in norm.items()},
    }
    if config.kind == "mpnet":
        shapes["embeddings.position_embeddings.weight"] = (config.positions + _UNUSED_POSITIONS, hidden)
        shapes[_RELATIVE_BIAS] = (_size(row, "relative_attention_num_buckets"), config.heads)
    else:
        shapes["embeddings.position_embeddings.weight"] = (config.positions, hidden)
        shapes["embeddings.token_type_embeddings.weight"] = (_size(row, "type_vocab_size"), hidden)
    for number in range(config.layers):
        for module, parts in layer.items():
            shapes |= {f"{config.module(number, module)}.{part}": shape for part, shape in parts.items()}
    return shapes


def _size(row: Mapping[str, object], name: str) -> int:
    return int(str(row[name]))


def _buckets(distances: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the bucket of each distance (own place less the other's): half of them for tokens that come later.

    Near distances have a bucket each, far ones share them on a scale of logarithms (Raffel et al., 2020, arXiv
    1910.10683, whose buckets MPNet took over).
    """
    half = count // 2
    exact = half // 2
    apart = np.abs(distances)
    # In float32, as the model was trained: on the edge of two buckets, more digits choose the other one.
    scaled = np.log(np.maximum(apart, 1).astype(np.float32) / np.float32(exact)) / np.log(_FARTHEST / exact)
    far = np.minimum(exact + (scaled * (half - exact)).astype(np.int64), half - 1)
    return np.where(distances < 0, half, 0) + np.where(apart < exact, apart, far)


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
