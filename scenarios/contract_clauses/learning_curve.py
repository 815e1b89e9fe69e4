"""How many labelled clauses prompting and LoRA need, on the project's own clauses, split by contract.

Both get the same draws of the training clauses and are asked the same pairs of a clause and a label from the test
contracts, half of which are right. Few-shot prompting shows the model the four drawn clauses that are nearest to the
one in question; LoRA trains the encoder on the draw. Clauses that choose thresholds count as labelled too.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from playground.annotations import split_by_contract
from playground.errors import AnnotationError
from playground.flagging.calibration import Calibration
from playground.measuring.evaluation import fingerprint_of
from playground.training.clauses.bases import TrainingBase
from playground.training.clauses.decision import Decision, decide
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingSplit
from playground.training.clauses.trainers import TrainedFlagger, train_on_encoder
from playground.types import AnnotatedClause, ChatModel, Embedder, Example
from scenarios.contract_clauses.judges import in_columns, load_training_clauses
from scenarios.contract_clauses.measured_contracts import LABELS, MeasuredContract, contract_of, load_measured_set
from scenarios.contract_clauses.prompted import (
    THRESHOLD,
    NearestExamples,
    Pair,
    message_builder,
    prompted_strategy,
    sampled_pairs,
)

PAIRS_PER_CONTRACT = 5
PAIRS_SEED = 0
"""Of the pairs that are asked: the same for every draw of examples."""
FEWEST_HELD_OUT_OF = 64
"""From so many examples on, a quarter of them, by contract, is kept to calibrate and choose thresholds with."""
_HELD_OUT_SHARE = 0.25
_CLAUSES_SEEN = 1_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 40

Train = Callable[[TrainingSplit, EncoderSettings], TrainedFlagger]


@dataclass(frozen=True, slots=True)
class CurveTask:
    """What is learnt from and what is asked: drawn from ``pool``, judged on ``pairs`` of ``contracts``."""

    pool: tuple[AnnotatedClause, ...]
    contracts: tuple[MeasuredContract, ...]
    pairs_per_contract: int = PAIRS_PER_CONTRACT

    @property
    def pairs(self) -> list[tuple[Pair, ...]]:
        """Of each contract."""
        return [sampled_pairs(contract, self.pairs_per_contract, PAIRS_SEED) for contract in self.contracts]

    @property
    def n(self) -> int:
        """How many pairs are judged."""
        return sum(map(len, self.pairs))


def load_curve_task() -> CurveTask:
    """Return the project's own clauses; errors as for ``load_training_clauses`` and ``load_measured_set``."""
    train, measured = load_training_clauses(None), load_measured_set(None, None, 0)
    return CurveTask(train.clauses, tuple(contract_of(example) for example in measured.examples))


def draw_examples(pool: Sequence[AnnotatedClause], count: int, seed: int) -> tuple[AnnotatedClause, ...]:
    """Return ``count`` clauses at random, as somebody who annotates one after the other would have them.

    A larger draw with the same seed contains the smaller one.
    """
    return tuple(sorted(pool, key=lambda clause: fingerprint_of(seed, clause.id))[:count])


def few_shot_right(task: CurveTask, examples: Sequence[AnnotatedClause], model: ChatModel, embedder: Embedder) -> int:
    """Return how many pairs ``model`` judges right, shown the nearest of ``examples``; without any it gets none."""
    nearest = NearestExamples(tuple(examples), embedder) if examples else None
    name = "few-shot-nearest" if nearest else "zero-shot"
    ask = prompted_strategy(
        lambda: message_builder(name, nearest), model, count=task.pairs_per_contract, seed=PAIRS_SEED
    )
    right = 0
    for contract in task.contracts:
        asked = ask(Example(contract.title, contract.title, "", {"contract": contract})).detail["asked"]
        for pair in asked if isinstance(asked, list) else ():
            flagged = (pair["score"] or 0.0) >= THRESHOLD
            known = pair["score"] is not None
            right += known and flagged == bool(contract.gold[pair["clause"], pair["label"]])
    return right


def lora_right(task: CurveTask, examples: Sequence[AnnotatedClause], train: Train, seed: int) -> tuple[int, float]:
    """Return how many pairs a flagger trained on ``examples`` judges right, and the seconds of its training.

    Labels that no example carries are never flagged; nor is anything without an example.
    """
    labels = tuple(name for name in LABELS if any(name in clause.labels for clause in examples))
    if not labels:
        return _right(task, [np.zeros(contract.gold.shape, dtype=bool) for contract in task.contracts]), 0.0
    seen, held_out = _sides(examples)
    settings = replace(EncoderSettings(), epochs=epochs_for(len(seen)), seed=seed, validations=3)
    split = TrainingSplit(labels, seen, held_out, ())
    flagger = train(split, settings)
    decision = _decision(flagger.trained.validation_scores, split)
    flags = []
    with tempfile.TemporaryDirectory(prefix="curve-") as name:
        flagger.write(Path(name), decision)
        for contract, pairs in zip(task.contracts, task.pairs, strict=True):
            # Each clause is read alone, so that those nobody asks about can be left out.
            asked = sorted({row for row, _column in pairs})
            scores = flagger.judge(Path(name), [contract.clauses[row] for row in asked], lambda _share: None)
            flagged = np.zeros(contract.gold.shape, dtype=bool)
            decided = decision.calibration.probabilities(scores) >= decision.thresholds
            flagged[asked] = in_columns(decided.astype(float), labels) > 0
            flags.append(flagged)
    return _right(task, flags), flagger.trained.duration_s


def epochs_for(examples: int) -> float:
    """Return how many passes are made: 5 at least and 40 at most, until 1,000 clauses have been seen."""
    return float(min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, math.ceil(_CLAUSES_SEEN / max(1, examples)))))


def encoder_trainer(base: TrainingBase, work: Path) -> Train:
    """Return the real training: LoRA on the encoder, with checkpoints in ``work``."""

    def train(split: TrainingSplit, settings: EncoderSettings) -> TrainedFlagger:
        with tempfile.TemporaryDirectory(dir=work) as name:
            return train_on_encoder(base, split, settings, lambda _progress: None, Path(name))

    return train


def _sides(
    examples: Sequence[AnnotatedClause],
) -> tuple[tuple[AnnotatedClause, ...], tuple[AnnotatedClause, ...]]:
    if len(examples) < FEWEST_HELD_OUT_OF:
        return tuple(examples), ()
    try:
        return split_by_contract(examples, _HELD_OUT_SHARE, PAIRS_SEED)
    except AnnotationError:  # all of one contract
        return tuple(examples), ()


def _decision(scores: np.ndarray, split: TrainingSplit) -> Decision:
    """Return calibration and thresholds from the clauses kept aside; as trained, and one half, without any."""
    count = len(split.labels)
    if not split.validation_gold.any():
        return Decision(Calibration((1.0,) * count, (0.0,) * count), np.full(count, 0.5))
    return decide(scores, split)


def _right(task: CurveTask, flags: Sequence[np.ndarray]) -> int:
    """Count the pairs judged right; ``flags`` are bool [clauses, LABELS] by contract."""
    return sum(
        bool(flagged[pair]) == bool(contract.gold[pair])
        for contract, flagged, pairs in zip(task.contracts, flags, task.pairs, strict=True)
        for pair in pairs
    )
