"""Garbage in: the flagger's head is trained on clauses of which a share has a wrong label, and on what cleaning leaves.

The encoder is frozen, so its vectors are made once for all trainings. Cleaning is confident learning (Northcutt, Jiang
and Chuang, 2021, JAIR 70) for each label as a question of yes or no: a clause is dropped where the out-of-fold
probability of a label that it was given is below the mean of the clauses that have it, and as low as the mean of those
that lack it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.annotations.gold import gold_matrix
from playground.errors import EvaluationError
from playground.flagging.baselines import RememberingEmbedder, embed_clauses, fit_frozen_embedding
from playground.limits.experiment import ExperimentFunctions, LimitRequest
from playground.limits.finding import Finding, Point, Series, Verdict, by_condition, percent
from playground.measuring.clause_metrics import micro_ap
from playground.measuring.evaluation import EvaluationPlan, fingerprint_of
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
from scenarios.contract_clauses.measured_contracts import LABELS, contract_of, load_measured_set

NAME = "garbage-in"
RIGHT = "right labels"
SHARES = (10, 20, 40)
KINDS = {
    "random": Series("wrong at random", "#366797", "circle"),
    "random and cleaned": Series("at random, cleaned", "#439bd0", "diamond"),
    "confusable": Series("most confusable label", "#c55500", "square"),
    "confusable and cleaned": Series("confusable, cleaned", "#bf8b03", "triangle-up"),
}
CONDITIONS = (RIGHT, *(f"{kind}, {share} %" for kind in KINDS for share in SHARES))
FOLDS = 5
METRIC = "micro average precision"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Clauses with their vectors: float32 [n, d] and ``gold`` bool [n, LABELS]."""

    clauses: tuple[AnnotatedClause, ...]
    vectors: np.ndarray
    gold: np.ndarray


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
    train, measured = load_training_clauses(None), load_measured_set(None, None, 0)
    contracts = [contract_of(example) for example in measured.examples]
    embedder = RememberingEmbedder(load_embedder())
    pool = Labelled(train.clauses, embed_clauses(train.clauses, embedder), gold_matrix(train.clauses, LABELS))
    clauses = tuple(clause for contract in contracts for clause in contract.clauses)
    test = Labelled(clauses, embed_clauses(clauses, embedder), np.concatenate([one.gold for one in contracts]))
    readily: dict[int, np.ndarray] = {}  # by seed, for every share of confusable labels

    def taken_for(seed: int) -> np.ndarray:
        if seed not in readily:
            readily[seed] = out_of_fold(pool, embedder, seed)
        return readily[seed]

    data = [train.sha256, measured.sha256, embedder.model_id]
    return EvaluationPlan(
        scenario=NAME,
        model_id=f"{embedder.model_id} (frozen)",
        seed=request.seed,
        strategies={name: _strategy(name, pool, test, embedder, taken_for) for name in names},
        examples=seed_examples(request),
        metrics={"average_precision": lambda prediction, _example: float(str(prediction.detail.get("score", 0.0)))},
        fingerprint=lambda name, example: fingerprint_of(name, data, example.id, FOLDS, *_cleaning(name)),
        settings={"train": train.name, "clauses": len(pool.clauses), "tested": len(clauses), "folds": FOLDS},
        failed_cost_usd=0.0,
    )


def _cleaning(condition: str) -> tuple[str, ...]:
    return ("given labels",) if "cleaned" in condition else ()


def _strategy(
    name: str, pool: Labelled, test: Labelled, embedder: Embedder, taken_for: Callable[[int], np.ndarray]
) -> Strategy:
    """Return a training. ``taken_for``: seed -> how readily a clause is taken for each label, from right labels."""
    kind, _, share = name.partition(", ")
    wrong = int(share.removesuffix(" %")) / 100 if share else 0.0

    def train(example: Example) -> Prediction:
        started = time.perf_counter()
        seed = seed_of(example)
        spoilt, changed = pool, np.zeros(len(pool.clauses), dtype=bool)
        if wrong:
            readily = taken_for(seed) if kind.startswith("confusable") else None
            gold, changed = with_wrong_labels(pool.gold, wrong, seed, readily)
            spoilt = _relabelled(pool, gold)
        kept = np.ones(len(pool.clauses), dtype=bool)
        if kind.endswith("cleaned"):
            kept = ~doubted(spoilt.gold, out_of_fold(spoilt, embedder, seed))
        scores = scores_of(_taken(spoilt, kept), test, embedder, seed)
        found = micro_ap(scores, test.gold) or 0.0
        dropped = int((~kept).sum())
        return Prediction(
            output=f"{METRIC} {found:.4f}",
            usage=None,
            timings={"total_s": time.perf_counter() - started},
            detail={
                "score": found,
                "clauses": int(kept.sum()),
                "wrong": int(changed.sum()),
                "dropped": dropped,
                "dropped_wrong": int((changed & ~kept).sum()),
                "cost_usd": 0.0,
            },
        )

    return train


def with_wrong_labels(
    gold: np.ndarray, share: float, seed: int, readily: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``gold`` with one wrong label in the place of those of a share of its rows, and which rows those are.

    Args:
        gold: bool [n, labels].
        share: of the rows, in [0, 1].
        seed: of the choice; with the same seed a larger share has all rows of a smaller one.
        readily: float [n, labels], how readily a clause is taken for each label: the wrong label is the likeliest one.
            None draws it.
    """
    generator = np.random.default_rng(seed)
    order, draws = generator.permutation(len(gold)), generator.random(gold.shape)
    chosen = order[: round(share * len(gold))]
    likeliness = np.where(gold, -np.inf, draws if readily is None else readily)
    spoilt = gold.copy()
    spoilt[chosen] = False
    spoilt[chosen, likeliness[chosen].argmax(axis=1)] = True
    changed = np.zeros(len(gold), dtype=bool)
    changed[chosen] = True
    return spoilt, changed


def doubted(gold: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return which rows confident learning doubts, bool [n].

    For each label the threshold of Yes is the mean probability among the rows that have it, that of No the mean of
    1 - p among those that lack it. A label that is given is doubted where No reaches its threshold and Yes does not.
    Labels that may be missing are not asked about: with forty labels a row that any of them is taken for is nearly
    every second one (docs/experiments.md).
    """
    has = gold.sum(axis=0)
    lacks = len(gold) - has
    yes = np.where(has > 0, (probabilities * gold).sum(axis=0) / np.maximum(has, 1), np.inf)
    no = np.where(lacks > 0, ((1 - probabilities) * ~gold).sum(axis=0) / np.maximum(lacks, 1), np.inf)
    return np.asarray((gold & (1 - probabilities >= no) & (probabilities < yes)).any(axis=1))


def out_of_fold(labelled: Labelled, embedder: Embedder, seed: int) -> np.ndarray:
    """Return the probability of each label by a head that was trained on the other folds; float [n, labels].

    Folds are of whole contracts: the clauses of one resemble each other.
    """
    contracts = sorted({clause.contract for clause in labelled.clauses})
    shuffled = np.random.default_rng(seed).permutation(contracts)
    fold_of = {name: place % FOLDS for place, name in enumerate(shuffled)}
    folds = np.asarray([fold_of[clause.contract] for clause in labelled.clauses])
    found = np.zeros(labelled.gold.shape)
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            found[inside] = scores_of(_taken(labelled, ~inside), _taken(labelled, inside), embedder, seed)
    return found


def scores_of(train: Labelled, test: Labelled, embedder: Embedder, seed: int) -> np.ndarray:
    """Return the probabilities of a head trained on ``train``, float [n_test, labels]."""
    model = fit_frozen_embedding(train.clauses, LABELS, embedder, seed=seed, vectors=train.vectors)
    return np.asarray(model.probabilities(test.clauses))


def _relabelled(labelled: Labelled, gold: np.ndarray) -> Labelled:
    names = np.asarray(LABELS)
    clauses = tuple(
        replace(clause, labels=tuple(map(str, names[row]))) for clause, row in zip(labelled.clauses, gold, strict=True)
    )
    return Labelled(clauses, labelled.vectors, gold)


def _taken(labelled: Labelled, rows: np.ndarray) -> Labelled:
    clauses = tuple(clause for clause, kept in zip(labelled.clauses, rows, strict=True) if kept)
    return Labelled(clauses, labelled.vectors[rows], labelled.gold[rows])


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: nothing was trained on right labels, or on wrong ones.
    """
    groups = by_condition([row for row in rows if row.prediction])
    scores = {name: [row.scores["average_precision"] for row in own] for name, own in groups.items()}
    kinds = [kind for kind in KINDS if any(f"{kind}, {share} %" in scores for share in SHARES)]
    if RIGHT not in scores or not kinds:
        raise EvaluationError(
            "Trainings on right labels and on wrong ones are needed. What was measured is kept; measure more."
        )
    points = [
        Point(KINDS[kind], f"{share} %", over_seeds(scores[name]), len(scores[name]))
        for kind in kinds
        for share in (0, *SHARES)
        if (name := f"{kind}, {share} %" if share else RIGHT) in scores
        and not (share == 0 and kind.endswith("cleaned"))
    ]
    clean = over_seeds(scores[RIGHT])
    worst = {kind: max(share for share in SHARES if f"{kind}, {share} %" in scores) for kind in kinds}
    dirty = [kind for kind in kinds if not kind.endswith("cleaned")]
    falls = [max(scores[f"{kind}, {worst[kind]} %"]) < min(scores[RIGHT]) for kind in dirty]
    verdict: Verdict = "shows here" if falls and all(falls) else "shows in part" if any(falls) else "does not show here"
    n = min(len(own) for own in scores.values())
    parts = [
        f"{KINDS[kind].title}: {percent(mean(scores[f'{kind}, {worst[kind]} %']))} with {worst[kind]} % of the labels "
        "wrong"
        for kind in dirty
    ]
    return Finding(
        headline=f"{METRIC.capitalize()} {percent(clean.value)} with right labels; {'; '.join(parts)}"
        if parts
        else f"{METRIC.capitalize()} {percent(clean.value)} with right labels",
        verdict=verdict,
        sentence=f"With right labels the {METRIC} is {percent(clean.value)}. {_won_back(scores, kinds)}".strip(),
        points=tuple(points),
        x_title="training clauses with a wrong label",
        y_title=METRIC,
        n=n,
        lines=(
            *(line for kind in kinds if (line := _line(kind, groups))),
            bands_line(n),
        ),
        counts="seeds",
    )


def _won_back(scores: Mapping[str, Sequence[float]], kinds: Sequence[str]) -> str:
    """Return what cleaning wins back of what was lost, at the largest share."""
    words = []
    for kind in kinds:
        share = max((share for share in SHARES if f"{kind}, {share} %" in scores), default=0)
        cleaned = scores.get(f"{kind} and cleaned, {share} %")
        if cleaned is None:
            continue
        right, wrong, back = mean(scores[RIGHT]), mean(scores[f"{kind}, {share} %"]), mean(cleaned)
        lost = right - wrong
        words.append(
            f"{KINDS[kind].title.capitalize()}, {share} %: {100 * lost:.0f} points are lost, and cleaning "
            + (f"wins {100 * (back - wrong):.0f} back." if back > wrong else f"loses {100 * (wrong - back):.0f} more.")
        )
    return " ".join(words)


def _line(kind: str, groups: Mapping[str, Sequence[RunRecord]]) -> str:
    """Return what cleaning dropped; "" for a kind that is not cleaned."""
    if not kind.endswith("cleaned"):
        return ""
    parts = []
    for share in SHARES:
        details = [row.prediction.detail for row in groups.get(f"{kind}, {share} %", ()) if row.prediction]
        if details:
            dropped, wrong, hit = (
                sum(int(str(one[name])) for one in details) for name in ("dropped", "wrong", "dropped_wrong")
            )
            parts.append(
                f"at {share} %, {dropped / len(details):.0f} clauses dropped a seed, of which "
                f"{percent(hit / dropped if dropped else 0.0)} had a wrong label; {percent(hit / wrong)} of the wrong "
                "ones found"
            )
    return f"{KINDS[kind].title}: {'; '.join(parts)}."
