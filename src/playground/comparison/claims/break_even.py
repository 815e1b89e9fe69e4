"""From how many requests on fine-tuning is cheaper than prompting, under assumptions that each say where they are from.

Both ways cost something once (indexing; annotating and training), something per request (tokens; machine time) and
something whenever the facts change (indexing again; training again where they are in the weights). At a steady rate of
requests all three are linear in their number, so the crossing has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from playground.adapters import AdapterManifest
from playground.comparison.claims.stale_facts import FILE as STALE_FILE
from playground.comparison.claims.stale_facts import StaleFacts
from playground.comparison.figures import StaleFigures, TechniqueFigures
from playground.comparison.whole_units import per_whole_unit, unit_words
from playground.errors import EvaluationError
from playground.pricing import cost_usd, describe_cost, prices_date
from playground.types import Usage

Way = Literal["prompting", "fine-tuning"]

ASSUMED = "an assumption: change it to yours"
YOURS = "your own value"
LARGEST_VALUE = 1e12
MOST_REQUESTS = 1e12
"""A crossing beyond it is none: no one will get there."""
DAYS_PER_MONTH = 365.25 / 12

ANNOTATION_USD = 0.50
"""What a person takes for annotating an example, assumed."""

_GENERATED: Mapping[str, str] = {
    "reader": "generated from cards in this repository",
    "closed_book": "generated for this repository from the policy",
}
"""Where the examples of an adapter are from, by its task, where no person annotated them."""
_LONGEST_NAME = 80
_SECONDS_PER_HOUR = 3600.0
_HOSTED_MODEL, _HOSTED_URL = "gpt-4o-mini", "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number with its unit, and in words where it is from: measured here, a price list, or assumed."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the comparison of costs stands on. Values are finite and above 0, those of MAY_BE_ZERO at least 0.

    Prompting pays its tokens (0 per token on one's own machine) and the machine for ``prompting_machine_s`` (0 where
    it is hosted). A fine-tuned model runs on one's own machine and pays that alone. After a change of the facts
    prompting indexes again; fine-tuning takes ``retraining_s``, which is indexing as well where the facts are not in
    its weights. Annotating again is not counted.

    Raises:
        EvaluationError: a value cannot be; the message names it.
    """

    input_price_usd: Assumption
    output_price_usd: Assumption
    prompting_input_tokens: Assumption
    prompting_output_tokens: Assumption
    prompting_machine_s: Assumption
    tuned_machine_s: Assumption
    machine_usd_per_hour: Assumption
    training_s: Assumption
    labelled_examples: Assumption
    annotation_usd_per_example: Assumption
    requests_per_day: Assumption
    fact_changes_per_month: Assumption
    indexing_s: Assumption
    retraining_s: Assumption

    def __post_init__(self) -> None:
        for name in (one.name for one in fields(self)):
            _check(name, getattr(self, name).value)


TITLES: Mapping[str, str] = {
    "input_price_usd": "Price of a million input tokens",
    "output_price_usd": "Price of a million output tokens",
    "prompting_input_tokens": "Prompting: input tokens per request",
    "prompting_output_tokens": "Prompting: output tokens per request",
    "prompting_machine_s": "Prompting: time on one's own machine per request",
    "tuned_machine_s": "Fine-tuned: time on one's own machine per request",
    "machine_usd_per_hour": "Price of the machine",
    "training_s": "Training time",
    "labelled_examples": "Labelled examples",
    "annotation_usd_per_example": "Cost of annotating an example",
    "requests_per_day": "Requests per day",
    "fact_changes_per_month": "Changes of the facts per month",
    "indexing_s": "Indexing time after a change",
    "retraining_s": "Fine-tuned: time to catch up after a change",
}
"""Names for people, by field."""

MAY_BE_ZERO = frozenset(
    {
        *("input_price_usd", "output_price_usd", "prompting_input_tokens", "prompting_output_tokens"),
        *("prompting_machine_s", "annotation_usd_per_example", "fact_changes_per_month", "indexing_s"),
    }
)
"""Where zero is a fact and not a slip: tokens of one's own model cost nothing, a hosted one takes no time of one's own
machine, a scored label has no output tokens, annotations may exist already, facts may never change."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the two costs cross.

    ``requests`` is exact and so not whole; None where they never cross. ``days`` are until then, at the assumed number
    of requests per day. ``at_first`` and ``later`` are what is cheaper before and after (the same where they never
    cross; None where both always cost the same). ``sentence`` says it in words.
    """

    requests: float | None
    days: float | None
    at_first: Way | None
    later: Way | None
    sentence: str


def upfront_usd(assumptions: Assumptions, way: Way) -> float:
    """Return what a way costs before the first request: indexing, or annotating and training."""
    if way == "prompting":
        return _machine_usd(assumptions, assumptions.indexing_s)
    annotating = assumptions.labelled_examples.value * assumptions.annotation_usd_per_example.value
    return annotating + _machine_usd(assumptions, assumptions.training_s)


def request_usd(assumptions: Assumptions, way: Way) -> float:
    """Return what a request costs, its share of keeping up with the facts included."""
    change_s = assumptions.indexing_s if way == "prompting" else assumptions.retraining_s
    changes_per_request = assumptions.fact_changes_per_month.value / DAYS_PER_MONTH / assumptions.requests_per_day.value
    keeping_up = changes_per_request * _machine_usd(assumptions, change_s)
    if way == "fine-tuning":
        return _machine_usd(assumptions, assumptions.tuned_machine_s) + keeping_up
    tokens = (
        assumptions.prompting_input_tokens.value * assumptions.input_price_usd.value
        + assumptions.prompting_output_tokens.value * assumptions.output_price_usd.value
    )
    return tokens / 1e6 + _machine_usd(assumptions, assumptions.prompting_machine_s) + keeping_up


def cumulative_cost_usd(assumptions: Assumptions, way: Way, requests: float) -> float:
    """Return what a way has cost after ``requests`` requests, from zero on.

    Raises:
        EvaluationError: ``requests`` is negative or no number.
    """
    if not math.isfinite(requests) or requests < 0:
        raise EvaluationError(f"{requests} requests cannot be. Give a number from 0 on.")
    return upfront_usd(assumptions, way) + requests * request_usd(assumptions, way)


def break_even(assumptions: Assumptions, *, unit: str = "") -> BreakEven:
    """Return where the costs of prompting and fine-tuning cross; ``unit`` is what one request is, for the sentence.

    With U the cost up front and r that of a request: U_tuned + n r_tuned = U_prompting + n r_prompting, so
    n = (U_tuned - U_prompting) / (r_prompting - r_tuned).
    """
    more_upfront = upfront_usd(assumptions, "fine-tuning") - upfront_usd(assumptions, "prompting")
    prompting, tuned = request_usd(assumptions, "prompting"), request_usd(assumptions, "fine-tuning")
    saved = prompting - tuned
    per_request = (
        f"a request{f' ({unit})' if unit else ''} costs {describe_cost(prompting)} with prompting and "
        f"{describe_cost(tuned)} fine-tuned"
    )
    at_first: Way | None = "prompting" if more_upfront > 0 else "fine-tuning" if more_upfront < 0 else None
    later: Way | None = "fine-tuning" if saved > 0 else "prompting" if saved < 0 else at_first
    at_first = at_first or later
    crossing = more_upfront / saved if saved else math.inf
    if at_first != later and 0 < crossing <= MOST_REQUESTS:
        days = crossing / assumptions.requests_per_day.value
        sentence = (
            f"{_capital(later)} is cheaper from {math.ceil(crossing):,} requests on, which is {_duration(days)} at "
            f"{assumptions.requests_per_day.value:,.6g} a day; before that {at_first} is. After that {per_request}."
        )
        return BreakEven(crossing, days, at_first, later, sentence)
    if at_first is None:
        return BreakEven(None, None, None, None, f"Both cost the same, however many requests: {per_request}.")
    if at_first != later:
        sentence = f"{_capital(at_first)} stays cheaper for more requests than anyone will make: {per_request}."
    elif at_first == "prompting":
        sentence = (
            f"Fine-tuning never pays under these assumptions: it costs {describe_cost(more_upfront)} more before the "
            f"first request and saves nothing on each: {per_request}."
        )
    else:
        sentence = f"Fine-tuning is cheaper from the first request on: {per_request}."
    return BreakEven(None, None, at_first, at_first, sentence)


def with_values(assumptions: Assumptions, values: Mapping[str, float]) -> Assumptions:
    """Return ``assumptions`` with some values replaced, whose source then is "your own value"; equal ones stay.

    Raises:
        EvaluationError: there is no such assumption, or the value cannot be.
    """
    changed: dict[str, Assumption] = {}
    for name, value in values.items():
        if name not in TITLES:
            raise EvaluationError(f"There is no assumption {name[:60]!r}. Use one of: {', '.join(TITLES)}.")
        old: Assumption = getattr(assumptions, name)
        if value != old.value:
            _check(name, value)
            changed[name] = replace(old, value=float(value), source=YOURS)
    return replace(assumptions, **changed)


def default_assumptions(
    prompting: TechniqueFigures | None = None,
    tuned: TechniqueFigures | None = None,
    *,
    adapter: AdapterManifest | None = None,
    stale: StaleFacts | None = None,
    indexing_s: float | None = None,
    hosted: bool = True,
) -> Assumptions:
    """Return assumptions with everything that was measured in its place, and ordinary values for the rest.

    Args:
        prompting: figures of the prompted technique: its tokens and, where it is not hosted, its time. Both techniques
            are those of the same work: a request is a clause judged for all labels.
        tuned: figures of the fine-tuned technique: its time.
        adapter: that the fine-tuned technique uses: its training, its examples and whether anybody annotated them.
        stale: what bringing each technique up to date took when the facts changed.
        indexing_s: as measured; None for what ``stale`` has of the prompted technique.
        hosted: whether prompting uses a hosted model, at the price of a small one, or the one measured here.
    """
    prompting = per_whole_unit(prompting) if prompting else None
    tuned = per_whole_unit(tuned) if tuned else None
    measured_s = prompting.total_s.p50.value if prompting and prompting.total_s else None
    tuned_s = tuned.total_s.p50.value if tuned and tuned.total_s else None
    training_s = adapter.duration_s if adapter else None
    trained = _measured("training_s", training_s, 600.0, "s", "the training time that the adapter's card records")
    examples = train_examples(adapter) if adapter else None
    changed = stale.of(tuned.strategy) if stale and tuned else None
    reindexed = stale.of(prompting.strategy) if stale and prompting and indexing_s is None else None
    free = "tokens of a model on one's own machine have no price"
    return Assumptions(
        input_price_usd=_price(Usage(1_000_000, 0), 0.15) if hosted else Assumption(0.0, "USD", free),
        output_price_usd=_price(Usage(0, 1_000_000), 0.60) if hosted else Assumption(0.0, "USD", free),
        prompting_input_tokens=_measured(
            *("prompting_input_tokens", prompting.input_tokens if prompting else None, 500.0, "tokens"),
            _source(prompting, "mean"),
        ),
        prompting_output_tokens=_measured(
            *("prompting_output_tokens", prompting.output_tokens if prompting else None, 50.0, "tokens"),
            _source(prompting, "mean"),
        ),
        prompting_machine_s=Assumption(0.0, "s", "a hosted model takes no time of one's own machine")
        if hosted
        else _measured("prompting_machine_s", measured_s, 1.0, "s", _source(prompting, "median")),
        tuned_machine_s=_measured("tuned_machine_s", tuned_s, 0.5, "s", _source(tuned, "median")),
        machine_usd_per_hour=Assumption(0.10, "USD per hour", f"{ASSUMED} (a rented machine with two cores)"),
        training_s=trained,
        labelled_examples=_measured(
            "labelled_examples", examples, 1_000.0, "examples", "what the adapter was trained on"
        ),
        annotation_usd_per_example=_annotation(adapter),
        requests_per_day=Assumption(500.0, "requests", ASSUMED),
        fact_changes_per_month=Assumption(1.0, "changes", ASSUMED),
        indexing_s=_recovery(stale, reindexed)
        or _measured("indexing_s", indexing_s, 1.0, "s", "indexing, measured here"),
        retraining_s=_recovery(stale, changed)
        or replace(trained, source=f"the same as the training time ({trained.source})"),
    )


def train_examples(adapter: AdapterManifest) -> int:
    """Return how many examples an adapter was trained on: not those that it was only tested with."""
    count = adapter.data.get("train_examples", adapter.data.get("examples"))
    return count if isinstance(count, int) else 0


def generated_from(adapter: AdapterManifest) -> str:
    """Return where examples are from that no person annotated, in words; "" where people did."""
    return _GENERATED.get(adapter.task, "")


def _annotation(adapter: AdapterManifest | None) -> Assumption:
    if adapter is not None and (source := generated_from(adapter)):
        data = str(adapter.data.get("name", ""))[:_LONGEST_NAME]
        return Assumption(0.0, "USD", f"{source}, nobody annotated: change it to yours. Data: {data}")
    source = f"{ASSUMED} (a minute of a person at {60 * ANNOTATION_USD:g} USD per hour)"
    return Assumption(ANNOTATION_USD, "USD", source)


def _recovery(stale: StaleFacts | None, figures: StaleFigures | None) -> Assumption | None:
    """Return what catching up with a change took; None where it was not measured."""
    if stale is None or figures is None or figures.recovery_s <= 0:
        return None
    when = stale.provenance.measured_at[:10]
    source = f"{figures.recovery} of {figures.title} after a change, measured on {when} (data/runs/{STALE_FILE})"
    return Assumption(figures.recovery_s, "s", source)


def _machine_usd(assumptions: Assumptions, seconds: Assumption) -> float:
    return seconds.value / _SECONDS_PER_HOUR * assumptions.machine_usd_per_hour.value


def _check(name: str, value: object) -> None:
    """Refuse a value that no assumption of this name can have."""
    title, least = TITLES[name], "0 or more" if name in MAY_BE_ZERO else "more than 0"
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise EvaluationError(f"{title}: {str(value)[:40]} is not a number. Give {least}.")
    if value < 0 or (value == 0 and name not in MAY_BE_ZERO):
        raise EvaluationError(f"{title}: {value:g} cannot be. Give {least}.")
    if value > LARGEST_VALUE:
        raise EvaluationError(f"{title}: {value:g} is too large. Give at most {LARGEST_VALUE:g}.")


def _measured(name: str, value: float | None, otherwise: float, unit: str, source: str) -> Assumption:
    # A zero where zero cannot be says that nothing was measured; elsewhere it is a measurement.
    if value is None or (value == 0 and name not in MAY_BE_ZERO):
        return Assumption(otherwise, unit, ASSUMED)
    return Assumption(float(value), unit, source)


def _source(figures: TechniqueFigures | None, statistic: str) -> str:
    if figures is None:
        return ASSUMED
    what = f"{statistic} of {figures.title} per {unit_words(figures)}"
    return f"{what}, measured on {figures.started_at[:10]} with {figures.sample_words}"


def _price(million: Usage, otherwise: float) -> Assumption:
    listed = cost_usd(million, _HOSTED_MODEL, provider_base_url=_HOSTED_URL)
    if listed is None:
        return Assumption(otherwise, "USD", f"{ASSUMED} (a small hosted model)")
    return Assumption(listed, "USD", f"{_HOSTED_MODEL} in the price list of {prices_date()}: change it to yours")


def _capital(way: Way | None) -> str:
    return str(way).capitalize()


def _duration(days: float) -> str:
    if days < 1:
        return "less than a day"
    if days < 730:
        return f"{days:,.0f} day{'' if round(days) == 1 else 's'}"
    return f"{days / 365.25:,.0f} years"
