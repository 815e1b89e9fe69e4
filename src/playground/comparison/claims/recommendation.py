"""Which technique to use, from what the user needs and what was measured. No sentence here is fixed.

The rules, in this order:

1. Privacy: with private data, only techniques that ran on this machine stay.
2. Latency: the 95th percentile of a request must be within the limit.
3. Volume: one machine must manage a day's requests in a day, at the median time of a request.
4. Examples, at hand and to be made: LoRA needs as many as it takes to beat prompting on the learning curve, and is then
   expected to be as accurate as the curve says for so many, where that is less than measured. What else learns from
   labelled clauses was measured with all of them only, so with fewer its accuracy is not known. An adapter that ships
   ready for its categories needs none for these, and says that categories of one's own do.
5. Facts: where the facts change, a technique that has to be trained again stays only if it is expected to be right at
   least as often as one that is not: right as often as measured after a retraining, but stale while it trains.
6. Of those that stay, the most accurate is the measure: a technique counts as equally good where the accuracy of each
   lies within the interval of the other, and of those the cheapest at this volume is recommended. The price has the
   requests, keeping up with the facts and, spread over a year, annotating what is to be made and training on it.
7. Where even that one is expected to be right less than half of the time, it is named as the nearest and not
   recommended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.comparison.claims.article import examples_to_beat_prompting
from playground.comparison.claims.break_even import ANNOTATION_USD, ASSUMED, DAYS_PER_MONTH
from playground.comparison.claims.learning_curve import LearningCurve
from playground.comparison.claims.stale_facts import StaleFacts
from playground.comparison.costs import DEFAULT_MACHINE_USD_PER_HOUR
from playground.comparison.figures import CurvePoint, StaleFigures, TechniqueFigures, median_s, tokens_of
from playground.comparison.whole_units import per_whole_unit, unit_words
from playground.comparison.words import seconds
from playground.errors import EvaluationError
from playground.pricing import describe_cost

_DAY_S, _HOUR_S = 86_400.0, 3_600.0
_ON_CURVE = "lora"
"""The one technique that the learning curve trains."""
LARGEST = 1e9
MONTHS_OF_USE = 12
"""Over which annotating and training, paid once, are spread."""
NO_MODEL = "none"
"""Stands for the model in the rows of a technique that asks none."""
USABLE = 0.5
"""Expected accuracy below which nothing is recommended."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the user says. ``labels_to_make``: labelled examples that are still to be annotated.

    Raises:
        EvaluationError: a number cannot be; the message names it.
    """

    scenario: str
    requests_per_day: float = 500.0
    private: bool = False
    fact_changes_per_month: float = 1.0
    labelled_examples: int = 0
    latency_s: float = 5.0
    labels_to_make: int = 0

    @property
    def labels(self) -> int:
        """Labelled examples at hand and to be made."""
        return self.labelled_examples + self.labels_to_make

    def __post_init__(self) -> None:
        for name, value, zero in (
            ("Requests per day", self.requests_per_day, False),
            ("Changes of the facts per month", self.fact_changes_per_month, True),
            ("Labelled examples", float(self.labelled_examples), True),
            ("Labels to be made", float(self.labels_to_make), True),
            ("Longest wait, in seconds", self.latency_s, False),
        ):
            if not math.isfinite(value) or value < 0 or value > LARGEST or (value == 0 and not zero):
                raise EvaluationError(f"{name}: {value:g} cannot be. Give {'0 or more' if zero else 'more than 0'}.")


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with its measurement; ``section`` of the comparison page shows it."""

    text: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A technique that does not fit the needs, and the first reason why."""

    figures: TechniqueFigures
    reason: Reason


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to use; ``chosen`` is None where nothing fits or nothing was measured, and ``sentence`` says so.

    ``expected_accuracy`` of ``chosen`` under the needs, in [0, 1]; ``usd_per_month`` of its requests, of keeping up
    with the facts and of annotating and training, None where a price is not known.
    """

    sentence: str
    chosen: TechniqueFigures | None = None
    expected_accuracy: float | None = None
    usd_per_month: float | None = None
    reasons: tuple[Reason, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    figures: TechniqueFigures
    accuracy: float
    usd_per_month: float
    note: str = ""
    learning: str = ""

    def holds(self, accuracy: float) -> bool:
        """Whether an accuracy lies within its interval, which moves with what is expected of it."""
        own = self.figures.accuracy
        return own is not None and (
            self.accuracy - (own.value - own.low) <= accuracy <= self.accuracy + (own.high - own.value)
        )


def recommend(
    needs: Needs,
    figures: Sequence[TechniqueFigures],
    *,
    curve: LearningCurve | None = None,
    stale: StaleFacts | None = None,
    ready: Mapping[str, str] | None = None,
    elsewhere: Mapping[tuple[str, str, str | None], str] | None = None,
    machine_usd_per_hour: float = DEFAULT_MACHINE_USD_PER_HOUR,
) -> Recommendation:
    """Return what to use, with reasons that cite the measurements and what was left out, with why.

    Of a technique that was measured more than once the largest sample counts. A request is the same work for all: in
    Scenario B a clause judged for all labels, also where a model is asked for one label at a time. ``ready``: adapters
    that need no labels of the user's, by identity, with what they are ready for, in words. ``elsewhere``: what a
    technique did on examples by which nothing was chosen, in words, by technique, model and adapter. Where there are
    any, the sentence promises nothing else.
    """
    ready = ready or {}
    measured = _largest_samples(figures, needs.scenario)
    if not measured:
        return Recommendation(
            "No technique of this scenario was measured yet. Measure one on this page, or run: python -m playground "
            f"evaluate {needs.scenario} --out runs/first"
        )
    left_out: list[LeftOut] = []
    fitting: list[_Candidate] = []
    for one in measured:
        reason = _unfit(needs, one, curve, ready)
        if reason is not None:
            left_out.append(LeftOut(one, reason))
            continue
        fitting.append(_candidate(needs, one, curve, stale, ready=ready, usd_per_hour=machine_usd_per_hour))
    fitting, outdated = _kept_up(needs, fitting, stale)
    left_out += outdated
    if not fitting:
        return Recommendation(_nothing_fits(left_out), left_out=tuple(left_out))
    best = max(fitting, key=lambda one: one.accuracy)
    equal = [one for one in fitting if best.holds(one.accuracy) and one.holds(best.accuracy)] or [best]
    chosen = min(equal, key=lambda one: (one.usd_per_month, -one.accuracy))
    return Recommendation(
        sentence=(
            f"{_lead(chosen)} {_named(chosen.figures)}: {_expected(chosen, elsewhere)}, at {_usd(chosen)} a "
            f"month for {needs.requests_per_day:,.6g} requests a day (one: {unit_words(chosen.figures)})."
        ),
        chosen=chosen.figures,
        expected_accuracy=chosen.accuracy,
        usd_per_month=chosen.usd_per_month if math.isfinite(chosen.usd_per_month) else None,
        reasons=(
            *_reasons(needs, chosen, best, equal, stale=stale, machine_usd_per_hour=machine_usd_per_hour),
            *_ready(fitting, chosen, ready),
        ),
        left_out=tuple(left_out),
    )


def runs_here(one: TechniqueFigures) -> bool:
    """Whether a technique ran on the machine itself: its tokens had no price, or there were none."""
    return one.token_cost_usd == 0.0


def _largest_samples(figures: Sequence[TechniqueFigures], scenario: str) -> list[TechniqueFigures]:
    best: dict[tuple[str, str, str | None], TechniqueFigures] = {}
    for one in figures:
        key = (one.strategy, one.model_id, one.adapter)
        if one.scenario == scenario and one.accuracy and (key not in best or one.n > best[key].n):
            best[key] = one
    return [per_whole_unit(one) for one in best.values()]


def _learns(one: TechniqueFigures, ready: Mapping[str, str]) -> bool:
    """Whether a technique needs labelled clauses of the user's."""
    return one.technique.learns_from_labels and one.adapter not in ready


def _unfit(needs: Needs, one: TechniqueFigures, curve: LearningCurve | None, ready: Mapping[str, str]) -> Reason | None:
    """Return the first of the rules 1 to 4 that a technique fails."""
    if needs.private and not runs_here(one):
        return Reason(f"{one.title} sends each request to {one.model_id}, and the data must not leave the machine.")
    if one.total_s is None:
        return Reason(f"The time of {one.title} was not measured.", "Time and tokens")
    if one.total_s.p95.value > needs.latency_s:
        return Reason(
            f"{one.title} takes up to {seconds(one.total_s.p95.value)} per {unit_words(one)} (95th percentile, "
            f"{_measured(one)}); {needs.latency_s:g} s are wanted.",
            "Time and tokens",
        )
    if runs_here(one) and median_s(one) * needs.requests_per_day > _DAY_S:
        return Reason(
            f"{one.title} takes {seconds(median_s(one))} per {unit_words(one)} ({_measured(one)}): one machine manages "
            f"{_DAY_S / median_s(one):,.0f} a day.",
            "Time and tokens",
        )
    return _too_few_examples(needs, one, curve) if _learns(one, ready) else None


def _too_few_examples(needs: Needs, one: TechniqueFigures, curve: LearningCurve | None) -> Reason | None:
    if needs.labels == 0:
        return Reason(f"{one.title} learns from labelled examples, and there are none.", "Learning and change")
    if one.strategy == "few-shot-nearest" or curve is None:
        return None
    if one.strategy != _ON_CURVE:
        return _fewer_than_measured(needs, one, curve)
    needed = examples_to_beat_prompting(curve)
    if needed is None or needs.labels < needed:
        begins = f"from {needed:,} on" if needed is not None else "with no number that was tried"
        return Reason(
            f"{one.title} has {needs.labels:,} labelled examples to learn from; training beats prompting by more than "
            f"chance {begins} ({curve.provenance.stamp}).",
            "Learning and change",
        )
    return None


def _fewer_than_measured(needs: Needs, one: TechniqueFigures, curve: LearningCurve) -> Reason | None:
    """Return why a technique that the curve does not have is left out: it was measured with all examples alone."""
    everything = max((point.examples for point in curve.points), default=0)
    if needs.labels >= everything:
        return None
    return Reason(
        f"{one.title} was measured with all {everything:,} labelled examples only: how right it is with "
        f"{needs.labels:,} is not known.",
        "Learning and change",
    )


def _curve_point(needs: Needs, one: TechniqueFigures, curve: LearningCurve | None) -> CurvePoint | None:
    """Return the point of the learning curve that a technique reaches with these labels; None for one not on it."""
    name = {_ON_CURVE: _ON_CURVE, "few-shot-nearest": "few-shot"}.get(one.strategy)
    if curve is None or name is None:
        return None
    reached = [point for point in curve.points if point.strategy == name and point.examples <= needs.labels]
    return max(reached, key=lambda point: point.examples, default=None)


def _candidate(
    needs: Needs,
    one: TechniqueFigures,
    curve: LearningCurve | None,
    stale: StaleFacts | None,
    *,
    ready: Mapping[str, str],
    usd_per_hour: float,
) -> _Candidate:
    accuracy, note = one.accuracy.value if one.accuracy else 0.0, ""
    learns = _learns(one, ready)
    point = _curve_point(needs, one, curve) if learns else None
    if point is not None and point.accuracy.value < accuracy:
        accuracy = point.accuracy.value
        note = f"With {point.examples:,} labelled examples the learning curve gives {accuracy:.0%}."
    machine_s = median_s(one) if runs_here(one) else 0.0
    per_request = (one.token_cost_usd or 0.0) + machine_s * usd_per_hour / _HOUR_S
    known = one.token_cost_usd is not None
    monthly = per_request * needs.requests_per_day * DAYS_PER_MONTH if known else math.inf
    change = stale.of(one.strategy) if stale else None
    if change is not None:
        monthly += needs.fact_changes_per_month * change.recovery_s * usd_per_hour / _HOUR_S
    once, learning = _learning_usd(needs, point, usd_per_hour) if learns else (0.0, "")
    return _Candidate(one, accuracy, monthly + once / MONTHS_OF_USE, note, learning)


def _learning_usd(needs: Needs, point: CurvePoint | None, usd_per_hour: float) -> tuple[float, str]:
    """Return what annotating the labels to be made and training on them costs once, and that in words."""
    annotating = needs.labels_to_make * ANNOTATION_USD
    training = (point.duration_s or 0.0) * usd_per_hour / _HOUR_S if point else 0.0
    parts = []
    if annotating:
        parts.append(
            f"annotating {needs.labels_to_make:,} clauses {describe_cost(annotating)} ({describe_cost(ANNOTATION_USD)} "
            "each, an assumption)"
        )
    if training:
        parts.append(f"training {describe_cost(training)}")
    if not parts:
        return 0.0, ""
    words = f"In its price are, spread over {MONTHS_OF_USE} months: {' and '.join(parts)}."
    return annotating + training, words


def _kept_up(
    needs: Needs, fitting: Sequence[_Candidate], stale: StaleFacts | None
) -> tuple[list[_Candidate], list[LeftOut]]:
    """Apply rule 5: leave out what is trained again on every change and still less often right than what is not."""
    changes = {one.figures.strategy: stale.of(one.figures.strategy) if stale else None for one in fitting}
    rivals = [change for change in changes.values() if change is not None and change.recovery != "training"]
    rival = max(rivals, key=lambda change: _over_a_month(needs, change), default=None)
    if needs.fact_changes_per_month == 0 or rival is None:
        return list(fitting), []
    kept, left_out = [], []
    for one in fitting:
        change = changes[one.figures.strategy]
        if (
            change is None
            or change.recovery != "training"
            or _over_a_month(needs, change) >= _over_a_month(needs, rival)
        ):
            kept.append(one)
            continue
        text = (
            f"{change.title} has to be trained again on every change, {change.recovery_s:,.0f} s each, and is then "
            f"right {change.recovered.value:.0%} of the time; {rival.title} takes {seconds(rival.recovery_s)} and is "
            f"right {rival.recovered.value:.0%}."
        )
        left_out.append(LeftOut(one.figures, Reason(text, "Learning and change")))
    return kept, left_out


def _over_a_month(needs: Needs, change: StaleFigures) -> float:
    """Return how often answers about changed facts are right: stale while it recovers, recovered for the rest."""
    down = min(1.0, needs.fact_changes_per_month * change.recovery_s / (DAYS_PER_MONTH * _DAY_S))
    return down * change.stale.value + (1 - down) * change.recovered.value


def _reasons(
    needs: Needs,
    chosen: _Candidate,
    best: _Candidate,
    equal: Sequence[_Candidate],
    *,
    stale: StaleFacts | None,
    machine_usd_per_hour: float,
) -> list[Reason]:
    one = chosen.figures
    accuracy = one.accuracy
    reasons = []
    if accuracy is not None:
        interval = f"{accuracy.value:.0%} [{accuracy.low:.0%}, {accuracy.high:.0%}]"
        reasons.append(Reason(f"{one.title} has {one.accuracy_name} {interval} ({_measured(one)}).", "Overview"))
    if chosen.note:
        reasons.append(Reason(chosen.note, "Learning and change"))
    if chosen.learning:
        reasons.append(Reason(chosen.learning, "Break-even"))
    if chosen is not best:
        reasons.append(
            Reason(
                f"{best.figures.title} is expected to be right {best.accuracy:.0%} of the time, which this sample does "
                f"not tell apart, and costs {_usd(best)} a month.",
                "Overview",
            )
        )
    elif others := [other for other in equal if other is not chosen]:
        cheapest = min(others, key=lambda other: other.usd_per_month)
        reasons.append(
            Reason(
                f"Of {len(equal)} techniques that the sample does not tell apart it is the cheapest; next is "
                f"{cheapest.figures.title} at {_usd(cheapest)} a month.",
                "Overview",
            )
        )
    if one.total_s is not None:
        reasons.append(
            Reason(
                f"It takes {seconds(one.total_s.p50.value)} per {unit_words(one)}, 95 % within "
                f"{seconds(one.total_s.p95.value)}; "
                f"{needs.latency_s:g} s are wanted.",
                "Time and tokens",
            )
        )
    where = (
        f"It runs on one's own machine, priced at {machine_usd_per_hour:g} USD per hour ({ASSUMED})"
        if runs_here(one)
        else f"Its tokens have a price ({tokens_of(one):,.0f} per {unit_words(one)})"
    )
    reasons.append(Reason(f"{where}.", "Break-even"))
    change = stale.of(one.strategy) if stale else None
    if change is not None and stale is not None and needs.fact_changes_per_month > 0:
        reasons.append(
            Reason(
                f"When the facts change, {change.recovery} takes {seconds(change.recovery_s)} and "
                f"{change.recovered.value:.0%} of the answers about changed facts are right again "
                f"({stale.provenance.stamp}).",
                "Learning and change",
            )
        )
    if one.is_small:
        reasons.append(
            Reason(f"Only {one.sample or f'{one.n} examples'} were measured: take it as a hint.", "Overview")
        )
    return reasons


def _ready(fitting: Sequence[_Candidate], chosen: _Candidate, ready: Mapping[str, str]) -> list[Reason]:
    """Return for each technique that ships ready what for, and what needs labels all the same; chosen or not."""
    reasons = []
    for one in fitting:
        if (known := ready.get(one.figures.adapter or "")) is None:
            continue
        who = "It" if one is chosen else one.figures.title
        others = (
            "" if one is chosen else f" Here it is right {one.accuracy:.0%} of the time ({_measured(one.figures)})."
        )
        text = (
            f"{who} ships ready for {known} and needs no labels for these; categories of your own need labelled "
            f"examples and a training.{others}"
        )
        reasons.append(Reason(text, "Overview"))
    return reasons


def _nothing_fits(left_out: Sequence[LeftOut]) -> str:
    first = left_out[0] if left_out else None
    closest = min(left_out, key=lambda one: median_s(one.figures), default=first)
    if closest is None:
        return "Nothing fits."
    return f"No technique that was measured fits all of this. The nearest: {closest.reason.text}"


def _lead(chosen: _Candidate) -> str:
    return "Use" if chosen.accuracy >= USABLE else "None is right half of the time, so none is ready. The nearest is"


def _expected(chosen: _Candidate, elsewhere: Mapping[tuple[str, str, str | None], str] | None) -> str:
    if not elsewhere:
        return f"{chosen.accuracy:.0%} right is expected"
    one = chosen.figures
    return elsewhere.get((one.strategy, one.model_id, one.adapter), "what it does on new examples was not measured")


def _named(one: TechniqueFigures) -> str:
    """Return a technique with its model, where it asks one."""
    return one.title if one.model_id == NO_MODEL else f"{one.title} on {one.model_id}"


def _usd(one: _Candidate) -> str:
    return describe_cost(one.usd_per_month if math.isfinite(one.usd_per_month) else None)


def _measured(one: TechniqueFigures) -> str:
    return f"{one.sample_words}, {one.started_at[:10]}"
