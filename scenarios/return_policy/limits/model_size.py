"""Size of the model: the same questions to models of 135M, 0.5B and 1.5B, without text, prompted, with RAG, with LoRA.

Each size is measured by itself (``--model small``, ``medium``, ``large``) and into the same folder; rows of the small
model come with the comparison's recorded run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from playground.errors import EvaluationError
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    Point,
    Series,
    Verdict,
    is_right,
    p_words,
    rate_words,
    share_right,
    tests_of,
)
from playground.measuring.evaluation import EvaluationPlan
from playground.models.catalog import LANGUAGE_MODELS
from playground.types import ChatModel, Embedder, RunRecord
from scenarios.return_policy import evaluation
from scenarios.return_policy.limits.asked import chosen, fitting_reader
from scenarios.return_policy.request import PolicyRequest
from scenarios.return_policy.techniques import TECHNIQUES

NAME = "model-size"
TUNED = "rag+lora"
CONDITIONS = ("no-text", "rag", "rag+few-shot", TUNED)
_PROMPTED = ("rag", "rag+few-shot")
_SERIES = {one.name: Series(one.title, one.colour, one.marker) for one in TECHNIQUES}
_SIZES = {bundle.id: bundle.title for bundle in LANGUAGE_MODELS.values()}
"""Of the bundled models that answer, from small to large."""

Groups = Mapping[tuple[str, str], Sequence[RunRecord]]
"""Rows by model and technique."""


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan for one size; see ``experiment.Prepare``."""
    adapter = fitting_reader(request)
    names = chosen(CONDITIONS, request, adapter, needs=lambda name: name == TUNED)
    asked = PolicyRequest(
        strategies=tuple(names),
        model=request.model,
        limit=request.size.examples,
        seed=request.seed,
        adapter=request.adapter,
    )
    return replace(evaluation.prepare(asked, load_model=load_model, load_embedder=load_embedder), scenario=NAME)


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: they are of one size only, or too few.
    """
    groups: dict[tuple[str, str], list[RunRecord]] = {}
    for row in rows:
        groups.setdefault((row.model_id, row.strategy), []).append(row)
    known = {model for model, _name in groups}
    models = [model for model in _SIZES if model in known] + sorted(known - _SIZES.keys())
    if len(models) < 2:
        raise EvaluationError(
            f"One size was measured ({', '.join(map(_title, models)) or 'none'}). What was measured is kept; choose "
            "another model (--model medium or large) and measure again."
        )
    for (model, name), own in groups.items():
        if len(own) < FEWEST:
            raise EvaluationError(
                f"{name} on {_title(model)} has {len(own)} answers, and nothing is said of fewer than {FEWEST}. What "
                "was measured is kept; measure more."
            )
    shares = {key: share_right(own) for key, own in groups.items()}
    points = [
        Point(_SERIES[name], _title(model), shares[model, name], len(groups[model, name]))
        for name in CONDITIONS
        for model in models
        if (model, name) in groups
    ]
    best = {model: _best_prompt(groups, model) for model in models}
    prompted = [model for model in models if best[model]]
    if len(prompted) < 2:
        raise EvaluationError("A prompt was measured on fewer than two sizes. What was measured is kept; measure more.")
    small, large = prompted[0], prompted[-1]
    pairs = [((large, best[large]), (small, best[small]))]
    pairs += [((small, TUNED), (model, best[model])) for model in prompted if (small, TUNED) in groups]
    names = {key: f"{_SERIES[key[1]].title} on {_title(key[0])}" for pair in pairs for key in pair}
    outcomes = {names[key]: {row.example_id: is_right(row) for row in groups[key]} for key in names}
    tests = tests_of([(names[one], names[other]) for one, other in pairs], outcomes)
    grows = tests[0].is_real and tests[0].difference.difference.value > 0
    enough_at = [
        _title(test_model)
        for test_model, test in zip(prompted, tests[1:], strict=False)
        if not (test.is_real and test.difference.difference.value > 0)
    ]
    held = [grows, bool(enough_at)]
    verdict: Verdict = "shows here" if all(held) else "shows in part" if any(held) else "does not show here"
    words = (
        f"The best prompt answers {rate_words(shares[small, best[small]])} right on {_title(small)} and "
        f"{rate_words(shares[large, best[large]])} on {_title(large)} ({p_words(tests[0].adjusted_p)})."
    )
    if len(tests) > 1:
        tuned = f" {_title(small)} with LoRA answers {rate_words(shares[small, TUNED])}"
        words += tuned + (
            f"; from {enough_at[0]} on prompting is not shown to be worse." if enough_at else
            ": more than every prompt on every size measured."
        )  # fmt: skip
    return Finding(
        headline=f"Best prompt: {100 * shares[small, best[small]].value:.0f} % right on {_title(small)}, "
        f"{100 * shares[large, best[large]].value:.0f} % on {_title(large)}"
        + (f"; {_title(small)} with LoRA {100 * shares[small, TUNED].value:.0f} %" if (small, TUNED) in shares else ""),
        verdict=verdict,
        sentence=words,
        points=tuple(points),
        x_title="model",
        y_title="right answers",
        n=min(point.n for point in points),
        lines=tuple(
            f"{_title(model)}: no adapter that reads on it was measured."
            for model in models
            if (model, TUNED) not in groups
        ),
        tests=tests,
    )


def _best_prompt(groups: Groups, model: str) -> str:
    """Return the prompted technique with most right answers on a model; "" where none was measured."""
    measured = [name for name in _PROMPTED if (model, name) in groups]
    return max(measured, key=lambda name: share_right(groups[model, name]).value, default="")


def _title(model: str) -> str:
    return _SIZES.get(model, model)
