"""What Word shows of runs: struck and hidden text, raised digits, symbols, form fields, formulas."""

from __future__ import annotations

import pytest

from playground.documents.formats.docx import parse
from playground.documents.formats.pieces import Extract
from playground.documents.limits import Limits
from tests.support.docx_files import by_hand, paragraph, run, style, styles

STRUCK, TWICE, HIDDEN = "<w:strike/>", "<w:dstrike/>", "<w:vanish/>"
UP, DOWN = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
NAMED = '<w:rStyle w:val="{}"/>'
PARAGRAPH = '<w:pStyle w:val="{}"/>'


def read(body: str, *style_entries: str) -> Extract:
    return parse(by_hand(body, **({"styles": styles(*style_entries)} if style_entries else {})), Limits())


def text_of(*runs: str) -> str:
    return read(paragraph(*runs)).text


@pytest.mark.parametrize(
    ("runs", "text", "said"),
    [
        ([run("within "), run("14 days ", STRUCK), run("45 days.")], "within 45 days.", "2 words in 1 place"),
        ([run("within"), run(" 14 days ", TWICE), run("45 days.")], "within 45 days.", "2 words in 1 place"),
        ([run("within "), run("14 ", STRUCK), run("days", TWICE), run("45 days")], "within 45 days",
         "2 words in 1 place"),
        ([run("a "), run("b", STRUCK), run(" c "), run("d", STRUCK)], "a  c", "2 words in 2 places"),
        ([run("kept", '<w:strike w:val="false"/>'), run(" x", STRUCK)], "kept", "1 word in 1 place"),
        ([run("The fee"), run(" of 20%", STRUCK), run(".")], "The fee.", "2 words in 1 place"),
    ],
)  # fmt: skip
def test_struck_text_is_left_out_and_said(runs: list[str], text: str, said: str) -> None:
    extract = read(paragraph(*runs))
    assert extract.text == text
    assert extract.warnings == (f"Struck-through text was left out: {said}.",)


def test_struck_and_hidden_by_styles() -> None:
    entries = (
        style("Gone", text=STRUCK), style("GoneToo", based_on="Gone"), style("Secret", text=HIDDEN),
        style("Old", kind="character", text=STRUCK), style("Older", kind="character", based_on="Old"),
        style("Note", kind="character", text=HIDDEN),
        style("Shown", based_on="Secret", text='<w:vanish w:val="0"/>'),
    )  # fmt: skip
    body = (
        paragraph(run("a", NAMED.format("Older")), run("kept", NAMED.format("nowhere")))
        + paragraph(run("b"), properties=PARAGRAPH.format("GoneToo"))
        + paragraph(run("c", '<w:strike w:val="0"/>'), properties=PARAGRAPH.format("Gone"))
        + paragraph(run("d", NAMED.format("Old")), properties=PARAGRAPH.format("Gone"))  # toggled twice: not struck
        + paragraph(run("e"), properties=PARAGRAPH.format("Secret"))
        + paragraph(run("f "), run("g", NAMED.format("Note")))
        + paragraph(run("h"), properties=PARAGRAPH.format("Shown"))
    )
    extract = read(body, *entries)
    assert extract.text.split("\n\n") == ["kept", "c", "d", "f", "h"]
    assert extract.warnings == (
        "The document has hidden text, which was left out.",
        "Struck-through text was left out: 2 words in 2 places.",
    )


def test_all_text_may_be_hidden_by_default() -> None:
    defaults = f"<w:docDefaults><w:rPrDefault><w:rPr>{HIDDEN}</w:rPr></w:rPrDefault></w:docDefaults>"
    shown = style("Shown", text='<w:vanish w:val="0"/>')
    body = paragraph(run("a")) + paragraph(run("b", '<w:vanish w:val="0"/>')) + paragraph(run("c"))
    assert read(body, defaults, shown).text == "b"


def test_a_hidden_paragraph_mark_runs_two_lines_together() -> None:
    mark = f"<w:rPr>{HIDDEN}</w:rPr>"
    assert read(paragraph(run("One"), properties=mark) + paragraph(run("two,"))).text == "One two,"
    hidden_between = paragraph(run("x", HIDDEN), properties=mark)
    assert read(paragraph(run("One,")) + hidden_between + paragraph(run("two,"))).text == "One,\n\ntwo,"


def test_a_text_box_in_a_struck_run_is_read() -> None:
    box = f"<w:pict><v:textbox><w:txbxContent>{paragraph(run('In the box,'))}</w:txbxContent></v:textbox></w:pict>"
    assert read(paragraph(run("Text,"), f"<w:r><w:rPr>{STRUCK}</w:rPr>{box}</w:r>")).text == "Text,\n\nIn the box,"


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([run("within 30"), run("1", UP), run(" days")], "within 30 1 days"),
        ([run("costs $49"), run("99", UP), run(" each")], "costs $49 99 each"),
        ([run("30"), run("1", '<w:position w:val="6"/>'), run(" days")], "30 1 days"),
        ([run("30 days"), run("1", UP), run(".")], "30 days 1."),
        ([run("30."), run("1", UP)], "30. 1"),
        ([run("1", UP), run("45 days")], "1 45 days"),
        ([run("1", UP), run("Members")], "1 Members"),
        ([run("30"), run("1", UP), run(",", UP), run("2", UP), run(" days")], "30 1,2 days"),
        ([run("10"), run("-6", UP), run(" m")], "10^-6 m"),
        ([run("2"), run("1", UP), run("/"), run("2", DOWN), run(" years")], "2 1/2 years"),
        ([run("10"), run("2", DOWN)], "10 2"),
        ([run("1"), run("st", UP), run(" of May, 20 m"), run("2", UP), run(", H"), run("2", DOWN), run("O")],
         "1st of May, 20 m2, H2O"),
        ([run("3"), run("0 days", "<w:b/>")], "30 days"),  # runs are cut anywhere
        ([run("30", '<w:position w:val="2"/>'), run("0 days")], "300 days"),  # lined up, not raised
    ],
)  # fmt: skip
def test_raised_and_lowered_digits_stay_apart(runs: list[str], text: str) -> None:
    assert text_of(*runs) == text


def test_a_style_raises_the_mark_of_a_note() -> None:
    notes = style("Mark", kind="character", text=UP)
    custom = '<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:footnoteReference w:id="2" w:customMarkFollows="1"/>'
    body = paragraph(run("within 30"), f"{custom}<w:t>1</w:t></w:r>", run(" days"))
    assert read(body, notes).text == "within 30 1 days"


@pytest.mark.parametrize(
    ("font", "code", "text"),
    [
        ("Wingdings", "F0FE", "[x]"), ("Wingdings", "FE", "[x]"), ("Wingdings", "F0A8", "[ ]"),
        ("Wingdings 2", "F052", "[x]"), ("Wingdings 2", "F0A3", "[ ]"), ("Wingdings", "F06F", "[ ]"),
        ("Symbol", "F0A3", "≤"), ("Symbol", "F0B3", "≥"), ("Symbol", "F0B1", "±"), ("Symbol", "F0E5", "∑"),
        ("Symbol", "F0F1", "〉"), ("Symbol", "F062", "β"), ("Symbol", "F020", " "), ("Wingdings", "F081", "(1)"),
        ("Arial", "00A7", "§"), ("Arial", "E001", ""), ("Wingdings", "zz", ""),
    ],
)  # fmt: skip
def test_symbols(font: str, code: str, text: str) -> None:
    symbol = f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'
    assert text_of(run("a "), symbol, run(" b")) == f"a {text} b"


def test_letters_in_a_symbol_font_are_signs() -> None:
    def fonted(font: str) -> str:
        return f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}"/>'

    assert text_of(run("\uf0fe Yes"[:1], fonted("Wingdings")), run(" Yes")) == "[x] Yes"
    assert text_of(run("þ", fonted("Wingdings")), run(" Yes "), run("o", fonted("Wingdings")), run(" No")) == (
        "[x] Yes [ ] No"
    )
    assert text_of(run("a "), run("\uf0a3", fonted("Symbol")), run(" 30")) == "a ≤ 30"
    assert text_of(run("Plain words", fonted("Symbol"))) == "Plain words"  # a slip: Word writes signs otherwise
    boxes = style("Boxes", kind="character", text=fonted("Wingdings"))
    assert read(paragraph(run("x", NAMED.format("Boxes")), run(" Yes")), boxes).text == "[x] Yes"


def field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def code(instruction: str) -> str:
    return f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"


def form(settings: str, instruction: str, result: str = "") -> str:
    begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{settings}</w:ffData></w:fldChar></w:r>'
    return begin + code(instruction) + field("separate") + result + field("end")


@pytest.mark.parametrize(
    ("box", "text"),
    [
        ('<w:default w:val="1"/>', "[x] Yes"), ('<w:default w:val="0"/>', "[ ] Yes"), ("", "[ ] Yes"),
        ('<w:default w:val="0"/><w:checked/>', "[x] Yes"), ('<w:default/><w:checked w:val="false"/>', "[ ] Yes"),
    ],
)  # fmt: skip
def test_ticked_boxes_of_a_form(box: str, text: str) -> None:
    assert text_of(form(f"<w:checkBox>{box}</w:checkBox>", " FORMCHECKBOX "), run(" Yes")) == text


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ('<w:result w:val="2"/>', "Law: Ostland."), ('<w:default w:val="1"/>', "Law: Narvia."), ("", "Law: choose."),
        ('<w:result w:val="9"/>', "Law: ."), ('<w:result w:val="-1"/>', "Law: choose."),
    ],
)  # fmt: skip
def test_choices_of_a_form(chosen: str, text: str) -> None:
    entries = "".join(f'<w:listEntry w:val="{entry}"/>' for entry in ("choose", "Narvia", "Ostland"))
    choices = f"<w:ddList>{chosen}{entries}</w:ddList>"
    assert text_of(run("Law: "), form(choices, " FORMDROPDOWN "), run(".")) == text
    assert text_of(run("Law: "), form(choices, " FORMDROPDOWN ", run("old")), run(".")) == text  # shown once


def test_a_form_field_that_never_ends_keeps_the_rest_of_the_document() -> None:
    begin = form("<w:checkBox><w:checked/></w:checkBox>", "FORMCHECKBOX").split(field("separate"))[0]
    assert read(paragraph(begin, run(" Yes,")) + paragraph(run("The rest,"))).text == "[x] Yes,\n\nThe rest,"
    assert read(paragraph(field("begin"), run("a,")) + paragraph(field("end"), field("end"), run("b,"))).text == "b,"


def test_results_are_shown_and_instructions_are_not() -> None:
    inner = field("begin") + code("MERGEFIELD x") + field("separate") + run("inner") + field("end")
    outer = field("begin") + code("IF ") + inner + code(' = "a" "b" "c"') + field("separate") + run("b") + field("end")
    assert text_of(run("a "), outer, run(" c")) == "a b c"
    linked = field("begin") + code("HYPERLINK x") + field("separate") + run("in ") + inner + field("end")
    assert text_of(linked) == "in inner"
    typed = form("<w:textInput/>", "FORMTEXT", run("Tarn Mills"))
    assert text_of(run("Name: "), typed) == "Name: Tarn Mills"
    deleted = f"<w:del>{field('begin')}{code('PAGE')}</w:del>"
    assert text_of(deleted, run("kept "), field("end"), run("too")) == "kept too"


def test_fields_without_a_result_show_what_word_draws() -> None:
    def bare(instruction: str) -> str:
        return field("begin") + code(instruction) + field("end")

    assert text_of(bare("MACROBUTTON Nothing [Name of the client]")) == "[Name of the client]"
    assert text_of(bare('SYMBOL 254 \\f "Wingdings" \\s 10'), run(" Yes")) == "[x] Yes"
    extract = read(paragraph(bare("LISTNUM"), run(" one "), bare("AUTONUM"), run(" two")))
    assert extract.text == "one  two"
    assert extract.warnings == (
        "The document has 2 numbers that Word works out as it prints (LISTNUM or AUTONUM), left out here.",
    )


def control(settings: str, content: str) -> str:
    return f"<w:sdt><w:sdtPr>{settings}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


@pytest.mark.parametrize(("checked", "text"), [("1", "[x] Yes"), ("0", "[ ] Yes"), ("true", "[x] Yes")])
def test_ticked_boxes_of_content_controls(checked: str, text: str) -> None:
    box = f'<w14:checkbox><w14:checked w14:val="{checked}"/></w14:checkbox>'
    symbol = '<w:r><w:sym w:font="Wingdings 2" w:char="F0A3"/></w:r>'
    for content in (run("☐"), symbol, "", run("☐") + run("x")):
        assert text_of(control(box, content), run(" Yes")) == text
    around = control(box, paragraph(run("☒")))
    assert read(around + paragraph(run("x,"))).text == f"{text[:3]}\n\nx,"


def test_choices_of_content_controls() -> None:
    items = '<w:listItem w:displayText="Law of Narvia" w:value="n"/>'
    shown = control(f'<w:dropDownList w:lastValue="n">{items}</w:dropDownList>', run("Law of Ostland"))
    assert text_of(run("Law: "), shown) == "Law: Law of Ostland"
    for kind in ("dropDownList", "comboBox"):
        for content in ("", run(" ")):
            kept = control(f'<w:{kind} w:lastValue="n">{items}</w:{kind}>', content)
            assert text_of(run("Law: "), kept) == "Law: Law of Narvia"
    own = control('<w:comboBox w:lastValue="Law of the sea"/>', "")
    assert text_of(own) == "Law of the sea"


def math(*content: str) -> str:
    return f"<m:oMath>{''.join(content)}</m:oMath>"


def value(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (f"<m:f><m:num>{value('1')}</m:num><m:den>{value('2')}</m:den></m:f>", "1/2"),
        (f"<m:sSup><m:e>{value('10')}</m:e><m:sup>{value('6')}</m:sup></m:sSup>", "10^6"),
        (f"<m:f><m:num>{value('a+b')}</m:num><m:den>{value('365')}</m:den></m:f>", "(a+b)/365"),
        (f"{value('2')}<m:d><m:e>{value('a+b')}</m:e></m:d>", "2(a+b)"),
        (f"<m:rad><m:deg/><m:e>{value('16')}</m:e></m:rad>", "√16"),
        (f"<m:sSubSup><m:e>{value('x')}</m:e><m:sub>{value('1')}</m:sub><m:sup>{value('2')}</m:sup></m:sSubSup>",
         "x_1^2"),
        (f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{value('i=1')}</m:sub><m:sup>{value('n')}</m:sup>"
         f"<m:e>{value('fee')}</m:e></m:nary>", "∑_(i=1)^n fee"),
    ],
)  # fmt: skip
def test_formulas_keep_their_numbers_apart(formula: str, text: str) -> None:
    assert text_of(run("Pay "), math(formula), run(" now")) == f"Pay {text} now"
    assert text_of(f"<m:oMathPara>{math(formula)}</m:oMathPara>") == text


def test_embedded_objects_are_said() -> None:
    ole = '<w:r><w:object><o:OLEObject Type="Embed" ProgID="Excel.Sheet.12"/></w:object></w:r>'
    drawing = (
        '<w:r><w:drawing><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/{}"/></a:graphic></w:drawing></w:r>'
    )
    assert read(paragraph(run("a"), ole)).warnings == (
        "The document has 1 embedded object, such as a spreadsheet, chart or diagram; text in there was not read.",
    )
    assert (
        "2 embedded objects"
        in read(paragraph(run("a"), drawing.format("chart"), drawing.format("diagram"))).warnings[0]
    )
    assert read(paragraph(run("a"), drawing.format("picture"))).warnings == ()


def test_fields_that_are_opened_again_and_again_are_bounded() -> None:
    opened = (field("begin") + field("separate")) * 2_000
    assert read(paragraph(opened, *(run("ab") for _ in range(2_000)))).text == "ab" * 2_000
