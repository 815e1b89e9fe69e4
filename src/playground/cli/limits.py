"""``limits``: measure one of the article's limits or trends, or show what was recorded of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import loading
from playground.cli.arguments import dollars, output_file, output_folder, positive, seed
from playground.cli.terminal import ProgressLine
from playground.text.terminal import one_line, text_table

if TYPE_CHECKING:
    from playground.limits.experiment import Experiment, LimitRequest
    from playground.limits.finding import Finding
    from playground.limits.recorded import ExperimentRows


def add_command(commands: Any) -> None:
    """Add ``limits`` to the parser."""
    parser = commands.add_parser("limits", help="measure the article's limits and trends, one experiment each")
    parser.add_argument("experiment", metavar="NAME", help="of an experiment; `list` says which there are")
    parser.add_argument("--live", action="store_true", help="the small run of a demo, below two minutes")
    parser.add_argument("--examples", type=positive, metavar="N", help="examples a condition (default: the full run's)")
    parser.add_argument("--conditions", metavar="A;B", help="names between semicolons (default: all)")
    parser.add_argument("--model", default="bundled", help="as for `ask` (default: bundled)")
    parser.add_argument("--adapter", metavar="NAME", help="of what answers through one (default: the one that fits)")
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="of the sample (default: 0)")
    parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="folder of the run; a run goes on (default: runs/limits-NAME)"
    )
    parser.add_argument("--recorded", action="store_true", help="measure nothing: show what was recorded")
    parser.add_argument("--retry-errors", action="store_true", help="ask again where the model failed")
    parser.add_argument(
        "--max-cost-usd", type=dollars, metavar="X", help="stop before a call that could bring the cost above X"
    )
    parser.add_argument("--html", type=output_file, metavar="OUT", help="write a report")
    parser.add_argument("--csv", type=output_file, metavar="OUT", help="write the chart's points as a table")
    parser.add_argument("--rows-csv", type=output_file, metavar="OUT", help="write every row as a table")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def _run_list(arguments: argparse.Namespace) -> dict[str, object]:
    """List the experiments with the verdict of what was recorded."""
    from playground.errors import EvaluationError
    from playground.limits.recorded import recorded_rows
    from scenarios.experiments import EXPERIMENTS

    listed: list[dict[str, object]] = []
    for experiment in EXPERIMENTS:
        row: dict[str, object] = {"name": experiment.name, "claim": experiment.claim, "verdict": None, "stamp": None}
        try:
            rows = recorded_rows(experiment)
            if rows is not None:
                finding = experiment.load().found(rows.rows)
                row |= {"verdict": finding.verdict, "headline": finding.headline, "stamp": rows.stamp}
        except EvaluationError as error:
            row["problem"] = str(error)
        listed.append(row)
    if not arguments.json:
        for row in listed:
            print(f"{row['name']}: {row['claim']}")
            print(f"  {row.get('problem') or row['verdict'] or 'not recorded yet'}")
            if row.get("headline"):
                print(f"  {row['headline']}\n  {row['stamp']}")
    return {"experiments": listed}


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Measure, or read what was recorded, say what it shows, and return the JSON object.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
        PlaygroundError: something cannot be used; what was measured is kept.
    """
    from playground.errors import EvaluationError
    from playground.limits.recorded import beside, recorded_rows, rows_in
    from scenarios.experiments import experiment as experiment_named

    if arguments.experiment == "list":
        return _run_list(arguments)
    experiment = experiment_named(arguments.experiment)
    if arguments.recorded:
        rows = recorded_rows(experiment)
        if rows is None:
            raise EvaluationError(f"Nothing was recorded of {experiment.name} yet. Measure it: {experiment.command}")
    else:
        folder = arguments.out or Path("runs") / f"limits-{experiment.name}"
        _measure(experiment, _request(experiment, arguments), folder, arguments)
        rows = rows_in(experiment, list(beside(experiment, folder)))
        if rows is None:
            raise EvaluationError(f"{folder} has no row yet. Run the same command again.")
    finding = experiment.load().found(rows.rows)
    _write(experiment, rows, finding, arguments)
    if not arguments.json:
        print(_words(experiment, finding, rows))
    return _as_json(experiment, finding, rows)


def _request(experiment: Experiment, arguments: argparse.Namespace) -> LimitRequest:
    from playground.limits.experiment import LimitRequest, Size

    size = experiment.live if arguments.live else experiment.full
    names = tuple(name.strip() for name in (arguments.conditions or "").split(";") if name.strip())
    size = Size(arguments.examples or size.examples, names or size.conditions)
    return LimitRequest(size=size, model=arguments.model, adapter=arguments.adapter, seed=arguments.seed)


def _measure(experiment: Experiment, request: LimitRequest, folder: Path, arguments: argparse.Namespace) -> None:
    from playground.limits.measure import measure_into
    from playground.measuring.evaluation import rows_done

    plan = experiment.load().prepare(
        request, load_model=lambda: loading.load_model(arguments.model), load_embedder=loading.load_embedder
    )
    done, total = len(rows_done(folder, plan, retry_errors=arguments.retry_errors)), plan.size
    progress = ProgressLine()
    try:
        for record in measure_into(
            folder,
            plan,
            in_turns=experiment.in_turns,
            retry_errors=arguments.retry_errors,
            max_cost_usd=arguments.max_cost_usd,
        ):
            done += 1
            if record.error:
                progress.note(one_line(f"{record.strategy}, {record.example_id}: {record.error}"))
            progress.show(experiment.name, done / total, f"{done} of {total}, {record.strategy}")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped after {done} of {total} rows; they are kept in {folder}. Run the same command again to go on."
        ) from None
    finally:
        progress.close()


def _write(experiment: Experiment, rows: ExperimentRows, finding: Finding, arguments: argparse.Namespace) -> None:
    from playground.atomic import replace_file
    from playground.errors import EvaluationError
    from playground.limits import report
    from playground.machine import utc_now

    made: tuple[tuple[Path | None, Callable[[], bytes]], ...] = (
        (arguments.html, lambda: report.experiment_html(experiment, rows, finding, written_at=utc_now()).encode()),
        (arguments.csv, lambda: report.points_csv(finding)),
        (arguments.rows_csv, lambda: report.rows_csv(rows.rows)),
    )
    for path, make in made:
        if path is None:
            continue
        try:
            replace_file(path, make())
        except OSError as error:
            raise EvaluationError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error


def _words(experiment: Experiment, finding: Finding, rows: ExperimentRows) -> str:
    from playground.limits.finding import p_words, rate_words

    points = [("series", finding.x_title, finding.y_title, "n")]
    points += [(one.series.title, one.x, rate_words(one.value), str(one.n)) for one in finding.points]
    tests = [
        f"  {one.first} minus {one.second}: {100 * one.difference.value:+.1f} points "
        f"[{100 * one.difference.low:+.1f}, {100 * one.difference.high:+.1f}], {p_words(test.adjusted_p)}"
        for test in finding.tests
        for one in [test.difference]
    ]
    small = ["A small sample: a hint, not a result."] if finding.is_small else []
    parts = [
        finding.headline,
        f"The claim {finding.verdict}. {finding.sentence}",
        *small,
        text_table(points),
        *finding.lines,
        *(["Paired tests (McNemar, Holm):", *tests] if tests else []),
        rows.stamp,
    ]
    return "\n".join([experiment.claim, "", *parts])


def _as_json(experiment: Experiment, finding: Finding, rows: ExperimentRows) -> dict[str, object]:
    return {
        "experiment": experiment.name,
        "verdict": finding.verdict,
        "headline": finding.headline,
        "sentence": finding.sentence,
        "n": finding.n,
        "points": [
            {
                "series": one.series.title,
                "at": one.x,
                "value": one.value.value,
                "low": one.value.low,
                "high": one.value.high,
                "n": one.n,
            }
            for one in finding.points
        ],
        "tests": [
            {
                "first": one.difference.first,
                "second": one.difference.second,
                "n": one.difference.n,
                "difference": one.difference.difference.value,
                "ci": [one.difference.difference.low, one.difference.difference.high],
                "p_value": one.difference.p_value,
                "p_value_holm": one.adjusted_p,
            }
            for one in finding.tests
        ],
        "lines": list(finding.lines),
        "stamp": rows.stamp,
        "folders": [str(folder) for folder in rows.folders],
    }
