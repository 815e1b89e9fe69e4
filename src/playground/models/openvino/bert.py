"""A BERT or MPNet encoder with pooled spans and a linear head as one OpenVINO graph, built straight from the weights.

One pass over a window of text gives the logits of every clause in it: each clause is the mean of its tokens, read in
the context of its neighbours.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from playground.models.openvino.bert_weights import Array, BertWeights
from playground.models.openvino.llama import import_openvino


def build_bert(weights: BertWeights, head_weight: Array, head_bias: Array) -> Any:
    """Return the model as an ``openvino.Model``.

    Inputs: ``input_ids`` int64 [b, t]; ``mask`` float32 [b, 1, 1, t], added to the attention scores (0 or very
    negative); ``pooling`` float32 [b, u, t], row u the weights of the tokens of unit u. Output: ``logits`` float32
    [b, u, labels].

    Args:
        weights: the encoder, adapters merged in.
        head_weight: float32 [labels, hidden].
        head_bias: float32 [labels].
    """
    ov = import_openvino()
    from openvino import opset13 as op

    config, tensors = weights.config, weights.tensors
    size = config.hidden // config.heads

    def constant(values: Any) -> Any:
        return op.constant(np.ascontiguousarray(values))

    def linear(x: Any, *modules: str) -> Any:
        matrix = np.concatenate([tensors[f"{module}.weight"] for module in modules])
        bias = np.concatenate([tensors[f"{module}.bias"] for module in modules])
        return op.add(op.matmul(x, constant(matrix), False, True), constant(bias))

    def norm(x: Any, module: str) -> Any:
        normal = op.mvn(x, constant([-1]), True, config.epsilon, "inside_sqrt")
        return op.add(op.multiply(normal, constant(tensors[f"{module}.weight"])), constant(tensors[f"{module}.bias"]))

    inputs = {
        "input_ids": op.parameter([-1, -1], np.int64),
        "mask": op.parameter([-1, 1, 1, -1], np.float32),
        "pooling": op.parameter([-1, -1, -1], np.float32),
    }
    for name, node in inputs.items():
        node.output(0).set_names({name})
    zero = op.constant(0, np.int32)
    words = op.gather(constant(tensors["embeddings.word_embeddings.weight"]), inputs["input_ids"], zero)
    length = op.gather(op.shape_of(inputs["input_ids"]), constant([1]), zero)

    def first(values: Any, *axes: int) -> Any:
        """Return the part of a constant for so many tokens along ``axes``."""
        ends = op.concat([length] * len(axes), 0) if len(axes) > 1 else length
        count = len(axes)
        return op.slice(constant(values), constant([0] * count), ends, constant([1] * count), constant(list(axes)))

    positions = first(weights.positions(), 0)
    mask: Any = inputs["mask"]
    if (bias := weights.relative_bias()) is not None:
        mask = op.add(mask, first(bias[None], 2, 3))
    x = norm(op.add(words, positions), "embeddings.LayerNorm")
    for layer in range(config.layers):
        part = partial(config.module, layer)
        both = linear(x, part("query"), part("key"), part("value"))
        split = op.reshape(both, constant([0, 0, 3 * config.heads, size]), special_zero=True)
        query, key, value = op.split(op.transpose(split, constant([0, 2, 1, 3])), op.constant(1, np.int32), 3).outputs()
        attended = op.scaled_dot_product_attention(query, key, value, mask, causal=False)
        flat = op.reshape(
            op.transpose(attended, constant([0, 2, 1, 3])), constant([0, 0, config.hidden]), special_zero=True
        )
        x = norm(op.add(x, linear(flat, part("attended"))), part("attended_norm"))
        wide = op.gelu(linear(x, part("wide")), "erf")
        x = norm(op.add(x, linear(wide, part("narrow"))), part("norm"))
    pooled = op.matmul(inputs["pooling"], x, False, False)
    logits = op.add(op.matmul(pooled, constant(head_weight), False, True), constant(head_bias))
    result = op.result(logits)
    result.output(0).set_names({"logits"})
    return ov.Model([result], list(inputs.values()), "bert")
