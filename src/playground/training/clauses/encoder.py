"""LoRA on an encoder that judges clauses: branches and a linear head are trained together, by ``training.loop``.

python -m playground train clauses --data written --base encoder --out my-flagger
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from playground.errors import TrainingError
from playground.flagging.calibration import Calibration
from playground.flagging.head import ClauseHead, save_head
from playground.flagging.windows import Window, WindowReader, load_window_reader
from playground.measuring.clause_metrics import micro_ap
from playground.training.clauses.encoder_network import (
    HEAD_PREFIX,
    EncoderWithHead,
    load_encoder_with_head,
    read_trained_state,
)
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.loop import Checkpoints, Schedule, StepBatches, TrainingLoop, Validated
from playground.training.master_weights import MasterWeights, WeightGroup
from playground.training.number_formats import flushed_denormals
from playground.training.processes import Processes
from playground.training.progress import FEWEST_STEPS, OnProgress
from playground.training.reports import Reporter
from playground.training.state import LoopState
from playground.training.trained import TrainedAdapter

if TYPE_CHECKING:
    import torch

TrainedEncoder = TrainedAdapter[EncoderSettings]

CHECKPOINT_EVERY_S = 20.0
_WARM_UP_SHARE = 0.05
_LOWEST_RATE = 0.01
_VALIDATION_BATCH_TOKENS = 4_096
_SHUFFLED_BATCHES = 64
"""Windows are sorted by length inside groups of about so many batches, so that padding is rare and order is random."""


def train_encoder(
    base_folder: Path,
    split: TrainingSplit,
    settings: EncoderSettings,
    *,
    on_progress: OnProgress | None = None,
    checkpoint_folder: Path | None = None,
    start_from: Path | None = None,
) -> TrainedEncoder:
    """Train branches and a head; continue from the newest checkpoint in ``checkpoint_folder`` where there is one.

    ``start_from`` is the folder of an adapter for the same base, labels and rank: the training begins with its weights.
    With a number of epochs and one process the result depends only on the arguments, interrupted or not; with
    ``max_minutes`` it also depends on the machine's speed. The time counts from the first step: loading is extra. It
    never ends the first pass over the clauses: what was seen of half of them would be worse than the base.

    Raises:
        TrainingError: nothing to learn from, the base cannot be loaded, or the loss is no number any more.
        TrainingStopped: ``on_progress`` asked for a stop within the first few steps. Later, but before the first
            validation, the weights are validated once and kept: one pass over the validation clauses.
    """
    if not split.train_gold.any():
        raise TrainingError("No training clause carries any of the chosen labels. Choose other labels or data.")
    with flushed_denormals():
        processes = Processes()
        reporter = Reporter(on_progress if processes.is_main else None)
        reporter.tell("preparing", LoopState(), 0.0, force=True)
        reader = load_window_reader(base_folder, settings.window_tokens)
        network = load_encoder_with_head(base_folder, len(split.labels), settings, processes.device)
        task = EncoderTask(split, settings, reader, network, processes, start_from=start_from)
        before = network.base_sha256()
        schedule = Schedule(
            epochs=settings.epochs,
            max_minutes=settings.max_minutes,
            warmup=_WARM_UP_SHARE,
            decay="linear",
            lowest=_LOWEST_RATE,
            validation_every=1 / settings.validations,
            checkpoint_every_s=CHECKPOINT_EVERY_S,
            fewest_steps=FEWEST_STEPS,
            whole_pass=True,
        )
        checkpoints = Checkpoints(checkpoint_folder, task.fingerprint)
        result = TrainingLoop(task, schedule, checkpoints, reporter, processes).run()
    trained = result.account(
        task.weights,
        settings,
        lora_config=network.model.peft_config["default"],
        base_sha256_before=before,
        base_sha256_after=network.base_sha256(),
        processes=processes.count,
    )
    outputs = result.state.best_outputs
    no_scores = np.zeros((0, len(split.labels)), np.float32)
    return replace(trained, labels=split.labels, validation_scores=no_scores if outputs is None else outputs.numpy())


def save_encoder(trained: TrainedEncoder, folder: Path, *, base_id: str, half: bool = False) -> None:
    """Write the adapter as PEFT does, and the head, uncalibrated: see ``flagging.head.save_head`` to write it again.

    ``half`` keeps the branches in float16, at half the size.
    """
    import torch
    from safetensors.torch import save_file

    config = trained.lora_config
    config.base_model_name_or_path = base_id
    config.inference_mode = True
    config.save_pretrained(str(folder))
    branches = {
        name.replace(".default.weight", ".weight"): value.to(torch.float16 if half else torch.float32).contiguous()
        for name, value in trained.state.items()
        if not name.startswith(HEAD_PREFIX)
    }
    save_file(branches, str(folder / "adapter_model.safetensors"), metadata={"format": "pt"})
    save_head(uncalibrated_head(trained), folder)


def uncalibrated_head(trained: TrainedEncoder) -> ClauseHead:
    """Return the head with the identity as calibration and 0.5 as every threshold."""
    n_labels = len(trained.labels)
    return ClauseHead(
        labels=trained.labels,
        weight=trained.state[f"{HEAD_PREFIX}weight"].numpy(),
        bias=trained.state[f"{HEAD_PREFIX}bias"].numpy(),
        calibration=Calibration((1.0,) * n_labels, (0.0,) * n_labels),
        thresholds=np.full(n_labels, 0.5),
        window_tokens=trained.settings.window_tokens,
    )


class EncoderTask:
    """A ``TrainingTask``: windows of clauses, and the cross-entropy of their labels."""

    def __init__(
        self,
        split: TrainingSplit,
        settings: EncoderSettings,
        reader: WindowReader,
        network: EncoderWithHead,
        processes: Processes,
        *,
        start_from: Path | None = None,
    ) -> None:
        self._settings, self._reader, self._network, self._processes = settings, reader, network, processes
        self._labels, self._start_from = split.labels, start_from
        self._gold, self._validation_gold = split.train_gold.astype(np.float32), split.validation_gold
        self._windows = reader.windows(split.train)
        self._validation_windows = reader.windows(split.validation)
        carries = [bool(row.any()) for row in self._gold]
        first_added = len(split.train) - split.added  # windows are of one contract, so of one side of it
        self._added = [window for window in self._windows if window.clauses[0] >= first_added]
        main = [window for window in self._windows if window.clauses[0] < first_added]
        self._positive = [window for window in main if any(carries[place] for place in window.clauses)]
        self._negative = [window for window in main if not any(carries[place] for place in window.clauses)]
        self.weights = MasterWeights(
            [
                WeightGroup(network.branches, settings.learning_rate),
                WeightGroup(network.head_parameters, settings.head_learning_rate, clipped=False),
            ],
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        self._epoch_number, self._epoch_begins, self._held = 0, 0, self.epoch(0)
        self._steps_per_epoch = max(1, len(self._held))  # later epochs differ by what is drawn

    @property
    def steps_per_epoch(self) -> int:
        """That of the first epoch."""
        return self._steps_per_epoch

    @property
    def validates(self) -> bool:
        """Whether there are validation clauses."""
        return bool(self._validation_windows)

    @property
    def fingerprint(self) -> str:
        """What a checkpoint must have been made from to be continued."""
        sizes = f"{len(self._windows)}|{int(self._gold.sum())}|{len(self._validation_gold)}"
        # Another limit is no other training: what is there goes on.
        return f"{replace(self._settings, max_minutes=None)}|{self._labels}|{sizes}"

    def begin(self) -> None:
        """Begin from the adapter given, or let the head say at first how common each label is."""
        import torch

        if self._start_from:
            self.weights.load(read_trained_state(self._start_from, self._network))
            return
        share = torch.from_numpy(self._gold).mean(0).clamp(1e-4, 1 - 1e-4)
        self.weights.load({f"{HEAD_PREFIX}bias": torch.log(share / (1 - share))})

    def epoch(self, number: int) -> list[tuple[Window, ...]]:
        """Return this process's batches of an epoch, drawn from the seed and the epoch alone."""
        generator = np.random.default_rng([self._settings.seed, number])
        drawn = round(len(self._negative) * self._settings.negative_share)
        chosen = self._positive + [self._negative[i] for i in generator.permutation(len(self._negative))[:drawn]]
        chosen += self._added * self._settings.added_passes
        order = [chosen[i] for i in generator.permutation(len(chosen))]
        mean_tokens = max(1, sum(window.tokens for window in self._windows) // len(self._windows))
        per_group = max(1, _SHUFFLED_BATCHES * self._settings.batch_tokens // mean_tokens)
        batches: list[tuple[Window, ...]] = []
        for first in range(0, len(order), per_group):
            group = self._reader.batches(order[first : first + per_group], self._settings.batch_tokens)
            batches += [group[i] for i in generator.permutation(len(group))]
        processes = self._processes.count
        whole = len(batches) // processes * processes if len(batches) >= processes else len(batches)
        return batches[:whole][self._processes.index :: processes] if whole >= processes else batches

    def batches(self, step: int) -> StepBatches[tuple[Window, ...]]:
        """Return this process's batch of a step."""
        while step >= self._epoch_begins + len(self._held):
            self._epoch_begins += len(self._held)
            self._epoch_number += 1
            self._held = self.epoch(self._epoch_number)
        windows = self._held[step - self._epoch_begins]
        return StepBatches([windows], sum(len(window.clauses) for window in windows) * self._processes.count)

    def loss(self, part: tuple[Window, ...]) -> torch.Tensor:
        """Return the cross-entropy of a clause, summed over labels, as a mean over clauses and processes."""
        import torch

        batch = self._reader.arrays(part)
        logits = self._network.logits(batch)
        rows, units, places = (np.array(index) for index in zip(*batch.places(), strict=True))
        target = torch.from_numpy(self._gold[places]).to(logits.device)
        return _cross_entropy(logits[rows, units], target) / self._processes.count

    def validate(self, between: Callable[[], None]) -> Validated:
        """Return loss, micro average precision and log-odds; each process reads its share of the clauses."""
        import torch

        scores = np.zeros((len(self._validation_gold), len(self._labels)), np.float32)
        batches = self._reader.batches(self._validation_windows, _VALIDATION_BATCH_TOKENS)
        for number, members in enumerate(batches[self._processes.index :: self._processes.count]):
            if number:
                between()
            batch = self._reader.arrays(members)
            with torch.no_grad():
                logits = self._network.logits(batch).cpu().numpy()
            for row, unit, place in batch.places():
                scores[place] = logits[row, unit]
        # Each clause is some process's: all others have zeros there.
        outputs = self._processes.total(torch.from_numpy(scores).to(self._processes.device)).cpu()
        loss = _cross_entropy(outputs, torch.from_numpy(self._validation_gold.astype(np.float32)))
        return Validated(float(loss), micro_ap(outputs.numpy(), self._validation_gold), outputs)


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    import torch

    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return losses.sum(1).mean()
