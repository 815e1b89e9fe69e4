"""Small models at the edge: base and adapter merged into one file that any GGUF program opens, beside the two apart.

All three answer on this machine without a network. A merged matrix is rounded to 8 bits, so its texts may differ.
"""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playground.adapters import StoredAdapter, reader_adapter
from playground.adapters.merged import write_merged
from playground.errors import EvaluationError
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    Point,
    Series,
    Verdict,
    by_condition,
    enough,
    p_words,
    paired_tests,
    rate_words,
    share_right,
)
from playground.measuring.estimates import percentiles
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.spending import Spending
from playground.models.bundled import ensure_language_model
from playground.models.catalog import Bundle
from playground.models.openvino.lora_branches import LoraBranch, load_lora_branches
from playground.models.sources import choice_from, load_gguf_chat
from playground.retrieval.index import PassageIndex
from playground.types import ChatModel, Embedder, Example, Prediction, RunRecord
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.limits.asked import (
    Condition,
    answering,
    chosen,
    indexes_of,
    plan_of,
    single_fact_questions,
)
from scenarios.return_policy.scenario import adapter_store

NAME = "edge"
BASE, BESIDE, MERGED = "base, prompted", "adapter beside the base", "merged into one file"
CONDITIONS = (BASE, BESIDE, MERGED)
_SERIES = {
    BASE: Series(BASE, "#bf8b03", "triangle-up"),
    BESIDE: Series(BESIDE, "#366797", "circle"),
    MERGED: Series(MERGED, "#439bd0", "diamond"),
}


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``."""
    names = chosen(CONDITIONS, request, None, needs=lambda _name: False)
    bundle = choice_from(request.model).bundle
    if bundle is None:
        raise EvaluationError("Only a bundled model and its adapter can be merged. Use --model bundled.")
    stored = reader_adapter(adapter_store(), request.adapter, choice_from(request.model))
    examples = single_fact_questions(request.size.examples, request.seed)
    model, embedder = load_model(), load_embedder()
    indexes = indexes_of(examples, embedder)

    def index_of(example: Example) -> PassageIndex:
        return indexes[str(example.metadata["policy"])]

    spending = Spending()
    base_bytes = bundle.main_file.size_bytes
    size_bytes = {BASE: base_bytes, BESIDE: base_bytes + stored.manifest.size_bytes}
    answers = dict.fromkeys(names, model)
    if MERGED in names:
        answers[MERGED], size_bytes[MERGED] = _merged(stored, bundle)
    conditions = []
    for name in names:
        technique = "rag" if name == BASE else "rag+lora"
        settings = bot_settings(technique, seed=request.seed, adapter=stored.identity)
        conditions.append(
            Condition(
                name,
                answering(index_of, spending.metered(answers[name]), settings, more=_with_size(size_bytes[name])),
                [technique, stored.identity, bundle.main_file.sha256, name, embedder.model_id],
                None if name == BASE else stored.identity,
            )
        )
    return plan_of(NAME, request, conditions, examples, model=model, spending=spending)


def _merged(stored: StoredAdapter, bundle: Bundle) -> tuple[ChatModel, int]:
    """Merge, load what was merged, and return the model with the bytes of its file, which goes when the model does."""
    with contextlib.ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "merged.gguf"
        try:
            write_merged(ensure_language_model(bundle), load_lora_branches(stored.folder), stored.identity, path)
        except OSError as error:
            raise EvaluationError(f"The merged file could not be written ({error.strerror}). Free space.") from error
        model, size_bytes = load_gguf_chat(path, bundle.id, _nothing_beside), path.stat().st_size
        weakref.finalize(model, stack.pop_all().close)
    return model, size_bytes


def _nothing_beside(_name: str) -> dict[str, LoraBranch]:
    """The reader asks for its adapter by name, which is in the weights already."""
    return {}


def _with_size(size_bytes: int) -> Callable[[Example, Prediction], Mapping[str, object]]:
    return lambda _example, _prediction: {"file_bytes": size_bytes}


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: a form is missing or has too few answers.
    """
    groups = by_condition(rows)
    enough(groups, CONDITIONS, FEWEST, "answers")
    shares = {name: share_right(groups[name]) for name in CONDITIONS}
    tests = paired_tests([(MERGED, BESIDE), (MERGED, BASE)], groups)
    as_good = not (tests[0].is_real and tests[0].difference.difference.value < 0)
    better = tests[1].is_real and tests[1].difference.difference.value > 0
    verdict: Verdict = (
        "shows here" if as_good and better else "shows in part" if as_good or better else "does not show here"
    )
    same, both = _same_texts(groups[BESIDE], groups[MERGED])
    megabytes = {name: _size_mb(groups[name]) for name in CONDITIONS}
    return Finding(
        headline=f"One file of {megabytes[MERGED]:.0f} MB answers {100 * shares[MERGED].value:.0f} % right on this "
        f"machine; base and adapter apart {100 * shares[BESIDE].value:.0f} %, the base by prompting "
        f"{100 * shares[BASE].value:.0f} %",
        verdict=verdict,
        sentence=f"Merged into one file it answers {rate_words(shares[MERGED])} right, with the adapter beside the "
        f"base {rate_words(shares[BESIDE])} ({p_words(tests[0].adjusted_p)}), and the prompted base "
        f"{rate_words(shares[BASE])} ({p_words(tests[1].adjusted_p)}). {same} of {both} answers of the merged file are "
        "the same word for word as with the adapter beside.",
        points=tuple(
            Point(_SERIES[name], f"{name}, {megabytes[name]:.0f} MB", shares[name], len(groups[name]))
            for name in CONDITIONS
        ),
        x_title="what answers",
        y_title="right answers",
        n=min(len(groups[name]) for name in CONDITIONS),
        lines=tuple(_speed_line(name, groups[name]) for name in CONDITIONS),
        tests=tests,
    )


def _same_texts(one: Sequence[RunRecord], other: Sequence[RunRecord]) -> tuple[int, int]:
    """Return how many answers are the same, and of how many."""
    first = {row.example_id: row.prediction.output for row in one if row.prediction}
    pairs = [
        (first[row.example_id], row.prediction.output) for row in other if row.prediction and row.example_id in first
    ]
    return sum(mine == theirs for mine, theirs in pairs), len(pairs)


def _size_mb(rows: Sequence[RunRecord]) -> float:
    sizes = [int(str(row.prediction.detail["file_bytes"])) for row in rows if row.prediction]
    return max(sizes, default=0) / 1e6


def _speed_line(name: str, rows: Sequence[RunRecord]) -> str:
    known = [row.prediction for row in rows if row.prediction]
    first = percentiles([one.timings["first_token_s"] for one in known if "first_token_s" in one.timings])
    total = percentiles([one.timings["total_s"] for one in known])
    return (
        f"{name.capitalize()}: first token after {first['p50'] if first else 0:.2f} s, whole answer after "
        f"{total['p50'] if total else 0:.2f} s (medians)."
    )
