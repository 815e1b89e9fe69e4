"""A scripted training in place of torch: seconds become milliseconds, everything around it is real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.adapters import write_checkpoint
from playground.annotations import AnnotationSet
from playground.annotations.gold import gold_matrix
from playground.annotations.records import present_labels
from playground.flagging.words import BUCKETS, ClauseWords
from playground.models.catalog import MINILM
from playground.training.clauses import bases, measuring, trainers
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.decision import Decision
from playground.training.clauses.plan import TrainingSplit
from playground.training.clauses.trainers import TrainedFlagger
from playground.training.progress import TrainingProgress, TrainingStopped
from playground.training.trained import TrainedAdapter
from playground.types import AnnotatedClause
from tests.support.fakes_adapters import adapter_files

LABELS = ("Insurance", "Audit Rights", "Exclusivity")
_WORDS = {
    "Insurance": "The Supplier shall maintain insurance of one million dollars",
    "Audit Rights": "The Customer may audit the books and records of the Supplier",
    "Exclusivity": "The Supplier shall sell exclusively to the Customer in the territory",
    "": "The headings are for convenience only and have no effect",
}


def clauses(contracts: int = 10, repeats: int = 1) -> tuple[AnnotatedClause, ...]:
    """Return clauses of ``contracts`` contracts: each has one of every label and one without."""
    return tuple(
        AnnotatedClause(
            id=f"c{contract}-{repeat}-{label or 'none'}",
            text=f"{words}, number {contract} {repeat}.",
            labels=(label,) if label else (),
            contract=f"contract-{contract}",
            heading="General",
        )
        for contract in range(contracts)
        for repeat in range(repeats)
        for label, words in _WORDS.items()
    )


def annotations(examples: Sequence[AnnotatedClause] | None = None, name: str = "mine.csv") -> AnnotationSet:
    """Return a set of ``examples``, or of forty clauses."""
    examples = clauses() if examples is None else tuple(examples)
    return AnnotationSet(name, "d" * 64, tuple(examples), present_labels(examples, LABELS))


class ScriptedTraining:
    """Stands in for the trainer of encoders: reports a few steps and scores clauses by their own annotation.

    ``before_end`` is called before the last step, in the training's thread; ``wait_for_stop`` goes on until a stop.
    """

    def __init__(
        self,
        *,
        error: BaseException | None = None,
        before_end: Callable[[], object] = lambda: None,
        wait_for_stop: bool = False,
        write_error: BaseException | None = None,
    ) -> None:
        self.error, self.before_end, self.wait_for_stop = error, before_end, wait_for_stop
        self.write_error = write_error
        self.calls: list[dict[str, Any]] = []
        self.going = threading.Event()

    def __call__(
        self,
        base: TrainingBase,
        split: TrainingSplit,
        settings: Any,
        on_progress: Callable[[TrainingProgress], bool | None],
        checkpoint_folder: Path,
        **options: Any,
    ) -> TrainedFlagger:
        self.calls.append({"base": base, "split": split, "settings": settings, "folder": checkpoint_folder, **options})
        history: list[TrainingProgress] = []
        stopped = False

        def tell(progress: TrainingProgress) -> bool:
            history.append(progress)
            return on_progress(progress) is not False

        if not tell(TrainingProgress("preparing", 0, 0.0)):
            raise TrainingStopped("The training was stopped before its first validation; nothing was saved.")
        for step in range(1, 4):
            loss = 1.0 / step
            tell(TrainingProgress("training", step, step / 4, step / 2, 16 * step, loss, None, None, 25.0, step, 4.0))
            stopped = not tell(
                TrainingProgress(
                    "validating", step, step / 4, step / 2, 16 * step, loss, 0.2 * step, 0.2 * step, 25.0, step
                )
            )
            write_checkpoint(checkpoint_folder, step, lambda folder: (folder / "state").write_text("x"))
            if stopped:
                break
        self.going.set()
        while self.wait_for_stop and not stopped:
            stopped = not tell(TrainingProgress("training", 3, 0.75, 1.5, 48, 0.3, 0.6, 0.6, 25.0, 3.0, 1.0))
        self.before_end()
        if self.error is not None:
            raise self.error

        def write(folder: Path, _decision: Decision) -> None:
            if self.write_error is not None:
                raise self.write_error
            for name, data in adapter_files(settings.seed).items():
                if name != "README.md":
                    (folder / name).write_bytes(data)

        def judge(_folder: Path, clauses: Sequence[AnnotatedClause], on_share: Callable[[float], None]) -> np.ndarray:
            on_share(1.0)
            return scores(clauses, split.labels)

        trained = trained_adapter(
            settings,
            history=tuple(history),
            best_score=0.6,
            steps=3,
            examples=48,
            duration_s=12.0,
            stopped=stopped,
            labels=split.labels,
            validation_scores=scores(split.validation, split.labels),
        )
        return TrainedFlagger(trained, write, judge)


def trained_adapter(settings: Any, **changes: Any) -> TrainedAdapter[Any]:
    """Return the record of a training that left no weights."""
    record: dict[str, Any] = {
        "state": {}, "lora_config": None, "losses": (), "validations": (), "history": (), "best_step": 1,
        "best_score": None, "steps": 1, "examples": 1, "duration_s": 1.0, "stopped": False,
        "base_sha256_before": "e" * 64, "base_sha256_after": "e" * 64,
    }  # fmt: skip
    return TrainedAdapter(settings=settings, **(record | changes))


def scores(clauses: Sequence[AnnotatedClause], labels: Sequence[str]) -> np.ndarray:
    """Return log-odds that follow the annotation, but for the first clause, which is judged wrongly."""
    logits = np.where(gold_matrix(clauses, labels), 3.0, -3.0)
    logits += np.linspace(-0.2, 0.2, logits.size).reshape(logits.shape)
    if len(logits):
        logits[0] = -logits[0]
    return logits


def silent_words(split: TrainingSplit, _seed: int) -> ClauseWords:
    """Return words that say nothing, so that the scripted scores alone decide."""
    nothing = np.zeros(0, np.int32)
    intercepts = np.zeros(len(split.labels), np.float32)
    return ClauseWords(np.zeros(BUCKETS, np.float32), nothing, nothing, np.zeros(0, np.float32), intercepts)


def use_training(monkeypatch: pytest.MonkeyPatch, training: ScriptedTraining) -> ScriptedTraining:
    """Put a scripted training and base in place of the real ones; the frozen baseline and the words are left out."""
    base = TrainingBase("encoder", MINILM.id, Path("nowhere"), MINILM.main_file.sha256, 90_000_000)
    real = measuring.measure_baselines
    monkeypatch.setattr(bases, "load_training_base", lambda _name, _on_progress=None: base)
    monkeypatch.setattr(trainers, "train_on_encoder", training)
    monkeypatch.setattr("playground.training.clauses.train.fitted_words", silent_words)
    monkeypatch.setattr(
        "playground.training.clauses.train.measure_baselines",
        lambda split, keywords, _folder, **options: real(split, keywords, None, **options),
    )
    return training
