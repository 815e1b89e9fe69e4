"""Bulk flags against annotations: what was found, what is false, and a contract that failed has missed all."""

from __future__ import annotations

from pathlib import Path

from playground.annotations import AnnotatedContract
from playground.annotations.records import AnnotatedSpan
from playground.bulk.evaluating import LabelAgreement, agreement, write_contracts
from tests.support.bulk_jobs import run
from tests.support.scripted_flagger import LABELS

AUDIT = "The Customer may inspect the books of the Supplier once a year on written notice."
COVER = "The Supplier shall keep insurance of at least two million pounds during the term."
OTHER = "The premises may be visited by the auditors of the Customer on a working day."


def contract(title: str, text: str, marked: dict[str, list[str]]) -> AnnotatedContract:
    spans = [
        AnnotatedSpan(label, text.index(part), text.index(part) + len(part))
        for label, parts in marked.items()
        for part in parts
    ]
    return AnnotatedContract(title, text, tuple(spans))


def test_found_missed_and_false_flags_are_counted_by_label(tmp_path: Path) -> None:
    contracts = [
        contract("whole", f"1. {AUDIT}\n\n2. {COVER}\n\n3. {OTHER}\n", {"Audit Rights": [AUDIT, OTHER]}),
        contract("fine", f"1. {COVER}\n", {"Insurance": [COVER]}),
        contract("raises", f"1. The parties RAISE it. {COVER}\n", {"Insurance": [COVER]}),
    ]
    folder = write_contracts(contracts, tmp_path)
    run(folder, tmp_path)
    found = agreement(contracts, tmp_path, LABELS)
    assert found.labels == (LabelAgreement("Audit Rights", 2, 1, 0), LabelAgreement("Insurance", 2, 1, 1))
    assert (found.contracts, found.failed) == (3, 1)
    assert found.recall is not None
    assert found.precision is not None
    assert (found.recall.value, found.precision.value) == (0.5, 2 / 3)
    assert found.recall.low <= 0.5 <= found.recall.high


def test_a_shorter_file_of_contracts_leaves_none_of_the_longer_one(tmp_path: Path) -> None:
    contracts = [contract(str(number), f"1. {AUDIT} {number}\n", {}) for number in range(3)]
    write_contracts(contracts, tmp_path)
    folder = write_contracts(contracts[:1], tmp_path)
    assert [path.name for path in folder.iterdir()] == ["000000.txt"]
