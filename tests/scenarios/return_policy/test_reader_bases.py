"""Readers of other bases than the bundled one: trained by the commands, bound to their base, and answering through it.

The bases are random models of other architectures and sizes with the bundled model's tokenizer and chat template.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from playground.adapters import (
    ROOT_VARIABLE,
    AdapterStore,
    StoredAdapter,
    branch_loader,
    check_model,
    default_root,
    reader_adapter,
)
from playground.answering.answer import answer_question
from playground.cli import main
from playground.cli import train_reader as command
from playground.documents import load_document
from playground.errors import AdapterError, ModelError, TrainingError
from playground.models.catalog import SMOLLM2
from playground.models.hugging_face import find_model_folder, weights_sha256
from playground.models.openvino.lora_branches import load_lora_branches
from playground.models.sources import BaseWeights, ModelChoice, base_weights, choice_from, load_chat_model
from playground.models.transformers_engine import ensure_dequantised, load_transformers_chat
from playground.paths import POLICIES, ROOT, SHIPPED_ADAPTERS
from playground.retrieval.index import build_index
from playground.training.language_model import bases as language_bases
from playground.training.language_model.bases import BUNDLED_BASE, LanguageBase, load_language_base
from playground.training.language_model.batches import to_batch
from playground.training.language_model.completions import PackedCompletions, TokenisedCompletion
from playground.training.language_model.network import _PACKABLE, load_lora_network, reads_packed_rows
from playground.training.language_model.settings import LanguageModelSettings
from playground.types import Embedder, Message
from playground.ui.shared import resources
from scenarios.return_policy import evaluation as scenario
from scenarios.return_policy.reader import training
from scripts import train_reader
from tests.support.fakes_adapters import writing

pytestmark = pytest.mark.usefixtures("one_thread")

SHORT = [
    *("--policies", "1", "--batch-examples", "16", "--validation-every", "1", "--validation-examples", "2"),
    *("--learning-rate", "0.02", "--rank", "4", "--alpha", "8", "--precision", "float32"),
]
SIZES: dict[str, dict[str, int]] = {
    "llama": {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2},
    "qwen2": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4},
}
Captured = pytest.CaptureFixture[str]


def write_base(folder: Path, kind: str, tokenizer_of: Path, seed: int = 0) -> Path:
    """Write a random model of an architecture, and the tokenizer of another folder; the seed decides the weights."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    config = AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), intermediate_size=64, max_position_embeddings=4096,
        bos_token_id=1, eos_token_id=2, pad_token_id=2, **SIZES[kind],
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
        for parameter in model.parameters():
            if parameter.ndim == 2:
                torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bases(smollm2_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, tokenizer_of = tmp_path_factory.mktemp("bases"), ensure_dequantised(smollm2_gguf)
    return {kind: write_base(folder / f"Tiny-{kind.title()}-Instruct", kind, tokenizer_of) for kind in SIZES}


@dataclass(frozen=True)
class Trained:
    """A store with a reader of each base: the Llama's from the command, with what that printed, the Qwen's from the
    script."""

    root: Path
    printed: str


@pytest.fixture(scope="module")
def trained(bases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root, printed = tmp_path_factory.mktemp("adapters"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setenv(ROOT_VARIABLE, str(root))
        patch.setattr(training, "EFFECT_QUESTIONS", 1)
        assert main(["train", "reader", "--out", "llama-reader", "--base", str(bases["llama"]), *SHORT]) == 0
        out = printed.getvalue()
        patch.setattr("sys.argv", ["train_reader.py", "--base", str(bases["qwen2"]), *SHORT])
        train_reader.main()
    return Trained(root, out)


@pytest.fixture
def store(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> AdapterStore:
    monkeypatch.setenv(ROOT_VARIABLE, str(trained.root))
    return AdapterStore(default_root(), shipped=SHIPPED_ADAPTERS)


NAMES = {"llama": "llama-reader", "qwen2": "policy-reader-tiny-qwen2-instruct"}


def about(folder: Path) -> ModelChoice:
    return ModelChoice("hugging_face", str(folder))


# --- trained, stored, used ------------------------------------------------------------------------------------------


@pytest.mark.models
@pytest.mark.parametrize("kind", SIZES)
def test_a_reader_of_another_base_is_stored_with_the_base_it_belongs_to(
    kind: str, bases: dict[str, Path], store: AdapterStore
) -> None:
    stored = store.get(NAMES[kind])
    manifest = stored.manifest
    assert (manifest.task, manifest.base_id) == ("reader", bases[kind].name)
    assert manifest.base_sha256 == weights_sha256(bases[kind])
    assert manifest.metrics["base_unchanged"] is True
    assert manifest.hyper_parameters["chat_format"] == "template"
    assert manifest.hyper_parameters["frozen_layers"] == 0
    branches = load_lora_branches(stored.folder)
    every = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    assert len(branches) == SIZES[kind]["num_hidden_layers"] * len(every)
    assert {name.rpartition(".")[2] for name in branches} == set(every)
    card = (stored.folder / "README.md").read_text()
    assert f"linear layers of {bases[kind].name}," in card and manifest.base_sha256[:16] in card
    assert f"--base {bases[kind].name}" in card and "SmolLM2" not in card
    written = card + (stored.folder / "adapter_config.json").read_text() + (stored.folder / "manifest.json").read_text()
    assert str(bases[kind].parent) not in written


@pytest.mark.models
@pytest.mark.parametrize("kind", SIZES)
def test_the_adapter_computes_what_peft_computes_and_leaves_the_base_alone(
    kind: str, bases: dict[str, Path], store: AdapterStore
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    stored = store.get(NAMES[kind])
    model = load_chat_model(about(bases[kind]), load_adapter=branch_loader(store, about(bases[kind])))
    ids = model._codec.encode([Message("system", "Be brief."), Message("user", "How long?")])  # type: ignore[attr-defined]
    load: Any = model._load_network  # type: ignore[attr-defined]
    base = AutoModelForCausalLM.from_pretrained(bases[kind])
    with torch.inference_mode():
        plain = base(torch.tensor([ids])).logits[0, -1].numpy()
        adapted = PeftModel.from_pretrained(base, stored.folder)(torch.tensor([ids])).logits[0, -1].numpy()
    assert np.abs(adapted - plain).max() > 0.1, "the adapter must matter for this test to say anything"
    for adapter, expected in ((None, plain), (stored.identity, adapted), (None, plain)):
        assert load(adapter)().extend(ids, 1)[-1] == pytest.approx(expected, abs=1e-3)


@pytest.mark.models
@pytest.mark.parametrize("kind", SIZES)
def test_the_bot_answers_through_it(kind: str, bases: dict[str, Path], store: AdapterStore, embedder: Embedder) -> None:
    model = load_chat_model(about(bases[kind]), load_adapter=branch_loader(store, about(bases[kind])))
    path = POLICIES / "northtrail-outdoor-v1.md"
    index = build_index(load_document(path.read_bytes(), path.name), embedder)
    identity = store.get(NAMES[kind]).identity
    settings = replace(scenario.bot_settings("rag+lora", adapter=identity), max_tokens=6)
    answer = answer_question("How long do I have to return boots?", index, model, settings)
    assert answer.completion.adapter == identity
    assert answer.completion.abstain_probability is not None
    first = [
        answer_question("How long?", index, model, replace(settings, max_tokens=1, abstain_at=at)).completion.text
        for at in (0.0, 1.01)
    ]
    assert first[0] == "I" != first[1], 'the first token of "I don\'t know.", or any other'


@pytest.mark.models
def test_it_is_evaluated_beside_prompting(
    bases: dict[str, Path], store: AdapterStore, tmp_path: Path, capsys: Captured
) -> None:
    words = [
        "evaluate",
        "return_policy",
        "--strategies",
        "rag,rag+lora",
        "--limit",
        "2",
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*words, "--model", str(bases["qwen2"]), "--adapter", NAMES["qwen2"], "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["strategies"]
    assert [row["adapter"] for row in rows] == [None, store.get(NAMES["qwen2"]).identity]
    assert [row["errors"] for row in rows] == [0, 0]


@pytest.mark.models
def test_the_summary_says_how_to_measure_it(
    bases: dict[str, Path], trained: Trained, store: AdapterStore, capsys: Captured
) -> None:
    base = bases["llama"]
    assert f"base {base.name}, weights {weights_sha256(base)[:16]}…: unchanged" in trained.printed
    assert f"--strategies rag,rag+lora --model {base} --adapter llama-reader" in trained.printed
    assert not list((trained.root / ".checkpoints" / "reader-llama-reader").glob("*"))
    assert main(["train", "reader", "--out", "llama-reader", "--base", str(base), *SHORT]) == 2
    assert "There is an adapter 'llama-reader' already" in capsys.readouterr().err


@pytest.mark.models
def test_as_json_it_is_one_object_and_it_is_active_when_asked(
    bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    monkeypatch.setattr(training, "EFFECT_QUESTIONS", 1)
    words = ["train", "reader", "--out", "mine", "--base", str(bases["qwen2"]), *SHORT, "--json"]
    assert main([*words, "--activate", "--max-minutes", "0.01"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["base"], found["activated"]) == ("mine", bases["qwen2"].name, True)
    assert found["base_unchanged"] is True and found["settings"]["rank"] == 4 and len(found["effects"]) == 1
    assert AdapterStore(tmp_path).active("reader").name == "mine"  # type: ignore[union-attr]


@pytest.mark.models
def test_two_processes_train_one_reader(bases: dict[str, Path], tmp_path: Path) -> None:
    launch = ["--multi_gpu", "--num_processes", "2", "--main_process_port", "0", "-m", "playground"]
    words = ["train", "reader", "--out", "both", "--base", str(bases["qwen2"]), *SHORT, "--epochs", "2", "--json"]
    result = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", *launch, *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
        env=os.environ | {ROOT_VARIABLE: str(tmp_path), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.count("\n") == 1, "one object, of the first process"
    assert AdapterStore(tmp_path).get("both").identity == json.loads(result.stdout)["identity"]


def test_an_interrupted_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def interrupted(*_given: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    monkeypatch.setattr(language_bases, "load_language_base", lambda _name: a_base(2))
    monkeypatch.setattr(training, "train_reader", interrupted)
    assert main(["train", "reader", "--out", "mine", "--base", "some"]) == 130
    assert "Run the same command again to go on" in capsys.readouterr().err


# --- the wrong base -------------------------------------------------------------------------------------------------


@pytest.mark.models
def test_a_wrong_base_is_refused_before_anything_is_loaded(
    bases: dict[str, Path], store: AdapterStore, tmp_path: Path, capsys: Captured
) -> None:
    words = ["evaluate", "return_policy", "--strategies", "rag+lora", "--out", str(tmp_path / "run")]
    for model, adapter, base in (
        (str(bases["qwen2"]), NAMES["llama"], "Tiny-Qwen2-Instruct"),
        ("bundled", NAMES["llama"], SMOLLM2.id),
        (str(bases["llama"]), "policy-reader", "Tiny-Llama-Instruct"),
    ):
        assert main([*words, "--model", model, "--adapter", adapter]) == 2
        sentence = capsys.readouterr().err
        assert f"The adapter {adapter!r} was trained on" in sentence and sentence.count("\n") == 1
        assert f"but the base at hand is {base}" in sentence
    # The engine looks for itself: whoever named the adapter did not have to ask.
    other = load_chat_model(about(bases["qwen2"]), load_adapter=branch_loader(store, about(bases["qwen2"])))
    with pytest.raises(AdapterError, match="was trained on Tiny-Llama-Instruct"):
        other.complete([Message("user", "Hello")], max_tokens=1, adapter=store.get(NAMES["llama"]).identity)


@pytest.mark.models
def test_weights_that_changed_are_another_base(bases: dict[str, Path], store: AdapterStore, tmp_path: Path) -> None:
    again = write_base(tmp_path / "renamed", "llama", bases["llama"])
    other = write_base(tmp_path / bases["llama"].name, "llama", bases["llama"], seed=1)
    stored = store.get(NAMES["llama"])
    check_model(stored, about(again))
    with pytest.raises(AdapterError, match="was trained on Tiny-Llama-Instruct .* at hand is Tiny-Llama-Instruct"):
        check_model(stored, about(other))


@pytest.mark.models
def test_an_adapter_of_other_sizes_is_no_traceback(bases: dict[str, Path], store: AdapterStore) -> None:
    branches = load_lora_branches(store.get(NAMES["llama"]).folder)
    few = {name: branch for name, branch in branches.items() if ".layers.2." not in name}
    for given, words in ((few, "has shapes"), (branches, "has no linear layer|has shapes")):
        model = load_transformers_chat(bases["qwen2"], load_adapter=lambda _name, given=given: given)
        with pytest.raises(ModelError, match=words):
            model.complete([Message("user", "Hello")], max_tokens=1, adapter="any")


# --- which adapter reads --------------------------------------------------------------------------------------------


@pytest.mark.models
def test_each_model_gets_the_reader_that_fits_it(
    bases: dict[str, Path], store: AdapterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def name_for(choice: ModelChoice | None) -> str:
        return reader_adapter(store, None, choice).name

    readers = {kind: name_for(about(folder)) for kind, folder in bases.items()}
    assert readers == NAMES
    store.activate(NAMES["qwen2"], "reader")
    try:
        assert name_for(None) == name_for(ModelChoice()) == "policy-reader"
        assert name_for(about(bases["qwen2"])) == NAMES["qwen2"]
        assert name_for(about(bases["llama"])) == NAMES["llama"]
        assert resources.reader_identity() == store.get("policy-reader").identity
        assert resources.reader_identity_of(str(bases["qwen2"])) == store.get(NAMES["qwen2"]).identity
        assert resources.reader_identity_of(str(bases["qwen2"].parent)) is None
        assert scenario.default_strategy(str(bases["qwen2"])) == scenario.default_strategy("bundled") == "rag+lora"
    finally:
        (store.root / ".active-reader.json").unlink()


def a_reader(store: AdapterStore, name: str, base: BaseWeights) -> StoredAdapter:
    given = {"task": "reader", "base_kind": "language_model", "labels": ()}
    return store.save(name, writing(name=name, base_id=base.id, base_sha256=base.sha256, **given))


def test_without_a_fitting_reader_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = AdapterStore(tmp_path)
    with pytest.raises(AdapterError, match=r"no adapter that reads passages.*playground train reader"):
        reader_adapter(store)
    a_reader(store, "own", BaseWeights("owner/known", "c" * 64))
    with pytest.raises(AdapterError, match=r"was trained on nobody/new: 'own' was trained on owner/known.*--base"):
        reader_adapter(store, None, ModelChoice("hugging_face", "nobody/new"))
    monkeypatch.setattr(scenario, "adapter_store", lambda: store)
    assert scenario.default_strategy("nobody/new") == scenario.default_strategy("bundled") == "rag"


def test_a_model_that_is_not_here_yet_is_known_by_its_id(tmp_path: Path) -> None:
    store = AdapterStore(tmp_path)
    stored = a_reader(store, "own", BaseWeights("owner/known", "c" * 64))
    assert reader_adapter(store, None, ModelChoice("hugging_face", "owner/known")) == stored
    with pytest.raises(AdapterError, match="'own' was trained on owner/known, not on owner/other"):
        reader_adapter(store, "own", ModelChoice("hugging_face", "owner/other"))


def test_a_model_of_the_hub_is_found_in_its_cache(
    tmp_path: Path, bases: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert find_model_folder("owner/tiny") is None
    cached = tmp_path / "models--owner--tiny"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    (cached / "snapshots" / "abc").symlink_to(bases["qwen2"])
    assert base_weights(choice_from("owner/tiny")) == BaseWeights("owner/tiny", weights_sha256(bases["qwen2"]))


# --- bases ----------------------------------------------------------------------------------------------------------


def a_base(layers: int) -> LanguageBase:
    return LanguageBase(
        "some", Path("some"), layers, BaseWeights("some", "d" * 64), ModelChoice("hugging_face", "some")
    )


def test_settings_are_fitted_to_the_base() -> None:
    bundled = replace(a_base(30), choice=ModelChoice())
    assert training.settings_for(bundled) == training.SETTINGS
    assert [training.settings_for(a_base(layers)).frozen_layers for layers in (1, 2, 24, 32)] == [0, 0, 6, 8]
    assert training.settings_for(a_base(24)).learning_rate == LanguageModelSettings().learning_rate


@pytest.mark.parametrize("kind", sorted(_PACKABLE))
def test_examples_that_share_a_row_lose_nothing(kind: str, tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = SIZES["qwen2"] | {"num_hidden_layers": 4, "max_position_embeddings": 512}
    config = AutoConfig.for_model(
        kind, vocab_size=50, intermediate_size=64, bos_token_id=1, eos_token_id=2, pad_token_id=2, **sizes
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    assert reads_packed_rows(tmp_path, 1024)
    prefix = tuple(range(3, 40))
    rests = tuple(TokenisedCompletion((5, 6 + number, 7, 8 + number), 2) for number in range(3))
    packed = [PackedCompletions(prefix, rests)]
    alone = [PackedCompletions(prefix, (rest,)) for rest in rests]
    cpu = torch.device("cpu")
    network = load_lora_network(tmp_path, cpu, rank=2, alpha=2, frozen_layers=0, precision="float32")
    with torch.no_grad():
        losses = [network.token_losses(to_batch(rows), cpu) for rows in (packed, alone)]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)


def test_other_architectures_and_short_windows_read_each_example_alone(tmp_path: Path) -> None:
    def packs(**config: object) -> bool:
        (tmp_path / "config.json").write_text(json.dumps(config))
        return reads_packed_rows(tmp_path, 1024)

    assert packs(model_type="mistral", sliding_window=None) and packs(model_type="mistral", sliding_window=4096)
    assert packs(model_type="qwen2", sliding_window=512, use_sliding_window=False)
    assert not packs(model_type="mistral", sliding_window=512)
    assert not packs(model_type="gemma3_text")


def test_every_setting_can_be_given_on_the_command_line() -> None:
    fields = {field.name for field in dataclasses.fields(LanguageModelSettings)}
    assert set(command.SETTINGS) == fields - {"chat_format"}


@pytest.mark.models
def test_the_bundled_base_is_bound_by_its_file(smollm2_gguf: Path) -> None:
    base = load_language_base(BUNDLED_BASE)
    assert (base.is_bundled, base.layers, base.chat_format) == (True, 30, "chatml")
    assert base.weights == BaseWeights(SMOLLM2.id, SMOLLM2.main_file.sha256)


@pytest.mark.models
def test_more_frozen_layers_than_there_are_is_a_sentence(
    bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    words = ["train", "reader", "--out", "mine", "--base", str(bases["qwen2"]), *SHORT, "--frozen-layers", "2"]
    assert main(words) == 2
    assert "2 frozen layers leave nothing to train: the base has 2." in capsys.readouterr().err
    assert not AdapterStore(tmp_path).list()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no readable config.json"),
        ({"config.json": "[]"}, "no readable config.json"),
        (
            {"config.json": '{"model_type": "bert", "num_hidden_layers": 6}'},
            "'bert', which is no causal language model",
        ),
        ({"config.json": '{"model_type": "llama", "num_hidden_layers": 2}'}, "holds no safetensors weights"),
        (
            {
                "config.json": '{"model_type": "llama", "num_hidden_layers": 2}',
                "model.safetensors.index.json": '{"weight_map": {"a": "../elsewhere.safetensors"}}',
            },
            "lacks a part of its weights",
        ),
        (
            {"config.json": '{"model_type": "llama", "num_hidden_layers": 2}', "model.safetensors": "\x05rubbish"},
            "cannot be read",
        ),
    ],
)
def test_a_folder_that_is_no_base_is_refused(files: dict[str, str], words: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(ModelError, match=words):
        load_language_base(str(tmp_path))


def test_a_base_that_is_nowhere_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    for base, words in (
        ("nobody/no-such-model", "'nobody/no-such-model' could not be fetched"),
        ("../no such/thing", "is neither a folder nor the id of a model. Use bundled, a folder"),
    ):
        assert main(["train", "reader", "--out", "mine", "--base", base]) == 2
        out, err = capsys.readouterr()
        assert words in err and err.count("\n") == 1 and not out


@pytest.mark.models
def test_the_hash_does_not_depend_on_how_the_weights_are_split(bases: dict[str, Path], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(bases["llama"])
    model.save_pretrained(tmp_path, max_shard_size="1MB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert weights_sha256(tmp_path) == weights_sha256(bases["llama"])
    (tmp_path / "model.safetensors.index.json").unlink()
    with pytest.raises(ModelError, match="holds no safetensors weights"):
        weights_sha256(tmp_path)


@pytest.mark.models
def test_remote_code_is_not_run(bases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_base(tmp_path / "own-code", "llama", bases["llama"])
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "own.Own", "AutoConfig": "own.OwnConfig"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "adapters"))
    plan = training.ReaderPlan("mine", 1, replace(LanguageModelSettings(), max_tokens=640), base=str(folder))
    with pytest.raises(TrainingError, match="could not be loaded|cannot be read"):
        training.train_reader(plan, AdapterStore(tmp_path / "adapters"))
    assert not (tmp_path / "ran").exists()
