"""The kind of a contract is guessed from its title and opening, and nothing is guessed where they say nothing."""

from __future__ import annotations

import pytest

from playground.clauses.contract_kind import contract_kind, kind_sentence
from playground.documents import load_document
from playground.paths import ROOT
from playground.types import Block, ContractKind, Document

CONTRACTS = ROOT / "data" / "contracts"


def document(text: str, title: str = "Pasted agreement", *blocks: Block) -> Document:
    return Document("d", title, text, "d.txt", "", blocks)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nda.txt", "nda"),
        ("software-licence.docx", "licence"),
        ("services-agreement.pdf", "services"),
        ("lease.docx", "lease"),
        ("distribution-agreement.pdf", "distribution"),
    ],
)
def test_the_sample_contracts_are_told_apart_by_title_and_by_opening(name: str, kind: ContractKind) -> None:
    loaded = load_document((CONTRACTS / name).read_bytes(), name)
    assert contract_kind(loaded) == kind
    lines = loaded.text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.strip())
    untitled = document("\n".join(["AGREEMENT", *lines[first + 1 :]]))
    assert contract_kind(untitled) in (kind, "general")


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Mutual Nondisclosure Agreement", "nda"),
        ("Confidentiality Deed", "nda"),
        ("Software License and Maintenance Agreement", "licence"),
        ("Master Services Agreement", "services"),
        ("SUBLEASE", "lease"),
        ("Reseller Agreement", "distribution"),
        ("Supply and Services Agreement", "distribution"),
        ("Executive Employment Agreement", "employment"),
        ("Consulting Services Agreement", "employment"),
        ("Release and Settlement", "general"),
        ("Shareholders' Agreement", "general"),
        ("", "general"),
    ],
)
def test_the_title_decides(title: str, kind: ContractKind) -> None:
    assert contract_kind(document("1. The parties agree.", title)) == kind


def test_a_heading_and_the_first_line_count_as_title() -> None:
    assert contract_kind(document("\n  LEASE\n\n1. Rooms.")) == "lease"
    assert (
        contract_kind(document("EXHIBIT 10.1\n[Confidentiality requested]\n\nRESELLER AGREEMENT\n\nOne."))
        == "distribution"
    )
    assert contract_kind(document("EXHIBIT 10.1\n\nAll of this is subject to a licence.\n\nOne.")) == "general"
    text = "Draft of May\n\nLICENCE\n\nWords."
    assert contract_kind(document(text, "scan", Block("heading", 14, 21, 1))) == "licence"


def test_an_opening_decides_with_two_expressions_and_no_tie() -> None:
    assert contract_kind(document("DEED\n\nThe Landlord lets the Premises to the Tenant.")) == "lease"
    assert contract_kind(document("DEED\n\nThe Landlord may enter.")) == "general"
    assert contract_kind(document("DEED\n\nLandlord and Tenant. Licensor and Licensee.")) == "general"
    assert (
        contract_kind(document("DEED\n\n" + "word " * 500 + "Landlord lets the Premises to the Tenant.")) == "general"
    )


def test_the_sentence_says_that_it_is_a_guess() -> None:
    assert kind_sentence("lease") == "Read as a lease: a guess from its title and opening words."
    assert "not recognised" in kind_sentence("general")
