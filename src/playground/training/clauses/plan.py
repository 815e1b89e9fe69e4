"""What is to be trained on what, checked before anything starts, and the data's three sides: no contract is on two."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from playground.annotations import AnnotationSet, WrittenClauses, check_usable, label_counts, split_by_contract
from playground.annotations.gold import gold_matrix
from playground.errors import AnnotationError, TrainingError
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.types import AnnotatedClause

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15
SPLIT_SEED = 0
"""Of the split, whatever the seed of the training: adapters of different seeds are measured on the same contracts."""
FEWEST_MEASURED = 200
"""With a limit on the examples, validation and test still have so many clauses, where there are so many."""
MOST_RANK = 256
_MOST_PASSES = 100


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training, completely described.

    Attributes:
        name: of the adapter to be.
        data: annotated clauses; the project's own bring their test side with them.
        labels: to learn; other labels of the data are passed over, so that their clauses become negatives.
        base: "encoder" (the bundled MiniLM), "large_encoder" (the bundled MPNet), "language_model" (the bundled
            SmolLM2), or the folder or hub id of an encoder like BERT or MPNet.
        examples: most clauses to train on, drawn alike from all labels' shares; None for all.
        settings: hyper-parameters.
        validation: clauses to choose and calibrate with; None takes them from ``data``.
        test: clauses to measure on; None takes them from ``data``.
        added: more sets to train on beside ``data``, whole: another style of writing. ``settings.added_passes`` says
            how often an epoch reads them; ``examples`` does not limit them.
        added_validation: more sets to choose and calibrate with.
        words: whether a linear layer on the clauses' words stands beside an encoder.
        words_weight: of its log-odds beside the encoder's 1, each as once it is calibrated.
        words_of: folder of an adapter whose words are taken instead of fitted.
        start_from: folder of an adapter of the same base, labels and rank whose training goes on; with 0 epochs its
            weights are kept, and only what stands on top is fitted.
        half: keeps an encoder's branches in float16, at half the size.
        baselines: whether the untrained base, TF-IDF and keywords are measured beside it.
        keywords: regular expressions by label, for the keyword baseline. They run without a limit: never a user's.
        licence: of the data, for the model card.
        command: that trains the same again, for the model card.
    """

    name: str
    data: AnnotationSet | WrittenClauses
    labels: tuple[str, ...]
    base: str = "encoder"
    examples: int | None = None
    settings: EncoderSettings = field(default_factory=EncoderSettings)
    validation: AnnotationSet | None = None
    test: AnnotationSet | None = None
    added: tuple[AnnotationSet, ...] = ()
    added_validation: tuple[AnnotationSet, ...] = ()
    words: bool = True
    words_weight: float = 1.0
    words_of: Path | None = None
    start_from: Path | None = None
    half: bool = False
    baselines: bool = True
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)
    licence: str = ""
    command: str = ""

    @property
    def annotations(self) -> AnnotationSet:
        """The annotated clauses, whichever kind of data it is."""
        return self.data.annotations if isinstance(self.data, WrittenClauses) else self.data

    @property
    def held_out(self) -> dict[str, AnnotationSet]:
        """The sides that are given as sets of their own, by name."""
        sides = {"validation": self.validation, "test": self.test}
        sides |= {f"added_{number}": added for number, added in enumerate(self.added, start=1)}
        sides |= {f"added_validation_{number}": added for number, added in enumerate(self.added_validation, start=1)}
        return {name: side for name, side in sides.items() if side is not None}

    @property
    def data_name(self) -> str:
        """What the data is called in manifests, on one line."""
        main = "the project's own clauses" if isinstance(self.data, WrittenClauses) else self.data.name
        return ", ".join([main, *(added.name for added in self.added)])


@dataclass(frozen=True)
class TrainingSplit:
    """The clauses to train on, to choose and calibrate with, and to measure on; ``notes`` are for the user.

    The last ``added`` of ``train`` are those that were added to the main data.
    ``train_gold``, ``validation_gold`` and ``test_gold`` are bool [clauses, labels]: which clause carries which label.
    """

    labels: tuple[str, ...]
    train: tuple[AnnotatedClause, ...]
    validation: tuple[AnnotatedClause, ...]
    test: tuple[AnnotatedClause, ...]
    notes: tuple[str, ...] = ()
    added: int = 0

    @cached_property
    def train_gold(self) -> np.ndarray:
        """The labels of the clauses to train on."""
        return gold_matrix(self.train, self.labels)

    @cached_property
    def validation_gold(self) -> np.ndarray:
        """The labels of the clauses to choose and calibrate with."""
        return gold_matrix(self.validation, self.labels)

    @cached_property
    def test_gold(self) -> np.ndarray:
        """The labels of the clauses to measure on."""
        return gold_matrix(self.test, self.labels)

    @property
    def counts(self) -> dict[str, int]:
        """Clauses and contracts of each side, for a manifest."""
        sides = {"train": self.train, "validation": self.validation, "test": self.test}
        clauses = {f"{name}_examples": len(side) for name, side in sides.items()}
        return clauses | {f"{name}_contracts": contracts_of(side) for name, side in sides.items()}


def split_for_training(plan: TrainingPlan) -> TrainingSplit:
    """Check a plan and split its data by contract, the same way every time.

    Raises:
        AnnotationError: the data cannot train or measure a flagger of these labels.
        TrainingError: a setting is out of its bounds.
    """
    _check_settings(plan)
    chosen = tuple(dict.fromkeys(plan.labels))
    if not chosen:
        raise AnnotationError("No label is chosen. Choose at least one label to learn.")
    whole = plan.annotations
    restricted = _restricted(whole.examples, chosen)
    check_usable(replace(whole, examples=restricted, labels=tuple(label_counts(restricted))))
    if plan.test is not None:
        pool, test = restricted, _restricted(plan.test.examples, chosen)
    elif isinstance(plan.data, WrittenClauses):
        pool, test = _restricted(plan.data.train, chosen), _restricted(plan.data.test, chosen)
    else:
        _check_contracts(whole.name, restricted)
        pool, test = split_by_contract(restricted, TEST_SHARE, SPLIT_SEED)
    if plan.validation is not None:
        train, validation = pool, _restricted(plan.validation.examples, chosen)
    else:
        if contracts_of(pool) < 2:
            raise _too_few_contracts(whole.name, restricted)
        train, validation = split_by_contract(pool, VALIDATION_SHARE, SPLIT_SEED)
    if not test:
        raise _too_few_contracts(whole.name, restricted)
    added, added_validation = (
        tuple(clause for one in sets for clause in one.examples) for sets in (plan.added, plan.added_validation)
    )
    _check_apart((*train, *added), (*validation, *added_validation), test)
    if plan.examples is not None:
        train = stratified(train, plan.examples)
        validation, test = (stratified(side, max(plan.examples, FEWEST_MEASURED)) for side in (validation, test))
    train = (*train, *_restricted(added, chosen))
    validation = (*validation, *_restricted(added_validation, chosen))
    present = label_counts(train)
    labels = tuple(label for label in chosen if label in present)
    if not labels:
        raise AnnotationError(
            f"None of the {len(train):,} clauses to train on carries a chosen label. Choose other labels or more "
            "examples."
        )
    notes = []
    if left_out := [label for label in chosen if label not in present]:
        notes.append(f"No clause to train on carries {', '.join(left_out)}: left out.")
    return TrainingSplit(
        labels,
        train=_restricted(train, labels),
        validation=_restricted(validation, labels),
        test=_restricted(test, labels),
        notes=tuple(notes),
        added=len(added),
    )


def stratified(clauses: Sequence[AnnotatedClause], count: int) -> tuple[AnnotatedClause, ...]:
    """Return at most ``count`` clauses, their order kept; every stratum gives its share, small ones at least one.

    The stratum of a clause is the rarest of its labels, or that it has none. Which ones are drawn depends on their ids
    only, so that a smaller draw is mostly a part of a larger one.
    """
    if count >= len(clauses):
        return tuple(clauses)
    frequency = label_counts(clauses)
    strata: dict[str, list[AnnotatedClause]] = {}
    for clause in clauses:
        key = min(clause.labels, key=lambda label: (frequency[label], label), default="")
        strata.setdefault(key, []).append(clause)
    ranked: list[tuple[float, str, AnnotatedClause]] = []
    for key, members in strata.items():
        members.sort(key=lambda clause: _draw(clause.id))
        # The i-th of n is due when the draw has reached the share i / n: all strata fill alike.
        ranked += [(place / len(members), _draw(key + clause.id), clause) for place, clause in enumerate(members)]
    ranked.sort(key=lambda entry: entry[:2])
    drawn = {id(clause) for *_, clause in ranked[:count]}
    return tuple(clause for clause in clauses if id(clause) in drawn)


def plan_fingerprint(plan: TrainingPlan, split: TrainingSplit, base_sha256: str) -> str:
    """Return a hex SHA-256 of everything that decides the result: a checkpoint of another one is not continued.

    The limit on the time is left out: a training whose limit was changed goes on.
    """
    digest = hashlib.sha256()
    settings = asdict(replace(plan.settings, max_minutes=None))
    digest.update(json.dumps([base_sha256, split.labels, settings], sort_keys=True).encode())
    if plan.start_from is not None:
        for path in sorted(plan.start_from.glob("*.safetensors")):
            digest.update(path.read_bytes())
    for side in (split.train, split.validation):
        for clause in side:
            row = [clause.id, clause.contract, clause.heading, clause.position, clause.text, clause.labels]
            digest.update(json.dumps(row).encode())
        digest.update(b"|")
    return digest.hexdigest()


def contracts_of(clauses: Iterable[AnnotatedClause]) -> int:
    """Return from how many contracts the clauses are."""
    return len({clause.contract for clause in clauses})


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _restricted(clauses: Sequence[AnnotatedClause], labels: Sequence[str]) -> tuple[AnnotatedClause, ...]:
    wanted = set(labels)
    return tuple(
        clause
        if wanted.issuperset(clause.labels)
        else replace(clause, labels=tuple(label for label in clause.labels if label in wanted))
        for clause in clauses
    )


def _check_apart(*sides: Sequence[AnnotatedClause]) -> None:
    """Check that no contract is on two sides: a flagger would be measured on what it has learnt."""
    seen: set[str] = set()
    for side in sides:
        contracts = {clause.contract for clause in side}
        if both := sorted(contracts & seen):
            raise AnnotationError(
                f"{len(both)} contract(s) are on two sides of training, validation and test, such as {both[0][:80]!r}. "
                "Take them out of one."
            )
        seen |= contracts


def _check_contracts(name: str, clauses: Sequence[AnnotatedClause]) -> None:
    if contracts_of(clauses) < 3:
        raise _too_few_contracts(name, clauses)


def _too_few_contracts(name: str, clauses: Sequence[AnnotatedClause]) -> AnnotationError:
    largest = Counter(clause.contract for clause in clauses).most_common(1)
    most = f" {largest[0][1]:,} clauses are of one." if largest else ""
    return AnnotationError(
        f"{name} has clauses of {contracts_of(clauses)} contract(s); at least 3 are needed, because training, "
        f"validation and test share none.{most} Add clauses of other contracts."
    )


def _check_settings(plan: TrainingPlan) -> None:
    settings = plan.settings
    if plan.examples is not None and plan.examples < 10:
        raise TrainingError(f"{plan.examples} examples are too few to learn from. Use at least 10.")
    if not 1 <= settings.rank <= MOST_RANK:
        raise TrainingError(f"The rank is {settings.rank}. Use a whole number from 1 to {MOST_RANK}.")
    if not (0 < settings.epochs <= 1_000 or (settings.epochs == 0 and plan.start_from)):
        raise TrainingError(f"{settings.epochs:g} epochs cannot be trained. Use more than 0 and at most 1,000.")
    if settings.max_minutes is not None and not settings.max_minutes > 0:
        raise TrainingError("The time budget must be more than 0 minutes.")
    if not (0 < settings.learning_rate < 1 and 0 < settings.head_learning_rate < 1):
        raise TrainingError("A learning rate must lie between 0 and 1, such as 0.001.")
    if not (settings.window_tokens == 0 or 32 <= settings.window_tokens <= 512):
        raise TrainingError("Windows must have 32 to 512 tokens, or 0 to read every clause alone.")
    if not 1 <= settings.added_passes <= _MOST_PASSES:
        raise TrainingError(
            f"{settings.added_passes} passes over the added clauses cannot be made. Use 1 to {_MOST_PASSES} an epoch."
        )
    if not 0 < plan.words_weight <= 100:
        raise TrainingError("The words' weight must be more than 0 and at most 100.")
    if settings.seed < 0:
        raise TrainingError("The seed must be a whole number from 0.")
