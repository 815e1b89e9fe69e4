"""A Llama network as an OpenVINO graph with a key-value cache, built straight from the quantised weights.

Why our own graph: converting through the existing exporters either rounds Q4_1's zero points (worse text), needs a
25-second detour over float32, or brings a tool chain of its own. This graph keeps the GGUF's weights exactly, so its
greedy text equals transformers' on the dequantised model, and it takes LoRA adapters as extra low-rank branches. The
shapes of the subgraphs are those the CPU plugin fuses (RMS, RoPE, attention with cache, compressed matmul).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.openvino.gguf_blocks import GroupedMatrix, joined
from playground.models.openvino.llama_weights import LlamaConfig, LlamaWeights
from playground.models.openvino.lora_branches import LoraBranch

_FAR = 2**31 - 1  # "to the end" for a slice


def import_openvino() -> Any:
    """Import OpenVINO with its telemetry replaced by its own stub: importing it would report to its makers."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@dataclass(slots=True)
class _Builder:
    """Shared state while the graph grows."""

    ov: Any
    op: Any
    config: LlamaConfig
    adapter: Mapping[str, LoraBranch]
    sinks: list[Any] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def constant(self, values: Any, dtype: Any = None) -> Any:
        return self.op.constant(np.ascontiguousarray(values, dtype=dtype))


def build_llama(weights: LlamaWeights, adapter: Mapping[str, LoraBranch] | None = None) -> Any:
    """Return the model as an ``openvino.Model``, the weights compressed and ``adapter`` as extra branches.

    Inputs: ``input_ids`` and ``position_ids`` int64 [1, n]; ``mask`` float32 [1, 1, n, past + n], added to the
    attention scores; ``beam_idx`` int32 [1], always zero (the plugin's cache fusion asks for it). Output: ``logits``
    float32 [1, k, vocabulary] of the last ``k`` positions, with ``k`` given by the input ``last`` int64 [1].

    Raises:
        ModelError: the adapter names a module that this model does not have.
    """
    ov = import_openvino()
    from openvino import opset13 as op

    builder = _Builder(ov, op, weights.config, adapter or {})
    model = _network(builder, weights)
    if unused := sorted(set(builder.adapter) - builder.used):
        raise ModelError(
            f"The adapter does not fit this model: {len(unused)} of its modules were not used, for example "
            f"{unused[0]}. Choose an adapter that was trained on this base model."
        )
    return model


def _network(b: _Builder, weights: LlamaWeights) -> Any:
    op, config = b.op, b.config
    inputs = {
        "input_ids": op.parameter([1, -1], np.int64),
        "position_ids": op.parameter([1, -1], np.int64),
        "mask": op.parameter([1, 1, -1, -1], np.float32),
        "beam_idx": op.parameter([1], np.int32),
        "last": op.parameter([1], np.int64),
    }
    for name, node in inputs.items():
        node.output(0).set_names({name})
    keep = op.negative(inputs["last"])
    embedding = _dequantised(b, weights.matrices["model.embed_tokens"])
    x = op.gather(embedding, op.convert(inputs["input_ids"], "i32"), b.constant(0, np.int32))
    rotate = _rotary(b, inputs["position_ids"])
    for layer in range(config.layers):
        only = keep if layer == config.layers - 1 else None
        x = _layer(b, weights, layer, x, rotate=rotate, inputs=inputs, only=only)
    x = _rms_norm(b, x, weights.norms["model.norm"])
    head = _dequantised(b, weights.matrices["lm_head"]) if "lm_head" in weights.matrices else embedding
    result = op.result(op.matmul(x, head, transpose_a=False, transpose_b=True))
    result.output(0).set_names({"logits"})
    return b.ov.Model([result], b.sinks, list(inputs.values()), "llama")


def _layer(
    b: _Builder,
    weights: LlamaWeights,
    layer: int,
    x: Any,
    *,
    rotate: Callable[[Any], Any],
    inputs: Mapping[str, Any],
    only: Any | None,
) -> Any:
    """One transformer block. ``only`` cuts the last block to the positions whose logits are asked for: the others
    matter to it only as keys and values, which saves most of the block during prefill."""
    op, config, prefix = b.op, b.config, f"model.layers.{layer}"

    def unpacked(*modules: str) -> dict[str, GroupedMatrix]:
        return {name: weights.matrices[name] for name in (f"{prefix}.{module}" for module in modules)}

    def linear(value: Any, matrices: Mapping[str, GroupedMatrix]) -> Any:
        y = _linear(b, value, matrices)
        biases = [weights.biases[name] for name in matrices if name in weights.biases]
        return op.add(y, b.constant(np.concatenate(biases))) if biases else y

    h = _rms_norm(b, x, weights.norms[f"{prefix}.input_layernorm"])
    # One product for query, key and value, and one rotation for query and key: fewer, larger steps decode faster.
    both, key_size = config.heads + config.kv_heads, config.kv_heads * config.head_size
    of_query_and_key, of_value = unpacked("self_attn.q_proj", "self_attn.k_proj"), unpacked("self_attn.v_proj")
    together = of_query_and_key | of_value
    if _stack_together(together.values()):
        rotated, value = _split(b, linear(h, together), 2, (config.hidden + key_size, key_size))
    else:
        rotated, value = linear(h, of_query_and_key), linear(h, of_value)
    query, key = _split(b, rotate(_split_heads(b, rotated, both)), 1, (config.heads, config.kv_heads))
    value = _split_heads(b, value, config.kv_heads)
    key = _cached(b, f"past_key_values.{layer}.keypresent.{layer}.key", key, inputs["beam_idx"])
    value = _cached(b, f"past_key_values.{layer}.valuepresent.{layer}.value", value, inputs["beam_idx"])
    attended = op.scaled_dot_product_attention(
        query, _repeated(b, key), _repeated(b, value), inputs["mask"], causal=False
    )
    merged = op.reshape(
        op.transpose(attended, b.constant([0, 2, 1, 3])), b.constant([0, 0, config.hidden]), special_zero=True
    )
    if only is not None:
        merged, x = (op.slice(v, only, b.constant([_FAR]), b.constant([1]), b.constant([1])) for v in (merged, x))
    x = op.add(x, linear(merged, unpacked("self_attn.o_proj")))
    h = _rms_norm(b, x, weights.norms[f"{prefix}.post_attention_layernorm"])
    gated = op.multiply(op.swish(linear(h, unpacked("mlp.gate_proj"))), linear(h, unpacked("mlp.up_proj")))
    return op.add(x, linear(gated, unpacked("mlp.down_proj")))


def _dequantised(b: _Builder, matrix: GroupedMatrix) -> Any:
    """Constant codes with their decompression, in the form the plugin keeps compressed in memory."""
    op, (rows, groups, size) = b.op, matrix.codes.shape
    if matrix.zeros is None:
        codes = op.convert(b.constant(matrix.codes), "f32")
        scaled = op.multiply(codes, b.constant(matrix.scales))
    else:
        flat = matrix.codes.reshape(-1)
        # The tensor owns its memory: the compiled model goes on reading the constant where it lies.
        tensor = b.ov.Tensor(b.ov.Type.u4, b.ov.Shape(list(matrix.codes.shape)))
        tensor.data[:] = flat[0::2] | (flat[1::2] << 4)
        codes = op.convert(op.constant(tensor), "f32")
        scaled = op.multiply(op.subtract(codes, b.constant(matrix.zeros)), b.constant(matrix.scales))
    return op.reshape(scaled, b.constant([rows, groups * size]), special_zero=False)


def _linear(b: _Builder, x: Any, matrices: Mapping[str, GroupedMatrix]) -> Any:
    """Return the products of ``x`` with ``matrices``, one after another along the last axis, adapters included."""
    op = b.op
    y = op.matmul(x, _dequantised(b, _stacked(list(matrices.values()))), transpose_a=False, transpose_b=True)
    branches = [(name, b.adapter[name]) for name in matrices if name in b.adapter]
    if not branches:
        return y
    for name, branch in branches:
        _check_shapes(name, branch, matrices[name])
        b.used.add(name)
    low = op.matmul(x, b.constant(np.concatenate([branch.a for _name, branch in branches]), np.float32), False, True)
    # Each branch's rows stand where its matrix stands in the stack and read only its own part of ``low``.
    wide = np.zeros(
        (sum(m.codes.shape[0] for m in matrices.values()), sum(c.a.shape[0] for _n, c in branches)), np.float32
    )
    row = column = 0
    for name, matrix in matrices.items():
        rows = matrix.codes.shape[0]
        if name in b.adapter:
            branch = b.adapter[name]
            rank = branch.a.shape[0]
            wide[row : row + rows, column : column + rank] = branch.b * branch.scale
            column += rank
        row += rows
    return op.add(y, op.matmul(low, b.constant(wide), transpose_a=False, transpose_b=True))


def _stack_together(matrices: Iterable[GroupedMatrix]) -> bool:
    """Tell whether the matrices are quantised alike, so that one product can serve them all."""
    return len({(matrix.codes.dtype, matrix.codes.shape[2], matrix.zeros is None) for matrix in matrices}) == 1


def _stacked(matrices: Sequence[GroupedMatrix]) -> GroupedMatrix:
    if not _stack_together(matrices):
        raise ModelError("The query and key matrices are quantised differently, which the fast engine cannot read.")
    return joined(matrices)


def _check_shapes(name: str, branch: LoraBranch, matrix: GroupedMatrix) -> None:
    outputs, inputs = matrix.codes.shape[0], matrix.codes.shape[1] * matrix.codes.shape[2]
    if branch.a.shape[1] != inputs or branch.b.shape[0] != outputs or branch.a.shape[0] != branch.b.shape[1]:
        raise ModelError(
            f"The adapter's {name} has shapes {branch.a.shape} and {branch.b.shape}, but the base model's matrix is "
            f"[{outputs}, {inputs}]. Choose an adapter that was trained on this base model."
        )


def _split(b: _Builder, x: Any, axis: int, sizes: Sequence[int]) -> tuple[Any, Any]:
    parts = b.op.variadic_split(x, b.constant(axis), b.constant(list(sizes)))
    return parts.output(0), parts.output(1)


def _rms_norm(b: _Builder, x: Any, weight: NDArray[np.float32]) -> Any:
    """Root mean square layer normalisation (Zhang and Sennrich, 2019, arXiv 1910.07467)."""
    op = b.op
    mean = op.reduce_mean(op.power(x, b.constant(2, np.float32)), b.constant([-1]), keep_dims=True)
    root = op.sqrt(op.add(mean, b.constant(b.config.norm_epsilon, np.float32)))
    return op.multiply(b.constant(weight), op.multiply(x, op.divide(b.constant(1, np.float32), root)))


def _rotary(b: _Builder, position_ids: Any) -> Callable[[Any], Any]:
    """Rotary position embedding (Su et al., 2021, arXiv 2104.09864), in the half-rotated form of Hugging Face."""
    op, size = b.op, b.config.head_size
    frequencies = b.config.rope_theta ** (-np.arange(0, size, 2, dtype=np.float32) / size)
    positions = op.convert(op.unsqueeze(position_ids, b.constant(1)), "f32")
    angles = op.matmul(b.constant(frequencies.reshape(1, -1, 1), np.float32), positions, False, False)
    angles = op.transpose(angles, b.constant([0, 2, 1]))
    doubled = op.concat([angles, angles], -1)
    cosine, sine = (op.unsqueeze(wave(doubled), b.constant(1)) for wave in (op.cos, op.sin))
    minus = b.constant(np.full((1, 1, 1, 1), -1), np.float32)

    def rotate(x: Any) -> Any:
        first = op.slice(x, b.constant([0]), b.constant([size // 2]), b.constant([1]), b.constant([3]))
        second = op.slice(x, b.constant([size // 2]), b.constant([_FAR]), b.constant([1]), b.constant([3]))
        rotated = op.concat([op.multiply(second, minus), first], -1)
        return op.add(op.multiply(x, cosine), op.multiply(rotated, sine))

    return rotate


def _split_heads(b: _Builder, x: Any, heads: int) -> Any:
    shape = b.constant([0, 0, heads, b.config.head_size])
    return b.op.transpose(b.op.reshape(x, shape, special_zero=True), b.constant([0, 2, 1, 3]))


def _cached(b: _Builder, name: str, current: Any, beam_idx: Any) -> Any:
    """Append ``current`` [1, kv_heads, n, head_size] to the cache variable ``name`` and return the whole of it."""
    from openvino.op.util import Variable, VariableInfo

    op, config = b.op, b.config
    info = VariableInfo()
    info.data_shape = b.ov.PartialShape([1, config.kv_heads, -1, config.head_size])
    info.data_type = b.ov.Type.f32
    info.variable_id = name
    variable = Variable(info)
    empty = b.constant(np.zeros((1, config.kv_heads, 0, config.head_size)), np.float32)
    past = op.gather(op.read_value(empty, variable), beam_idx, b.constant(0, np.int32))
    whole = op.concat([past, current], 2)
    b.sinks.append(op.assign(whole, variable))
    return whole


def _repeated(b: _Builder, x: Any) -> Any:
    """Repeat each key or value head for the query heads that share it (grouped-query attention)."""
    op, config = b.op, b.config
    shape = op.shape_of(x, "i64")
    zero = b.constant(0)

    def dimensions(indices: Sequence[int]) -> Any:
        return op.gather(shape, b.constant(list(indices)), zero)

    target = op.concat([dimensions((0, 1)), b.constant([config.heads // config.kv_heads]), dimensions((2, 3))], 0)
    wide = op.broadcast(op.unsqueeze(x, b.constant(2)), target, broadcast_spec="BIDIRECTIONAL")
    return op.reshape(wide, b.constant([0, config.heads, -1, config.head_size]), special_zero=True)
