"""PDFs made with fpdf2: pages, structure, running heads, hyphens, columns, tables, and every kind of bad PDF."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pypdfium2
import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.documents import Limits, load_document
from playground.documents.formats import pdf
from playground.errors import DocumentError
from playground.types import Document
from tests.support.document_checks import assert_sound, outline, refusal
from tests.support.pdf_by_hand import stream, text_at, write_pdf
from tests.support.scans import needs_ocr


class Policy(FPDF):
    """A document with a running head and page numbers."""

    def header(self) -> None:
        self.set_font("Helvetica", "I", 8)
        self.cell(0, 8, "ACME Shoes - return policy", align="R", new_x="LMARGIN", new_y="NEXT")

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", "I", 8)
        self.cell(0, 10, f"Page {self.page_no()} of {{nb}}", align="C")


def write(page: FPDF, text: str, *, size: float = 11, bold: bool = False, align: str = "L", width: float = 0) -> None:
    page.set_font("Helvetica", "B" if bold else "", size)
    page.multi_cell(width, size * 0.55, text, align=align, new_x="LMARGIN", new_y="NEXT")


def made(draw: Callable[[FPDF], None], page_class: type[FPDF] = FPDF) -> bytes:
    page = page_class()
    page.add_page()
    draw(page)
    return bytes(page.output())


def sentences(seed: int, count: int) -> str:
    words = "return refund item delivery customer within days original packaging label payment receipt".split()
    chooser = random.Random(seed)
    return " ".join(" ".join(chooser.choices(words, k=12)).capitalize() + "." for _ in range(count))


def draw_policy(page: FPDF) -> None:
    write(page, "Return policy", size=20, bold=True)
    for number, title in enumerate(("Windows", "Refunds", "Exchanges"), start=1):
        write(page, f"{number}. {title}", size=14, bold=True)
        write(page, f"{number}.1 Details of {title.lower()}", bold=True)
        for part in range(3):
            write(page, sentences(10 * number + part, 9), align="J")
            page.ln(3)
        write(page, "These items cannot be returned:")
        write(page, f"- {sentences(number, 2)}\n- Gift cards\n- Food")
        page.ln(3)


@pytest.fixture(scope="module")
def policy() -> Document:
    return load_document(made(draw_policy, Policy), "policy.pdf")


def test_structure(policy: Document) -> None:
    assert_sound(policy)
    assert policy.title == "Return policy"
    headings = [(level, text) for kind, level, text in outline(policy) if kind == "heading"]
    assert headings == [
        (1, "Return policy"),
        *(
            heading
            for n, title in enumerate(("Windows", "Refunds", "Exchanges"), start=1)
            for heading in ((2, f"{n}. {title}"), (4, f"{n}.1 Details of {title.lower()}"))
        ),
    ]
    paragraphs = [text for kind, _, text in outline(policy) if kind == "paragraph"]
    expected = [sentences(10 * n + part, 9) for n in (1, 2, 3) for part in range(3)]
    assert [text for text in paragraphs if not text.startswith("These")] == expected
    items = [text for kind, _, text in outline(policy) if kind == "list_item"]
    assert items == [f"- {sentences(1, 2)}", "- Gift cards", "- Food", f"- {sentences(2, 2)}", "- Gift cards", "- Food",
                     f"- {sentences(3, 2)}", "- Gift cards", "- Food"]  # fmt: skip


def test_running_heads_and_page_numbers_are_left_out(policy: Document) -> None:
    assert len(policy.page_starts) >= 2
    assert "ACME" not in policy.text
    assert "Page" not in policy.text


def test_pages_begin_where_their_first_words_are() -> None:
    def draw(page: FPDF) -> None:
        write(page, "Return policy", size=20, bold=True)
        for number in range(1, 5):
            write(page, f"Marker{number} opens page {number}. {sentences(number, 5)}")
            if number < 4:
                page.add_page()

    document = load_document(made(draw, Policy), "a.pdf")
    assert document.page_starts[0] == 0
    for number in (2, 3, 4):
        assert document.text.startswith(f"Marker{number}", document.page_starts[number - 1])
        assert document.page_at(document.page_starts[number - 1]) == number
        assert document.page_at(document.page_starts[number - 1] - 1) == number - 1


def test_a_paragraph_runs_on_over_the_page_break() -> None:
    def draw(page: FPDF) -> None:
        page.set_auto_page_break(False)
        page.set_y(-40)
        write(page, "You may return an item within thirty days of its delivery if it has not been used and the box it")
        page.add_page()
        write(page, "came in is complete, which means that nothing is missing. Then the money is yours.")

    document = load_document(made(draw), "a.pdf")
    assert len(document.blocks) == 1
    assert "the box it came in is complete" in document.text
    assert document.text.startswith("came in", document.page_starts[1])


def test_an_empty_page_between() -> None:
    def draw(page: FPDF) -> None:
        write(page, "First page text.")
        page.add_page()
        page.add_page()
        write(page, "Third page text.")
        page.add_page()

    document = load_document(made(draw), "a.pdf")
    third = document.text.index("Third")
    assert document.page_starts == (0, third, third, len(document.text))
    assert document.page_at(third) == 3
    assert not document.warnings


def test_hyphens_at_line_ends() -> None:
    def draw(page: FPDF) -> None:
        write(
            page,
            "The item is refund-\nable when it is non-\nrefundable elsewhere. A pre-paid label is pre-\npaid, the "
            "Return-\nPolicy applies and an e-\nmail follows.",
        )

    text = load_document(made(draw), "a.pdf").text
    assert text == (
        "The item is refundable when it is non-refundable elsewhere. A pre-paid label is pre-paid, the Return-Policy "
        "applies and an e-mail follows."
    )


def test_table_rows_with_cells_of_several_lines() -> None:
    rows = [
        ("Item", "Window", "Fee"),
        ("Shoes that were tried on indoors and have no marks on their soles at all", "30 days", "none"),
        ("Hats", "14 days", "5 EUR, deducted from the refund when the money is sent back to the card"),
    ]

    def draw(page: FPDF) -> None:
        write(page, sentences(1, 6))
        page.ln(4)
        with page.table() as table:
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        page.ln(4)
        write(page, sentences(2, 6))

    document = load_document(made(draw), "a.pdf")
    assert outline(document) == [
        ("paragraph", 0, sentences(1, 6)),
        *(("table_row", 0, " | ".join(cells)) for cells in rows),
        ("paragraph", 0, sentences(2, 6)),
    ]


def test_two_columns_are_read_one_after_the_other() -> None:
    parts = [sentences(seed, 14) for seed in range(7)]

    def draw(page: FPDF) -> None:
        page.set_font("Times", "", 11)
        with page.text_columns(ncols=2, gutter=8, text_align="J") as columns:
            for part in parts:
                columns.write(part)
                columns.ln()
                columns.ln()

    document = load_document(made(draw), "a.pdf")
    assert " ".join(text for _, _, text in outline(document)) == " ".join(parts)


def test_lines_written_from_the_bottom_up_are_put_in_order() -> None:
    def draw(page: FPDF) -> None:
        page.set_font("Helvetica", "", 11)
        for line in range(20, 0, -1):
            page.text(20, 30 + 6 * line, f"This is line {line} of a page, written backwards")

    text = load_document(made(draw), "a.pdf").text
    assert [int(word) for word in text.split() if word.isdigit()] == list(range(1, 21))


@pytest.mark.parametrize("turn", [0, 90])
def test_turned_text(turn: int) -> None:
    def draw(page: FPDF) -> None:
        with page.rotation(90, x=100, y=100):
            page.set_xy(10, 20)
            write(page, sentences(3, 9), width=150)

    data = made(draw)
    if turn:
        turned = pypdfium2.PdfDocument(data)
        turned[0].set_rotation(turn)
        buffer = io.BytesIO()
        turned.save(buffer)
        data = buffer.getvalue()
    assert load_document(data, "a.pdf").text == sentences(3, 9)


def test_numbered_clauses_and_items_with_distant_markers() -> None:
    def draw(page: FPDF) -> None:
        page.set_font("Helvetica", "", 11)
        lines = [
            (20, "3.1", "Except for a defect, these goods are excluded from any return:"),
            (32, "(a)", "software, games and licence keys, once the seal on the box is"),
            (32, "", "broken by anyone;"),
            (32, "(b)", "toothbrush heads."),
            (20, "3.2", "Memory may be returned if the packaging has not been opened."),
        ]
        for number, (x, marker, text) in enumerate(lines):
            y = 40 + 6 * number
            if marker:
                page.text(x, y, marker)
            page.text(x + 12, y, text)

    assert [(kind, text) for kind, _, text in outline(load_document(made(draw), "a.pdf"))] == [
        ("paragraph", "3.1 Except for a defect, these goods are excluded from any return:"),
        ("list_item", "(a) software, games and licence keys, once the seal on the box is broken by anyone;"),
        ("list_item", "(b) toothbrush heads."),
        ("paragraph", "3.2 Memory may be returned if the packaging has not been opened."),
    ]


def test_a_pdf_under_another_name_is_read() -> None:
    data = made(lambda page: write(page, "Thirty days."))
    assert load_document(data, "policy.txt").text == "Thirty days."
    assert load_document(b"\n\n" + data, "policy.pdf").text == "Thirty days."


def test_a_password_for_opening_is_refused_and_one_for_editing_is_not() -> None:
    def locked(page: FPDF) -> None:
        page.set_encryption(owner_password="owner", user_password="user")
        write(page, "Secret.")

    def readable(page: FPDF) -> None:
        page.set_encryption(owner_password="owner", user_password="")
        write(page, "Open.")

    assert "protected by a password" in refusal(made(locked), "a.pdf")
    assert load_document(made(readable), "a.pdf").text == "Open."


def test_damaged_pdfs_are_refused() -> None:
    data = made(draw_policy)
    for share in (0.01, 0.3, 0.6, 0.95):
        assert "damaged" in refusal(data[: int(len(data) * share)], "a.pdf")
    assert "damaged" in refusal(b"%PDF-1.7\n" + b"junk " * 400 + b"%%EOF", "a.pdf")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_pdf_with_flipped_bytes_is_read_or_refused(changes: list[tuple[float, int]]) -> None:
    data = bytearray(FLIPPED)
    for place, byte in changes:
        data[int(place * len(data))] = byte
    try:
        assert_sound(load_document(bytes(data), "a.pdf"))
    except DocumentError as error:
        assert str(error)


FLIPPED = made(lambda page: write(page, "Thirty days for all items. " * 20))


def scan(text: str = "") -> bytes:
    def draw(page: FPDF) -> None:
        page.image(Image.new("RGB", (60, 60), "white"), w=100)
        if text:
            page.add_page()
            write(page, text)

    return made(draw)


def test_without_ocr_a_scan_is_refused_and_a_scanned_page_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_OCR", "off")
    assert "has no text layer" in refusal(scan(), "scan.pdf")
    document = load_document(scan("The second page has text."), "mixed.pdf")
    assert document.text == "The second page has text."
    assert document.warnings == (
        "Without a text layer (pictures or scans), so missing from the text: page 1.",
        "Text recognition is turned off here (PLAYGROUND_OCR, or --no-ocr).",
    )
    assert document.page_starts == (0, 0)


GARBLED = (
    "The Supplier shall deliver the Goods within thirty days of the order.",
    "Items that were worn or washed cannot be returned to the Supplier.",
)


def garbled(says: Callable[[int], int]) -> bytes:
    """Return a page in Helvetica whose letters are, by the file's own table, those of the codes that ``says`` gives."""
    table = b"".join(b"<%02X> <%04X>\n" % (code, says(code)) for code in range(33, 127))
    return write_pdf(
        [
            b"<</Type /Catalog /Pages 2 0 R>>",
            b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
            stream(b"".join(text_at(72, 720 - 20 * i, line) for i, line in enumerate(GARBLED))),
            b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 6 0 R>>",
            stream(
                b"/CIDInit /ProcSet findresource begin begincmap\n1 begincodespacerange <00> <FF> endcodespacerange\n"
                b"94 beginbfchar\n" + table + b"endbfchar endcmap end"
            ),
        ]
    )


def moved(code: int) -> int:
    return max(33, code - 29)


def test_text_that_is_not_what_is_printed_is_told_with_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_OCR", "off")
    document = load_document(garbled(moved), "garbled.pdf")
    assert document.text.startswith("7KH 6XSSOLHU")
    assert document.warnings[0].startswith("Of the file's text on page 1, 100%")
    assert "100% is not made of words, for example \u201c7KH 6XSSOLHU" in document.warnings[0]
    assert document.warnings[1].startswith("Text recognition is turned off")
    assert "its fonts do not say which letters" in refusal(garbled(lambda _code: 0xFEFF), "garbled.pdf")
    assert load_document(garbled(int), "sound.pdf").warnings == ()


@needs_ocr
def test_a_page_whose_text_is_garbled_is_read_by_ocr() -> None:
    document = load_document(garbled(moved), "garbled.pdf")
    assert " ".join(document.text.split()) == " ".join(GARBLED)
    assert document.recognised_pages == (1,)
    assert "read by OCR instead" in document.warnings[0]


def test_too_many_pages() -> None:
    def draw(page: FPDF) -> None:
        page.add_page()
        write(page, "Text.")

    assert "2 pages; at most 1" in refusal(made(draw), "a.pdf", Limits(max_pages=1))
    assert "more than 3 characters" in refusal(made(draw), "a.pdf", Limits(max_characters=3))


def test_the_parser_itself_gives_what_the_child_process_gives(policy: Document) -> None:
    extract = pdf.parse(made(draw_policy, Policy), Limits())
    assert (extract.text, extract.blocks, extract.page_starts) == (policy.text, policy.blocks, policy.page_starts)
