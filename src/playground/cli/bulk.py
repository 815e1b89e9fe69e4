"""``bulk``: thousands of contracts, judged once each, on this machine or on a Ray cluster; resumable."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import flag
from playground.cli.arguments import input_path, output_folder, positive
from playground.cli.terminal import ProgressLine
from playground.errors import DocumentError
from playground.text.label_titles import label_title
from playground.text.terminal import one_line, text_table

if TYPE_CHECKING:
    from playground.bulk.flagging import BulkProgress, JudgeAll
    from playground.bulk.summary import Summary
    from playground.flagging.files import FlagJob
    from playground.measuring.estimates import Estimate

_SHOWN_FIRST = 20


def add_command(commands: Any) -> None:
    """Add ``bulk`` to the parser."""
    parser = commands.add_parser("bulk", help="flag thousands of contracts; results as Parquet, resumable")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_flag(actions.add_parser("flag", help="flag the contracts below a folder, or those that a manifest names"))
    _add_evaluate(actions.add_parser("evaluate", help="flag annotated contracts (CUAD's JSON) and compare"))


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        type=input_path("its name"),
        metavar="ANNOTATED",
        help="contracts with what people marked: CUAD's JSON",
    )
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="results; the same command again goes on"
    )
    parser.add_argument("--adapter", metavar="NAME", help="adapter that judges (default: the active one)")
    parser.add_argument("--shift", type=flag.shift, default=0.0, metavar="X", help="as for `flag` (default: 0)")
    add_where(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_evaluate, no_evidence=True, labels="all", read_first=200)


def _add_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        type=input_path("its name"),
        metavar="FOLDER_OR_MANIFEST",
        help="a folder, read with the folders in it; or a text file with a path a line, from where it stands",
    )
    parser.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="results; the same command again goes on"
    )
    parser.add_argument("--adapter", metavar="NAME", help="adapter that judges (default: the active one)")
    parser.add_argument("--labels", metavar="A,B", help="labels to flag, or `all` (default: the liabilities)")
    parser.add_argument("--shift", type=flag.shift, default=0.0, metavar="X", help="as for `flag` (default: 0)")
    parser.add_argument("--read-first", type=positive, default=200, metavar="N", help="how many to name (default: 200)")
    add_where(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_flag, no_evidence=True)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add where the work is done: processes here, or actors on a cluster."""
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes, or actors of the cluster (default: one a core)"
    )
    parser.add_argument(
        "--ray-address",
        metavar="A",
        help="work on the Ray cluster at A (`auto`, HOST:PORT), or on a Ray of this machine (`local`); needs "
        "requirements-cluster.txt (default: processes here, without Ray)",
    )


def run_flag(arguments: argparse.Namespace) -> dict[str, object]:
    """Flag in bulk, print the summary, and return it.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
        PlaygroundError: source, adapter or an option cannot be used; no contract could be flagged.
    """
    from playground.bulk.tables import TABLES_FOLDER

    if not arguments.source.exists():
        raise DocumentError(f"There is no file or folder {arguments.source}. Check its name.")
    job = flag.job_of(arguments)
    summary = _flag(arguments, arguments.source, job)
    tables = arguments.out / TABLES_FOLDER
    if not arguments.json:
        _print_summary(summary, tables)
    if summary.failed == summary.files:
        raise DocumentError(f"None of the {summary.files} files could be flagged; {tables} says why of each.")
    return summary.as_object() | {"tables": str(tables), "adapter": job.adapter}


def run_evaluate(arguments: argparse.Namespace) -> dict[str, object]:
    """Flag annotated contracts in bulk, print how far the flags agree with what people marked, and return it.

    Raises:
        KeyboardInterrupt: with a message that says how to go on.
        PlaygroundError: the annotations, the adapter or an option cannot be used.
    """
    from playground.annotations import read_cuad
    from playground.bulk.evaluating import agreement, write_contracts
    from playground.measuring.cuad_metric import LEFT_OUT
    from scenarios.contract_clauses import scenario
    from scenarios.contract_clauses.measured_contracts import read_bytes

    data = read_bytes(arguments.source, "its name")
    names = [label.name for label in scenario.labels()]
    contracts, rejected = read_cuad(data, arguments.source.name, names)
    for row in rejected:
        print(f"note: contract {row.number}: {one_line(row.reason)}", file=sys.stderr)
    job = flag.job_of(arguments)
    _flag(arguments, write_contracts(contracts, arguments.out), job)
    found = agreement(contracts, arguments.out, [name for name in names if name not in LEFT_OUT])
    if not arguments.json:
        rows = [(label_title(one.label), str(one.marked), str(one.found), str(one.false)) for one in found.labels]
        print(text_table([("label", "marked", "found", "false flags"), *rows]))
        print(f"\n{found.contracts} contracts, {found.failed} of them not flagged.")
        print(f"recall {_interval(found.recall)}, precision {_interval(found.precision)} (95 %, over contracts)")
    return asdict(found) | {"adapter": job.adapter}


def _interval(estimate: Estimate | None) -> str:
    return "not defined" if estimate is None else f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _flag(arguments: argparse.Namespace, source: Path, job: FlagJob) -> Summary:
    from playground.bulk.flagging import flag_in_bulk

    progress = _Progress()
    try:
        return flag_in_bulk(source, job, arguments.out, _judge_all(arguments), progress.show, most=arguments.read_first)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped after {progress.done} of {progress.total} contracts; what was judged is kept in {arguments.out}. "
            "Run the same command again to go on."
        ) from None
    finally:
        progress.close()


def _judge_all(arguments: argparse.Namespace) -> JudgeAll:
    from playground.bulk.flagging import judge_here
    from playground.bulk.on_ray import judge_on_ray
    from playground.flagging.files.pool import available_cores

    if arguments.ray_address:
        return functools.partial(judge_on_ray, address=arguments.ray_address, actors=arguments.workers)
    return functools.partial(judge_here, workers=arguments.workers or available_cores())


class _Progress:
    """Shows how far a run is, how fast, and how long it will still take."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self._line = ProgressLine()
        self._started = time.monotonic()

    def show(self, progress: BulkProgress) -> None:
        from playground.bulk.pace import pace

        self.done, self.total = progress.done, progress.total
        last = progress.last
        if last is None:
            self._started = time.monotonic()
            copies = f"{progress.files} files, {progress.total} different"
            self._line.note(f"{copies}, {progress.before} of them judged before" if progress.before else copies)
        elif last.error:
            self._line.note(one_line(f"{last.content[:12]}: {last.error}"))
        speed = pace(
            progress.done - progress.before, progress.total - progress.before, time.monotonic() - self._started
        )
        done = f"{progress.done} of {progress.total}"
        self._line.show("contracts", progress.done / max(progress.total, 1), f"{done}, {speed}" if speed else done)

    def close(self) -> None:
        self._line.close()


def _print_summary(summary: Summary, tables: Path) -> None:
    found: dict[str, Any] = summary.as_object()
    print(f"{found['flagged']} of {found['files']} files flagged ({found['copies']} copies), {found['failed']} failed.")
    if found["risks"]:
        rows = [(one["risk"], str(one["flags"]), str(one["files"])) for one in found["risks"]]
        print(f"\n{text_table([('risk', 'flags', 'files'), *rows])}")
    if found["missing"]:
        missing = [(label_title(one["label"]), str(one["files"])) for one in found["missing"]]
        print(f"\n{text_table([('usual and missing', 'files'), *missing])}")
    if found["read_first"]:
        print("\nRead these first:")
    for one in found["read_first"][:_SHOWN_FIRST]:
        line = one_line(f"{one['file']}: {one['high']} high, {one['medium']} medium, {one['missing']} missing")
        print(f"  {line}")
    if (left := len(found["read_first"]) - _SHOWN_FIRST) > 0:
        print(f"  and {left} more in summary.json")
    print(f"\nflags.parquet, files.parquet, errors.parquet and summary.json are in {tables}.")
    sys.stdout.flush()
