"""``flag``: the risky clauses of one contract, or of every contract in a folder."""

from __future__ import annotations

import argparse
import functools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground import paths
from playground.cli import loading
from playground.cli.arguments import input_path, output_file, output_folder, positive
from playground.cli.terminal import ProgressLine, seconds
from playground.errors import DocumentError, PlaygroundError
from playground.paths import CLAUSES
from playground.text.terminal import one_line, plain

if TYPE_CHECKING:
    from playground.flagging.files import FileOutcome, FlagJob
    from playground.flagging.flags import Evidence
    from playground.flagging.model import ClauseModel
    from playground.types import FlaggedContract, Label

_MOST_SHIFT = 20.0
_SHOWN_CHARACTERS = 160
_EXPORTS = ("html", "csv", "docx")


def add_command(commands: Any) -> None:
    """Add ``flag`` to the parser."""
    parser = commands.add_parser("flag", help="find the risky clauses of a contract, or of a folder of contracts")
    parser.add_argument(
        "contract", type=input_path("its name"), metavar="CONTRACT_OR_FOLDER", help="PDF, DOCX, Markdown, HTML or text"
    )
    parser.add_argument("--adapter", metavar="NAME", help="adapter that judges (default: the active one)")
    parser.add_argument("--labels", metavar="A,B", help="labels to flag, or `all` (default: the liabilities)")
    parser.add_argument(
        "--shift",
        type=shift,
        default=0.0,
        metavar="X",
        help="move all thresholds by X log-odds: below 0 misses less, above 0 flags only what is surer (default: 0)",
    )
    parser.add_argument(
        "--side",
        metavar="SIDE",
        help="whose side you are on (customer, client, tenant, licensee, supplier, consultant, landlord, licensor): "
        "risks turn with it, and what deviates from its playbook comes first",
    )
    parser.add_argument(
        "--playbook",
        type=input_path("its name"),
        metavar="FILE",
        help="with --side: a playbook of your own, TOML or JSON (default: the one that ships)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--html", type=output_file, metavar="OUT", help="write a report")
    parser.add_argument("--csv", type=output_file, metavar="OUT", help="write a table, a row a flag")
    parser.add_argument("--docx", type=output_file, metavar="OUT", help="write a Word file with a comment a flag")
    parser.add_argument(
        "--out",
        type=output_folder,
        metavar="DIR",
        help="of a folder: where JSON, HTML and CSV of each contract and summary.csv go; resumable",
    )
    parser.add_argument("--no-evidence", action="store_true", help="leave out the similar annotated clauses")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="of a folder: processes (default: one a processor core)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Flag, print or write what was asked for, and return the JSON object.

    Raises:
        PlaygroundError: the contract, the adapter or an option cannot be used; no contract of a folder could be.
    """
    if not arguments.contract.exists():
        raise DocumentError(f"There is no file or folder {arguments.contract}. Check its name.")
    if arguments.contract.is_dir():
        return _run_folder(arguments)
    if arguments.out is not None or arguments.workers is not None:
        raise PlaygroundError("--out and --workers are for a folder of contracts. Use --html, --csv or --docx.")
    return _run_one(arguments)


def load_evidence() -> Evidence:
    """Load the embedding model and what finds similar clauses among those written for the project.

    Raises:
        ModelError: the model cannot be fetched or loaded.
        AnnotationError: the clauses cannot be read.
    """
    from playground.flagging.similar_clauses import load_written_evidence
    from scenarios.contract_clauses import scenario

    names = [label.name for label in scenario.labels()]
    return load_written_evidence(CLAUSES, names, loading.load_embedder())


def _load_model(stored: Any, threads: int | None) -> ClauseModel:
    from playground.flagging.loading import load_flagger

    with loading.fetch_progress() as on_progress:
        return load_flagger(stored, threads=threads, on_progress=on_progress)


def job_of(arguments: argparse.Namespace) -> FlagJob:
    """Return how contracts are flagged under these arguments; the note of the adapter store goes to standard error.

    Raises:
        AdapterError: there is no such adapter, or it does not fit.
        AnnotationError: there is no such label.
    """
    from playground.flagging.files import FlagJob, FlagSettings
    from playground.flagging.loading import check_flagger, chosen_adapter
    from scenarios.contract_clauses import scenario

    catalogue = _catalogue(arguments, scenario)
    stored, note = chosen_adapter(paths.SHIPPED_ADAPTERS, arguments.adapter)
    if note:
        print(f"note: {one_line(note)}", file=sys.stderr)
    check_flagger(stored)
    shown = _labels(arguments.labels, stored.manifest.labels, scenario)
    return FlagJob(
        load_model=functools.partial(_load_model, stored),
        load_evidence=load_evidence,
        catalogue=catalogue,
        settings=FlagSettings(arguments.shift, shown, evidence=not arguments.no_evidence),
        adapter=stored.identity,
    )


def _catalogue(arguments: argparse.Namespace, scenario: Any) -> dict[str, Label]:
    """Return every label by name, as the side of ``--side`` sees it."""
    from playground.flagging.playbook import for_side, load_playbook

    catalogue = {label.name: label for label in scenario.labels()}
    side, file = getattr(arguments, "side", None), getattr(arguments, "playbook", None)
    if side is None:
        if file is not None:
            raise PlaygroundError("--playbook needs a side. Say whose side you are on with --side.")
        return catalogue
    playbook = load_playbook(file, catalogue) if file is not None else scenario.playbook()
    return for_side(catalogue, playbook, side.strip().lower())


def _run_one(arguments: argparse.Namespace) -> dict[str, object]:
    from playground.flagging.files import flag_one, read_contract
    from playground.flagging.files.pool import available_cores
    from playground.flagging.report import flag_report_json

    data, document = read_contract(arguments.contract)
    job = job_of(arguments)
    # Only these three show evidence, and it needs a second model.
    shows_evidence = arguments.json or arguments.html is not None or arguments.csv is not None
    evidence = job.evidence if shows_evidence else None
    model = job.load_model(available_cores())
    line = ProgressLine()
    try:
        result = flag_one(document, model, evidence, job, lambda share: line.show("judging clauses", share))
    finally:
        line.close()
    written = _write_exports(arguments, data, result, job)
    if not arguments.json:
        if not written:
            _print_flags(result, job)
        for path in written:
            print(f"wrote {path}")
        print(_stamp(result, job))
        for note in result.notes:
            print(f"note: {one_line(note)}", file=sys.stderr)
    return flag_report_json(result, job.catalogue)


def _write_exports(arguments: argparse.Namespace, data: bytes, result: FlaggedContract, job: FlagJob) -> list[Path]:
    from playground.atomic import replace_file
    from playground.flagging.files import report_html
    from playground.flagging.report import commented_docx, flag_report_csv

    written = []
    for kind in _EXPORTS:
        path = getattr(arguments, kind)
        if path is None:
            continue
        if kind == "html":
            content = report_html(result, job).encode("utf-8", "replace")
        elif kind == "csv":
            content = flag_report_csv(result, job.catalogue)
        else:
            commented = commented_docx(data, result, job.catalogue)
            content = commented.data
            if commented.note:
                print(f"note: {one_line(commented.note)}", file=sys.stderr)
        try:
            replace_file(path, content)
        except OSError as error:
            raise DocumentError(
                f"{path} cannot be written ({error.strerror or error}). Choose another place or free some space."
            ) from error
        written.append(path)
    return written


def _run_folder(arguments: argparse.Namespace) -> dict[str, object]:
    from playground.flagging.files import contract_paths, default_workers, flag_folder
    from playground.flagging.files.folder import SUMMARY_FILE, write_summary

    given = [f"--{kind}" for kind in _EXPORTS if getattr(arguments, kind) is not None]
    if given:
        raise PlaygroundError(f"{given[0]} is for one contract. For a folder, --out DIR writes HTML, CSV and JSON.")
    if arguments.out is None:
        raise PlaygroundError("Where shall the results of the folder go? Name a folder for them with --out DIR.")
    paths, others = contract_paths(arguments.contract)
    job = job_of(arguments)
    for name in others:
        print(f"note: {one_line(name)} is left out: no contract by its type or name", file=sys.stderr)
    workers = arguments.workers or default_workers(len(paths))
    outcomes: list[FileOutcome] = []
    line = ProgressLine()
    runs = flag_folder(paths, job, arguments.out, workers)
    try:
        for progress in runs:
            outcomes.append(progress.last)
            if progress.last.error:
                line.note(one_line(f"{progress.last.name}: {progress.last.error}"))
            line.show(
                "contracts",
                progress.done / progress.total,
                f"{progress.done} of {progress.total}, {progress.last.name}",
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped after {len(outcomes)} of {len(paths)} contracts; their results are in {arguments.out}. Run the "
            "same command again to go on."
        ) from None
    finally:
        runs.close()  # type: ignore[attr-defined]
        line.close()
        if outcomes:
            write_summary(outcomes, arguments.out)
    failed = [outcome for outcome in outcomes if outcome.error]
    _list_failures(failed)
    if len(failed) == len(outcomes):
        raise DocumentError(f"None of the {len(outcomes)} contracts in {arguments.contract} could be flagged.")
    skipped = sum(outcome.skipped for outcome in outcomes)
    if not arguments.json:
        print(
            f"{len(outcomes) - len(failed)} of {len(outcomes)} contracts flagged ({skipped} of them before), "
            f"{len(failed)} failed. Results and {SUMMARY_FILE} are in {arguments.out}."
        )
    return _folder_object(arguments, outcomes, job)


def _list_failures(failed: Sequence[FileOutcome]) -> None:
    if failed:
        print(f"{len(failed)} not flagged:", file=sys.stderr)
    for outcome in failed:
        print(f"  {one_line(f'{outcome.name}: {outcome.error}')}", file=sys.stderr)


def _folder_object(arguments: argparse.Namespace, outcomes: Sequence[FileOutcome], job: FlagJob) -> dict[str, object]:
    return {
        "folder": str(arguments.contract),
        "out": str(arguments.out),
        "adapter": job.adapter,
        "contracts": [
            {
                "document": outcome.name,
                "state": "failed" if outcome.error else "skipped" if outcome.skipped else "flagged",
                "error": outcome.error or None,
                "result": None if outcome.error else f"{outcome.name}.json",
            }
            for outcome in sorted(outcomes, key=lambda one: one.name)
        ],
    }


def _labels(text: str | None, known: Sequence[str], scenario: Any) -> tuple[str, ...] | None:
    """Return the labels that ``--labels`` names; None for the liabilities."""
    if text is None:
        return None
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise PlaygroundError("No label was named. Use names of labels.json, separated by commas, or `all`.")
    if names == ["all"]:
        return tuple(known)
    chosen = [name if name in known else scenario.label(name).name for name in names]
    if absent := [name for name in chosen if name not in known]:
        raise PlaygroundError(
            f"The adapter was not trained on {absent[0]!r}. It knows: {', '.join(known)}. Choose of these, or another "
            "adapter."
        )
    return tuple(chosen)


def shift(text: str) -> float:
    """Read by how many log-odds thresholds move, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -_MOST_SHIFT <= value <= _MOST_SHIFT:
        raise argparse.ArgumentTypeError(f"it must be a number from {-_MOST_SHIFT:g} to {_MOST_SHIFT:g}")
    return value


def _print_flags(result: FlaggedContract, job: FlagJob) -> None:
    from playground.clauses.contract_kind import CONTRACT_KINDS, kind_sentence
    from playground.flagging.report import deviates, missing_labels, missing_wanted, report_rows, side_of
    from playground.flagging.report.rows import OVERLOOKS, place, sureness
    from playground.text.label_titles import label_title, label_titles

    for row in report_rows(result, job.catalogue):
        text = one_line(row.clause.text)
        cut = f"{text[:_SHOWN_CHARACTERS]}..." if len(text) > _SHOWN_CHARACTERS else text
        print(
            plain(
                f"{row.label.risk:<13} {sureness(row):>7}  {label_title(row.label.name)}, {one_line(place(row.clause))}"
            )
        )
        print(f'    "{cut}"')
        if row.label.stance and deviates(row):
            print(plain(f"    deviates from the playbook of the {row.label.stance.side}"))
            print(plain(f"    acceptable: {row.label.stance.acceptable} fallback: {row.label.stance.fallback}"))
    if not result.flags:
        print(f"No clause was flagged. {OVERLOOKS}")
    if missing := missing_labels(result):
        print(
            f"{kind_sentence(result.kind)} Usual in {CONTRACT_KINDS[result.kind]}, not found: {label_titles(missing)}"
        )
        print(f"{kind_sentence(result.kind)} Usual in {CONTRACT_KINDS[result.kind]}, not found: {', '.join(missing)}")
    if wanted := missing_wanted(result, job.catalogue):
        side = side_of(job.catalogue)
        print(plain(f"Wanted by the {side}, not found: {', '.join(label.name for label in wanted)}"))


def _stamp(result: FlaggedContract, job: FlagJob) -> str:
    parts = [
        *(result.model_id, job.adapter or "no adapter"),
        f"{result.document.source} ({result.document.sha256[:8]})",
        f"{len(result.flags)} flags on {len(result.clauses)} clauses",
        f"judged in {seconds(result.timings.get('total_s'))}",
    ]
    return one_line(" · ".join(parts))
