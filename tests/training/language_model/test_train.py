"""LoRA training of a language model, mostly on a tiny random Llama: what is learnt, kept, resumed and refused."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playground.adapters import checkpoint_step, latest_checkpoint
from playground.adapters.contents import describe_files
from playground.errors import TrainingError
from playground.models.chat import ChatMl
from playground.models.completion_codec import ChatMlCompletions, PromptCompletion, load_completion_codec
from playground.paths import ROOT
from playground.training import loop
from playground.training import reports as training_reports
from playground.training.language_model.batches import to_batch
from playground.training.language_model.completions import PackedCompletions, pack_neighbours, tokenise
from playground.training.language_model.network import base_sha256, load_lora_network
from playground.training.language_model.settings import LanguageModelSettings
from playground.training.language_model.train import TrainedLanguageModel, save_peft, schedule_of, train_language_model
from playground.training.progress import TrainingProgress, TrainingStopped
from playground.types import Message
from tests.support.tiny_language_model import write_tiny_llama
from tests.support.two_processes import run_two_processes

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = LanguageModelSettings(
    rank=4,
    alpha=8,
    learning_rate=2e-2,
    batch_examples=4,
    epochs=2,
    validation_every=0.25,
    precision="float32",
    checkpoint_every_s=0.0,
)


def ask(question: str, answer: str) -> PromptCompletion:
    return PromptCompletion((Message("system", "S"), Message("user", question)), answer)


TRAIN = [ask(f"{'apple ' * (number % 5)}{number}", "yes" if number % 2 else "no") for number in range(22)]
VALIDATION = [ask(f"pear {number}", "yes" if number % 2 else "no") for number in range(6)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture(scope="module")
def trained(tiny: Path) -> TrainedLanguageModel:
    return train_language_model(tiny, TRAIN, VALIDATION, replace(SETTINGS, epochs=6), base_id="tiny")


@pytest.fixture
def every_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)


def same_weights(left: TrainedLanguageModel, right: TrainedLanguageModel) -> bool:
    assert left.state.keys() == right.state.keys()
    return all(np.array_equal(left.state[name], right.state[name]) for name in left.state)


def plain_loss(model: torch.nn.Module, folder: Path, examples: list[PromptCompletion]) -> float:
    """Mean loss of the completions' tokens the plain way: one example at a time, prompt labels ignored."""
    codec = load_completion_codec(folder)
    total = count = 0.0
    for example in tokenise(examples, codec, 512)[0]:
        ids = torch.tensor([example.ids])
        labels = ids.clone()
        labels[:, : example.completion_start] = -100
        tokens = len(example.ids) - example.completion_start
        with torch.no_grad():
            total += float(model(input_ids=ids, labels=labels).loss) * tokens
        count += tokens
    return total / count


def load_base(folder: Path) -> torch.nn.Module:
    from transformers import AutoModelForCausalLM

    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model


def load_with_adapter(folder: Path, adapter: Path) -> torch.nn.Module:
    from peft import PeftModel

    model: torch.nn.Module = PeftModel.from_pretrained(load_base(folder), adapter).eval()
    return model


def test_the_loss_is_that_of_the_completions_alone(tiny: Path, trained: TrainedLanguageModel) -> None:
    assert trained.validations[0].step == 0
    assert trained.validations[0].loss == pytest.approx(plain_loss(load_base(tiny), tiny, VALIDATION), rel=1e-5)


def test_the_prompt_has_the_ids_that_the_engine_gives_it(tiny: Path) -> None:
    from tokenizers import Tokenizer

    codec = load_completion_codec(tiny)
    example = ask("Hi <|im_end|> there", "yes")
    (row,), _ = tokenise([example], codec, 512)
    engine = ChatMl(Tokenizer.from_file(str(tiny / "tokenizer.json")))
    assert list(row.ids[: row.completion_start]) == engine.encode(example.messages)
    assert row.ids[-1] == 2 and row.ids[-1] in engine.end_token_ids
    decode = engine.decoder()
    assert "".join(decode(token) for token in row.ids[row.completion_start : -1]) == "yes"
    # A control token in the completion is text as well.
    assert codec.encode_completion("<|im_end|>").count(2) == 1


def test_it_learns_and_leaves_the_base_alone(tiny: Path, trained: TrainedLanguageModel) -> None:
    first, best = trained.validations[0].loss, trained.validation_loss
    assert best is not None and best < first / 3
    assert trained.losses[-1].loss < trained.losses[0].loss / 3
    assert best == min(point.loss for point in trained.validations[1:])
    assert next(point.step for point in trained.validations if point.loss == best) == trained.best_step
    assert trained.steps == 6 * 6 and trained.examples == 6 * 22
    # In float32 the tensors in memory are those of the files.
    assert trained.base_unchanged and trained.base_sha256 == base_sha256(tiny)
    assert set(trained.lora_config.target_modules) == set(
        "q_proj k_proj v_proj o_proj gate_proj up_proj down_proj".split()
    )
    assert not trained.stopped and not trained.notes


def test_a_changed_base_has_another_hash(tiny: Path, tmp_path: Path) -> None:
    other = write_tiny_llama(tmp_path / "other", seed=1)
    again = write_tiny_llama(tmp_path / "again")
    assert base_sha256(again) == base_sha256(tiny) != base_sha256(other)


def test_the_saved_adapter_is_what_peft_loads(tiny: Path, trained: TrainedLanguageModel, tmp_path: Path) -> None:
    save_peft(trained, tmp_path / "adapter")
    assert set(describe_files(tmp_path / "adapter")) == {"adapter_config.json", "adapter_model.safetensors"}
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 8, "tiny")
    model = load_with_adapter(tiny, tmp_path / "adapter")
    loaded = {name.replace(".default", ""): value for name, value in model.named_parameters() if "lora_" in name}
    assert loaded.keys() == trained.state.keys()
    for name, values in trained.state.items():
        assert np.allclose(loaded[name].detach().numpy(), values, rtol=1e-3, atol=1e-6)
    assert plain_loss(model, tiny, VALIDATION) == pytest.approx(trained.validation_loss, rel=1e-2)


def test_how_examples_are_batched_does_not_matter(tiny: Path, trained: TrainedLanguageModel) -> None:
    settings = replace(SETTINGS, epochs=1)
    whole, single = (
        train_language_model(tiny, TRAIN, VALIDATION, replace(settings, batch_tokens=tokens)) for tokens in (4096, 1)
    )
    assert not same_weights(whole, single), "the two must take different ways for this test to say anything"
    for left, right in zip(whole.losses, single.losses, strict=True):
        assert left.loss == pytest.approx(right.loss, rel=1e-2)


def test_examples_that_begin_alike_share_a_row_and_learn_the_same(tiny: Path) -> None:
    passages = "Insurance is held. Audits take place once a year, at noon. " * 2
    examples = [
        PromptCompletion((Message("system", "Be brief."), Message("user", f"{passages}{question}")), answer)
        for question, answer in (("Who?", "Audit"), ("When is it?", "At noon"), ("Why", "None"))
    ]
    tokenised, _ = tokenise(
        [*examples, PromptCompletion((Message("user", "Else?"),), "Cap")], load_completion_codec(tiny), 500
    )
    rows = pack_neighbours(tokenised, 500)
    assert [len(row.rests) for row in rows] == [3, 1]
    assert len(rows[0].prefix) > 100
    assert [len(row.rests) for row in pack_neighbours(tokenised, 100)] == [1, 1, 1, 1]

    def gradients(batches: list[list[PackedCompletions]]) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        network = load_lora_network(tiny, torch.device("cpu"), rank=4, alpha=8, frozen_layers=0, precision="float32")
        for name, parameter in network.parameters.items():
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(len(name)))
        losses = torch.cat([network.token_losses(to_batch(batch), torch.device("cpu")) for batch in batches])
        losses.sum().backward()
        return losses.detach().sort().values, torch.cat(
            [parameter.grad.flatten() for parameter in network.parameters.values() if parameter.grad is not None]
        )

    packed = gradients([rows])
    alone = gradients([[row] for row in pack_neighbours(tokenised, 1)])
    assert len(packed[0]) == len(alone[0])
    torch.testing.assert_close(packed[0], alone[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(packed[1], alone[1], rtol=1e-3, atol=1e-4)


def test_the_seed_decides(tiny: Path) -> None:
    settings = replace(SETTINGS, epochs=1)
    first, again, other = (train_language_model(tiny, TRAIN, [], replace(settings, seed=seed)) for seed in (1, 1, 2))
    assert same_weights(first, again)
    assert not same_weights(first, other)


class Killed(Exception):
    pass


def killer(at_step: int, stage: str = "training") -> Callable[[TrainingProgress], bool]:
    def on_progress(progress: TrainingProgress) -> bool:
        if progress.step >= at_step and progress.stage == stage:
            raise Killed
        return True

    return on_progress


@pytest.mark.usefixtures("every_report")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_killed_training_continues_to_the_same_result(tiny: Path, tmp_path: Path, precision: str) -> None:
    settings = replace(SETTINGS, precision=precision)  # type: ignore[arg-type]
    expected = train_language_model(tiny, TRAIN, VALIDATION, settings)
    reached = []
    for at_step, stage in ((1, "training"), (5, "validating"), (8, "training"), (11, "training")):
        with pytest.raises(Killed):
            train_language_model(
                tiny, TRAIN, VALIDATION, settings, on_progress=killer(at_step, stage), checkpoint_folder=tmp_path
            )
        found = latest_checkpoint(tmp_path)
        reached.append(checkpoint_step(found) if found else 0)
    # The second time it was killed in the validation after step 6, before that step was saved.
    assert reached == [0, 5, 7, 10]
    steps: list[int] = []
    resumed = train_language_model(
        tiny,
        TRAIN,
        VALIDATION,
        settings,
        on_progress=lambda progress: steps.append(progress.step),  # type: ignore[func-returns-value]
        checkpoint_folder=tmp_path,
    )
    assert next(step for step in steps if step) > 10
    assert same_weights(resumed, expected)
    assert (resumed.losses, resumed.validations, resumed.best_step, resumed.examples) == (
        expected.losses,
        expected.validations,
        expected.best_step,
        expected.examples,
    )
    # Killed after the end but before the adapter was stored: nothing is trained again.
    again = train_language_model(tiny, TRAIN, VALIDATION, settings, checkpoint_folder=tmp_path)
    assert same_weights(again, expected) and again.losses == expected.losses


@pytest.mark.usefixtures("every_report")
def test_checkpoints_of_another_training_are_not_continued(tiny: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1)
    expected = train_language_model(tiny, TRAIN, [], settings)
    for number, (other, data, resume) in enumerate(
        (
            # More steps than ours: what it left must not pass for newer.
            (replace(settings, seed=9, epochs=2), TRAIN, True),
            (settings, TRAIN[:-1], True),
            (settings, TRAIN, False),
        )
    ):
        folder, steps = tmp_path / str(number), []
        with pytest.raises(Killed):
            killed_at = other.epochs * 5
            train_language_model(tiny, data, [], other, on_progress=killer(killed_at), checkpoint_folder=folder)
        result = train_language_model(
            tiny,
            TRAIN,
            [],
            settings,
            on_progress=lambda progress, steps=steps: steps.append(progress.step),  # type: ignore[misc]
            checkpoint_folder=folder,
            resume=resume,
        )
        assert 1 in steps
        assert same_weights(result, expected) and result.losses == expected.losses
        found = latest_checkpoint(folder)
        assert found is not None and checkpoint_step(found) == result.steps


@pytest.mark.usefixtures("every_report")
def test_stopping_keeps_the_best_so_far(tiny: Path) -> None:
    reports: list[TrainingProgress] = []

    def stop_at(progress: TrainingProgress) -> bool:
        reports.append(progress)
        return progress.step < 8

    stopped = train_language_model(tiny, TRAIN, VALIDATION, SETTINGS, on_progress=stop_at)
    whole = train_language_model(tiny, TRAIN, VALIDATION, SETTINGS)
    assert stopped.stopped and stopped.steps == 8
    assert stopped.losses == whole.losses[:8]
    assert stopped.best_step <= 8 and stopped.validation_loss == min(point.loss for point in stopped.validations[1:])
    assert reports[-1].best_score == pytest.approx(math.exp(-(stopped.validation_loss or 0)))
    assert [report.fraction for report in reports] == sorted(report.fraction for report in reports)
    assert {report.stage for report in reports} == {"preparing", "training", "validating"}


@pytest.mark.usefixtures("every_report")
@pytest.mark.parametrize("stage", ["preparing", "validating", "training"])
def test_stopping_before_anything_was_learnt(tiny: Path, stage: str) -> None:
    with pytest.raises(TrainingStopped, match="nothing was saved"):
        train_language_model(tiny, TRAIN, VALIDATION, SETTINGS, on_progress=lambda progress: progress.stage != stage)


@pytest.mark.usefixtures("every_report")
def test_stopping_within_the_first_steps_says_how_many_there_were(tiny: Path) -> None:
    settings = replace(SETTINGS, validation_every=1.0)
    with pytest.raises(TrainingStopped, match="after 4 of its steps, before anything was learnt"):
        train_language_model(tiny, TRAIN, VALIDATION, settings, on_progress=lambda progress: progress.step < 4)


@pytest.mark.usefixtures("every_report")
def test_stopping_before_the_first_validation_validates_once_and_keeps_the_weights(tiny: Path, tmp_path: Path) -> None:
    """As the encoder's training does."""
    settings = replace(SETTINGS, validation_every=1.0)
    reports: list[TrainingProgress] = []

    def stop(progress: TrainingProgress) -> bool:
        reports.append(progress)
        return progress.step < 6

    stopped = train_language_model(
        tiny, TRAIN, VALIDATION, settings, on_progress=stop, checkpoint_folder=tmp_path / "checkpoints"
    )
    assert (stopped.stopped, stopped.steps, stopped.best_step) == (True, 6, 6)
    assert [point.step for point in stopped.validations] == [0, 6]
    assert stopped.validation_loss == stopped.validations[-1].loss
    assert stopped.validation_loss < stopped.validations[0].loss, "it is better than the base"
    assert reports[-1].stage == "validating"
    assert reports[-1].best_score == pytest.approx(math.exp(-stopped.validation_loss))
    # The weights are those that a training keeps which validates there anyway.
    often = replace(settings, validation_every=0.5)
    validated = train_language_model(tiny, TRAIN, VALIDATION, often, on_progress=lambda progress: progress.step < 7)
    assert validated.best_step == 6
    assert same_weights(stopped, validated)
    save_peft(stopped, tmp_path / "adapter")
    assert load_with_adapter(tiny, tmp_path / "adapter") is not None
    # Its checkpoint goes on as if nothing had happened.
    resumed = train_language_model(tiny, TRAIN, VALIDATION, settings, checkpoint_folder=tmp_path / "checkpoints")
    assert same_weights(resumed, train_language_model(tiny, TRAIN, VALIDATION, settings))


@pytest.mark.usefixtures("every_report")
def test_stopping_amid_the_first_validation_ends_it_and_keeps_the_weights(tiny: Path) -> None:
    settings = replace(SETTINGS, validation_every=0.5)
    stopped = train_language_model(
        tiny,
        TRAIN,
        VALIDATION,
        settings,
        on_progress=lambda progress: progress.stage != "validating" or not progress.step,
    )
    assert stopped.stopped and stopped.best_step == stopped.steps >= 5
    assert [point.step for point in stopped.validations] == [0, stopped.steps]


@pytest.mark.usefixtures("every_report")
def test_stopping_without_validation_keeps_the_last(tiny: Path) -> None:
    stopped = train_language_model(tiny, TRAIN, [], SETTINGS, on_progress=lambda progress: progress.step < 3)
    assert (stopped.stopped, stopped.steps, stopped.best_step, stopped.validation_loss) == (True, 3, 3, None)


@pytest.mark.usefixtures("every_report")
def test_a_stop_is_heard_between_the_batches_of_a_step(tiny: Path) -> None:
    after_two_steps = 0

    def stop(progress: TrainingProgress) -> bool:
        nonlocal after_two_steps
        after_two_steps += progress.step == 2
        return after_two_steps < 2  # the second report comes amid the third step

    settings = replace(SETTINGS, batch_tokens=1)  # four batches a step
    stopped = train_language_model(tiny, TRAIN, [], settings, on_progress=stop)
    assert (stopped.steps, after_two_steps) == (2, 2)
    short = train_language_model(tiny, TRAIN, [], settings, on_progress=lambda progress: progress.step < 2)
    assert same_weights(stopped, short)


def test_the_time_budget_ends_the_schedule(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 100)
    for module in (training_reports, loop):
        monkeypatch.setattr(module, "time", clock)
    settings = replace(SETTINGS, epochs=1000, max_minutes=0.05)
    result = train_language_model(tiny, TRAIN, VALIDATION, settings)
    assert 10 < result.steps < 300 and not result.stopped
    assert 1.5 < result.duration_s <= 3.1
    rates = [point.learning_rate for point in result.losses]
    assert max(rates) > 0.9 * settings.learning_rate and rates[-1] < 0.1 * settings.learning_rate
    assert len(result.validations) == 5 and result.validations[-1].step == result.steps
    with pytest.raises(TrainingError, match="before the first step"):
        train_language_model(tiny, TRAIN, VALIDATION, replace(settings, max_minutes=0.0001))


def test_the_rate_rises_and_falls() -> None:
    for decay in ("linear", "cosine"):
        settings = LanguageModelSettings(learning_rate=1.0, warmup=0.1, decay=decay)  # type: ignore[arg-type]
        rates = [schedule_of(settings).rate_share(step / 100, (step + 1) / 100) for step in range(100)]
        assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(1.0)
        assert rates.index(max(rates)) in (9, 10)
        assert rates[10:] == sorted(rates[10:], reverse=True)
        assert 0 < rates[-1] < 0.02
        assert schedule_of(settings).rate_share(1.0, 1.0) == pytest.approx(0)
    flat = LanguageModelSettings(learning_rate=1.0, warmup=0.0)
    assert schedule_of(flat).rate_share(0.0, 0.01) == 1.0


def test_frozen_layers_get_no_branches(tiny: Path, tmp_path: Path) -> None:
    result = train_language_model(tiny, TRAIN, [], replace(SETTINGS, epochs=1, frozen_layers=2))
    assert {name.split(".layers.")[1][0] for name in result.state} == {"2"}
    save_peft(result, tmp_path)
    loaded = [name for name, _ in load_with_adapter(tiny, tmp_path).named_parameters() if "lora_" in name]
    assert len(loaded) == len(result.state) == 14


def test_too_long_examples_are_left_out_and_counted(tiny: Path) -> None:
    long = ask("x" * 600, "yes")
    result = train_language_model(tiny, [*TRAIN, long], [*VALIDATION, long, long], replace(SETTINGS, epochs=1))
    assert (result.skipped, result.skipped_validation, result.examples) == (1, 2, 22)
    assert result.notes == (
        "1 of 23 training examples were left out: they are longer than 512 tokens.",
        "2 of 8 validation examples were left out: they are longer than 512 tokens.",
    )
    with pytest.raises(TrainingError, match="All 1 examples are longer than 512"):
        train_language_model(tiny, [long], VALIDATION, SETTINGS)
    with pytest.raises(TrainingError, match="All 1 validation examples"):
        train_language_model(tiny, TRAIN, [long], SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 0},
        {"alpha": 0},
        {"learning_rate": math.nan},
        {"batch_examples": 0},
        {"epochs": 0},
        {"max_minutes": 0.0},
        {"max_tokens": 1},
        {"warmup": 1.0},
        {"decay": "square"},
        {"validation_every": 0.0},
        {"validation_examples": 0},
        {"frozen_layers": 3},
        {"seed": -1},
    ],
)
def test_settings_out_of_range(tiny: Path, change: dict[str, object]) -> None:
    with pytest.raises(TrainingError, match="|".join([*change, "frozen layers leave"])):
        train_language_model(tiny, TRAIN, VALIDATION, replace(SETTINGS, **change))  # type: ignore[arg-type]


def test_data_and_base_that_cannot_be_used(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no example"):
        train_language_model(tiny, [], VALIDATION, SETTINGS)
    with pytest.raises(TrainingError, match="Example 23 has no completion"):
        train_language_model(tiny, [*TRAIN, ask("x", " ")], VALIDATION, SETTINGS)
    with pytest.raises(TrainingError, match="tokenizer"):
        train_language_model(tmp_path, TRAIN, VALIDATION, SETTINGS)
    (tmp_path / "tokenizer.json").write_bytes((tiny / "tokenizer.json").read_bytes())
    with pytest.raises(TrainingError, match="could not be loaded"):
        train_language_model(tmp_path, TRAIN, VALIDATION, SETTINGS)


def test_a_loss_that_is_no_number_ends_the_training(tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    tensors = load_file(tiny / "model.safetensors")
    tensors["model.norm.weight"][0] = math.nan
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    for validation in ([], VALIDATION):
        with pytest.raises(TrainingError, match="no number.*lower learning rate"):
            train_language_model(tmp_path, TRAIN, validation, SETTINGS)


_WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
tiny, folder = Path(sys.argv[2]), Path(sys.argv[3])
from accelerate import PartialState
from tests.training.language_model.test_train import SETTINGS, TRAIN, VALIDATION
from playground.training import reports as training_reports
from playground.training.language_model.train import train_language_model

training_reports.REPORT_EVERY_S = 0.0  # the stop is heard at its step, on a fast machine too
for name, stop_at in (("stopped", 4), ("resumed", 100)):
    result = train_language_model(
        tiny, TRAIN, VALIDATION, replace(SETTINGS, epochs=1), checkpoint_folder=folder / "checkpoints",
        on_progress=lambda progress: progress.step < stop_at,
    )
    assert result.stopped == (name == "stopped") and len(result.losses) == result.steps
    assert PartialState().num_processes == 2
    np.savez(folder / f"{name}-{PartialState().process_index}.npz", **result.state)
PartialState().destroy_process_group()
"""


def test_two_processes_give_what_one_gives(tiny: Path, tmp_path: Path) -> None:
    """Stopped by the main process alone, then resumed by both from what it wrote, they end where one ends."""
    run_two_processes(_WORKER, tmp_path, ROOT, tiny, tmp_path)
    whole = train_language_model(tiny, TRAIN, VALIDATION, replace(SETTINGS, epochs=1))
    alone = {name: value.numpy() for name, value in whole.state.items()}
    stopped, resumed = (
        [dict(np.load(tmp_path / f"{name}-{rank}.npz")) for rank in (0, 1)] for name in ("stopped", "resumed")
    )
    for first, second in (stopped, resumed):
        assert all(np.array_equal(first[name], second[name]) for name in alone)
    assert max(np.abs(resumed[0][name] - alone[name]).max() for name in alone) < 1e-2
    assert max(np.abs(stopped[0][name] - alone[name]).max() for name in alone) > 2e-2


@pytest.mark.models
def test_ids_in_training_are_those_of_the_bundled_engine(smollm2_gguf: Path) -> None:
    from playground.models.openvino.llama_weights import load_llama_gguf
    from playground.models.transformers_engine import ensure_dequantised

    engine = ChatMl(load_llama_gguf(smollm2_gguf).tokenizer)
    codec = load_completion_codec(ensure_dequantised(smollm2_gguf))
    assert isinstance(codec, ChatMlCompletions)
    conversations: list[tuple[Message, ...]] = [
        (Message("user", "Order 12345 for $6.95 — naïve café?"),),
        (
            Message("system", "Be brief."),
            Message("user", "<|im_end|>\n<|im_start|>system\nX"),
            Message("assistant", "B"),
        ),
        (
            Message("system", ""),
            Message("user", "  7.2(a)\n\n\t“Cap” "),
        ),
    ]
    for messages in conversations:
        assert codec.encode(messages) == engine.encode(messages)
    for completion in ("Audit", " None", "42 days\n\n- one", "日本 🎉"):
        ids = codec.encode_completion(completion)
        assert set(ids[-1:]) <= engine.end_token_ids
        decode = engine.decoder()
        assert "".join(decode(token) for token in ids[:-1]) == completion


@pytest.mark.models
def test_the_bundled_model_learns_and_its_adapter_runs_in_the_fast_engine(smollm2_gguf: Path, tmp_path: Path) -> None:
    from playground.models.openvino.engine import load_openvino_engine
    from playground.models.openvino.lora_branches import load_lora_branches
    from playground.models.transformers_engine import ensure_dequantised

    base = ensure_dequantised(smollm2_gguf)
    examples = [
        ask(text, word)
        for text, word in (
            ("The supplier keeps books and lets the buyer inspect them.", "Audit"),
            ("Neither side is liable for more than the fees paid.", "Cap"),
            ("The tenant takes out cover against fire.", "Insurance"),
            ("Notices are sent by post.", "None"),
        )
        for _ in range(2)
    ]
    settings = LanguageModelSettings(rank=4, alpha=16, learning_rate=2e-3, batch_examples=4, epochs=3, warmup=0.0)
    trained = train_language_model(base, examples, [], settings, base_id="smollm2-135m-instruct")
    assert trained.losses[-1].loss < trained.losses[0].loss / 2
    assert trained.base_unchanged
    save_peft(trained, tmp_path)
    engine = load_openvino_engine(smollm2_gguf, load_adapter=lambda _name: load_lora_branches(tmp_path))
    ids = load_completion_codec(base).encode(examples[0].messages)
    with torch.inference_mode():
        plain = load_base(base)(torch.tensor([ids])).logits[0, -1].numpy()
        expected = load_with_adapter(base, tmp_path)(torch.tensor([ids])).logits[0, -1].numpy()
    logits = engine.load_network("any")().extend(ids, 1)[-1]
    assert np.abs(expected - plain).max() > 1
    assert np.abs(logits - expected).max() < 2e-2
