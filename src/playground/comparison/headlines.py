"""What a chart of the comparison says, in a sentence computed from its figures: it stands above the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.adapters import AdapterManifest
from playground.comparison.charts.frame import name_of
from playground.comparison.costs import CostBasis, per_1000_usd
from playground.comparison.figures import HeatMap, TechniqueFigures
from playground.comparison.whole_units import per_whole_unit, unit_words
from playground.comparison.words import seconds
from playground.pricing import describe_cost
from playground.text.label_titles import label_title

_ABOUT_EQUAL = 1.5
"""Times as fast or as cheap: below this, two techniques are called alike."""


def accuracy_headline(
    figures: Sequence[TechniqueFigures], elsewhere: Mapping[tuple[str, str, str | None], str] | None = None
) -> str:
    """Return which technique is right most often, and whether the next one is within its margin; "" without any.

    ``elsewhere``: what a technique did on examples by which nothing was chosen, in words, by technique, model and
    adapter. Where that is known of the best, it is promised and nothing else.
    """
    ranked = sorted(
        ((one.accuracy, one) for one in figures if one.accuracy is not None), key=lambda pair: -pair[0].value
    )
    if not ranked:
        return ""
    rate, best = ranked[0]
    if promised := (elsewhere or {}).get((best.strategy, best.model_id, best.adapter)):
        return f"{name_of(best)} is right most often here; {promised}."
    said = f"{name_of(best)} is right most often: {rate.value:.0%} {best.accuracy_name}."
    if len(ranked) == 1:
        return said
    next_rate, runner_up = ranked[1]
    margin = "within its margin of error" if next_rate.high >= rate.low else "clearly below"
    return f"{said} Next, {margin}: {name_of(runner_up)}, {next_rate.value:.0%}."


def cost_headline(figures: Sequence[TechniqueFigures], basis: CostBasis) -> str:
    """Return what the most accurate technique costs beside the cheapest; "" where no price is known."""
    priced = [(cost, one) for one in map(per_whole_unit, figures) if (cost := per_1000_usd(one, basis)) is not None]
    rated = [(cost, one) for cost, one in priced if one.accuracy is not None]
    if not rated:
        return ""
    cost, best = max(rated, key=lambda pair: pair[1].accuracy.value if pair[1].accuracy else 0.0)
    least, cheapest = min(rated, key=lambda pair: pair[0])
    said = f"{name_of(best)}, the most accurate, costs {describe_cost(cost)} per 1,000 requests"
    if cheapest is best:
        return f"{said}: no other is cheaper."
    accuracy = cheapest.accuracy.value if cheapest.accuracy else 0.0
    return f"{said}; the cheapest, {name_of(cheapest)}, {describe_cost(least)} with {accuracy:.0%} right."


def times_headline(figures: Sequence[TechniqueFigures]) -> str:
    """Return which technique is the fastest and which the slowest, for the same work; "" where nothing was timed."""
    timed = [(one.total_s.p50.value, one) for one in map(per_whole_unit, figures) if one.total_s is not None]
    if not timed:
        return ""
    fast, fastest = min(timed, key=lambda pair: pair[0])
    slow, slowest = max(timed, key=lambda pair: pair[0])
    said = f"{name_of(fastest)} is the fastest: {seconds(fast)} per {unit_words(fastest)}."
    if slow < _ABOUT_EQUAL * fast:
        return said
    return f"{said} {name_of(slowest)} takes {slow / max(fast, 1e-9):,.0f} times as long, {seconds(slow)}."


def tokens_headline(figures: Sequence[TechniqueFigures]) -> str:
    """Return which technique reads the most tokens a request and which the fewest; "" where no model was asked."""
    read = [(sum(one.tokens.values()), one) for one in figures if one.tokens]
    if not read:
        return ""
    most, longest = max(read, key=lambda pair: pair[0])
    fewest, shortest = min(read, key=lambda pair: pair[0])
    said = f"{name_of(longest)} pays for {most:,.0f} tokens a {longest.unit}"
    return f"{said}." if longest is shortest else f"{said}, {name_of(shortest)} for {fewest:,.0f}."


def heat_map_headline(heat_map: HeatMap) -> str:
    """Return the column on which the techniques do worst, by the mean of those that were asked; "" without any."""
    means = []
    for place, column in enumerate(heat_map.columns):
        values = [row[place] for row in heat_map.values if row[place] is not None]
        if values:
            means.append((sum(value for value in values if value is not None) / len(values), column))
    if len(means) < 2:
        return ""
    (low, hardest), (high, easiest) = min(means), max(means)
    hard, easy = label_title(hardest), label_title(easiest)
    return f"Hardest: {hard}, {low:.0%} right over all techniques. Easiest: {easy}, {high:.0%}."


def decided_by(
    figures: Sequence[TechniqueFigures], manifests: Mapping[str, AdapterManifest], in_use: str | None
) -> tuple[str, str]:
    """Return that the examples judged decide which adapter is ahead, and behind it what each learned from.

    Args:
        figures: techniques that are compared.
        manifests: of the adapters of this machine, by identity.
        in_use: the identity of the one that works when nobody chooses.

    Returns:
        A sentence, and its details; both "" where no technique has adapters that learned from different data.
    """
    trained: dict[str, dict[str, AdapterManifest]] = {}
    for one in figures:
        # A run may be of an adapter that was trained again since: what it learned from is told by its name.
        same_name = (found for found in manifests.values() if one.adapter and found.name == one.adapter.split("@")[0])
        manifest = manifests.get(one.adapter or "") or next(same_name, None)
        if one.adapter is not None and manifest is not None:
            trained.setdefault(one.strategy, {})[one.adapter] = manifest
    parts: list[str] = []
    for adapters in trained.values():
        if len({str(manifest.data["name"]) for manifest in adapters.values()}) > 1:
            for identity, manifest in adapters.items():
                own = " (in use)" if in_use and identity.split("@")[0] == in_use.split("@")[0] else ""
                measured_on = manifest.metrics.get("measured_on")
                at_home = f", measured there on {measured_on}" if isinstance(measured_on, str) else ""
                parts.append(f"{manifest.name}{own} learned from {manifest.data['name']}{at_home}")
    if not parts:
        return "", ""
    return (
        "Which contracts are judged decides who is ahead: an adapter does best on contracts like those that it learned "
        "from.",
        f"{'; '.join(parts)}.",
    )
