"""How the rows of Scenario B are compared: the headline is the accuracy on the pairs that every strategy judged.

Chat models are only asked about a fixed sample of pairs of a clause and a label, half of them right; the other
strategies score every pair. What all have in common is that sample. Average precision and F1 over all pairs, and
CUAD's metric, stand beside it where a strategy has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from playground.comparison.outcomes import Measured, Outcome
from playground.comparison.scenario import ComparedScenario
from playground.errors import EvaluationError
from playground.measuring.clause_metrics import RESAMPLES
from playground.measuring.estimates import Estimate
from playground.measuring.runs import RunInfo
from playground.types import RunRecord
from scenarios.contract_clauses.figures import (
    CLAUSE_RATES,
    CUAD_RATES,
    MeasuredRows,
    judged_pairs,
    summarise_rows,
    unreadable_replies,
)
from scenarios.contract_clauses.measured_contracts import (
    LABELS,
    MeasuredContract,
    MeasuredSet,
    contract_of,
    load_measured_set,
)
from scenarios.contract_clauses.prompted import sampled_pairs
from scenarios.contract_clauses.techniques import NAME, TECHNIQUES, TITLE

ACCURACY_NAME = "accuracy on sampled pairs of clause and label"
PAIR_UNIT = "clause and label"
"""What a chat model is asked about in one request; the other strategies judge a clause for all labels at once."""
_LARGEST_COUNT = 100_000
_DEFAULT_PAIRS = 3


def compared_scenario(info: RunInfo, *, contracts: Path | None = None, resamples: int = RESAMPLES) -> ComparedScenario:
    """Return how the rows of a run of this scenario are read.

    Args:
        info: of the run; says on which contracts it was measured.
        contracts: the file that it was measured on; None for the project's own test clauses.
        resamples: of the bootstrap over contracts.

    Without the contracts there is no gold, so times, tokens and cost are all that can be said; ``notes`` says so.

    Raises:
        EvaluationError: ``contracts`` was given and cannot be read or used.
    """
    described = info.settings.get("contracts")
    of_run = described if isinstance(described, Mapping) else {}
    measured = load_measured_set(contracts, None, 0) if contracts is not None else _own_contracts()
    notes: tuple[str, ...] = ()
    by_title: dict[str, MeasuredContract] = {}
    if measured is None:
        notes = ("The project's own test clauses cannot be read, so the accuracy is not known. Restore data/clauses.",)
    elif of_run.get("sha256") != measured.sha256:
        notes = (
            f"This run was measured on {str(of_run.get('name', 'contracts that it does not name'))[:80]}, which is not "
            f"{measured.name}: the accuracy is not known. Name the file that it was measured on (--contracts).",
        )
    else:
        by_title = {contract_of(example).title: contract_of(example) for example in measured.examples}
    measure = _Measure(
        by_title=by_title,
        labels=_labels(info, measured.labels if measured else ()),
        pairs=_whole(info.settings.get("pairs_per_contract"), _DEFAULT_PAIRS),
        resamples=resamples,
    )
    count = len(measure.labels) or len(LABELS)
    return ComparedScenario(
        name=NAME,
        unit=f"clause, all {count} labels",
        measure=measure.rates,
        outcomes=measure.outcomes,
        requests_of=requests_of,
        part_of=lambda rows: (PAIR_UNIT, count) if any(map(_asked, rows)) else None,
        basis={"contracts": str(of_run.get("sha256", "")), "pairs": str(measure.pairs)},
        notes=notes,
        title=TITLE,
        techniques=TECHNIQUES,
    )


def own_contracts_by_title(info: RunInfo) -> dict[str, MeasuredContract]:
    """Return the project's own test contracts by title where a run was measured on them; empty where on others."""
    measured, described = _own_contracts(), info.settings.get("contracts")
    if measured is None or not isinstance(described, Mapping) or described.get("sha256") != measured.sha256:
        return {}
    return {contract_of(example).title: contract_of(example) for example in measured.examples}


def requests_of(row: RunRecord) -> int:
    """Return how many clauses a row judged; of a chat model, how many pairs it was asked about."""
    if row.prediction is None:
        return 0
    asked = _asked(row)
    return len(asked) if asked is not None else _whole(row.prediction.detail.get("clauses"), 0)


def _asked(row: RunRecord) -> list[object] | None:
    """Return the pairs that a chat model was asked about; None where a row judged whole clauses, or failed."""
    asked = row.prediction.detail.get("asked") if row.prediction is not None else None
    return asked if isinstance(asked, list) else None


class _Measure:
    """The gold beside what decides the sample of pairs."""

    def __init__(
        self, *, by_title: Mapping[str, MeasuredContract], labels: Sequence[str], pairs: int, resamples: int
    ) -> None:
        self.pairs, self.labels = pairs, labels
        self._by_title, self._resamples = by_title, resamples

    def rates(self, rows: Sequence[RunRecord]) -> Measured:
        """Return the rates of one strategy on the contracts that it has rows of."""
        found = self._found(rows)
        if not found:
            return Measured(None, ACCURACY_NAME, unreadable=unreadable_replies(rows))
        (figures,) = summarise_rows(
            found,
            [self._by_title[row.example_id] for row in found],
            self.labels,
            pairs_per_contract=self.pairs,
            seed=found[0].seed,
            resamples=self._resamples,
            always_sample=True,
        )
        sample = figures["sample"]
        of_sample = _estimates(sample, ("accuracy", "ap", "f1")) if isinstance(sample, Mapping) else {}
        rates = {f"sample_{name}": one for name, one in of_sample.items() if name != "accuracy"}
        return Measured(
            of_sample.get("accuracy"),
            ACCURACY_NAME,
            {**_estimates(figures, (*CLAUSE_RATES, *CUAD_RATES)), **rates},
            self._sample_words(found),
            unreadable_replies(rows),
        )

    def _sample_words(self, rows: Sequence[RunRecord]) -> str:
        """Return what the accuracy rests on; both, because pairs of one contract are not independent."""
        pairs = sum(len(sampled_pairs(self._by_title[row.example_id], self.pairs, row.seed)) for row in rows)
        return f"{_counted(len(rows), 'contract')}, {_counted(pairs, 'pair')}"

    def outcomes(self, rows: Sequence[RunRecord]) -> Mapping[str, Outcome]:
        """Return which sampled pairs were right; they cluster by contract, and the columns are the labels."""
        found = self._found(rows)
        if not found:
            return {}
        contracts = [self._by_title[row.example_id] for row in found]
        measured = MeasuredRows(found[0].strategy, found[0].model_id, found[0].adapter, tuple(found))
        pairs = [sampled_pairs(contract, self.pairs, found[0].seed) for contract in contracts]
        return {
            f"{contracts[one.contract].title}\n{one.clause}\n{one.label}": Outcome(
                one.flagged == one.gold, contracts[one.contract].title, LABELS[one.label]
            )
            for one in judged_pairs(measured, contracts, pairs)
        }

    def _found(self, rows: Sequence[RunRecord]) -> list[RunRecord]:
        return [_sane(row, self._by_title[row.example_id]) for row in rows if row.example_id in self._by_title]


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _sane(row: RunRecord, contract: MeasuredContract) -> RunRecord:
    """Return ``row``, or it as failed where what it keeps cannot be scores of this contract: edited by hand."""
    if row.prediction is None or row.error is not None or _fits(row.prediction.detail, len(contract.clauses)):
        return row
    return replace(row, error="what the row keeps are not scores of this contract")


def _fits(detail: Mapping[str, object], n_clauses: int) -> bool:
    try:
        if "asked" in detail:
            asked = detail["asked"]
            return isinstance(asked, list) and all(
                0 <= int(pair["clause"]) < n_clauses
                and 0 <= int(pair["label"]) < len(LABELS)
                and 0.0 <= float(pair["score"] or 0.0) <= 1.0
                for pair in asked
            )
        scores, thresholds = detail["scores"], detail["thresholds"]
        return (
            isinstance(scores, dict)
            and isinstance(thresholds, list)
            and len(thresholds) == len(LABELS)
            and all(float(limit) >= 0.0 for limit in thresholds)
            and _whole(detail["clauses"], 0) == n_clauses
            and all(
                0 <= int(row) < n_clauses and 0 <= int(column) < len(LABELS) and 0.0 <= float(score) <= 1.0
                for row, columns in scores.items()
                for column, score in columns.items()
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def _estimates(figures: Mapping[str, object], names: Sequence[str]) -> dict[str, Estimate]:
    intervals = figures["ci"]
    found = {}
    for name in names:
        value, interval = figures.get(name), intervals.get(name) if isinstance(intervals, Mapping) else None
        if isinstance(value, float) and isinstance(interval, list):
            found[name] = Estimate(value, float(interval[0]), float(interval[1]))
    return found


def _labels(info: RunInfo, present: Sequence[str]) -> list[str]:
    kept = info.settings.get("labels")
    named = [name for name in kept if name in LABELS] if isinstance(kept, list) else []
    return list(dict.fromkeys(named)) or list(present)


def _whole(value: object, default: int) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_COUNT
    return int(str(value)) if is_count else default


@lru_cache(maxsize=1)
def _own_contracts() -> MeasuredSet | None:
    try:
        return load_measured_set(None, None, 0)
    except EvaluationError:
        return None
