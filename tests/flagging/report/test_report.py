"""Exports of a flagged contract: hostile text stays text, offsets hold, comments stand at their clauses."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import docx
import pytest
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from playground.clauses.splitting import split_clauses
from playground.documents import load_document
from playground.documents.limits import CONTRACT_LIMITS
from playground.flagging.report import (
    Correction,
    commented_docx,
    flag_report_csv,
    flag_report_html,
    flag_report_json,
    missing_labels,
    report_rows,
)
from playground.flagging.report.docx_comments import UNPLACED_TITLE
from playground.flagging.report.docx_places import TextPlaces
from playground.flagging.report.html import NO_PAGES
from playground.flagging.report.risk_style import RISK_COLOURS, RISK_LINES, RISK_ORDER, RISK_SIGNS, RISK_TITLES
from playground.flagging.report.rows import full_place, percent, place, reason, sureness
from playground.flagging.report.tables import COLUMNS
from playground.paths import CONTRACTS, ROOT
from playground.text.label_titles import label_title
from playground.types import Clause, Document, Flag, FlaggedContract, Label, SimilarClause

POLICIES = ROOT / "data" / "policies"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

CUAD = (
    "Document Name, Parties, Agreement Date, Effective Date, Expiration Date, Renewal Term, "
    "Notice Period To Terminate Renewal, Governing Law, Most Favored Nation, Non-Compete, Exclusivity, "
    "No-Solicit Of Customers, Competitive Restriction Exception, No-Solicit Of Employees, Non-Disparagement, "
    "Termination For Convenience, Rofr/Rofo/Rofn, Change Of Control, Anti-Assignment, Revenue/Profit Sharing, "
    "Price Restrictions, Minimum Commitment, Volume Restriction, Ip Ownership Assignment, Joint Ip Ownership, "
    "License Grant, Non-Transferable License, Affiliate License-Licensor, Affiliate License-Licensee, "
    "Unlimited/All-You-Can-Eat-License, Irrevocable Or Perpetual License, Source Code Escrow, "
    "Post-Termination Services, Audit Rights, Uncapped Liability, Cap On Liability, Liquidated Damages, "
    "Warranty Duration, Insurance, Covenant Not To Sue, Third Party Beneficiary"
).split(", ")
LABELS = {
    name: Label(
        name,
        question=f"Which words are about {name}?",
        risk=RISK_ORDER[index % 4],
        why=f"{name} matters because of <money>.",
        check=f"See who pays for {name}.",
    )
    for index, name in enumerate(CUAD)
}
HIGH, MEDIUM, LOW, INFORMATIONAL = CUAD[:4]
PROVENANCE = {"Date": "2026-01-02", "Machine": "2 cores", "Thresholds": "balanced"}


def contract(document: Document, flags: dict[str, dict[str, float]], **more: Any) -> FlaggedContract:
    """Return a contract with a clause for each block; ``flags`` maps words of a clause to its labels and scores."""
    starts = [0, *(block.start for block in document.blocks[1:]), len(document.text)]
    clauses = tuple(
        Clause(
            f"c{i}",
            document.id,
            document.text[start:end],
            start,
            end,
            kind="heading" if document.blocks and document.blocks[i].kind == "heading" else "body",
            number=f"{i + 1}.",
            heading_path=("Terms", "Money & more"),
            page=document.page_at(start),
        )
        for i, (start, end) in enumerate(pairwise(starts))
    )
    for words in flags:
        assert sum(words in clause.text for clause in clauses) == 1, words
    found = [
        Flag(clause.id, name, score)
        for clause in clauses
        for words, scores in flags.items()
        if words in clause.text
        for name, score in sorted(scores.items(), key=lambda item: -item[1])
    ]
    settings: dict[str, Any] = {"missing": (), "model_id": "MiniLM", "adapter": "shipped", "timings": {"total_s": 1.5}}
    return FlaggedContract(document, clauses, tuple(found), **(settings | more))


def plain(*paragraphs: str, source: str = "contract.txt") -> Document:
    """Return a document whose text is exactly these paragraphs: no cleaning has happened to it."""
    from playground.types import Block

    text, blocks = "", []
    for paragraph in paragraphs:
        text += "\n\n" if text else ""
        blocks.append(Block("paragraph", len(text), len(text) + len(paragraph)))
        text += paragraph
    return Document("d", "A contract", text, source, "ab" * 32, tuple(blocks), page_starts=(0, len(text) // 2))


def page(result: FlaggedContract, **more: Any) -> Any:
    return lxml_html.document_fromstring(flag_report_html(result, LABELS, provenance=PROVENANCE, **more))


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


# HTML

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(2)>\"' onmouseover='x' &lt;b&gt;",
    "pay\u202e001 EUR\u202c to \u2066us\u2069 \x00\x07 now",
    "</div></main><a href='javascript:alert(3)'>link</a> <!-- ]]>",
)


def hostile() -> FlaggedContract:
    document = plain(*HOSTILE)
    title = Document(**{**_fields(document), "title": HOSTILE[0], "source": HOSTILE[1]})
    similar = SimilarClause(HOSTILE[1], (HOSTILE[3],), HOSTILE[0], 0.5)
    result = contract(
        title, {text: {HIGH: 0.5} for text in HOSTILE}, notes=HOSTILE, missing=HOSTILE, adapter=HOSTILE[0]
    )
    flags = tuple(Flag(flag.clause_id, HOSTILE[3], flag.score, (similar,)) for flag in result.flags)
    return FlaggedContract(**{**_fields(result), "flags": flags})


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_html_of_hostile_text_holds_only_our_own_tags() -> None:
    ours = page(contract(plain("One."), {"One": {HIGH: 0.5}}, notes=("x",), missing=("x",)))
    report = page(hostile(), corrections=[Correction("c0", HOSTILE[0], "added")])
    ours_tags = {element.tag for element in ours.iter()} | {"details", "summary", "blockquote"}
    assert {element.tag for element in report.iter() if isinstance(element.tag, str)} <= ours_tags
    assert not list(report.iter(etree.Comment))
    attributes = {name for element in report.iter() for name in element.attrib}
    assert attributes <= {
        *("lang", "charset", "http-equiv", "content", "name", "id", "class", "type", "checked", "href", "scope", "dir"),
        *("role", "aria-label"),
    }
    assert HOSTILE[0] in words(report)
    assert "javascript:alert(3)" in words(report)


def test_html_shows_nothing_invisible() -> None:
    text = flag_report_html(hostile(), LABELS, provenance={"Machine\u202e": "\u2066x\x07"})
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    assert "pay001 EUR to us" in text


def test_html_needs_nothing_else_and_forbids_everything_else() -> None:
    text = flag_report_html(hostile(), LABELS, provenance=PROVENANCE)
    report = lxml_html.document_fromstring(text)
    assert not report.xpath("//script | //link | //img | //iframe | //object | //base | //form | //@src | //@style")
    assert all(href.startswith("#") for href in report.xpath("//@href"))
    (style,) = report.xpath("//style/text()")
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = report.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert text.index("Content-Security-Policy") < text.index("<title>")


def test_html_shows_the_whole_text_in_order_with_pages() -> None:
    paragraphs = [f"Paragraph {number} pays {number} EUR." for number in range(20)]
    document = plain(*paragraphs)
    report = page(contract(document, {"Paragraph 3 ": {HIGH: 0.9}}))
    shown = " ".join(words(element) for element in report.xpath("//*[@class='words']"))
    assert shown == " ".join(document.text.split())
    assert [words(element) for element in report.xpath("//*[@class='page']")] == ["Page 1", "Page 2"]


def test_html_loses_no_text_between_clauses() -> None:
    document = plain("First.", "Second.", "Third.")
    whole = contract(document, {})
    gaps = FlaggedContract(**{**_fields(whole), "clauses": whole.clauses[1:2]})
    shown = [words(element) for element in page(gaps).xpath("//*[@class='words']")]
    assert shown == ["First.", "Second.", "Third."]


def test_html_summary_counts_and_leads_to_the_flags() -> None:
    document = plain("Alpha clause.", "Beta clause.", "Gamma clause.", "Delta clause.")
    flags = {"Alpha": {HIGH: 0.9, LOW: 0.4}, "Gamma": {HIGH: 0.999}, "Delta": {MEDIUM: 0.001}}
    report = page(contract(document, flags))
    counts = {words(box).split(" ", 1)[1]: words(box).split()[0] for box in report.xpath("//label")}
    assert counts == {
        "▲ High risk": "2",
        "◆ Medium risk": "1",
        "● Low risk": "1",
        "○ For information": "0",
    }
    assert "4 flags on 3 of 4 clauses" in words(report.xpath("//header")[0])
    rows = [[words(cell) for cell in row.iterchildren()] for row in report.xpath("//tbody/tr")]
    assert rows == [
        [HIGH, "▲ High risk", "2", "1., page 1 (90%) 3., page 2 (> 99%)"],
        [MEDIUM, "◆ Medium risk", "1", "4., page 2 (< 1%)"],
        [LOW, "● Low risk", "1", "1., page 1 (40%)"],
    ]
    for link in report.xpath("//tbody//a"):
        (flag,) = report.xpath(f"//*[@id='{link.get('href')[1:]}']")
        (name,) = link.xpath("ancestor::tr/td[1]")
        assert words(flag.find("h3")) == words(name)
        assert words(link).split("(")[1].rstrip(")") in words(flag)


def test_html_marks_a_clause_by_words_and_each_of_its_risks() -> None:
    document = plain("Alpha clause.", "Beta clause.")
    report = page(contract(document, {"Alpha": {LOW: 0.9, HIGH: 0.4}}))
    (clause,) = report.xpath("//*[contains(@class, 'flagged')]")
    assert {"has-high", "has-low"} <= set(clause.get("class").split())
    assert [words(tag) for tag in clause.xpath(".//*[@class='tags']/*")] == ["▲ High risk", "● Low risk"]
    first, second = clause.xpath(".//article")
    assert words(first).startswith(f"{LOW} ● Low risk probability 90%")
    assert f"Why it matters: {LABELS[HIGH].why} Check: {LABELS[HIGH].check}" in words(second)


def test_html_shows_evidence_missing_notes_and_provenance() -> None:
    document = plain("Alpha clause.")
    similar = SimilarClause("We owe all." * 200, ("Insurance",), "Lease 7", 0.8349)
    result = contract(document, {}, missing=(MEDIUM,), notes=("Not English.",))
    result = FlaggedContract(**{**_fields(result), "flags": (Flag("c0", HIGH, 0.7, (similar,)),)})
    report = page(result)
    (evidence,) = report.xpath("//details")
    assert "similarity 0.83 · Insurance · Lease 7" in words(evidence)
    assert "… (2,200 characters)" in words(evidence)
    assert f"{MEDIUM} : {LABELS[MEDIUM].why}" in words(report.xpath("//*[@id='missing']")[0])
    assert "Not English." in words(report.xpath("//*[@id='notes']")[0])
    told = words(report.xpath("//*[@id='provenance']")[0])
    for part in (
        document.sha256,
        "MiniLM",
        "shipped",
        "2026-01-02",
        "2 cores",
        "balanced",
        "total 1.50 s",
        "not legal advice",
    ):
        assert part in told


def test_html_of_no_flags_says_so() -> None:
    report = page(contract(plain("Alpha clause."), {}))
    assert "No clause was flagged" in words(report)
    assert not report.xpath("//article | //input")


def test_html_of_an_empty_contract() -> None:
    empty = FlaggedContract(Document("d", "", "", "", ""), (), (), (), "m", None, {})
    assert "0 flags on 0 of 0 clauses" in words(page(empty))


def test_html_of_all_labels() -> None:
    document = plain(*(f"Clause {number:02d} says so." for number in range(41)))
    flags = {f"Clause {number:02d}": {name: 0.5} for number, name in enumerate(CUAD)}
    report = page(contract(document, flags))
    titles = [label_title(name) for name in CUAD]
    assert "Joint IP Ownership" in titles
    assert sorted(words(cell) for cell in report.xpath("//td[@class='name']")) == sorted(titles)
    assert [words(name) for name in report.xpath("//article/h3")] == titles


# Corrections


def corrected() -> tuple[FlaggedContract, list[Correction]]:
    document = plain("Alpha clause.", "Beta clause.", "Gamma clause.")
    result = contract(document, {"Alpha": {HIGH: 0.9, MEDIUM: 0.8}, "Beta": {LOW: 0.7}})
    return result, [
        Correction("c0", HIGH, "confirmed"),
        Correction("c0", MEDIUM, "confirmed"),
        Correction("c0", MEDIUM, "rejected"),
        Correction("c1", LOW, "added"),
        Correction("c2", HIGH, "added"),
        Correction("c2", LOW, "rejected"),
        Correction("elsewhere", HIGH, "added"),
    ]


def test_rows_with_corrections() -> None:
    result, corrections = corrected()
    rows = [(row.clause.id, row.label.name, row.score, row.verdict) for row in report_rows(result, LABELS, corrections)]
    assert rows == [
        ("c0", HIGH, 0.9, "confirmed"),
        ("c0", MEDIUM, 0.8, "rejected"),
        ("c1", LOW, 0.7, "confirmed"),
        ("c2", HIGH, None, "added"),
    ]


def test_exports_with_corrections() -> None:
    result, corrections = corrected()
    report = page(result, corrections=corrections)
    assert "3 flags on 3 of 3 clauses; 1 more flag rejected by the reader" in words(report.xpath("//header")[0])
    assert [words(name) for name in report.xpath("//*[contains(@class, 'rejected')]/h3")] == [MEDIUM]
    assert MEDIUM not in words(report.xpath("//*[@id='summary']")[0])
    rows = read_csv(flag_report_csv(result, LABELS, corrections))
    assert [(row["probability"], row["review"]) for row in rows] == [
        ("0.9000", "confirmed"),
        ("0.8000", "rejected"),
        ("0.7000", "confirmed"),
        ("", "added"),
    ]
    clauses: Any = flag_report_json(result, LABELS, corrections)["clauses"]
    told = {"label": HIGH, "risk": "high", "why": LABELS[HIGH].why, "check": LABELS[HIGH].check}
    assert clauses[2]["flags"] == [told | {"score": None, "review": "added"}]
    word = commented_docx(None, result, LABELS, corrections)
    heads = [comment.text.split("\n")[0] for comment in opened(word.data).comments]
    assert heads == [
        f"{HIGH}: high risk, probability 90%, confirmed by the reader",
        f"{LOW}: low risk, probability 70%, confirmed by the reader",
        f"{HIGH}: high risk, added by the reader",
    ]


def test_missing_labels_heed_the_reader() -> None:
    usual = (HIGH, MEDIUM, LOW)
    result = contract(
        plain("Alpha.", "Beta."), {"Alpha": {HIGH: 0.9}}, missing=(MEDIUM, LOW), usual=usual, kind="lease"
    )
    corrections = [Correction("c1", MEDIUM, "added"), Correction("c0", HIGH, "rejected")]
    assert missing_labels(result) == (MEDIUM, LOW)
    assert missing_labels(result, corrections) == (HIGH, LOW)
    assert missing_labels(result, corrections[:1]) == (LOW,)
    told = flag_report_json(result, LABELS, corrections)
    assert (told["kind"], told["missing"]) == ("lease", [HIGH, LOW])
    (section,) = page(result, corrections=corrections).xpath("//*[@id='missing']")
    assert [words(name) for name in section.xpath(".//*[@class='name']")] == [HIGH, LOW]
    assert "Read as a lease" in words(section)
    every = [Correction("c1", name, "added") for name in usual]
    assert not page(result, corrections=every).xpath("//*[@id='missing']")


@pytest.mark.parametrize(
    ("score", "shown"),
    [(0.0, "< 1%"), (0.01, "1%"), (0.5, "50%"), (0.99, "99%"), (0.991, "> 99%"), (1.0, "> 99%")],
)
def test_percent_is_never_certain(score: float, shown: str) -> None:
    assert percent(score) == shown


# CSV and JSON


def read_csv(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_has_a_row_for_each_flag() -> None:
    document = plain('Alpha, "clause"\nwith é.', "Beta clause.")
    result = contract(document, {"Alpha": {HIGH: 0.91234, LOW: 0.3}, "Beta": {MEDIUM: 0.5}})
    rows = read_csv(flag_report_csv(result, LABELS))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["label"], row["risk"], row["probability"]) for row in rows] == [
        (HIGH, "high", "0.9123"),
        (LOW, "low", "0.3000"),
        (MEDIUM, "medium", "0.5000"),
    ]
    first = rows[0]
    assert (first["why"], first["check"], first["evidence"]) == (LABELS[HIGH].why, LABELS[HIGH].check, "")
    assert (first["document"], first["clause_number"], first["page"]) == ("contract.txt", "1.", "1")
    assert first["heading"] == "Terms > Money & more"
    assert first["text"] == 'Alpha, "clause"\nwith é.'
    for row in rows:
        assert document.text[int(row["start"]) : int(row["end"])].strip() == row["text"]


def test_numbers_of_clauses_reach_a_spreadsheet_as_text() -> None:
    """Excel shows 1.1 for 1.10 and -1 for (1)."""
    name = "t_ten.txt"
    document = load_document((ROOT / "tests" / "data" / "documents" / name).read_bytes(), name)
    clauses = split_clauses(document)
    flags = tuple(Flag(clause.id, HIGH, 0.9) for clause in clauses if clause.number in ("1.10", "(1)"))
    rows = read_csv(flag_report_csv(FlaggedContract(document, clauses, flags, (), "m", None, {}), LABELS))
    assert [row["clause_number"] for row in rows] == ["'1.10", "'(1)"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u200b=", "\x00=", "＝", "＋"])  # noqa: RUF001
def test_csv_cells_are_no_formulas(start: str) -> None:
    attack = f"{start}cmd|' /C calc'!A0"
    document = Document("d", "t", attack, attack, "x")
    clause = Clause("c", "d", attack, 0, len(attack), number=attack, heading_path=(attack,), page=1)
    result = FlaggedContract(document, (clause,), (Flag("c", attack, 0.5),), (), "m", None, {})
    (row,) = read_csv(flag_report_csv(result, LABELS))
    for column in ("document", "clause_number", "heading", "label", "text"):
        assert row[column].startswith("'"), column
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


def test_csv_and_json_hold_the_evidence() -> None:
    similar = SimilarClause("=We owe\nall.", ("Insurance", "Audit Rights"), "Lease 7", 0.83491)
    other = SimilarClause("Nothing.", (), "Lease 8", 0.5)
    result = contract(plain("Alpha."), {})
    result = FlaggedContract(**{**_fields(result), "flags": (Flag("c0", HIGH, 0.7, (similar, other)),)})
    (row,) = read_csv(flag_report_csv(result, LABELS))
    assert row["evidence"] == (
        "0.83 Insurance, Audit Rights (Lease 7): =We owe all. | 0.50 no label (Lease 8): Nothing."
    )
    clauses: Any = flag_report_json(result, LABELS)["clauses"]
    assert clauses[0]["flags"][0]["evidence"] == [
        {
            "text": "=We owe\nall.",
            "labels": ["Insurance", "Audit Rights"],
            "contract": "Lease 7",
            "similarity": 0.8349,
        },
        {"text": "Nothing.", "labels": [], "contract": "Lease 8", "similarity": 0.5},
    ]


def test_csv_leaves_harmless_cells_alone() -> None:
    (row,) = read_csv(flag_report_csv(contract(plain("A = B - C"), {"A": {"Non-Compete": 0.5}}), LABELS))
    assert (row["text"], row["label"]) == ("A = B - C", "Non-Compete")


def test_csv_of_no_flags_is_its_header() -> None:
    data = flag_report_csv(contract(plain("Alpha."), {}), LABELS)
    assert data.decode("utf-8-sig").strip() == ",".join(COLUMNS)


def test_json_is_what_the_command_line_promises() -> None:
    document = plain("Alpha clause.", "Beta clause.")
    result = contract(document, {"Alpha": {HIGH: 0.9, LOW: 0.3}}, missing=(MEDIUM,), notes=("Not English.",))
    report: Any = json.loads(json.dumps(flag_report_json(result, LABELS), allow_nan=False))
    assert {"document", "clauses", "missing", "timings", "model"} <= set(report)
    assert (report["document"], report["model"], report["adapter"]) == ("contract.txt", "MiniLM", "shipped")
    assert (report["missing"], report["timings"], report["notes"]) == ([MEDIUM], {"total_s": 1.5}, ["Not English."])
    assert report["clauses"][0]["flags"] == [
        {"label": name, "score": score, "risk": risk, "why": LABELS[name].why, "check": LABELS[name].check}
        for name, score, risk in ((HIGH, 0.9, "high"), (LOW, 0.3, "low"))
    ]
    assert report["clauses"][1]["flags"] == []
    for clause in report["clauses"]:
        assert set(clause) == {"id", "start", "end", "text", "flags", "page", "number", "heading"}
        assert document.text[clause["start"] : clause["end"]] == clause["text"]
    assert "".join(clause["text"] for clause in report["clauses"]) == document.text


@pytest.mark.parametrize("name", ["lease.docx", "nda.txt"])
def test_formats_without_pages_give_places_by_number_and_heading(name: str) -> None:
    document = load_document((CONTRACTS / name).read_bytes(), name, limits=CONTRACT_LIMITS)
    clauses = split_clauses(document)
    body = [clause for clause in clauses if clause.kind == "body"]
    flags = tuple(Flag(clause.id, HIGH, 0.5) for clause in body)
    result = FlaggedContract(document, clauses, flags, (), "m", None, {})
    places = [place(clause) for clause in body]
    assert not any(re.search("page|None", where) for where in places)
    assert not any(re.fullmatch(r"\(\w+\)", where) for where in places), "(a) of what?"
    assert sum(where.startswith("character ") for where in places) == 0
    report = page(result)
    assert not report.xpath("//*[@class='page']")
    assert [words(one) for one in report.xpath("//article/p[@class='quiet']")] == [
        " ".join(full_place(clause).split()) for clause in body
    ]
    assert NO_PAGES in words(report.xpath("//*[@id='provenance']")[0])
    table = list(csv.DictReader(io.StringIO(flag_report_csv(result, LABELS).decode("utf-8-sig"))))
    assert all(row["page"] == "" and (row["clause_number"] or row["heading"]) for row in table)
    found: Any = flag_report_json(result, LABELS)
    flagged = [clause for clause in found["clauses"] if clause["flags"]]
    assert all(clause["page"] is None and (clause["number"] or clause["heading"]) for clause in flagged)


def test_a_place_has_a_page_only_where_there_is_one() -> None:
    clause = Clause("c", "d", "Text.", 1234, 1239, number="7.2", heading_path=("Terms", "Term and\nrenewal"))
    assert place(clause) == "7.2, “Term and renewal”"
    assert full_place(clause) == "7.2 · Terms > Term and renewal"
    assert place(replace(clause, number="")) == "“Term and renewal”"
    assert full_place(replace(clause, number="")) == "Terms > Term and renewal"
    assert place(replace(clause, page=3)) == "7.2, page 3"
    assert full_place(replace(clause, page=3)) == "7.2, page 3 · Terms > Term and renewal"
    bare = replace(clause, number="", heading_path=())
    assert place(bare) == full_place(bare) == "character 1,234"
    assert len(place(replace(clause, heading_path=("long " * 40,)))) < 80


def test_html_says_that_there_are_no_pages_only_where_there_are_none() -> None:
    assert NO_PAGES not in flag_report_html(contract(plain("A."), {}), LABELS, provenance={})


def test_a_label_nobody_described_is_for_information() -> None:
    result = contract(plain("Alpha."), {"Alpha": {"My own": 0.5}})
    clauses: Any = flag_report_json(result, LABELS)["clauses"]
    assert clauses[0]["flags"] == [{"label": "My own", "score": 0.5, "risk": "informational", "why": "", "check": ""}]
    assert "My own" in flag_report_html(result, {}, provenance={})


# Word


def opened(data: bytes) -> WordDocument:
    return docx.Document(io.BytesIO(data))


def saved(word: WordDocument) -> bytes:
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def anchored(data: bytes) -> dict[str, list[str]]:
    """Return the text between the marks of each comment, white space single, by the first line of the comment."""
    word = opened(data)
    comments = {str(comment.comment_id): comment.text.split("\n")[0] for comment in word.comments}
    found: dict[str, list[str]] = {}
    body = list(word.element.body.iter())
    for key, head in comments.items():
        (start,) = (i for i, e in enumerate(body) if e.tag == qn("w:commentRangeStart") and e.get(qn("w:id")) == key)
        (end,) = (i for i, e in enumerate(body) if e.tag == qn("w:commentRangeEnd") and e.get(qn("w:id")) == key)
        (reference,) = (i for i, e in enumerate(body) if e.tag == qn("w:commentReference") and e.get(qn("w:id")) == key)
        assert start < end < reference
        parts = [
            " " if e.tag in (qn("w:p"), qn("w:br"), qn("w:tab")) else e.text or ""
            for e in body[start:end]
            if e.tag in (qn("w:t"), qn("w:p"), qn("w:br"), qn("w:tab"))
        ]
        found.setdefault(head, []).append(" ".join("".join(parts).split()))
    return found


def visible(word: WordDocument) -> list[tuple[str, Any]]:
    """Return every character of the body with the formatting of its run."""
    return [
        (character, None if run.find(qn("w:rPr")) is None else etree.tostring(run.find(qn("w:rPr"))))
        for run in word.element.body.iter(qn("w:r"))
        for text in run.findall(qn("w:t"))
        for character in text.text or ""
    ]


def word_contract() -> bytes:
    word = docx.Document()
    word.add_heading("Services agreement", 0)
    word.add_heading("Liability", 1)
    word.add_paragraph("The supplier insures itself for one million euros.", style="List Number")
    mixed = word.add_paragraph(style="List Number")
    mixed.add_run("Liability of the ")
    mixed.add_run("Supplier").bold = True
    mixed.add_run(" is unlimited. The customer may audit the books. Interest is due.")
    word.add_paragraph("Assets stay where they are.", style="List Bullet")
    table = word.add_table(rows=2, cols=2, style="Table Grid")
    for row, texts in zip(table.rows, (("Item", "Fee"), ("Support", "Ten a day")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    word.add_heading("Term", 1)
    word.add_paragraph("The supplier insures itself for one million euros.")
    word.add_paragraph("Ends after a year.")
    return saved(word)


def clause_of(document: Document, words: str, until: str | None = None) -> Clause:
    assert document.text.count(words) == 1, words
    start = document.text.index(words)
    end = start + len(words) if until is None else document.text.index(until, start) + len(until)
    return Clause(f"c{start}", document.id, document.text[start:end], start, end)


def of_clauses(document: Document, clauses: dict[str, Clause]) -> FlaggedContract:
    flags = tuple(Flag(clause.id, name, 0.5) for name, clause in clauses.items())
    return FlaggedContract(document, tuple(clauses.values()), flags, (), "m", None, {})


def test_docx_comments_stand_at_their_clauses() -> None:
    original = word_contract()
    document = load_document(original, "c.docx")
    clauses = {
        CUAD[0]: clause_of(document, "1. The supplier insures itself for one million euros."),
        CUAD[1]: clause_of(document, "Liability of the Supplier is unlimited. "),
        CUAD[2]: clause_of(document, "The customer may audit the books. "),
        CUAD[3]: clause_of(document, "Support | Ten a day"),
        CUAD[4]: clause_of(document, "Term\n\nThe supplier insures", until="a year."),
        CUAD[5]: clause_of(document, "Interest is due."),
    }
    made = commented_docx(original, of_clauses(document, clauses), LABELS)
    assert (made.placed, made.unplaced, made.from_original, made.note) == (6, 0, True, "")
    assert {head.split(":")[0]: texts for head, texts in anchored(made.data).items()} == {
        CUAD[0]: ["The supplier insures itself for one million euros."],
        CUAD[1]: ["Liability of the Supplier is unlimited."],
        CUAD[2]: ["The customer may audit the books."],
        CUAD[3]: ["Support Ten a day"],
        CUAD[4]: ["Term The supplier insures itself for one million euros. Ends after a year."],
        CUAD[5]: ["Interest is due."],
    }
    comment = next(iter(opened(made.data).comments))
    assert comment.text == (
        f"{HIGH}: high risk, probability 50%\nWhy it matters: {LABELS[HIGH].why}\nCheck: {LABELS[HIGH].check}"
    )
    assert (comment.author, comment.timestamp) == ("Clause flagger", None)


def test_docx_keeps_the_text_and_formatting_of_the_original() -> None:
    original = word_contract()
    document = load_document(original, "c.docx")
    names = ("unlimited. The", "Ten a day", "year", "iability of the", "ssets stay")
    clauses = {CUAD[i]: clause_of(document, part) for i, part in enumerate(names)}
    made = commented_docx(original, of_clauses(document, clauses), LABELS)
    before, after = opened(original), opened(made.data)
    assert made.placed == len(names)
    assert visible(after) == visible(before)
    assert len(list(after.element.body.iter(qn("w:p")))) == len(list(before.element.body.iter(qn("w:p"))))
    assert {text for texts in anchored(made.data).values() for text in texts} == set(names)
    assert load_document(made.data, "c.docx").text == document.text
    for text in after.element.body.iter(qn("w:t")):  # Word drops outer spaces that are not marked
        assert text.text == text.text.strip() or text.get(qn("xml:space")) == "preserve"
    with zipfile.ZipFile(io.BytesIO(original)) as old, zipfile.ZipFile(io.BytesIO(made.data)) as new:
        assert set(old.namelist()) < set(new.namelist())
        for part in ("word/styles.xml", "word/numbering.xml"):
            assert etree.tostring(etree.fromstring(old.read(part)), method="c14n") == etree.tostring(
                etree.fromstring(new.read(part)), method="c14n"
            )


def test_docx_several_flags_of_one_clause_each_get_a_comment() -> None:
    original = word_contract()
    document = load_document(original, "c.docx")
    clause = clause_of(document, "The customer may audit the books.")
    flags = tuple(Flag(clause.id, name, 0.9 - i / 10) for i, name in enumerate(CUAD[:3]))
    made = commented_docx(original, FlaggedContract(document, (clause,), flags, (), "m", None, {}), LABELS)
    assert made.placed == 3
    assert list(anchored(made.data).values()) == [[clause.text]] * 3


def test_docx_of_a_policy_with_every_block_flagged() -> None:
    original = (POLICIES / "maison-lune-fashion.docx").read_bytes()
    document = load_document(original, "maison-lune-fashion.docx")
    result = contract(document, {})
    flags = tuple(Flag(clause.id, CUAD[i % 41], 0.5) for i, clause in enumerate(result.clauses))
    result = FlaggedContract(**{**_fields(result), "flags": flags})
    made = commented_docx(original, result, LABELS)
    assert (made.placed, made.unplaced) == (len(flags), 0)
    texts = iter(document.text[block.start : block.end] for block in document.blocks)
    by_id = {comment.comment_id: comment.text.split(":")[0] for comment in opened(made.data).comments}
    assert list(by_id.values()) == [label_title(flag.label) for flag in flags]
    at_label = {head.split(":")[0]: found for head, found in anchored(made.data).items()}
    for flag, text in zip(flags, texts, strict=True):
        placed = at_label[label_title(flag.label)].pop(0)
        assert _squeezed(text).endswith(_squeezed(placed)), (placed, text)
        assert len(_squeezed(placed)) >= len(_squeezed(text)) - 6  # a list label at most
    assert load_document(made.data, "c.docx").text == document.text


def _squeezed(text: str) -> str:
    return re.sub(r"[\s|]", "", text)


def test_docx_flag_that_cannot_be_placed_is_listed_at_the_end() -> None:
    original = word_contract()
    document = load_document(original, "c.docx")
    other = Document(**{**_fields(document), "text": "Nowhere in that file: zzz qqq xxx.\n\n" + document.text})
    lost = clause_of(other, "Nowhere in that file: zzz qqq xxx.")
    kept = clause_of(other, "Ends after a year.")
    made = commented_docx(original, of_clauses(other, {CUAD[0]: lost, CUAD[1]: kept}), LABELS)
    assert (made.placed, made.unplaced, made.from_original) == (1, 1, True)
    last = [paragraph.text for paragraph in opened(made.data).paragraphs[-2:]]
    assert last[0] == UNPLACED_TITLE
    assert lost.text in last[1]
    assert LABELS[HIGH].why in last[1]
    assert anchored(made.data)[f"{MEDIUM}: medium risk, probability 50%"] == [kept.text]
    assert lost.text in anchored(made.data)[f"{HIGH}: high risk, probability 50%"][0]


def test_docx_with_changes_links_fields_boxes_and_hidden_text() -> None:
    word = docx.Document()
    word.add_paragraph("Contents: Liability of all parties")
    body = word.element.body

    def add(xml: str) -> None:
        body.insert(len(body) - 1, parse_xml(f"<w:p {nsdecls('w')}>{xml}</w:p>"))

    def run(text: str, properties: str = "") -> str:
        return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'

    add(
        run("Fees are ") + f'<w:del w:id="7" w:author="a"><w:r><w:delText>ten</w:delText></w:r></w:del>'
        f'<w:ins w:id="8" w:author="a">{run("twenty dollars. Late fees")}</w:ins>'
        + run(" apply.")
        + run("hidden words", "<w:vanish/>")
    )
    add(f'<w:hyperlink w:anchor="x">{run("Our site lists prices. Prices change.")}</w:hyperlink>')
    add("<w:r><w:t>No hyphen</w:t><w:noBreakHyphen/><w:t>break here.</w:t><w:br/><w:t>New line.</w:t></w:r>")
    add(f"<w:r><w:pict><w:txbxContent><w:p>{run('Boxed penalty clause.')}</w:p></w:txbxContent></w:pict></w:r>")
    original = saved(word)
    document = load_document(original, "c.docx")
    parts = {
        CUAD[0]: "Fees are twenty dollars.",
        CUAD[1]: "Late fees apply.",
        CUAD[2]: "Prices change.",
        CUAD[3]: "No hyphen-break here.",
        CUAD[4]: "Boxed penalty clause.",
        CUAD[5]: "New line.",
    }
    made = commented_docx(original, of_clauses(document, {k: clause_of(document, v) for k, v in parts.items()}), LABELS)
    assert (made.placed, made.unplaced) == (6, 0)
    found = {head.split(":")[0]: texts for head, texts in anchored(made.data).items()}
    assert {name: _squeezed(texts[0]) for name, texts in found.items()} == {
        name: _squeezed(text.replace("-", "")) for name, text in parts.items()
    }
    after = opened(made.data)
    assert visible(after) == visible(opened(original))
    assert not after.element.xpath("//w:txbxContent//w:commentRangeStart")
    assert load_document(made.data, "c.docx").text == document.text


def test_docx_keeps_comments_that_were_there() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("We pay all. ")
    word.add_comment(paragraph.runs, text="Really?", author="Ada", initials="A")
    original = saved(word)
    document = load_document(original, "c.docx")
    made = commented_docx(original, of_clauses(document, {HIGH: clause_of(document, "We pay all.")}), LABELS)
    comments = list(opened(made.data).comments)
    assert [comment.author for comment in comments] == ["Ada", "Clause flagger"]
    assert len({comment.comment_id for comment in comments}) == 2


def test_docx_white_space_runs_survive() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph()
    for text in ("We", " ", "pay", "  ", "all."):
        paragraph.add_run(text)
    original = saved(word)
    document = load_document(original, "c.docx")
    made = commented_docx(original, of_clauses(document, {HIGH: clause_of(document, "pay")}), LABELS)
    assert opened(made.data).paragraphs[0].text == "We pay  all."
    assert anchored(made.data)[f"{HIGH}: high risk, probability 50%"] == ["pay"]


@pytest.mark.parametrize("original", [None, b"%PDF-1.7 not word"])
def test_docx_is_made_of_the_text_where_the_upload_was_not_word(original: bytes | None) -> None:
    document = load_document((POLICIES / "northtrail-outdoor-v1.md").read_bytes(), "policy.md")
    result = contract(document, {})
    flags = tuple(Flag(clause.id, HIGH, 0.5) for clause in result.clauses)
    made = commented_docx(original, FlaggedContract(**{**_fields(result), "flags": flags}), LABELS)
    assert (made.placed, made.unplaced, made.from_original, made.note) == (len(flags), 0, False, "")
    word = opened(made.data)
    headings = [p.text for p in word.paragraphs if p.style.name.startswith("Heading")]
    assert headings == [document.text[b.start : b.end] for b in document.blocks if b.kind == "heading"]
    (texts,) = anchored(made.data).values()
    assert [_squeezed(text) for text in texts] == [_squeezed(clause.text) for clause in result.clauses]


def test_docx_of_hostile_text() -> None:
    made = commented_docx(None, hostile(), LABELS)
    assert made.placed == len(HOSTILE)
    word = opened(made.data)
    shown = "\n".join(paragraph.text for paragraph in word.paragraphs)
    assert HOSTILE[0] in shown
    comments = "\n".join(comment.text for comment in word.comments)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown + comments)


def test_docx_of_an_empty_result() -> None:
    empty = FlaggedContract(Document("d", "", "", "", ""), (), (), (), "m", None, {})
    made = commented_docx(None, empty, LABELS)
    assert (made.placed, made.unplaced) == (0, 0)
    assert len(opened(made.data).comments) == 0


def test_docx_is_the_same_for_the_same_arguments() -> None:
    result = contract(plain("Alpha clause."), {"Alpha": {HIGH: 0.5}})
    date = datetime(2026, 1, 2, tzinfo=UTC)
    for original in (None, word_contract()):
        made = commented_docx(original, result, LABELS, date=date)
        assert made == commented_docx(original, result, LABELS, date=date)
        assert [comment.timestamp for comment in opened(made.data).comments] == [date]


def _with_part(data: bytes, name: str, content: bytes | None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        if content is not None:
            new.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("word/styles.xml", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x y="&a;"/>'),
        ("word/styles.xml", None),
        ("word/document.xml", b"<broken"),
        ("word/media/bomb.bin", b"0" * 30_000_000),
        ("word/comments9.xml", b" " * 49_000_000),
        ("[Content_Types].xml", b"<Types/>"),
    ],
)
def test_docx_that_cannot_be_written_to_gives_a_copy_of_the_text(name: str, content: bytes | None) -> None:
    original = word_contract()
    document = load_document(original, "c.docx")
    result = of_clauses(document, {HIGH: clause_of(document, "Ends after a year.")})
    made = commented_docx(_with_part(original, name, content), result, LABELS)
    assert (made.placed, made.from_original) == (1, False)
    assert "copy of its text" in made.note
    assert made.note in opened(made.data).paragraphs[0].text
    assert anchored(made.data) == {f"{HIGH}: high risk, probability 50%": ["Ends after a year."]}


def test_places_of_repeated_and_unknown_paragraphs() -> None:
    word = docx.Document()
    for text in ("Only in the file, and quite long at that.", "Same.", "Middle part.", "Same.", "x"):
        word.add_paragraph(text)
    text = "(a) Same.\n\nMiddle part.\n\n(b) Same."
    places = TextPlaces(text, word.element.body)
    paragraphs = word.element.body.findall(qn("w:p"))
    for start, number in ((0, 1), (11, 2), (25, 3)):
        found = places.find(start, start + 9)
        assert found is not None
        assert found[0].element.getparent().getparent() is paragraphs[number]
        assert found[0].offset == 0
    assert places.find(9, 11) is None  # white space alone is nowhere
    assert places.find(17, 18) is None  # inside a paragraph too


@pytest.mark.parametrize(
    ("contents", "stretches"),
    [
        (["e", "e\ne"], [(0, 1, 0), (3, 6, 1)]),
        (["e", "e", "ee"], [(0, 1, 0), (3, 4, 1), (6, 8, 2)]),
        (["e", "e\n\ne"], [(0, 1, 0), (3, 7, 1)]),
    ],
)
def test_paragraphs_alike_are_told_apart_where_the_file_is_the_whole_text(
    contents: list[str], stretches: list[tuple[int, int, int]]
) -> None:
    word = docx.Document()
    for content in contents:
        word.add_paragraph(content)
    places = TextPlaces("\n\n".join(contents), word.element.body)
    paragraphs = word.element.body.findall(qn("w:p"))
    for start, end, number in stretches:
        found = places.find(start, end)
        assert found is not None
        assert [spot.element.getparent().getparent() for spot in found] == [paragraphs[number]] * 2


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.text("ab \u00e9e\u0301|\t\n-", max_size=8), max_size=4), max_size=6),
    st.data(),
)
def test_any_stretch_keeps_the_text_of_the_file(paragraphs: list[list[str]], data: st.DataObject) -> None:
    word = docx.Document()
    for runs in paragraphs:
        paragraph = word.add_paragraph()
        for text in runs:
            paragraph.add_run(text)
    text = "\n\n".join("".join(runs) for runs in paragraphs)
    before = [paragraph.text for paragraph in word.paragraphs]
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=4))})
    clauses = tuple(Clause(f"c{i}", "d", text[a:b], a, b) for i, (a, b) in enumerate(pairwise(cuts)))
    flags = tuple(Flag(clause.id, HIGH, 0.5) for clause in clauses)
    result = FlaggedContract(Document("d", "t", text, "s", "x"), clauses, flags, (), "m", None, {})
    made = commented_docx(saved(word), result, LABELS)
    assert made.from_original
    assert made.placed + made.unplaced == len(flags)
    after = [paragraph.text for paragraph in opened(made.data).paragraphs]
    assert after[: len(before)] == before
    # Every paragraph of the file is in the text, so whatever was placed stands exactly where it should.
    expected = iter(_letters_of(clause.text) for clause in clauses)
    for found in anchored(made.data).get(f"{HIGH}: high risk, probability 50%", [])[: made.placed]:
        assert _letters_of(found) in expected


def _letters_of(text: str) -> str:
    return _squeezed(unicodedata.normalize("NFD", text).replace("\u0301", ""))


def test_places_prefer_a_whole_line_to_words_inside_one() -> None:
    word = docx.Document()
    for text in ("Our Termination rules apply.", "Termination", "At will."):
        word.add_paragraph(text)
    text = "Our Termination rules apply, edited.\n\nTermination\n\nAt will."
    found = TextPlaces(text, word.element.body).find(text.index("\n\nTermination"), text.index("\n\nAt"))
    assert found is not None
    assert found[0].element.getparent().getparent() is word.paragraphs[1]._p


# The look of risks


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("risk", RISK_ORDER)
def test_risks_are_readable_in_both_themes(risk: Any) -> None:
    scheme = RISK_COLOURS[risk]
    for colours, ink, paper in ((scheme.light, "#1a2530", "#ffffff"), (scheme.dark, "#e7edf1", "#10161b")):
        assert _contrast(colours.text, colours.background) >= 4.5
        assert _contrast(ink, colours.background) >= 4.5
        assert _contrast(colours.line, paper) >= 3


def test_every_risk_has_its_own_words_sign_and_line() -> None:
    for words_of in (RISK_TITLES, RISK_SIGNS, RISK_LINES):
        assert set(words_of) == set(RISK_ORDER)
        assert len(set(words_of.values())) == len(RISK_ORDER)


# --- by rule --------------------------------------------------------------------------------------------------------


def by_rule() -> FlaggedContract:
    result = contract(plain("Alpha clause."), {"Alpha": {HIGH: 0.04}})
    return FlaggedContract(**{**_fields(result), "flags": tuple(replace(f, rule="no limit") for f in result.flags)})


def test_every_export_says_that_a_flag_is_by_rule_and_what_the_model_thought() -> None:
    result = by_rule()
    said = "by rule: no limit (the model alone: probability 4%)"
    assert said in words(page(result))
    rows = list(csv.DictReader(io.StringIO(flag_report_csv(result, LABELS).decode("utf-8-sig"))))
    assert [(row["rule"], row["probability"]) for row in rows] == [("no limit", "0.0400")]
    flags = [flag for clause in flag_report_json(result, LABELS)["clauses"] for flag in clause["flags"]]  # type: ignore[attr-defined]
    assert [(flag["rule"], flag["score"]) for flag in flags] == [("no limit", 0.04)]
    [comment] = opened(commented_docx(None, result, LABELS).data).comments
    assert said in comment.text
    [row] = report_rows(result, LABELS)
    assert (sureness(row), reason(row)) == ("by rule", said)
    assert sureness(replace(row, rule="")) == "4%"
