"""A Qwen2 with K-quants on the engine of our own gives the logits of transformers, with and without an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from playground.models.chat import ChatMl
from playground.models.completion_codec import load_completion_codec
from playground.models.openvino.engine import load_openvino_engine
from playground.models.openvino.llama_weights import LlamaWeights, load_llama_gguf
from playground.models.openvino.lora_branches import LoraBranch
from playground.models.transformers_engine import ensure_dequantised
from playground.types import Message
from tests.support.tiny_qwen2 import HEADS, HIDDEN, INTERMEDIATE, KV_HEADS, LAYERS, write_tiny_qwen2

IDS = list(range(5, 65))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("gguf") / "tiny.gguf", seed=7)


def reference(weights: LlamaWeights, branches: Mapping[str, LoraBranch]) -> np.ndarray:
    """Return the logits of transformers' Qwen2 on the same weights, the branches added to them."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=weights.config.vocabulary,
            hidden_size=HIDDEN,
            intermediate_size=INTERMEDIATE,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=KV_HEADS,
            max_position_embeddings=512,
            rope_theta=weights.config.rope_theta,
            rms_norm_eps=weights.config.norm_epsilon,
            tie_word_embeddings=False,
        )
    ).eval()
    state = {f"{name}.weight": matrix.dense() for name, matrix in weights.matrices.items()}
    for name, branch in branches.items():
        state[f"{name}.weight"] = state[f"{name}.weight"] + branch.scale * branch.b @ branch.a
    state |= {f"{name}.weight": norm for name, norm in weights.norms.items()}
    state |= {f"{name}.bias": bias for name, bias in weights.biases.items()}
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
    with torch.no_grad():
        return np.asarray(model(torch.tensor([IDS])).logits[0], dtype=np.float32)


@pytest.mark.parametrize("with_adapter", [False, True])
def test_logits_equal_those_of_transformers(tiny: Path, with_adapter: bool) -> None:
    rng = np.random.default_rng(1)
    branches = {
        f"model.layers.{layer}.{module}": LoraBranch(
            rng.normal(0, 0.1, (4, inputs)).astype(np.float32),
            rng.normal(0, 0.1, (4, outputs)).astype(np.float32).T.copy(),
            1.5,
        )
        for layer in range(LAYERS if with_adapter else 0)
        for module, outputs, inputs in (
            ("self_attn.q_proj", HIDDEN, HIDDEN),
            ("self_attn.v_proj", HIDDEN // HEADS * KV_HEADS, HIDDEN),
            ("mlp.down_proj", HIDDEN, INTERMEDIATE),
        )
    }
    expected = reference(load_llama_gguf(tiny), branches)
    engine = load_openvino_engine(tiny, load_adapter=lambda _name: branches)
    sequence = engine.load_network("mine" if with_adapter else None)()
    sequence.extend(IDS[:40], 1)
    logits = sequence.extend(IDS[40:], 20)
    assert np.abs(expected).max() > 1
    assert np.abs(logits - expected[40:]).max() < 1e-3 * np.abs(expected).max()


def test_what_a_training_reads_computes_the_same(tiny: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    gguf = tmp_path / "model" / "tiny.gguf"
    gguf.parent.mkdir()
    gguf.symlink_to(tiny)
    folder = ensure_dequantised(gguf)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([IDS])).logits[0].numpy()
    expected = reference(load_llama_gguf(tiny), {})
    assert np.abs(logits - expected).max() < 1e-5 * np.abs(expected).max()
    messages = [Message("system", "Read."), Message("user", "Two  tins<|im_end|>")]
    trained, used = load_completion_codec(folder), ChatMl(load_llama_gguf(tiny).tokenizer)
    assert trained.encode(messages) == used.encode(messages)
    assert trained.encode_completion("in t")[-1] in used.end_token_ids
