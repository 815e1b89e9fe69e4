"""``models list`` and ``models fetch``: what the app brings with it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from playground.cli import loading
from playground.errors import BundleError, ModelError
from playground.text.terminal import one_line


def add_command(commands: Any) -> None:
    """Add ``models`` to the parser."""
    parser = commands.add_parser("models", help="list or fetch the bundled models")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what there is, and whether it is here")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    listing.set_defaults(run=run_list)
    fetching = actions.add_parser("fetch", help="fetch everything the app needs; afterwards it needs no network")
    fetching.add_argument(
        "sizes",
        nargs="*",
        metavar="SIZE",
        help="also the larger model that answers: medium (491 MB) or large (1,117 MB)",
    )
    fetching.set_defaults(run=run_fetch)


def run_list(arguments: argparse.Namespace) -> dict[str, object]:
    """List the bundled models; present means that every file is there with the right hash."""
    from playground.models.bundled import bundle_folder, is_present
    from playground.models.catalog import ALL_BUNDLES

    rows = [
        {
            "id": bundle.id,
            "title": bundle.title,
            "where": str(bundle_folder(bundle)),
            "present": is_present(bundle),
            "size_bytes": sum(file.size_bytes for file in bundle.files),
            "licence": bundle.licence,
        }
        for bundle in ALL_BUNDLES
    ]
    if not arguments.json:
        for row in rows:
            state = "present" if row["present"] else "not fetched"
            print(f"{row['id']:<28}{state:<13}{_megabytes(row['size_bytes']):>8}  {row['licence']:<12}{row['title']}")
            print(f"{'':<28}{row['where']}")
        print("\nOne that answers: --model small, medium or large.")
        print("Other models: --model endpoint (OPENAI_BASE_URL, OPENAI_MODEL), a Hugging Face id or a local folder.")
    return {"models": rows}


def run_fetch(arguments: argparse.Namespace) -> None:
    """Fetch and verify the bundled models; one that the app can do without may be missing from the index.

    Raises:
        ModelError: a size is asked for that there is not.
    """
    from playground.models.bundled import ensure_bundle
    from playground.models.catalog import BUNDLES, LANGUAGE_MODELS

    if unknown := [size for size in arguments.sizes if size not in LANGUAGE_MODELS]:
        raise ModelError(f"There is no model of size {unknown[0]!r}. Use {', '.join(LANGUAGE_MODELS)}.")
    wanted = dict.fromkeys((*BUNDLES, *(LANGUAGE_MODELS[size] for size in arguments.sizes)))

    folders, missing = {}, []
    with loading.fetch_progress() as on_progress:
        for bundle in wanted:
            try:
                folders[bundle.title] = ensure_bundle(bundle, on_progress)
            except BundleError as error:
                if not bundle.without_it:
                    raise
                missing.append(f"{error} {bundle.without_it}")
    for title, folder in folders.items():
        print(f"{title}: ready in {folder}")
    for sentence in missing:
        print(one_line(sentence), file=sys.stderr)


def _megabytes(size_bytes: object) -> str:
    return f"{int(str(size_bytes)) / 1e6:.0f} MB"
