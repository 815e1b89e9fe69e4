"""Tables of Word files: merged cells, lists in cells, rows that are gone."""

from __future__ import annotations

import pytest

from playground.documents.formats.docx import parse
from playground.documents.limits import Limits
from tests.support.docx_files import by_hand, in_list, level, numbering, paragraph, run

MERGED, MORE = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


def cell(*texts: str, properties: str = "") -> str:
    paragraphs = "".join(text if text.startswith("<") else paragraph(run(text)) for text in texts or ("",))
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraphs}</w:tc>"


def wide(text: str, columns: int, more: str = "") -> str:
    return cell(text, properties=f'<w:gridSpan w:val="{columns}"/>{more}')


def row(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def rows(*table_rows: str, **parts: str) -> list[str]:
    extract = parse(by_hand(f"<w:tbl>{''.join(table_rows)}</w:tbl>", **parts), Limits())
    assert all(block.kind == "table_row" for block in extract.blocks)
    return [extract.text[block.start : block.end] for block in extract.blocks]


def test_merged_cells_are_repeated_where_a_reader_sees_them() -> None:
    assert rows(
        row(cell("Item", properties=MERGED), wide("Return window", 2)),
        row(cell(properties=MORE), cell("Members"), cell("Guests")),
        row(cell("Lamps"), cell("90 days"), cell("45 days")),
        row(cell("Plants"), wide("7 days", 2)),
        row(wide("No returns at all:", 3)),
        row(cell("Mattresses", properties=MERGED), cell("opened"), cell("7 days")),
        row(cell(properties=MORE), cell("unopened"), cell("90 days")),
        row(cell("Food"), cell("no"), cell("no")),
    ) == [
        "Item | Return window | Return window", "Item | Members | Guests", "Lamps | 90 days | 45 days",
        "Plants | 7 days | 7 days", "No returns at all:", "Mattresses | opened | 7 days",
        "Mattresses | unopened | 90 days", "Food | no | no",
    ]  # fmt: skip


def test_a_block_of_cells_merged_both_ways() -> None:
    assert rows(
        row(cell("a"), cell("b"), cell("c")),
        row(wide("block", 2, MERGED), cell("1")),
        row(wide("", 2, MORE), cell("2")),
    ) == ["a | b | c", "block | block | 1", "block | block | 2"]


def test_edges_that_do_not_line_up_repeat_nothing() -> None:
    """Word's grid gets a column for each edge; none of these cells lies over two others."""
    assert rows(row(wide("a", 3), wide("b", 2)), row(wide("c", 2), wide("d", 3))) == ["a | b", "c | d"]


def test_a_row_that_begins_further_right() -> None:
    assert rows(
        row(cell("a"), cell("b", properties=MERGED), cell("c")),
        row(cell("", properties=MORE), cell("d"), properties='<w:gridBefore w:val="1"/>'),
    ) == ["a | b | c", "| b | d"]


def test_cells_merged_the_old_way() -> None:
    merged = ('<w:hMerge w:val="restart"/>', "<w:hMerge/>")
    cells = [cell("both", properties=merged[0]), cell(properties=merged[1]), cell("x")]
    assert rows(row(cell("a"), cell("b"), cell("c")), row(*cells)) == ["a | b | c", "both | both | x"]


@pytest.mark.parametrize("properties", ["<w:del/>", "<w:hidden/>"])
def test_rows_that_are_not_shown(properties: str) -> None:
    assert rows(row(cell("a"), cell("b")), row(cell("c"), cell("d"), properties=properties)) == ["a | b"]


def test_deleted_cells() -> None:
    gone = cell("gone", properties="<w:cellDel/>")
    assert rows(row(cell("a"), gone, cell("b"))) == ["a | b"]


def test_hidden_rows_are_said() -> None:
    table = row(cell("a"), cell("b")) + row(cell("c"), cell("d"), properties="<w:hidden/>")
    assert parse(by_hand(f"<w:tbl>{table}</w:tbl>"), Limits()).warnings == (
        "The document has hidden text, which was left out.",
    )


def test_lists_and_paragraphs_in_cells_stay_apart() -> None:
    lists = numbering({0: level(0, "%1."), 1: level(0, "o", "bullet")}, {1: (0, ""), 2: (1, "")})
    numbered = [paragraph(run(text), properties=in_list(1, 0)) for text in ("Pack it.", "Post it")]
    bullets = [paragraph(run(text), properties=in_list(2, 0)) for text in ("opened: 7 days", "unopened: 90 days")]
    assert rows(row(cell("Steps:", *numbered), cell(*bullets), cell("One line", "another line")), numbering=lists) == [
        "Steps: 1. Pack it. 2. Post it | opened: 7 days; unopened: 90 days | One line; another line"
    ]


def test_numbers_in_what_a_merged_cell_covers_are_not_printed() -> None:
    lists = numbering({0: level(0, "%1.")}, {1: (0, "")})

    def numbered(text: str = "") -> str:
        return paragraph(run(text) if text else "", properties=in_list(1, 0))

    assert rows(
        row(cell(numbered("Rent"), properties=MERGED), cell("x")),
        row(cell(numbered(), properties=MORE), cell("y")),
        row(cell(numbered("Repairs")), cell("z")),
        numbering=lists,
    ) == ["1. Rent | x", "1. Rent | y", "2. Repairs | z"]


def test_a_table_inside_a_cell() -> None:
    inner = f"<w:tbl>{row(cell('small'), cell('7 days'))}{row(cell('large'), cell('9 days'))}</w:tbl>"
    assert rows(row(cell("Lamps"), cell(inner, "fee: none"))) == ["Lamps | small | 7 days; large | 9 days; fee: none"]


def test_absurd_spans_are_bounded() -> None:
    absurd = row(wide("a", 999_999_999), cell("b"), properties='<w:gridBefore w:val="999999999"/>')
    assert rows(absurd, row(cell("c"), cell("d"))) == ["a | b", "c | d"]
