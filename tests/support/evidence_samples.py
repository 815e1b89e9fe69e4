"""Evidence with round numbers for tests: figures, an adapter, a learning curve, stale facts."""

from __future__ import annotations

from dataclasses import replace

from playground.adapters import AdapterManifest
from playground.adapters.manifest import AdapterFile
from playground.comparison.claims.learning_curve import CurveRow, LearningCurve
from playground.comparison.claims.provenance import Provenance
from playground.comparison.claims.stale_facts import Recovery, RecoveryTime, StaleAnswer, StaleFacts
from playground.comparison.figures import TechniqueFigures, Times
from playground.comparison.techniques import technique_named, title_of
from playground.measuring.estimates import Estimate
from scenarios.registry import all_scenarios
from scenarios.registry import scenario as scenario_named

TECHNIQUES = {one.name: one for scenario in all_scenarios() for one in scenario.techniques}
"""Of all scenarios, by name."""
PROVENANCE = Provenance("2026-11-25T10:00:00+00:00", "a machine, 2 cores", "abc1234", 40, "a model", "python x.py")


def around(value: float, half: float = 0.04) -> Estimate:
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def figures(strategy: str, accuracy: float, **changes: object) -> TechniqueFigures:
    """Return a technique: 100 tokens and a second a request, on this machine, n = 100."""
    scenario = "return_policy" if strategy.startswith(("rag", "no-", "whole", "closed")) else "contract_clauses"
    techniques = scenario_named(scenario).techniques
    second = Times(Estimate(1.0, 1.0, 1.0), Estimate(1.5, 1.5, 1.5), ())
    made = TechniqueFigures(
        scenario=scenario,
        strategy=strategy,
        title=title_of(strategy, techniques),
        model_id="smollm2-135m-instruct",
        adapter=None,
        accuracy=around(accuracy),
        accuracy_name="accuracy",
        rates={},
        first_token_s=None,
        total_s=second,
        tokens={},
        input_tokens=90.0,
        output_tokens=10.0,
        token_cost_usd=0.0,
        n=100,
        errors=0,
        started_at="2026-11-25T10:00:00+00:00",
        machine="a machine",
        commit="abc1234",
        technique=technique_named(strategy, techniques),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def seconds(p50: float, p95: float) -> Times:
    return Times(Estimate(p50, p50, p50), Estimate(p95, p95, p95), ())


def manifest(name: str = "policy-reader", **changes: object) -> AdapterManifest:
    """Return an adapter of 1 MB after an hour of training on 5,000 examples, its base unchanged."""
    made = AdapterManifest(
        name=name,
        task="reader",
        base_kind="language_model",
        base_id="smollm2-135m-instruct",
        base_sha256="0" * 64,
        labels=(),
        data={"name": "invented", "sha256": "0" * 64, "examples": 5000, "contracts": 0},
        hyper_parameters={f"setting-{number}": number for number in range(12)},
        seed=0,
        metrics={"base_unchanged": True},
        duration_s=3600.0,
        created_at="2026-11-24T10:00:00+00:00",
        machine="a machine, 2 cores",
        commit="abc1234",
        files={"adapter_model.safetensors": AdapterFile("0" * 64, 1_000_000)},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def curve(few_shot: dict[int, int], lora: dict[int, int]) -> LearningCurve:
    """Return a curve from {examples: right of 100 pairs}; LoRA has three seeds, one above and one below."""
    rows = []
    for strategy, points, shifts in (("few-shot", few_shot, (0,)), ("lora", lora, (-1, 0, 1))):
        for examples, right in points.items():
            for seed, shift in enumerate(shifts):
                duration_s = 10.0 if strategy == "lora" else None
                rows.append(
                    CurveRow(
                        *(strategy, examples, seed, right + shift, 100, duration_s),
                        *(PROVENANCE.measured_at, PROVENANCE.machine, PROVENANCE.commit),
                    )
                )
    return LearningCurve(PROVENANCE, tuple(rows), techniques=scenario_named("contract_clauses").techniques)


def stale(*techniques: tuple[str, Recovery, float, int, int, int]) -> StaleFacts:
    """Return stale facts from (strategy, recovery, seconds, right before, right after the change, recovered) of 40."""
    answers, recoveries = [], []
    for strategy, recovery, recovery_s, before, after, recovered in techniques:
        recoveries.append(RecoveryTime(strategy, recovery, recovery_s, 90 if recovery == "training" else 0))
        answers += [
            StaleAnswer(strategy, f"q{n}", "?", "old", "new", n < before, n < after, n < recovered) for n in range(40)
        ]
    return StaleFacts(PROVENANCE, tuple(answers), tuple(recoveries), scenario_named("return_policy").techniques)


STALE = stale(
    ("rag", "indexing", 0.5, 30, 2, 30),
    ("closed-book-lora", "training", 200.0, 20, 2, 18),
)
