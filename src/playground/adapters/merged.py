"""An adapter merged into its base: one GGUF file that llama.cpp, Ollama and this app open without an adapter beside it.

``W + scale B A`` takes the place of each matrix that the adapter changes, rounded to Q8_0; everything else is copied
as it is. Rounding to the base's own 4 bits would lose most of what was learned.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.adapters.served import base_of, gguf_rows, place_in_gguf
from playground.adapters.stored import StoredAdapter, verify
from playground.atomic import publish_file, staging, write_new
from playground.errors import AdapterError, ModelError
from playground.files import check_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.models.bundled import OnProgress
    from playground.models.openvino.lora_branches import LoraBranch

_OWN_FIELDS = ("general.architecture", "general.name")
_READS_TOKENS = 4096
"""Room for policy, passage and answer; Ollama's own default is smaller."""


def export_merged(stored: StoredAdapter, target: Path, on_progress: OnProgress | None = None) -> None:
    """Write base and adapter as one new GGUF file, and beside it ``NAME.Modelfile`` for ``ollama create``.

    The base is fetched where it is missing.

    Raises:
        AdapterError: it is none of a bundled language model, is damaged, or ``target`` exists or cannot be written.
        ModelError: the base cannot be fetched or read, or the adapter is no plain LoRA.
    """
    from playground.models.bundled import ensure_language_model
    from playground.models.openvino.lora_branches import load_lora_branches

    base = base_of(stored)
    verify(stored)
    modelfile = target.with_name(f"{target.stem}.Modelfile")
    for path in (target, modelfile):
        if path.exists() or path.is_symlink():
            raise AdapterError(f"{path} exists already and is not overwritten. Choose another name.")
    try:
        check_output(target)
        gguf = ensure_language_model(base, on_progress)
        with staging(target.absolute().parent) as staged:
            write_merged(gguf, load_lora_branches(stored.folder), stored.identity, staged / target.name)
            publish_file(staged / target.name, target)
        write_new(modelfile, _modelfile(target.name).encode())
    except FileExistsError as error:
        raise AdapterError(f"{error.filename} exists already and is not overwritten. Choose another name.") from error
    except OSError as error:
        raise AdapterError(
            f"{target} could not be written ({error.strerror or error}). Choose another place."
        ) from error


def write_merged(base: Path, branches: Mapping[str, LoraBranch], name: str, target: Path) -> None:
    """Write ``target``: the GGUF file ``base`` with ``branches`` added to its matrices, under the name ``name``.

    Args:
        base: of SmolLM2's or Qwen2's architecture.
        branches: by Hugging Face module name, as ``load_lora_branches`` returns them.
        name: of the model, for the file's header.
        target: the file to write.

    Raises:
        AdapterError: a branch fits no matrix of the base.
        ModelError: the base cannot be read.
        OSError: the disk is full.
    """
    import gguf

    from playground.models.openvino.gguf_blocks import unpack

    try:
        reader = gguf.GGUFReader(base)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelError(
            f"{base.name} could not be read as a GGUF file ({error}). Fetch it again with "
            "`python -m playground models fetch`."
        ) from error
    architecture = str(reader.fields["general.architecture"].contents())
    heads, kv_heads = (
        int(reader.fields[f"{architecture}.attention.{key}"].contents()) for key in ("head_count", "head_count_kv")
    )
    changes = {}
    for module, branch in branches.items():
        layer, part = place_in_gguf(module)
        changes[f"blk.{layer}.{part}.weight"] = part, branch
    if unknown := changes.keys() - {tensor.name for tensor in reader.tensors}:
        raise AdapterError(f"The adapter changes {sorted(unknown)[0]}, which its base does not have.")
    writer = gguf.GGUFWriter(target, architecture)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in _OWN_FIELDS:
            writer.add_key_value(field.name, field.contents(), field.types[0], _inner_type(field))
    writer.add_name(name)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if tensor.name in changes:
            part, branch = changes[tensor.name]
            b = gguf_rows(branch.b, part, architecture, heads, kv_heads)
            matrix = unpack(tensor.tensor_type.name, np.asarray(tensor.data)).dense()
            if matrix.shape != (b.shape[0], branch.a.shape[1]):
                raise AdapterError(f"The adapter's part for {tensor.name} has another shape than its base.")
            kind = gguf.GGMLQuantizationType.Q8_0
            data = gguf.quantize(matrix + branch.scale * (b @ branch.a), kind)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _inner_type(field: Any) -> Any:
    """Return the type of a list's entries, which the writer has to be told."""
    import gguf

    return field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None


def _modelfile(name: str) -> str:
    return f"FROM ./{name}\nPARAMETER temperature 0\nPARAMETER num_ctx {_READS_TOKENS}\n"
