"""What the experiments of this scenario have in common: questions that nothing was chosen by, and how rows are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from playground.answering.answer import BotSettings
from playground.answering.strategy import document_strategy
from playground.documents import load_document
from playground.errors import AdapterError, EvaluationError
from playground.files import read_file
from playground.limits.experiment import LimitRequest
from playground.measuring.evaluation import EvaluationPlan, fingerprint_of, sample_examples
from playground.measuring.spending import Spending
from playground.models.catalog import weights_sha256
from playground.paths import POLICIES_KEPT_ASIDE
from playground.retrieval.index import PassageIndex, RetrievalSettings, build_index
from playground.types import ChatModel, Document, Embedder, Example, Passage, Prediction, Strategy
from scenarios.return_policy.evaluation import METRICS, reader_identity
from scenarios.return_policy.questions import read_questions
from scenarios.return_policy.scenario import FOLDER

QUESTIONS = FOLDER / "questions_kept_aside.jsonl"
"""By these neither prompts nor thresholds nor training data were chosen (data/policies_kept_aside/README.md)."""
_KEPT_DETAIL = ("abstained", "omitted", "stop_reason", "withheld", "unstated", "worked_out", "cost_usd", "parts")
ANY_SETTINGS = RetrievalSettings()
_WARM_UP_QUESTION = "Hello, can you help me with a return?"


@dataclass(frozen=True, slots=True)
class Condition:
    """One way in which the same questions are asked.

    ``adapter``: identity of the one it answers through. ``described``: all that decides its answers, ready for JSON.
    """

    name: str
    strategy: Strategy
    described: object
    adapter: str | None = None


def single_fact_questions(limit: int, seed: int, policies: Sequence[str] = ()) -> list[Example]:
    """Return questions whose answer stands in one sentence of a policy kept aside, a random sample of ``limit``.

    Args:
        limit: how many; a larger sample contains the smaller one.
        seed: of the sample.
        policies: file names; () for all.

    Raises:
        EvaluationError: the questions cannot be used.
    """
    found = [
        example
        for example in read_questions(QUESTIONS, POLICIES_KEPT_ASIDE)
        if example.metadata["answerable"]
        and len(evidence_of(example)) == 1
        and (not policies or example.metadata["policy"] in policies)
    ]
    return sample_examples(found, limit, seed=seed, stratum=lambda example: str(example.metadata["policy"]))


def evidence_of(example: Example) -> list[str]:
    """Return the sentences of the policy that the answer rests on."""
    evidence = example.metadata.get("evidence")
    return [str(text) for text in evidence] if isinstance(evidence, list) else []


@lru_cache(maxsize=16)
def policy_kept_aside(name: str) -> Document:
    """Return a policy that is kept aside.

    Raises:
        EvaluationError: it cannot be read.
    """
    try:
        return load_document(read_file(POLICIES_KEPT_ASIDE / name), name)
    except OSError as error:
        raise EvaluationError(f"The policy {name} cannot be read ({error.strerror}). Restore it.") from error


def indexes_of(examples: Sequence[Example], embedder: Embedder) -> dict[str, PassageIndex]:
    """Return the policies that the questions are about, indexed, by file name: before anything is timed.

    Raises:
        EvaluationError: one cannot be read.
    """
    names = dict.fromkeys(str(example.metadata["policy"]) for example in examples)
    return {name: build_index(policy_kept_aside(name), embedder) for name in names}


def states(text: str, evidence: str) -> bool:
    """Whether a text holds a sentence, whatever the white space."""
    return " ".join(evidence.split()).lower() in " ".join(text.split()).lower()


def fitting_reader(request: LimitRequest) -> str | None:
    """Return the identity of the adapter that reads on the chosen model; None where there is none and none was named.

    Raises:
        AdapterError: one was named and cannot be used.
        ModelError: the model's weights cannot be read, or an endpoint is not set.
    """
    try:
        return reader_identity("rag+lora", request.adapter, request.model)
    except AdapterError:
        if request.adapter is not None:
            raise
        return None


class ArrangedPassages(PassageIndex):
    """A document whose search always finds the same passages, in the order given."""

    __slots__ = ("_passages",)

    def __init__(self, document: Document, passages: Sequence[Passage] = ()) -> None:
        self.document = document
        self.chunks = tuple(passage.chunk for passage in passages)
        self._passages = tuple(passages)

    def search(self, _question: str, _settings: RetrievalSettings = ANY_SETTINGS) -> tuple[Passage, ...]:
        """Return the passages, whatever is asked."""
        return self._passages


def answering(
    index_of: Callable[[Example], PassageIndex],
    model: ChatModel,
    settings: BotSettings,
    more: Callable[[Example, Prediction], Mapping[str, object]] = lambda _example, _prediction: {},
) -> Strategy:
    """Return a strategy that answers as the bot does and keeps of a prompt its hash: rows of long prompts stay small.

    ``more`` adds to what a row keeps, with the messages still at hand in ``detail``.
    """
    answer = document_strategy(index_of, model, settings)

    def asked(example: Example) -> Prediction:
        found = answer(example)
        return slim(found, more(example, found))

    return asked


def slim(prediction: Prediction, more: Mapping[str, object] | None = None) -> Prediction:
    """Return a prediction without its prompt; the prompt's hash stays."""
    messages = prediction.detail.get("messages")
    digest = hashlib.sha256(repr(messages).encode("utf-8", "replace")).hexdigest()[:16]
    kept = {name: prediction.detail[name] for name in _KEPT_DETAIL if prediction.detail.get(name) not in (None, [], "")}
    kept["abstained"] = bool(prediction.detail.get("abstained"))
    return replace(
        prediction, detail={**kept, "cost_usd": prediction.detail.get("cost_usd"), "prompt": digest, **(more or {})}
    )


def chosen(
    conditions: Sequence[str], request: LimitRequest, adapter: str | None, needs: Callable[[str], bool]
) -> list[str]:
    """Return the names of the conditions to measure: those asked for, without those that lack their adapter.

    Raises:
        EvaluationError: a name is not known, or nothing is left.
        AdapterError: a condition that was asked for needs an adapter, and there is none for this model.
    """
    if unknown := [name for name in request.size.conditions if name not in conditions]:
        raise EvaluationError(
            f"There is no condition {unknown[0][:60]!r}. Use one or more of: {', '.join(conditions)}."
        )
    wanted = list(request.size.conditions) or list(conditions)
    if adapter is not None:
        return wanted
    left = [name for name in wanted if not needs(name)]
    if not left:
        reader_identity("rag+lora", request.adapter, request.model)  # says what is missing
    return left


def plan_of(
    name: str,
    request: LimitRequest,
    conditions: Sequence[Condition],
    examples: Sequence[Example],
    *,
    model: ChatModel,
    spending: Spending,
) -> EvaluationPlan:
    """Return the plan of an experiment: the same questions under each condition."""
    described = {one.name: one.described for one in conditions}
    policies = {str(one.metadata["policy"]): policy_kept_aside(str(one.metadata["policy"])).sha256 for one in examples}

    def fingerprint(condition: str, example: Example) -> str:
        meaning = [example.metadata.get(key) for key in ("answerable", "expect")]
        return fingerprint_of(described[condition], policies[str(example.metadata["policy"])], example.input, meaning)

    return EvaluationPlan(
        scenario=name,
        model_id=model.model_id,
        seed=request.seed,
        strategies={one.name: one.strategy for one in conditions},
        examples=examples,
        metrics={key: METRICS[key] for key in ("right", "abstained")},
        fingerprint=fingerprint,
        settings={
            "conditions": described,
            "questions": {"file": QUESTIONS.name, "count": len(examples)},
            "policies": policies,
        },
        models={model.model_id: {"choice": request.model, "weights_sha256": weights_sha256(model.model_id)}},
        failed_cost_usd=model.cost_usd(None),
        spending=spending,
        models_of={one.name: (model.model_id, one.adapter) for one in conditions},
        warm_up=replace(examples[0], id="warm-up", input=_WARM_UP_QUESTION) if examples else None,
    )
