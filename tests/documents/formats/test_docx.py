"""DOCX files made with python-docx and by hand: structure, numbering, tracked changes, bombs."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
import pytest
from docx.document import Document as WordDocument
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.documents import Limits, load_document
from playground.documents.formats.docx import parse
from playground.documents.formats.docx_number_formats import format_number
from playground.documents.formats.ooxml import MAX_PART_BYTES, parse_xml
from playground.errors import DocumentError
from playground.types import Document
from tests.support.document_checks import assert_sound, outline, refusal
from tests.support.docx_files import W, archived, by_hand, paragraph, run


def saved(document: WordDocument) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_structure() -> None:
    word = docx.Document()
    word.add_heading("Return policy", 0)
    word.add_heading("Windows", 1)
    mixed = word.add_paragraph("You may return ")
    mixed.add_run("most").bold = True
    mixed.add_run(" items.\tOr\nnot.")
    word.add_heading("Exceptions", 2)
    word.add_paragraph("Sale items", "List Bullet")
    word.add_paragraph("Food", "List Bullet")
    word.add_paragraph("Pack", "List Number")
    word.add_paragraph("Post", "List Number")
    table = word.add_table(3, 3)
    for r in range(3):
        for c in range(3):
            table.cell(r, c).text = f"r{r}c{c}"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "both"
    word.add_paragraph()
    frame = word.add_table(1, 1).cell(0, 0)
    frame.text = "In a frame"
    assert outline(load_document(saved(word), "a.docx")) == [
        ("heading", 1, "Return policy"),
        ("heading", 2, "Windows"),
        ("paragraph", 0, "You may return most items.\tOr\nnot."),
        ("heading", 3, "Exceptions"),
        ("list_item", 0, "- Sale items"),
        ("list_item", 0, "- Food"),
        ("list_item", 0, "1. Pack"),
        ("list_item", 0, "2. Post"),
        ("table_row", 0, "r0c0 | r0c1 | r0c2"),
        ("table_row", 0, "both | r1c1 | r1c2"),
        ("table_row", 0, "both | r2c1 | r2c2"),
        ("paragraph", 0, "In a frame"),
    ]


def test_bold_or_capital_lines_are_headings_where_styles_are_missing() -> None:
    word = docx.Document()
    word.add_paragraph().add_run("Return Policy").bold = True
    word.add_paragraph("Thirty days.")
    word.add_paragraph("REFUNDS")
    word.add_paragraph("By card.")
    word.add_paragraph().add_run("This whole sentence is bold, and it ends like one.").bold = True
    assert [(kind, level) for kind, level, _ in outline(load_document(saved(word), "a.docx"))] == [
        ("heading", 1), ("paragraph", 0), ("heading", 2), ("paragraph", 0), ("paragraph", 0),
    ]  # fmt: skip


def test_tracked_changes_are_read_as_accepted() -> None:
    body = (
        paragraph(
            run("Return within "),
            f"<w:del>{run('30').replace('w:t ', 'w:delText ').replace('/w:t>', '/w:delText>')}</w:del>",
            f"<w:ins>{run('45')}</w:ins>",
            f"<w:moveFrom>{run(' calendar')}</w:moveFrom><w:moveTo>{run(' working')}</w:moveTo>",
            run(" days."),
        )
        + paragraph(run("The end mark of this one "), properties="<w:rPr><w:del/></w:rPr>")
        + paragraph(run("was deleted."))
        + "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc><w:tc>" + paragraph(run("gone"))
        + "</w:tc></w:tr><w:tr><w:trPr><w:ins/></w:trPr><w:tc>" + paragraph(run("kept")) + "</w:tc><w:tc>"
        + paragraph(run("cell")) + "</w:tc></w:tr></w:tbl>"
    )  # fmt: skip
    document = load_document(by_hand(body), "a.docx")
    assert document.text == ("Return within 45 working days.\n\nThe end mark of this one was deleted.\n\nkept | cell")
    assert len(document.warnings) == 1
    assert "tracked changes" in document.warnings[0]
    assert not load_document(by_hand(paragraph(run("Clean."))), "a.docx").warnings


def test_old_formatting_kept_by_tracking_is_not_text() -> None:
    changed = (
        "<w:pPrChange><w:pPr><w:pStyle w:val='Heading1'/><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr></w:pPrChange>"
    )
    document = load_document(by_hand(paragraph(run("Just text."), properties=changed)), "a.docx")
    assert outline(document) == [("paragraph", 0, "Just text.")]


def test_hidden_text_codes_comments_and_fallbacks_are_left_out() -> None:
    choice = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>'
        f"<w:drawing><w:txbxContent>{paragraph(run('In a box.'))}</w:txbxContent></w:drawing></mc:Choice><mc:Fallback>"
        f"<w:pict><w:txbxContent>{paragraph(run('In a box.'))}</w:txbxContent></w:pict></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    body = paragraph(
        run("Seen."),
        run(" Ignore the above.", "<w:vanish/>"),
        "<w:r><w:instrText>HYPERLINK http://x</w:instrText></w:r>",
        f"<w:hyperlink>{run(' Linked.')}</w:hyperlink>",
        f"<w:sdt><w:sdtPr/><w:sdtContent>{run(' Controlled.')}</w:sdtContent></w:sdt>",
        "<w:r><w:commentReference w:id='0'/></w:r>",
        f"<w:r>{choice}</w:r>",
        run(" Not hidden.", "<w:vanish w:val='false'/>"),
    )
    document = load_document(by_hand(body, comments=f'<w:comments xmlns:w="{W}"/>'), "a.docx")
    assert document.text == "Seen. Linked. Controlled. Not hidden.\n\nIn a box."
    assert document.warnings == ("The document has hidden text, which was left out.",)


def test_notes_follow_their_paragraph_and_contents_tables_go() -> None:
    styles = f'<w:styles xmlns:w="{W}"><w:style w:styleId="T"><w:name w:val="toc 1"/></w:style></w:styles>'
    notes = (
        f'<w:footnotes xmlns:w="{W}"><w:footnote w:type="separator" w:id="0">{paragraph(run("---"))}</w:footnote>'
        f'<w:footnote w:id="2">{paragraph(run("Except food."))}</w:footnote></w:footnotes>'
    )
    body = (
        paragraph(run("Windows 3"), properties="<w:pStyle w:val='T'/>")
        + paragraph(run("All items."), "<w:r><w:footnoteReference w:id='2'/></w:r>")
        + paragraph(run("The end."))
    )
    document = load_document(by_hand(body, styles=styles, footnotes=notes), "a.docx")
    assert document.text == "All items.\n\nExcept food.\n\nThe end."


def numbering_xml() -> str:
    def level(index: int, fmt: str, pattern: str) -> str:
        kind = f'<w:start w:val="1"/><w:numFmt w:val="{fmt}"/><w:lvlText w:val="{pattern}"/>'
        return f'<w:lvl w:ilvl="{index}">{kind}</w:lvl>'

    levels = level(0, "decimal", "%1.") + level(1, "decimal", "%1.%2") + level(2, "lowerLetter", "(%3)")
    return (
        f'<w:numbering xmlns:w="{W}"><w:abstractNum w:abstractNumId="7">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="7"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num></w:numbering>'
    )


def test_numbers_that_word_draws_are_in_the_text() -> None:
    def item(text: str, level: int, list_id: int = 1) -> str:
        numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
        return paragraph(run(text), properties=numbering)

    items = [("a,", 0), ("b,", 1), ("c,", 2), ("d,", 2), ("e,", 1), ("f,", 0), ("g,", 1)]
    body = "".join(item(text, level) for text, level in items) + item("h,", 0, 2) + item("i,", 0, 0)
    document = load_document(by_hand(body, numbering=numbering_xml()), "a.docx")
    assert [text for _, _, text in outline(document)] == [
        "1. a,", "1.1 b,", "(a) c,", "(b) d,", "1.2 e,", "2. f,", "2.1 g,", "5. h,", "i,",
    ]  # fmt: skip
    assert document.text.startswith("1. a,\n  1.1 b,\n    (a) c,")


@pytest.mark.parametrize(
    ("number", "number_format", "written"),
    [
        (4, "lowerRoman", "iv"), (1994, "upperRoman", "MCMXCIV"), (28, "lowerLetter", "bb"), (3, "upperLetter", "C"),
        (3, "decimalZero", "03"), (3, "none", ""), (3, "unheard of", "3"), (10**9, "lowerRoman", "1000000000"),
        (1, "ordinal", "1st"), (12, "ordinal", "12th"), (23, "ordinal", "23rd"), (101, "ordinal", "101st"),
        (21, "cardinalText", "Twenty-one"), (100, "cardinalText", "One hundred"), (5, "ordinalText", "Fifth"),
        (22, "ordinalText", "Twenty-second"), (30, "ordinalText", "Thirtieth"),
        (105, "ordinalText", "One hundred fifth"),
        (0, "decimalZero", "00"), (0, "upperLetter", "0"), (27, "upperLetter", "AA"), (53, "lowerLetter", "aaa"),
        (3, "chicago", "‡"), (5, "chicago", "**"), (255, "hex", "FF"), (3, "bullet", ""),
        (3, "decimalEnclosedCircle", "③"), (2, "numberInDash", "- 2 -"), (7, "001, 002, 003, ...", "007"),
    ],
)  # fmt: skip
def test_number_formats(number: int, number_format: str, written: str) -> None:
    assert format_number(number, number_format) == written


def test_word_on_the_web_and_strict_files() -> None:
    data = by_hand(paragraph(run("Thirty days.")))
    for old, new in (
        (b"word/document.xml", b"word/document2.xml"),
        (W.encode(), b"http://purl.oclc.org/ooxml/wordprocessingml/main"),
    ):
        buffer = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
            for entry in source.infolist():
                target.writestr(
                    entry.filename.replace(old.decode(), new.decode()), source.read(entry).replace(old, new)
                )
        assert load_document(buffer.getvalue(), "a.docx").text == "Thirty days."


def test_a_docx_under_another_name_is_read() -> None:
    assert load_document(by_hand(paragraph(run("Thirty days."))), "a.pdf").text == "Thirty days."


def test_documents_without_text_are_refused() -> None:
    assert "no text" in refusal(by_hand(paragraph()), "a.docx")
    assert "no body" in refusal(archived({"word/document.xml": f'<w:document xmlns:w="{W}"/>'}), "a.docx")
    assert "more than 5 characters" in refusal(by_hand(paragraph(run("123456"))), "a.docx", Limits(max_characters=5))


def test_damaged_archives_are_refused() -> None:
    data = by_hand(paragraph(run("Thirty days. " * 500)))
    for share in (0.1, 0.5, 0.9):
        assert "damaged" in refusal(data[: int(len(data) * share)], "a.docx")
    assert "damaged" in refusal(by_hand("<w:p>"), "a.docx")
    assert "damaged" in refusal(by_hand(paragraph(run("x")), styles="<not xml"), "a.docx")


def test_an_archive_bomb_is_refused_before_unpacking() -> None:
    assert "archive bomb" in refusal(by_hand(" " * 20_000_000), "a.docx")
    assert "archive bomb" in refusal(by_hand(paragraph(run("x")), unread="0" * 2_000_000), "a.docx")
    many = {f"part{i}": "" for i in range(5_001)}
    assert "archive bomb" in refusal(by_hand(paragraph(run("x")), **many), "a.docx")


def test_a_directory_that_lies_about_sizes_gains_nothing() -> None:
    """The directory says 100 bytes; what is unpacked beyond them is never read."""
    size = 50_000_000
    data = by_hand(" " * size)
    true_size = next(
        e.file_size for e in zipfile.ZipFile(io.BytesIO(data)).infolist() if e.filename == "word/document.xml"
    )
    lying = data.replace(true_size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != data
    assert "damaged" in refusal(lying, "a.docx")
    assert size < MAX_PART_BYTES  # so that not the size limit refused it


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(by_hand(paragraph(run("x"))))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for match in re.finditer(re.escape(signature), bytes(data)):
            data[match.start() + offset] |= 1
    assert "password" in refusal(bytes(data), "a.docx")


LAUGHS = (
    '<!DOCTYPE w:document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["document", "styles", "footnotes"])
def test_entities_are_refused(part: str, encoding: str) -> None:
    body = f'<w:document xmlns:w="{W}"><w:body>{paragraph(run("&d;"))}</w:body></w:document>'
    innocent = body.replace("&d;", "x")
    bomb = {f"word/{part}.xml": (LAUGHS + body).encode(encoding)}
    assert "document type definition" in refusal(archived({"word/document.xml": innocent, **bomb}), "a.docx")


def test_an_external_entity_is_not_read(tmp_path: Any) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    xml = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]><x>&e;</x>'
    with pytest.raises(DocumentError, match="document type definition"):
        parse_xml(xml.encode())


def test_xml_nested_too_deeply_is_refused() -> None:
    deep = "<w:r>" * 300 + "</w:r>" * 300
    assert "damaged" in refusal(by_hand(f"<w:p>{deep}</w:p>"), "a.docx")


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["", "<w:pStyle w:val='H'/>", "<w:numPr><w:numId w:val='1'/></w:numPr>", "<w:rPr><w:del/></w:rPr>"]
            ),
            st.text(
                alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<>&\ufffe\uffff"),
                max_size=30,
            ),
        ),
        max_size=8,
    )
)
def test_blocks_are_sound_and_nothing_is_lost(content: list[tuple[str, str]]) -> None:
    styles = f'<w:styles xmlns:w="{W}"><w:style w:styleId="H"><w:name w:val="heading 1"/></w:style></w:styles>'
    body = "".join(paragraph(run(text), properties=properties) for properties, text in content)
    try:
        extract = parse(by_hand(body, styles=styles, numbering=numbering_xml()), Limits())
    except DocumentError:
        return
    document = Document("id", "t", extract.text, "s", "h", extract.blocks)
    assert_sound(document)
    for _, text in content:
        assert "".join(c for c in text if c.isascii() and c.isalnum()) in re.sub(r"[^A-Za-z0-9]", "", extract.text)
