"""Token limit: a policy padded with true but foreign sections until it has more tokens than the model can read.

The policy's sections stay in their order and are spread evenly over the whole text, so that a text of 150 % of the
context loses a third of the policy as well. What is foreign are clauses of contracts, which say nothing of returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from playground.answering.answer import BotSettings
from playground.documents import load_pasted
from playground.errors import EvaluationError
from playground.files import read_file
from playground.limits.experiment import FEWEST, ExperimentFunctions, LimitRequest
from playground.limits.finding import (
    Finding,
    Point,
    Series,
    by_condition,
    enough,
    p_words,
    paired_tests,
    percent,
    points_words,
    rate_words,
    share_right,
)
from playground.measuring.estimates import percentiles
from playground.measuring.evaluation import EvaluationPlan
from playground.measuring.spending import Spending
from playground.paths import CLAUSES
from playground.retrieval.index import PassageIndex, build_index
from playground.typed_json import typed_json
from playground.types import ChatModel, Document, Embedder, Example, Prediction, RunRecord
from scenarios.return_policy.evaluation import bot_settings
from scenarios.return_policy.limits.asked import (
    ArrangedPassages,
    Condition,
    answering,
    chosen,
    evidence_of,
    fitting_reader,
    plan_of,
    policy_kept_aside,
    single_fact_questions,
    states,
)

NAME = "token-limit"
SHARES = (25, 50, 100, 150)
"""Tokens of the text, in percent of what the model can read."""
KINDS = {"whole text": Series("whole text", "#bf8b03", "square"), "RAG": Series("RAG", "#366797", "circle")}
CONDITIONS = tuple(f"{kind}, {share} %" for kind in KINDS for share in SHARES)
POLICIES = ("brindlemere-instruments.txt", "thudwell-tools.txt", "wendlemoss-nursery.md")
"""Three are enough: every text has to be read whole at every length."""
_MOST_OF_ONE = 12
"""Up to so many questions are all about one policy: a demo has no time to read three long texts."""
_MOST_TOKENS = 64
_LONGEST_CONTEXT = 8_192
_NEW_TEXT = 0.5  # of the prompt: with more of it reused, the first token says nothing about reading it
_SECTION_BREAK = re.compile(r"\n\s*\n")


def functions() -> ExperimentFunctions:
    """Return what the experiment does."""
    return ExperimentFunctions(CONDITIONS, prepare, found)


def prepare(
    request: LimitRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    """Return the plan; see ``experiment.Prepare``.

    The questions of a policy follow each other, so that an engine reads each text once.
    """
    adapter = fitting_reader(request)
    names = chosen(CONDITIONS, request, adapter, needs=lambda _name: False)
    policies_asked = POLICIES if request.size.examples > _MOST_OF_ONE else POLICIES[:1]
    examples = single_fact_questions(request.size.examples, request.seed, policies_asked)
    foreign = _foreign_sections()
    spending = Spending()
    model, embedder = spending.metered(load_model()), load_embedder()
    if model.context_limit > _LONGEST_CONTEXT:
        raise EvaluationError(
            f"{model.model_id} reads {model.context_limit:,} tokens; there is foreign text for "
            f"{_LONGEST_CONTEXT:,}. Choose a model that reads less, or set the endpoint's context lower."
        )
    policies = dict.fromkeys(str(example.metadata["policy"]) for example in examples)
    texts = {
        (name, share): padded(policy_kept_aside(name), foreign, share * model.context_limit // 100, model.count_tokens)
        for name in policies
        for share in dict.fromkeys(_share(name) for name in names)
    }

    def condition(name: str) -> Condition:
        share = _share(name)
        indexes: dict[str, PassageIndex] = {}

        def index_of(example: Example) -> PassageIndex:
            policy = str(example.metadata["policy"])
            if policy not in indexes:
                text = texts[policy, share]
                indexes[policy] = build_index(text, embedder) if name.startswith("RAG") else ArrangedPassages(text)
            return indexes[policy]

        settings = _settings(name, adapter)
        return Condition(
            name,
            answering(index_of, model, settings, _kept),
            [asdict(settings), share, model.context_limit, embedder.model_id],
            settings.adapter,
        )

    return plan_of(NAME, request, [condition(name) for name in names], examples, model=model, spending=spending)


def _settings(name: str, adapter: str | None) -> BotSettings:
    """Return how the bot answers: through the adapter that reads, where there is one, and without the guard."""
    strategy = "rag+lora" if adapter else "rag"
    settings = bot_settings(strategy, adapter=adapter)
    mode = settings.mode if name.startswith("RAG") else "whole_document"
    return replace(
        settings, mode=mode, max_tokens=_MOST_TOKENS, work_out=False, abstain_at=None, withhold_unsupported=False
    )


def _kept(example: Example, prediction: Prediction) -> Mapping[str, object]:
    """Return whether the answer's sentence was in the prompt, and the memory of this process after the answer."""
    import psutil

    messages = prediction.detail.get("messages")
    sent = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    prompt = "\n".join(str(one.get("content")) for one in sent)
    seen = all(states(prompt, evidence) for evidence in evidence_of(example))
    return {"evidence_in_prompt": seen, "memory_bytes": psutil.Process().memory_info().rss}


def _foreign_sections() -> list[str]:
    """Return clauses of our contracts, in the order of their files.

    Raises:
        EvaluationError: a file cannot be read.
    """
    try:
        lines = [line for path in sorted(CLAUSES.glob("*.jsonl")) for line in read_file(path).splitlines()]
        return [str(typed_json(dict[str, object], line)["text"]) for line in lines if line.strip()]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(f"The clauses in {CLAUSES} cannot be read ({error}). Restore them.") from error


def padded(document: Document, foreign: Sequence[str], tokens: int, count: Callable[[str], int]) -> Document:
    """Return a text of about ``tokens`` tokens with the sections of a policy spread evenly among foreign ones.

    A policy that has so many by itself is returned as it is.

    Raises:
        EvaluationError: there is not enough foreign text.
    """
    sections = [part.strip() for part in _SECTION_BREAK.split(document.text) if part.strip()]
    missing = tokens - count(document.text)
    if missing <= 0:
        return document
    added: list[str] = []
    for text in foreign:
        if missing <= 0:
            break
        added.append(text.strip())
        missing -= count(f"{added[-1]}\n\n")
    if missing > 0:
        raise EvaluationError(f"There is too little foreign text for {tokens:,} tokens. Use a model that reads less.")
    merged = "\n\n".join(spread(sections, added))
    return load_pasted(merged, document.source)


def spread(sections: Sequence[str], added: Sequence[str]) -> Iterator[str]:
    """Yield all of both, each in its order, ``sections`` evenly among ``added``."""
    taken = 0
    for place, section in enumerate(sections):
        until = len(added) * (2 * place + 1) // (2 * len(sections))
        yield from added[taken:until]
        yield section
        taken = until
    yield from added[taken:]


def found(rows: Sequence[RunRecord]) -> Finding:
    """Return what the rows show.

    Raises:
        EvaluationError: they are too few.
    """
    groups = by_condition(rows)
    measured = {kind: [share for share in SHARES if groups.get(f"{kind}, {share} %")] for kind in KINDS}
    whole, rag = measured["whole text"], measured["RAG"]
    if len(whole) < 2:
        raise EvaluationError("No two lengths of the whole text were measured yet. What was measured is kept.")
    names = [f"{kind}, {share} %" for kind, shares in measured.items() for share in shares]
    enough(groups, names, FEWEST, "answers")
    points = [
        Point(
            KINDS[kind], f"{share} %", share_right(groups[name := f"{kind}, {share} %"]), len(groups[name]),
            note=_note(groups[name]),
        )
        for kind, shares in measured.items()
        for share in shares
    ]  # fmt: skip
    pairs = [(f"whole text, {whole[0]} %", f"whole text, {share} %") for share in whole[1:]]
    pairs += [(f"RAG, {rag[0]} %", f"RAG, {rag[-1]} %")] if len(rag) > 1 else []
    tests = paired_tests(pairs, groups)
    falls = next(test for test in tests if test.difference.second == f"whole text, {whole[-1]} %")
    flat = [test for test in tests if test.difference.first.startswith("RAG")]
    lost = _share_lost(groups[f"whole text, {whole[-1]} %"])
    first, last = (share_right(groups[f"whole text, {share} %"]) for share in (whole[0], whole[-1]))
    fell = falls.is_real and falls.difference.difference.value > 0
    stayed = not any(test.is_real and test.difference.difference.value > 0 for test in flat)
    n = min(point.n for point in points)
    sentence = (
        f"With a text of {whole[-1]} % of the context {percent(lost)} of the answers were cut out of the prompt, and "
        f"{percent(last.value)} of the questions were answered right against {percent(first.value)} at {whole[0]} % "
        f"({p_words(falls.adjusted_p)})."
    )
    if flat:
        ends = [percent(share_right(groups[f"RAG, {share} %"]).value) for share in (rag[0], rag[-1])]
        sentence += f" RAG: {ends[0]} and {ends[1]} ({p_words(flat[0].adjusted_p)})."
    return Finding(
        headline=f"Whole text: {percent(first.value)} right at {whole[0]} % of the context, "
        f"{percent(last.value)} at {whole[-1]} %",
        verdict="shows here" if fell and stayed and flat else "shows in part" if fell or lost else "does not show here",
        sentence=sentence,
        points=tuple(points),
        x_title="length of the text, in percent of what the model can read",
        y_title="right answers",
        n=n,
        lines=tuple(f"{name}: {rate_words(share_right(groups[name]))}, {_note(groups[name])}." for name in names)
        + tuple(
            f"{test.difference.first} against {test.difference.second}: "
            f"{points_words(test.difference.difference.value)} ({p_words(test.adjusted_p)})."
            for test in tests
        ),
        tests=tests,
    )


def _share(name: str) -> int:
    return int(name.rpartition(", ")[2].removesuffix(" %"))


def _share_lost(rows: Sequence[RunRecord]) -> float:
    known = [row.prediction.detail.get("evidence_in_prompt") for row in rows if row.prediction]
    return known.count(False) / len(known) if known else 0.0


def _note(rows: Sequence[RunRecord]) -> str:
    """Return what else is known of a condition: what was cut, tokens, first token of a text that is new, memory."""
    predictions = [row.prediction for row in rows if row.prediction]
    cut = sum(bool(one.detail.get("omitted")) for one in predictions)
    usages = [one.usage for one in predictions if one.usage]
    words = [f"answer's sentence not in the prompt {percent(_share_lost(rows))}"]
    if cut:
        words.append(f"text cut in {cut} of {len(predictions)} prompts")
    if usages:
        words.append(f"{sum(one.input_tokens for one in usages) / len(usages):,.0f} tokens in")
    new = [
        one.timings["first_token_s"]
        for one in predictions
        if one.usage and "first_token_s" in one.timings and one.usage.cached_tokens < _NEW_TEXT * one.usage.input_tokens
    ]
    if times := percentiles(new):
        words.append(f"first token of a text not read before {times['p50']:.1f} s (busy machines take longer)")
    memory = [one.detail["memory_bytes"] for one in predictions if isinstance(one.detail.get("memory_bytes"), int)]
    if memory:
        words.append(f"process {max(map(int, map(str, memory))) / 1e9:.1f} GB")
    return ", ".join(words)
