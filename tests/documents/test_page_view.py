"""A page of a PDF as it looks: marks stand at the words, whatever the page's turn; hostile files are refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image

from playground.documents import load_document
from playground.documents.limits import CONTRACT_LIMITS
from playground.documents.page_view import MOST_MARKS, PageMark, PagePicture, boxes_of, page_picture
from playground.errors import DocumentError
from playground.types import Document, RecognisedWord

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


def test_a_page_of_any_size_is_drawn_within_bounds():
    made = FPDF(unit="pt", format=(14_000, 3))
    made.add_page()
    picture = page_picture(bytes(made.output()), 1, [PageMark(CLAUSE, YELLOW)] * (MOST_MARKS + 5))
    width, height = Image.open(io.BytesIO(picture.png)).size
    assert width * height <= 4_100_000
    assert len(picture.found) == MOST_MARKS
