"""The sample contracts load, their gold annotation is found in them, and the files are what the sources give."""

from __future__ import annotations

import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from playground.clauses.contract_kind import contract_kind
from playground.documents import load_document
from playground.errors import DocumentError
from playground.paths import ROOT
from playground.types import Document
from scripts import build_sample_contracts as script

CONTRACTS = ROOT / "data" / "contracts"
GOLD: dict[str, dict[str, Any]] = json.loads((CONTRACTS / "gold.json").read_text(encoding="utf-8"))
LABELS = json.loads((ROOT / "scenarios" / "contract_clauses" / "labels.json").read_text(encoding="utf-8"))
NAMES = ("services-agreement.pdf", "software-licence.docx", "lease.docx", "nda.txt", "distribution-agreement.pdf")
HEADS = {
    "services-agreement.pdf": ("Larkfield / Pennard & Moss", "Execution version", "Page 4 of"),
    "distribution-agreement.pdf": ("Solenne - Marlow & Tate", "Exclusive Distribution Agreement", "- 4 -"),
}


@cache
def contract(name: str) -> Document:
    return load_document((CONTRACTS / name).read_bytes(), name)


def one_line(text: str) -> str:
    return " ".join(text.split())


def raw_pages(name: str) -> list[str]:
    pdf = pypdfium2.PdfDocument((CONTRACTS / name).read_bytes())
    return [page.get_textpage().get_text_range() for page in pdf]


def test_every_contract_has_gold_and_nothing_else_does() -> None:
    assert tuple(GOLD) == NAMES
    files = {path.name for path in CONTRACTS.iterdir() if path.suffix in (".pdf", ".docx", ".txt")}
    assert files == {*NAMES, "scan-only.pdf"}


@pytest.mark.parametrize("name", NAMES)
def test_contract_is_long_enough(name: str) -> None:
    document = contract(name)
    pages, words = len(document.page_starts), len(document.text.split())
    assert 1_500 <= words <= 6_000
    assert 3 <= (pages or words / 500) <= 15
    assert bool(pages) == name.endswith(".pdf")


@pytest.mark.parametrize("name", NAMES)
def test_every_paragraph_of_the_source_is_in_the_text_of_the_file(name: str) -> None:
    text = one_line(contract(name).text)
    lines = [line for line in script.load_source(name).lines if line.kind not in ("directive", "row")]
    assert len(lines) > 60
    expected = [one_line(f"{line.number} {line.text}") for line in lines]
    assert [line for line in expected if line not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_gold_is_found_exactly_once(name: str) -> None:
    text = one_line(contract(name).text)
    counts = {clause["text"]: text.count(clause["text"]) for clause in GOLD[name]["clauses"]}
    assert {clause: count for clause, count in counts.items() if count != 1} == {}
    pairs = [(clause["label"], clause["text"]) for clause in GOLD[name]["clauses"]]
    assert len(set(pairs)) == len(pairs)


def test_gold_uses_the_labels_of_the_scenario_and_shows_every_liability() -> None:
    known = {label["name"] for label in LABELS}
    liabilities = {label["name"] for label in LABELS if label["liability"]}
    used = {clause["label"] for gold in GOLD.values() for clause in gold["clauses"]}
    assert used <= known
    assert len(liabilities) >= 21
    assert liabilities <= used


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_missing(name: str) -> None:
    present = {clause["label"] for clause in GOLD[name]["clauses"]}
    missing = set(GOLD[name]["missing"])
    kind = contract_kind(contract(name))
    expected = {label["name"] for label in LABELS if kind in label["expected"]}
    assert missing
    assert missing <= {label["name"] for label in LABELS}
    assert not missing & present
    assert expected - present <= missing


@pytest.mark.parametrize("name", NAMES)
def test_most_of_a_contract_is_ordinary(name: str) -> None:
    flagged = sum(len(text) for text in {clause["text"] for clause in GOLD[name]["clauses"]})
    assert flagged < 0.5 * len(contract(name).text)


@pytest.mark.parametrize("name", HEADS)
def test_running_heads_are_printed_and_left_out_of_the_text(name: str) -> None:
    pages = "\n".join(raw_pages(name))
    for head in HEADS[name]:
        assert head in pages
        assert head not in contract(name).text


def test_words_are_divided_at_line_ends_and_made_whole() -> None:
    pages = "".join(raw_pages("services-agreement.pdf"))
    divided = re.findall(r"([A-Za-z]{3,})[\x02\ufffe]\s*([a-z]+)", pages)
    assert len(divided) >= 5
    text = contract("services-agreement.pdf").text
    assert all(left + right in text and f"{left}-{right}" not in text for left, right in divided)


def test_a_schedule_in_two_columns_is_read_column_by_column() -> None:
    text = contract("services-agreement.pdf").text
    topics = [
        "Service reviews take",
        "Store openings and",
        "During the change freeze",
        "Major incidents are",
        "Spare devices",
    ]
    places = [text.index(topic) for topic in topics]
    assert places == sorted(places)


def test_a_clause_runs_on_over_a_page_end_before_a_capital() -> None:
    document = contract("distribution-agreement.pdf")
    block = next(b for b in document.blocks if document.text[b.start : b.end].startswith("5.5 "))
    assert "at least the Annual Target. If in two" in document.text[block.start : block.end]
    assert document.page_at(block.start) != document.page_at(block.end)


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_and_heading_begins_a_block(name: str) -> None:
    document = contract(name)
    begins = {one_line(document.text[b.start : b.end])[:30] for b in document.blocks}
    lines = [line for line in script.load_source(name).lines if line.number or line.kind == "heading"]
    expected = [one_line(f"{line.number} {line.text}")[:30] for line in lines]
    assert [line for line in expected if not any(begin.startswith(line) for begin in begins)] == []


def test_items_whose_letters_are_typed_are_items() -> None:
    document = contract("lease.docx")
    items = [document.text[b.start : b.end] for b in document.blocks if b.kind == "list_item"]
    assert "(c)\tinterest on and repayment of loans; and" in items
    assert len(items) >= 18


def test_word_counts_articles_in_roman_and_their_sections_in_decimals() -> None:
    document = contract("software-licence.docx")
    lines = [line.strip() for line in document.text.splitlines()]
    numbers = [line.split(" ", 1)[0] for line in lines if re.match(r"\d+\.\d+ ", line)]
    headings = [document.text[b.start : b.end] for b in document.blocks if b.kind == "heading"]
    assert "ARTICLE IV LICENSE FEES AND TAXES" in headings
    assert numbers[:2] == ["1.1", "1.2"]
    assert numbers[-1] == "15.8"
    assert any(line.startswith("(ii) by the delivery of reports") for line in lines)
    with zipfile.ZipFile(CONTRACTS / "software-licence.docx") as archive:
        assert b"IV LICENSE" not in archive.read("word/document.xml")  # counted, not typed


def test_tracked_insertions_are_kept_and_announced_and_deletions_left_out() -> None:
    document = contract("lease.docx")
    assert any("tracked changes" in warning and "insertions are part" in warning for warning in document.warnings)
    assert "will not exceed $750,000, and" in document.text
    assert "$150,000" not in document.text
    assert "within two miles of the Building" in document.text
    assert "8.4 Exceptions." in document.text
    assert "Waiver of Consequential Damages" not in document.text
    assert "Security Deposit | $36,000" in document.text
    with zipfile.ZipFile(CONTRACTS / "lease.docx") as archive:
        xml = archive.read("word/document.xml").decode("utf-8")
    assert xml.count("<w:ins ") >= 10
    assert xml.count("<w:del ") >= 8
    assert "$150,000" in xml


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lease.docx"])
def test_the_other_contracts_load_without_a_warning(name: str) -> None:
    assert contract(name).warnings == ()


def test_headings_of_one_style_have_one_level() -> None:
    document = contract("nda.txt")
    levels = {document.text[b.start : b.end]: b.level for b in document.blocks if b.kind == "heading"}
    assert levels["BACKGROUND"] == levels["1. WHAT THESE WORDS MEAN"] == levels["10. GENERAL"] == 2


def test_the_scan_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_OCR", "off")
    data = (CONTRACTS / "scan-only.pdf").read_bytes()
    with pytest.raises(DocumentError, match=r"no text layer.*Run text recognition \(OCR\)"):
        load_document(data, "scan-only.pdf")


def test_the_table_of_contents_prints_the_right_pages() -> None:
    pages = raw_pages("services-agreement.pdf")
    entries = re.findall(r"^(\d+\. [A-Z][a-z ]+?|Schedule \d: [A-Z][a-z ]+?) \.+\s+(\d+)\s*$", pages[1], re.MULTILINE)
    assert len(entries) >= 15
    for title, number in entries:
        assert title in pages[int(number) - 1]


@pytest.mark.parametrize("name", [*NAMES, "scan-only.pdf"])
def test_the_committed_file_is_what_its_source_gives(name: str) -> None:
    assert script.is_current(name, (CONTRACTS / name).read_bytes(), script.build(name))


@pytest.mark.parametrize("name", ["lease.docx", "scan-only.pdf"])
def test_two_builds_give_the_same_bytes(name: str) -> None:
    assert script.build(name) == script.build(name)


def test_the_committed_gold_is_that_of_the_sources() -> None:
    assert (CONTRACTS / "gold.json").read_text(encoding="utf-8") == script.build_gold()


def test_a_changed_source_makes_its_files_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in script.SOURCES.iterdir():
        changed = path.read_text(encoding="utf-8").replace("75 per cent", "74 per cent").replace("$750,000", "$700,000")
        (tmp_path / path.name).write_text(changed, encoding="utf-8")
    monkeypatch.setattr(script, "SOURCES", tmp_path)
    # The two long PDFs take seconds to build and are compared above.
    quick = {name: builder for name, builder in script.BUILDERS.items() if not name.endswith("agreement.pdf")}
    monkeypatch.setattr(script, "BUILDERS", quick)
    monkeypatch.setattr(script, "build_gold", lambda: (CONTRACTS / "gold.json").read_text(encoding="utf-8"))
    assert script.stale_files() == ["lease.docx", "scan-only.pdf"]
