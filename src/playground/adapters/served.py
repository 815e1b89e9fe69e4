"""Adapters in the form that a server takes: a GGUF file for llama.cpp, PEFT's folder for vLLM.

Both compute ``y = W x + scale B A x`` as our engine does, but know the scale by other numbers. vLLM reads PEFT's
settings. llama.cpp multiplies with ``alpha / rank`` whatever the adapter was trained with, so that the file gets the
``alpha`` that makes it ours, also where it is rank-stabilised (Kalajdzievski, 2023, arXiv 2312.03732: alpha / sqrt r).
Format: ``llama-adapter.cpp`` and ``convert_lora_to_gguf.py`` of https://github.com/ggml-org/llama.cpp
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from playground.adapters.contents import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE
from playground.adapters.stored import StoredAdapter, verify
from playground.atomic import publish, staging, write_new
from playground.errors import AdapterError
from playground.models.catalog import ALL_BUNDLES, Bundle

if TYPE_CHECKING:
    from playground.models.bundled import OnProgress
    from playground.models.openvino.lora_branches import LoraBranch

_MODULES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def export_peft(stored: StoredAdapter, target: Path) -> None:
    """Copy what PEFT and vLLM load into the new folder ``target``: settings, weights and the card.

    Raises:
        AdapterError: it is none of a language model, is damaged, or ``target`` exists or cannot be written.
    """
    _check_language_model(stored)
    verify(stored)
    try:
        with staging(target.absolute().parent) as staged:
            for name in (CONFIG_FILE, WEIGHTS_FILE, CARD_FILE):
                if (stored.folder / name).is_file():
                    shutil.copyfile(stored.folder / name, staged / name)
            publish(staged, target)
    except OSError as error:
        raise AdapterError(f"{target} could not be written ({error.strerror}). Choose another name.") from error


def export_gguf(stored: StoredAdapter, target: Path, on_progress: OnProgress | None = None) -> None:
    """Write an adapter as a new GGUF file, for ``llama-server --lora``. Its base is fetched where it is missing.

    Raises:
        AdapterError: it is none of a bundled language model, is damaged, or ``target`` exists or cannot be written.
        ModelError: the base cannot be fetched or read, or the adapter is no plain LoRA.
    """
    from playground.models.bundled import ensure_language_model
    from playground.models.openvino.gguf_file import read_gguf
    from playground.models.openvino.lora_branches import load_lora_branches

    base = base_of(stored)
    verify(stored)
    fields = read_gguf(ensure_language_model(base, on_progress)).fields
    architecture = str(fields["general.architecture"])
    heads = int(fields[f"{architecture}.attention.head_count"])
    kv_heads = int(fields[f"{architecture}.attention.head_count_kv"])
    data = gguf_adapter(load_lora_branches(stored.folder), stored.identity, architecture, heads, kv_heads)
    try:
        write_new(target, data)
    except FileExistsError as error:
        raise AdapterError(f"{target} exists already and is not overwritten. Choose another name.") from error
    except OSError as error:
        raise AdapterError(f"{target} could not be written ({error.strerror}).") from error


def gguf_adapter(branches: Mapping[str, LoraBranch], name: str, architecture: str, heads: int, kv_heads: int) -> bytes:
    """Return branches as the content of a GGUF file whose ``alpha / rank`` is their scale.

    Args:
        branches: by Hugging Face module name, as ``load_lora_branches`` returns them.
        name: of the adapter, for the file's header.
        architecture: GGUF's name of the base: "llama" or "qwen2".
        heads: query heads of the base.
        kv_heads: its key and value heads.

    Raises:
        AdapterError: a module has no place in the file, or the branches differ in rank or scale.
    """
    import gguf

    alphas = {branch.scale * branch.a.shape[0] for branch in branches.values()}
    if len(alphas) != 1:
        raise AdapterError("The adapter's matrices differ in rank or scale, which llama.cpp does not take. Use PEFT.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapter.gguf"
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alphas.pop())
        writer.add_name(name)
        for module, branch in sorted(branches.items()):
            layer, part = place_in_gguf(module)
            b = gguf_rows(branch.b, part, architecture, heads, kv_heads)
            writer.add_tensor(f"blk.{layer}.{part}.weight.lora_a", np.ascontiguousarray(branch.a))
            writer.add_tensor(f"blk.{layer}.{part}.weight.lora_b", np.ascontiguousarray(b))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def gguf_rows(
    rows: NDArray[np.float32], part: str, architecture: str, heads: int, kv_heads: int
) -> NDArray[np.float32]:
    """Return the rows of a matrix in the order in which a GGUF file has them: a Llama's query and key move.

    Args:
        rows: float32 [out, n], in Hugging Face's order.
        part: GGUF's name of the module.
        architecture: GGUF's name: "llama" or "qwen2".
        heads: query heads.
        kv_heads: key and value heads.
    """
    turned = {"attn_q": heads, "attn_k": kv_heads}.get(part) if architecture == "llama" else None
    return rotary_order(rows, turned) if turned else rows


def rotary_order(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Return the rows of a query or key matrix as a Llama GGUF has them: the two rotary halves of a head interleaved.

    Undone by ``gguf_blocks.undo_rotary_order``.
    """
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def place_in_gguf(module: str) -> tuple[int, str]:
    """Return the layer and GGUF's name of a module, given by its Hugging Face name.

    Raises:
        AdapterError: a GGUF file has no place for it.
    """
    start, _, rest = module.partition("layers.")
    layer, _, name = rest.partition(".")
    if start != "model." or not layer.isdecimal() or name not in _MODULES:
        raise AdapterError(f"The adapter changes {module}, for which a GGUF file has no place. Use PEFT.")
    return int(layer), _MODULES[name]


def _check_language_model(stored: StoredAdapter) -> None:
    if stored.manifest.base_kind != "language_model":
        raise AdapterError(
            f"The adapter {stored.name!r} is for an encoder, which these servers do not run. `bulk flag` flags many "
            "contracts with it."
        )


def base_of(stored: StoredAdapter) -> Bundle:
    """Return the bundled language model that an adapter was trained on.

    Raises:
        AdapterError: it is for an encoder, or its base is not bundled.
    """
    _check_language_model(stored)
    for bundle in ALL_BUNDLES:
        if bundle.main_file.sha256 == stored.manifest.base_sha256:
            return bundle
    raise AdapterError(
        f"The adapter {stored.name!r} was trained on {stored.manifest.base_id}, which is not bundled as GGUF. Export "
        "it with --format peft, and convert it with llama.cpp's convert_lora_to_gguf.py."
    )
