"""A playbook turns risks with the side, is read whole or refused with its rows, and reaches every export."""

from __future__ import annotations

import csv
import io
import json

import pytest

from playground.documents import load_document
from playground.errors import AnnotationError
from playground.flagging.files.contract import FlagJob, FlagSettings
from playground.flagging.playbook import MOST_BYTES, for_side, load_playbook, read_playbook
from playground.flagging.report import (
    Correction,
    commented_docx,
    flag_report_csv,
    flag_report_html,
    flag_report_json,
    report_rows,
)
from playground.flagging.report.tables import COLUMNS, SIDE_COLUMNS
from playground.types import Clause, Flag, FlaggedContract
from playground.ui.contract_clauses.flag_filter import chosen
from playground.ui.contract_clauses.flags import card_html
from scenarios.contract_clauses import scenario

TEXT = "Either party may audit the books.\n\nThe liability of the Supplier is limited to the fees of a year.\n"
CATALOGUE = {label.name: label for label in scenario.labels()}
ROW = {
    "label": "Cap On Liability",
    "side": "customer",
    "clause": "unwelcome",
    "risk": "high",
    "acceptable": "No cap.",
    "fallback": "A high cap.",
}


def contract() -> FlaggedContract:
    document = load_document(TEXT.encode(), "deal.txt")
    half = document.text.index("The liability")
    clauses = (
        Clause("c1", document.id, document.text[:half], 0, half),
        Clause("c2", document.id, document.text[half:], half, len(document.text)),
    )
    flags = (Flag("c1", "Audit Rights", 0.9, ()), Flag("c2", "Cap On Liability", 0.8, ()))
    usual = ("Cap On Liability", "Audit Rights", "Insurance")
    return FlaggedContract(document, clauses, flags, ("Insurance",), "model", None, {}, usual=usual)


def refused(*rows: object, name: object = "Ours") -> str:
    with pytest.raises(AnnotationError) as caught:
        read_playbook(json.dumps({"name": name, "rows": rows}).encode(), CATALOGUE, "ours.json")
    return str(caught.value)


def test_a_cap_protects_the_supplier_and_exposes_the_customer() -> None:
    customer, supplier = (for_side(CATALOGUE, scenario.playbook(), side) for side in ("customer", "supplier"))
    assert customer["Cap On Liability"].risk == "high"
    assert supplier["Cap On Liability"].risk == "low"
    assert supplier["Uncapped Liability"].risk == "high"
    assert customer["Document Name"] == CATALOGUE["Document Name"]


def test_the_playbook_that_ships_speaks_of_every_liability_for_every_side() -> None:
    playbook = scenario.playbook()
    said = {(one.label, one.stance.side) for one in playbook.positions}
    assert {"customer", "supplier", "landlord", "tenant", "consultant"} <= set(playbook.sides)
    for label in scenario.liability_labels():
        assert [side for side in playbook.sides if (label, side) not in said] == [], label


def test_a_playbook_is_handed_on_as_it_came_and_reads_the_same_as_toml_and_json() -> None:
    shipped = scenario.playbook()
    assert read_playbook(shipped.source.encode(), CATALOGUE) == shipped
    as_toml = 'name = "Ours"\n[[rows]]\n' + "\n".join(f'{key} = "{value}"' for key, value in ROW.items())
    of_toml = read_playbook(as_toml.encode(), CATALOGUE)
    of_json = read_playbook(json.dumps({"name": "Ours", "rows": [ROW]}).encode(), CATALOGUE)
    assert of_toml.positions == of_json.positions
    assert of_toml.name == of_json.name == "Ours"


def test_faults_are_named_with_their_rows() -> None:
    said = refused(ROW, {**ROW, "label": "Cap On Liabilty"}, {**ROW, "side": "Customer!"}, {**ROW, "risk": "huge"}, 5)
    assert "Row 2: there is no label 'Cap On Liabilty'; did you mean 'Cap On Liability'" in said
    assert "Row 3: side must be a word" in said
    assert "Row 4: risk is 'huge'; use high, medium, low or informational" in said
    assert "Row 5: it must have the fields" in said
    assert "Row 1" not in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"acceptable": ""}, "Row 1: acceptable is missing"),
        ({"fallback": 3}, "Row 1: fallback is missing or no text"),
        ({"note": "x" * 601}, "Row 1: note has more than 600 characters"),
        ({"note": "a\u202eb"}, "Row 1: note has characters that cannot be seen"),
        ({"clause": "perhaps"}, "Row 1: clause is 'perhaps'; use unwelcome, wanted or neutral"),
        ({"side": []}, "Row 1: side must be"),
        ({"side": [["a"]]}, "Row 1: side must be"),
        ({"colour": "red"}, "Row 1: 'colour' is no field"),
    ],
)
def test_each_field_is_checked(change: dict[str, object], words: str) -> None:
    assert words in refused({**ROW, **change})


def test_two_positions_of_one_label_and_side_are_refused() -> None:
    assert "Row 2: 'Cap On Liability' has a position for the customer already, in row 1" in refused(ROW, ROW)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "has no rows"),
        (b"rows = 3", "has no rows"),
        (b"name = ", "neither TOML nor JSON"),
        (b"{" * 50, "neither TOML nor JSON"),
        (b"a = " + b"[" * 20_000, "neither TOML nor JSON"),
        (b'name = "\xff"', "not in UTF-8"),
        (b"#" * (MOST_BYTES + 1), "more than 256 KB"),
        (json.dumps({"name": "x", "rows": [ROW] * 1_001}).encode(), "more than 1,000"),
        (json.dumps({"name": 7, "rows": [ROW]}).encode(), "The name must be a text"),
    ],
)
def test_what_is_no_playbook_is_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(AnnotationError, match=words):
        read_playbook(data, CATALOGUE)


def test_a_missing_file_and_an_unknown_side_say_what_to_do(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AnnotationError, match="Check its name"):
        load_playbook(tmp_path / "none.toml", CATALOGUE)
    with pytest.raises(AnnotationError, match="no row for the side 'pirate'. It has: customer"):
        for_side(CATALOGUE, scenario.playbook(), "pirate")


def test_deviations_come_first_in_every_order() -> None:
    labels = for_side(CATALOGUE, scenario.playbook(), "customer")
    rows = report_rows(contract(), labels)
    assert [row.label.name for row in rows] == ["Cap On Liability", "Audit Rights"]
    assert [row.label.name for row in report_rows(contract(), CATALOGUE)] == ["Audit Rights", "Cap On Liability"]
    assert [row.label.name for row in chosen(rows, order="score")] == ["Cap On Liability", "Audit Rights"]
    rejected = report_rows(contract(), labels, [Correction("c2", "Cap On Liability", "rejected")])
    assert [row.label.name for row in rejected] == ["Audit Rights", "Cap On Liability"]


def test_every_export_says_the_side_its_deviations_and_what_it_lacks() -> None:
    labels = for_side(CATALOGUE, scenario.playbook(), "customer")
    found = flag_report_json(contract(), labels)
    assert found["side"] == "customer"
    assert found["deviations"] == [{"clause": "c2", "label": "Cap On Liability", "risk": "high"}]
    assert found["missing_wanted"] == ["Insurance"]
    table = list(csv.DictReader(io.StringIO(flag_report_csv(contract(), labels).decode("utf-8-sig"))))
    assert [(row["label"], row["deviates"]) for row in table] == [("Cap On Liability", "yes"), ("Audit Rights", "")]
    assert table[0]["side"] == "customer"
    assert table[0]["acceptable"].startswith("No cap on what the other side owes you")
    page = flag_report_html(contract(), labels, provenance={})
    assert "Against the playbook of the customer" in page
    assert "wanted, but not found" in page
    assert page.index('href="#flag-1"') < page.index("Summary")
    word = commented_docx(None, contract(), labels).data
    assert word[:2] == b"PK"
    card = card_html(report_rows(contract(), labels)[0])
    assert "For the customer:" in card
    assert "Fallback:" in card


def test_without_a_side_exports_are_as_before() -> None:
    found = flag_report_json(contract(), CATALOGUE)
    assert not {"side", "deviations", "missing_wanted"} & set(found)
    header = flag_report_csv(contract(), CATALOGUE).decode("utf-8-sig").splitlines()[0]
    assert header == ",".join(COLUMNS)
    assert not set(SIDE_COLUMNS) & set(header.split(","))
    assert "playbook" not in flag_report_html(contract(), CATALOGUE, provenance={})


def test_words_of_a_playbook_stay_words() -> None:
    row = {**ROW, "acceptable": "<script>alert(1)</script>", "fallback": "=1+1"}
    playbook = read_playbook(json.dumps({"name": "<b>x</b>", "rows": [row]}).encode(), CATALOGUE)
    labels = for_side(CATALOGUE, playbook, "customer")
    assert "<script>" not in flag_report_html(contract(), labels, provenance={})
    assert "<script>" not in card_html(report_rows(contract(), labels)[0])
    assert "'=1+1" in flag_report_csv(contract(), labels).decode("utf-8-sig")


def test_a_folders_results_are_made_again_for_another_side() -> None:
    def fingerprint(labels: object) -> str:
        return FlagJob(lambda _: None, None, labels, FlagSettings(), "a").fingerprint  # type: ignore[arg-type,return-value]

    sides = [CATALOGUE, *(for_side(CATALOGUE, scenario.playbook(), side) for side in ("customer", "client", "tenant"))]
    assert len({fingerprint(labels) for labels in sides}) == len(sides)
