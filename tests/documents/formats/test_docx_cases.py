"""Word files that were read wrongly once, each with what Word prints."""

from __future__ import annotations

import pytest

from playground.documents import load_document
from playground.paths import ROOT

CASES = ROOT / "tests" / "data" / "documents"
NUMBERED = [
    "1. Definitions", "1.1 Terms. In this agreement:", '"Goods" means:', "(a) the goods in the order; and",
    "(b) spare parts for them.", "1.2 Interpretation. Headings do not count.", "2. Liability",
    "2.1 Cap. Neither party is liable for more than 9,000 crowns, save under Section 1.2.",
]  # fmt: skip

RIGHT = {
    "d_altchunk": [
        "Services agreement between Tarn Mills Ltd and Osk Foods plc.",
        "1. The Supplier shall indemnify the Customer against all claims without limit.",
        "Signed by both parties.",
    ],
    "d_checkbox": [
        "Cover page of the services agreement", "Liability cap (tick one):",
        "[ ] The liability cap is the fees of the last 12 months.",
        "[x] The liability cap is three times the fees of the last 12 months.", "Governing law:",
        "[ ] The laws of Narvia govern this agreement.", "[x] The laws of Ostland govern this agreement.",
    ],
    "d_renamed": NUMBERED,
    "d_strike": [
        "Return policy of Osk Foods", "You may return any jar within 45 days of delivery.",
        "Refunds are paid to the card that you used.",
    ],
    "d_stylesep": [
        "1. Miscellaneous",
        "1.1 Governing Law. This Agreement is governed by the laws of Narvia, without regard to its conflict rules.",
        "1.2 Limitation of Liability. Neither party is liable to the other for more than 9,000 crowns.",
    ],
    "d_vanishstyle": ["The Supplier shall deliver the goods within ten days.", "The cap is the fees paid."],
    "n_empty": [
        "1. The Supplier shall deliver the goods.", "2.", "3. The Customer shall pay within 30 days.",
        "4. Clause 3 survives the end of this agreement.",
    ],
    "n_lvloverride": [
        "1. The Tenant shall:", "(a) pay the rent on the first day of each month;",
        "(b) keep the premises insured under clause (a).", "2. The Landlord shall repair the roof.",
    ],
    "n_numstylelink": [
        "1. Term", "1.1 This agreement lasts three years from the start date.", "2. Liability",
        "2.1 Neither party is liable for loss of profit except under clause 1.1.",
    ],
    "n_override_shallow": NUMBERED,
}  # fmt: skip
WARNINGS = {
    "d_strike": ("Struck-through text was left out: 13 words in 2 places.",),
    "d_vanishstyle": ("The document has hidden text, which was left out.",),
}


def test_every_case_has_its_right_text() -> None:
    assert {path.stem for path in CASES.glob("[dn]_*.docx")} == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_a_case_reads_as_word_prints_it(name: str) -> None:
    document = load_document((CASES / f"{name}.docx").read_bytes(), f"{name}.docx")
    assert [document.text[block.start : block.end] for block in document.blocks] == RIGHT[name]
    assert document.warnings == WARNINGS.get(name, ())
