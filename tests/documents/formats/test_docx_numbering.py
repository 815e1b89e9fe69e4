"""Numbers that Word prints before the paragraphs of its lists (ECMA-376 part 1, 17.9)."""

from __future__ import annotations

import pytest

from playground.documents.formats.docx import parse
from playground.documents.limits import Limits
from tests.support.docx_files import by_hand, in_list, level, numbering, override, paragraph, run, style, styles

FOUR = "".join(level(index) for index in range(4))
ALL_FROM_ONE = "".join(override(index, 1) for index in range(9))
HIDDEN = "<w:rPr><w:vanish/></w:rPr>"


def lines(body: str, numbering_xml: str, *style_entries: str) -> list[str]:
    parts = {"numbering": numbering_xml} | ({"styles": styles(*style_entries)} if style_entries else {})
    extract = parse(by_hand(body, **parts), Limits())
    return [extract.text[block.start : block.end] for block in extract.blocks]


def labels(places: str, definitions: str, lists: dict[int, tuple[int, str]]) -> list[str]:
    """Return what stands before paragraphs at places such as "1:0 1:1" (list and level)."""
    pairs = [place.split(":") for place in places.split()]
    body = "".join(paragraph(run("Text,"), properties=in_list(int(n), int(depth))) for n, depth in pairs)
    return [line.removesuffix("Text,").strip() for line in lines(body, numbering({0: definitions}, lists))]


@pytest.mark.parametrize(
    ("places", "overrides", "printed"),
    [
        # A list that starts again deep down leaves the levels above alone, and a list that it shares them with.
        ("1:0 1:1 2:2 2:2 1:1 1:0 1:1", ALL_FROM_ONE, "1 1.1 1.1.1 1.1.2 1.2 2 2.1"),
        ("1:0 1:0 2:1 2:1 1:0", ALL_FROM_ONE, "1 2 2.1 2.2 3"),
        ("1:0 1:1 1:1 2:1 2:1 2:0 2:1", ALL_FROM_ONE, "1 1.1 1.2 1.1 1.2 2 2.1"),
        # It starts again once; afterwards both count on together.
        ("1:0 1:0 2:0 2:0 1:0 2:0", override(0, 1), "1 2 1 2 3 4"),
        ("1:0 2:0 2:1 1:0 2:0", override(0, 8), "1 8 8.1 9 10"),
        # Its start is also where the level begins again under the next number.
        ("2:0 2:1 2:1 2:0 2:1 1:0 1:1", override(1, 5), "1 1.5 1.6 2 2.5 3 3.1"),
        # Without an override two lists of one definition are one.
        ("1:0 1:1 2:1 2:0 1:1", "", "1 1.1 1.2 2 2.1"),
        ("2:0 1:0 1:0", override(0, 0), "0 1 2"),
    ],
)
def test_lists_of_one_definition(places: str, overrides: str, printed: str) -> None:
    assert labels(places, FOUR, {1: (0, ""), 2: (0, overrides)}) == printed.split()


@pytest.mark.parametrize(
    ("places", "printed"),
    [
        ("1:1 1:1 1:0 1:1", "1.1 1.2 2 2.1"),  # a level that was passed over counts
        ("1:0 1:2 1:1 1:2", "1 1.1.1 1.2 1.2.1"),
        ("1:0 1:3 1:3 1:0 1:3", "1 1.1.1.1 1.1.1.2 2 2.1.1.1"),
    ],
)
def test_levels_passed_over(places: str, printed: str) -> None:
    assert labels(places, FOUR, {1: (0, "")}) == printed.split()


@pytest.mark.parametrize(
    ("restart", "printed"),
    [
        (None, "1 1.1 1.1.1 1.1.2 1.2 1.2.1 2 2.1.1"),
        (0, "1 1.1 1.1.1 1.1.2 1.2 1.2.3 2 2.1.4"),  # never
        (1, "1 1.1 1.1.1 1.1.2 1.2 1.2.3 2 2.1.1"),  # only under a new number of the first level
        (2, "1 1.1 1.1.1 1.1.2 1.2 1.2.1 2 2.1.1"),
        (7, "1 1.1 1.1.1 1.1.2 1.2 1.2.1 2 2.1.1"),  # deeper than the level itself: ignored
    ],
)
def test_restart_of_a_level(restart: int | None, printed: str) -> None:
    more = "" if restart is None else f'<w:lvlRestart w:val="{restart}"/>'
    definition = level(0) + level(1) + level(2, more=more)
    assert labels("1:0 1:1 1:2 1:2 1:1 1:2 1:0 1:2", definition, {1: (0, "")}) == printed.split()


def test_a_level_that_a_list_defines_anew_has_its_own_label_and_count() -> None:
    own = override(1, own=level(1, "(%2)", "lowerLetter"))
    printed = labels("1:0 1:1 2:1 2:1 1:1 1:0 2:1 1:1", FOUR, {1: (0, ""), 2: (0, own)})
    assert printed == ["1", "1.1", "(a)", "(b)", "1.2", "2", "(a)", "2.1"]
    own = override(0, 3, level(0, "Schedule %1", "upperRoman"))
    assert labels("1:0 2:0 2:0 1:0", FOUR, {1: (0, ""), 2: (0, own)}) == ["1", "Schedule III", "Schedule IV", "2"]


def test_a_list_style_is_followed_to_the_list_that_holds_its_levels() -> None:
    definitions = {0: '<w:styleLink w:val="Legal"/>' + FOUR, 1: '<w:numStyleLink w:val="Legal"/>'}
    body = "".join(paragraph(run("x,"), properties=in_list(n, depth)) for n, depth in ((2, 0), (2, 1), (1, 0), (2, 1)))
    lists = {1: (0, ""), 2: (1, "")}
    linked = style("Legal", kind="numbering", paragraph=in_list(1))
    assert lines(body, numbering(definitions, lists), linked) == ["1 x,", "1.1 x,", "2 x,", "2.1 x,"]
    assert lines(body, numbering(definitions, lists)) == ["1 x,", "1.1 x,", "2 x,", "2.1 x,"]  # the style is missing
    circle = {0: '<w:numStyleLink w:val="Legal"/>', 1: '<w:numStyleLink w:val="Legal"/>'}
    assert lines(body, numbering(circle, lists), linked) == ["x,"] * 4


def test_the_level_comes_from_the_style_or_those_it_is_based_on() -> None:
    heading = '<w:pStyle w:val="{}"/>'
    definition = level(0, more=heading.format("H1")) + level(1, more=heading.format("H2")) + level(2) + level(3)
    entries = (
        style("H1", paragraph=in_list(1)),
        style("H2", paragraph=in_list(1)),
        style("Derived", based_on="H2"),
        style("Third", based_on="H2", paragraph=in_list(level=2)),
        style("Unnumbered", based_on="H2", paragraph=in_list(0)),
        style("Stated", paragraph=in_list(1, 3)),
    )
    shown = [
        ("H1", None, None, "1"), ("H2", None, None, "1.1"), ("Derived", None, None, "1.2"),
        ("Third", None, None, "1.2.1"), ("Unnumbered", None, None, ""), ("Stated", None, None, "1.2.1.1"),
        ("H1", None, 1, "1.3"), ("H2", 1, None, "1.4"), ("H2", 1, 0, "2"), ("Derived", 0, None, ""),
        ("H2", 2, None, "B 1.1"),
    ]  # fmt: skip
    body = "".join(paragraph(run("x,"), properties=in_list(n, depth, name)) for name, n, depth, _ in shown)
    other = level(0, "A %1") + level(1, "B %1.%2", more=heading.format("H2"))
    printed = lines(body, numbering({0: definition, 1: other}, {1: (0, ""), 2: (1, "")}), *entries)
    assert printed == [f"{label} x,".strip() for *_, label in shown]


def test_the_default_style_may_be_numbered() -> None:
    default = style("Standard", paragraph=in_list(1)).replace("<w:style ", '<w:style w:default="1" ')
    body = paragraph(run("x,")) + paragraph(run("y,"))
    assert lines(body, numbering({0: FOUR}, {1: (0, "")}), default) == ["1 x,", "2 y,"]


def test_empty_numbered_paragraphs_count_and_print_their_number() -> None:
    numbered = in_list(1, 0)
    body = (
        paragraph(run("a,"), properties=numbered) + paragraph(properties=numbered)
        + paragraph('<w:r><w:br w:type="page"/></w:r>', properties=numbered) + paragraph(run("d,"), properties=numbered)
        + paragraph(properties=in_list(2, 0)) + paragraph(run("e,"), properties=in_list(2, 0))
    )  # fmt: skip
    lists = numbering({0: FOUR, 1: level(0, "o", "bullet")}, {1: (0, ""), 2: (1, "")})
    assert lines(body, lists) == ["1 a,", "2", "3", "4 d,", "- e,"]


def test_rows_of_a_table_that_word_numbers() -> None:
    rows = "".join(
        f"<w:tr><w:tc>{paragraph(properties=in_list(1, 0))}</w:tc><w:tc>{paragraph(run(text))}</w:tc></w:tr>"
        for text in ("Repairs", "Rent")
    )
    lists = numbering({0: level(0, "%1.")}, {1: (0, "")})
    assert lines(f"<w:tbl>{rows}</w:tbl>", lists) == ["1. | Repairs", "2. | Rent"]


@pytest.mark.parametrize("mark", ["<w:del/>", "<w:moveFrom/>", "<w:vanish/>"])
def test_paragraphs_that_are_gone_do_not_count(mark: str) -> None:
    gone = run("gone", "<w:vanish/>") if "vanish" in mark else f"<w:del>{run('gone')}</w:del>"
    body = (
        paragraph(run("a,"), properties=in_list(1, 0))
        + paragraph(gone, properties=f"{in_list(1, 0)}<w:rPr>{mark}</w:rPr>")
        + paragraph(run("b,"), properties=in_list(1, 0))
    )
    assert lines(body, numbering({0: FOUR}, {1: (0, "")})) == ["1 a,", "2 b,"]


def test_struck_paragraphs_count_and_are_left_out_with_their_number() -> None:
    struck = paragraph(run("gone", "<w:strike/>"), properties=in_list(1, 0))
    body = paragraph(run("a,"), properties=in_list(1, 0)) + struck + paragraph(run("b,"), properties=in_list(1, 0))
    assert lines(body, numbering({0: FOUR}, {1: (0, "")})) == ["1 a,", "3 b,"]


@pytest.mark.parametrize("mark", ["<w:vanish/><w:specVanish/>", "<w:specVanish/>"])
def test_a_style_separator_joins_two_paragraphs(mark: str) -> None:
    lists = numbering({0: FOUR}, {1: (0, "")})
    heading = style("H", "heading 1")
    lead = paragraph(run("Term"), properties=f"{in_list(1, 0, 'H')}<w:rPr>{mark}</w:rPr>")
    assert lines(lead + paragraph(run(". Two years.")) + paragraph(run("End,")), lists, heading) == [
        "1 Term. Two years.", "End,",
    ]  # fmt: skip
    assert lines(lead + paragraph(run("Two years.")), lists, heading) == ["1 Term Two years."]
    assert lines(lead + paragraph(), lists, heading) == ["1 Term"]  # nothing follows: still a heading
    assert lines(lead, lists, heading) == ["1 Term"]
    cell = f"<w:tbl><w:tr><w:tc>{paragraph(run('x'))}</w:tc><w:tc>{paragraph(run('y'))}</w:tc></w:tr></w:tbl>"
    assert lines(lead + cell, lists, heading) == ["1 Term", "x | y"]
    numbered = paragraph(run("Lead"), properties=f"<w:rPr>{mark}</w:rPr>") + paragraph(
        run("numbered,"), properties=in_list(1, 0)
    )
    assert lines(numbered, lists) == ["1 Lead numbered,"]


@pytest.mark.parametrize(
    ("definition", "places", "printed"),
    [
        (level(0, "ARTICLE %1", "upperRoman") + level(1, more="<w:isLgl/>"), "1:0 1:1 1:0 1:1",
         ["ARTICLE I", "1.1", "ARTICLE II", "2.1"]),
        (level(0, "%1", "decimalZero") + level(1, more="<w:isLgl/>"), "1:0 1:1", ["01", "01.1"]),
        (level(0) + level(1, "-", "bullet") + level(2, "%1.%2%3"), "1:0 1:1 1:2", ["1", "-", "1.1"]),
        (level(0, "Clause %1", "cardinalText"), "1:0 1:0", ["Clause One", "Clause Two"]),
        (level(0, "%1", more="<w:rPr><w:vanish/></w:rPr>") + level(1), "1:0 1:1", ["", "1.1"]),
        (level(0, "Note:", "bullet"), "1:0", ["Note:"]),
        (level(0, "", "none") + level(1, "(%2)", "lowerRoman", start=4), "1:0 1:1 1:1", ["", "(iv)", "(v)"]),
        (level(0), "1:0 1:5", ["1", ""]),  # a level that the definition lacks
        (level(0), "9:0 1:0", ["", "1"]),  # a list that is not defined
    ],
)  # fmt: skip
def test_what_a_level_prints(definition: str, places: str, printed: list[str]) -> None:
    assert labels(places, definition, {1: (0, "")}) == printed


def test_a_custom_format_stands_before_its_fallback() -> None:
    choice = (
        '<mc:AlternateContent><mc:Choice Requires="w14"><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/>'
        '</mc:Choice><mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback></mc:AlternateContent>'
    )
    definition = f'<w:lvl w:ilvl="0"><w:start w:val="9"/>{choice}<w:lvlText w:val="No. %1"/></w:lvl>'
    assert labels("1:0 1:0", definition, {1: (0, "")}) == ["No. 009", "No. 010"]


@pytest.mark.parametrize(
    ("text", "printed"),
    [(". Term", "Section 1. Term"), ("Term,", "Section 1 Term,"), ("30 days", "Section 1 30 days")],
)
def test_a_label_without_a_gap_keeps_numbers_apart(text: str, printed: str) -> None:
    definition = level(0, "Section %1", more='<w:suff w:val="nothing"/>')
    body = paragraph(run(text), properties=in_list(1, 0))
    assert lines(body, numbering({0: definition}, {1: (0, "")})) == [printed]


def test_absurd_numbers_in_the_file_are_bounded() -> None:
    definition = level(0, start=1).replace('w:val="1"', f'w:val="{"9" * 5000}"', 1)
    assert labels("1:0 1:99999999", definition, {1: (0, override(0, 999_999_999))}) == ["999999999", ""]
