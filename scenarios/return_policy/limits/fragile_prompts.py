"""Fragile prompts: the same question and passage in ten formats and wordings that mean the same.

FormatSpread (Sclar et al., 2023, arXiv 2310.11324): the spread is the best format's accuracy minus the worst's. Four
formats change separators, names and order of the fields, five wordings the system prompt; the first is the bot's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.answering.citations import is_abstention
from playground.answering.prompt import passage_text
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
    is_right,
    p_words,
    paired_tests,
    percent,
    rate_words,
    share_right,
)
from playground.measuring.estimates import proportion
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.spending import Spending
from playground.retrieval.index import RetrievalSettings
from playground.types import ChatModel, Embedder, Example, Message, Prediction, RunRecord, Strategy
from scenarios.return_policy.limits.asked import (
    Condition,
    chosen,
    fitting_reader,
    indexes_of,
    plan_of,
    single_fact_questions,
)
from scenarios.return_policy.scenario import system_prompt

NAME = "fragile-prompts"
OWN = "the bot's own"
_MOST_TOKENS = 80
_FRAGILE_FLIPS, _FRAGILE_SPREAD = 0.2, 0.05


@dataclass(frozen=True, slots=True)
class Wording:
    """A way to write the same prompt. ``system`` "" is the bot's own; ``user`` has {text} and {question}."""

    name: str
    user: str = "Text:\n{text}\n\nQuestion: {question}"
    system: str = ""


WORDINGS = (
    Wording(OWN),
    Wording("capitals", "TEXT:\n{text}\n\nQUESTION: {question}"),
    Wording("one line", "Text: {text} Question: {question}"),
    Wording("tags", "<text>\n{text}\n</text>\n<question>{question}</question>"),
    Wording("question first", "Question: {question}\n\nText:\n{text}"),
    Wording(
        "polite",
        system="Please answer the customer's question with the text below, and nothing else. If the answer is not in "
        "the text, please say 'I don't know.'",
    ),
    Wording("short", system="Answer from the text only. Otherwise: I don't know."),
    Wording(
        "role",
        system="You are the support assistant of an online shop. Answer using only the provided text. If the text does "
        "not have the answer, reply: I don't know.",
    ),
    Wording(
        "rules",
        system="Rules:\n1. Use only the text that is given.\n2. If it does not say, write: I don't know.\n"
        "3. Answer the customer's question.",
    ),
    Wording(
        "passive",
        system="The customer's question is to be answered solely on the basis of the text provided; where the text "
        "contains no answer, the reply is: I don't know.",
    ),
)
KINDS = {"prompted": Series("prompted", "#366797", "circle"), "reader": Series("LoRA", "#029e71", "star")}
CONDITIONS = tuple(f"{kind}, {wording.name}" for kind in KINDS for wording in WORDINGS)
_BY_NAME = {wording.name: wording for wording in WORDINGS}


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``. Every wording gets the same one passage of a question."""
    adapter = fitting_reader(request)
    names = chosen(CONDITIONS, request, adapter, needs=lambda name: name.startswith("reader"))
    examples = single_fact_questions(request.size.examples, request.seed)
    spending = Spending()
    model, embedder = spending.metered(load_model()), load_embedder()
    indexes = indexes_of(examples, embedder)

    def text_of(example: Example) -> str:
        index = indexes[str(example.metadata["policy"])]
        return passage_text(index.search(example.input, RetrievalSettings(top_k=1))[0])

    def condition(name: str) -> Condition:
        kind, _, wording = name.partition(", ")
        used = adapter if kind == "reader" else None
        described = [_BY_NAME[wording].user, _BY_NAME[wording].system or system_prompt(), embedder.model_id, used]
        return Condition(name, asked_in(_BY_NAME[wording], text_of, model, used), described, used)

    return plan_of(NAME, request, [condition(name) for name in names], examples, model=model, spending=spending)


def asked_in(wording: Wording, text_of: Callable[[Example], str], model: ChatModel, adapter: str | None) -> Strategy:
    """Return a strategy that asks in a wording, through an adapter where one is named."""

    def answer(example: Example) -> Prediction:
        started = time.perf_counter()
        system = wording.system or system_prompt()
        user = wording.user.format(text=text_of(example), question=example.input)
        completion = model.complete(
            [Message("system", system), Message("user", user)], max_tokens=_MOST_TOKENS, adapter=adapter
        )
        text = completion.text.strip()
        return Prediction(
            output=text,
            usage=completion.usage,
            timings={"total_s": time.perf_counter() - started},
            detail={"abstained": is_abstention(text), "cost_usd": model.cost_usd(completion.usage)},
        )

    return answer


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: they are too few.
    """
    groups = by_condition(rows)
    kinds = [kind for kind in KINDS if sum(name.startswith(f"{kind}, ") for name in groups) > 1]
    if not kinds:
        raise EvaluationError("No two wordings were measured yet. What was measured is kept; measure more.")
    points, lines, pairs = [], [], []
    flips: dict[str, tuple[int, int]] = {}
    spreads: dict[str, float] = {}
    for kind in kinds:
        names = [f"{kind}, {wording.name}" for wording in WORDINGS if groups.get(f"{kind}, {wording.name}")]
        enough(groups, names, FEWEST, "answers")
        shares = {name: share_right(groups[name]) for name in names}
        points += [Point(KINDS[kind], name.partition(", ")[2], shares[name], len(groups[name])) for name in names]
        best, worst = max(names, key=lambda name: shares[name].value), min(names, key=lambda name: shares[name].value)
        spreads[kind] = shares[best].value - shares[worst].value
        flips[kind] = flipped([groups[name] for name in names])
        pairs.append((best, worst))
        share = proportion(*flips[kind])
        lines.append(
            f"{KINDS[kind].title}: best {_wording(best)} {rate_words(shares[best])}, worst {_wording(worst)} "
            f"{rate_words(shares[worst])}; spread {100 * spreads[kind]:.0f} points; "
            f"{rate_words(share) if share else 'none'} of {flips[kind][1]} questions are right in one wording and "
            "wrong in another."
        )
    tests = paired_tests(pairs, groups)
    main = kinds[0]
    flip = flips[main][0] / flips[main][1] if flips[main][1] else 0.0
    verdict, words = _verdict(KINDS[main].title, spreads[main], flip, tests[0])
    if len(kinds) > 1:
        other = kinds[1]
        of_other = flips[other][0] / max(flips[other][1], 1)
        words += f" Through LoRA the spread is {100 * spreads[other]:.0f} points and {percent(of_other)} flip."
    n = min(point.n for point in points)
    return Finding(
        headline=f"{len([one for one in points if one.series == KINDS[main]])} wordings of one prompt: from "
        f"{percent(min(one.value.value for one in points if one.series == KINDS[main]))} to "
        f"{percent(max(one.value.value for one in points if one.series == KINDS[main]))} right; "
        f"{percent(flip)} of the questions flip",
        verdict=verdict,
        sentence=words,
        points=tuple(points),
        x_title="format or wording of the prompt",
        y_title="right answers",
        n=n,
        lines=(
            *lines,
            "Best and worst are chosen by the answers that they are tested on: p is too small.",
        ),
        tests=tests,
    )


def flipped(groups: Sequence[Sequence[RunRecord]]) -> tuple[int, int]:
    """Return how many questions are right in one group and wrong in another, and how many all groups were asked."""
    outcomes = [{row.example_id: is_right(row) for row in group} for group in groups]
    shared = set.intersection(*(set(one) for one in outcomes)) if outcomes else set()
    return sum(len({one[name] for one in outcomes}) > 1 for name in shared), len(shared)


def _verdict(who: str, spread: float, flip: float, test: PairedTest) -> tuple[Verdict, str]:
    both = (
        f"{who.capitalize() if who.islower() else who}: the spread is {100 * spread:.0f} points "
        f"({p_words(test.adjusted_p)}), and {percent(flip)} of its answers flip."
    )
    large = [spread >= _FRAGILE_SPREAD and test.is_real, flip >= _FRAGILE_FLIPS]
    return ("shows here" if all(large) else "shows in part" if any(large) else "does not show here"), both


def _wording(condition: str) -> str:
    return condition.partition(", ")[2]
