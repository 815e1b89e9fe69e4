"""``evaluate``: run a scenario's strategies over its examples, one row each, and sum up."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.cli import loading
from playground.cli.terminal import ProgressLine
from playground.measuring.arguments import dollars, positive
from playground.text.terminal import one_line, text_table
from playground.types import RunRecord

Figures = Mapping[str, Any]

_RATES = (
    "answerable_accuracy",
    "abstention_accuracy",
    "balanced_accuracy",
    "false_answer_rate",
    "unsupported_number_rate",
    "worked_out_number_rate",
)
_TIMES = ("first_token_s", "total_s")
_TOKENS = ("input_tokens", "cached_tokens", "output_tokens")
_LABEL_WIDTH = 26
_MOST_IN_FULL = 4


def add_command(commands: Any, argv: Sequence[str]) -> None:
    """Add ``evaluate`` to the parser; only the scenario that ``argv`` names is imported, for its own arguments."""
    parser = commands.add_parser("evaluate", help="measure a scenario's strategies: accuracy, time and cost")
    scenarios = parser.add_subparsers(title="scenarios", metavar="SCENARIO", dest="scenario", required=True)
    for name in loading.scenario_names():
        scenario = scenarios.add_parser(name)
        scenario.add_argument("--strategies", metavar="A,B", help="comma-separated names")
        scenario.add_argument("--model", default="bundled", help="as for `ask` (default: bundled)")
        scenario.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run; a run goes on")
        scenario.add_argument("--limit", type=positive, metavar="N", help="a random sample of N examples")
        scenario.add_argument("--seed", type=int, default=0, metavar="S", help="of sample and model (default: 0)")
        scenario.add_argument("--retry-errors", action="store_true", help="ask again where the model failed")
        scenario.add_argument(
            "--max-cost-usd",
            type=dollars,
            metavar="X",
            help="stop before a call that could bring what this folder has cost above X",
        )
        scenario.add_argument("--json", action="store_true", help="print one JSON object")
        scenario.set_defaults(run=run)
        if argv[:1] == ["evaluate"] and name in argv:
            module = loading.load_scenario(name)
            module.add_arguments(scenario)
            scenario.set_defaults(strategies=module.DEFAULT_STRATEGIES)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Evaluate, print a table unless ``--json`` is given, and return the JSON object.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
        SpendingCapError: the cap was reached; the message says how far the run came.
    """
    from playground.errors import SpendingCapError
    from playground.measuring.evaluation import evaluate_into, planned_records, rows_done

    scenario = loading.load_scenario(arguments.scenario)
    plan = scenario.prepare(
        arguments, load_model=lambda: loading.load_model(arguments.model), load_embedder=loading.load_embedder
    )
    total = plan.size
    done = len(rows_done(arguments.out, plan, retry_errors=arguments.retry_errors))
    progress = ProgressLine()
    try:
        for record in evaluate_into(
            arguments.out, plan, retry_errors=arguments.retry_errors, max_cost_usd=arguments.max_cost_usd
        ):
            done += 1
            if record.error:
                progress.note(one_line(f"{record.strategy}, {record.example_id}: {record.error}"))
            progress.show(
                plan.scenario, done / total, f"{done} of {total}, {record.strategy} {one_line(record.example_id)}"
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped after {done} of {total} rows; they are kept in {arguments.out}. Run the same command again to "
            "go on."
        ) from None
    except SpendingCapError as error:
        raise SpendingCapError(f"{error} {done} of {total} rows are in {arguments.out} (--max-cost-usd).") from None
    finally:
        progress.close()
    records = planned_records(arguments.out, plan)
    figures = scenario.summarise(records, plan)
    paired = _paired(arguments, records)
    if not arguments.json:
        print(getattr(scenario, "as_table", as_table)(figures))
        if paired:
            print(f"\n{paired_table(paired, in_full=len(figures) <= _MOST_IN_FULL)}")
        print(f"\n{len(records)} rows in {arguments.out}")
    return {"strategies": figures, "paired": paired}


def _paired(arguments: argparse.Namespace, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Test which differences between the strategies are real, on the examples that both answered."""
    from playground.comparison.runs_compared import paired_differences
    from playground.comparison.technique_figures import technique_rows
    from playground.measuring.runs import read_run

    module = loading.load_scenario(arguments.scenario, "compared")
    compared = module.compared_scenario(read_run(arguments.out), contracts=getattr(arguments, "contracts", None))
    groups, _notes = technique_rows(records, compared)
    differences, adjusted = paired_differences(
        [group.strategy for group in groups], [compared.outcomes(group.records) for group in groups]
    )
    return [
        {
            "first": one.first,
            "second": one.second,
            "n": one.n,
            "difference": one.difference.value,
            "ci": [one.difference.low, one.difference.high],
            "p_value": one.p_value,
            "p_value_holm": holm_p,
        }
        for one, holm_p in zip(differences, adjusted, strict=True)
    ]


def paired_table(paired: Sequence[Figures], *, in_full: bool) -> str:
    """Return the tests of the differences as a table for people, a row a pair.

    Unless ``in_full``, only those with the first strategy are listed; ``--json`` has all.
    """
    listed = paired if in_full else [one for one in paired if one["first"] == paired[0]["first"]]
    rows = [("difference in the share right", "n", "difference", "p (Holm)")]
    for one in listed:
        low, high = one["ci"]
        rows.append(
            (
                f"{one['first']} minus {one['second']}",
                str(one["n"]),
                f"{one['difference']:+.3f} [{low:+.3f}, {high:+.3f}]",
                "< 0.001" if one["p_value_holm"] < 0.001 else f"{one['p_value_holm']:.3f}",
            )
        )
    left = len(paired) - len(listed)
    return text_table(rows) + (f"\n({left} more pairs with --json)" if left else "")


def as_table(figures: Sequence[Figures]) -> str:
    """Return the figures as a table for people: a row a figure, a column a strategy."""
    rows = [("", [str(column["strategy"]) for column in figures])]
    rows.append(("model", [str(column["model"]) for column in figures]))
    rows.append(("questions (answerable)", [f"{column['n']} ({column['n_answerable']})" for column in figures]))
    rows.append(("errors", [str(column["errors"]) for column in figures]))
    for name in _RATES:
        rows.append((name.replace("_", " "), [_rate(column, name) for column in figures]))
    for name in _TIMES:
        for share in ("p50", "p95"):
            label = f"{name.removesuffix('_s').replace('_', ' ')}, {share}"
            rows.append((label, [_time(column, name, share) for column in figures]))
    for name in _TOKENS:
        rows.append((f"{name.replace('_', ' ')}, mean", [_number(column[name]) for column in figures]))
    rows.append(("cost in all", [_cost(column) for column in figures]))
    width = max(len(cell) for _label, cells in rows for cell in cells) + 2
    return "\n".join(
        f"{label:<{_LABEL_WIDTH}}{''.join(f'{one_line(cell):>{width}}' for cell in cells)}" for label, cells in rows
    )


def _rate(column: Figures, name: str) -> str:
    if column[name] is None:
        return "—"
    low, high = column["ci"][name]
    return f"{column[name]:.3f} [{low:.3f}, {high:.3f}]"


def _time(column: Figures, name: str, share: str) -> str:
    if column[name] is None:
        return "—"
    low, high = column["ci"][f"{name}_{share}"]
    return f"{column[name][share]:.2f} [{low:.2f}, {high:.2f}] s"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _cost(column: Figures) -> str:
    from playground.pricing import describe_cost

    return describe_cost(column["cost_usd"])
