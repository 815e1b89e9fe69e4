"""The fast encoder computes what transformers and PEFT compute, and refuses what it would compute wrongly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from playground.errors import AdapterError, ModelError
from playground.flagging.calibration import Calibration
from playground.flagging.encoder import ClauseEncoder, load_clause_encoder
from playground.flagging.head import HEAD_FILE, ClauseHead, save_head
from playground.flagging.windows import load_window_reader
from playground.models.openvino.bert_weights import load_bert, merged, weights_sha256
from playground.models.openvino.lora_branches import LoraBranch, load_encoder_branches
from playground.types import AnnotatedClause

HIDDEN, WIDE, LAYERS, WORDS = 8, 16, 2, 12
LABELS = ("Insurance", "Audit Rights", "Cap On Liability", "Non-Compete", "Exclusivity")
SENTENCES = (
    "The Supplier shall keep public liability insurance of not less than two million pounds.",
    "Either party may end this Agreement for convenience on ninety days' written notice.",
    "Neither party is liable to the other for loss of profit or for any indirect loss.",
    "The Customer may inspect the books and records of the Supplier once in each year.",
    "Notices are sent by courier.",
    "During the term the Distributor shall not sell competing products in the Territory, nor help anyone else do so.",
)
TENSORS = {f"encoder.layer.{layer}.attention.self.query": (HIDDEN, HIDDEN) for layer in range(LAYERS)}


def clauses(count: int, *, position: bool = True, repeat: int = 1) -> list[AnnotatedClause]:
    """Return ``count`` clauses of different lengths, of contracts of seven clauses."""
    return [
        AnnotatedClause(
            id=f"c{number}",
            text=" ".join(SENTENCES[(number + step) % len(SENTENCES)] for step in range(repeat * (1 + number % 4))),
            labels=(),
            contract=f"k{number // 7}",
            heading="General" if number % 3 else "",
            position=number if position else None,
        )
        for number in range(count)
    ]


# What needs no model: a small encoder written by hand.


def write_bert(folder: Path, *, leave_out: str = "", config: dict[str, Any] | None = None, prefix: str = "") -> Path:
    """Write an encoder of two layers with random weights."""
    rng = np.random.default_rng(1)
    square = {"weight": (HIDDEN, HIDDEN), "bias": (HIDDEN,)}
    norm = {"weight": (HIDDEN,), "bias": (HIDDEN,)}
    shapes: dict[str, Any] = {
        "embeddings.word_embeddings": {"weight": (WORDS, HIDDEN)},
        "embeddings.position_embeddings": {"weight": (512, HIDDEN)},
        "embeddings.token_type_embeddings": {"weight": (2, HIDDEN)},
        "embeddings.LayerNorm": norm,
        "pooler.dense": square,
    }
    for layer in range(LAYERS):
        start = f"encoder.layer.{layer}"
        shapes |= {f"{start}.attention.self.{name}": square for name in ("query", "key", "value")}
        shapes |= {f"{start}.attention.output.dense": square, f"{start}.attention.output.LayerNorm": norm}
        shapes |= {f"{start}.intermediate.dense": {"weight": (WIDE, HIDDEN), "bias": (WIDE,)}}
        shapes |= {
            f"{start}.output.dense": {"weight": (HIDDEN, WIDE), "bias": (HIDDEN,)},
            f"{start}.output.LayerNorm": norm,
        }
    tensors = {
        f"{prefix}{module}.{part}": rng.normal(size=shape).astype(np.float32)
        for module, parts in shapes.items()
        for part, shape in parts.items()
        if f"{module}.{part}" != leave_out
    }
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    row = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "num_hidden_layers": LAYERS,
        "hidden_size": HIDDEN,
        "num_attention_heads": 2,
        "max_position_embeddings": 512,
        "layer_norm_eps": 1e-12,
        "vocab_size": WORDS,
        "type_vocab_size": 2,
        "intermediate_size": WIDE,
    }
    (folder / "config.json").write_text(json.dumps(row | (config or {})), encoding="utf-8")
    return folder


def write_adapter(
    folder: Path, *, rank: int = 2, config: dict[str, Any] | None = None, tensors: dict[str, np.ndarray] | None = None
) -> Path:
    """Write a LoRA adapter of the queries in PEFT's layout; ``tensors`` adds or replaces some."""
    rng = np.random.default_rng(2)
    made: dict[str, np.ndarray] = {}
    for module, (rows, columns) in TENSORS.items():
        made[f"base_model.model.{module}.lora_A.weight"] = rng.normal(size=(rank, columns)).astype(np.float32)
        made[f"base_model.model.{module}.lora_B.weight"] = rng.normal(size=(rows, rank)).astype(np.float32)
    folder.mkdir(exist_ok=True)
    save_file(made | (tensors or {}), folder / "adapter_model.safetensors")
    row = {"peft_type": "LORA", "r": rank, "lora_alpha": 4} | (config or {})
    (folder / "adapter_config.json").write_text(json.dumps(row), encoding="utf-8")
    return folder


def test_a_branch_is_added_to_its_matrix_and_the_base_stays(tmp_path: Path) -> None:
    weights = load_bert(write_bert(tmp_path / "base"))
    branches = load_encoder_branches(write_adapter(tmp_path / "adapter"))
    assert set(branches) == set(TENSORS)
    both = merged(weights, branches)
    stored = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    for name, tensor in weights.tensors.items():
        module = name.removesuffix(".weight")
        if module in TENSORS:
            a, b = (stored[f"base_model.model.{module}.lora_{side}.weight"] for side in "AB")
            assert np.allclose(both.tensors[name], tensor + 4 / 2 * b @ a)
            assert not np.array_equal(both.tensors[name], tensor)
        else:
            assert both.tensors[name] is tensor
    assert "pooler.dense.weight" not in weights.tensors


def test_names_with_a_prefix_and_the_scale_of_rslora(tmp_path: Path) -> None:
    plain = load_bert(write_bert(tmp_path / "plain"))
    prefixed = load_bert(write_bert(tmp_path / "prefixed", prefix="bert."))
    assert set(plain.tensors) == set(prefixed.tensors)
    scaled = load_encoder_branches(write_adapter(tmp_path / "scaled", config={"use_rslora": True}))
    assert {branch.scale for branch in scaled.values()} == {4 / 2**0.5}
    other = {
        f"base_model.model.bert.encoder.layer.0.output.dense.lora_{side}.weight": np.ones(shape, np.float32)
        for side, shape in (("A", (2, WIDE)), ("B", (HIDDEN, 2)))
    }
    branches = load_encoder_branches(write_adapter(tmp_path / "other", tensors=other))
    assert "encoder.layer.0.output.dense" in branches
    merged(plain, branches)


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.pooler.dense.lora_A.weight",
        "base_model.model.encoder.layer.0.attention.self.key.lora_A.weight",  # without its other side
        "base_model.model.encoder.layer.0.attention.self.query.lora_magnitude_vector",
        "base_model.model.encoder.layer.0.attention.self.query.bias",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
        "base_model.model.classifier.weight",
    ],
)
def test_an_adapter_with_a_tensor_that_would_go_unused_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_adapter(tmp_path / "adapter", tensors={name: np.ones((2, HIDDEN), np.float32)})
    with pytest.raises(ModelError, match="1 tensors of the adapter adapter were not recognised"):
        load_encoder_branches(folder)


@pytest.mark.parametrize("option", ["use_dora", "rank_pattern", "alpha_pattern", "modules_to_save"])
def test_more_than_plain_lora_is_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(ModelError, match=f"uses {option}"):
        load_encoder_branches(write_adapter(tmp_path / "adapter", config={option: {"query": 3}}))


@pytest.mark.parametrize(
    ("config", "tensors"),
    [
        ({"r": 3}, {}),
        ({"r": 0}, {}),
        ({"r": -2, "use_rslora": True}, {}),
        ({"lora_alpha": float("nan")}, {}),
        ({}, {"A": np.full((2, HIDDEN), np.nan, np.float32)}),
        ({}, {"A": np.ones(2, np.float32)}),
        ({}, {"B": np.ones((HIDDEN, 3), np.float32)}),
    ],
)
def test_tensors_that_do_not_have_the_rank_are_refused(
    tmp_path: Path, config: dict[str, Any], tensors: dict[str, np.ndarray]
) -> None:
    changed = {f"base_model.model.{next(iter(TENSORS))}.lora_{side}.weight": made for side, made in tensors.items()}
    with pytest.raises(ModelError, match="is damaged"):
        load_encoder_branches(write_adapter(tmp_path / "adapter", config=config, tensors=changed))


def test_missing_and_pickled_adapters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no adapter_model.safetensors\. Save"):
        load_encoder_branches(tmp_path)
    (tmp_path / "adapter_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match="a pickle, which is never loaded"):
        load_encoder_branches(tmp_path)
    folder = write_adapter(tmp_path / "adapter")
    for text in ("", "[]", "{}", '{"r": "many", "lora_alpha": 1}'):
        (folder / "adapter_config.json").write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match="is damaged"):
            load_encoder_branches(folder)


def test_an_adapter_of_another_encoder_is_refused(tmp_path: Path) -> None:
    weights = load_bert(write_bert(tmp_path / "base"))
    branch = LoraBranch(np.ones((2, HIDDEN), np.float32), np.ones((HIDDEN, 2), np.float32), 1.0)
    with pytest.raises(ModelError, match=r"changes encoder\.layer\.9\.output\.dense, which this encoder does not have"):
        merged(weights, {"encoder.layer.9.output.dense": branch})
    with pytest.raises(ModelError, match=r"does not fit encoder\.layer\.0\.output\.dense"):
        merged(weights, {"encoder.layer.0.output.dense": branch})


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "roberta"}, "'roberta' model"),
        ({"hidden_act": "relu"}, "reads BERT and MPNet with GELU"),
        ({"num_hidden_layers": 3}, r"encoder\.layer\.2\.attention\.self\.query\.weight is missing"),
        ({"num_hidden_layers": 0}, "cannot be read"),
        ({"num_attention_heads": 3}, "cannot be read"),
        ({"hidden_size": 16}, "misshapen"),
        ({"layer_norm_eps": None}, "cannot be read"),
    ],
)
def test_an_encoder_that_is_not_what_its_config_says_is_refused(
    tmp_path: Path, config: dict[str, Any], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        load_bert(write_bert(tmp_path / "base", config=config))


def test_a_damaged_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_bert(tmp_path)
    with pytest.raises(ModelError, match="weights of .* cannot be read"):
        weights_sha256(tmp_path)
    folder = write_bert(tmp_path / "base", leave_out="encoder.layer.1.output.LayerNorm.bias")
    with pytest.raises(ModelError, match=r"encoder\.layer\.1\.output\.LayerNorm\.bias is missing"):
        load_bert(folder)
    assert len(weights_sha256(folder)) == 64
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-8])
    with pytest.raises(ModelError, match="cannot be read"):
        load_bert(folder)


# What needs the bundled encoder: a random adapter, made with PEFT, and a random head.


@pytest.fixture(scope="module")
def peft_model(minilm: Path) -> Any:
    """Return MiniLM with a random LoRA on all its matrices."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModel

    torch.manual_seed(7)
    base = AutoModel.from_pretrained(minilm, add_pooling_layer=False, attn_implementation="eager")
    targets = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules=targets)).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def head(window_tokens: int, hidden: int = 384) -> ClauseHead:
    rng = np.random.default_rng(3)
    return ClauseHead(
        labels=LABELS,
        weight=rng.normal(size=(len(LABELS), hidden)).astype(np.float32),
        bias=rng.normal(size=len(LABELS)).astype(np.float32),
        calibration=Calibration((1.5, 1, 1, 1, 0.5), (-1, 0, 0, 0, 1)),
        thresholds=np.full(len(LABELS), 0.5, np.float32),
        window_tokens=window_tokens,
    )


@pytest.fixture(scope="module")
def adapter(peft_model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the random adapter, without a head."""
    folder = tmp_path_factory.mktemp("adapter")
    peft_model.save_pretrained(folder)
    return folder


def encoder(minilm: Path, adapter: Path, window_tokens: int) -> ClauseEncoder:
    save_head(head(window_tokens), adapter)
    return load_clause_encoder(minilm, adapter, model_id="minilm", adapter="random", precision="f32", threads=1)


def by_transformers(model: Any, minilm: Path, window_tokens: int, given: Sequence[AnnotatedClause]) -> np.ndarray:
    """Return the same logits, one window at a time, by transformers and PEFT."""
    import torch

    reader = load_window_reader(minilm, window_tokens)
    top = head(window_tokens)
    found = np.zeros((len(given), len(LABELS)), np.float32)
    for window in reader.windows(given):
        flat = [101, *(token for ids in window.token_ids for token in ids), 102]
        with torch.inference_mode():
            states = model(input_ids=torch.tensor([flat])).last_hidden_state[0].numpy()
        position = 1
        for place, ids in zip(window.clauses, window.token_ids, strict=True):
            found[place] = states[position : position + len(ids)].mean(axis=0) @ top.weight.T + top.bias
            position += len(ids)
    return found


@pytest.mark.models
@pytest.mark.parametrize("window_tokens", [0, 96])
def test_logits_equal_those_of_transformers_and_peft(
    minilm: Path, adapter: Path, peft_model: Any, window_tokens: int
) -> None:
    given = clauses(12) + clauses(3, position=False)
    fast = encoder(minilm, adapter, window_tokens).logits(given)
    expected = by_transformers(peft_model, minilm, window_tokens, given)
    assert np.ptp(expected) > 5
    assert np.abs(fast - expected).max() < 1e-3
    with peft_model.disable_adapter():
        base = by_transformers(peft_model, minilm, window_tokens, given)
    assert np.abs(base - expected).max() > 0.1  # the adapter does something


@pytest.mark.models
def test_batching_order_threads_and_emptiness_do_not_change_the_results(minilm: Path, adapter: Path) -> None:
    fast = encoder(minilm, adapter, 0)
    given = clauses(14) + clauses(2, repeat=20)
    together = fast.logits(given)
    alone = np.concatenate([fast.logits([clause]) for clause in given[::2]])
    assert np.abs(together[::2] - alone).max() < 1e-3
    assert np.abs(fast.logits(given[::-1])[::-1] - together).max() < 1e-3

    parts = [given[first::8] for first in range(8)]
    one_by_one = [fast.logits(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(fast.logits, parts))
    assert all(np.array_equal(a, b) for a, b in zip(one_by_one, at_once, strict=True))

    assert fast.logits([]).shape == fast.probabilities([]).shape == (0, len(LABELS))
    blank = fast.logits([AnnotatedClause("", " ", (), "k")])
    assert np.abs(blank - head(0).bias).max() < 1e-5


@pytest.mark.models
def test_probabilities_are_calibrated_and_progress_is_told(minilm: Path, adapter: Path) -> None:
    fast = encoder(minilm, adapter, 96)
    shares: list[float] = []
    given = clauses(30)
    logits = fast.logits(given)
    probabilities = fast.probabilities(given, shares.append)
    assert probabilities.dtype == np.float32
    expected = 1 / (1 + np.exp(-(np.array([1.5, 1, 1, 1, 0.5]) * logits + np.array([-1, 0, 0, 0, 1]))))
    assert np.allclose(probabilities, expected, atol=1e-6)
    assert shares == sorted(shares)
    assert len(shares) > 1
    assert shares[-1] == 1
    assert (fast.labels, fast.model_id, fast.adapter) == (LABELS, "minilm", "random")
    assert fast.thresholds.tolist() == [0.5] * len(LABELS)

    class StopError(Exception):
        pass

    def stop(_share: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        fast.logits(given, stop)
    assert np.array_equal(fast.logits(given), logits)


@pytest.mark.models
def test_what_does_not_fit_is_refused_before_anything_is_judged(minilm: Path, adapter: Path) -> None:
    def load() -> ClauseEncoder:
        return load_clause_encoder(minilm, adapter, model_id="minilm", adapter="random", threads=1)

    save_head(head(0, hidden=100), adapter)
    with pytest.raises(ModelError, match="head of random is 100 wide, the encoder 384"):
        load()
    save_head(head(600), adapter)
    with pytest.raises(ModelError, match="reads 600 tokens at once, the encoder at most 512"):
        load()
    (adapter / HEAD_FILE).unlink()
    with pytest.raises(AdapterError, match="cannot be read"):
        load()
