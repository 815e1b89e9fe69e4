"""A page of a PDF as it looks: marks stand at the words, whatever the page's turn; hostile files are refused."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image

from playground.documents import load_document
from playground.documents.limits import CONTRACT_LIMITS
from playground.documents.page_view import MOST_MARKS, PageMark, PagePicture, boxes_of, mark_on, page_picture
from playground.errors import DocumentError
from playground.types import Document, RecognisedWord
from tests.support.pdf_by_hand import page_with_fields, text_at, write_pdf

YELLOW = (255, 220, 120)
CLAUSE = "The liability of the supplier under this agreement shall not exceed the charges paid in the contract year."
ON_A4_MM = (210, 297)


def pdf(*pages: list[tuple[float, str]]) -> bytes:
    """Return a PDF on A4 whose pages hold lines at heights in millimetres, 20 mm from the left."""
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.set_auto_page_break(False)
    for lines in pages:
        made.add_page()
        for y, text in lines:
            made.set_xy(20, y)
            made.cell(text=text)
    return bytes(made.output())


def tinted(picture: PagePicture) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what is yellow, as shares of the page."""
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)
    yellow = (pixels[..., 0] > 200) & (pixels[..., 2] < 170)
    rows, columns = np.flatnonzero(yellow.any(axis=1)), np.flatnonzero(yellow.any(axis=0))
    height, width = yellow.shape
    return columns[0] / width, rows[0] / height, columns[-1] / width, rows[-1] / height


def test_a_mark_stands_at_its_words():
    data = pdf([(40, "Term. This agreement runs for one year."), (80, "Notice. Three months before its end.")])
    picture = page_picture(data, 1, [PageMark("Notice. Three months before its end.", YELLOW)])
    assert (picture.page, picture.pages, picture.found) == (1, 1, (True,))
    left, top, right, bottom = tinted(picture)
    # The cell begins 1 mm inside its place; a line of 12 points is about 5 mm high.
    assert left == pytest.approx(21 / ON_A4_MM[0], abs=0.01)
    assert 78 / ON_A4_MM[1] < top < bottom < 88 / ON_A4_MM[1]
    assert 0.35 < right < 0.5


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_is_turned_is_marked_where_it_is_seen(turn):
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf([(40, "Notice. Three months before its end.")]))
    document[0].set_rotation(turn)
    turned = io.BytesIO()
    document.save(turned)
    picture = page_picture(turned.getvalue(), 1, [PageMark("Notice. Three months before its end.", YELLOW)])
    left, top, right, bottom = tinted(picture)
    middle = ((left + right) / 2, (top + bottom) / 2)
    across, down = (20 + 36) / ON_A4_MM[0], 42 / ON_A4_MM[1]
    expected = {90: (1 - down, across), 180: (1 - across, 1 - down), 270: (down, 1 - across)}[turn]
    assert middle == pytest.approx(expected, abs=0.03)
    assert (right - left > bottom - top) == (turn == 180)


def test_a_clause_over_two_pages_is_marked_on_both():
    first, second = CLAUSE[:54], CLAUSE[54:]
    data = pdf([(250, first)], [(30, second)])
    mark = PageMark(f"{first}\n{second}", YELLOW)
    assert tinted(page_picture(data, 1, [mark]))[1] > 0.8
    assert tinted(page_picture(data, 2, [mark]))[3] < 0.2


def paged(*pages: str) -> tuple[Document, bytes]:
    """Return a document of pages, a line each, with its PDF."""
    data = pdf(*([(40 + 10.0 * row, line) for row, line in enumerate(page.split("\n"))] for page in pages))
    document = load_document(data, "contract.pdf")
    assert len(document.page_starts) == len(pages)
    return document, data


def test_the_short_part_of_a_clause_at_a_page_edge_is_marked():
    document, data = paged("Term. One year.\nThe supplier shall", "pay.\nNotice. Three months before its end.")
    start, end = document.text.index("The supplier"), document.text.index("pay.") + 4
    first, second = (page_picture(data, page, [mark_on(document, start, end, page, YELLOW)]) for page in (1, 2))
    assert (first.found, second.found) == ((True,), (True,))
    assert tinted(first)[1] == pytest.approx(50 / ON_A4_MM[1], abs=0.01)
    left, top, right, _ = tinted(second)
    assert top == pytest.approx(40 / ON_A4_MM[1], abs=0.01) and right - left < 0.06


@pytest.mark.parametrize("which", [0, 1, 2])
def test_of_words_that_stand_on_a_page_more_than_once_those_are_marked_that_are_meant(which):
    document, data = paged("Fees for goods.\nNo refund.\nFees for work.\nNo refund.\nFees for hire.\nNo refund.")
    places = [at for at in range(len(document.text)) if document.text.startswith("No refund.", at)]
    mark = mark_on(document, places[which], places[which] + 10, 1, YELLOW)
    _, top, _, bottom = tinted(page_picture(data, 1, [mark]))
    assert top == pytest.approx((50 + 20 * which) / ON_A4_MM[1], abs=0.01)
    assert bottom - top < 8 / ON_A4_MM[1]


def test_a_few_letters_are_marked_only_where_the_words_around_them_agree():
    document, data = paged("Return within 30 days.\nPay within 14 days of the 30th.")
    start = document.text.index("14")
    mark = mark_on(document, start, start + 2, 1, YELLOW)
    assert page_picture(data, 1, [mark]).found == (True,)
    assert page_picture(data, 1, [replace(mark, before="", after="")]).found == (False,)


def test_a_clause_with_a_foot_line_inside_is_marked_to_its_short_end():
    head, foot, tail = CLAUSE[:92], "Page 3 of 9", CLAUSE[92:]
    data = pdf([(40, head), (50, foot), (60, tail), (70, "Notice. Three months before its end, in writing only.")])
    text = f"{head} {tail}\nNotice. Three months before its end, in writing only."
    document = Document("d", "t", text, "s", "x", page_starts=(0,))
    _, top, _, bottom = tinted(page_picture(data, 1, [mark_on(document, 0, len(CLAUSE) + 1, 1, YELLOW)]))
    assert 38 / ON_A4_MM[1] < top < 42 / ON_A4_MM[1]
    assert 62 / ON_A4_MM[1] < bottom < 68 / ON_A4_MM[1]


def test_what_is_filled_into_a_form_is_drawn_and_marked():
    content = text_at(72, 760, "Liability is limited to") + text_at(72, 700, "Term. This agreement runs for one year.")
    filled = page_with_fields(content, [b"/FT /Tx /T (cap) /V (EUR 9,000) /Rect [380 757 465 772]"])
    blank = page_with_fields(content, [b"/FT /Tx /T (cap) /V () /Rect [380 757 465 772]"])
    clause = load_document(filled, "lease.pdf").text.splitlines()[0]
    assert clause == "Liability is limited to EUR 9,000"
    drawn, empty = (np.asarray(Image.open(io.BytesIO(page_picture(one, 1).png))) for one in (filled, blank))
    rows, columns = np.nonzero((drawn != empty).any(axis=-1))
    height, width = drawn.shape[:2]
    assert 379 / 595 < columns.min() / width < columns.max() / width < 466 / 595
    assert 1 - 773 / 842 < rows.min() / height < rows.max() / height < 1 - 756 / 842
    picture = page_picture(filled, 1, [PageMark(clause, YELLOW)])
    assert picture.found == (True,)
    left, top, right, bottom = tinted(picture)
    assert left == pytest.approx(72 / 595, abs=0.01)
    assert 430 / 595 < right < 470 / 595
    assert 1 - 776 / 842 < top < bottom < 1 - 750 / 842


def test_marks_as_long_as_a_contract_are_taken():
    lines = [
        (40 + 8.0 * number, f"Line {number} of the terms and conditions of this agreement.") for number in range(5)
    ]
    marks = [PageMark(f"{lines[0][1]} " + "и так далее " * 20_000, YELLOW), PageMark(lines[4][1], YELLOW)]
    assert page_picture(pdf(lines), 1, marks).found == (True, True)


@pytest.mark.parametrize("apart_mm", [4.0, 4.6, 5.2])
def test_lines_set_tight_are_marked_no_wider_than_their_words_and_coloured_once(apart_mm):
    data = pdf([(40, CLAUSE[:70]), (40 + apart_mm, CLAUSE[70:] + " Term. It runs for one year.")])
    pixels = np.asarray(Image.open(io.BytesIO(page_picture(data, 1, [PageMark(CLAUSE, YELLOW)]).png)).convert("RGB"))
    yellow, twice = (pixels == YELLOW).all(axis=-1), (pixels == np.array(YELLOW) ** 2 // 255).all(axis=-1)
    assert yellow.sum() > 5_000
    assert not twice.any()
    second = yellow[round((40 + apart_mm + 3) / ON_A4_MM[1] * yellow.shape[0])]
    made = FPDF()
    made.set_font("Helvetica", size=12)
    ends_at = (21 + made.get_string_width(CLAUSE[70:])) / ON_A4_MM[0]
    assert np.flatnonzero(second).max() / yellow.shape[1] == pytest.approx(ends_at, abs=0.01)


def test_what_is_not_on_the_page_is_not_marked():
    data = pdf([(40, "Term. This agreement runs for one year.")])
    picture = page_picture(data, 7, [PageMark(CLAUSE, YELLOW), PageMark("Term", YELLOW), PageMark("", YELLOW)])
    assert (picture.page, picture.found) == (1, (False, False, False))


def test_ligatures_accents_and_case_do_not_hide_words():
    data = pdf([(40, "Café office final")])
    assert page_picture(data, 1, [PageMark("CAFE o\ufb03ce \ufb01nal", YELLOW)]).found == (True,)


def test_the_words_of_a_scan_bring_their_boxes():
    word = RecognisedWord(0, 4, 2, (0.1, 0.2, 0.4, 0.25))
    document = Document("d", "t", "Term", "s", "x", page_starts=(0, 0), recognised_words=(word,))
    assert boxes_of(document, 0, 4, 1) == ()
    boxes = boxes_of(document, 2, 9, 2)
    picture = page_picture(pdf([]), 1, [PageMark("Term", YELLOW, boxes)])
    assert picture.found == (True,)
    assert tinted(picture) == pytest.approx(word.box, abs=0.01)


def test_every_clause_of_a_sample_that_is_on_one_page_is_found():
    from playground.annotations.units import contract_units
    from playground.paths import CONTRACTS

    data = (CONTRACTS / "services-agreement.pdf").read_bytes()
    document = load_document(data, "services-agreement.pdf", limits=CONTRACT_LIMITS)
    for page in (2, 7):
        marks = [
            PageMark(document.text[start:end], YELLOW)
            for start, end, _heading in contract_units(document.text)
            if document.page_at(start) == document.page_at(end - 1) == page and end - start > 40
        ]
        found = page_picture(data, page, marks).found
        assert len(found) > 5
        assert all(found)


@pytest.mark.parametrize("data", [b"%PDF-1.7 nothing", b"plain text", b""])
def test_what_is_no_whole_pdf_is_refused_in_a_sentence(data):
    with pytest.raises(DocumentError, match=r"(damaged|Only a PDF).*\."):
        page_picture(data, 1)


def test_a_small_file_that_unpacks_to_180_megabytes_is_refused_in_a_sentence():
    packed = zlib.compress(b"0 0 m 500 800 l S\n" * 10_000_000, 9)
    content = b"<</Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream" % (len(packed), packed)
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R>>"
    bomb = write_pdf([b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Kids [3 0 R] /Count 1>>", page, content])
    assert len(bomb) < 2**20
    with pytest.raises(DocumentError, match=r"(memory|longer than).*\."):
        page_picture(bomb, 1, limits=replace(CONTRACT_LIMITS, max_memory_bytes=400 * 2**20))


@pytest.mark.parametrize("size", [(14_000, 3), (3, 14_000), (14_000, 14_000)])
def test_a_page_of_any_size_is_drawn_within_bounds(size):
    made = FPDF(unit="pt", format=size)
    made.add_page()
    picture = page_picture(bytes(made.output()), 1, [PageMark(CLAUSE, YELLOW)] * (MOST_MARKS + 5))
    width, height = Image.open(io.BytesIO(picture.png)).size
    assert width * height <= 4_100_000
    assert max(width, height) <= 8_001
    assert len(picture.found) == MOST_MARKS
