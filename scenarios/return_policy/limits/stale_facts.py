"""Stale facts: questions about facts that a policy's new version changed, answered from the old and from the new one.

The answers from the old version are judged twice: by it, and by the new one, for right after the change nothing of a
technique has changed yet. What was recorded before this experiment had rows of its own is read from its evidence file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from playground import paths
from playground.comparison.claims import stale_facts as evidence
from playground.documents import load_document
from playground.errors import AdapterError, EvaluationError
from playground.files import read_file
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    Point,
    Series,
    Verdict,
    by_condition,
    enough,
    p_words,
    rate_words,
    rights,
    share_of,
    tests_of,
)
from playground.measuring.evaluation import EvaluationPlan, fingerprint_of
from playground.measuring.runs import RunInfo
from playground.measuring.spending import Spending
from playground.models.catalog import weights_sha256
from playground.retrieval.index import build_index
from playground.types import ChatModel, Embedder, Example, Prediction, RunRecord, Strategy
from scenarios.return_policy.closed_book.strategy import closed_book_adapter, closed_book_settings
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.limits.asked import answering, chosen, fitting_reader
from scenarios.return_policy.stale_facts import NEW, OLD, is_right, read_changed_questions
from scenarios.return_policy.techniques import CLOSED_BOOK, TECHNIQUES

NAME = "stale-facts"
READING = ("rag", "whole-document", "rag+lora")
"""Techniques that read the policy: up to date as soon as the new file is read."""
CONDITIONS = tuple(f"{name}, {version} policy" for name in (*READING, CLOSED_BOOK) for version in ("old", "new"))
STAGES = ("before the change", "right after it", "up to date again")
_SERIES = {one.name: Series(one.title, one.colour, one.marker) for one in TECHNIQUES}
_BY_NEW = "right_by_new"


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found, recorded_before)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``. The model that knows a policy by heart is not trained here again.

    What it takes to train it on the new policy is measured by ``scripts/measure_stale_facts.py``.
    """
    adapter = fitting_reader(request)
    names = chosen(CONDITIONS, request, adapter, needs=lambda name: name.startswith("rag+lora"))
    asks_memory = f"{CLOSED_BOOK}, old policy" in names and request.model == "bundled"
    memory = closed_book_adapter(None) if asks_memory else None
    names = [name for name in names if not name.startswith(CLOSED_BOOK) or (memory and name.endswith("old policy"))]
    if not names:
        raise AdapterError(f"{CLOSED_BOOK} has no adapter for this model. Measure techniques that read the policy.")
    questions = read_changed_questions()[: request.size.examples]
    spending = Spending()
    model, embedder = spending.metered(load_model()), load_embedder()
    documents = {
        version: load_document(read_file(paths.POLICIES / name), name) for version, name in (("old", OLD), ("new", NEW))
    }
    indexes = {version: build_index(document, embedder) for version, document in documents.items()}
    settings = {
        name: closed_book_settings(memory, request.seed)
        if memory is not None and name.startswith(CLOSED_BOOK)
        else bot_settings(name.partition(", ")[0], adapter=adapter)
        for name in names
    }

    def strategy(name: str) -> Strategy:
        version = version_of(name)
        index = indexes[version]
        return answering(lambda _example: index, model, settings[name], lambda *_given: {"policy": version})

    return EvaluationPlan(
        scenario=NAME,
        model_id=model.model_id,
        seed=request.seed,
        strategies={name: strategy(name) for name in names},
        examples=[
            Example(one.id, one.question, "", {"old": list(one.expect[OLD]), "new": list(one.expect[NEW])})
            for one in questions
        ],
        metrics={
            "right": lambda given, example: _right(given, example, str(given.detail.get("policy", "new"))),
            _BY_NEW: lambda given, example: _right(given, example, "new"),
        },
        fingerprint=lambda name, example: fingerprint_of(
            asdict(settings[name]), documents[version_of(name)].sha256, example.input, example.metadata
        ),
        settings={"policies": {name: document.sha256 for name, document in documents.items()}},
        models={model.model_id: {"choice": request.model, "weights_sha256": weights_sha256(model.model_id)}},
        failed_cost_usd=model.cost_usd(None),
        spending=spending,
        models_of={name: (model.model_id, settings[name].adapter) for name in names},
    )


def version_of(condition: str) -> str:
    """Return which version of the policy a condition answers from: "old" or "new"."""
    return condition.partition(", ")[2].removesuffix(" policy")


def _right(given: Prediction, example: Example, version: str) -> float:
    patterns = example.metadata[version]
    return float(is_right(given.output, [str(one) for one in patterns] if isinstance(patterns, list) else []))


def recorded_before() -> tuple[RunInfo, Sequence[RunRecord]] | None:
    """Return the rows of the evidence file; None where there is none.

    Raises:
        EvaluationError: it is damaged.
    """
    facts = evidence.read_stale_facts(paths.RECORDED_RUNS / evidence.FILE, TECHNIQUES)
    if facts is None:
        return None
    source = facts.provenance
    info = RunInfo("stale_facts", NAME, source.measured_at, {}, {}, commit=source.commit)
    return info, [
        RunRecord(
            run_id=info.run_id,
            strategy=f"{answer.strategy}, {version} policy",
            model_id=source.model_id,
            adapter=None,
            example_id=answer.question_id,
            seed=0,
            prediction=Prediction(text, None, {}, {"policy": version}),
            scores={"right": float(right), _BY_NEW: float(by_new)},
            cost_usd=0.0,
            error=None,
            started_at=source.measured_at,
            machine=source.machine,
            commit=source.commit,
        )
        for answer in facts.answers
        for version, text, right, by_new in (
            ("old", answer.old_answer, answer.before, answer.stale),
            ("new", answer.new_answer, answer.recovered, answer.recovered),
        )
    ]


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: they are too few, or nothing reads the new policy.
    """
    groups = by_condition(rows)
    names = [name for name in (*READING, CLOSED_BOOK) if groups.get(f"{name}, old policy")]
    reading = [name for name in names if name in READING and groups.get(f"{name}, new policy")]
    if not reading:
        raise EvaluationError("No technique has read both versions of the policy yet. What was measured is kept.")
    enough(groups, [f"{name}, old policy" for name in names], FEWEST, "answers")
    enough(groups, [f"{name}, new policy" for name in reading], FEWEST, "answers")
    points = [
        Point(_SERIES[name], stage, share_of(outcomes), len(outcomes))
        for name in names
        for stage, outcomes in _stages(name, groups).items()
    ]
    recovered = {name: share_of(_stages(name, groups)[STAGES[2]]) for name in reading}
    best = max(reading, key=lambda name: recovered[name].value)
    title = _SERIES[best].title
    after = _stages(best, groups)
    outcomes = {f"{title}, {stage}": of for stage, of in after.items()}
    pairs = [(f"{title}, {STAGES[2]}", f"{title}, {STAGES[1]}")]
    memory = _SERIES[CLOSED_BOOK].title
    if CLOSED_BOOK in names:
        outcomes[f"{memory}, {STAGES[1]}"] = _stages(CLOSED_BOOK, groups)[STAGES[1]]
        pairs.append((f"{title}, {STAGES[2]}", f"{memory}, {STAGES[1]}"))
    tests = tests_of(pairs, outcomes)
    real = [test.is_real and test.difference.difference.value > 0 for test in tests]
    verdict: Verdict = (
        "shows here" if len(real) > 1 and real[1] else "shows in part" if any(real) else "does not show here"
    )
    stale = share_of(after[STAGES[1]])
    sentence = (
        f"{title} answers {rate_words(recovered[best])} of the changed facts right once the new policy is indexed, "
        f"against {rate_words(stale)} right after the change ({p_words(tests[0].adjusted_p)})."
    )
    if CLOSED_BOOK in names:
        by_heart = share_of(outcomes[f"{memory}, {STAGES[1]}"])
        sentence += (
            f" The model that was trained on the old policy answers {rate_words(by_heart)} until it is trained again "
            f"({p_words(tests[1].adjusted_p)})."
        )
    return Finding(
        headline=f"{title}: {100 * stale.value:.0f} % of the changed facts right after the change, "
        f"{100 * recovered[best].value:.0f} % with the new policy indexed",
        verdict=verdict,
        sentence=sentence,
        points=tuple(points),
        x_title="",
        y_title="right answers",
        n=min(point.n for point in points),
        lines=("One policy changed (NorthTrail, version 1 to 2); other changes are not measured yet.",),
        tests=tests,
    )


def _stages(name: str, groups: Mapping[str, Sequence[RunRecord]]) -> dict[str, dict[str, bool]]:
    """Return what was right at each stage, by question; a stage that was not measured is not there."""
    old, new = groups.get(f"{name}, old policy", ()), groups.get(f"{name}, new policy", ())
    by_new = {row.example_id: row.error is None and row.scores.get(_BY_NEW, 0.0) > 0 for row in old}
    stages = {STAGES[0]: rights(old), STAGES[1]: by_new, STAGES[2]: rights(new)}
    return {stage: outcomes for stage, outcomes in stages.items() if outcomes}
