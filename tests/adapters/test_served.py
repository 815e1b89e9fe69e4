"""Adapters as servers take them: the product of the matrices is ours, and llama.cpp's own server answers as we do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from playground.adapters import AdapterStore, StoredAdapter
from playground.adapters.served import export_gguf, gguf_adapter
from playground.cli import main
from playground.errors import AdapterError
from playground.models.chat import ChatMl, LocalChatModel
from playground.models.endpoint.chat_model import load_endpoint
from playground.models.endpoint.settings import EndpointSettings
from playground.models.openvino.engine import load_openvino_engine
from playground.models.openvino.gguf_blocks import GroupedMatrix, undo_rotary_order
from playground.models.openvino.gguf_file import read_gguf
from playground.models.openvino.lora_branches import LoraBranch, load_lora_branches
from playground.paths import SHIPPED_ADAPTERS
from playground.types import Message
from tests.support.serving import serving

HEADS, KV_HEADS, SIZE, RANK = 4, 2, 8, 4


def written_adapter(folder: Path, *, rank_stabilised: bool) -> dict[str, LoraBranch]:
    """Write a PEFT adapter of random numbers and return it as our engine reads it."""
    rng = np.random.default_rng(0)
    shapes = {"self_attn.q_proj": HEADS * SIZE, "self_attn.k_proj": KV_HEADS * SIZE, "mlp.down_proj": 48}
    tensors = {}
    for module, rows in shapes.items():
        name = f"base_model.model.model.layers.3.{module}"
        tensors[f"{name}.lora_A.weight"] = rng.normal(size=(RANK, 32)).astype(np.float32)
        tensors[f"{name}.lora_B.weight"] = rng.normal(size=(rows, RANK)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"r": RANK, "lora_alpha": 24, "use_rslora": rank_stabilised, "peft_type": "LORA"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return dict(load_lora_branches(folder))


@pytest.mark.parametrize(("rank_stabilised", "scale"), [(False, 24 / RANK), (True, 24 / math.sqrt(RANK))])
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_what_llama_cpp_multiplies_is_what_our_engine_does(
    tmp_path: Path, rank_stabilised: bool, scale: float, architecture: str
) -> None:
    branches = written_adapter(tmp_path, rank_stabilised=rank_stabilised)
    (tmp_path / "adapter.gguf").write_bytes(gguf_adapter(branches, "mine", architecture, HEADS, KV_HEADS))
    file = read_gguf(tmp_path / "adapter.gguf")
    assert (file.fields["general.type"], file.fields["adapter.type"]) == ("adapter", "lora")
    assert file.fields["general.architecture"] == architecture
    tensors = {tensor.name: tensor.read() for tensor in file.tensors}
    assert len(tensors) == 6
    for module, part, heads in (
        ("self_attn.q_proj", "attn_q", HEADS),
        ("self_attn.k_proj", "attn_k", KV_HEADS),
        ("mlp.down_proj", "ffn_down", 0),
    ):
        a, b = (tensors[f"blk.3.{part}.weight.lora_{side}"] for side in "ab")
        if architecture == "llama" and heads:
            matrix = GroupedMatrix(b, np.zeros((b.shape[0], 1), dtype=np.float32), None)
            b = undo_rotary_order(matrix, heads).codes
        served = file.fields["adapter.lora.alpha"] / a.shape[0] * (b @ a)  # as llama-adapter.h computes the scale
        ours = branches[f"model.layers.3.{module}"]
        assert np.allclose(served, ours.scale * (ours.b @ ours.a), rtol=1e-6)
        assert math.isclose(ours.scale, scale)


def test_matrices_of_different_scales_and_unknown_modules_are_refused() -> None:
    a, b = np.ones((2, 4), dtype=np.float32), np.ones((4, 2), dtype=np.float32)
    one, other = LoraBranch(a, b, 1.0), LoraBranch(a, b, 2.0)
    with pytest.raises(AdapterError, match="differ in rank or scale"):
        gguf_adapter({"model.layers.0.mlp.up_proj": one, "model.layers.1.mlp.up_proj": other}, "x", "llama", 1, 1)
    with pytest.raises(AdapterError, match=r"changes model\.embed_tokens"):
        gguf_adapter({"model.embed_tokens": one}, "x", "llama", 1, 1)


def test_vllm_gets_the_folder_that_peft_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "reader"
    assert main(["adapters", "export", "policy-reader", str(target), "--format", "peft"]) == 0
    assert "policy-reader@" in capsys.readouterr().out
    assert {path.name for path in target.iterdir()} == {"adapter_config.json", "adapter_model.safetensors", "README.md"}
    shipped = load_file(SHIPPED_ADAPTERS / "policy-reader" / "adapter_model.safetensors")
    assert load_file(target / "adapter_model.safetensors").keys() == shipped.keys()
    assert main(["adapters", "export", "policy-reader", str(target), "--format", "peft"]) == 2, "nothing is overwritten"
    assert main(["adapters", "export", "cuad-minilm", str(tmp_path / "x"), "--format", "gguf"]) == 2
    assert "is for an encoder" in capsys.readouterr().err


PASSAGE = "Returns: unworn items can be returned within 45 days of delivery. Shoes are exchanged free of charge once."
QUESTIONS = (
    "How many days do I have to return unworn items?",
    "Are shoes exchanged free of charge?",
    "Who pays for shipping to Norway?",
    "What is the phone number of the shop?",
)


@pytest.fixture(scope="module")
def reader() -> StoredAdapter:
    return AdapterStore(SHIPPED_ADAPTERS.parent / "none", SHIPPED_ADAPTERS).get("policy-reader")


@pytest.fixture(scope="module")
def ours(smollm2_gguf: Path, reader: StoredAdapter) -> LocalChatModel:
    """Our own engine with and without the adapter."""
    engine = load_openvino_engine(smollm2_gguf, load_adapter=lambda _name: load_lora_branches(reader.folder))
    return LocalChatModel("ours", ChatMl(engine.weights.tokenizer), engine.load_network, 2048)


@pytest.fixture(scope="module")
def server(smollm2_gguf: Path, reader: StoredAdapter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama.cpp's server with the adapter that was exported."""
    file = tmp_path_factory.mktemp("served") / "reader.gguf"
    export_gguf(reader, file)
    with serving(smollm2_gguf, "sk-served", file) as address:
        yield address


@pytest.mark.models
def test_llama_cpp_answers_with_the_adapter_as_we_do(ours: LocalChatModel, server: str) -> None:
    served = load_endpoint(EndpointSettings(f"{server}/v1", "with-adapter", "sk-served", context_limit=2048))
    same, as_base = 0, 0
    for question in QUESTIONS:
        messages = [Message("system", "Answer from the text."), Message("user", f"{PASSAGE}\n\nQuestion: {question}")]
        theirs = served.complete(messages, max_tokens=24).text
        same += theirs == ours.complete(messages, max_tokens=24, adapter="reader").text
        as_base += theirs == ours.complete(messages, max_tokens=24).text
    served.close()
    # llama.cpp rounds activations to 8 bits, which changes a greedy text now and then; without the adapter none agrees.
    assert same >= len(QUESTIONS) - 1
    assert as_base <= 1
