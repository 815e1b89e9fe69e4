"""Read a LoRA adapter in PEFT's format as low-rank branches for the fast engine.

LoRA (Hu et al., 2021, arXiv 2106.09685): ``y = W x + (alpha / r) B A x`` with W frozen.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

from playground.errors import ModelError
from playground.models.openvino_llama import LoraBranch

_TENSOR = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>model\.layers\.\d+\.[\w.]+)\.lora_(?P<side>[AB])(?:\.default)?\.weight$"
)
# What would change the arithmetic beyond the formula above; read as plain LoRA it would answer wrongly in silence.
_UNSUPPORTED = (
    "use_dora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layer_replication",
    "trainable_token_indices",
)


def load_lora_branches(folder: Path) -> Mapping[str, LoraBranch]:
    """Return the branches of a PEFT adapter folder by Hugging Face module name.

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
    sides: dict[str, dict[str, str]] = {}
    unread = []
    for name in tensors:
        if match := _TENSOR.match(name):
            sides.setdefault(match["module"], {})[match["side"]] = name
        else:
            unread.append(name)
    unread += [name for pair in sides.values() if set(pair) != {"A", "B"} for name in pair.values()]
    if unread or not sides:
        example = unread[0] if unread else "none found"
        raise ModelError(
            f"{len(unread)} tensors of the adapter {folder.name} were not recognised, for example {example}. It was "
            "trained for another kind of model."
        )
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return {
        module: LoraBranch(tensors[pair["A"]].astype("float32"), tensors[pair["B"]].astype("float32"), scale)
        for module, pair in sides.items()
    }
