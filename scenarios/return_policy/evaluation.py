"""How Scenario A is measured: its questions, its ways of answering, what counts as right.

python -m playground evaluate return_policy --strategies no-text,rag --out runs/first
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from playground.adapters import StoredAdapter, check_model, reader_adapter
from playground.answering.answer import BotSettings
from playground.answering.prompt import FewShotExample
from playground.answering.strategy import document_strategy
from playground.comparison.technique_figures import times_of
from playground.documents import load_document
from playground.documents.limits import POLICY_LIMITS
from playground.errors import AdapterError, EvaluationError, PlaygroundError
from playground.files import read_file
from playground.measuring.estimates import balanced_accuracy, proportion, resources_used
from playground.measuring.evaluation import EvaluationOutline, EvaluationPlan, fingerprint_of, sample_examples
from playground.measuring.request import MeasuringRequest
from playground.measuring.spending import Spending
from playground.models.catalog import weights_sha256
from playground.models.sources import choice_from
from playground.retrieval.index import PassageIndex, RetrievalSettings, build_index
from playground.text.bounded_patterns import all_found
from playground.text.terminal import one_line
from playground.types import ChatModel, Document, Embedder, Example, Metric, Prediction, RunRecord, Strategy
from scenarios.return_policy.closed_book.strategy import (
    closed_book_adapter,
    closed_book_settings,
    is_trained_on,
    trained_policies,
)
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.request import PolicyRequest
from scenarios.return_policy.scenario import (
    MODES,
    READER_MODE,
    adapter_store,
    few_shot_examples,
    reader_retrieval,
    system_prompt,
    with_reader,
)
from scenarios.return_policy.techniques import CLOSED_BOOK, NAME

DEFAULT_STRATEGY = "rag"
# None of the questions: an engine may reuse its work on a prompt it has seen.
_WARM_UP_QUESTION = "Hello, can you help me with a return?"


def strategy_names() -> tuple[str, ...]:
    """Return the names of the ways of answering, simplest first."""
    return (*(mode.strategy for mode in MODES), CLOSED_BOOK)


def reader_identity(strategy: str, name: str | None = None, model: str = "bundled") -> str | None:
    """Return the identity of the adapter that ``strategy`` reads with: ``name``, or the one that fits ``model``.

    None where the strategy needs none. ``model`` is as on the command line; see ``adapters.reader_adapter``.

    Raises:
        AdapterError: it needs one, and there is none, or ``name`` was trained for something else or on another model.
        ModelError: the model's weights cannot be read, or an endpoint is not set.
    """
    if all(mode.strategy != strategy or mode.mode != READER_MODE for mode in MODES):
        return None
    return reader_adapter(adapter_store(), name, choice_from(model)).identity


def default_strategy(model: str) -> str:
    """Return what answers when nobody chose: RAG + LoRA where the model has an adapter for it, else RAG.

    Raises:
        ModelError: as for ``reader_identity``.
    """
    if choice_from(model).source == "endpoint":
        return DEFAULT_STRATEGY
    try:
        return "rag+lora" if reader_identity("rag+lora", None, model) else DEFAULT_STRATEGY
    except AdapterError:
        return DEFAULT_STRATEGY


def bot_settings(
    strategy: str,
    *,
    system: str | None = None,
    retrieval: RetrievalSettings | None = None,
    seed: int = 0,
    adapter: str | None = None,
) -> BotSettings:
    """Return how the bot answers under a strategy's name; ``system`` replaces the article's system prompt.

    ``adapter`` is the identity of the one that reads passages; strategies that need none do without it.

    Raises:
        PlaygroundError: there is no such strategy, or it needs an adapter and none was given.
    """
    for mode in MODES:
        if mode.strategy == strategy:
            prompt = system_prompt() if system is None else system
            settings = BotSettings(prompt, mode.mode, retrieval or RetrievalSettings(), seed=seed)
            if mode.mode != READER_MODE:
                return settings
            # Who names a number of passages gets it.
            fitting = settings.retrieval if retrieval else reader_retrieval(settings.retrieval)
            return with_reader(replace(settings, retrieval=fitting), adapter)
    known = ", ".join(mode.strategy for mode in MODES)
    raise PlaygroundError(f"There is no strategy {strategy[:60]!r}. Use one of: {known}.")


def _settings(strategy: str, asked: PolicyRequest, adapter: str | None) -> BotSettings:
    retrieval = RetrievalSettings(top_k=asked.top_k) if asked.top_k else None
    settings = bot_settings(strategy, retrieval=retrieval, seed=asked.seed, adapter=adapter)
    if settings.mode != READER_MODE:
        return settings
    return replace(
        settings,
        work_out=settings.work_out and not asked.no_arithmetic,
        withhold_unsupported=settings.withhold_unsupported and not asked.keep_unsupported,
        abstain_at=settings.abstain_at if asked.abstain_at is None else asked.abstain_at,
    )


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a run asks of whom: settings and adapters by strategy, what closed-book LoRA answers with, the questions."""

    settings: Mapping[str, BotSettings]
    adapters: Mapping[str, str | None]
    memory: StoredAdapter | None
    examples: list[Example]

    def covers(self, strategy: str, example: Example) -> bool:
        """Whether a strategy is asked a question: closed-book LoRA only about what it was trained on."""
        return strategy != CLOSED_BOOK or self.memory is None or is_trained_on(self.memory, example)


def outline(request: MeasuringRequest) -> EvaluationOutline:
    """Return what ``prepare`` would plan, without loading a model or reading a policy.

    Raises:
        EvaluationError: the questions cannot be used.
        PlaygroundError: a strategy is unknown, or has no adapter that it can use.
    """
    inputs = _inputs(PolicyRequest.of(request))
    rows_of = {name: sum(inputs.covers(name, one) for one in inputs.examples) for name in inputs.adapters}
    return EvaluationOutline(inputs.adapters, rows_of)


def _inputs(asked: PolicyRequest) -> _Inputs:
    names = list(dict.fromkeys(asked.strategies))
    if not names:
        raise PlaygroundError(f"No strategy was named. Use one or more of: {', '.join(strategy_names())}.")
    given = asked.adapter, asked.model
    adapters = {name: reader_identity(name, *given) for name in names if name != CLOSED_BOOK}
    settings = {name: _settings(name, asked, adapter) for name, adapter in adapters.items()}
    examples = read_questions(asked.questions, asked.policies)
    memory = closed_book_adapter(asked.closed_book_adapter) if CLOSED_BOOK in names else None
    if memory is not None:
        if asked.model != "bundled":
            check_model(memory, choice_from(asked.model))
        adapters[CLOSED_BOOK] = memory.identity
        settings[CLOSED_BOOK] = closed_book_settings(memory, asked.seed)
        settings = {name: settings[name] for name in names}
        known = _about_trained(memory, examples)
        examples = known if names == [CLOSED_BOOK] else examples
    if asked.limit is not None:
        examples = sample_examples(
            examples, asked.limit, seed=asked.seed, stratum=lambda example: example.metadata["answerable"]
        )
    return _Inputs(settings, adapters, memory, examples)


def prepare(
    request: MeasuringRequest,
    *,
    load_model: Callable[[], ChatModel],
    load_embedder: Callable[[], Embedder],
) -> EvaluationPlan:
    """Check every input, then load the models and index the policies.

    Raises:
        EvaluationError: the questions cannot be used, or a policy cannot be read.
        PlaygroundError: a strategy is unknown, or a model cannot be loaded.
    """
    asked = PolicyRequest.of(request)
    inputs = _inputs(asked)
    examples, memory = inputs.examples, inputs.memory
    documents = {name: _load_policy(asked.policies / name) for name in _policies(examples)}
    spending = Spending()
    model, embedder = spending.metered(load_model()), load_embedder()
    if memory is not None:
        _say_what_is_left_out(memory, examples)
    indexes = {name: build_index(document, embedder) for name, document in documents.items()}
    described = {name: _described(own) for name, own in inputs.settings.items()}
    return EvaluationPlan(
        scenario=NAME,
        model_id=model.model_id,
        seed=asked.seed,
        strategies=_strategies(inputs.settings, indexes, model),
        examples=examples,
        metrics=METRICS,
        fingerprint=lambda strategy, example: _fingerprint(described[strategy], embedder, documents, example),
        settings={
            "strategies": described,
            "embedder": embedder.model_id,
            "questions": {"file": asked.questions.name, "count": len(examples), "limit": asked.limit},
            "policies": {name: document.sha256 for name, document in documents.items()},
        },
        models={model.model_id: {"choice": asked.model, "weights_sha256": weights_sha256(model.model_id)}},
        failed_cost_usd=model.cost_usd(None),
        spending=spending,
        models_of={name: (model.model_id, adapter) for name, adapter in inputs.adapters.items()},
        covers=inputs.covers,
        warm_up=Example("warm-up", _WARM_UP_QUESTION, "", {"policy": _policies(examples)[0]}),
    )


def _about_trained(memory: StoredAdapter, examples: list[Example]) -> list[Example]:
    """Return the questions that closed-book LoRA is asked.

    Raises:
        EvaluationError: none is about a policy that its adapter was trained on.
    """
    known = [example for example in examples if is_trained_on(memory, example)]
    if not known:
        raise EvaluationError(
            f"{CLOSED_BOOK} was trained on {', '.join(trained_policies(memory))[:200]}, and no question is about that. "
            "Use other questions, or another adapter (--closed-book-adapter)."
        )
    return known


def _say_what_is_left_out(memory: StoredAdapter, examples: Sequence[Example]) -> None:
    # Standard output belongs to the figures.
    known = sum(is_trained_on(memory, example) for example in examples)
    if known < len(examples):
        print(
            f"note: {CLOSED_BOOK} is asked {known} of {len(examples)} questions: its adapter was trained on "
            f"{one_line(', '.join(trained_policies(memory))[:200])}; the others give it no row",
            file=sys.stderr,
            flush=True,
        )


# What is measured on each row. 1.0 is yes, 0.0 is no.


def is_answerable(_prediction: Prediction, example: Example) -> float:
    """Whether the policy has the answer."""
    return float(bool(example.metadata["answerable"]))


def is_abstention(prediction: Prediction, _example: Example) -> float:
    """Whether the bot said that it does not know."""
    return float(bool(prediction.detail.get("abstained")))


def is_right(prediction: Prediction, example: Example) -> float:
    """Whether the answer is right: all of ``expect`` found, or an abstention where there is no answer.

    Raises:
        EvaluationError: a regular expression took too long.
    """
    if prediction.detail.get("failed"):
        return 0.0
    abstained = bool(prediction.detail.get("abstained"))
    if not example.metadata["answerable"]:
        return float(abstained)
    expect = example.metadata["expect"]
    patterns = [str(pattern) for pattern in expect] if isinstance(expect, list) else []
    return float(not abstained and all_found(patterns, prediction.output))


def has_unsupported_number(prediction: Prediction, _example: Example) -> float:
    """Whether the answer states a number, date or amount that no passage in the prompt contains, cited or not.

    What the arithmetic done for the reader gives is counted apart (``has_worked_out_number``).
    """
    return float(bool(prediction.detail.get("unstated")) and not prediction.detail.get("withheld"))


def has_worked_out_number(prediction: Prediction, _example: Example) -> float:
    """Whether the answer states a number that no passage contains, but the arithmetic done for the reader does."""
    return float(bool(prediction.detail.get("worked_out")))


METRICS: Mapping[str, Metric] = {
    "answerable": is_answerable,
    "abstained": is_abstention,
    "right": is_right,
    "unsupported_number": has_unsupported_number,
    "worked_out_number": has_worked_out_number,
}


def summarise(records: Sequence[RunRecord], _plan: EvaluationPlan | None = None) -> list[dict[str, object]]:
    """Return the figures of each strategy, model and adapter, in the order in which they first appear.

    Rates are in [0, 1] and null where nothing was asked: ``answerable_accuracy`` (right among the answerable),
    ``abstention_accuracy`` (abstained among the unanswerable), ``balanced_accuracy`` (their mean),
    ``false_answer_rate`` (answered among the unanswerable), ``unsupported_number_rate`` (answers with a number that no
    passage in the prompt contains, among all answers), ``worked_out_number_rate`` (those with a number that only the
    arithmetic done for the reader has). A row with an error is wrong and is no answer. ``ci`` has the bounds of
    the 95 % intervals, those of times under ``first_token_s_p50``, ``total_s_p95`` and so on.
    """
    groups: dict[tuple[str, str, str | None], list[RunRecord]] = {}
    for record in records:
        groups.setdefault((record.strategy, record.model_id, record.adapter), []).append(record)
    return [_figures(*key, rows) for key, rows in groups.items()]


def _figures(strategy: str, model_id: str, adapter: str | None, rows: Sequence[RunRecord]) -> dict[str, object]:
    answerable = [row for row in rows if row.scores["answerable"]]
    unanswerable = [row for row in rows if not row.scores["answerable"]]
    answers = [row for row in rows if not row.error and not row.scores["abstained"]]
    false_answers = [row for row in answers if not row.scores["answerable"]]
    rates = {
        "answerable_accuracy": proportion(sum(_right(answerable)), len(answerable)),
        "abstention_accuracy": proportion(sum(_right(unanswerable)), len(unanswerable)),
        "balanced_accuracy": balanced_accuracy(_right(answerable), _right(unanswerable)),
        "false_answer_rate": proportion(len(false_answers), len(unanswerable)),
        "unsupported_number_rate": proportion(
            sum(row.scores["unsupported_number"] > 0 for row in answers), len(answers)
        ),
        "worked_out_number_rate": proportion(
            sum(row.scores.get("worked_out_number", 0.0) > 0 for row in answers), len(answers)
        ),
    }
    return {
        "strategy": strategy,
        "model": model_id,
        "adapter": adapter,
        "n": len(rows),
        "n_answerable": len(answerable),
        "n_unanswerable": len(unanswerable),
        "errors": sum(row.error is not None for row in rows),
        **{name: rate.value if rate else None for name, rate in rates.items()},
        **resources_used(rows),
        "ci": {name: [rate.low, rate.high] for name, rate in rates.items() if rate} | _time_intervals(rows),
    }


def _time_intervals(rows: Sequence[RunRecord]) -> dict[str, list[float]]:
    """Return the bounds of median and 95th percentile of each time, in seconds, as the comparison page draws them."""
    found: dict[str, list[float]] = {}
    timings = [row.prediction.timings for row in rows if row.prediction is not None]
    for name in ("first_token_s", "total_s"):
        if times := times_of([one[name] for one in timings if name in one]):
            found[f"{name}_p50"] = [times.p50.low, times.p50.high]
            found[f"{name}_p95"] = [times.p95.low, times.p95.high]
    return found


def _right(rows: Iterable[RunRecord]) -> list[bool]:
    return [row.scores["right"] > 0 and not row.error for row in rows]


def _strategies(
    settings: Mapping[str, BotSettings], indexes: Mapping[str, PassageIndex], model: ChatModel
) -> dict[str, Strategy]:
    return {
        name: document_strategy(lambda example: indexes[str(example.metadata["policy"])], model, chosen, _shown(chosen))
        for name, chosen in settings.items()
    }


def _shown(settings: BotSettings) -> tuple[FewShotExample, ...]:
    return few_shot_examples() if settings.mode == "rag_few_shot" else ()


def _policies(examples: Sequence[Example]) -> list[str]:
    return list(dict.fromkeys(str(example.metadata["policy"]) for example in examples))


def _load_policy(path: Path) -> Document:
    try:
        if path.stat().st_size > POLICY_LIMITS.max_bytes:
            raise EvaluationError(f"The policy {path} has more than {POLICY_LIMITS.max_bytes >> 20} MB. Split it.")
        return load_document(read_file(path, POLICY_LIMITS.max_bytes), path.name)
    except OSError as error:
        raise EvaluationError(f"The policy {path} cannot be read ({error.strerror}). Check --policies.") from error
    except EvaluationError:
        raise
    except PlaygroundError as error:
        raise EvaluationError(f"The policy {path} cannot be used: {error}") from error


def _described(settings: BotSettings) -> dict[str, object]:
    examples = [asdict(example) for example in _shown(settings)]
    return {**asdict(settings), "few_shot": fingerprint_of(examples) if examples else None}


def _fingerprint(
    described: Mapping[str, object], embedder: Embedder, documents: Mapping[str, Document], example: Example
) -> str:
    meaning = [example.metadata[name] for name in ("answerable", "expect")]
    policy = documents[str(example.metadata["policy"])]
    return fingerprint_of(dict(described), embedder.model_id, policy.sha256, example.input, meaning)
