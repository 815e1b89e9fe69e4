"""The weights of a Llama-architecture language model, read from a GGUF file without rounding them a second time.

GGUF's Q4_1 stores 32 weights as 4-bit codes ``q`` with a float16 scale ``d`` and minimum ``m``: ``w = q * d + m``. We
keep the codes and rewrite the formula as ``w = (q - z) * d`` with a *fractional* zero point ``z = -m / d``. Rounding
``z`` to an integer, as readers that map Q4_1 to integer zero points do, moves the logits of this model by up to 7.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError

if TYPE_CHECKING:
    import tokenizers

_GROUP = 32
_CONTROL_TOKEN = 3


@dataclass(frozen=True, slots=True)
class LlamaConfig:
    """The shape of the network; ``context_length`` is in tokens."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    context_length: int
    rope_theta: float
    norm_epsilon: float


@dataclass(frozen=True, slots=True)
class GroupedMatrix:
    """A matrix in groups of 32 along the input: ``w = (codes - zeros) * scales``.

    codes: uint8 (0 to 15) or int8, shape [out, groups, 32]; scales, zeros: float32, shape [out, groups, 1];
    ``zeros`` is None when the codes are symmetric.
    """

    codes: NDArray[np.uint8] | NDArray[np.int8]
    scales: NDArray[np.float32]
    zeros: NDArray[np.float32] | None

    def dense(self) -> NDArray[np.float32]:
        """Return the float32 matrix, shape [out, in]."""
        codes = self.codes.astype(np.float32)
        centred = codes if self.zeros is None else codes - self.zeros
        return (centred * self.scales).reshape(codes.shape[0], -1)


@dataclass(frozen=True, slots=True)
class LlamaWeights:
    """Everything needed to run the model: matrices by Hugging Face name, norms, tokenizer and chat template."""

    config: LlamaConfig
    matrices: Mapping[str, GroupedMatrix]
    norms: Mapping[str, NDArray[np.float32]]
    tokenizer: tokenizers.Tokenizer
    chat_template: str
    end_token_id: int


def load_llama_gguf(path: Path) -> LlamaWeights:
    """Read a Llama-architecture GGUF with Q4_1 and Q8_0 matrices and tied embeddings.

    Raises:
        ModelError: the file is no GGUF, or of another architecture or quantisation.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(
            f"{path.name} could not be read as a GGUF file ({error}). Fetch it again with "
            "`python -m playground models fetch`."
        ) from error
    fields = {name: field.contents() for name, field in reader.fields.items()}
    if fields.get("general.architecture") != "llama" or fields.get("tokenizer.ggml.pre") != "smollm":
        raise ModelError(
            f"{path.name} is not of SmolLM2's architecture, the only one the fast engine reads as GGUF. Load the model "
            "by its Hugging Face id or folder instead."
        )
    config = _config(fields)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    matrices, norms = {}, {}
    for name, tensor in tensors.items():
        target = _hugging_face_name(name)
        kind = tensor.tensor_type.name
        if kind == "F32":
            norms[target] = np.array(tensor.data, dtype=np.float32)
        elif kind == "Q4_1":
            heads = {"attn_q": config.heads, "attn_k": config.kv_heads}.get(name.split(".")[-2])
            matrices[target] = _grouped_q4_1(tensor.data, heads)
        elif kind == "Q8_0":
            matrices[target] = _grouped_q8_0(tensor.data)
        else:
            raise ModelError(f"{path.name} holds {name} as {kind}; the fast engine reads Q4_1 and Q8_0.")
    return LlamaWeights(
        config=config,
        matrices=matrices,
        norms=norms,
        tokenizer=_tokenizer(fields),
        chat_template=str(fields["tokenizer.chat_template"]),
        end_token_id=int(fields["tokenizer.ggml.eos_token_id"]),
    )


def _config(fields: Mapping[str, Any]) -> LlamaConfig:
    def field(name: str) -> Any:
        return fields[f"llama.{name}"]

    hidden, heads = int(field("embedding_length")), int(field("attention.head_count"))
    return LlamaConfig(
        layers=int(field("block_count")),
        hidden=hidden,
        intermediate=int(field("feed_forward_length")),
        heads=heads,
        kv_heads=int(field("attention.head_count_kv")),
        head_size=hidden // heads,
        vocabulary=int(field("vocab_size")),
        context_length=int(field("context_length")),
        rope_theta=float(field("rope.freq_base")),
        norm_epsilon=float(field("attention.layer_norm_rms_epsilon")),
    )


_MODULES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}


def _hugging_face_name(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens"
    if name == "output_norm.weight":
        return "model.norm"
    _block, layer, module, _weight = name.split(".")
    return f"model.layers.{layer}.{_MODULES[module]}"


def _grouped_q4_1(data: NDArray[np.uint8], heads: int | None) -> GroupedMatrix:
    """Unpack Q4_1 blocks of 20 bytes: float16 scale, float16 minimum, 16 bytes with two codes each."""
    blocks = data.reshape(data.shape[0], -1, 20)
    scales = blocks[..., 0:2].copy().view(np.float16).astype(np.float32)
    minima = blocks[..., 2:4].copy().view(np.float16).astype(np.float32)
    packed = blocks[..., 4:]
    codes = np.concatenate([packed & 15, packed >> 4], axis=-1)
    flat = scales[..., 0] == 0  # a group of equal weights has no scale: any will do once the codes are zero
    scales[flat], codes[flat] = 1, 0
    zeros = -minima / scales
    if heads:
        codes, scales, zeros = (_undo_rotary_order(array, heads) for array in (codes, scales, zeros))
    return GroupedMatrix(codes, scales, zeros)


def _grouped_q8_0(data: NDArray[np.uint8]) -> GroupedMatrix:
    """Unpack Q8_0 blocks of 34 bytes: float16 scale, 32 signed codes."""
    blocks = data.reshape(data.shape[0], -1, 34)
    scales = blocks[..., 0:2].copy().view(np.float16).astype(np.float32)
    return GroupedMatrix(np.ascontiguousarray(blocks[..., 2:]).view(np.int8), scales, None)


def _undo_rotary_order(rows: NDArray[Any], heads: int) -> NDArray[Any]:
    """Return the rows of a query or key matrix to Hugging Face's order; GGUF interleaves the two rotary halves."""
    half = rows.shape[0] // heads // 2
    return np.ascontiguousarray(rows.reshape(heads, half, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape))


def _tokenizer(fields: Mapping[str, Any]) -> tokenizers.Tokenizer:
    """Build SmolLM2's byte-level BPE tokenizer (digits apart, GPT-2 splitting) from the GGUF's tables."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer
