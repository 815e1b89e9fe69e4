"""Rows -> the figures of each technique. What counts as right is the scenario's own business and handed in."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from playground.comparison.figures import HeatMap, TechniqueFigures, Times
from playground.comparison.outcomes import Outcome, TechniqueRows
from playground.comparison.rows import RunRows
from playground.comparison.scenario import ComparedScenario
from playground.comparison.techniques import technique_named, title_of
from playground.measuring.estimates import Estimate
from playground.text.counting import counted
from playground.types import RunRecord

RESAMPLES = 10_000
BOOTSTRAP_SEED = 20260101
WHOLE_PROMPT = "prompt"
"""The one part of a prompt whose parts were not counted: rows of older versions, endpoints, prompts of clauses."""
OUTPUT = "output"
_MOST_PARTS, _LONGEST_PART = 12, 40


def technique_rows(
    records: Sequence[RunRecord], scenario: ComparedScenario
) -> tuple[tuple[TechniqueRows, ...], tuple[str, ...]]:
    """Group rows by strategy, model and adapter, in the order in which they first appear; also return notes.

    Of a technique with several seeds, the seed with the most rows counts (the lowest of them on a tie): the same
    example under two seeds is not two independent examples, and every interval would be too narrow.
    """
    groups: dict[tuple[str, str, str | None], list[RunRecord]] = {}
    unfit = 0
    for record in records:
        if any(name not in record.scores for name in scenario.required_scores):
            unfit += 1
        else:
            groups.setdefault((record.strategy, record.model_id, record.adapter), []).append(record)
    were = ("has", "was") if unfit == 1 else ("have", "were")
    said = f"{counted(unfit, 'row')} {were[0]} none of the scores of {scenario.name} and {were[1]} left out."
    notes = [said] if unfit else []
    found = []
    for key, rows in groups.items():
        seeds = Counter(row.seed for row in rows)
        seed = min(seeds, key=lambda one: (-seeds[one], one))
        if len(seeds) > 1:
            notes.append(f"{key[0]} on {key[1]} has rows of {len(seeds)} seeds; those of seed {seed} are shown.")
        found.append(TechniqueRows(*key, tuple(row for row in rows if row.seed == seed)))
    return tuple(found), tuple(notes)


def technique_figures(
    run: RunRows, scenario: ComparedScenario, *, recorded: bool = True
) -> tuple[TechniqueFigures, ...]:
    """Return the figures of each technique of a run, in the order in which the techniques first appear."""
    groups, _notes = technique_rows(run.records, scenario)
    return tuple(figures_of(group, scenario, run_id=run.info.run_id, recorded=recorded) for group in groups)


def figures_of(
    group: TechniqueRows, scenario: ComparedScenario, *, run_id: str = "", recorded: bool = True
) -> TechniqueFigures:
    """Return the figures of one technique."""
    rows = group.records
    measured = scenario.measure(rows)
    requests = [scenario.requests_of(row) for row in rows]
    tokens, input_tokens, output_tokens = _tokens(rows, requests)
    unit, parts = scenario.part_of(rows) or (scenario.unit, 1)
    return TechniqueFigures(
        scenario=scenario.name,
        strategy=group.strategy,
        title=title_of(group.strategy, scenario.techniques),
        model_id=group.model_id,
        adapter=group.adapter,
        accuracy=measured.accuracy,
        accuracy_name=measured.accuracy_name,
        rates=measured.rates,
        first_token_s=times_of(_seconds(rows, requests, "first_token_s")),
        total_s=times_of(_seconds(rows, requests, "total_s")),
        tokens=tokens,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        token_cost_usd=_cost_usd(rows, requests),
        n=len(rows),
        errors=sum(row.error is not None for row in rows),
        started_at=min(row.started_at for row in rows),
        machine=_all_of([row.machine for row in rows]),
        commit=_all_of([row.commit for row in rows]),
        recorded=recorded,
        unit=unit,
        requests=sum(requests),
        run_id=run_id,
        parts=parts,
        whole_unit=scenario.unit if parts > 1 else "",
        sample=measured.sample,
        unreadable=measured.unreadable,
        technique=technique_named(group.strategy, scenario.techniques),
    )


def heat_map(groups: Sequence[TechniqueRows], scenario: ComparedScenario) -> HeatMap:
    """Return the share of right outcomes of each technique (row) in each column: label or policy, by name."""
    titles = [title_of(group.strategy, scenario.techniques) for group in groups]
    return heat_map_of(titles, [scenario.outcomes(group.records) for group in groups])


def heat_map_of(titles: Sequence[str], outcomes_by_title: Sequence[Mapping[str, Outcome]]) -> HeatMap:
    """Return the share of right outcomes by row and column, from outcomes that were made already."""
    columns = sorted({one.column for outcomes in outcomes_by_title for one in outcomes.values() if one.column})
    values, counts = [], []
    for outcomes in outcomes_by_title:
        asked = Counter(one.column for one in outcomes.values())
        right = Counter(one.column for one in outcomes.values() if one.right)
        values.append(tuple(right[name] / asked[name] if asked[name] else None for name in columns))
        counts.append(tuple(asked[name] for name in columns))
    return HeatMap(tuple(titles), tuple(columns), tuple(values), tuple(counts))


def times_of(values: Sequence[float]) -> Times | None:
    """Return median and 95th percentile (interpolated linearly) with bootstrap intervals; None without values."""
    if not values:
        return None
    ordered = np.sort(np.asarray(values, dtype=float))
    return Times(percentile(ordered, 0.5), percentile(ordered, 0.95), tuple(float(value) for value in values))


def percentile(ordered: np.ndarray, share: float) -> Estimate:
    """Return a percentile of sorted values, float [n], n >= 1, with its 95 % percentile bootstrap interval.

    The bootstrap (Efron, 1979) draws n of the n values with replacement. Only two neighbouring order statistics of such
    a sample are needed, and those of n uniform draws are known: the k-th is Beta(k, n - k + 1), and the one after it
    follows from it (David and Nagaraja, 2003, "Order Statistics", section 2.5). Drawing them directly gives the same
    distribution at a cost that does not grow with n. Fixed seed.
    """
    n = len(ordered)
    value = float(np.quantile(ordered, share))
    place = (n - 1) * share
    lower = min(int(place), n - 1)
    weight = place - lower
    # zlib.crc32 and not hash(): the latter changes with every start of Python.
    generator = np.random.default_rng([BOOTSTRAP_SEED, zlib.crc32(f"{n} {share}".encode())])
    first = generator.beta(lower + 1, n - lower, RESAMPLES)
    drawn = ordered[np.minimum((first * n).astype(int), n - 1)]
    if weight > 0:
        second = first + (1 - first) * generator.beta(1, n - lower - 1, RESAMPLES)
        above = ordered[np.minimum((second * n).astype(int), n - 1)]
        drawn = drawn + weight * (above - drawn)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _seconds(rows: Sequence[RunRecord], requests: Sequence[int], name: str) -> list[float]:
    """Seconds per request; a row that failed has none."""
    return [
        row.prediction.timings[name] / count
        for row, count in zip(rows, requests, strict=True)
        if row.prediction is not None and count > 0 and name in row.prediction.timings
    ]


def _tokens(rows: Sequence[RunRecord], requests: Sequence[int]) -> tuple[dict[str, float], float | None, float | None]:
    """Return mean tokens of each part and of the output, of the input and of the output, per request."""
    parts: Counter[str] = Counter()
    given = answered = asked = 0
    for row, count in zip(rows, requests, strict=True):
        if row.prediction is None or row.prediction.usage is None or count == 0:
            continue
        usage = row.prediction.usage
        asked += count
        given += usage.input_tokens
        answered += usage.output_tokens
        parts.update(_parts(row.prediction.detail.get("parts")) or {WHOLE_PROMPT: usage.input_tokens})
    if not asked:
        return {}, None, None
    means = {name: total / asked for name, total in parts.items()}
    return {**means, OUTPUT: answered / asked}, given / asked, answered / asked


def _parts(kept: object) -> dict[str, int]:
    """Return the tokens of each part as a row keeps them; empty where it does not, or not as numbers."""
    if not isinstance(kept, Mapping) or len(kept) > _MOST_PARTS:
        return {}
    counts = {
        name: value
        for name, value in kept.items()
        if isinstance(name, str) and len(name) <= _LONGEST_PART and isinstance(value, int) and value >= 0
    }
    return counts if len(counts) == len(kept) else {}


def _cost_usd(rows: Sequence[RunRecord], requests: Sequence[int]) -> float | None:
    costs = [row.cost_usd for row, count in zip(rows, requests, strict=True) if count > 0]
    known = [cost for cost in costs if cost is not None]
    return sum(known) / sum(requests) if known and len(known) == len(costs) else None


def _all_of(names: Sequence[str], most: int = 3) -> str:
    """Return the different values of a run that was spread over machines or commits."""
    found = list(dict.fromkeys(names))
    return "; ".join(found[:most]) + (f"; and {len(found) - most} more" if len(found) > most else "")
