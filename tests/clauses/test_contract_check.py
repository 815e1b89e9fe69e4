"""Texts that are no English contracts are named so; contracts are not."""

from __future__ import annotations

import json
import re

import pytest

from playground.clauses.contract_check import contract_notes
from playground.documents import load_document
from playground.paths import ROOT

CONTRACTS = ROOT / "data" / "contracts"

FRENCH = """
Le présent contrat est conclu entre la société Aubépine, dont le siège est à Lyon, et la société Marronnier, ci-après le
client. Le fournisseur s'engage à livrer les marchandises dans un délai de trente jours à compter de la commande. Le
client paie le prix convenu dans les soixante jours qui suivent la réception de la facture. La responsabilité du
fournisseur est limitée au montant payé par le client pendant les douze derniers mois. Chaque partie peut résilier le
contrat avec un préavis de trois mois, par lettre recommandée.
"""
GERMAN = """
Dieser Vertrag wird zwischen der Weißdorn GmbH mit Sitz in Kassel und der Kastanie AG geschlossen. Der
Lieferant verpflichtet sich, die Ware innerhalb von dreißig Tagen nach der Bestellung zu liefern. Der Kunde zahlt den
vereinbarten Preis binnen sechzig Tagen nach Erhalt der Rechnung. Die Haftung des Lieferanten ist auf den Betrag
begrenzt, den der Kunde in den letzten zwölf Monaten gezahlt hat. Jede Partei kann den Vertrag mit einer Frist von drei
Monaten schriftlich kündigen. Änderungen bedürfen der Schriftform.
"""
SPANISH = """
El presente contrato se celebra entre la sociedad Espino, con domicilio en Zaragoza, y la sociedad Castaño, en adelante
el cliente. El proveedor se obliga a entregar la mercancía en un plazo de treinta días desde el pedido. El cliente
pagará el precio convenido dentro de los sesenta días siguientes a la recepción de la factura. La responsabilidad del
proveedor se limita al importe que el cliente haya pagado durante los últimos doce meses. Cualquiera de las
partes puede resolver el contrato con un preaviso de tres meses, por escrito.
"""
NOVEL = """
The rain had stopped by the time Ada reached the harbour, and the boats lay still on the grey water as if they were
painted there. She sat down on the wall and took the letter out of her coat for the third time that day. Her brother
wrote that the orchard was in bloom, that the old dog slept in the sun, and that nobody had asked for her since the
winter. A gull walked up to her shoe, looked at it with great care, and walked away again. It was going to be a long
summer, she thought, and for the first time in years she did not mind it at all.
"""
RESUME = """
Jane Fairweather. Contract manager with nine years in software and retail. Negotiated licence terms and supplier
agreements, reviewed every section of a lease with the landlord, and kept the schedule of rights and obligations for a
team of twelve. Drafted notice and termination clauses, trained the customer service desk in confidential handling, and
cut the time from draft to signature by a third. Studied law at the university of Port Ellery, with a thesis on the
warranty. Speaks English and Spanish. References from each supplier and customer on request.
"""
PROJECT_README = """
# Clause reader

A tool that reads a contract and lists its terms. It finds each clause, the party it names and the notice period, and
writes a section for each agreement into the report. See the licence file for the terms of use of the code.

## Installation

Run the script in the folder of the project. The schedule of releases is in the notes; a warranty is not given, and the
liability of the authors is excluded by the licence. Contributions are welcome: open an issue first, and name the clause
of the agreement that was read wrongly. Tests for termination, breach and indemnity are in the folder of the tests.
"""
CHINESE = "本合同由双方签订供应商应当在三十日内交付货物客户应当在六十日内付款" * 30


@pytest.mark.parametrize(
    "name",
    ["services-agreement.pdf", "software-licence.docx", "lease.docx", "nda.txt", "distribution-agreement.pdf"],
)
def test_contracts_get_no_note(name: str) -> None:
    assert contract_notes(load_document((CONTRACTS / name).read_bytes(), name).text) == ()


@pytest.mark.parametrize("text", [FRENCH, GERMAN, SPANISH, CHINESE, "12,000 34,000 " * 100])
def test_other_languages_are_named(text: str) -> None:
    (note,) = contract_notes(text)
    assert "does not look like English" in note


@pytest.mark.parametrize("text", [NOVEL, RESUME, PROJECT_README], ids=["novel", "resume", "readme"])
def test_what_is_no_contract_is_named(text: str) -> None:
    (note,) = contract_notes(text)
    assert "does not look like a contract" in note


def test_our_own_readme_is_no_contract() -> None:
    (note,) = contract_notes((CONTRACTS / "README.md").read_text(encoding="utf-8"))
    assert "does not look like a contract" in note


@pytest.mark.parametrize("foreign", [FRENCH, GERMAN, SPANISH, CHINESE], ids=["fr", "de", "es", "zh"])
@pytest.mark.parametrize("english_times", [1, 3])
def test_a_contract_in_two_languages_is_told_how_much_is_not_english(foreign: str, english_times: int) -> None:
    contract = (CONTRACTS / "nda.txt").read_text(encoding="utf-8")
    other = "\n\n".join([foreign] * max(1, round(len(contract) / len(foreign))))
    (note,) = contract_notes("\n\n".join([contract] * english_times) + "\n\n" + other)
    share = int(re.findall(r"About (\d+)% of this text does not look like English", note)[0])
    assert abs(share - 100 / (1 + english_times)) < 12


def test_alternating_paragraphs_are_judged_one_by_one() -> None:
    english = (
        "The Supplier shall deliver the goods to the Customer in thirty days and the Customer shall pay the price."
    )
    french = "Le fournisseur livre les marchandises dans les trente jours et le client paie le prix de la commande."
    (note,) = contract_notes("\n\n".join([english, french] * 10))
    assert "About 50% of" in note or "About 49% of" in note or "About 51% of" in note
    (by_lines,) = contract_notes("\n".join([english, french] * 10))
    assert by_lines == note


def test_a_foreign_sentence_or_a_table_in_a_contract_is_no_matter() -> None:
    contract = (CONTRACTS / "nda.txt").read_text(encoding="utf-8")
    assert contract_notes(f"{contract}\n\n{FRENCH}") == ()
    table = "\n\n".join(f"Widget {n} | Blue steel | Kiln Street | EUR {n},000 | Marrow Bay | Weekly" for n in range(60))
    assert contract_notes(f"{contract}\n\n{table}") == ()


@pytest.mark.parametrize("text", ["", " \n", "The Supplier shall pay the Customer."])
def test_a_short_text_is_named(text: str) -> None:
    (note,) = contract_notes(text)
    assert "very short" in note


def test_the_beginning_decides() -> None:
    contract = (CONTRACTS / "nda.txt").read_text(encoding="utf-8")
    assert contract_notes(contract * 20 + FRENCH * 2_000) == ()


def test_the_written_clauses_look_like_a_contract() -> None:
    rows = (CONTRACTS.parent / "clauses" / "part-1.jsonl").read_text(encoding="utf-8").splitlines()
    assert contract_notes("\n".join(json.loads(row)["text"] for row in rows)) == ()
