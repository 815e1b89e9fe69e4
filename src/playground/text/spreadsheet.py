"""Text from outside as the cell of a spreadsheet, never as a formula and, where it is no number, never as one."""

from __future__ import annotations

import re

from playground.text.normalise import normalise_text

# The full-width forms too: spreadsheets in East Asian locales take them for the ASCII ones.
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001

_LOOKS_LIKE_NUMBER = re.compile(r"[(\[]?\s*\d[\d.,:/ \u2013-]*(?:[eE]\d+)?\s*[)\]%]?[.,]?")
_SAME_AS_NUMBER = re.compile(r"(?:0|[1-9]\d{0,14})\.?")


def spreadsheet_cell(text: str) -> str:
    """Return ``text`` for a cell: clean, and with an apostrophe before what a spreadsheet would take for a formula."""
    # What a spreadsheet trims before it looks for a formula must not hide one.
    clean = normalise_text(text)
    return f"'{clean}" if clean.startswith(_FORMULA_STARTS) or clean.lstrip().startswith(_FORMULA_STARTS) else clean


def spreadsheet_label(text: str) -> str:
    """Return a text that may look like a number and is none, as a clause's number: "1.10" stays "1.10", not 1.1.

    A spreadsheet takes "1.10" for 1.1 (elsewhere for the first of October), "(1)" for -1 and "3-4" for a date. An
    apostrophe keeps them text, as it does for formulas. A whole number needs none: it is shown as it is written.
    """
    cell = spreadsheet_cell(text)
    is_changed = _LOOKS_LIKE_NUMBER.fullmatch(cell.strip()) and not _SAME_AS_NUMBER.fullmatch(cell.strip())
    return f"'{cell}" if is_changed else cell
