"""The article's comparison table, row by row: what it says, what was measured here, and whether that agrees.

Each verdict follows from a rule that stands beside it and is computed from recorded evidence alone. Where evidence is
missing there is no verdict, and the row says which command makes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from playground.adapters import AdapterManifest
from playground.comparison.claims.break_even import (
    Way,
    default_assumptions,
    generated_from,
    train_examples,
    upfront_usd,
)
from playground.comparison.claims.learning_curve import COMMAND as CURVE_COMMAND
from playground.comparison.claims.learning_curve import CurveRow, LearningCurve
from playground.comparison.claims.stale_facts import COMMAND as STALE_COMMAND
from playground.comparison.claims.stale_facts import StaleFacts
from playground.comparison.figures import (
    CurvePoint,
    StaleFigures,
    TechniqueFigures,
    median_s,
    most_accurate,
    tokens_of,
)
from playground.comparison.scenario import Scenario, scenario_showing
from playground.comparison.whole_units import per_whole_unit, unit_words
from playground.measuring.estimates import proportion
from playground.models.catalog import BUNDLES
from playground.pricing import describe_cost

Verdict = Literal["holds", "partly", "not here"]
NOT_MEASURED = "not measured yet"

EVALUATE_COMMAND = "python -m playground evaluate SCENARIO --out runs/NAME"
TRAIN_COMMAND = "python -m playground train clauses --data written --out my-flagger"

FEW, MANY = 64, 1000
"""Examples: the point of the curve nearest to the article's "~50", and its "1,000+"."""
SAME_ACCURACY = 0.02
"""Two points of accuracy: what a curve has to gain to count as rising."""
MUCH_DEARER = 10.0
_HASH_DIGITS = 12
_HOUR_S, _WEEK_S = 3600.0, 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a row's numbers can be looked at: a section of the comparison page, a file of the project, or both."""

    section: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """A row of the table.

    ``prompting`` and ``fine_tuning`` are the article's cells, ``summary`` is what was found here in one sentence,
    ``measured`` sentences with the numbers, hashes and machines behind it, ``verdict`` None where evidence is missing
    (then ``command`` makes it), ``rule`` how the verdict is decided.
    """

    id: str
    title: str
    prompting: str
    fine_tuning: str
    measured: tuple[str, ...]
    verdict: Verdict | None
    rule: str
    evidence: tuple[Evidence, ...]
    command: str = ""
    summary: str = ""

    @property
    def verdict_words(self) -> str:
        """The verdict, or that there is none yet."""
        return self.verdict or NOT_MEASURED


@dataclass(frozen=True, slots=True)
class ArticleEvidence:
    """Everything that was recorded.

    Attributes:
        scenarios: those that are part of the article say which.
        figures: of the techniques of all scenarios, recorded ones before fresh ones.
        adapters: manifests of the adapters that were trained.
        curve: None where it was not measured.
        stale: None where it was not measured.
        prompt_examples: worked examples that the few-shot prompt of the scenario with changing facts shows.
        prompt_settings: choices that a prompted bot has.
        ready: of the adapter that flags clauses out of the box, by identity: what it is ready for, in words.
    """

    figures: Sequence[TechniqueFigures] = ()
    adapters: Sequence[AdapterManifest] = ()
    curve: LearningCurve | None = None
    stale: StaleFacts | None = None
    prompt_examples: int = 0
    prompt_settings: Sequence[str] = field(default=())
    ready: Mapping[str, str] = field(default_factory=dict)
    scenarios: Sequence[Scenario] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule made of the evidence."""

    measured: tuple[str, ...]
    verdict: Verdict | None
    evidence: tuple[Evidence, ...] = ()
    command: str = ""
    summary: str = ""


def article_rows(evidence: ArticleEvidence) -> tuple[ArticleRow, ...]:
    """Return the seven rows, in the article's order."""
    rows = []
    for row_id, (title, prompting, fine_tuning, rule, decide) in _ROWS.items():
        found = decide(evidence)
        rows.append(
            ArticleRow(
                row_id,
                title,
                prompting,
                fine_tuning,
                found.measured,
                found.verdict,
                rule,
                found.evidence,
                found.command,
                found.summary or found.measured[0],
            )
        )
    return tuple(rows)


def base_unchanged(manifest: AdapterManifest) -> bool | None:
    """Return whether training left every byte of the base's weights as it was; None where that was not recorded."""
    flag = manifest.metrics.get("base_unchanged")
    if isinstance(flag, bool):
        return flag
    before, after = manifest.metrics.get("base_sha256_before"), manifest.metrics.get("base_sha256_after")
    return before == after if isinstance(before, str) and isinstance(after, str) else None


def few_shot_point(curve: LearningCurve | None) -> CurvePoint | None:
    """Return the best point of few-shot prompting at FEW examples or fewer."""
    points = [one for one in curve.points if one.strategy == "few-shot" and one.examples <= FEW] if curve else []
    return max(points, key=lambda one: one.accuracy.value, default=None)


def examples_to_beat_prompting(curve: LearningCurve | None) -> int | None:
    """Return the fewest labelled examples with which LoRA beats the best prompt of at most FEW examples.

    It does where even its worst seed is above the prompt's best seed by more than chance gives on so few pairs: the
    95 % interval of the difference lies above 0. From there on it has to stay so: one lucky point does not count. None
    where it never does.
    """
    prompt = few_shot_point(curve)
    if curve is None or prompt is None:
        return None
    prompts = [row for row in curve.rows if (row.strategy, row.examples) == (prompt.strategy, prompt.examples)]
    best = max(prompts, key=lambda row: row.accuracy)
    crossing = None
    for examples in sorted({row.examples for row in curve.rows if row.strategy == "lora"}, reverse=True):
        seeds = [row for row in curve.rows if (row.strategy, row.examples) == ("lora", examples)]
        if not _above(min(seeds, key=lambda row: row.accuracy), best):
            break
        crossing = examples
    return crossing


def _above(one: CurveRow, other: CurveRow) -> bool:
    """Whether the 95 % interval of the difference of two rates lies above 0.

    Newcombe, 1998 (Statistics in Medicine 17), method 10 for independent samples. Both judged the same pairs, and the
    curve does not keep which of them were right: rates that rise and fall together differ more surely than this says.
    """
    upper, lower = proportion(one.right, one.n), proportion(other.right, other.n)
    if upper is None or lower is None:
        return False
    return upper.value - lower.value > math.hypot(upper.value - upper.low, lower.high - lower.value)


def _alters_weights(evidence: ArticleEvidence) -> _Found:
    checked = [(one, base_unchanged(one)) for one in evidence.adapters]
    known = [(one, flag) for one, flag in checked if flag is not None]
    if not known:
        return _missing("No adapter records the hash of its base before and after the training.", TRAIN_COMMAND)
    lines = []
    for manifest, flag in known:
        base = next((bundle for bundle in BUNDLES if bundle.id == manifest.base_id), None)
        share = f", {manifest.size_bytes / base.main_file.size_bytes:.1%} of the base's file" if base else ""
        lines.append(
            f"{manifest.name}: base's weights {'unchanged' if flag else 'CHANGED'} by the training "
            f"({_hashes(manifest)}); the adapter beside them has {manifest.size_bytes / 1e6:.1f} MB{share} "
            f"({_date(manifest)})."
        )
    if unknown := [one.name for one, flag in checked if flag is None]:
        lines.append(
            f"Not recorded, so not known: the base's SHA-256 before and after the training of {', '.join(unknown)}."
        )
    prompted = [one for one in evidence.figures if one.technique.kind == "prompting"]
    if prompted:
        adapted = sum(one.adapter is not None for one in prompted)
        lines.append(f"{len(prompted) - adapted} of {len(prompted)} prompted techniques ran on the base alone.")
        if adapted:
            return _Found(tuple(lines), "not here", (Evidence("Overview", "data/adapters"),))
    verdict: Verdict = "partly" if all(flag for _one, flag in known) else "holds"
    summary = _weights_summary(known)
    return _Found(tuple(lines), verdict, (Evidence("Overview", "data/adapters"),), summary=summary)


def _weights_summary(known: Sequence[tuple[AdapterManifest, bool]]) -> str:
    """Return in how many trainings no weight of the base changed, and how large adapters are beside their bases."""
    kept, sizes = sum(flag for _one, flag in known), {bundle.id: bundle.main_file.size_bytes for bundle in BUNDLES}
    of_base = [one.size_bytes / sizes[one.base_id] for one, _flag in known if one.base_id in sizes]
    low, high = (f"{share:.0%}".rstrip("%") for share in (min(of_base, default=0), max(of_base, default=0)))
    span = f"{low} %" if low == high else f"{low} to {high} %"
    share = f"; each adapter has {span} of its base's size" if of_base else ""
    return f"No weight of the base changed in {kept} of {len(known)} trainings{share}."


def _hashes(manifest: AdapterManifest) -> str:
    """Return how the base's SHA-256 over its weights begins, before and after the training."""
    before, after = (manifest.metrics.get(f"base_sha256_{when}") for when in ("before", "after"))
    if not isinstance(before, str) or not isinstance(after, str):
        return "SHA-256 compared, not recorded"
    return f"SHA-256 {before[:_HASH_DIGITS]}… before, {after[:_HASH_DIGITS]}… after"


def _expertise(evidence: ArticleEvidence) -> _Found:
    if not evidence.adapters or not evidence.prompt_settings:
        return _missing("No adapter was trained yet.", TRAIN_COMMAND)
    choices = {one.name: len(one.hyper_parameters) for one in evidence.adapters}
    examples = {one.name: train_examples(one) for one in evidence.adapters}
    kinds = {one.name: "generated" if generated_from(one) else "labelled" for one in evidence.adapters}
    prompt_choices = len(evidence.prompt_settings)
    lines = (
        f"Prompting: one system prompt, {evidence.prompt_examples} worked examples at most, {prompt_choices} settings.",
        "Fine-tuning: "
        + "; ".join(
            f"{name}: {choices[name]} settings and {examples[name]:,} {kinds[name]} examples" for name in choices
        )
        + ". One command trains each; the settings have defaults.",
        "Skill itself was not measured: this counts what has to be decided and written.",
    )
    more = sum(choices[name] > prompt_choices for name in choices) + sum(
        examples[name] > MUCH_DEARER * max(1, evidence.prompt_examples) for name in choices
    )
    verdict: Verdict = "holds" if more == 2 * len(choices) else "partly" if more else "not here"
    prompts = scenario_showing("changing facts", evidence.scenarios)
    files = (Evidence("", "data/adapters"), *([Evidence("", f"scenarios/{prompts.name}")] if prompts else []))
    summary = (
        f"A prompt takes {prompt_choices} settings and {evidence.prompt_examples} examples at most; an adapter "
        f"{_span(choices.values())} settings and {_span(examples.values())} examples."
    )
    return _Found(lines, verdict, files, summary=summary)


def _span(counts: Iterable[int]) -> str:
    low, high = min(found := list(counts)), max(found)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _upfront_cost(evidence: ArticleEvidence) -> _Found:
    indexing = _recovery(evidence, "indexing")
    if indexing is None:
        return _missing("Indexing a policy was not timed yet.", STALE_COMMAND)
    if not evidence.adapters:
        return _missing("No adapter was trained yet.", TRAIN_COMMAND)
    lines, ratios = [], []
    for manifest in evidence.adapters:
        assumed = default_assumptions(adapter=manifest, indexing_s=indexing.recovery_s)
        ways: tuple[Way, Way] = ("prompting", "fine-tuning")
        low, high = (upfront_usd(assumed, way) for way in ways)
        ratios.append(manifest.duration_s / max(indexing.recovery_s, 1e-9))
        each = assumed.annotation_usd_per_example.value
        made = generated_from(manifest) or f"annotated at {describe_cost(each)} each, an assumption"
        lines.append(
            f"{manifest.name}: {_duration(manifest.duration_s)} of training on {manifest.machine.split(',')[0]}; with "
            f"{train_examples(manifest):,} examples ({made}) {describe_cost(high)} against {describe_cost(low)}."
        )
    lines.insert(0, f"Prompting: {_duration(indexing.recovery_s)} of indexing, no labelled example.")
    verdict: Verdict = "holds" if min(ratios) >= MUCH_DEARER else "partly" if max(ratios) > 1 else "not here"
    slowest, quickest = (pick(one.duration_s for one in evidence.adapters) for pick in (max, min))
    summary = (
        f"Prompting is ready after {_duration(indexing.recovery_s)} of indexing, an adapter after "
        f"{_duration(quickest)} to {_duration(slowest)} of training."
    )
    return _Found(tuple(lines), verdict, (Evidence("Break-even", "data/adapters"), _STALE_EVIDENCE), summary=summary)


def _inference_cost(evidence: ArticleEvidence) -> _Found:
    lines: list[str] = []
    said: list[str] = []
    agreeing = compared = 0
    for scenario in evidence.scenarios:
        if scenario.article is None:
            continue
        name = scenario.article.name
        prompted = most_accurate(evidence.figures, scenario.name, "prompting")
        tuned = most_accurate(evidence.figures, scenario.name, "fine-tuning")
        if prompted is None or tuned is None:
            lines.append(f"{name}: not both kinds were measured yet.")
            continue
        prompted, tuned = per_whole_unit(prompted), per_whole_unit(tuned)
        compared += 2
        agreeing += tokens_of(prompted) > tokens_of(tuned)
        agreeing += median_s(prompted) > median_s(tuned)
        lines.append(f"{name}: {_per_request(prompted)} against {_per_request(tuned)}.")
        times = median_s(prompted) / median_s(tuned) if median_s(tuned) > 0 else math.inf
        quicker = f"{times:,.1f} times as quick" if times < MUCH_DEARER else f"{times:,.0f} times as quick"
        said.append(f"{name}: fine-tuning is {quicker}, with {_fewer(tokens_of(prompted), tokens_of(tuned))}")
    if not compared:
        return _Found(tuple(lines), None, (), EVALUATE_COMMAND)
    verdict: Verdict = "holds" if agreeing == compared else "partly" if agreeing else "not here"
    summary = "; ".join(said) + "."
    return _Found(tuple(lines), verdict, (Evidence("Time and tokens", "data/runs"),), summary=summary)


def _fewer(prompted: float, tuned: float) -> str:
    if tuned <= 0:
        return "no tokens paid for"
    return (
        f"{abs(1 - tuned / prompted):.0%} {'fewer' if tuned <= prompted else 'more'} tokens" if prompted else "tokens"
    )


def _time_to_implement(evidence: ArticleEvidence) -> _Found:
    indexing = _recovery(evidence, "indexing")
    if indexing is None:
        return _missing("Indexing a policy was not timed yet.", STALE_COMMAND)
    if not evidence.adapters:
        return _missing("No adapter was trained yet.", TRAIN_COMMAND)
    slowest = max(evidence.adapters, key=lambda one: one.duration_s)
    quickest = min(evidence.adapters, key=lambda one: one.duration_s)
    lines = (
        f"From a new policy to answers from it: {_duration(indexing.recovery_s)} (RAG, {_stale_stamp(evidence)}).",
        f"Training took {_duration(quickest.duration_s)} ({quickest.name}) to {_duration(slowest.duration_s)} "
        f"({slowest.name}) of machine time; people's time for writing prompts or annotating was not measured.",
    )
    verdict: Verdict = (
        "not here"
        if slowest.duration_s <= indexing.recovery_s
        else "holds"
        if indexing.recovery_s < _HOUR_S and quickest.duration_s >= _WEEK_S
        else "partly"
    )
    summary = (
        f"A new policy is answered from after {_duration(indexing.recovery_s)}; trainings took "
        f"{_duration(quickest.duration_s)} to {_duration(slowest.duration_s)}, not weeks."
        if slowest.duration_s < _WEEK_S
        else lines[0]
    )
    return _Found(lines, verdict, (_STALE_EVIDENCE, Evidence("", "data/adapters")), summary=summary)


def _best_for(evidence: ArticleEvidence) -> _Found:
    lines: list[str] = []
    agreeing: list[bool] = []
    stale = evidence.stale.figures if evidence.stale else ()
    prompted = [one for one in stale if one.technique.kind == "prompting"]
    trained = [one for one in stale if one.recovery == "training"]
    if prompted and trained:
        best, closed = max(prompted, key=lambda one: one.recovered.value), trained[0]
        agreeing.append(
            best.recovery_s * MUCH_DEARER <= closed.recovery_s and best.recovered.value > closed.recovered.value
        )
        lines.append(
            f"Facts that change: {best.title} is {best.recovered.value:.0%} right again after "
            f"{_duration(best.recovery_s)}, {closed.title} {closed.recovered.value:.0%} after "
            f"{_duration(closed.recovery_s)} of training ({_stale_stamp(evidence)})."
        )
    one_task = scenario_showing("one task", evidence.scenarios)
    prompt = most_accurate(evidence.figures, one_task.name, "prompting") if one_task else None
    tuned = most_accurate(evidence.figures, one_task.name, "fine-tuning") if one_task else None
    if prompt and tuned and prompt.accuracy and tuned.accuracy:
        agreeing.append(tuned.accuracy.low > prompt.accuracy.high)
        lines.append(
            f"A fixed judgement: {tuned.title} {_accuracy(tuned)}, {prompt.title} {_accuracy(prompt)} "
            f"({tuned.accuracy_name})."
        )
    if len(agreeing) < 2:
        lines.append(
            "The other half of the row was not measured yet." if agreeing else "Neither half was measured yet."
        )
        return _Found(tuple(lines), None, (), EVALUATE_COMMAND if prompted and trained else STALE_COMMAND)
    verdict: Verdict = "holds" if all(agreeing) else "partly" if any(agreeing) else "not here"
    summary = (
        f"After a change {best.title} is {best.recovered.value:.0%} right again, {closed.title} "
        f"{closed.recovered.value:.0%}; on the fixed task {tuned.title} is {tuned.accuracy.value:.0%} right, "
        f"{prompt.title} {prompt.accuracy.value:.0%}."
        if prompt and tuned and prompt.accuracy and tuned.accuracy
        else ""
    )
    return _Found(tuple(lines), verdict, (_STALE_EVIDENCE, Evidence("Overview", "data/runs")), summary=summary)


def _data_needed(evidence: ArticleEvidence) -> _Found:
    curve, prompt = evidence.curve, few_shot_point(evidence.curve)
    trained = sorted(
        (one for one in (curve.points if curve else ()) if one.strategy == "lora"), key=lambda one: one.examples
    )
    if curve is None or prompt is None or not trained:
        return _missing("The learning curve was not measured yet.", CURVE_COMMAND)
    prompts = [one for one in curve.points if one.strategy == "few-shot"]
    gain = max(one.accuracy.value for one in prompts) - prompt.accuracy.value
    best = max(trained, key=lambda one: one.accuracy.value)
    enough = next(one for one in trained if one.accuracy.value >= best.accuracy.value - SAME_ACCURACY)
    crossing = examples_to_beat_prompting(curve)
    lines = (
        f"Few-shot prompting is best at {prompt.examples:,} of up to {FEW} examples ({prompt.accuracy.value:.0%}) "
        f"and gains {max(gain, 0.0) * 100:.1f} points with more.",
        f"LoRA beats that from {crossing:,} labelled examples on (95 % interval of the difference above 0)."
        if crossing is not None
        else f"LoRA beats that by more than chance with no number of labelled examples up to {trained[-1].examples:,}.",
        f"LoRA is within {SAME_ACCURACY * 100:.0f} points of its best ({best.accuracy.value:.0%}) from "
        f"{enough.examples:,} examples on. {curve.provenance.stamp}.",
    )
    signs = (max(gain, 0.0) <= SAME_ACCURACY, enough.examples >= MANY)
    verdict: Verdict = "holds" if all(signs) else "partly" if any(signs) else "not here"
    beats = f"from {crossing:,} examples on" if crossing is not None else "with no number of examples tried"
    summary = (
        f"Few-shot prompting is best at {prompt.examples:,} examples; LoRA beats it {beats} and is near its best from "
        f"{enough.examples:,} on."
    )
    evidence_file = Evidence("Learning and change", "data/runs/learning_curve.json")
    return _Found(lines, verdict, (evidence_file,), summary=summary)


_STALE_EVIDENCE = Evidence("Learning and change", "data/runs/stale_facts.json")

_Decide = Callable[[ArticleEvidence], _Found]
_ROWS: Mapping[str, tuple[str, str, str, str, _Decide]] = {
    "alters-weights": (
        *("Alters weights", "no", "yes"),
        "Holds where training changed the base's own weights and prompting used none; partly where training only added "
        "weights beside a base that stayed the same byte for byte.",
        _alters_weights,
    ),
    "expertise": (
        *("Expertise", "low to medium", "high"),
        f"Holds where every adapter took more settings than a prompt and over {MUCH_DEARER:.0f} times the examples; "
        "partly where only some of that is so.",
        _expertise,
    ),
    "upfront-cost": (
        *("Upfront cost", "low", "high"),
        f"Holds where every training took at least {MUCH_DEARER:.0f} times the machine time of indexing; partly where "
        "some took longer.",
        _upfront_cost,
    ),
    "inference-cost": (
        *("Inference cost", "higher", "lower"),
        "Compares the most accurate technique of each kind. Holds where prompting takes more tokens and more time for "
        "the same work (a question; a clause judged for all labels) in every scenario measured; partly where only some "
        "of that is so.",
        _inference_cost,
    ),
    "time": (
        *("Time to implement", "minutes to days", "weeks to months"),
        "Machine time only. Holds where indexing takes under an hour and every training a week or more; partly where "
        "training merely takes longer.",
        _time_to_implement,
    ),
    "best-for": (
        *("Best for", "facts that may change tomorrow", "one specific task, done the same way every time"),
        f"Holds where, after a change, prompting is right more often than the retrained model and {MUCH_DEARER:.0f} "
        "times sooner, and where fine-tuning beats prompting at flagging clauses with intervals apart; partly where "
        "only one is so.",
        _best_for,
    ),
    "data-needed": (
        *("Data needed", "0 to ~50 examples", "1,000+ examples"),
        f"Holds where prompting gains at most {SAME_ACCURACY * 100:.0f} points beyond {FEW} examples and LoRA comes "
        f"within {SAME_ACCURACY * 100:.0f} points of its best only from {MANY:,} on; partly where only one is so.",
        _data_needed,
    ),
}


def _missing(sentence: str, command: str) -> _Found:
    return _Found((sentence,), None, (), command)


def _recovery(evidence: ArticleEvidence, recovery: str) -> StaleFigures | None:
    figures = evidence.stale.figures if evidence.stale else ()
    return next((one for one in figures if one.recovery == recovery), None)


def _date(manifest: AdapterManifest) -> str:
    return f"{manifest.created_at[:10]}, {manifest.machine.split(', ')[0]}, commit {manifest.commit}"


def _stale_stamp(evidence: ArticleEvidence) -> str:
    found = evidence.stale.provenance if evidence.stale else None
    return f"n = {found.n}, {found.measured_at[:10]}" if found else ""


def _per_request(one: TechniqueFigures) -> str:
    tokens = f"{tokens_of(one):,.0f} tokens" if one.input_tokens is not None else "no tokens"
    seconds = f" and {_duration(median_s(one))}" if one.total_s else ""
    return f"{one.title} {tokens}{seconds} per {unit_words(one)} ({one.sample_words}, {one.started_at[:10]})"


def _accuracy(one: TechniqueFigures) -> str:
    if one.accuracy is None:
        return "without accuracy"
    return f"{one.accuracy.value:.0%} [{one.accuracy.low:.0%}, {one.accuracy.high:.0%}], {one.sample_words}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms" if seconds >= 1e-3 else "under 1 ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * _HOUR_S else f"{seconds / _HOUR_S:.1f} hours"
