"""A Qwen2 of two layers as a GGUF file with K-quants: the blocks are random bytes, each of which is a valid weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.tiny_language_model import CONTROL

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS = 256, 512, 2, 4, 2
BLOCK_BYTES = {"Q4_1": 20, "Q5_0": 22, "Q8_0": 34, "Q4_K": 144, "Q6_K": 210}
HALVES = {"Q4_1": (0, 2), "Q5_0": (0,), "Q8_0": (0,), "Q4_K": (0, 2), "Q6_K": (208,)}
"""Where a block has numbers of 16 bits: its scales, and its minima where there are some."""


def random_blocks(kind: str, shape: tuple[int, int], rng: np.random.Generator, scale: float) -> NDArray[np.uint8]:
    """Return ``shape`` [rows, columns] weights as bytes [rows, bytes a row], the scales about ``scale``."""
    size = BLOCK_BYTES[kind]
    per_block = 256 if kind.endswith("K") else 32
    blocks = rng.integers(0, 256, (shape[0], shape[1] // per_block, size), dtype=np.uint8)
    for start in HALVES[kind]:
        values = (scale * rng.uniform(0.5, 1.0, blocks.shape[:2])).astype(np.float16)
        blocks[..., start : start + 2] = values[..., None].view(np.uint8)
    return blocks.reshape(shape[0], -1)


def write_tiny_qwen2(path: Path, seed: int = 0) -> Path:
    """Write the model and return its path; the same seed gives the same weights."""
    import gguf
    from tokenizers import pre_tokenizers

    rng = np.random.default_rng(seed)
    tokens = [*CONTROL, *sorted(pre_tokenizers.ByteLevel.alphabet()), "in", "Ġt"]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(CONTROL) + [1] * (len(tokens) - len(CONTROL)))
    writer.add_token_merges(["i n", "Ġ t"])
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages }}")
    key_size = HIDDEN // HEADS * KV_HEADS

    def matrix(name: str, rows: int, columns: int, kind: str, scale: float) -> None:
        data = random_blocks(kind, (rows, columns), rng, scale)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=gguf.GGMLQuantizationType[kind])

    def vector(name: str, values: NDArray[np.float64]) -> None:
        writer.add_tensor(name, values.astype(np.float32))

    matrix("token_embd", len(tokens), HIDDEN, "Q4_K", 1e-3)
    matrix("output", len(tokens), HIDDEN, "Q6_K", 1e-4)
    vector("output_norm.weight", rng.uniform(0.5, 1.5, HIDDEN))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", rng.uniform(0.5, 1.5, HIDDEN))
        vector(f"{block}.ffn_norm.weight", rng.uniform(0.5, 1.5, HIDDEN))
        for name, rows, kind, scale in (
            ("attn_q", HIDDEN, "Q4_K", 2e-4),
            ("attn_k", key_size, "Q4_K", 2e-4),
            ("attn_v", key_size, ("Q6_K", "Q4_K")[layer], (1e-5, 2e-4)[layer]),  # as in the real file: half of them
        ):
            matrix(f"{block}.{name}", rows, HIDDEN, kind, scale)
            vector(f"{block}.{name}.bias", rng.normal(0, 0.3, rows))
        matrix(f"{block}.attn_output", HIDDEN, HIDDEN, "Q5_0", 3e-3)
        matrix(f"{block}.ffn_gate", INTERMEDIATE, HIDDEN, "Q8_0", 4e-4)
        matrix(f"{block}.ffn_up", INTERMEDIATE, HIDDEN, "Q5_0", 3e-3)
        matrix(f"{block}.ffn_down", HIDDEN, INTERMEDIATE, "Q6_K", 1e-5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
