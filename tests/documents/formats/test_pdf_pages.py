"""What a page of a PDF carries besides plain lines: forms, notes, raised figures, line numbers, watermarks, heads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fpdf import FPDF

from playground.documents import load_document
from tests.support.document_checks import assert_sound, outline, refusal
from tests.support.pdf_by_hand import page_with_fields, stream, text_at, write_pdf


def made(draw: Callable[[FPDF], None]) -> bytes:
    page = FPDF()
    page.add_page()
    page.set_font("Helvetica", "", 11)
    draw(page)
    return bytes(page.output())


def paragraphs(data: bytes) -> list[str]:
    document = load_document(data, "a.pdf")
    assert_sound(document)
    return [text for _, _, text in outline(document)]


def test_values_of_a_form_stand_where_they_are_seen() -> None:
    content = (
        text_at(72, 760, "The liability of the Supplier shall not exceed the amount of")
        + text_at(470, 760, "and the")
        + text_at(72, 746, "Supplier has no other liability under this agreement.")
        + text_at(90, 700, "Insurance is included")
        + text_at(90, 680, "Theft is included")
        + text_at(72, 650, "Country:")
        + text_at(72, 630, "Remarks:")
    )
    box = b"/FT /Btn /AP <</N <</Yes 4 0 R /Off 4 0 R>>>> "
    fields = [
        b"/FT /Tx /T (cap) /V (EUR 9,000) /Rect [380 757 465 772]",
        box + b"/T (insured) /V /Yes /AS /Yes /Rect [72 698 84 710]",
        box + b"/T (theft) /V /Off /AS /Off /Rect [72 678 84 690]",
        b"/FT /Ch /Ff 131072 /T (country) /V (n) /Opt [[(n) (Narvia)] [(o) (Ostby)]] /Rect [130 647 230 662]",
        b"/FT /Tx /Ff 4096 /T (remarks) /V (Delivered on Mondays.\\nNever on a holiday.) /Rect [130 590 330 642]",
        b"/FT /Tx /Ff 8192 /T (pin) /V (8642) /Rect [300 500 400 515]",
    ]
    assert paragraphs(page_with_fields(content, fields)) == [
        "The liability of the Supplier shall not exceed the amount of EUR 9,000 and the Supplier has no other "
        "liability under this agreement.",
        "☒ Insurance is included",
        "☐ Theft is included",
        "Country: Narvia",
        "Remarks: Delivered on Mondays.",
        "Never on a holiday.",
    ]


def test_a_value_takes_the_place_of_the_blank_it_is_written_over() -> None:
    content = text_at(72, 760, "You may return it within ________ of delivery.")
    fields = [b"/FT /Tx /T (days) /V (21 days) /Rect [193 757 250 772]"]
    assert paragraphs(page_with_fields(content, fields)) == ["You may return it within 21 days of delivery."]


def test_typed_notes_are_read_and_comments_and_strikes_are_not() -> None:
    def draw(page: FPDF) -> None:
        page.text(20, 30, "The fee is")
        page.free_text_annotation("250 crowns", x=45, y=26, w=40, h=6)
        page.text(20, 40, "Returns are free within 14 days.")
        points = [20 * page.k, page.h_pt - 36 * page.k, 100 * page.k, page.h_pt - 36 * page.k, 20 * page.k,
                  page.h_pt - 42 * page.k, 100 * page.k, page.h_pt - 42 * page.k]  # fmt: skip
        page.add_text_markup_annotation("StrikeOut", "Note", quad_points=points)
        page.text_annotation(50, 50, "Ask the lawyers.")

    document = load_document(made(draw), "a.pdf")
    assert document.text == "The fee is 250 crowns"
    assert document.warnings == (
        "Struck-through text was left out in 1 place.",
        "1 comment on the pages was left out.",
    )


def test_words_that_a_line_is_drawn_across_are_struck_and_underlined_ones_are_not() -> None:
    def draw(page: FPDF) -> None:
        for style, text in (("", "You have "), ("S", "14 days"), ("", " "), ("U", "30 days"), ("", " to return it.")):
            page.set_font("Helvetica", style, 11)
            page.write(8, text)
        page.ln(12)
        page.cell(60, 8, "Lamps", border=1)
        page.cell(60, 8, "9 crowns", border=1)

    document = load_document(made(draw), "a.pdf")
    assert document.text.split("\n\n")[0] == "You have 30 days to return it."
    assert "Lamps" in document.text
    assert "9 crowns" in document.text
    assert document.warnings == ("Struck-through text was left out in 1 place.",)


def test_raised_and_lowered_figures_stay_apart_from_numbers() -> None:
    def draw(page: FPDF) -> None:
        for vertical, text in (
            ("LINE", "Within 30"), ("SUP", "1"), ("LINE", " days, for $1,249"), ("SUP", "50"), ("LINE", " on the 1"),
            ("SUP", "st"), ("LINE", " of the 12 m"), ("SUP", "2"), ("LINE", " with H"), ("SUB", "2"), ("LINE", "O"),
        ):  # fmt: skip
            page.char_vpos = vertical
            page.write(8, text)
        page.ln(20)
        page.char_vpos = "SUP"
        page.write(8, "1")
        page.char_vpos = "LINE"
        page.write(8, "45 days for members of the club.")

    assert paragraphs(made(draw)) == [
        "Within 30 1 days, for $1,249.50 on the 1st of the 12 m2 with H2O",
        "1 45 days for members of the club.",
    ]


def test_hyphens_of_two_words_stay_and_those_inside_a_word_go() -> None:
    lines = (
        "The company-\nwide programme of the Customer is a long-\nterm one, perform-\ned by the sub-\ncontractor under "
        "the agree-\nment; the Suppli-\ner has a Customer-\nspecific price. The Wood-\nward case is not followed."
    )
    text = paragraphs(made(lambda page: page.multi_cell(170, 6, lines, new_x="LMARGIN", new_y="NEXT")))
    assert text == [
        "The company-wide programme of the Customer is a long-term one, performed by the subcontractor under the "
        "agreement; the Supplier has a Customer-specific price. The Woodward case is not followed."
    ]


LINE = "the Licensee shall pay the royalties of the quarter to the Licensor, who keeps books of account"


@pytest.mark.parametrize("step", [1, 5])
def test_line_numbers_in_the_margin_are_left_out(step: int) -> None:
    def draw(page: FPDF) -> None:
        for number in range(1, 31):
            if number % step == 0:
                page.text(12, 20 + 8 * number, str(number))
            page.text(25, 20 + 8 * number, LINE)

    document = load_document(made(draw), "a.pdf")
    assert document.text == " ".join([LINE] * 30)
    assert document.warnings == ("The line numbers in the margin were left out (page 1).",)


def test_numbers_of_table_rows_are_kept() -> None:
    def draw(page: FPDF) -> None:
        for number in range(1, 31):
            for x, text in ((20, str(number)), (40, "Lamp"), (100, f"{3 * number} days")):
                page.text(x, 20 + 8 * number, text)

    assert paragraphs(made(draw)) == [f"{number} | Lamp | {3 * number} days" for number in range(1, 31)]


def test_lines_alike_but_for_a_number_are_heads_only_where_the_number_counts_pages() -> None:
    sentence = "These goods come back in their box, with all parts and the receipt of the shop that sold them. "

    def draw(page: FPDF) -> None:
        for number in range(1, 5):
            if number > 1:
                page.add_page()
            page.set_font("Helvetica", "", 9)
            page.text(20, 12, f"Supply terms of Brindle {number}")
            page.text(180, 285, f"{number}/4")
            page.set_font("Helvetica", "B", 13)
            page.text(20, 25, f"Group {number}: return within {7 * number} days")
            page.set_font("Helvetica", "", 11)
            page.set_xy(20, 32)
            page.multi_cell(160, 6, sentence * number)

    assert paragraphs(made(draw)) == [
        text
        for number in range(1, 5)
        for text in (f"Group {number}: return within {7 * number} days", (sentence * number).strip())
    ]


def test_the_first_line_of_equal_pages_is_text_and_no_running_head() -> None:
    text = "The Supplier shall deliver the goods to the depot on each Monday of the term. " * 8

    def draw(page: FPDF) -> None:
        page.multi_cell(170, 6, text)
        page.add_page()
        page.multi_cell(170, 6, text)

    assert paragraphs(made(draw)) == [text.strip()] * 2


def test_a_watermark_is_left_out_and_named() -> None:
    text = "The Supplier shall deliver the goods on Monday. " * 12

    def draw(page: FPDF) -> None:
        page.multi_cell(170, 6, text)
        y = page.get_y()
        with page.rotation(30, x=100, y=100):
            page.set_font("Helvetica", "B", 60)
            page.text(40, 120, "ENTWURF")
        page.set_font("Helvetica", "", 11)
        page.set_y(y)
        page.multi_cell(170, 6, "It is paid within thirty days.")

    document = load_document(made(draw), "a.pdf")
    assert document.text == text + "It is paid within thirty days."
    assert document.warnings == ("A watermark was left out: “ENTWURF” (page 1).",)


def test_columns_are_found_in_lines_that_are_taken_whole() -> None:
    def draw(page: FPDF) -> None:
        for number in range(12):
            page.text(20, 30 + 6 * number, f"Left column line {number} of the page runs to the gap")
        for number in range(12):
            page.text(112, 30 + 6 * number, f"right column line {number} of the page begins behind it")

    text = " ".join(paragraphs(made(draw)))
    assert text.index("line 11 of the page runs") < text.index("right column line 0")


@pytest.mark.parametrize("tail", [b"\0" * 9000, b"\r\n<!-- served in 3 ms -->" + b" " * 5000])
def test_bytes_after_the_end_do_no_harm(tail: bytes) -> None:
    data = made(lambda page: page.text(20, 30, "Thirty days."))
    assert load_document(data + tail, "a.pdf").text == "Thirty days."


def test_an_update_that_was_cut_off_is_refused() -> None:
    data = made(lambda page: page.text(20, 30, "Thirty days."))
    assert "its end is missing" in refusal(data + b"\n12 0 obj\n<</Type /Page" + b" " * 5000, "a.pdf")


@pytest.mark.parametrize(
    ("glyph", "shown"), [(b"u110000", "\ufffd"), (b"uFFFFFF", "\ufffd"), (b"u1F600", "\U0001f600")]
)
def test_a_glyph_beyond_unicode_is_no_reason_to_refuse(glyph: bytes, shown: str) -> None:
    font = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding <</Type /Encoding /Differences [66 /%s]>>>>"
    data = write_pdf(
        [
            b"<</Type /Catalog /Pages 2 0 R>>",
            b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
            stream(text_at(72, 700, "Thirty days for ABA and all that.")),
            font % glyph,
        ]
    )
    assert load_document(data, "a.pdf").text == f"Thirty days for A{shown}A and all that."
