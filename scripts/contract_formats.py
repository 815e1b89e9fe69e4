"""Parsed sources of contracts -> PDF, DOCX and plain text, and a PDF that is a picture of a page.

Dates are fixed and nothing depends on the machine, so two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
import textwrap
from typing import Any

from scripts.build_sample_policies import FIXED_DATE, with_fixed_dates
from scripts.contract_markup import Line, Runs, Source, accepted

_ROMAN = re.compile(r"\([ivx]+\)")
# Where a long word may be divided at a line end: before a suffix or after a prefix, as a typesetter would.
_DIVISION = re.compile(
    r"(?<=[a-z]{4})(?=(?:tion|sion|ment|ance|able|ness|ing|ity)s?\b)"
    r"|(?:(?<=\bcon)|(?<=\bper)|(?<=\bsub)|(?<=\bdis)|(?<=\bunder))(?=[b-df-hj-np-tvw][a-z]{4})"
)
# Levels of the automatic numbering: (format, pattern, legal). "Legal" writes the article's roman number in decimals.
_LEVELS = (
    ("upperRoman", "ARTICLE %1", False),
    ("decimal", "%1.%2", True),
    ("lowerLetter", "(%3)", False),
    ("lowerRoman", "(%4)", False),
)


def build_pdf(source: Source, *, font: str, size: float, align: str, mirrored: bool) -> bytes:
    """Return the contract as an A4 PDF: running heads, page numbers, numbers in a column, words divided at line ends.

    ``mirrored`` prints the heads of left and right pages in turn, else both halves stand on every page. Core fonts
    only, so the source must stay within Latin-1.
    """
    starts: dict[str, int] = {}
    # The first pass finds the pages that the table of contents of the second one prints.
    for _ in range(2):
        data, starts = _pdf_pass(source, starts, font=font, size=size, align=align, mirrored=mirrored)
    return data


def _pdf_pass(
    source: Source, starts: dict[str, int], *, font: str, size: float, align: str, mirrored: bool
) -> tuple[bytes, dict[str, int]]:
    from fpdf import FPDF

    left, _, right = source.settings["head"].partition(" | ")

    class Contract(FPDF):  # type: ignore[misc]  # fpdf is checked without its types
        def header(self) -> None:
            if self.page_no() == 1:
                return
            self.set_font(font, "I", 8.5)
            if mirrored:
                even = self.page_no() % 2 == 0
                self.cell(0, 6, left if even else right, align="L" if even else "R", new_x="LMARGIN", new_y="NEXT")
            else:
                self.cell(100, 6, left)
                self.cell(0, 6, right, align="R", new_x="LMARGIN", new_y="NEXT")
            self.ln(4)

        def footer(self) -> None:
            self.set_y(-16)
            self.set_font(font, "", 8.5)
            if mirrored:
                self.cell(0, 6, f"- {self.page_no()} -", align="C")
            else:
                self.cell(100, 6, source.settings["foot"])
                self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align="R")

    pdf = Contract(format="A4")
    pdf.set_compression(False)
    pdf.set_creation_date(FIXED_DATE)
    pdf.set_title(source.title)
    pdf.set_producer("scripts/build_sample_contracts.py")
    pdf.set_lang("en")
    pdf.set_margins(24, 18, 24)
    pdf.set_auto_page_break(True, margin=22)
    pdf.add_page()
    _PdfWriter(pdf, font, size, align, starts).write(source)
    pages = dict(pdf.heading_pages)
    return bytes(pdf.output()), pages


class _PdfWriter:
    """Writes the lines of a source on the pages of ``pdf``; notes the page of each heading."""

    def __init__(self, pdf: Any, font: str, size: float, align: str, starts: dict[str, int]) -> None:
        self.pdf, self.font, self.size, self.align, self.starts = pdf, font, size, align, starts
        self.pitch = size * 0.46
        pdf.heading_pages = []

    def write(self, source: Source) -> None:
        lines = list(source.lines)
        while lines:
            line = lines.pop(0)
            if line.kind == "row":
                rows = [line]
                while lines and lines[0].kind == "row":
                    rows.append(lines.pop(0))
                self._table(rows)
            elif line.text == "@columns":
                end = next(i for i, other in enumerate(lines) if other.text == "@end")
                self._columns(lines[:end])
                del lines[: end + 1]
            elif line.text == "@page":
                self.pdf.add_page()
            elif line.text == "@toc":
                self._contents(source)
            else:
                self._line(line)

    def _text(self, text: str, *, indent: float = 0, style: str = "", size: float = 0, align: str = "") -> None:
        self.pdf.set_font(self.font, style, size or self.size)
        self.pdf.set_x(self.pdf.l_margin + indent)
        soft = text if style else _DIVISION.sub("\u00ad", text)
        self.pdf.multi_cell(0, self.pitch, soft, align=align or self.align, new_x="LMARGIN", new_y="NEXT")

    def _line(self, line: Line) -> None:
        pdf = self.pdf
        if line.kind == "title":
            pdf.ln(14)
            self._text(line.text, style="B", size=17, align="C")
            pdf.ln(4)
        elif line.kind in ("heading", "subheading"):
            # A heading alone at the foot of a page would read as belonging to nothing.
            if pdf.will_page_break(20):
                pdf.add_page()
            pdf.ln(2.5)
            pdf.heading_pages.append((line.text, pdf.page_no()))
            self._text(line.text, style="B", size=self.size + (1.5 if line.kind == "heading" else 0), align="L")
        elif line.number:
            indent = 0 if line.number[1] in "1234567890.ABC" else 20 if _ROMAN.fullmatch(line.number) else 12
            if pdf.will_page_break(self.pitch):
                pdf.add_page()
            pdf.set_font(self.font, "", self.size)
            pdf.set_x(pdf.l_margin + indent)
            pdf.cell(12, self.pitch, line.number)
            self._text(line.text, indent=indent + 12)
        else:
            self._text(line.text, align="C" if line.kind == "centred" else "")
        pdf.ln(1.6)

    def _contents(self, source: Source) -> None:
        self.pdf.set_font(self.font, "", self.size)
        for line in source.lines:
            if line.kind == "heading" and line.text != "Contents":
                width = self.pdf.epw - 12 - self.pdf.get_string_width(line.text + " ")
                dots = "." * int(width / self.pdf.get_string_width("."))
                self.pdf.cell(self.pdf.epw - 12, 6, f"{line.text} {dots}")
                self.pdf.cell(0, 6, str(self.starts.get(line.text, 0)), align="R", new_x="LMARGIN", new_y="NEXT")

    def _table(self, rows: list[Line]) -> None:
        self.pdf.set_font(self.font, "", self.size - 0.5)
        self.pdf.ln(1)
        with self.pdf.table(text_align="LEFT", line_height=self.pitch + 0.6, padding=1) as table:
            for line in rows:
                table.row([accepted(cell) for cell in line.cells])
        self.pdf.ln(3)

    def _columns(self, lines: list[Line]) -> None:
        self.pdf.set_font(self.font, "", self.size - 0.5)
        gap = self.pitch * 0.7
        with self.pdf.text_columns(text_align=self.align, ncols=2, gutter=9, balance=True) as columns:
            for line in lines:
                with columns.paragraph(text_align=self.align, bottom_margin=gap) as paragraph:
                    paragraph.write(_DIVISION.sub("\u00ad", line.text))
        self.pdf.ln(3)


def build_docx(source: Source, *, automatic: bool, author: str) -> bytes:
    """Return the contract as a DOCX with headings, tables and tracked changes.

    ``automatic`` lets Word count articles, sections and items; otherwise their numbers are typed, with a tab.
    """
    import docx

    document = docx.Document()
    properties = document.core_properties
    properties.created = properties.modified = FIXED_DATE.replace(tzinfo=None)
    properties.author = properties.last_modified_by = author
    properties.title = source.title
    if automatic:
        _add_numbering(document)
    table: Any = None
    for line in source.lines:
        if line.kind == "row":
            table = table or document.add_table(rows=0, cols=len(line.cells), style="Table Grid")
            for cell, runs in zip(table.add_row().cells, line.cells, strict=True):
                _add_runs(cell.paragraphs[0], runs, author)
            continue
        table = None
        if line.text == "@page":
            document.add_page_break()
            continue
        styles = {"title": "Title", "heading": "Heading 1", "subheading": "Heading 2"}
        paragraph = document.add_paragraph(style=styles.get(line.kind, "Normal"))
        runs = line.cells[0]
        if line.number and automatic:
            _number(paragraph, line.number)
        elif line.number:
            runs = ((f"{line.number}\t", ""), *runs)
        _add_runs(paragraph, runs, author)
    packed = io.BytesIO()
    document.save(packed)
    return with_fixed_dates(packed.getvalue())


def _add_numbering(document: Any) -> None:
    """Define the multilevel list, as Word's own "legal" templates do: list 90 counts articles, sections and items."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    levels = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{number_format}"/>'
        f'{"<w:isLgl/>" if legal else ""}<w:suff w:val="tab"/><w:lvlText w:val="{pattern}"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:ind w:left="{360 * max(depth, 1)}" w:hanging="360"/></w:pPr></w:lvl>'
        for depth, (number_format, pattern, legal) in enumerate(_LEVELS)
    )
    numbering = document.part.numbering_part.element
    numbering.insert(
        0,
        parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>{levels}'
            "</w:abstractNum>"
        ),
    )
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))


def _number(paragraph: Any, number: str) -> None:
    depth = 0 if number.startswith("A") else 1 if number[0].isdigit() else 3 if _ROMAN.fullmatch(number) else 2
    properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    properties.get_or_add_ilvl().val = depth
    properties.get_or_add_numId().val = 90


def _add_runs(paragraph: Any, runs: Runs, author: str) -> None:
    """Write runs, the changed ones inside ``w:ins`` or ``w:del`` as Word does when it tracks changes."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def mark(tag: str) -> Any:
        element = OxmlElement(f"w:{tag}")
        element.set(qn("w:id"), "1")
        element.set(qn("w:author"), author)
        element.set(qn("w:date"), FIXED_DATE.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return element

    for text, change in runs:
        run = paragraph.add_run(text)._r
        if not change:
            continue
        wrapper = mark(change)
        run.addprevious(wrapper)
        wrapper.append(run)
        if change == "del":
            for part in run.findall(qn("w:t")):
                part.tag = qn("w:delText")
    changes = {change for _, change in runs}
    if len(changes) == 1 and changes != {""}:  # the paragraph's own end is part of the change
        properties = OxmlElement("w:rPr")
        properties.append(mark(changes.pop()))
        paragraph._p.get_or_add_pPr().append(properties)


def build_text(source: Source, *, width: int = 76) -> bytes:
    """Return the contract as UTF-8 text wrapped by hand, numbers hanging, table columns aligned with spaces."""
    parts: list[str] = []
    widths: list[int] = []
    for position, line in enumerate(source.lines):
        if line.kind == "row":
            rows = [other for other in source.lines[position:] if other.kind == "row"]
            widths = widths or [max(len(accepted(row.cells[i])) for row in rows) for i in range(len(line.cells))]
            row = "    ".join(accepted(cell).ljust(size) for cell, size in zip(line.cells, widths, strict=True))
            parts.append(("\n" if source.lines[position - 1].kind != "row" else "") + row.rstrip())
            continue
        before = " " * (5 if line.number.startswith("(") and line.number[1].islower() else 0)
        first = f"{before}{line.number:<4} " if line.number else ""
        wrapped = textwrap.fill(
            line.text,
            width,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        # The lines of a signature block stand close together.
        gap = "" if re.match(r"(Signature|Name|Title|Date): ", line.text) else "\n"
        parts.append(gap + (line.text.center(width).rstrip() if line.kind == "title" else wrapped))
    return ("\n".join(parts).strip("\n") + "\n").encode("utf-8")


def build_scan(source: Source) -> bytes:
    """Return a PDF whose one page is a picture: black and white, a little askew, with specks, as from a scanner."""
    from fpdf import FPDF
    from PIL import Image, ImageDraw, ImageFont

    width, height, margin = 1240, 1754, 150  # A4 at 150 dots per inch
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    y = 150.0
    for line in source.lines:
        font = ImageFont.load_default(26 if line.kind == "title" else 21)
        text = f"{line.number} {line.text}".strip()
        for part in textwrap.wrap(text, 84):
            length = draw.textlength(part, font=font)
            x = (width - length) / 2 if line.kind in ("title", "centred") else margin
            draw.text((x, y), part, fill=20, font=font)
            y += 31
        y += 17
    page = page.rotate(0.5, resample=Image.Resampling.BICUBIC, fillcolor=255)
    specks = random.Random(12)  # dirt on the glass, not a secret
    for _ in range(350):
        page.putpixel((specks.randrange(width), specks.randrange(height)), 0)
    pdf = FPDF(format="A4")
    pdf.set_creation_date(FIXED_DATE)
    pdf.set_title(source.title)
    # Says which text the picture shows: two pictures that differ in one figure are too alike to tell apart safely.
    text = "\n".join(line.number + line.text for line in source.lines)
    pdf.set_subject(f"sha256 {hashlib.sha256(text.encode('utf-8')).hexdigest()}")
    pdf.set_producer("scripts/build_sample_contracts.py")
    pdf.add_page()
    pdf.image(page.point(lambda value: 255 * (value > 140)).convert("L"), 0, 0, pdf.w, pdf.h)
    return bytes(pdf.output())
