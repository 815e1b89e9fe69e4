"""``adapters``: list, activate, export, import and delete trained adapters."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from playground.cli import loading
from playground.cli.arguments import input_path, output_file
from playground.errors import AdapterError
from playground.text.terminal import one_line


def add_command(commands: Any) -> None:
    """Add ``adapters`` to the parser."""
    parser = commands.add_parser("adapters", help="list, activate, export, import or delete trained adapters")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what there is, how good it is, which one is active")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(run=run_list)
    for name, run, text in (
        ("activate", run_activate, "use this adapter from now on"),
        ("delete", run_delete, "remove one of your adapters for good"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", metavar="NAME")
        action.set_defaults(run=run)
    export = actions.add_parser("export", help="write an adapter as one zip file, or as a server takes it")
    export.add_argument("name", metavar="NAME")
    export.add_argument("file", type=output_file, metavar="FILE", help="to write; it must not exist")
    export.add_argument(
        "--format",
        choices=("zip", "gguf", "merged", "peft"),
        default="zip",
        help="zip: for `import`; gguf: a file for llama.cpp; merged: a GGUF model of base and adapter, with a "
        "Modelfile for Ollama; peft: a folder for vLLM (default: zip)",
    )
    export.set_defaults(run=run_export)
    importing = actions.add_parser("import", help="check and take over a zip that `export` wrote")
    importing.add_argument("file", type=input_path("the path"), metavar="FILE")
    importing.add_argument("--name", metavar="NAME", help="instead of its own")
    importing.set_defaults(run=run_import)


def run_list(arguments: argparse.Namespace) -> dict[str, object]:
    """List the adapters, newest first; what is wrong with others goes to standard error."""
    from playground.adapters import TASKS

    store = loading.load_adapter_store()
    active = {task: store.active(task) for task in TASKS}
    rows = []
    for stored in store.list():
        manifest = stored.manifest
        chosen = active[manifest.task]
        test = manifest.metrics.get("test")
        score = test.get("micro_ap") if isinstance(test, dict) else None
        rows.append(
            {
                "name": stored.name,
                "identity": stored.identity,
                "task": manifest.task,
                "base": manifest.base_id,
                "labels": len(manifest.labels),
                "examples": manifest.data["examples"],
                "micro_ap": float(score) if isinstance(score, (int, float)) else None,
                "size_bytes": manifest.size_bytes,
                "created_at": manifest.created_at,
                "shipped": stored.shipped,
                "active": chosen is not None and chosen.identity == stored.identity,
            }
        )
    problems = store.problems()
    for problem in problems:
        print(f"note: {one_line(problem)}", file=sys.stderr)
    if not arguments.json:
        for row in rows:
            print(_line(row))
        print(
            "* is active" if rows else "There is no adapter yet. Train one: python -m playground train clauses --help"
        )
    return {"adapters": rows, "problems": list(problems)}


def _line(row: dict[str, Any]) -> str:
    score = "not measured" if row["micro_ap"] is None else f"micro AP {row['micro_ap']:.3f}"
    facts = [row["base"], f"{row['labels']} labels", f"{row['examples']} clauses", score]
    facts += [f"{row['size_bytes'] / 1e6:.1f} MB", row["created_at"], *(["shipped"] if row["shipped"] else [])]
    return one_line(f"{'*' if row['active'] else '-'} {row['identity']}  {', '.join(facts)}")


def run_activate(arguments: argparse.Namespace) -> None:
    """Make an adapter the one in use for its task."""
    from playground.flagging.loading import activate_adapter

    store = loading.load_adapter_store()
    stored = activate_adapter(store, arguments.name)
    print(f"{stored.identity} is active.")


def run_delete(arguments: argparse.Namespace) -> None:
    """Delete one of the user's adapters."""
    loading.load_adapter_store().delete(arguments.name)
    print(f"{one_line(arguments.name)} is deleted.")


def run_export(arguments: argparse.Namespace) -> None:
    """Write an adapter as a zip, or in the form that a server takes."""
    from playground.adapters.merged import export_merged
    from playground.adapters.served import export_gguf, export_peft
    from playground.atomic import write_new

    if arguments.format != "zip":
        stored = loading.load_adapter_store().get(arguments.name)
        if arguments.format == "peft":
            export_peft(stored, arguments.file)
        else:
            export_as = export_gguf if arguments.format == "gguf" else export_merged
            with loading.fetch_progress() as on_progress:
                export_as(stored, arguments.file, on_progress)
        print(f"{arguments.file}: {stored.identity}")
        return
    data = loading.load_adapter_store().export_zip(arguments.name)
    try:
        write_new(arguments.file, data)
    except FileExistsError as error:
        raise AdapterError(f"{arguments.file} exists already and is not overwritten. Choose another name.") from error
    except OSError as error:
        raise AdapterError(f"{arguments.file} could not be written ({error.strerror}).") from error
    print(f"{arguments.file}: {len(data) / 1e6:.1f} MB")


def run_import(arguments: argparse.Namespace) -> None:
    """Check a zip from anywhere and store what is in it."""
    from playground.adapters.archive import MAX_ARCHIVE_BYTES
    from playground.files import read_file
    from scenarios.contract_clauses.scenario import labels

    try:
        data = read_file(arguments.file, MAX_ARCHIVE_BYTES)
    except OSError as error:
        raise AdapterError(f"{arguments.file} cannot be read ({error.strerror}). Check the path.") from error
    known = {label.name for label in labels()}
    stored = loading.load_adapter_store().import_zip(data, arguments.name, known_labels=known)
    print(f"{stored.identity} is imported. Activate it: python -m playground adapters activate {stored.name}")
