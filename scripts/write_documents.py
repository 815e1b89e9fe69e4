"""Write the generated parts of the documents: figures, the commands' arguments, what ships.

    python scripts/write_documents.py            (or: make docs)
    python scripts/write_documents.py --check    (in make check)

A document says between cog's marks which function fills the part. With --check nothing is written: a part that
differs from what the files hold, or a figure that stands by hand, is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from cogapp import Cog

from playground.paths import ROOT

if str(ROOT) not in sys.path:  # run as a script, only its own folder is
    sys.path.insert(0, str(ROOT))

from scripts.document_figures import complaints, read_allowed

DATED = ("docs/experiments.md", "docs/decisions")
"""Logs: what they say was so on their day."""
_PROLOGUE = (
    "from cog import outl; from scripts.document_commands import commands; "
    "from scripts.measurements import answers, contracts, machines"
)


def documents(root: Path = ROOT) -> list[Path]:
    """Return the documents for people: those of the root and of docs/, and the pages of scenarios and of data.

    The cards of adapters are left out: their training writes them, and manifests hold their hashes.
    """
    patterns = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/decisions/*.md", "scenarios/*/README.md")
    return sorted(path for pattern in (*patterns, "data/*/README.md") for path in root.glob(pattern))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated parts, or check them; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is wrong")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the documents (default: this project)")
    options = parser.parse_args(arguments)
    found = documents(options.root)
    wrong = generated_parts_wrong([path for path in found if "[[[cog" in path.read_text("utf-8")], check=options.check)
    names = {path: path.relative_to(options.root).as_posix() for path in found}
    undated = {name: path.read_text("utf-8") for path, name in names.items() if not name.startswith(DATED)}
    wrong += complaints(undated, read_allowed(options.root))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def generated_parts_wrong(paths: Sequence[Path], *, check: bool) -> list[str]:
    """Write the generated parts of ``paths``, or compare them, and return what is wrong with them."""
    said = io.StringIO()
    mode = ["--check", "--diff"] if check else ["-r"]
    with contextlib.redirect_stdout(said):
        code = Cog().main(["cog", *mode, "-p", _PROLOGUE, "-n", "UTF-8", *map(str, paths)])
    if code == 0:
        return []
    return [f"{said.getvalue().strip()}\nThe generated parts are not what the files hold. Run `make docs`."]


if __name__ == "__main__":
    raise SystemExit(main())
