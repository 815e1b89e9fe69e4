"""Build the sample policies that are not plain text: one PDF and one DOCX, each from a Markdown source.

    python scripts/build_sample_policies.py            write data/policies/*.pdf and *.docx
    python scripts/build_sample_policies.py --check    exit 1 when a file is stale; print the question counts

The sources in data/policies/sources/ are what a person edits. Dates inside the files are fixed, so two runs on one
machine give the same bytes and a changed file in a commit means a changed policy.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from playground.paths import POLICIES, ROOT

SOURCES = POLICIES / "sources"
QUESTIONS = ROOT / "scenarios" / "return_policy" / "questions.jsonl"
FIXED_DATE = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)

Kind = Literal["title", "heading", "paragraph", "bullet", "number", "row"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a source. ``cells`` is filled for table rows only; ``text`` is without Markdown marks."""

    kind: Kind
    text: str
    cells: tuple[str, ...] = ()


def parse_source(source: str) -> Iterator[Line]:
    """Yield the lines of the small Markdown subset that the sources use (one paragraph is one line)."""
    for raw in source.splitlines():
        line = raw.strip()
        if not line or re.fullmatch(r"[|\s:-]+", line):
            continue
        if line.startswith("|"):
            cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
            yield Line("row", " ".join(cells), cells)
        elif match := re.match(r"(# |## |- |\d+\. )(.*)", line):
            kinds: dict[str, Kind] = {"# ": "title", "## ": "heading", "- ": "bullet"}
            yield Line(kinds.get(match[1], "number"), match[2])
        else:
            yield Line("paragraph", line)


def build_pdf(source: str) -> bytes:
    """Return the terms as an A4 PDF with a running head and page numbers.

    Clause numbers ("1.1", "(a)") stand in a column of their own, as in printed terms. Core fonts only, so the
    source must stay within Latin-1.
    """
    from fpdf import FPDF

    lines = list(parse_source(source))
    title = next(line.text for line in lines if line.kind == "title")

    class Terms(FPDF):  # type: ignore[misc]  # fpdf is checked without its types
        def header(self) -> None:
            self.set_font("Times", "I", 9)
            self.cell(120, 6, f"Voltara Electronics B.V. - {title}")
            self.cell(0, 6, "Version 4.2", align="R", new_x="LMARGIN", new_y="NEXT")
            self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
            self.ln(5)

        def footer(self) -> None:
            self.set_y(-16)
            self.set_font("Times", "", 9)
            self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align="C")

    pdf = Terms(format="A4")
    pdf.set_compression(False)
    pdf.set_creation_date(FIXED_DATE)
    pdf.set_title(title)
    pdf.set_author("Voltara Electronics B.V.")
    pdf.set_producer("scripts/build_sample_policies.py")
    pdf.set_lang("en")
    pdf.set_margins(25, 18, 25)
    pdf.set_auto_page_break(True, margin=24)
    pdf.add_page()

    def write(text: str, *, indent: float = 0, style: str = "", size: float = 10.5, align: str = "J") -> None:
        pdf.set_font("Times", style, size)
        pdf.set_x(pdf.l_margin + indent)
        pdf.multi_cell(0, 5, text, align=align, new_x="LMARGIN", new_y="NEXT")

    for line in lines:
        clause = re.match(r"(\d+\.\d+|\([a-z]\)) (.*)", line.text)
        if line.kind == "title":
            write(line.text, style="B", size=16, align="C")
        elif line.kind == "heading":
            # A heading alone at the foot of a page would read as belonging to nothing.
            if pdf.will_page_break(22):
                pdf.add_page()
            pdf.ln(3)
            write(line.text, style="B", size=11.5, align="L")
        elif clause:
            left = 0 if clause[1][0].isdigit() else 11
            if pdf.will_page_break(5):
                pdf.add_page()
            pdf.set_font("Times", "", 10.5)
            pdf.set_x(pdf.l_margin + left)
            pdf.cell(11, 5, clause[1])
            write(clause[2], indent=left + 11)
        else:
            write(line.text, align="C")
        pdf.ln(1.5)
    return bytes(pdf.output())


def build_docx(source: str) -> bytes:
    """Return the conditions as a DOCX with real headings, lists and a table whose first row is a header row."""
    import docx
    from docx.oxml import OxmlElement

    document = docx.Document()
    document.core_properties.created = document.core_properties.modified = FIXED_DATE.replace(tzinfo=None)
    document.core_properties.author = document.core_properties.last_modified_by = "Maison Lune"
    styles = {"paragraph": "Normal", "bullet": "List Bullet", "number": "List Number"}
    table: Any = None
    for line in parse_source(source):
        if line.kind == "row":
            if table is None:
                table = document.add_table(rows=0, cols=len(line.cells), style="Table Grid")
            row = table.add_row()
            if len(table.rows) == 1:
                row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
            for cell, text in zip(row.cells, line.cells, strict=True):
                cell.text = text
                if len(table.rows) == 1:
                    cell.paragraphs[0].runs[0].bold = True
            continue
        table = None
        if line.kind == "title":
            document.core_properties.title = line.text
            document.add_heading(line.text, level=0)
        elif line.kind == "heading":
            document.add_heading(line.text, level=1)
        else:
            document.add_paragraph(line.text, style=styles[line.kind])
    packed = io.BytesIO()
    document.save(packed)
    return with_fixed_dates(packed.getvalue())


def with_fixed_dates(archive: bytes) -> bytes:
    """Return a Word file whose members bear one date: python-docx stamps them with the time of the run."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, date_time=FIXED_DATE.timetuple()[:6])
            member.create_system = 3  # the default differs between Windows and Unix
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return packed.getvalue()


BUILDERS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "voltara-electronics.pdf": ("voltara-electronics.md", build_pdf),
    "maison-lune-fashion.docx": ("maison-lune-fashion.md", build_docx),
}


def build(name: str) -> bytes:
    """Return the bytes of the sample policy ``name``, built from its source."""
    source, builder = BUILDERS[name]
    return builder((SOURCES / source).read_text(encoding="utf-8"))


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return what must be equal for two built files to be the same: zlib may pack the same content differently."""
    if not data.startswith(b"PK"):
        return {"": data}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def stale_files() -> list[str]:
    """Return the names of the built policies that are missing or differ from what their source gives now."""
    stale = []
    for name in BUILDERS:
        path = POLICIES / name
        if not path.is_file() or unpacked(path.read_bytes()) != unpacked(build(name)):
            stale.append(name)
    return stale


def count_table(rows: list[dict[str, Any]]) -> str:
    """Return a plain-text table of question counts: a line per policy, a column per tag, totals last."""
    tags = sorted({tag for row in rows for tag in row["tags"]})
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for policy in (row["policy"], "total"):
            counts.setdefault(policy, Counter()).update(["all", *row["tags"]])
    columns = ["all", *tags]
    policies = [*(policy for policy in counts if policy != "total"), "total"]
    width = max(len(policy) for policy in policies)
    head = " ".join([" " * width, *columns])
    body = [
        " ".join([policy.ljust(width), *(str(counts[policy][column]).rjust(len(column)) for column in columns)])
        for policy in policies
    ]
    return "\n".join([head, *body])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="build nothing; compare and count")
    if parser.parse_args().check:
        rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
        print(count_table(rows))
        for name in stale_files():
            print(f"{name} is stale: run python scripts/build_sample_policies.py", file=sys.stderr)
        return 1 if stale_files() else 0
    for name in BUILDERS:
        (POLICIES / name).write_bytes(build(name))
        print(f"wrote data/policies/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
