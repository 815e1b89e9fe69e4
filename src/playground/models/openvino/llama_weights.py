"""The weights of a Llama- or Qwen2-architecture language model, read from a GGUF file as they are quantised.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.errors import ModelError
from playground.models.openvino.gguf_blocks import FORMATS, GroupedMatrix, undo_rotary_order, unpack
from playground.models.openvino.gguf_file import GgufTensor, read_gguf

if TYPE_CHECKING:
    import tokenizers

_CONTROL_TOKEN = 3
_PRE_TOKENIZERS = {"smollm": "llama", "qwen2": "qwen2"}
"""How text is split before byte-pair encoding, by GGUF's name, with the architecture that it belongs to."""
# Qwen2's splitting of text, as its tokenizer.json has it; digits stand alone.
_QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class LlamaConfig:
    """The shape of the network; ``context_length`` is in tokens, ``architecture`` is GGUF's name."""

    architecture: str

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
class LlamaWeights:
    """Everything needed to run the model: matrices, norms and biases by Hugging Face name, tokenizer, chat template.

    ``lm_head`` is among ``matrices`` where it is not the embedding. A matrix is unpacked each time it is asked for, so
    that no more than the one at hand is in memory beside the network that is made of them.
    """

    config: LlamaConfig
    matrices: Mapping[str, GroupedMatrix]
    norms: Mapping[str, NDArray[np.float32]]
    biases: Mapping[str, NDArray[np.float32]]
    tokenizer: tokenizers.Tokenizer
    chat_template: str
    end_token_id: int


class _Matrices(Mapping[str, GroupedMatrix]):
    """The matrices of a file by Hugging Face name; they stay on the disk until one is asked for."""

    def __init__(self, tensors: Mapping[str, GgufTensor], config: LlamaConfig) -> None:
        self._tensors = tensors
        self._config = config

    def __getitem__(self, name: str) -> GroupedMatrix:
        tensor = self._tensors[name]
        try:
            packed = tensor.read()
        except (OSError, ValueError) as error:
            raise _unreadable(tensor.path, error) from error
        return _in_order(unpack(tensor.kind, packed), tensor.name, self._config)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors  # what Mapping would ask by unpacking

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def load_llama_gguf(path: Path) -> LlamaWeights:
    """Read a GGUF of SmolLM2's or Qwen2's architecture, its matrices in one of the ``gguf_blocks.FORMATS``.

    Raises:
        ModelError: the file is no GGUF, or of another architecture or quantisation.
    """
    try:
        gguf = read_gguf(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    fields = gguf.fields
    if _PRE_TOKENIZERS.get(str(fields.get("tokenizer.ggml.pre"))) != fields.get("general.architecture"):
        raise ModelError(
            f"{path.name} is not of SmolLM2's or Qwen2's architecture, the only ones the fast engine reads as GGUF. "
            "Load the model by its Hugging Face id or folder instead."
        )
    config = _config(fields)
    matrices: dict[str, GgufTensor] = {}
    norms: dict[str, NDArray[np.float32]] = {}
    biases: dict[str, NDArray[np.float32]] = {}
    for tensor in gguf.tensors:
        target, _, part = _hugging_face_name(tensor.name).rpartition(".")
        kind = tensor.kind
        if kind == "F32":
            (biases if part == "bias" else norms)[target] = tensor.read()
        elif kind in FORMATS:
            matrices[target] = tensor
        else:
            raise ModelError(f"{path.name} holds {tensor.name} as {kind}; the fast engine reads {', '.join(FORMATS)}.")
    return LlamaWeights(
        config=config,
        matrices=_Matrices(matrices, config),
        norms=norms,
        biases=biases,
        tokenizer=_tokenizer(fields),
        chat_template=str(fields["tokenizer.chat_template"]),
        end_token_id=int(fields["tokenizer.ggml.eos_token_id"]),
    )


def _unreadable(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path.name} could not be read as a GGUF file ({error}). Fetch it again with "
        "`python -m playground models fetch`."
    )


def _config(fields: Mapping[str, Any]) -> LlamaConfig:
    architecture = str(fields["general.architecture"])

    def field(name: str) -> Any:
        return fields[f"{architecture}.{name}"]

    hidden, heads = int(field("embedding_length")), int(field("attention.head_count"))
    return LlamaConfig(
        architecture=architecture,
        layers=int(field("block_count")),
        hidden=hidden,
        intermediate=int(field("feed_forward_length")),
        heads=heads,
        kv_heads=int(field("attention.head_count_kv")),
        head_size=hidden // heads,
        vocabulary=len(fields["tokenizer.ggml.tokens"]),
        context_length=int(field("context_length")),
        rope_theta=float(field("rope.freq_base")),
        norm_epsilon=float(field("attention.layer_norm_rms_epsilon")),
    )


_OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
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
    outer, _, part = name.rpartition(".")
    if outer in _OUTER:
        return f"{_OUTER[outer]}.{part}"
    _block, layer, module = outer.split(".")
    return f"model.layers.{layer}.{_MODULES[module]}.{part}"


def _in_order(matrix: GroupedMatrix, name: str, config: LlamaConfig) -> GroupedMatrix:
    """Return ``matrix`` with its rows in Hugging Face's order: a Llama GGUF, not a Qwen2 one, moves query and key."""
    heads = {"attn_q": config.heads, "attn_k": config.kv_heads}.get(name.split(".")[-2])
    return undo_rotary_order(matrix, heads) if heads and config.architecture == "llama" else matrix


def _tokenizer(fields: Mapping[str, Any]) -> tokenizers.Tokenizer:
    """Build the model's byte-level BPE tokenizer from the GGUF's tables: SmolLM2 splits as GPT-2 does, digits apart."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    if fields["tokenizer.ggml.pre"] == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        words = pre_tokenizers.Split(Regex(_QWEN2_WORDS), behavior="isolated")
        as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, as_bytes])
    else:
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer
