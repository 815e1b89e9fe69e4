"""Cells of spreadsheets hold what was written: no formula, and no number that the text is not."""

from __future__ import annotations

import pytest

from playground.text.spreadsheet import spreadsheet_cell, spreadsheet_label


@pytest.mark.parametrize(
    "text", ["1.10", "1.1", "(1)", "3-4", "1/2", "01", "2.1.3", "1.10.", "1,5", "1E5", "[2]", "12:30"]
)
def test_what_a_spreadsheet_would_take_for_another_number_is_kept_as_text(text: str) -> None:
    assert spreadsheet_label(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "7", "1.", "(a)", "IV", "2(b)", "a.", "Section 5"])
def test_other_labels_stay_as_they_are(text: str) -> None:
    assert spreadsheet_label(text) == text


def test_a_label_is_no_formula_either() -> None:
    assert spreadsheet_label("=1+1") == spreadsheet_cell("=1+1") == "'=1+1"
