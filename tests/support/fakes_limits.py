"""Rows of experiments without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from playground.limits.experiment import Experiment, ExperimentFunctions, LimitRequest, Size
from playground.limits.finding import Finding, Point, Series, by_condition, enough, paired_tests, share_right
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.spending import Spending
from playground.types import ChatModel, Embedder, Example, Message, Prediction, RunRecord, Usage

CONDITIONS = ("first", "second")
SERIES = Series("a model", "#366797")


def limit_row(condition: str, example_id: str, *, right: bool, **changes: object) -> RunRecord:
    """Return a row of an experiment."""
    row = RunRecord(
        run_id="r",
        strategy=condition,
        model_id="fake-model",
        adapter=None,
        example_id=example_id,
        seed=0,
        prediction=Prediction("an answer", Usage(100, 5), {"total_s": 1.0}, {"abstained": False}),
        scores={"right": float(right)},
        cost_usd=0.0,
        error=None,
        started_at="2026-01-02T03:04:05+00:00",
        machine="a recorded machine",
        commit="abc1234",
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def limit_rows(condition: str, right: Callable[[int], bool], count: int = 40, **changes: object) -> list[RunRecord]:
    """Return rows of one condition."""
    return [limit_row(condition, f"q{number}", right=right(number), **changes) for number in range(count)]


def tiny_experiment(examples: int = 6) -> Experiment:
    """Return an experiment that asks whether the model says yes, once plainly and once politely."""
    return Experiment(
        name="tiny",
        title="Tiny",
        claim="A claim with <b>letters</b>.",
        method="It is asked twice.",
        source="Nobody, 2026.",
        rule="It shows where the second is worse.",
        live=Size(examples),
        full=Size(examples),
        live_takes_s=5,
        load=lambda: ExperimentFunctions(CONDITIONS, _prepare, tiny_finding),
    )


def tiny_finding(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows of the tiny experiment show."""
    groups = by_condition(rows)
    enough(groups, CONDITIONS, 5, "answers")
    points = tuple(Point(SERIES, name, share_right(groups[name]), len(groups[name])) for name in CONDITIONS)
    return Finding(
        headline=f"{points[0].value.value:.0%} and {points[1].value.value:.0%}",
        verdict="shows here" if points[1].value.value < points[0].value.value else "does not show here",
        sentence="That is all.",
        points=points,
        x_title="condition",
        y_title="right answers",
        n=min(point.n for point in points),
        lines=("A line with <i>letters</i>.",),
        tests=paired_tests([CONDITIONS], groups),
    )


def _prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    spending = Spending()
    model = spending.metered(load_model())

    def asked(words: str) -> Callable[[Example], Prediction]:
        def answer(example: Example) -> Prediction:
            found = model.complete([Message("user", f"{words} {example.input}")])
            return Prediction(found.text, found.usage, {"total_s": 0.0}, {"cost_usd": model.cost_usd(found.usage)})

        return answer

    return EvaluationPlan(
        scenario="tiny",
        model_id=model.model_id,
        seed=request.seed,
        strategies={name: asked(name) for name in request.size.conditions or CONDITIONS},
        examples=[Example(f"q{number}", f"question {number}", "yes") for number in range(request.size.examples)],
        metrics={"right": lambda prediction, example: float(prediction.output == example.target)},
        failed_cost_usd=model.cost_usd(None),
        spending=spending,
    )
