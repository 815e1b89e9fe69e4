"""An adapter merged into its base: the sum is right, the rest of the file is the same, and it answers as both did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.adapters import AdapterStore, StoredAdapter
from playground.adapters.merged import export_merged, write_merged
from playground.cli import main
from playground.errors import AdapterError, ModelError
from playground.models.openvino.gguf_blocks import unpack
from playground.models.openvino.gguf_file import GgufTensor, read_gguf
from playground.models.openvino.llama_weights import load_llama_gguf
from playground.models.openvino.lora_branches import LoraBranch, load_lora_branches
from playground.models.sources import load_gguf_chat
from playground.paths import SHIPPED_ADAPTERS
from playground.types import Message
from tests.support.tiny_qwen2 import HIDDEN, INTERMEDIATE, write_tiny_qwen2

RANK = 4
QUESTIONS = (
    "How many days do I have to return unworn items?",
    "Are shoes exchanged free of charge?",
    "Who pays for shipping to Norway?",
    "What is the phone number of the shop?",
)


def branch(rows: int, columns: int, seed: int) -> LoraBranch:
    rng = np.random.default_rng(seed)
    return LoraBranch(
        rng.normal(size=(RANK, columns)).astype(np.float32),
        0.05 * rng.normal(size=(rows, RANK)).astype(np.float32),
        1.5,
    )


def dense(tensor: GgufTensor) -> np.ndarray:
    return np.asarray(unpack(tensor.kind, tensor.read()).dense())


def test_what_the_adapter_changes_is_the_sum_and_nothing_else_moves(tmp_path: Path) -> None:
    base = write_tiny_qwen2(tmp_path / "base.gguf")
    branches = {
        "model.layers.0.self_attn.q_proj": branch(HIDDEN, HIDDEN, 1),
        "model.layers.1.mlp.down_proj": branch(HIDDEN, INTERMEDIATE, 2),
    }
    write_merged(base, branches, "mine@1234", tmp_path / "merged.gguf")
    before = {tensor.name: tensor for tensor in read_gguf(base).tensors}
    file = read_gguf(tmp_path / "merged.gguf")
    changed = {"blk.0.attn_q.weight": branches["model.layers.0.self_attn.q_proj"]}
    changed["blk.1.ffn_down.weight"] = branches["model.layers.1.mlp.down_proj"]
    assert [tensor.name for tensor in file.tensors] == list(before)
    for tensor in file.tensors:
        if tensor.name in changed:
            lora = changed[tensor.name]
            wanted = dense(before[tensor.name]) + lora.scale * (lora.b @ lora.a)
            assert tensor.kind == "Q8_0"
            assert np.abs(dense(tensor) - wanted).max() <= np.abs(wanted).max() / 127
        else:
            assert (tensor.kind, tensor.read().tobytes()) == (
                before[tensor.name].kind,
                before[tensor.name].read().tobytes(),
            )
    old = read_gguf(base).fields
    assert {name: value for name, value in file.fields.items() if name != "general.name"} == dict(old)
    assert file.fields["general.name"] == "mine@1234"
    assert len(load_llama_gguf(tmp_path / "merged.gguf").matrices) == len(load_llama_gguf(base).matrices)


def test_a_branch_that_fits_nothing_and_a_base_that_is_none_are_refused(tmp_path: Path) -> None:
    base = write_tiny_qwen2(tmp_path / "base.gguf")
    target = tmp_path / "merged.gguf"
    with pytest.raises(AdapterError, match=r"changes blk\.7\.ffn_up\.weight, which its base does not have"):
        write_merged(base, {"model.layers.7.mlp.up_proj": branch(4, 4, 0)}, "x", target)
    with pytest.raises(AdapterError, match="another shape"):
        write_merged(base, {"model.layers.0.mlp.up_proj": branch(HIDDEN, HIDDEN, 0)}, "x", target)
    (tmp_path / "text.gguf").write_text("no model at all, but some words that are long enough")
    with pytest.raises(ModelError, match=r"text\.gguf could not be read"):
        write_merged(tmp_path / "text.gguf", {}, "x", target)


@pytest.fixture(scope="module")
def reader() -> StoredAdapter:
    return AdapterStore(SHIPPED_ADAPTERS.parent / "none", SHIPPED_ADAPTERS).get("policy-reader")


@pytest.mark.models
def test_the_merged_file_answers_as_base_and_adapter_do(
    reader: StoredAdapter, smollm2_gguf: Path, tmp_path: Path
) -> None:
    export_merged(reader, tmp_path / "shop.gguf")
    assert (tmp_path / "shop.Modelfile").read_text().startswith("FROM ./shop.gguf\n")
    merged = load_gguf_chat(tmp_path / "shop.gguf", "merged", lambda _name: {})
    apart = load_gguf_chat(smollm2_gguf, "apart", lambda _name: load_lora_branches(reader.folder))
    passage = (
        "Returns: unworn items can be returned within 45 days of delivery. Shoes are exchanged free of charge once."
    )
    same = as_base = 0
    for question in QUESTIONS:
        messages = [Message("system", "Answer from the text."), Message("user", f"{passage}\n\nQuestion: {question}")]
        text = merged.complete(messages, max_tokens=24).text
        same += text == apart.complete(messages, max_tokens=24, adapter="reader").text
        as_base += text == apart.complete(messages, max_tokens=24).text
    # A merged matrix is rounded to 8 bits, which changes a greedy text now and then.
    assert same >= len(QUESTIONS) - 1
    assert as_base <= 1


@pytest.mark.models
def test_the_command_writes_both_files_and_never_over_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.Modelfile").write_text("mine")
    command = ["adapters", "export", "policy-reader", str(tmp_path / "shop.gguf"), "--format", "merged"]
    assert main(command) == 2
    assert "shop.Modelfile exists already" in capsys.readouterr().err
    assert main([*command[:2], "cuad-minilm", *command[3:]]) == 2
    assert "is for an encoder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["shop.Modelfile"]
