"""Read a LoRA adapter in PEFT's format as low-rank branches for the fast engine.

LoRA (Hu et al., 2021, arXiv 2106.09685): ``y = W x + (alpha / r) B A x`` with W frozen.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError

# The layers of a causal language model, as its architecture calls them: model.layers.0.self_attn.q_proj and the like.
# Bounded, as a stranger's adapter may have names of any length.
_DECODER_MODULE = r"(?:[a-z]\w{0,39}\.){1,3}\d{1,4}\.[\w.]{1,100}"
_ENCODER_MODULE = r"(?:bert\.)?(?P<bare>encoder\.layer\.\d+\.[\w.]+)"
# What would change the arithmetic beyond the formula above; read as plain LoRA it would answer wrongly in silence.
_UNSUPPORTED = (
    "use_dora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layer_replication",
    "trainable_token_indices",
)


@dataclass(frozen=True, slots=True)
class LoraBranch:
    """One adapted matrix: ``y = W x + scale * b (a x)``; a: float32 [rank, in], b: float32 [out, rank]."""

    a: NDArray[np.float32]
    b: NDArray[np.float32]
    scale: float


def load_lora_branches(folder: Path) -> Mapping[str, LoraBranch]:
    """Return the branches of a PEFT adapter of a language model, from its folder, by Hugging Face module name.

    Whether the base has such modules is the engine's to check.

    Raises:
        ModelError: files are missing or damaged, the adapter uses more than plain LoRA, or any tensor went unused.
    """
    return _load_branches(folder, _DECODER_MODULE)


def load_encoder_branches(folder: Path) -> Mapping[str, LoraBranch]:
    """Return the branches of a PEFT adapter of a BERT encoder, as ``load_lora_branches`` does.

    Raises:
        ModelError: as there.
    """
    return _load_branches(folder, _ENCODER_MODULE)


def _load_branches(folder: Path, modules: str) -> Mapping[str, LoraBranch]:
    """Read the branches of the modules that the pattern ``modules`` names.

    Raises:
        ModelError: files are missing or damaged, the adapter uses more than plain LoRA, or any tensor went unused.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        pickled = " It holds a pickle, which is never loaded." if (folder / "adapter_model.bin").exists() else ""
        raise ModelError(f"{folder.name} has no adapter_model.safetensors.{pickled} Save the adapter as safetensors.")
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(weights)
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"The adapter {folder.name} is damaged ({error}). Train or import it again.") from error
    if extras := [name for name in _UNSUPPORTED if config.get(name)]:
        raise ModelError(
            f"The adapter {folder.name} uses {', '.join(extras)}, which the fast engine does not compute. Train it as "
            "plain LoRA."
        )
    tensor = re.compile(rf"^(?:base_model\.model\.)?(?P<module>{modules})\.lora_(?P<side>[AB])(?:\.default)?\.weight$")
    sides: dict[str, dict[str, str]] = {}
    unread = []
    for name in tensors:
        if match := tensor.match(name):
            module = match.groupdict().get("bare") or match["module"]
            sides.setdefault(module, {})[match["side"]] = name
        else:
            unread.append(name)
    unread += [name for pair in sides.values() if set(pair) != {"A", "B"} for name in pair.values()]
    if unread or not sides:
        example = unread[0] if unread else "none found"
        raise ModelError(
            f"{len(unread)} tensors of the adapter {folder.name} were not recognised, for example {example}. It was "
            "trained for another kind of model."
        )
    branches = {
        module: (tensors[pair["A"]].astype("float32"), tensors[pair["B"]].astype("float32"))
        for module, pair in sides.items()
    }
    fits = all(a.ndim == b.ndim == 2 and a.shape[0] == b.shape[1] == rank for a, b in branches.values())
    if rank < 1 or not math.isfinite(alpha) or not fits or not all(_is_finite(*pair) for pair in branches.values()):
        raise ModelError(
            f"The adapter {folder.name} is damaged: its tensors do not have its rank {rank}, or hold what is no "
            "number. Train or import it again."
        )
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return {module: LoraBranch(a, b, scale) for module, (a, b) in branches.items()}


def _is_finite(*arrays: np.ndarray) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)
