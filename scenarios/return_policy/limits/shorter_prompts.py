"""Shorter prompts cost less: system prompt, worked examples and passages against the tuned model with a bare prompt.

The recorded rows are those of the comparison: the same questions, asked in turns on a machine that did nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from playground.errors import EvaluationError
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    Point,
    Series,
    by_condition,
    enough,
    p_words,
    paired_tests,
    rate_words,
    share_right,
)
from playground.measuring.estimates import percentiles
from playground.measuring.evaluation import EvaluationPlan
from playground.types import ChatModel, Embedder, RunRecord
from scenarios.return_policy import evaluation
from scenarios.return_policy.limits.asked import chosen, fitting_reader
from scenarios.return_policy.request import PolicyRequest
from scenarios.return_policy.techniques import TECHNIQUES

NAME = "shorter-prompts"
TUNED = "rag+lora"
CONDITIONS = ("rag+few-shot", "rag+cot", "rag", "whole-document", TUNED)
_SERIES = {one.name: Series(one.title, one.colour, one.marker) for one in TECHNIQUES}


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``."""
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
        EvaluationError: they are too few, or the tuned model was not measured.
    """
    groups = by_condition(rows)
    prompted = [name for name in CONDITIONS if name != TUNED and groups.get(name)]
    if not prompted or not groups.get(TUNED):
        raise EvaluationError(
            "A prompted and a tuned model are needed, and one was not measured: the chosen model may have no adapter. "
            "What was measured is kept."
        )
    names = [*prompted, TUNED]
    enough(groups, names, FEWEST, "answers")
    tokens = {name: _mean_tokens(groups[name]) for name in names}
    seconds = {name: _median_s(groups[name]) for name in names}
    shares = {name: share_right(groups[name]) for name in names}
    tests = paired_tests([(TUNED, name) for name in prompted], groups)
    best = max(prompted, key=lambda name: (shares[name].value, -tokens[name]))  # of equals the shortest
    against = next(test for test in tests if test.difference.second == best)
    as_good = not (against.is_real and against.difference.difference.value < 0)
    cheaper = tokens[TUNED] < tokens[best] and seconds[TUNED] < seconds[best]
    either = tokens[TUNED] < tokens[best] or seconds[TUNED] < seconds[best]
    titles = {name: _SERIES[name].title for name in names}
    n = min(len(groups[name]) for name in names)
    better = "and answers no fewer right" if as_good else "but answers fewer right"
    return Finding(
        headline=f"{titles[TUNED]}: {tokens[TUNED]:,.0f} tokens and {seconds[TUNED]:.2f} s a question; "
        f"{titles[best]}: {tokens[best]:,.0f} and {seconds[best]:.2f} s",
        verdict="shows here" if cheaper and as_good else "shows in part" if either else "does not show here",
        sentence=f"Against the best prompt ({titles[best]}) the tuned model takes "
        f"{_ratio(tokens[best], tokens[TUNED])} fewer tokens and {_ratio(seconds[best], seconds[TUNED])} less time, "
        f"{better}: {rate_words(shares[TUNED])} against {rate_words(shares[best])} ({p_words(against.adjusted_p)}).",
        points=tuple(
            Point(
                _SERIES[name],
                f"{tokens[name]:,.0f} tokens",
                shares[name],
                len(groups[name]),
                at=tokens[name],
                note=f"median {seconds[name]:.2f} s",
            )
            for name in names
        ),
        x_title="tokens in the prompt of a question (mean)",
        y_title="right answers",
        n=n,
        lines=(
            *(
                f"{titles[name]}: {tokens[name]:,.0f} tokens in, median {seconds[name]:.2f} s, right "
                f"{rate_words(shares[name])}."
                for name in names
            ),
            "Questions without an answer count as right where the bot said that it does not know.",
        ),
        tests=tests,
    )


def _mean_tokens(rows: Sequence[RunRecord]) -> float:
    known = [row.prediction.usage.input_tokens for row in rows if row.prediction and row.prediction.usage]
    if not known:
        raise EvaluationError("The endpoint reported no tokens, so nothing can be said about the length of prompts.")
    return sum(known) / len(known)


def _median_s(rows: Sequence[RunRecord]) -> float:
    times = percentiles([row.prediction.timings["total_s"] for row in rows if row.prediction])
    return times["p50"] if times else 0.0


def _ratio(more: float, fewer: float) -> str:
    return f"{more / fewer:.1f} times" if fewer else "many times"
