"""From rows and the annotated contracts to figures, with intervals over contracts. Nothing is stored but the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.measuring.clause_metrics import RESAMPLES, Statistic, bootstrap_over_contracts, statistics_of
from playground.measuring.cuad_metric import LEFT_OUT, Gold, Predictions, cuad_statistics, predicted_spans
from playground.measuring.estimates import Estimate
from playground.types import RunRecord
from scenarios.contract_clauses.judges import expanded
from scenarios.contract_clauses.measured_contracts import LABELS, MeasuredContract
from scenarios.contract_clauses.prompted import PROMPTED, THRESHOLD, sampled_pairs

# How scores of clauses become the spans of CUAD's metric. Chosen on validation contracts, for every strategy alike.
SPAN_FLOOR = 0.01
SPAN_JOIN = 0.5
SPAN_ALONE = 0.5

LORA = "lora"
COMPARED = ("micro_ap", "cuad_aupr")
CUAD_RATES = ("cuad_aupr", "precision_at_80_recall")
CLAUSE_RATES = ("micro_ap", "macro_ap", "micro_f1", "macro_f1", "contract_presence_f1")
PAGES = "pages_at_80_recall"
PAGE_CHARACTERS = 3_000
READ_RECALL = 0.8
SAMPLE_RATES = ("ap", "f1", "accuracy")

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class MeasuredRows:
    """The rows of one strategy beside the contracts: one a contract, None where there is none (yet)."""

    strategy: str
    model_id: str
    adapter: str | None
    rows: tuple[RunRecord | None, ...]

    @property
    def prompted(self) -> bool:
        """Whether it judged a sample of pairs only."""
        return self.strategy in PROMPTED

    def details(self) -> list[Mapping[str, object]]:
        """Return the details of each contract's row, empty where it failed."""
        return [row.prediction.detail if row and row.prediction and not row.error else {} for row in self.rows]


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """What a strategy said of one of the sampled pairs; ``contract``, ``clause`` and ``label`` are places.

    Where it said nothing that can be read, score and flag are the opposite of what is right.
    """

    contract: int
    clause: int
    label: int
    score: float
    flagged: bool
    gold: bool


def summarise_rows(
    records: Sequence[RunRecord],
    contracts: Sequence[MeasuredContract],
    labels: Sequence[str],
    *,
    pairs_per_contract: int,
    seed: int,
    resamples: int = RESAMPLES,
    always_sample: bool = False,
) -> list[Row]:
    """Return the figures of each strategy, in the order in which they first appear.

    Args:
        records: rows of the contracts; a contract without a row, or whose row failed, has no score above 0, and its
            pairs of the sample are wrong.
        contracts: what was measured, with its gold annotation.
        labels: that count, of LABELS; CUAD's metric leaves out names and dates.
        pairs_per_contract: of the sample that chat models were asked about.
        seed: of that sample.
        resamples: of the bootstrap.
        always_sample: give the figures of the sample of pairs also where no strategy is a chat model.

    Returns:
        One mapping a strategy. Rates are in [0, 1] and None where they are not defined or were not measured;
        ``ci`` has the 95 % intervals of the cluster bootstrap over contracts. ``sample`` has figures of the pairs that
        chat models were asked about, for every strategy, where one of the strategies is a chat model.
        ``lora_minus_this`` is the paired difference of the LoRA flagger to a baseline, resampled together.
    """
    groups: dict[tuple[str, str, str | None], dict[str, RunRecord]] = {}
    for record in records:
        groups.setdefault((record.strategy, record.model_id, record.adapter), {})[record.example_id] = record
    measured = [
        MeasuredRows(*key, tuple(rows.get(contract.title) for contract in contracts)) for key, rows in groups.items()
    ]
    columns = [LABELS.index(name) for name in labels]
    pairs = (
        [sampled_pairs(contract, pairs_per_contract, seed) for contract in contracts]
        if always_sample or any(rows.prompted for rows in measured)
        else []
    )
    statistics: list[dict[str, Statistic]] = []
    for rows in measured:
        found = {} if rows.prompted else _statistics(rows, contracts, columns)
        found |= _sample_statistics(rows, contracts, pairs) if pairs else {}
        found["clauses_per_s"] = _speed(rows)
        statistics.append({name: _remembered(statistic) for name, statistic in found.items()})
    for of_lora in [found for rows, found in zip(measured, statistics, strict=True) if rows.strategy == LORA][:1]:
        for found in statistics:
            found |= {
                f"lora_minus_{name}": _difference(of_lora[name], found[name])
                for name in COMPARED
                if found is not of_lora and name in found and name in of_lora
            }
    flat = {f"{place}/{name}": one for place, found in enumerate(statistics) for name, one in found.items()}
    estimates = bootstrap_over_contracts(flat, len(contracts), resamples=resamples)
    return [
        _figures(
            rows,
            contracts,
            labels,
            pairs,
            {name.partition("/")[2]: one for name, one in estimates.items() if name.partition("/")[0] == str(place)},
        )
        for place, rows in enumerate(measured)
    ]


def judged_pairs(
    rows: MeasuredRows, contracts: Sequence[MeasuredContract], pairs: Sequence[Sequence[tuple[int, int]]]
) -> list[JudgedPair]:
    """Return what a strategy said of the sampled ``pairs`` of each contract.

    A reply that says neither yes nor no is an error, not a "no", and so is no reply at all (the row failed or is
    missing): it counts as the opposite of what is right, so that no figure gains by it.
    """
    judged = []
    scores, thresholds = ([], np.full(len(LABELS), THRESHOLD)) if rows.prompted else _scores(rows, contracts)
    for place, (detail, of_contract) in enumerate(zip(rows.details(), pairs, strict=True)):
        replies = _replies(detail)
        for row, column in of_contract:
            gold, said = bool(contracts[place].gold[row, column]), None
            if rows.prompted:
                said = replies.get((row, column))
            elif detail:
                said = float(scores[place][row, column])
            score = float(not gold) if said is None else said
            flagged = not gold if said is None else bool(said >= thresholds[column])
            judged.append(JudgedPair(place, row, column, score, flagged, gold))
    return judged


def unreadable_replies(rows: Sequence[RunRecord]) -> int:
    """Return how many replies say neither yes nor no, of everything that was asked; none where a row failed."""
    asked = [row.prediction.detail.get("asked") for row in rows if row.prediction and not row.error]
    return sum(
        isinstance(pair, Mapping) and "score" in pair and pair["score"] is None
        for pairs in asked
        for pair in (pairs if isinstance(pairs, list) else ())
    )


def _figures(
    rows: MeasuredRows,
    contracts: Sequence[MeasuredContract],
    labels: Sequence[str],
    pairs: Sequence[Sequence[tuple[int, int]]],
    estimates: Mapping[str, Estimate | None],
) -> Row:
    names = (*CUAD_RATES, *CLAUSE_RATES, PAGES, "clauses_per_s")
    figures: Row = {
        "strategy": rows.strategy,
        "model": rows.model_id,
        "adapter": rows.adapter,
        "n": len(contracts),
        "clauses": sum(len(contract.clauses) for contract in contracts),
        "spans": _count_spans(contracts, labels),
        "labels": len(labels),
        "pages": sum(_characters(contract).sum() for contract in contracts) / PAGE_CHARACTERS / max(len(contracts), 1),
        "errors": sum(1 for row in rows.rows if row is not None and row.error),
    }
    figures |= {name: _value(estimates.get(name)) for name in names}
    figures["ci"] = {name: _interval(estimates[name]) for name in names if estimates.get(name)}
    figures["lora_minus_this"] = {
        name: {"difference": one.value, "ci": _interval(one)}
        for name in COMPARED
        if (one := estimates.get(f"lora_minus_{name}"))
    }
    figures["sample"] = _sample_figures(rows, contracts, pairs, estimates) if pairs else None
    return figures


def _sample_figures(
    rows: MeasuredRows,
    contracts: Sequence[MeasuredContract],
    pairs: Sequence[Sequence[tuple[int, int]]],
    estimates: Mapping[str, Estimate | None],
) -> Row:
    names = [f"sample_{name}" for name in SAMPLE_RATES]
    return {
        "pairs": sum(len(found) for found in pairs),
        "right": sum(bool(contracts[i].gold[pair]) for i, found in enumerate(pairs) for pair in found),
        "unreadable": unreadable_replies([row for row in rows.rows if row is not None]),
        **{name: _value(estimates.get(f"sample_{name}")) for name in SAMPLE_RATES},
        "ci": {name.removeprefix("sample_"): _interval(estimates[name]) for name in names if estimates.get(name)},
    }


def _statistics(
    rows: MeasuredRows, contracts: Sequence[MeasuredContract], columns: Sequence[int]
) -> dict[str, Statistic]:
    scores, thresholds = _scores(rows, contracts)
    owners = np.repeat(np.arange(len(contracts)), [len(contract.clauses) for contract in contracts])
    gold = np.concatenate([contract.gold for contract in contracts])[:, columns]
    found = statistics_of(np.concatenate(scores)[:, columns], gold, owners, thresholds[columns])
    counted = [LABELS[column] for column in columns if LABELS[column] not in LEFT_OUT]
    of_clauses = {name: found[name] for name in CLAUSE_RATES}
    of_clauses[PAGES] = pages_to_read(contracts, scores, [LABELS.index(name) for name in counted])
    marked = [contract.answers for contract in contracts]
    answers: Gold = [one for one in marked if one is not None]
    if len(answers) < len(marked) or not any(one.get(name) for one in answers for name in counted):
        return of_clauses
    predictions: Predictions = [
        _spans(contract, of_contract, counted) for contract, of_contract in zip(contracts, scores, strict=True)
    ]
    return {**of_clauses, **cuad_statistics(answers, predictions, labels=counted)}


def pages_to_read(
    contracts: Sequence[MeasuredContract], scores: Sequence[np.ndarray], columns: Sequence[int]
) -> Statistic:
    """Return how many pages of a contract have to be read, on average, to see 80 % of what is marked.

    Whoever reads takes the clauses of all contracts by falling score, each by the highest of its labels, and stops when
    80 % of the pairs of a clause and a label that annotators marked were seen. A page is 3,000 characters. Clauses of
    equal score are read together.

    Args:
        contracts: with their gold annotation.
        scores: float [clauses, LABELS] of each.
        columns: the labels that count, of LABELS.
    """
    owners = np.repeat(np.arange(len(contracts)), [len(contract.clauses) for contract in contracts])
    best = np.concatenate([of_contract[:, columns].max(axis=1, initial=0.0) for of_contract in scores])
    marked = np.concatenate([contract.gold[:, columns].sum(axis=1) for contract in contracts])
    characters = np.concatenate([_characters(contract) for contract in contracts])
    order = np.argsort(-best, kind="stable")
    owners, best, marked, characters = owners[order], best[order], marked[order], characters[order]

    def pages(weights: np.ndarray) -> float:
        weight = weights[owners]
        seen = np.cumsum(weight * marked)
        if not len(seen) or seen[-1] <= 0:
            return float("nan")
        last = int(np.searchsorted(seen, READ_RECALL * seen[-1] - 1e-9))
        return float((weight * characters)[best >= best[last]].sum() / PAGE_CHARACTERS / weights.sum())

    return pages


def _characters(contract: MeasuredContract) -> np.ndarray:
    return np.array([len(clause.text) for clause in contract.clauses], dtype=float)


def _spans(contract: MeasuredContract, scores: np.ndarray, labels: Sequence[str]) -> dict[str, list[tuple[str, float]]]:
    return {
        name: predicted_spans(
            contract.text,
            contract.pieces,
            scores[:, LABELS.index(name)],
            floor=SPAN_FLOOR,
            join=SPAN_JOIN,
            alone=SPAN_ALONE,
        )
        for name in labels
    }


def _scores(rows: MeasuredRows, contracts: Sequence[MeasuredContract]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return float [clauses, LABELS] by contract, and the thresholds [LABELS]."""
    thresholds = np.ones(len(LABELS))
    scores = []
    for detail, contract in zip(rows.details(), contracts, strict=True):
        kept, limits = detail.get("scores"), detail.get("thresholds")
        scores.append(expanded(kept if isinstance(kept, Mapping) else {}, len(contract.clauses)))
        if isinstance(limits, Sequence):
            thresholds = np.asarray(limits, dtype=float)
    return scores, thresholds


def _sample_statistics(
    rows: MeasuredRows, contracts: Sequence[MeasuredContract], pairs: Sequence[Sequence[tuple[int, int]]]
) -> dict[str, Statistic]:
    judged = judged_pairs(rows, contracts, pairs)
    found, flagged = [pair.score for pair in judged], [pair.flagged for pair in judged]
    gold, owners = [pair.gold for pair in judged], [pair.contract for pair in judged]
    if not any(gold):
        return {}
    # A contract may have no pair; the figures' own numbering of contracts leaves it out.
    present, truth = np.unique(owners), np.asarray(gold)[:, None]
    ranked = statistics_of(np.asarray(found)[:, None], truth, np.asarray(owners), np.ones(1))["micro_ap"]
    decided = statistics_of(np.asarray(flagged, float)[:, None], truth, np.asarray(owners), np.full(1, 0.5))["micro_f1"]
    right = np.bincount(owners, np.asarray(flagged) == np.asarray(gold), minlength=len(contracts))
    asked = np.bincount(owners, minlength=len(contracts))
    return {
        "sample_ap": lambda weights: ranked(weights[present]),
        "sample_f1": lambda weights: decided(weights[present]),
        "sample_accuracy": lambda weights: _ratio(float(weights @ right), float(weights @ asked)),
    }


def _replies(detail: Mapping[str, object]) -> dict[tuple[int, int], float | None]:
    """Return the scores of the pairs that were asked about; None where the reply was unreadable."""
    asked = detail.get("asked")
    return {
        (int(pair["clause"]), int(pair["label"])): None if pair["score"] is None else float(pair["score"])
        for pair in (asked if isinstance(asked, Sequence) else ())
    }


def _speed(rows: MeasuredRows) -> Statistic:
    """Clauses judged in a second; of a chat model, pairs of a clause and a label."""
    judged, seconds = np.zeros(len(rows.rows)), np.zeros(len(rows.rows))
    for place, (row, detail) in enumerate(zip(rows.rows, rows.details(), strict=True)):
        if row is not None and row.prediction is not None and detail:
            asked = detail.get("asked")
            judged[place] = len(asked) if isinstance(asked, Sequence) else int(str(detail["clauses"]))
            seconds[place] = row.prediction.timings["total_s"]
    return lambda weights: _ratio(float(weights @ judged), float(weights @ seconds))


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _remembered(statistic: Statistic) -> Statistic:
    """Return ``statistic`` with its last value kept: a difference asks for it again with the same weights."""
    last: list[tuple[np.ndarray, float]] = []

    def of_weights(weights: np.ndarray) -> float:
        if not last or not np.array_equal(last[0][0], weights):
            last[:] = [(weights, statistic(weights))]
        return last[0][1]

    return of_weights


def _difference(one: Callable[[np.ndarray], float], other: Callable[[np.ndarray], float]) -> Statistic:
    return lambda weights: one(weights) - other(weights)


def _count_spans(contracts: Sequence[MeasuredContract], labels: Sequence[str]) -> int | None:
    marked = [contract.answers for contract in contracts]
    if any(answers is None for answers in marked):
        return None
    return sum(len(answers.get(name, ())) for answers in marked if answers for name in labels)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _interval(estimate: Estimate | None) -> list[float] | None:
    return None if estimate is None else [estimate.low, estimate.high]
