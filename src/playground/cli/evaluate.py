"""``evaluate``: run a scenario's strategies over its examples, one row each, and sum up."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playground.cli import loading
from playground.cli.arguments import dollars, names_in, output_folder, positive, read_option, seed
from playground.cli.terminal import ProgressLine
from playground.text.terminal import one_line, text_table
from playground.types import RunRecord

if TYPE_CHECKING:
    from playground.comparison.scenario import ComparedScenario, Scenario
    from playground.measuring.request import MeasuringRequest

Figures = Mapping[str, Any]

_MOST_IN_FULL = 4


def add_command(commands: Any, argv: Sequence[str]) -> None:
    """Add ``evaluate`` to the parser, with a command for each scenario where ``argv`` is about it."""
    parser = commands.add_parser("evaluate", help="measure a scenario's strategies: accuracy, time and cost")
    if argv[:1] != ["evaluate"]:
        return
    from scenarios.registry import all_scenarios

    scenarios = parser.add_subparsers(title="scenarios", metavar="SCENARIO", dest="scenario", required=True)
    for scenario in sorted(all_scenarios(), key=lambda one: one.name):
        _add_scenario(scenarios.add_parser(scenario.name), scenario)


def _add_scenario(parser: argparse.ArgumentParser, scenario: Scenario) -> None:
    parser.add_argument("--strategies", metavar="A,B", help="comma-separated names")
    parser.add_argument("--model", default="bundled", help="as for `ask` (default: bundled)")
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="folder of the run; a run goes on"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="a random sample of N examples")
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="of sample and model (default: 0)")
    parser.add_argument("--retry-errors", action="store_true", help="ask again where the model failed")
    parser.add_argument(
        "--max-cost-usd",
        type=dollars,
        metavar="X",
        help="stop before a call that could bring what this folder has cost above X",
    )
    parser.add_argument(
        "--at-once",
        type=positive,
        default=1,
        metavar="N",
        help="examples asked at a time, for a server that answers many together (default: 1)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_options(parser, scenario.request)
    parser.set_defaults(run=run, strategies=",".join(scenario.measured_by_default))


def add_options(parser: argparse.ArgumentParser, kind: type[MeasuringRequest]) -> None:
    """Add what only this kind of request asks for."""
    from playground.measuring.request import options_of

    places: dict[str, Any] = {"": parser}
    for one in options_of(kind):
        if one.group not in places:
            places[one.group] = parser.add_argument_group(one.group)
        place = places[one.group]
        name = f"--{one.name.replace('_', '-')}"
        if one.kind == "switch":
            place.add_argument(name, action="store_true", help=one.help)
        else:
            place.add_argument(
                name, type=read_option(one.kind), default=one.default, metavar=one.metavar, help=one.help
            )


def request_from(arguments: argparse.Namespace, kind: type[MeasuringRequest]) -> MeasuringRequest:
    """Return what the arguments ask for."""
    from playground.measuring.request import options_of

    return kind(
        strategies=names_in(arguments.strategies),
        model=arguments.model,
        limit=arguments.limit,
        seed=arguments.seed,
        **{one.name: getattr(arguments, one.name) for one in options_of(kind)},
    )


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Evaluate, print a table unless ``--json`` is given, and return the JSON object.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
        SpendingCapError: the cap was reached; the message says how far the run came.
    """
    from playground.comparison import defaults
    from playground.errors import SpendingCapError
    from playground.measuring.evaluation import evaluate_into, planned_records, rows_done
    from playground.measuring.runs import read_run
    from scenarios import registry

    scenario = registry.scenario(arguments.scenario)
    functions, request = scenario.load(), request_from(arguments, scenario.request)
    plan = functions.prepare(
        request, load_model=lambda: loading.load_model(arguments.model), load_embedder=loading.load_embedder
    )
    total = plan.size
    done = len(rows_done(arguments.out, plan, retry_errors=arguments.retry_errors))
    progress = ProgressLine()
    try:
        for record in evaluate_into(
            arguments.out,
            plan,
            retry_errors=arguments.retry_errors,
            max_cost_usd=arguments.max_cost_usd,
            at_once=arguments.at_once,
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
    compared = functions.compared(read_run(arguments.out), request.examples_file)
    if functions.summarise is not None:
        figures = functions.summarise(records, plan)
    else:
        figures = defaults.plain_figures(records, compared)
    paired = _paired(compared, records)
    if not arguments.json:
        print((functions.as_table or defaults.plain_table)(figures))
        if paired:
            print(f"\n{paired_table(paired, in_full=len(figures) <= _MOST_IN_FULL)}")
        print(f"\n{len(records)} rows in {arguments.out}")
    return {"strategies": list(figures), "paired": paired}


def _paired(compared: ComparedScenario, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Test which differences between the strategies are real, on the examples that both answered."""
    from playground.comparison.runs_compared import paired_differences
    from playground.comparison.technique_figures import technique_rows

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
                one_line(f"{one['first']} minus {one['second']}"),
                str(one["n"]),
                f"{one['difference']:+.3f} [{low:+.3f}, {high:+.3f}]",
                "< 0.001" if one["p_value_holm"] < 0.001 else f"{one['p_value_holm']:.3f}",
            )
        )
    left = len(paired) - len(listed)
    return text_table(rows) + (f"\n({left} more pairs with --json)" if left else "")
