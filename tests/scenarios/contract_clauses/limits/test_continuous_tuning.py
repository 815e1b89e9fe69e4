"""A head that goes on learning: with replay it keeps what it knew, without it forgets, and a gate tells."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import EvaluationError
from playground.limits.experiment import LimitRequest, Size
from playground.limits.finding import Finding
from playground.measuring.clause_metrics import micro_ap
from playground.types import ChatModel, Prediction, RunRecord
from scenarios.contract_clauses.limits import continuous_tuning
from scenarios.contract_clauses.limits.continuous_tuning import (
    ALONE,
    BEFORE,
    NONE,
    REPLAYED,
    ROUNDS,
    UNTAUGHT,
    Clauses,
    Data,
    Head,
    Round,
    found,
    head_of,
    prepare,
    refusal,
    rounds,
    trained,
)
from tests.support.fakes_limits import limit_row
from tests.support.scripted_embedder import ScriptedEmbedder

LABELS = 4
pytestmark = pytest.mark.usefixtures("one_thread", "few_steps")


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few clauses need no more."""
    monkeypatch.setattr(continuous_tuning, "_FIRST_STEPS", 300)
    monkeypatch.setattr(continuous_tuning, "_ROUND_STEPS", 80)


def some(count: int, *, new: bool, seed: int) -> Clauses:
    """Clauses whose label shows in their vector; the new kind shows it elsewhere, and misleads where the old has it."""
    generator = np.random.default_rng(seed)
    label = np.arange(count) % LABELS
    gold = np.eye(LABELS, dtype=bool)[label]
    vectors = 0.1 * generator.standard_normal((count, 3 * LABELS))
    rows = np.arange(count)
    if new:
        vectors[rows, (label + 1) % LABELS] += 0.7
        vectors[rows, LABELS + label] += 0.7
        vectors[:, -1] += 0.3
    else:
        vectors[rows, label] += 1.0
    return Clauses(vectors.astype(np.float32), gold)


@pytest.fixture(scope="module")
def data() -> Data:
    """Old and new clauses, a few of each."""
    return Data(
        first=some(120, new=False, seed=1),
        stream=some(100, new=True, seed=2),
        gate=some(40, new=True, seed=3),
        old=some(60, new=False, seed=4),
        contracts=np.repeat(np.arange(6), 10),
        new=some(60, new=True, seed=5),
    )


def all_rounds(data: Data, arm: str) -> tuple[Round, ...]:
    return rounds(data, arm, 0, head_of(data.first, 0))


def score(head: Head, clauses: Clauses) -> float:
    return micro_ap(head.probabilities(clauses.vectors), clauses.gold) or 0.0


def test_with_replay_the_new_is_learned_and_the_old_kept_and_without_the_old_is_lost(data: Data) -> None:
    replayed, alone = (all_rounds(data, arm) for arm in (REPLAYED, ALONE))
    assert len(replayed) == len(alone) == ROUNDS + 1
    assert (replayed[0].head.weights == alone[0].head.weights).all()
    assert score(replayed[0].head, data.new) < 0.6 and score(replayed[0].head, data.old) > 0.95
    assert score(replayed[-1].head, data.new) > 0.9 and score(replayed[-1].head, data.old) > 0.95
    assert score(alone[-1].head, data.old) < score(replayed[-1].head, data.old) - 0.05
    assert [one.refused for one in replayed] == [""] * (ROUNDS + 1)
    assert "worse on the old" in alone[-1].refused
    counts = [one.corrections for one in replayed]
    assert counts == sorted(counts) and 0 < counts[-1] <= 100  # only what was judged wrongly


def test_without_corrections_nothing_new_is_learned(data: Data) -> None:
    after = all_rounds(data, NONE)[-1]
    assert after.corrections == 0 and score(after.head, data.new) < 0.6


def test_training_goes_on_from_the_weights_and_is_the_same_every_time(data: Data) -> None:
    first = all_rounds(data, REPLAYED)[0].head
    one, other = (trained(first, data.first, 1, seed=7) for _ in range(2))
    assert (one.weights == other.weights).all()
    assert 0 < np.abs(one.weights - first.weights).max() < 0.1


def test_the_gate_refuses_what_is_no_better(data: Data) -> None:
    first = all_rounds(data, REPLAYED)[0].head
    assert refusal(data, first, first) == "no better on typed clauses"
    assert refusal(data, first, Head(-first.weights, first.biases)) == "worse on the old"


def no_model() -> ChatModel:
    raise AssertionError("no chat model is asked")


def test_a_condition_that_is_not_known_is_refused() -> None:
    with pytest.raises(EvaluationError, match="There is no condition 'with luck'. Use one or more of: before; with"):
        prepare(LimitRequest(size=Size(1, ("with luck",))), load_model=no_model, load_embedder=ScriptedEmbedder)


def scored(condition: str, *scores: tuple[float, float], refused: str = "") -> list[RunRecord]:
    detail: dict[str, object] = {"refused": refused, "corrections": 12}
    return [
        limit_row(
            condition,
            f"seed {seed}",
            right=True,
            scores={"old_contracts": old, "typed_clauses": new},
            prediction=Prediction("", None, {}, detail),
        )
        for seed, (old, new) in enumerate(scores)
    ]


def finding(*replayed: tuple[float, float]) -> Finding:
    return found(
        [
            *scored(BEFORE, (0.7, 0.4), (0.7, 0.4)),
            *scored(f"{REPLAYED}, round 5", *replayed),
            *scored(f"{ALONE}, round 5", (0.5, 0.6), (0.5, 0.6), refused="worse on the old"),
            *scored(UNTAUGHT, (0.7, 0.4), (0.7, 0.4)),
        ]
    )


def test_it_shows_where_every_seed_learned_and_none_forgot() -> None:
    both = finding((0.69, 0.6), (0.70, 0.5))
    assert both.verdict == "shows here" and both.n == 2 and not both.is_small
    assert both.headline.startswith(
        "With replay: typed clauses 40 % → 55 %, old contracts 70 % → 70 %; corrections alone: "
    )
    assert (
        "Corrections alone, after round 5: +20 points on clauses as people type them, -20 on the old" in both.sentence
    )
    assert any("let through 0 of 2 heads (worse on the old); up to 12 corrections" in line for line in both.lines)
    assert any(line.startswith("No corrections, after round 5: +0 points") for line in both.lines)
    assert finding((0.67, 0.6), (0.70, 0.5)).verdict == "shows in part"
    assert finding((0.70, 0.6), (0.70, 0.4)).verdict == "does not show here"


def test_without_the_head_of_before_nothing_is_said() -> None:
    with pytest.raises(EvaluationError, match="What was measured is kept; measure more"):
        found(scored(f"{REPLAYED}, round 5", (0.7, 0.5)))
    assert continuous_tuning.functions().conditions[0] == BEFORE
