"""LoRA on an encoder that judges clauses: branches and a linear head are trained together.

python -m playground train clauses --data written --base encoder --out my-flagger

Trained with accelerate underneath, so that `accelerate launch -m playground train ...` uses several GPUs, several
machines, or several processes without a GPU (the commands are in the README): each takes its share of the batches and
the gradients are averaged; only the main process reports and saves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.adapters import clear_checkpoints
from playground.annotations.gold import gold_matrix
from playground.errors import TrainingError
from playground.flagging.calibration import Calibration
from playground.flagging.head import ClauseHead, save_head
from playground.flagging.windows import Window, load_window_reader
from playground.measuring.clause_metrics import micro_ap
from playground.training.clauses.encoder_network import HEAD_PREFIX, load_encoder_with_head, read_trained_state
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.encoder_state import LoopState, read_state, restore_state, save_state
from playground.training.number_formats import flushed_denormals
from playground.training.processes import Processes
from playground.training.progress import FEWEST_STEPS, OnProgress, TrainingProgress, TrainingStopped
from playground.types import AnnotatedClause

if TYPE_CHECKING:
    import torch

_REPORT_EVERY_S = 0.3
_CHECKPOINT_EVERY_S = 20.0
_WARM_UP_SHARE = 0.05
_LOWEST_RATE = 0.01
_LARGEST_GRADIENT = 1.0
_VALIDATION_BATCH_TOKENS = 4_096
_SHUFFLED_BATCHES = 64
"""Windows are sorted by length inside groups of about so many batches, so that padding is rare and order is random."""


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """What a training leaves: the best weights by validation score, and the account of how they came about.

    ``state`` maps names to float32 tensors on the CPU. ``validation_scores`` float32 [n_validation, labels] are the raw
    log-odds of the best weights; ``best_score`` is their micro average precision, None without validation clauses.
    ``processes`` took part in the last stretch: the batches of a step depend on how many there are.
    """

    labels: tuple[str, ...]
    settings: EncoderSettings
    state: dict[str, torch.Tensor]
    lora_config: Any
    history: tuple[TrainingProgress, ...]
    best_score: float | None
    base_sha256_before: str
    base_sha256_after: str
    steps: int
    examples: int
    duration_s: float
    stopped: bool
    validation_scores: np.ndarray
    processes: int = 1


def train_encoder(
    base_folder: Path,
    train: Sequence[AnnotatedClause],
    validation: Sequence[AnnotatedClause],
    labels: Sequence[str],
    settings: EncoderSettings,
    *,
    on_progress: OnProgress | None = None,
    checkpoint_folder: Path | None = None,
    start_from: Path | None = None,
) -> TrainedEncoder:
    """Train branches and a head; continue from the newest checkpoint in ``checkpoint_folder`` where there is one.

    ``start_from`` is the folder of an adapter for the same base, labels and rank: the training begins with its weights.
    With a number of epochs and one process the result depends only on the arguments, interrupted or not; with
    ``max_minutes`` it also depends on the machine's speed.

    Raises:
        TrainingError: nothing to learn from, the base cannot be loaded, or the loss is no number any more.
        TrainingStopped: ``on_progress`` asked for a stop within the first few steps. Later, but before the first
            validation, the weights are validated once and kept: one pass over ``validation``.
    """
    with flushed_denormals():
        return _Training(
            base_folder,
            train,
            validation,
            labels,
            settings,
            on_progress=on_progress,
            checkpoint_folder=checkpoint_folder,
            start_from=start_from,
        ).run()


def save_encoder(trained: TrainedEncoder, folder: Path, *, base_id: str, half: bool = False) -> None:
    """Write the adapter as PEFT does, and the head, uncalibrated: see ``clause_head.save_head`` to write it again.

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


class _Training:
    """One training: everything the loop needs, so that its steps read as sentences."""

    def __init__(
        self,
        base_folder: Path,
        train: Sequence[AnnotatedClause],
        validation: Sequence[AnnotatedClause],
        labels: Sequence[str],
        settings: EncoderSettings,
        *,
        on_progress: OnProgress | None,
        checkpoint_folder: Path | None,
        start_from: Path | None = None,
    ) -> None:
        import torch

        self.labels, self.settings = tuple(labels), settings
        self.on_progress, self.checkpoint_folder = on_progress, checkpoint_folder
        self.start_from = start_from
        self.gold = gold_matrix(train, labels).astype(np.float32)
        self.validation_gold = gold_matrix(validation, labels)
        if not self.gold.any():
            raise TrainingError("No training clause carries any of the chosen labels. Choose other labels or data.")
        self.report(TrainingProgress("preparing", 0, 0.0))
        self.processes = Processes()
        self.reader = load_window_reader(base_folder, settings.window_tokens)
        self.windows = self.reader.windows(train)
        self.validation_windows = self.reader.windows(validation)
        self.network = load_encoder_with_head(base_folder, len(labels), settings, self.processes.device)
        carries = [bool(row.any()) for row in self.gold]
        self.positive = [window for window in self.windows if any(carries[place] for place in window.clauses)]
        self.negative = [window for window in self.windows if not any(carries[place] for place in window.clauses)]
        self.state = LoopState()
        self.optimizer = torch.optim.AdamW(
            [
                {"params": list(self.network.masters.values()), "lr": settings.learning_rate},
                {"params": list(self.network.head.parameters()), "lr": settings.head_learning_rate},
            ],
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        self.highest_rates = [group["lr"] for group in self.optimizer.param_groups]

    def run(self) -> TrainedEncoder:
        before = self.network.base_sha256()
        self._begin()
        elapsed_before_s = self.state.elapsed_s
        loop_started = time.perf_counter()
        stopped = False
        for step, batch in self._batches():
            fraction = self.fraction(max(step, self.state.step))
            if fraction >= 1:
                break
            if step < self.state.step:
                continue  # done before the interruption
            self._step(batch, fraction)
            self.state.step = step + 1
            self.state.elapsed_s = elapsed_before_s + time.perf_counter() - loop_started
            if not self._tell("training", self.fraction(self.state.step)):
                stopped = True
                break
            fraction = self.fraction(self.state.step)
            if fraction >= (self.state.validated + 1) / self.settings.validations and fraction < 1:
                self._validate(fraction)
            self._checkpoint_now_and_then()
        if stopped and self.state.best is None and self.state.step < FEWEST_STEPS:
            raise TrainingStopped(
                f"The training was stopped after {self.state.step} of its steps, before anything was learnt; "
                "nothing was saved."
            )
        if not stopped or self.state.best is None:
            self._validate(min(1.0, self.fraction(self.state.step)))
        if self.state.best is None or self.state.best_scores is None:
            raise TrainingError("No weights were kept. Train again with at least one epoch.")
        return TrainedEncoder(
            labels=self.labels,
            settings=self.settings,
            state=self.state.best,
            lora_config=self.network.model.peft_config["default"],
            history=tuple(self.state.history),
            best_score=self.state.best_score,
            base_sha256_before=before,
            base_sha256_after=self.network.base_sha256(),
            steps=self.state.step,
            examples=self.state.examples,
            duration_s=self.state.elapsed_s,
            stopped=stopped,
            validation_scores=self.state.best_scores,
            processes=self.processes.count,
        )

    def _begin(self) -> None:
        """Go on from a checkpoint of this training, else begin from the adapter given or the labels' shares.

        The main process reads, and hands on what it read: others may be on a machine that does not see the folder.
        """
        saved = None
        if self.checkpoint_folder and self.processes.is_main:
            saved = read_state(self.checkpoint_folder, self.fingerprint)
        saved = self.processes.from_main(saved)
        if saved is not None:
            self.state = restore_state(saved, self.network, self.optimizer)
            return
        if self.checkpoint_folder and self.processes.is_main:
            clear_checkpoints(self.checkpoint_folder)  # of another training; a higher step would hide ours
        if self.start_from:
            self.network.load_trained_state(read_trained_state(self.start_from, self.network))
        else:
            self._start_from_shares()

    @property
    def fingerprint(self) -> str:
        """What a checkpoint must have been made from to be continued."""
        return f"{self.settings}|{self.labels}|{len(self.windows)}|{int(self.gold.sum())}|{len(self.validation_gold)}"

    def fraction(self, step: int) -> float:
        """Return how much of the schedule is over: of the epochs, or of the time where that ends first."""
        if not self.state.steps_per_epoch:
            self.state.steps_per_epoch = max(1, len(self._epoch(0)))  # later epochs differ by what is drawn
        share = step / math.ceil(self.state.steps_per_epoch * self.settings.epochs)
        if self.settings.max_minutes is not None:
            share = max(share, self.state.elapsed_s / (60 * self.settings.max_minutes))
        return share

    def _epoch(self, epoch: int) -> list[tuple[Window, ...]]:
        """Return this process's batches of an epoch, drawn from the seed and the epoch alone."""
        generator = np.random.default_rng([self.settings.seed, epoch])
        drawn = round(len(self.negative) * self.settings.negative_share)
        chosen = self.positive + [self.negative[i] for i in generator.permutation(len(self.negative))[:drawn]]
        order = [chosen[i] for i in generator.permutation(len(chosen))]
        per_group = max(1, _SHUFFLED_BATCHES * self.settings.batch_tokens // self._mean_tokens())
        batches: list[tuple[Window, ...]] = []
        for first in range(0, len(order), per_group):
            group = self.reader.batches(order[first : first + per_group], self.settings.batch_tokens)
            batches += [group[i] for i in generator.permutation(len(group))]
        processes = self.processes.count
        whole = len(batches) // processes * processes if len(batches) >= processes else len(batches)
        return batches[:whole][self.processes.index :: processes] if whole >= processes else batches

    def _mean_tokens(self) -> int:
        return max(1, sum(window.tokens for window in self.windows) // len(self.windows))

    def _batches(self) -> Iterator[tuple[int, tuple[Window, ...]]]:
        step = epoch = 0
        while True:
            for batch in self._epoch(epoch):
                yield step, batch
                step += 1
            epoch += 1

    def _step(self, windows: tuple[Window, ...], fraction: float) -> None:
        import torch

        warm = min(1.0, fraction / _WARM_UP_SHARE + _LOWEST_RATE)
        rate = max(_LOWEST_RATE, warm * (1 - fraction))
        for group, highest in zip(self.optimizer.param_groups, self.highest_rates, strict=True):
            group["lr"] = highest * rate
        batch = self.reader.arrays(windows)
        logits = self.network.logits(batch)
        rows, units, places = (np.array(part) for part in zip(*batch.places(), strict=True))
        target = torch.from_numpy(self.gold[places]).to(logits.device)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[rows, units], target, reduction="none")
        loss = loss.sum(1).mean()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError("The loss is no number any more. Train again with a lower learning rate.")
        loss.backward()  # type: ignore[no-untyped-call]
        self.network.move_gradients()
        trained = [*self.network.masters.values(), *self.network.head.parameters()]
        if self.processes.count > 1:
            self._average_gradients(trained)
        torch.nn.utils.clip_grad_norm_(list(self.network.masters.values()), _LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.network.publish_masters()
        self.state.losses.append(value)
        self.state.examples += len(places) * self.processes.count

    def _average_gradients(self, parameters: Sequence[torch.Tensor]) -> None:
        """Average over the processes in one message: one a tensor takes longer than the step itself."""
        import torch

        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        averaged = (
            self.processes.total(torch.cat([gradient.flatten() for gradient in gradients])) / self.processes.count
        )
        parts = averaged.split([gradient.numel() for gradient in gradients])  # type: ignore[no-untyped-call]
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def _start_from_shares(self) -> None:
        """Let the head say at first how common each label is."""
        import torch

        share = torch.from_numpy(self.gold).mean(0).clamp(1e-4, 1 - 1e-4)
        with torch.no_grad():
            self.network.head.bias.copy_(torch.log(share / (1 - share)))

    def _validate(self, fraction: float) -> None:
        self.state.validated = min(self.settings.validations, int(fraction * self.settings.validations + 1e-9))
        if not len(self.validation_windows):
            self._keep_best(None, np.zeros((0, len(self.labels)), np.float32))
            return
        scores = self._scores(self.validation_windows, len(self.validation_gold))
        score = micro_ap(scores, self.validation_gold)
        self.state.score = score
        if self.state.best is None or (score or 0.0) > (self.state.best_score or 0.0):
            self._keep_best(score, scores)
        self._tell("validating", fraction, force=True)

    def _scores(self, windows: Sequence[Window], n_clauses: int) -> np.ndarray:
        """Return the log-odds of every clause, float32 [n_clauses, labels]; each process reads its share of them."""
        import torch

        scores = np.zeros((n_clauses, len(self.labels)), np.float32)
        batches = self.reader.batches(windows, _VALIDATION_BATCH_TOKENS)
        for members in batches[self.processes.index :: self.processes.count]:
            batch = self.reader.arrays(members)
            with torch.no_grad():
                logits = self.network.logits(batch).cpu().numpy()
            for row, unit, place in batch.places():
                scores[place] = logits[row, unit]
        # Each clause is some process's: all others have zeros there.
        return self.processes.total(torch.from_numpy(scores).to(self.processes.device)).cpu().numpy()

    def _keep_best(self, score: float | None, scores: np.ndarray) -> None:
        self.state.best, self.state.best_score, self.state.best_scores = self.network.trained_state(), score, scores

    def _checkpoint_now_and_then(self) -> None:
        if self.checkpoint_folder is None or not self.processes.is_main:
            return
        if self.state.elapsed_s - self.state.saved_at_s >= _CHECKPOINT_EVERY_S:
            self.state.saved_at_s = self.state.elapsed_s
            save_state(self.checkpoint_folder, self.state, self.network, self.optimizer, self.fingerprint)

    def _tell(self, stage: Any, fraction: float, *, force: bool = False) -> bool:
        """Report now and then; return False when the training is asked to stop."""
        now = time.perf_counter()
        is_due = force or now - self.state.told_at >= _REPORT_EVERY_S
        go_on = True
        if is_due:
            self.state.told_at = now
            go_on = self.report(self._progress(stage, fraction))
            self.state.losses.clear()
        return self._agreed(go_on)

    def _progress(self, stage: Any, fraction: float) -> TrainingProgress:
        elapsed_s = self.state.elapsed_s
        return TrainingProgress(
            stage=stage,
            step=self.state.step,
            fraction=min(1.0, fraction),
            epoch=self.state.step / max(1, self.state.steps_per_epoch),
            examples=self.state.examples,
            loss=sum(self.state.losses) / len(self.state.losses) if self.state.losses else None,
            score=self.state.score,
            best_score=self.state.best_score,
            examples_per_s=self.state.examples / elapsed_s if elapsed_s else None,
            elapsed_s=elapsed_s,
            remaining_s=elapsed_s * (1 - fraction) / fraction if fraction > 0 else None,
        )

    def report(self, progress: TrainingProgress) -> bool:
        """Hand a report to the caller of the main process and keep it; return False when a stop is asked for."""
        if hasattr(self, "state"):
            self.state.history.append(replace(progress))
        main = not hasattr(self, "processes") or self.processes.is_main
        return not main or self.on_progress is None or self.on_progress(progress) is not False

    def _agreed(self, go_on: bool) -> bool:
        """Return whether all processes go on, and let them agree on the time: none may wait for one that has stopped.

        Every process comes here equally often, whatever its own clock says: a message that one of them does not send
        would be taken for the next one.
        """
        if self.processes.count == 1:
            return go_on
        import torch

        own = torch.tensor([float(go_on), self.state.elapsed_s], device=self.processes.device)
        votes, elapsed_s = self.processes.total(own).tolist()
        self.state.elapsed_s = elapsed_s / self.processes.count
        return bool(votes >= self.processes.count)
