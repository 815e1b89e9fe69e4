"""How the parts of a Word file are found: by what the package says, whatever their names. Documents inside it."""

from __future__ import annotations

import pytest

from playground.documents.formats.docx import parse
from playground.documents.limits import Limits
from tests.support.document_checks import refusal
from tests.support.docx_files import (
    OFFICE,
    XMLNS,
    archived,
    by_hand,
    in_list,
    level,
    numbering,
    paragraph,
    relationships,
    run,
)

TEXT = f"<w:document {XMLNS}><w:body>{paragraph(run('Thirty days.'))}</w:body></w:document>"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def types(part: str, content: str) -> str:
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="{part}" ContentType="{content}"/></Types>'
    )


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("word/content_v2.xml", "word/content_v2.xml"), ("/word/content_v2.xml", "word/content_v2.xml"),
        ("Text/Main.xml", "text/main.xml"), ("word/the%20text.xml", "word/the text.xml"),
        ("word\\body.xml", "word/body.xml"), ("./word/../main.xml", "main.xml"),
    ],
)  # fmt: skip
def test_the_main_part_has_any_name(target: str, name: str) -> None:
    data = archived({"_rels/.rels": relationships(officeDocument=target), name: TEXT})
    assert parse(data, Limits()).text == "Thirty days."


@pytest.mark.parametrize(
    "content",
    [
        MAIN, MAIN.replace("document.main", "template.main"), "application/vnd.ms-word.document.macroEnabled.main+xml",
        "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    ],
)  # fmt: skip
def test_the_content_types_name_the_main_part_where_nothing_else_does(content: str) -> None:
    data = archived({"[Content_Types].xml": types("/text/main.xml", content), "text/main.xml": TEXT})
    assert parse(data, Limits()).text == "Thirty days."


def test_what_the_package_says_comes_before_usual_names() -> None:
    other = TEXT.replace("Thirty", "Ninety")
    parts = {"_rels/.rels": relationships(officeDocument="word/document2.xml"), "word/document2.xml": TEXT}
    assert parse(archived(parts | {"word/document.xml": other}), Limits()).text == "Thirty days."
    lost = {"_rels/.rels": relationships(officeDocument="word/gone.xml"), "word/document.xml": TEXT}
    assert parse(archived(lost), Limits()).text == "Thirty days."


def test_parts_beside_the_main_part_have_any_name() -> None:
    body = paragraph(run("Thirty days."), properties=in_list(1, 0))
    parts = {
        "_rels/.rels": relationships(officeDocument="word/content.xml"),
        "word/content.xml": f"<w:document {XMLNS}><w:body>{body}</w:body></w:document>",
        "word/_rels/content.xml.rels": relationships(numbering="lists/numbers.xml"),
        "word/lists/numbers.xml": numbering({0: level(0, "%1.")}, {1: (0, "")}),
    }
    assert parse(archived(parts), Limits()).text == "1. Thirty days."


@pytest.mark.parametrize(
    ("name", "said"), [("xl/workbook.xml", "spreadsheet"), ("ppt/presentation.xml", "presentation")]
)
def test_files_of_other_programs_are_still_told_apart(name: str, said: str) -> None:
    data = archived({"_rels/.rels": relationships(officeDocument=name), name: "<workbook/>"})
    assert said in refusal(data, "a.docx")


def test_a_main_part_of_another_kind_or_outside_is_refused() -> None:
    outside = relationships(officeDocument="http://x.example/a.xml").replace("/>", ' TargetMode="External"/>')
    assert "not a document" in refusal(archived({"_rels/.rels": outside, "a.xml": TEXT}), "a.docx")
    parts = {"_rels/.rels": relationships(officeDocument="a.xml"), "a.xml": "<other/>"}
    assert "no body" in refusal(archived(parts), "a.docx")
    climbing = relationships(officeDocument="../../../etc/passwd")
    assert "not a document" in refusal(archived({"_rels/.rels": climbing, "b.xml": TEXT}), "a.docx")


@pytest.mark.parametrize("name", ["_rels/.rels", "word/_rels/document.xml.rels"])
def test_bombs_in_relationships_are_refused(name: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert "document type definition" in refusal(archived({"word/document.xml": TEXT, name: bomb}), "a.docx")


def test_formulas_of_strict_files_are_read() -> None:
    formula = "<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath>"
    strict = TEXT.replace("<w:r>", f"{formula}<w:r>", 1)
    for usual, name in (
        ("http://schemas.openxmlformats.org/wordprocessingml/2006/main", "wordprocessingml/main"),
        ("http://schemas.openxmlformats.org/officeDocument/2006/math", "officeDocument/math"),
    ):
        strict = strict.replace(usual, f"http://purl.oclc.org/ooxml/{name}")
    links = relationships(officeDocument="main.xml").replace(
        OFFICE, "http://purl.oclc.org/ooxml/officeDocument/relationships"
    )
    assert parse(archived({"_rels/.rels": links, "main.xml": strict}), Limits()).text == "x=1Thirty days."


def with_chunk(name: str, content: str | bytes, *, external: bool = False) -> bytes:
    body = f'{paragraph(run("Before,"))}<w:altChunk r:id="aFChunk"/>{paragraph(run("After,"))}'
    links = relationships(aFChunk=name)
    return archived(
        {
            "word/document.xml": f"<w:document {XMLNS}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": links.replace("/>", ' TargetMode="External"/>') if external else links,
            f"word/{name}": content,
        }
    )


MHT = (
    'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; '
    'charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>Inner =E2=82=AC5,</p></body>'
    "</html>\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("name", "content", "inner"),
    [
        ("c.html", "<html><body><h1>Inner</h1><p>text,</p></body></html>", ["Inner", "text,"]),
        ("c.htm", "<html><body><p>a \xa7 b,</p></body></html>".encode("cp1252"), ["a § b,"]),
        ("c.txt", "Inner text,", ["Inner text,"]),
        ("c.mht", MHT, ["Inner €5,"]),
        ("c.docx", by_hand(paragraph(run("Inner,"))), ["Inner,"]),
        ("c.dat", by_hand(paragraph(run("Inner,"))), ["Inner,"]),
    ],
)
def test_embedded_documents_are_read(name: str, content: str | bytes, inner: list[str]) -> None:
    extract = parse(with_chunk(name, content), Limits())
    assert extract.text.split("\n\n") == ["Before,", *inner, "After,"]
    assert extract.warnings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.rtf", "{\\rtf1 Inner}"), ("c.pdf", "%PDF-1.7"), ("c.docx", b"PK\x03\x04broken"),
        ("c.bin", bytes(range(256)) * 8), ("c.mht", "MIME-Version: 1.0\r\nContent-Type: image/png\r\n\r\nx"),
    ],
)  # fmt: skip
def test_embedded_documents_that_cannot_be_read_are_said(name: str, content: str | bytes) -> None:
    extract = parse(with_chunk(name, content), Limits())
    assert extract.text == "Before,\n\nAfter,"
    assert extract.warnings == ("1 document inside the Word document was not read.",)


def test_an_empty_document_inside_loses_nothing() -> None:
    assert parse(with_chunk("c.html", "<html></html>"), Limits()).warnings == ()


def test_what_was_left_out_of_an_embedded_document_is_said() -> None:
    inner = by_hand(paragraph(run("Inner,"), run("old", "<w:strike/>")))
    assert parse(with_chunk("c.docx", inner), Limits()).warnings == (
        "Struck-through text was left out: 1 word in 1 place.",
    )


def test_documents_outside_the_file_are_never_fetched() -> None:
    extract = parse(with_chunk("c.html", "<html><body>Inner</body></html>", external=True), Limits())
    assert extract.warnings == ("1 document inside the Word document was not read.",)
    master = by_hand(paragraph(run("Before,")) + '<w:subDoc r:id="x"/><w:altChunk r:id="y"/>')
    assert parse(master, Limits()).warnings == ("2 documents inside the Word document were not read.",)


def test_documents_nested_too_deeply_are_said() -> None:
    data = by_hand(paragraph(run("Deepest,")))
    for _ in range(2):
        data = with_chunk("c.docx", data)
    assert parse(data, Limits()).text.split("\n\n") == ["Before,", "Before,", "Deepest,", "After,", "After,"]
    extract = parse(with_chunk("c.docx", data), Limits())
    assert "Deepest" not in extract.text
    assert extract.warnings == ("1 document inside the Word document was not read.",)


def test_an_embedded_document_counts_towards_the_length() -> None:
    page = f"<html><body>{'<p>Ten chars.</p>' * 20}</body></html>"
    body = '<w:altChunk r:id="aFChunk"/>' * 50
    data = archived(
        {
            "word/document.xml": f"<w:document {XMLNS}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relationships(aFChunk="c.html"),
            "word/c.html": page,
        }
    )
    assert "more than 1,000 characters" in refusal(data, "a.docx", Limits(max_characters=1_000))
