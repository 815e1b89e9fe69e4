"""Measure what each piece around the reader is worth: all questions with everything, then without one piece at a time.

    python scripts/measure_ablation.py --rows ablation-rows --out docs/evaluation/ablation.json

Every variant answers the same questions; McNemar's test tells whether it differs from the whole. Rows are kept in the
folder of `--rows`, so that an interrupted measurement goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playground.cli import loading
from playground.cli.evaluate import add_options
from playground.comparison.paired import paired_outcomes
from playground.machine import commit, describe_machine, utc_now
from playground.measuring.evaluation import evaluate_into, planned_records
from playground.types import ChatModel, Embedder, RunRecord
from scenarios.return_policy import compared, evaluation
from scenarios.return_policy.request import PolicyRequest

_SEED = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """A way of answering, as the command line of ``evaluate`` names it."""

    title: str
    strategy: str
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of the folder of its rows."""
        return "".join((self.strategy, *self.options)).replace("+", "-").replace(".", "-")


VARIANTS = (
    Variant("RAG + LoRA as it ships", "rag+lora"),
    Variant("three passages instead of one", "rag+lora", ("--top-k", "3")),
    Variant("nothing worked out for it", "rag+lora", ("--no-arithmetic",)),
    Variant("numbers that no passage states are not withheld", "rag+lora", ("--keep-unsupported",)),
    Variant("it must answer, whatever it thinks", "rag+lora", ("--abstain-at", "1.01")),
    Variant("no LoRA, one passage", "rag", ("--top-k", "1")),
    Variant("no LoRA, three passages (prompting only)", "rag"),
)


def main() -> None:
    """Measure every variant, print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, metavar="DIR", help="folder of the rows, one below it each")
    parser.add_argument("--limit", type=int, help="a random sample of so many questions")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    model, embedder = loading.load_model("bundled"), loading.load_embedder()
    rows = [_measured(one, arguments.rows / one.folder, arguments.limit, model, embedder) for one in VARIANTS]
    figures = [_figures(variant, records, rows[0]) for variant, records in zip(VARIANTS, rows, strict=True)]
    print(markdown(figures))
    if arguments.out:
        measured = {
            "measured_at": utc_now(),
            "machine": describe_machine().label,
            "commit": commit(),
            "model": model.model_id,
            "adapter": rows[0][0].adapter,
            "seed": _SEED,
            "questions": len(rows[0]),
            "variants": figures,
        }
        arguments.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _measured(
    variant: Variant, folder: Path, limit: int | None, model: ChatModel, embedder: Embedder
) -> Sequence[RunRecord]:
    parser = argparse.ArgumentParser()
    add_options(parser, PolicyRequest)
    options = vars(parser.parse_args(variant.options))
    request = PolicyRequest(strategies=(variant.strategy,), limit=limit, seed=_SEED, **options)
    plan = evaluation.prepare(request, load_model=lambda: model, load_embedder=lambda: embedder)
    for number, _record in enumerate(evaluate_into(folder, plan), start=1):
        if number % 50 == 0:
            print(f"{variant.title}: {number}", flush=True)
    return planned_records(folder, plan)


def _figures(variant: Variant, records: Sequence[RunRecord], whole: Sequence[RunRecord]) -> dict[str, Any]:
    (figures,) = evaluation.summarise(records)
    difference = paired_outcomes("it", "the whole", compared.outcomes(records), compared.outcomes(whole))
    return {
        "title": variant.title,
        "command": " ".join(("--strategies", variant.strategy, *variant.options)),
        **figures,
        "minus_the_whole": asdict(difference) if difference else None,
    }


def markdown(figures: Sequence[dict[str, Any]]) -> str:
    """Return a table for the terminal, in Markdown."""
    lines = [
        "| Variant | answerable right | unanswerable refused | unsupported numbers in answers | p against the first |",
        "| --- | --- | --- | --- | --- |",
    ]
    for place, one in enumerate(figures):
        cells = [
            _percent(one, name) for name in ("answerable_accuracy", "abstention_accuracy", "unsupported_number_rate")
        ]
        test = one["minus_the_whole"]
        p_value = "" if not place or test is None else f"{test['p_value']:.3f}"
        lines.append(f"| {one['title']} | {' | '.join(cells)} | {'< 0.001' if p_value == '0.000' else p_value} |")
    return "\n".join(lines)


def _percent(figures: dict[str, Any], name: str) -> str:
    if figures[name] is None:
        return "no answer"
    low, high = figures["ci"][name]
    return f"{100 * figures[name]:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


if __name__ == "__main__":
    main()
