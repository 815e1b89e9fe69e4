"""Continuous fine-tuning: a head learns from corrections, round by round, with and without the clauses of before.

The encoder is frozen, so every clause is read once for all trainings. In a round the head of before judges clauses as
people type them; those that it judges wrongly come back corrected, and training goes on from the head's weights for the
same number of steps: on the corrections of all rounds mixed with the clauses of before (experience replay, Rolnick et
al., 2019), or on the corrections of the round alone.

The gate is what the app's own would ask: on the old contracts the new head must not be worse than the first one by more
than a margin (paired, over contracts), and on clauses of the new kind that no training saw it must be better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from playground.annotations import read_annotations
from playground.annotations.gold import gold_matrix
from playground.errors import EvaluationError
from playground.flagging.baselines import RememberingEmbedder, embed_clauses
from playground.limits.experiment import ExperimentFunctions, LimitRequest
from playground.limits.finding import Finding, Point, Series, Verdict, by_condition, percent
from playground.measuring.clause_metrics import bootstrap_over_contracts, micro_ap, statistics_of
from playground.measuring.evaluation import EvaluationPlan, fingerprint_of
from playground.paths import PLAIN_CLAUSES
from playground.types import AnnotatedClause, ChatModel, Embedder, Example, Prediction, RunRecord, Strategy
from scenarios.contract_clauses.judges import load_training_clauses
from scenarios.contract_clauses.limits.seeds import (
    bands_line,
    mean,
    over_seeds,
    seed_examples,
    seed_of,
    wanted_conditions,
)
from scenarios.contract_clauses.measured_contracts import LABELS, contract_of, load_measured_set, read_bytes

NAME = "continuous-tuning"
BEFORE = "before"
REPLAYED, ALONE, NONE = "with replay", "corrections alone", "no corrections"
ROUNDS = 5
UNTAUGHT = f"{NONE}, round {ROUNDS}"
"""As many steps on the clauses of before alone: what more training does without a correction."""
CONDITIONS = (
    BEFORE,
    *(f"{arm}, round {number}" for arm in (REPLAYED, ALONE) for number in range(1, ROUNDS + 1)),
    UNTAUGHT,
)
MARGIN = 0.02
"""By how much the figure on the old contracts may fall before the gate refuses."""
GATE_RESAMPLES = 300
SERIES = {
    (REPLAYED, "new"): Series("with replay: typed clauses", "#366797", "circle"),
    (REPLAYED, "old"): Series("with replay: old contracts", "#439bd0", "diamond"),
    (ALONE, "new"): Series("corrections alone: typed clauses", "#c55500", "square"),
    (ALONE, "old"): Series("corrections alone: old contracts", "#bf8b03", "triangle-up"),
}
METRIC = "micro average precision"

_FIRST_STEPS, _ROUND_STEPS, _BATCH, _RATE = 1_500, 300, 64, 0.02
_FLAGGED = 0.5


@dataclass(frozen=True, slots=True)
class Clauses:
    """Clauses as the head sees them: ``vectors`` float32 [n, d], ``gold`` bool [n, LABELS]."""

    vectors: np.ndarray
    gold: np.ndarray

    def rows(self, chosen: np.ndarray) -> Clauses:
        """Return some of them."""
        return Clauses(self.vectors[chosen], self.gold[chosen])

    def __add__(self, other: Clauses) -> Clauses:
        return Clauses(np.concatenate([self.vectors, other.vectors]), np.concatenate([self.gold, other.gold]))


@dataclass(frozen=True, slots=True)
class Head:
    """A logistic regression a label: ``weights`` float32 [d, labels], ``biases`` float32 [labels]."""

    weights: np.ndarray
    biases: np.ndarray

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return float [n, labels]."""
        from scipy.special import expit

        return np.asarray(expit(vectors @ self.weights + self.biases))


@dataclass(frozen=True, slots=True)
class Data:
    """What is learned from and judged by. ``old`` has its contracts' numbers, int [n]; ``new`` was never learned."""

    first: Clauses
    stream: Clauses
    gate: Clauses
    old: Clauses
    contracts: np.ndarray
    new: Clauses


@dataclass(frozen=True, slots=True)
class Round:
    """A head after a round, from how many corrections, and what the gate says of it ("" where it lets it through)."""

    head: Head
    corrections: int
    refused: str


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest,
    *,
    load_model: Callable[[], ChatModel],  # noqa: ARG001 - no chat model is asked
    load_embedder: Callable[[], Embedder],
) -> EvaluationPlan:
    """Return the plan: the examples are seeds; see ``experiment.Prepare``."""
    names = wanted_conditions(request, CONDITIONS)
    first, measured = load_training_clauses(None), load_measured_set(None, None, 0)
    contracts = [contract_of(example) for example in measured.examples]
    parts = {name: _typed(name) for name in ("train", "validation", "kept-aside")}
    embedder = RememberingEmbedder(load_embedder())

    def read(clauses: Sequence[AnnotatedClause]) -> Clauses:
        return Clauses(embed_clauses(clauses, embedder), gold_matrix(clauses, LABELS))

    old = tuple(clause for contract in contracts for clause in contract.clauses)
    data = Data(
        first=read(first.clauses),
        stream=read(parts["train"]),
        gate=read(parts["validation"]),
        old=Clauses(embed_clauses(old, embedder), np.concatenate([one.gold for one in contracts])),
        contracts=np.repeat(np.arange(len(contracts)), [len(one.clauses) for one in contracts]),
        new=read(parts["kept-aside"]),
    )

    @cache
    def first_head(seed: int) -> Head:
        return head_of(data.first, seed)

    @cache
    def chain(arm: str, seed: int) -> tuple[Round, ...]:
        return rounds(data, arm, seed, first_head(seed))

    texts = [clause.text for part in parts.values() for clause in part]
    return EvaluationPlan(
        scenario=NAME,
        model_id=f"{embedder.model_id} (frozen)",
        seed=request.seed,
        strategies={name: _strategy(name, data, chain) for name in names},
        examples=seed_examples(request),
        metrics={"old_contracts": _detail("old"), "typed_clauses": _detail("new")},
        fingerprint=lambda name, example: fingerprint_of(
            name, first.sha256, measured.sha256, texts, embedder.model_id, example.id, _FIRST_STEPS, _ROUND_STEPS
        ),
        settings={
            "clauses": len(first.clauses),
            "typed": len(parts["train"]),
            "tested": len(old),
            "typed_tested": len(parts["kept-aside"]),
            "margin": MARGIN,
        },
        failed_cost_usd=0.0,
    )


def _typed(part: str) -> tuple[AnnotatedClause, ...]:
    path = PLAIN_CLAUSES / f"{part}.jsonl"
    return read_annotations(read_bytes(path, "the installation"), path.name, LABELS).examples


def _detail(name: str) -> Callable[[Prediction, Example], float]:
    return lambda prediction, _example: float(str(prediction.detail.get(name, 0.0)))


def _strategy(name: str, data: Data, chain: Callable[[str, int], Sequence[Round]]) -> Strategy:
    arm, _, number = name.partition(", round ")

    def train(example: Example) -> Prediction:
        started = time.perf_counter()
        place = int(number) if number else 0
        after = chain(REPLAYED if arm == BEFORE else arm, seed_of(example))[place]
        old = micro_ap(after.head.probabilities(data.old.vectors), data.old.gold) or 0.0
        new = micro_ap(after.head.probabilities(data.new.vectors), data.new.gold) or 0.0
        return Prediction(
            output=f"{METRIC}: old contracts {old:.4f}, typed clauses {new:.4f}",
            usage=None,
            timings={"total_s": time.perf_counter() - started},
            detail={
                "old": old,
                "new": new,
                "corrections": after.corrections,
                "refused": after.refused,
                "cost_usd": 0.0,
            },
        )

    return train


def head_of(clauses: Clauses, seed: int) -> Head:
    """Return a head trained on ``clauses`` from nothing."""
    dimensions, labels = clauses.vectors.shape[1], clauses.gold.shape[1]
    empty = Head(np.zeros((dimensions, labels), np.float32), np.zeros(labels, np.float32))
    return trained(empty, clauses, _FIRST_STEPS, seed)


def rounds(data: Data, arm: str, seed: int, first: Head) -> tuple[Round, ...]:
    """Return ``first``, with which every arm begins, and the head after each round."""
    done = [Round(first, 0, "")]
    collected = data.stream.rows(np.zeros(0, dtype=int))
    order = np.random.default_rng(seed).permutation(len(data.stream.gold))
    for number, seen in enumerate(np.array_split(order, ROUNDS), start=1):
        judged = data.stream.rows(seen)
        wrong = ((done[-1].head.probabilities(judged.vectors) >= _FLAGGED) != judged.gold).any(axis=1)
        corrected = judged.rows(np.flatnonzero(wrong))
        collected = collected + corrected
        head = done[-1].head
        learned = {REPLAYED: collected + data.first, ALONE: corrected, NONE: data.first}[arm]
        if len(learned.gold):
            head = trained(head, learned, _ROUND_STEPS, seed + number)
        corrections = 0 if arm == NONE else len(collected.gold)
        done.append(Round(head, corrections, refusal(data, first, head) if corrections else ""))
    return tuple(done)


def trained(head: Head, clauses: Clauses, steps: int, seed: int) -> Head:
    """Return a head after ``steps`` more steps of Adam on binary cross entropy, from ``head``'s weights."""
    import torch

    linear = torch.nn.Linear(*head.weights.shape)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(head.weights.T.copy()))
        linear.bias.copy_(torch.from_numpy(head.biases.copy()))
    vectors = torch.from_numpy(np.ascontiguousarray(clauses.vectors, dtype=np.float32))
    gold = torch.from_numpy(clauses.gold.astype(np.float32))
    optimizer = torch.optim.Adam(linear.parameters(), lr=_RATE)
    generator = np.random.default_rng(seed)
    for _ in range(steps):
        batch = torch.from_numpy(generator.integers(len(gold), size=min(_BATCH, len(gold))))
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(linear(vectors[batch]), gold[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return Head(linear.weight.detach().numpy().T.copy(), linear.bias.detach().numpy().copy())


def refusal(data: Data, first: Head, head: Head) -> str:
    """Return why the gate refuses ``head`` in the place of ``first``; "" where it lets it through."""
    thresholds = np.full(data.old.gold.shape[1], _FLAGGED)
    own, before = (
        statistics_of(one.probabilities(data.old.vectors), data.old.gold, data.contracts, thresholds)["micro_ap"]
        for one in (head, first)
    )
    change = bootstrap_over_contracts(
        {"change": lambda weights: own(weights) - before(weights)},
        int(data.contracts.max()) + 1,
        resamples=GATE_RESAMPLES,
    )["change"]
    if change is None or change.low < -MARGIN:
        return "may be worse on the old contracts" if change is None or change.value > -MARGIN else "worse on the old"
    better = [micro_ap(one.probabilities(data.gate.vectors), data.gate.gold) or 0.0 for one in (first, head)]
    return "" if better[1] > better[0] else "no better on typed clauses"


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: the head of before, or every later one, is missing.
    """
    groups = by_condition([row for row in rows if row.prediction])
    last = {
        arm: max((number for number in range(1, ROUNDS + 1) if f"{arm}, round {number}" in groups), default=0)
        for arm in (REPLAYED, ALONE)
    }
    if BEFORE not in groups or not any(last.values()):
        raise EvaluationError(
            "The head of before and one of a later round are needed. What was measured is kept; measure more."
        )
    scores = {
        (name, part): [row.scores[key] for row in own]
        for name, own in groups.items()
        for part, key in (("old", "old_contracts"), ("new", "typed_clauses"))
    }
    points = [
        Point(series, str(number), over_seeds(scores[name, part]), len(scores[name, part]), at=float(number))
        for (arm, part), series in SERIES.items()
        if last[arm]
        for number in range(ROUNDS + 1)
        if ((name := f"{arm}, round {number}" if number else BEFORE), part) in scores
    ]
    n = min(len(own) for own in groups.values())
    ends = {arm: f"{arm}, round {number}" for arm, number in last.items() if number}
    return Finding(
        headline="; ".join(
            f"{arm}: typed clauses {_from_to(scores, name, 'new')}, old contracts {_from_to(scores, name, 'old')}"
            for arm, name in ends.items()
        ).capitalize(),
        verdict=_verdict(scores, ends),
        sentence=" ".join(_sentence(arm, name, scores) for arm, name in ends.items()),
        points=tuple(points),
        x_title="rounds of corrections",
        y_title=METRIC,
        n=n,
        lines=(
            *(_gate_line(arm, groups) for arm in ends),
            *([_sentence(NONE, UNTAUGHT, scores)] if UNTAUGHT in groups else []),
            bands_line(n),
        ),
        counts="seeds",
    )


Scores = Mapping[tuple[str, str], Sequence[float]]
"""By condition and what is judged ("old", "new"): a score a seed."""


def _verdict(scores: Scores, ends: Mapping[str, str]) -> Verdict:
    if REPLAYED not in ends:
        return "does not show here"
    learned = _all_better(scores, ends[REPLAYED], "new", 0.0)
    kept = _all_better(scores, ends[REPLAYED], "old", -MARGIN)
    return "shows here" if learned and kept else "shows in part" if learned else "does not show here"


def _all_better(scores: Scores, name: str, part: str, least: float) -> bool:
    """Tell whether every seed's score rose by more than ``least``."""
    return all(new - old > least for new, old in zip(scores[name, part], scores[BEFORE, part], strict=False))


def _from_to(scores: Scores, name: str, part: str) -> str:
    return f"{percent(mean(scores[BEFORE, part]))} → {percent(mean(scores[name, part]))}"


def _sentence(arm: str, name: str, scores: Scores) -> str:
    learned, kept = (100 * (mean(scores[name, part]) - mean(scores[BEFORE, part])) for part in ("new", "old"))
    number = name.rpartition(" ")[2]
    return (
        f"{arm.capitalize()}, after round {number}: {learned:+.0f} points on clauses as people type them, {kept:+.0f} "
        "on the old contracts."
    )


def _gate_line(arm: str, groups: Mapping[str, Sequence[RunRecord]]) -> str:
    own = [
        row.prediction.detail
        for number in range(1, ROUNDS + 1)
        for row in groups.get(f"{arm}, round {number}", ())
        if row.prediction
    ]
    passed = sum(1 for one in own if not one["refused"])
    reasons = ", ".join(sorted({str(one["refused"]) for one in own if one["refused"]}))
    most = max(int(str(one["corrections"])) for one in own)
    return (
        f"{arm.capitalize()}: the gate would let through {passed} of {len(own)} heads"
        f"{f' ({reasons})' if reasons else ''}; up to {most} corrections."
    )
