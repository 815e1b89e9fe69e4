"""Text from outside as the cell of a spreadsheet, never as a formula."""

from __future__ import annotations

from playground.text.normalise import normalise_text

# The full-width forms too: spreadsheets in East Asian locales take them for the ASCII ones.
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001


def spreadsheet_cell(text: str) -> str:
    """Return ``text`` for a cell: clean, and with an apostrophe before what a spreadsheet would take for a formula."""
    # What a spreadsheet trims before it looks for a formula must not hide one.
    clean = normalise_text(text)
    return f"'{clean}" if clean.startswith(_FORMULA_STARTS) or clean.lstrip().startswith(_FORMULA_STARTS) else clean
