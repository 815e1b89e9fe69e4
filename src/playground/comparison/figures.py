"""What charts, tables and reports of the comparison are drawn from. Standard library only.

Rates are in [0, 1], times in seconds, costs in US dollars. ``None`` stands for what was not measured; it is never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from playground.comparison.techniques import UNKNOWN, Kind, Technique
from playground.measuring.estimates import Estimate

FEWEST_EXAMPLES = 30
"""Below this many examples a chart says in words that the sample is small."""


@dataclass(frozen=True, slots=True)
class Times:
    """One kind of time over all examples; ``values`` are the single measurements, in the order of the rows."""

    p50: Estimate
    p95: Estimate
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TechniqueFigures:
    """A technique on a model, summed up from its rows.

    Attributes:
        scenario: its name.
        strategy: the technique's name on the command line.
        title: its name for people ("RAG + few-shot").
        accuracy: the scenario's headline rate; ``accuracy_name`` says in words which.
        rates: further rates by name.
        first_token_s: None where nothing is generated; a first token that is scored and not written counts.
        tokens: mean tokens of each part of the prompt (system, examples, text, question, ...), and "output".
        input_tokens: mean per request, None where an endpoint reported none or no model was asked.
        token_cost_usd: mean price of a request's tokens; 0.0 on this machine, None where the price is not known.
        n: examples that the figures rest on; ``errors`` of them failed (and count as wrong).
        recorded: whether the rows came with the project or were measured here and now.
        unit: what one request is, in words, for axes and headings ("question"); times, tokens and cost are per request.
        requests: how many requests the times rest on; differs from ``n`` where an example is judged in several.
        run_id: of the run that the rows are from.
        parts: how many requests do what one request of the scenario's other techniques does: a chat model is asked for
            one label at a time, so as many as labels.
        whole_unit: what those together are, in words; "" where a request is the whole (see ``whole_units``).
        sample: what ``n`` counts and what is judged of it, in words ("12 contracts, 60 pairs"); "" where ``n`` is all.
        unreadable: answers that came and cannot be read as one of those that were asked for (and count as wrong); such
            a row has not failed, so they are not among ``errors``.
        technique: how it is drawn and what it changes, as its scenario says.
    """

    scenario: str
    strategy: str
    title: str
    model_id: str
    adapter: str | None
    accuracy: Estimate | None
    accuracy_name: str
    rates: Mapping[str, Estimate]
    first_token_s: Times | None
    total_s: Times | None
    tokens: Mapping[str, float]
    input_tokens: float | None
    output_tokens: float | None
    token_cost_usd: float | None
    n: int
    errors: int
    started_at: str
    machine: str
    commit: str
    recorded: bool = True
    unit: str = "question"
    requests: int = 0
    run_id: str = ""
    parts: int = 1
    whole_unit: str = ""
    sample: str = ""
    unreadable: int = 0
    technique: Technique = UNKNOWN

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """Scenario, strategy, model and adapter: what tells one technique from another."""
        return self.scenario, self.strategy, self.model_id, self.adapter

    @property
    def error_words(self) -> str:
        """How many examples failed, and how many answers cannot be read where some cannot."""
        unreadable = f", {self.unreadable:,} unreadable answer{'' if self.unreadable == 1 else 's'}"
        return f"{self.errors:,} errors" + (unreadable if self.unreadable else "")

    @property
    def is_small(self) -> bool:
        """Whether the sample is too small for more than a hint."""
        return self.n < FEWEST_EXAMPLES

    @property
    def sample_words(self) -> str:
        """What the figures rest on, for charts and tables, and whether that is little."""
        counted, _, judged = (self.sample or f"n = {self.n:,}").partition(", ")
        small = f" (fewer than {FEWEST_EXAMPLES})" if self.is_small else ""
        return f"{counted}{small}{f', {judged}' if judged else ''}"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Accuracy of one technique minus that of another on the same examples; ``p_value`` is two-sided."""

    first: str
    second: str
    n: int
    difference: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy after ``examples`` labelled examples, over seeds: mean, lowest and highest."""

    strategy: str
    examples: int
    accuracy: Estimate
    seeds: int
    duration_s: float | None = None
    technique: Technique = UNKNOWN

    @property
    def title(self) -> str:
        """The technique's name for people."""
        return self.technique.title or self.strategy


@dataclass(frozen=True, slots=True)
class StaleFigures:
    """A technique before and after the facts changed, and what it took to be right again.

    ``before``: accuracy on the old facts; ``stale``: on the changed facts right after the change; ``recovered``: after
    ``recovery`` ("indexing", "training"), which took ``recovery_s`` seconds.
    """

    strategy: str
    title: str
    before: Estimate
    stale: Estimate
    recovered: Estimate
    recovery: str
    recovery_s: float
    technique: Technique = UNKNOWN


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Accuracy of each technique (row) on each label or policy (column); None where nothing was measured."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    counts: tuple[tuple[int, ...], ...] = field(default=())


def most_accurate(figures: Iterable[TechniqueFigures], scenario: str, kind: Kind) -> TechniqueFigures | None:
    """Return the technique of a kind with the highest accuracy in a scenario; None where none was measured.

    Of the same accuracy, the faster one counts. Small samples only count where there is nothing else.
    """
    found = [one for one in figures if one.scenario == scenario and one.technique.kind == kind and one.accuracy]
    found = [one for one in found if not one.is_small] or found
    return max(found, key=lambda one: (one.accuracy.value if one.accuracy else 0.0, -median_s(one)), default=None)


def median_s(one: TechniqueFigures) -> float:
    """Return the median seconds of a request; infinite where it was not measured."""
    return one.total_s.p50.value if one.total_s else float("inf")


def tokens_of(one: TechniqueFigures) -> float:
    """Return the mean tokens of a request, prompt and answer; 0 where no language model was asked."""
    return (one.input_tokens or 0.0) + (one.output_tokens or 0.0)
