"""How Scenario B is measured: the LoRA flagger against baselines and prompting, on contracts annotated whole.

python -m playground evaluate contract_clauses --contracts CUADv1.json --strategies lora,tfidf --out runs/clauses

One example is a contract. Its row keeps the score of every clause and label, so that each figure can be computed again
from the rows and the contracts file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground import paths
from playground.adapters import AdapterStore, StoredAdapter, check_base, default_root
from playground.errors import PlaygroundError
from playground.flagging.loading import (
    base_of,
    check_flagger,
    chosen_adapter,
    load_flagger,
    load_language_model_scorer,
)
from playground.flagging.model import ClauseModel
from playground.measuring.clause_metrics import RESAMPLES
from playground.measuring.evaluation import EvaluationOutline, EvaluationPlan, fingerprint_of
from playground.measuring.request import MeasuringRequest
from playground.measuring.spending import Spending
from playground.models.catalog import BUNDLES, MINILM, SMOLLM2, weights_sha256
from playground.text.terminal import one_line
from playground.types import AnnotatedClause, ChatModel, Embedder, Example, RunRecord, Strategy
from scenarios.contract_clauses.figures import summarise_rows
from scenarios.contract_clauses.judges import (
    EMBEDDED,
    FITTED,
    SharedEmbedder,
    TrainingClauses,
    fit_judge,
    keyword_judge,
    load_training_clauses,
    model_judge,
    strategy_of,
)
from scenarios.contract_clauses.measured_contracts import (
    LABELS,
    MeasuredContract,
    contract_of,
    load_measured_set,
)
from scenarios.contract_clauses.prompted import (
    PROMPTED,
    BuildMessages,
    NearestExamples,
    message_builder,
    prompted_strategy,
)
from scenarios.contract_clauses.request import ClausesRequest
from scenarios.contract_clauses.scenario import keywords
from scenarios.contract_clauses.techniques import NAME

_NO_MODEL = "none"
_MOST_NOTES = 10


def strategy_names() -> tuple[str, ...]:
    """Return the names of the ways of judging, the trained flagger first."""
    return ("lora", "keywords", *FITTED, "language-model-lora", *PROMPTED)


@dataclass(frozen=True, slots=True)
class _Way:
    """A strategy with the model that its rows name, and what decides its rows beside contract and seed."""

    strategy: Strategy
    model_id: str
    adapter: str | None
    described: Mapping[str, object]


def outline(request: MeasuringRequest) -> EvaluationOutline:
    """Return what ``prepare`` would plan, without loading or fitting a model.

    Raises:
        EvaluationError: the contracts cannot be used.
        PlaygroundError: a strategy is unknown, or has no adapter that it can use.
    """
    asked = ClausesRequest.of(request)
    names = _names(asked.strategies)
    count = len(load_measured_set(asked.contracts, asked.limit, asked.seed).examples)
    stored, _note = _stored_adapters(names, asked.adapter)
    return EvaluationOutline(
        {name: stored[name].identity if name in stored else None for name in names}, dict.fromkeys(names, count)
    )


def prepare(
    request: MeasuringRequest,
    *,
    load_model: Callable[[], ChatModel],
    load_embedder: Callable[[], Embedder],
) -> EvaluationPlan:
    """Check every input and find the models; each strategy is loaded or fitted with its warm-up.

    Raises:
        EvaluationError: the contracts cannot be used.
        PlaygroundError: a strategy is unknown, an adapter or the training clauses cannot be used, or a chat model
            cannot be loaded.
    """
    asked = ClausesRequest.of(request)
    names = _names(asked.strategies)
    contracts = load_measured_set(asked.contracts, asked.limit, asked.seed)
    _say([*contracts.notes[:_MOST_NOTES], *_more(contracts.notes)])
    ways: dict[str, _Way] = {}
    embedder = SharedEmbedder(load_embedder)
    stored, note = _stored_adapters(names, asked.adapter)
    _say([note] if note else [])
    if "lora" in stored:
        ways["lora"] = _lora(stored["lora"])
    if "language-model-lora" in stored:
        ways["language-model-lora"] = _language_model_lora(stored["language-model-lora"])
    if "keywords" in names:
        ways["keywords"] = _keywords()
    train = load_training_clauses(asked.train) if any(name in (*FITTED, "few-shot-nearest") for name in names) else None
    if train is not None:
        ways |= {name: _fitted(name, train, embedder, asked.seed) for name in names if name in FITTED}
    failed_cost_usd: float | None = 0.0
    spending = Spending()
    weights: dict[str, object] = {bundle.id: {"weights_sha256": bundle.main_file.sha256} for bundle in BUNDLES}
    if prompted := [name for name in names if name in PROMPTED]:
        model = spending.metered(load_model())
        failed_cost_usd = model.cost_usd(None)
        weights[model.model_id] = {"choice": asked.model, "weights_sha256": weights_sha256(model.model_id)}
        ways |= {name: _prompted(name, model, train, embedder, asked) for name in prompted}
    used = {name: ways[name] for name in names}
    return EvaluationPlan(
        scenario=NAME,
        model_id=_NO_MODEL,
        seed=asked.seed,
        strategies={name: way.strategy for name, way in used.items()},
        examples=contracts.examples,
        metrics={},
        fingerprint=lambda name, example: fingerprint_of(dict(used[name].described), *_content(name, example)),
        settings={
            "strategies": {name: dict(way.described) for name, way in used.items()},
            "contracts": {
                "name": contracts.name,
                "sha256": contracts.sha256,
                "count": len(contracts.examples),
                "limit": asked.limit,
            },
            "labels": list(contracts.labels),
            "pairs_per_contract": asked.clauses,
            "train": _of_training(train),
        },
        models={way.model_id: weights.get(way.model_id, {}) for way in used.values()},
        failed_cost_usd=failed_cost_usd,
        spending=spending,
        warm_up=_warm_up(),
        models_of={name: (way.model_id, way.adapter) for name, way in used.items()},
    )


def summarise(records: Sequence[RunRecord], plan: EvaluationPlan) -> list[dict[str, object]]:
    """Return the figures of each strategy; see ``figures.summarise_rows``. Fitted ones say on what: ``train``."""
    labels, pairs = plan.settings["labels"], plan.settings["pairs_per_contract"]
    figures = summarise_rows(
        records,
        [contract_of(example) for example in plan.examples],
        [str(name) for name in labels] if isinstance(labels, list) else [],
        pairs_per_contract=int(str(pairs)),
        seed=plan.seed,
        resamples=RESAMPLES,
    )
    for row in figures:
        row["train"] = plan.settings["train"] if row["strategy"] in (*FITTED, "few-shot-nearest") else None
        row["contracts"] = plan.settings["contracts"]
    return figures


def _names(strategies: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(strategies))
    if not names:
        raise PlaygroundError(f"No strategy was named. Use one or more of: {', '.join(strategy_names())}.")
    if unknown := [name for name in names if name not in strategy_names()]:
        raise PlaygroundError(
            f"There is no strategy {unknown[0][:60]!r}. Use one or more of: {', '.join(strategy_names())}."
        )
    return names


def _stored_adapters(names: Sequence[str], option: str | None) -> tuple[dict[str, StoredAdapter], str]:
    """Return the adapters of the strategies that need one, checked, and a note for the user ("" for none)."""
    wanted = [name for name in ("lora", "language-model-lora") if name in names]
    named = _adapters(option) if wanted else {}
    found: dict[str, StoredAdapter] = {}
    note = ""
    if "lora" in wanted:
        encoder = named.get("encoder")
        stored, note = (encoder, "") if encoder is not None else chosen_adapter(paths.SHIPPED_ADAPTERS, None)
        check_flagger(stored)
        found["lora"] = stored
    if "language-model-lora" in wanted:
        newest = named.get("language_model") or _newest_of_language_model()
        if newest is None:
            raise PlaygroundError(
                "language-model-lora needs an adapter of the language model: name it with --adapter, or train one with "
                "`python -m playground train clauses --base language-model`."
            )
        check_base(newest.manifest, SMOLLM2.id, SMOLLM2.main_file.sha256)
        found["language-model-lora"] = newest
    return found, note


def _adapters(names: str | None) -> dict[str, StoredAdapter]:
    """Return the adapters that ``--adapter`` names, by the kind of their base."""
    found: dict[str, StoredAdapter] = {}
    for name in [name.strip() for name in (names or "").split(",") if name.strip()]:
        stored, _note = chosen_adapter(paths.SHIPPED_ADAPTERS, name)
        kind = stored.manifest.base_kind
        if kind in found:
            raise PlaygroundError(
                f"{found[kind].name} and {name} have the same kind of base. Give --adapter one of them."
            )
        found[kind] = stored
    return found


def _lora(stored: StoredAdapter) -> _Way:
    return _Way(
        strategy_of(lambda: model_judge(load_flagger(stored))),
        base_of(stored).id,
        stored.identity,
        {"adapter": stored.identity},
    )


def _language_model_lora(stored: StoredAdapter) -> _Way:
    strategy = strategy_of(lambda: model_judge(load_language_model_scorer(stored)))
    return _Way(strategy, SMOLLM2.id, stored.identity, {"adapter": stored.identity})


def _newest_of_language_model() -> StoredAdapter | None:
    usable = AdapterStore(default_root(), shipped=paths.SHIPPED_ADAPTERS).list()
    ours = (one for one in usable if (one.manifest.task, one.manifest.base_kind) == ("clauses", "language_model"))
    return next(ours, None)


def _keywords() -> _Way:
    return _Way(strategy_of(keyword_judge), _NO_MODEL, None, {"keywords": fingerprint_of(keywords())})


def _fitted(name: str, train: TrainingClauses, embedder: SharedEmbedder, seed: int) -> _Way:
    def load_judge() -> ClauseModel:
        _say([f"{name}: fitting on {len(train.clauses):,} clauses of {train.name}"])
        if name == "tfidf":
            return fit_judge("tfidf", train, embedder.load_embedder, seed)
        return fit_judge("frozen" if name == "frozen" else "nearest", train, embedder.load_embedder, seed)

    embedded = name in EMBEDDED
    model_id = MINILM.id if embedded else _NO_MODEL
    described = {"train_sha256": train.sha256, "train_clauses": len(train.clauses), "model": model_id}
    return _Way(strategy_of(load_judge, embedder if embedded else None), model_id, None, described)


def _prompted(
    name: str,
    model: ChatModel,
    train: TrainingClauses | None,
    embedder: SharedEmbedder,
    asked: ClausesRequest,
) -> _Way:
    near = name == "few-shot-nearest" and train is not None
    described: dict[str, object] = {"model": model.model_id, "clauses": asked.clauses}
    if near and train is not None:
        described["train_sha256"] = train.sha256

    def load_messages() -> BuildMessages:
        nearest = NearestExamples(train.clauses, embedder.load_embedder()) if near and train is not None else None
        return message_builder(name, nearest)

    strategy = prompted_strategy(
        load_messages,
        model,
        count=asked.clauses,
        seed=asked.seed,
        reasons=name == "chain-of-thought",
    )
    return _Way(strategy, model.model_id, None, described)


def _content(name: str, example: Example) -> tuple[object, ...]:
    """Return what of a contract decides a row: its clauses as they were cut, and its gold where pairs are drawn."""
    contract = contract_of(example)
    clauses = [[clause.heading, clause.text] for clause in contract.clauses]
    return clauses, np.argwhere(contract.gold).tolist() if name in PROMPTED else []


def _warm_up() -> Example:
    text = "The Supplier shall keep this heading and this sentence only to warm up whatever judges it."
    clauses = (AnnotatedClause("warm-up", text, (), "warm-up", "Warm-up", 0),)
    contract = MeasuredContract("warm-up", clauses, np.zeros((1, len(LABELS)), dtype=bool))
    return Example("warm-up", text, "", {"contract": contract})


def _of_training(train: TrainingClauses | None) -> dict[str, object] | None:
    if train is None:
        return None
    return {"name": train.name, "sha256": train.sha256, "clauses": len(train.clauses), "contracts": train.contracts}


def _more(notes: Sequence[str]) -> list[str]:
    return [f"... and {len(notes) - _MOST_NOTES} more notes about the contracts"] if len(notes) > _MOST_NOTES else []


def _say(lines: Sequence[str]) -> None:
    # Fitting takes minutes on many clauses; standard output belongs to the figures.
    for line in lines:
        print(f"note: {one_line(line)}", file=sys.stderr, flush=True)
