"""Build the sample contracts and their gold annotation, each from a marked-up source.

    python scripts/build_sample_contracts.py            write data/contracts/*.pdf, *.docx, *.txt and gold.json
    python scripts/build_sample_contracts.py --check    exit 1 when a file is stale

The sources in data/contracts/sources/ are what a person edits; contract_markup.py says how they are written. The gold
annotation is part of them, so it cannot fall behind the text.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO

from playground.paths import CONTRACTS, ROOT

if str(ROOT) not in sys.path:  # run as a script, only this folder is on the path
    sys.path.insert(0, str(ROOT))

from scripts.contract_formats import build_docx, build_pdf, build_scan, build_text
from scripts.contract_markup import Source, parse_source, with_typographic_quotes

SOURCES = CONTRACTS / "sources"
SCAN = "scan-only.pdf"
MAX_PICTURE_DIFFERENCE = 0.01  # mean over the pixels; a sentence more or less makes 0.014

BUILDERS: dict[str, tuple[str, Callable[[Source], bytes]]] = {
    "services-agreement.pdf": (
        "services-agreement.md",
        partial(build_pdf, font="Times", size=11, align="J", mirrored=False),
    ),
    "software-licence.docx": (
        "software-licence.md",
        partial(build_docx, automatic=True, author="Quillmere Systems, Inc."),
    ),
    "lease.docx": ("lease.md", partial(build_docx, automatic=False, author="Counsel for Landlord")),
    "nda.txt": ("nda.md", build_text),
    "distribution-agreement.pdf": (
        "distribution-agreement.md",
        partial(build_pdf, font="Helvetica", size=10, align="L", mirrored=True),
    ),
    SCAN: ("scan-only.md", build_scan),
}


def load_source(name: str) -> Source:
    """Return the parsed source of the sample contract ``name``."""
    text = (SOURCES / BUILDERS[name][0]).read_text(encoding="utf-8")
    # Word sets curly quotes; the core fonts of a PDF and a plain text keep the straight ones.
    return parse_source(with_typographic_quotes(text) if name.endswith(".docx") else text)


def build(name: str) -> bytes:
    """Return the bytes of the sample contract ``name``, built from its source."""
    return BUILDERS[name][1](load_source(name))


def build_gold() -> str:
    """Return the gold annotation as JSON: per file the annotated clauses, and the labels absent on purpose.

    ``text`` is as in the extracted text, each run of white space one space; a stretch with two labels stands twice.
    """
    gold = {}
    for name in BUILDERS:
        if name == SCAN:
            continue
        source = load_source(name)
        clauses = [{"label": label, "text": text} for label, text in source.gold]
        gold[name] = {"clauses": clauses, "missing": source.settings["missing"].split("; ")}
    return json.dumps(gold, ensure_ascii=False, indent=1) + "\n"


def content(data: bytes) -> dict[str, bytes]:
    """Return what must be equal for two built files to be the same: zlib may pack the same content differently."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return {"": data}


def shows_the_same(scan: bytes, other: bytes) -> bool:
    """Whether two scans name the same text and look alike at 72 dots per inch.

    Not whether their bytes are equal: another version of FreeType draws the letters a little differently.
    """
    import pypdfium2
    from PIL import ImageChops, ImageStat

    first, second = pypdfium2.PdfDocument(scan), pypdfium2.PdfDocument(other)
    if first.get_metadata_value("Subject") != second.get_metadata_value("Subject"):
        return False
    pictures = [document[0].render(grayscale=True).to_pil() for document in (first, second)]
    difference: float = ImageStat.Stat(ImageChops.difference(*pictures)).mean[0] / 255
    return difference < MAX_PICTURE_DIFFERENCE


def is_current(name: str, data: bytes, built: bytes) -> bool:
    """Whether the file ``name`` with the bytes ``data`` is the same as the one ``built`` from its source now."""
    return shows_the_same(data, built) if name == SCAN else content(data) == content(built)


def stale_files() -> list[str]:
    """Return the names of the files that are missing or differ from what their source gives now."""
    stale = []
    for name in BUILDERS:
        path = CONTRACTS / name
        if not path.is_file() or not is_current(name, path.read_bytes(), build(name)):
            stale.append(name)
    path = CONTRACTS / "gold.json"
    if not path.is_file() or path.read_text(encoding="utf-8") != build_gold():
        stale.append("gold.json")
    return stale


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="build nothing; compare")
    if parser.parse_args().check:
        stale = stale_files()
        for name in stale:
            print(f"{name} is stale: run python scripts/build_sample_contracts.py", file=sys.stderr)
        return 1 if stale else 0
    for name in BUILDERS:
        (CONTRACTS / name).write_bytes(build(name))
        print(f"wrote data/contracts/{name}")
    (CONTRACTS / "gold.json").write_text(build_gold(), encoding="utf-8")
    print("wrote data/contracts/gold.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
