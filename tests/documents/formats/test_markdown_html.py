"""HTML inside Markdown: tags and comments go, what is not live is counted, code and blanks stay as written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.documents import Limits, load_document
from playground.documents.formats import markdown
from playground.types import Document
from tests.support.document_checks import assert_sound, outline


def read(source: str) -> Document:
    document = load_document(source.encode(), "a.md")
    assert_sound(document)
    return document


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A fee <!-- of 5 crowns --> applies.", "A fee  applies."),
        ("One.\n\n<!--\nTwo.\n\nThree.\n-->\n\nFour.", "One.\n\nFour."),
        ("- one\n<!-- two -->\n- three", "- one\n- three"),
        ("One.\n\n[//]: # (Two is dropped)\n\nThree.", "One.\n\nThree."),
        ("One.\n\n<!-- never closed\n\nTwo.", "One."),
        ("One <!-- never closed", "One <!-- never closed"),
    ],
)
def test_comments_are_left_out(source: str, text: str) -> None:
    document = read(source)
    assert document.text.strip() == text
    dropped = text != source
    assert document.warnings == (("1 comment of the Markdown source was left out.",) if dropped else ())


@pytest.mark.parametrize(
    "struck", ["<del>5</del>", "~~5~~", "<s>5</s>", '<span style="text-decoration:line-through">5</span>']
)
def test_struck_text_is_left_out(struck: str) -> None:
    document = read(f"The fee is {struck} 7 crowns.")
    assert document.text == "The fee is  7 crowns."
    assert document.warnings == ("1 struck-through passage of the Markdown source was left out.",)


def test_hidden_parts_go_with_all_paragraphs_inside() -> None:
    document = read("One.\n\n<div hidden>\n\nTwo.\n\nThree.\n\n</div>\n\nFour.")
    assert [text for _, _, text in outline(document)] == ["One.", "Four."]
    assert document.warnings == ("1 hidden passage of the Markdown source was left out.",)


def test_tags_go_and_headings_stay_whole() -> None:
    source = '# Re<b>turn</b> policy <a id="x"></a>\n\n1. <span id="1">Liability</span>\n\n<p>One.</p>\n<p>Two.</p>\n'
    assert outline(read(source)) == [
        ("heading", 1, "# Return policy"),
        ("list_item", 0, "1. Liability"),
        ("paragraph", 0, "One."),
        ("paragraph", 0, "Two."),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "Write `<b>x</b>` and `` ~~y~~ ``.",
        "```html\n<b>x</b> <!-- y -->\n```",
        "Text:\n\n    <b>indented code</b>",
        "The <Customer> and <Supplier Name> sign.",
        "If a < b and c > d, see <https://shop.example>.",
        "It costs ~~ 5 to 6 ~~ crowns.",
        r"\<b> is written so.",
        "---\ntitle: <b>x</b>\n---\n\nText.",
    ],
)
def test_code_and_what_only_looks_like_a_tag_stay_as_written(source: str) -> None:
    document = read(source)
    assert document.text == source
    assert not document.warnings


def test_tables_and_lists_of_html_become_markdown() -> None:
    source = (
        "Fees:\n\n<table>\n<tr><th>Item</th><th>Days</th></tr>\n\n"
        '<tr><td rowspan="2">Lamp</td><td>30<sup>1</sup></td></tr>\n<tr><td><del>14</del> 21</td></tr>\n</table>\n\n'
        "<ol type=a><li>new</li><li>dry</li></ol>\n\n"
        "<details>\n<summary>How long?</summary>\n\nNinety days.\n\n</details>\n"
    )
    document = read(source)
    assert outline(document) == [
        ("paragraph", 0, "Fees:"),
        ("table_row", 0, "| Item | Days |\n|---|---|"),
        ("table_row", 0, "| Lamp | 30 1 |"),
        ("table_row", 0, "| Lamp | 21 |"),
        ("list_item", 0, "- a. new"),
        ("list_item", 0, "- b. dry"),
        ("heading", 4, "#### How long?"),
        ("paragraph", 0, "Ninety days."),
    ]
    assert document.warnings == ("The page has struck-through text in 1 place, which was left out.",)


def test_entities_and_raised_figures() -> None:
    source = "Brindle &amp; Fenn: $49<sup>99</sup>, within&nbsp;30<sup>1</sup> days, 5&euro;<br>No &lt;fee&gt;."
    assert read(source).text == "Brindle & Fenn: $49.99, within 30 1 days, 5€\nNo &lt;fee&gt;."


def test_icons_in_a_table_are_read_by_their_label() -> None:
    table = '| Item | Free |\n|---|---|\n| Lamp | <img src="t.svg" alt="Yes"> |'
    assert outline(read(table))[1] == ("table_row", 0, "| Lamp | Yes |")


SIGNS = (
    "<b> </b> <!-- --> <div> </div> <table> <tr><td>x </table> <del> </del> ~~ ` `` ``` <sup>1</sup> <br> x # - 1. "
    "&amp; < <ul><li> </ul> <h2> </h2>"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*SIGNS.split(" "), "\n", "\n\n", "    "]), max_size=30))
def test_any_mixture_gives_sound_blocks(parts: list[str]) -> None:
    extract = markdown.parse("".join(parts).encode(), Limits())
    assert_sound(Document("id", "t", extract.text, "s", "h", extract.blocks))
