"""HTML as a reader sees it: what is live, what opens with a click, numbers, tables, icons."""

from __future__ import annotations

import pytest

from playground.documents import load_document
from tests.support.document_checks import assert_sound, outline


def read(body: str, head: str = "") -> list[str]:
    return [text for _, _, text in pieces(body, head)]


def pieces(body: str, head: str = "") -> list[tuple[str, int, str]]:
    document = load_document(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode(), "a.html")
    assert_sound(document)
    return outline(document)


def warnings(body: str, head: str = "") -> tuple[str, ...]:
    page = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return load_document(page.encode(), "a.html").warnings


STRUCK = [
    "<del>14 days</del>",
    "<s>14 days</s>",
    "<strike>14 days</strike>",
    '<span style="color: red; text-decoration: line-through">14 days</span>',
    '<span class="old">14 days</span>',
]


@pytest.mark.parametrize("struck", STRUCK)
def test_struck_text_is_left_out_and_counted(struck: str) -> None:
    head = "<style>.old { text-decoration: line-through red }</style>"
    body = f"<p>You have {struck} <ins>30 days</ins>.</p>"
    assert read(body, head) == ["You have 30 days."]
    assert warnings(body, head) == ("The page has struck-through text in 1 place, which was left out.",)


def test_a_struck_item_or_cell_keeps_its_place() -> None:
    assert read(
        "<ol><li>One</li><li><s>Two</s></li><li style='text-decoration:line-through'>Three</li><li>Four</ol>"
    ) == [
        "1. One",
        "4. Four",
    ]
    assert read("<table><tr><th>Item<th>Was<th>Is</tr><tr><td>Lamp<td><del>5</del><td>6</table>")[1] == "Lamp |  | 6"


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">secret</p>',
        '<p style="visibility: hidden">secret</p>',
        "<p hidden>secret</p>",
        '<p class="gone">secret</p>',
        "<dialog><p>secret</p></dialog>",
    ],
)
def test_hidden_text_is_left_out_and_counted(hidden: str) -> None:
    head = "<style>@media print { p { display: none } } .gone { display: none }</style>"
    body = f"<h1>Returns</h1><p>Within 30 days.</p>{hidden}<p>In its box.</p>"
    assert read(body, head) == ["Returns", "Within 30 days.", "In its box."]
    assert warnings(body, head) == ("The page has hidden text in 1 place, which was left out.",)


def test_a_later_or_closer_rule_shows_what_another_hides() -> None:
    head = "<style>.a { display: none } p.a { display: block } .b { display: none !important }</style>"
    body = '<p class="a">Shown.</p><p class="b" style="display: block">Hidden.</p>'
    assert read(body, head) == ["Shown."]


@pytest.mark.parametrize(
    "answer",
    [
        '<h3><button aria-expanded="false" aria-controls="x">How long?</button></h3><div id="x" hidden>90 days.</div>',
        '<button class="faq-toggle">How long?</button><div style="display:none">90 days.</div>',
        '<h3>How long?</h3><div class="accordion-body">90 days.</div>',
        "<details><summary>How long?</summary>90 days.</details>",
        '<h3>How long?</h3><div hidden="until-found">90 days.</div>',
        '<div role="button" aria-expanded="false">How long?</div><div class="panel" hidden>90 days.</div>',
        '<a href="#x" data-toggle="collapse"><h3>How long?</h3></a><div id="x" style="display:none">90 days.</div>',
    ],
)
def test_an_answer_that_opens_with_a_click_is_read_under_its_question(answer: str) -> None:
    head = "<style>.accordion-body { display: none }</style>"
    found = pieces(f"<h2>Returns</h2>{answer}", head)
    assert [(kind, text) for kind, _, text in found] == [
        ("heading", "Returns"),
        ("heading", "How long?"),
        ("paragraph", "90 days."),
    ]
    assert not warnings(f"<h2>Returns</h2>{answer}", head)


def test_buttons_that_act_and_hidden_menus_are_not_text() -> None:
    body = (
        '<button aria-expanded="false" aria-controls="menu" aria-haspopup="true">Menu</button>'
        '<div id="menu" hidden><a href="/">Home</a> <a href="/s">Shop</a> <a href="/h">Help</a></div>'
        "<p>Within 30 days.</p><button>Add to cart</button>"
    )
    assert read(body) == ["Within 30 days."]


@pytest.mark.parametrize(
    "banner",
    [
        '<div id="onetrust-banner-sdk"><p>We keep cookies for 365 days.</p></div>',
        '<div class="cookie-notice" role="dialog"><p>Cookies are kept for 365 days.</p></div>',
        "<div><p>This shop uses cookies for 365 days.</p><div><button>Accept all</button></div></div>",
    ],
)
def test_a_cookie_banner_is_left_out_and_said(banner: str) -> None:
    body = f"<div><h1>Returns</h1><p>You have 30 days to send back whatever you bought from us.</p>{banner}</div>"
    assert read(body) == ["Returns", "You have 30 days to send back whatever you bought from us."]
    assert warnings(body) == ("The page has a cookie banner, which was left out.",)


def test_a_page_about_cookies_is_no_banner() -> None:
    body = '<main class="cookie-notice"><h1>Cookies</h1><p>We keep cookies for 365 days.</p></main>'
    assert read(body) == ["Cookies", "We keep cookies for 365 days."]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("$49<sup>99</sup>", "$49.99"),
        ("1,249<sup>90</sup> €", "1,249.90 €"),
        ('$49<span class="price-cents">99</span>', "$49.99"),
        ('€5<span style="vertical-align: super; font-size: 60%">50</span>', "€5.50"),
        ("30<sup>1</sup> days", "30 1 days"),
        ("30<sup><a href='#n'>1</a></sup> days", "30 1 days"),
        ("30<sup>a</sup> days", "30 a days"),
        ("<sup>1</sup>45 days", "1 45 days"),
        ("days<sup>2</sup>.", "days 2."),
        ("the 1<sup>st</sup> floor", "the 1st floor"),
        ("12 m<sup>2</sup>", "12 m2"),
        ("H<sub>2</sub>O", "H2O"),
        ("1<sup>1</sup>&frasl;<sub>2</sub> years", "1 1\u20442 years"),
        ("5<sup>*</sup>", "5*"),
    ],
)
def test_raised_figures_do_not_change_numbers(markup: str, shown: str) -> None:
    assert read(f"<p>{markup}</p>") == [shown]
    assert read(f"<table><tr><th>A<th>B</tr><tr><td>x<td>{markup}</table>")[1] == f"x | {shown}"


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ("<ol type=A start=3><li>x<li>y</ol>", ["C. x", "D. y"]),
        ("<ol type=i><li>x<li value=9>y<li>z</ol>", ["i. x", "ix. y", "x. z"]),
        ("<ol type=I start=40><li>x</ol>", ["XL. x"]),
        ("<ol type=a start=27><li>x</ol>", ["aa. x"]),
        ("<ol reversed><li>x<li>y<li>z</ol>", ["3. x", "2. y", "1. z"]),
        ("<ol reversed start=10><li>x<li>y</ol>", ["10. x", "9. y"]),
        ("<ol start=0><li>x<li value=-2>y</ol>", ["0. x", "-2. y"]),
        ('<ol style="list-style-type: lower-roman"><li>x<li>y</ol>', ["i. x", "ii. y"]),
        ('<ol style="list-style: none"><li>1.1 x</ol>', ["1.1 x"]),
        ("<ol><li>x<li hidden>gone<li>y</ol>", ["1. x", "2. y"]),
    ],
)
def test_items_have_the_numbers_that_a_browser_shows(items: str, shown: list[str]) -> None:
    assert read(items) == shown


def test_spans_reach_into_every_row_and_column_they_cover() -> None:
    table = (
        "<table><thead><tr><th colspan=4>Fees of 2031</th></tr>"
        "<tr><th rowspan=2>Item</th><th rowspan=2>State</th><th colspan=2>Fee</th></tr><tr><th>EU</th><th>US</th></tr>"
        "</thead><tbody><tr><td rowspan=0>Lamp</td><td>new</td><td>5</td><td>6</td></tr>"
        "<tr><td>used</td><td colspan=2>7</td></tr></tbody><tbody>"
        "<tr><td>Sofa</td><td>new</td><td>8</td><td>9</td></tr><tr><td colspan=4>With tax</td></tr></tbody></table>"
    )
    assert pieces(table) == [
        ("paragraph", 0, "Fees of 2031"),
        ("table_row", 0, "Item | State | Fee: EU | Fee: US"),
        ("table_row", 0, "Lamp | new | 5 | 6"),
        ("table_row", 0, "Lamp | used | 7 | 7"),
        ("table_row", 0, "Sofa | new | 8 | 9"),
        ("table_row", 0, "With tax"),
    ]


def test_columns_that_only_hold_gaps_are_no_columns() -> None:
    table = (
        "<table><tr><th>Item<th><th colspan=2>2031</tr><tr><td>Rent<td><td>$<td>1,250</tr>"
        "<tr><td>Heat<td><td>$<td>80</tr></table>"
    )
    assert read(table) == ["Item | 2031 | 2031", "Rent | $ | 1,250", "Heat | $ | 80"]


def test_a_table_with_enormous_spans_is_read() -> None:
    row = '<tr><td rowspan="65534" colspan="1000">x</td><td>y</td></tr>'
    assert len(read(f"<table>{row * 300}</table>")) == 300


def test_lists_in_cells_stay_in_their_row() -> None:
    table = (
        "<table><tr><th>Item<th>Terms</tr><tr><td>Lamps<td>We take:<ul><li>new<li>in the box</ul></tr>"
        "<tr><td>Sofas<td><ol type=a><li>new<li>dry</ol></tr></table>"
    )
    assert read(table) == ["Item | Terms", "Lamps | We take: new; in the box", "Sofas | a. new; b. dry"]


@pytest.mark.parametrize(
    ("icon", "shown"),
    [
        ('<img src="t.svg" alt="Yes">', "Yes"),
        ('<svg aria-label="No"></svg>', "No"),
        ("<svg><title>Included</title><path d=''/></svg>", "Included"),
        ('<i class="icon" title="Not possible"></i>', "Not possible"),
        ('<span role="img" aria-label="Yes"></span>', "Yes"),
        ('<i class="fa fa-check"></i>', "✓"),
        ('<input type="checkbox" checked>', "☒"),
        ('<img src="y.png" alt="Yes"> Yes, free', "Yes, free"),
    ],
)
def test_icons_in_cells_are_read_by_their_label(icon: str, shown: str) -> None:
    assert read(f"<table><tr><th>Free<th>Lamp</tr><tr><td>Return<td>{icon}</table>")[1] == f"Return | {shown}"


def test_pictures_without_a_label_in_cells_are_counted() -> None:
    table = '<table><tr><th>Free<th>Lamp</tr><tr><td>Return<td><img src="a8f3.png"></table>'
    assert warnings(table) == (
        "1 table cell holds only a picture without a description, so nothing of it is in the text.",
    )


def test_a_table_by_its_roles_is_a_table() -> None:
    table = (
        '<div role="table"><div role="row"><span role="columnheader">Item</span>'
        '<span role="columnheader">Days</span></div>'
        '<div role="row"><span role="cell">Lamp</span><span role="cell">30</span></div></div>'
    )
    assert pieces(table) == [("table_row", 0, "Item | Days"), ("table_row", 0, "Lamp | 30")]
