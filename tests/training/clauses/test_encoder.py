"""LoRA on an encoder: a tiny random BERT learns, stops, resumes and is saved as the fast engine reads it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from playground.errors import TrainingError
from playground.flagging.encoder import load_clause_encoder
from playground.flagging.windows import load_window_reader
from playground.measuring.clause_metrics import micro_ap
from playground.paths import ROOT
from playground.training import loop
from playground.training import reports as training_reports
from playground.training.clauses import encoder as training
from playground.training.clauses.encoder import EncoderTask, TrainedEncoder, save_encoder, train_encoder
from playground.training.clauses.encoder_network import load_encoder_with_head
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.loop import TrainingLoop
from playground.training.master_weights import MasterWeights
from playground.training.processes import Processes
from playground.training.progress import TrainingProgress, TrainingStopped
from playground.types import AnnotatedClause
from tests.support.tiny_encoder import write_tiny_encoder
from tests.support.two_processes import run_two_processes

LABELS = ("Insurance", "Audit Rights")
WORDS = "the supplier shall hold insurance cover may audit books pay price on time goods notice party law".split()
SETTINGS = EncoderSettings(
    rank=4, alpha=4, learning_rate=5e-3, head_learning_rate=5e-2, epochs=4, batch_tokens=64, validations=4
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random BERT of two layers with a vocabulary of a few words."""
    return write_tiny_encoder(tmp_path_factory.mktemp("tiny-bert"), WORDS)


def clauses(count: int, contract: str) -> tuple[AnnotatedClause, ...]:
    """Return clauses about insurance, about audits and about neither, in turn."""
    generator = np.random.default_rng(len(contract) + count)
    found = []
    for number in range(count):
        about, label = [("insurance cover", "Insurance"), ("audit books", "Audit Rights"), ("price", "")][number % 3]
        filler = " ".join(generator.choice(WORDS[:4] + WORDS[9:], 3 + number % 5))
        text = f"{filler.replace('insurance', '')} {about} {filler[::-1].split()[0]}"
        found.append(AnnotatedClause(f"{contract}{number}", text, (label,) if label else (), contract))
    return tuple(found)


TRAIN, VALIDATION = clauses(48, "train"), clauses(18, "validation")
SPLIT = TrainingSplit(LABELS, TRAIN, VALIDATION, ())


def trained_on(tiny: Path, settings: EncoderSettings = SETTINGS, **options: object) -> TrainedEncoder:
    return train_encoder(tiny, SPLIT, settings, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(tiny: Path) -> TrainedEncoder:
    return trained_on(tiny)


def same(left: TrainedEncoder, right: TrainedEncoder) -> bool:
    return left.state.keys() == right.state.keys() and all(
        torch.equal(value, right.state[name]) for name, value in left.state.items()
    )


def test_it_learns_and_leaves_the_base_alone(trained: TrainedEncoder) -> None:
    gold = np.array([[label in clause.labels for label in LABELS] for clause in VALIDATION])
    assert trained.best_score == pytest.approx(micro_ap(trained.validation_scores, gold))
    assert trained.best_score is not None and trained.best_score > 0.9
    assert trained.base_sha256_before == trained.base_sha256_after
    assert not trained.stopped
    losses = [report.loss for report in trained.history if report.loss is not None]
    assert losses[-1] < losses[0]


def test_the_best_weights_are_kept_not_the_last(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.2, 0.9, 0.4, 0.3])
    monkeypatch.setattr(training, "micro_ap", lambda _scores, _gold: next(scores))
    states: list[dict[str, torch.Tensor]] = []
    copy = MasterWeights.copy

    def note(self: MasterWeights) -> torch.Tensor:
        kept = copy(self)
        states.append({name: value.clone() for name, value in self.named(kept).items()})
        return kept

    monkeypatch.setattr(MasterWeights, "copy", note)
    result = trained_on(tiny)
    assert result.best_score == 0.9
    assert len(states) == 2  # 0.2, then 0.9
    assert all(torch.equal(value, states[1][name]) for name, value in result.state.items())


def test_the_seed_decides(tiny: Path, trained: TrainedEncoder) -> None:
    assert same(trained_on(tiny), trained)
    assert not same(trained_on(tiny, replace(SETTINGS, seed=1)), trained)


class Killed(Exception):
    pass


def killer(at_step: int) -> Callable[[TrainingProgress], bool]:
    def report(progress: TrainingProgress) -> bool:
        if progress.step >= at_step and progress.stage == "training":
            raise Killed
        return True

    return report


@pytest.mark.parametrize("at_step", [3, 11])
def test_a_killed_training_continues_to_the_same_result(
    tiny: Path, trained: TrainedEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: int
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    with pytest.raises(Killed):
        trained_on(tiny, on_progress=killer(at_step), checkpoint_folder=tmp_path)
    steps: list[int] = []

    def note(progress: TrainingProgress) -> bool:
        steps.append(progress.step)
        return True

    resumed = trained_on(tiny, on_progress=note, checkpoint_folder=tmp_path)
    assert min(step for step in steps if step) >= at_step - 1  # it did not begin again
    assert same(resumed, trained)
    assert resumed.best_score == trained.best_score
    assert resumed.examples == trained.examples


def test_checkpoints_of_other_settings_are_not_continued(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    with pytest.raises(Killed):
        trained_on(tiny, on_progress=killer(5), checkpoint_folder=tmp_path)
    other = replace(SETTINGS, seed=3)
    assert same(trained_on(tiny, other, checkpoint_folder=tmp_path), trained_on(tiny, other))


def test_a_changed_limit_goes_on_with_what_is_there(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    with pytest.raises(Killed):
        trained_on(tiny, replace(SETTINGS, max_minutes=50.0), on_progress=killer(5), checkpoint_folder=tmp_path)
    steps: list[int] = []
    trained_on(tiny, on_progress=lambda progress: steps.append(progress.step), checkpoint_folder=tmp_path)
    assert min(step for step in steps if step) >= 4


def test_the_limit_counts_from_the_first_step_and_never_ends_the_first_pass(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: time.perf_counter() + late[0])
    for module in (training_reports, loop):
        monkeypatch.setattr(module, "time", clock)
    begin, step = EncoderTask.begin, TrainingLoop._step

    def slow_begin(self: EncoderTask) -> None:
        late[0] += 1000.0
        begin(self)

    monkeypatch.setattr(EncoderTask, "begin", slow_begin)
    ample = trained_on(tiny, replace(SETTINGS, max_minutes=10.0))
    assert ample.examples == SETTINGS.epochs * len(TRAIN), "what came before the first step cost nothing"
    assert ample.duration_s < 600

    def slow_step(self: TrainingLoop[object], fraction: float) -> bool:
        late[0] += 60.0
        return step(self, fraction)

    monkeypatch.setattr(TrainingLoop, "_step", slow_step)
    short = trained_on(tiny, replace(SETTINGS, max_minutes=1.5))
    assert short.examples == len(TRAIN), "one pass, and nothing beyond it"
    left = [report.remaining_s for report in short.history if report.remaining_s is not None]
    assert min(left) >= 0


def test_a_stop_keeps_the_best_so_far(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    stopped = trained_on(tiny, on_progress=lambda progress: progress.best_score is None)
    assert stopped.stopped
    assert stopped.best_score is not None
    assert stopped.base_sha256_before == stopped.base_sha256_after


def test_a_stop_before_anything_was_learnt_saves_nothing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    for validation in (VALIDATION, ()):
        with pytest.raises(TrainingStopped, match="after 1 of its steps, before anything was learnt"):
            train_encoder(
                tiny,
                replace(SPLIT, validation=validation),
                SETTINGS,
                on_progress=lambda progress: progress.stage == "preparing",
            )


def test_a_stop_before_the_first_validation_validates_once_and_keeps_the_weights(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_reports, "REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY_S", 0.0)
    settings = replace(SETTINGS, validations=1)
    reports: list[TrainingProgress] = []

    def stop(progress: TrainingProgress) -> bool:
        reports.append(progress)
        return progress.step < 6

    stopped = trained_on(tiny, settings, on_progress=stop, checkpoint_folder=tmp_path)
    assert (stopped.stopped, stopped.steps) == (True, 6)
    assert [progress.stage for progress in reports].count("validating") == 1
    gold = np.array([[label in clause.labels for label in LABELS] for clause in VALIDATION])
    assert stopped.best_score == pytest.approx(micro_ap(stopped.validation_scores, gold))
    # Its checkpoint goes on as if nothing had happened, and a stop after a resumption counts the steps before it.
    again = trained_on(tiny, settings, on_progress=lambda progress: progress.step < 6, checkpoint_folder=tmp_path)
    assert again.steps == 6
    assert same(again, stopped)
    assert same(trained_on(tiny, settings, checkpoint_folder=tmp_path), trained_on(tiny, settings))


def test_without_validation_the_last_weights_are_kept(tiny: Path) -> None:
    result = train_encoder(tiny, replace(SPLIT, validation=()), SETTINGS)
    assert result.best_score is None
    assert result.validation_scores.shape == (0, len(LABELS))


def test_the_time_budget_ends_the_schedule(tiny: Path) -> None:
    result = trained_on(tiny, replace(SETTINGS, epochs=10_000, max_minutes=0.02))
    assert 0 < result.steps < 10_000
    assert result.history[-1].fraction == 1.0


def test_some_clauses_without_labels_are_drawn_anew_for_each_epoch(tiny: Path) -> None:
    settings = replace(SETTINGS, negative_share=0.25)
    processes = Processes()
    network = load_encoder_with_head(tiny, len(LABELS), settings, processes.device)
    few = EncoderTask(SPLIT, settings, load_window_reader(tiny, 0), network, processes)
    drawn = [{place for batch in few.epoch(epoch) for window in batch for place in window.clauses} for epoch in (0, 1)]
    carrying = {place for place, clause in enumerate(TRAIN) if clause.labels}
    assert all(carrying <= places and len(places - carrying) == 4 for places in drawn)
    assert drawn[0] != drawn[1]


def test_what_was_added_is_read_so_often_in_every_epoch_with_or_without_a_label(tiny: Path) -> None:
    settings = replace(SETTINGS, negative_share=0.25, added_passes=3)
    processes = Processes()
    network = load_encoder_with_head(tiny, len(LABELS), settings, processes.device)
    split = TrainingSplit(LABELS, (*TRAIN, *clauses(6, "added")), VALIDATION, (), added=6)
    task = EncoderTask(split, settings, load_window_reader(tiny, 0), network, processes)
    for epoch in (0, 1):
        read = Counter(place for batch in task.epoch(epoch) for window in batch for place in window.clauses)
        assert {place: n for place, n in read.items() if place >= len(TRAIN)} == dict.fromkeys(range(48, 54), 3)
        assert {n for place, n in read.items() if place < len(TRAIN)} == {1}


def test_the_saved_adapter_says_the_same_on_the_fast_engine(
    tiny: Path, trained: TrainedEncoder, tmp_path: Path
) -> None:
    save_encoder(trained, tmp_path, base_id="tiny-bert")
    encoder = load_clause_encoder(tiny, tmp_path, model_id="tiny-bert", adapter="test", precision="f32")
    # Trained in bfloat16 where the processor can, judged in float32 here.
    assert encoder.logits(VALIDATION) == pytest.approx(trained.validation_scores, abs=0.15)
    assert (encoder.logits(VALIDATION) > 0).tolist() == (trained.validation_scores > 0).tolist()


@pytest.mark.parametrize("window_tokens", [0, 48])
def test_an_mpnet_learns_and_says_the_same_on_the_fast_engine(tmp_path: Path, window_tokens: int) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "adapter").mkdir()
    base = write_tiny_encoder(tmp_path / "base", WORDS, "mpnet")
    settings = replace(SETTINGS, window_tokens=window_tokens)
    trained = trained_on(base, settings)
    assert trained.best_score is not None
    assert trained.best_score > 0.95
    assert trained.base_sha256_before == trained.base_sha256_after
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in trained.state if "lora_" in name} == {
        *("q", "k", "v", "o", "dense"),
    }
    save_encoder(trained, tmp_path / "adapter", base_id="tiny-mpnet")
    encoder = load_clause_encoder(base, tmp_path / "adapter", model_id="tiny", adapter="test", precision="f32")
    # Trained in bfloat16 where the processor can, judged in float32 here.
    assert encoder.logits(VALIDATION) == pytest.approx(trained.validation_scores, abs=0.15)


def test_an_mpnet_equals_transformers_at_every_distance(tmp_path: Path) -> None:
    from transformers import AutoModel

    from playground.models.openvino.bert import build_bert
    from playground.models.openvino.bert_weights import load_bert
    from playground.models.openvino.llama import import_openvino

    weights = load_bert(write_tiny_encoder(tmp_path, WORDS, "mpnet"))
    head = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    compiled = (
        import_openvino()
        .Core()
        .compile_model(build_bert(weights, head, np.zeros(3, np.float32)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    )
    ids = np.random.default_rng(1).integers(4, 4 + len(WORDS), (2, 300))
    attention = np.ones_like(ids)
    ids[1, 200:], attention[1, 200:] = 1, 0
    pooling = (np.eye(300, dtype=np.float32) * attention[:, :, None]).astype(np.float32)
    request = compiled.create_infer_request()
    request.infer(
        {
            "input_ids": ids,
            "mask": ((1 - attention) * -1e4).astype(np.float32)[:, None, None, :],
            "pooling": pooling,
        }
    )
    model = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False, attn_implementation="eager").eval()
    with torch.inference_mode():
        states = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(attention)).last_hidden_state.numpy()
    expected = pooling @ states @ head.T
    assert np.ptp(expected) > 1
    assert request.get_tensor("logits").data == pytest.approx(expected, abs=1e-4)


def test_nothing_to_learn_and_no_base_are_said(tiny: Path, tmp_path: Path) -> None:
    unlabelled = tuple(replace(clause, labels=()) for clause in TRAIN)
    with pytest.raises(TrainingError, match="carries any of the chosen labels"):
        train_encoder(tiny, replace(SPLIT, train=unlabelled), SETTINGS)
    with pytest.raises(TrainingError, match="leave nothing to adapt"):
        trained_on(tiny, replace(SETTINGS, frozen_layers=2))
    (tmp_path / "tokenizer.json").write_bytes((tiny / "tokenizer.json").read_bytes())
    with pytest.raises(TrainingError, match="cannot be loaded"):
        train_encoder(tmp_path, SPLIT, SETTINGS)


def test_a_loss_that_is_no_number_ends_the_training(tiny: Path) -> None:
    with pytest.raises(TrainingError, match="lower learning rate"):
        trained_on(tiny, replace(SETTINGS, head_learning_rate=float("inf")))


_WORKER = """
import sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import numpy as np
from tests.training.clauses import test_encoder as tests
import torch
from playground.training import reports
from playground.training.clauses import encoder as training

torch.set_num_threads(1)
reports.REPORT_EVERY_S = 0.05  # so that the clocks of two processes disagree about when to report
rank = sys.argv[4]


def report(progress):
    time.sleep(0.02 * (progress.step % 3))  # only the main process is asked, and takes its time
    return True


def stop(progress):
    return progress.step < 6


settings = tests.replace(tests.SETTINGS, validations=1)
stopped = tests.trained_on(Path(sys.argv[2]), settings, on_progress=stop)
assert stopped.stopped and stopped.best_score is not None and stopped.steps >= 6
result = tests.trained_on(Path(sys.argv[2]), on_progress=report)
np.savez(Path(sys.argv[3]) / f"{rank}.npz", **{name: value.numpy() for name, value in result.state.items()})

# Each as if on a machine of its own: only the main process writes checkpoints, and only it sees them.
training.CHECKPOINT_EVERY_S = 0.0
seen = Path(sys.argv[3]) / f"seen-by-{rank}"
tests.trained_on(Path(sys.argv[2]), settings, on_progress=stop, checkpoint_folder=seen)
assert seen.exists() == (rank == "0")
resumed = tests.trained_on(Path(sys.argv[2]), settings, checkpoint_folder=seen)
whole = tests.trained_on(Path(sys.argv[2]), settings)
assert resumed.processes == 2 and len(resumed.history) and not resumed.stopped
assert tests.same(resumed, whole)

# Each read a share of the validation clauses, and has the scores of all.
adapter = Path(sys.argv[3]) / f"adapter-{rank}"
adapter.mkdir()
tests.save_encoder(whole, adapter, base_id="tiny")
alone = tests.load_clause_encoder(Path(sys.argv[2]), adapter, model_id="tiny", adapter="a", precision="f32", threads=1)
assert np.abs(alone.logits(tests.VALIDATION) - whole.validation_scores).max() < 0.15
"""


def test_two_processes_agree_whatever_their_clocks_say(tiny: Path, tmp_path: Path) -> None:
    run_two_processes(_WORKER, tmp_path, ROOT, tiny, tmp_path)
    first, second = (np.load(tmp_path / f"{rank}.npz") for rank in (0, 1))
    assert all(np.array_equal(first[name], second[name]) for name in first.files)
