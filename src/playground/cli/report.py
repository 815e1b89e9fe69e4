"""``report``: recorded runs as one self-contained HTML file, CSV and JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli.arguments import input_path, output_file
from playground.errors import EvaluationError, PlaygroundError
from playground.text.terminal import one_line

if TYPE_CHECKING:
    from playground.measuring.request import Option


def add_command(commands: Any, argv: Sequence[str]) -> None:
    """Add ``report`` to the parser, with what the scenarios need where ``argv`` is about it."""
    parser = commands.add_parser("report", help="write recorded runs as a report: HTML, CSV, JSON")
    parser.add_argument(
        "runs", type=input_path("its name"), nargs="+", metavar="RUN_DIR", help="folder that `evaluate --out` wrote"
    )
    parser.add_argument(
        "--html",
        type=output_file,
        metavar="OUT",
        help="one HTML file, viewed without a network; CSV and JSON go beside it",
    )
    parser.add_argument("--csv", type=output_file, metavar="OUT", help="a row a technique (default: beside --html)")
    # Not --json as elsewhere, which prints: this one is a file beside the two others.
    parser.add_argument(
        "--json",
        dest="json_file",
        type=output_file,
        metavar="OUT",
        help="figures, tests and heat map (default: beside --html)",
    )
    for name, one in _example_files() if argv[:1] == ["report"] else ():
        parser.add_argument(
            f"--{one.name}",
            type=input_path(f"--{one.name}"),
            metavar=one.metavar,
            help=f"what runs of {name} were measured on (default: ours)",
        )
    parser.set_defaults(run=run)


def _example_files() -> list[tuple[str, Option]]:
    """Return the scenarios whose runs may be measured on a file of one's own, each with the option that names it."""
    from playground.measuring.request import options_of
    from scenarios.registry import all_scenarios

    return [
        (scenario.name, one)
        for scenario in all_scenarios()
        for one in options_of(scenario.request)
        if one.means == "examples file"
    ]


def run(arguments: argparse.Namespace) -> None:
    """Read the runs, compute their figures and write the files that were asked for.

    Raises:
        EvaluationError: a folder holds no run that can be compared, or a file cannot be written.
    """
    from playground.atomic import replace_file
    from playground.cli.report_evidence import compared_run, report_extras
    from playground.comparison.report.html import comparison_html
    from playground.comparison.report.tables import comparison_csv, comparison_json
    from playground.comparison.runs_compared import compare_runs, without_repeats
    from playground.machine import utc_now

    targets = _targets(arguments)
    folders = {path.resolve(): path for path in arguments.runs}  # a folder given twice counts once
    files = {name: getattr(arguments, one.name) for name, one in _example_files()}
    runs, left_out = without_repeats([compared_run(folder, files) for folder in folders.values()])
    compared = compare_runs(runs)
    for note in dict.fromkeys([*left_out, *(note for one in compared for note in one.notes)]):
        print(f"note: {one_line(note)}", file=sys.stderr)
    for kind, path in targets.items():
        if kind == "html":
            extras = report_extras(runs, compared)
            content = comparison_html(compared, written_at=utc_now(), extras=extras).encode("utf-8", "replace")
        elif kind == "csv":
            content = comparison_csv(compared)
        else:
            content = (json.dumps(comparison_json(compared), indent=2, allow_nan=False) + "\n").encode()
        try:
            replace_file(path, content)
        except OSError as error:
            raise EvaluationError(
                f"{path} cannot be written ({error.strerror or error}). Choose another place or free some space."
            ) from error
        print(f"wrote {path}")


def _targets(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return where each file goes: as asked for, and with --html the two others beside it under its name."""
    asked = {kind: path for kind in ("html", "csv", "json_file") if (path := getattr(arguments, kind)) is not None}
    if not asked:
        raise PlaygroundError("Where shall the report go? Name a file with --html, --csv or --json.")
    beside = {}
    if (page := asked.get("html")) is not None and page.name:
        beside = {"csv": page.with_suffix(".csv"), "json_file": page.with_suffix(".json")}
    targets = {kind: path for kind in ("html", "csv", "json_file") if (path := asked.get(kind) or beside.get(kind))}
    if len({path.absolute() for path in targets.values()}) < len(targets):
        raise PlaygroundError("Two of --html, --csv and --json name the same file. Give each its own.")
    return targets
