"""Lost in the middle: the section that has the answer stands at each of five places among four others.

Liu et al., 2023 (arXiv 2307.03172). The others are the best ones that retrieval finds beside it in the same policy, in
their order; only the place of the one with the answer changes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

from playground.answering.answer import BotSettings
from playground.errors import EvaluationError
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    PairedTest,
    Point,
    Series,
    Verdict,
    by_condition,
    enough,
    p_words,
    paired_tests,
    percent,
    points_words,
    share_right,
)
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.spending import Spending
from playground.retrieval.index import PassageIndex, RetrievalSettings
from playground.types import ChatModel, Chunk, Embedder, Example, Passage, RunRecord
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.limits.asked import (
    ArrangedPassages,
    Condition,
    answering,
    chosen,
    evidence_of,
    fitting_reader,
    indexes_of,
    plan_of,
    single_fact_questions,
    states,
)

NAME = "lost-in-the-middle"
PLACES = 5
KINDS = {"reader": Series("RAG + LoRA", "#029e71", "star"), "prompted": Series("prompted", "#366797", "circle")}
CONDITIONS = tuple(f"{kind}, place {place}" for kind in KINDS for place in range(1, PLACES + 1))
_MOST_TOKENS = 80


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``."""
    adapter = fitting_reader(request)
    names = chosen(CONDITIONS, request, adapter, needs=lambda name: name.startswith("reader"))
    examples = single_fact_questions(request.size.examples, request.seed)
    spending = Spending()
    model, embedder = spending.metered(load_model()), load_embedder()
    indexes = indexes_of(examples, embedder)
    sections = {example.id: _sections(example, indexes[str(example.metadata["policy"])]) for example in examples}

    def condition(name: str) -> Condition:
        kind, place = name.split(", place ")
        settings = _settings(kind, adapter)

        def index_of(example: Example) -> PassageIndex:
            # The warm-up asks about the policy of the first question.
            gold, others = sections.get(example.id) or sections[examples[0].id]
            return ArrangedPassages(
                indexes[str(example.metadata["policy"])].document, arranged(gold, others, int(place))
            )

        described = [asdict(settings), int(place), PLACES, embedder.model_id]
        return Condition(name, answering(index_of, model, settings), described, settings.adapter)

    return plan_of(NAME, request, [condition(name) for name in names], examples, model=model, spending=spending)


def _settings(kind: str, adapter: str | None) -> BotSettings:
    """Return how the bot answers, without the guard around the reader: only the place may decide."""
    strategy = "rag+lora" if kind == "reader" else "rag"
    settings = bot_settings(strategy, retrieval=RetrievalSettings(top_k=PLACES), adapter=adapter)
    return replace(settings, max_tokens=_MOST_TOKENS, work_out=False, abstain_at=None, withhold_unsupported=False)


def _sections(example: Example, index: PassageIndex) -> tuple[Chunk, list[Chunk]]:
    """Return the section that has the answer, and the best others that retrieval finds.

    Raises:
        EvaluationError: no section, or more than one, has it, or the policy is too short.
    """
    (evidence,) = evidence_of(example)
    gold = [chunk for chunk in index.chunks if states(chunk.text, evidence)]
    ranked = index.search(example.input, RetrievalSettings(top_k=len(index.chunks)))
    others = [one.chunk for one in ranked if one.chunk not in gold]
    if len(gold) != 1 or len(others) < PLACES - 1:
        raise EvaluationError(f"The answer to {example.id} is not in one section among {PLACES}. Correct the question.")
    return gold[0], others[: PLACES - 1]


def arranged(gold: Chunk, others: Sequence[Chunk], place: int) -> tuple[Passage, ...]:
    """Return the sections as passages, ``gold`` at ``place`` (from 1)."""
    order = [*others[: place - 1], gold, *others[place - 1 :]]
    return tuple(Passage(chunk, 1 / rank, rank) for rank, chunk in enumerate(order, start=1))


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: they are too few.
    """
    groups = by_condition(rows)
    kinds = [kind for kind in KINDS if len(_places(kind, groups)) > 1]
    if not kinds:
        raise EvaluationError("No two places were measured yet. What was measured is kept; measure more.")
    points: list[Point] = []
    for kind in kinds:
        names = [f"{kind}, place {place}" for place in _places(kind, groups)]
        enough(groups, names, FEWEST, "answers")
        points += [
            Point(KINDS[kind], name.rpartition("place ")[2], share_right(groups[name]), len(groups[name]))
            for name in names
        ]
    pairs = [
        (f"{kind}, place {first}", f"{kind}, place {second}")
        for kind in kinds
        for first, second in itertools.combinations(_places(kind, groups), 2)
    ]
    tests = paired_tests(pairs, groups)
    main = kinds[0]
    own = [point for point in points if point.series == KINDS[main]]
    low, high = min(own, key=lambda one: one.value.value), max(own, key=lambda one: one.value.value)
    of_main = [test for test in tests if test.difference.first.startswith(main)]
    shape, verdict = _shape(own, of_main)
    n = min(point.n for point in own)
    headline = (
        f"{KINDS[main].title}: {percent(high.value.value)} right with the answer at place {high.x}, "
        f"{percent(low.value.value)} at place {low.x}"
    )
    real = sum(test.is_real for test in of_main)
    sentence = f"{shape} {real} of {len(of_main)} pairs of places differ by more than chance (n = {n} a place)."
    return Finding(
        headline=headline,
        verdict=verdict,
        sentence=sentence,
        points=tuple(points),
        x_title=f"place of the section with the answer, of {PLACES}",
        y_title="right answers",
        n=n,
        lines=tuple(_line(kind, points, tests) for kind in kinds),
        tests=tests,
    )


def _places(kind: str, groups: Mapping[str, Sequence[RunRecord]]) -> list[int]:
    return [place for place in range(1, PLACES + 1) if groups.get(f"{kind}, place {place}")]


def _shape(points: Sequence[Point], tests: Sequence[PairedTest]) -> tuple[str, Verdict]:
    """Return the curve in words, and the verdict: a U needs a middle below both ends."""
    first, last = points[0].value.value, points[-1].value.value
    inner = points[1:-1]
    real = [test for test in tests if test.is_real]
    if not inner:
        return "Only the ends were measured.", "does not show here"
    middle = min(inner, key=lambda one: one.value.value)

    def above_middle(end: Point) -> bool:
        return any(
            {test.difference.first.rpartition(" ")[2], test.difference.second.rpartition(" ")[2]} == {end.x, middle.x}
            and (test.difference.difference.value > 0) == (test.difference.first.endswith(end.x))
            for test in real
        )

    if above_middle(points[0]) and above_middle(points[-1]):
        return "A U: the middle is read worse than both ends.", "shows here"
    if real:
        favours = "first" if first > last else "last"
        return f"No U: what stands {favours} is read best, and it falls from there.", "shows in part"
    return "No place is read better than another.", "does not show here"


def _line(kind: str, points: Sequence[Point], tests: Sequence[PairedTest]) -> str:
    own = [point for point in points if point.series == KINDS[kind]]
    of_kind = [test for test in tests if test.difference.first.startswith(kind)]
    widest = max(of_kind, key=lambda test: abs(test.difference.difference.value))
    difference = widest.difference
    return (
        f"{KINDS[kind].title}: "
        + ", ".join(f"place {point.x} {percent(point.value.value)}" for point in own)
        + f". Largest difference: place {difference.first.rpartition(' ')[2]} against "
        f"{difference.second.rpartition(' ')[2]}, {points_words(difference.difference.value)} "
        f"({p_words(widest.adjusted_p)} after Holm)."
    )
