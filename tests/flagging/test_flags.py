"""Scores of a model become flags: order, thresholds, what stays silent, what is missing, what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from playground.errors import DocumentError
from playground.flagging.flags import ScoredContract, as_examples, flag_contract, score_contract, silent
from playground.types import (
    AnnotatedClause,
    Block,
    Clause,
    ContractKind,
    Document,
    FlaggedContract,
    Label,
    Risk,
    SimilarClause,
)

LABELS = ("Parties", "Insurance", "Audit Rights", "Cap On Liability")


def label(
    name: str, risk: Risk = "medium", *, liability: bool = True, expected: tuple[ContractKind, ...] = ()
) -> Label:
    return Label(name, "?", risk, "why", "check", liability, expected)


CATALOGUE = {
    "Parties": label("Parties", "informational", liability=False, expected=("lease",)),
    "Insurance": label("Insurance", expected=("lease", "general")),
    "Audit Rights": label("Audit Rights", expected=("licence",)),
    "Cap On Liability": label("Cap On Liability", "high", expected=("lease",)),
    "Unknown To The Model": label("Unknown To The Model", expected=("lease",)),
}
TEXT = (
    'LEASE\n\n1. Insurance. Tenant shall insure the rooms.\n\n"Fee" means the sum in Schedule 1.\n\n'
    "2. Audit. Landlord may inspect the books of Tenant.\n\nSignatures\n\nBy: ______\n"
)


class ScriptedClauseModel:
    """Gives each clause the probabilities that ``judge`` returns for it, and remembers what it was asked."""

    model_id = "scripted"
    adapter: str | None = "written"

    def __init__(self, judge: Callable[[AnnotatedClause], Sequence[float]], labels: tuple[str, ...] = LABELS) -> None:
        self._judge = judge
        self.labels = labels
        self.thresholds = np.full(len(labels), 0.5)
        self.asked: list[AnnotatedClause] = []

    def probabilities(
        self, clauses: Sequence[AnnotatedClause], on_share: Callable[[float], None] | None = None
    ) -> np.ndarray:
        self.asked = list(clauses)
        for done in range(len(clauses)):
            if on_share:
                on_share((done + 1) / len(clauses))
        return np.array([self._judge(clause) for clause in clauses])


def document(text: str = TEXT, **changes: object) -> Document:
    return Document(**({"id": "d", "title": "", "text": text, "source": "lease.txt", "sha256": ""} | changes))  # type: ignore[arg-type]


def scored(rows: Sequence[Sequence[float]], thresholds: Sequence[float] = (0.5, 0.5, 0.5, 0.5)) -> ScoredContract:
    """Return a judged contract of as many clauses as rows of probabilities."""
    clauses = tuple(Clause(f"c{n}", "d", f"text {n}", 7 * n, 7 * n + 6) for n in range(1, len(rows) + 1))
    return ScoredContract(
        document=document(),
        clauses=clauses,
        labels=LABELS,
        probabilities=np.array(rows, np.float32).reshape(len(rows), len(LABELS)),
        thresholds=np.array(thresholds),
        model_id="scripted",
        adapter=None,
        timings={"total_s": 1.0},
        notes=("a note",),
    )


def pairs(contract: FlaggedContract) -> list[tuple[str, str]]:
    return [(flag.clause_id, flag.label) for flag in contract.flags]


def test_the_model_reads_the_clauses_of_one_contract_in_order() -> None:
    model = ScriptedClauseModel(lambda _clause: [0.0] * 4)
    result = score_contract(document(), model, CATALOGUE)
    assert [clause.position for clause in model.asked] == list(range(len(result.clauses)))
    assert {clause.contract for clause in model.asked} == {"d"}
    assert [clause.text for clause in model.asked] == [clause.text.strip() for clause in result.clauses]
    by_text = {clause.text: clause.heading for clause in model.asked}
    assert by_text["2. Audit. Landlord may inspect the books of Tenant."] == "Audit"
    assert by_text["LEASE"] == ""
    assert (result.labels, result.model_id, result.adapter) == (LABELS, "scripted", "written")
    assert result.timings["total_s"] == pytest.approx(result.timings["split_s"] + result.timings["judge_s"])


def test_clauses_that_bind_nobody_carry_no_liability_but_may_be_named() -> None:
    result = score_contract(document(), ScriptedClauseModel(lambda _clause: [0.9] * 4), CATALOGUE)
    kinds = [clause.kind for clause in result.clauses]
    assert kinds == ["heading", "body", "definition", "body", "heading", "signature"]
    for kind, row in zip(kinds, result.probabilities, strict=True):
        assert row.tolist() == pytest.approx([0.9] * 4 if kind == "body" else [0.9, 0, 0, 0])
    flagged = flag_contract(result, CATALOGUE, shift=-20, shown=LABELS)
    assert {flag.clause_id for flag in flagged.flags if flag.label != "Parties"} == {"c2", "c4"}


def test_what_the_model_returns_is_not_changed() -> None:
    kept = np.full((6, 4), 0.9, np.float32)
    model = ScriptedClauseModel(lambda _clause: [])
    model.probabilities = lambda clauses, on_share=None: kept  # type: ignore[method-assign]
    assert score_contract(document(), model, CATALOGUE).probabilities.min() == 0
    assert kept.min() == np.float32(0.9)


def test_silent_rows_and_columns() -> None:
    clauses = [
        Clause("c1", "d", "A", 0, 1, "heading"),
        Clause("c2", "d", "B", 1, 2),
        Clause("c3", "d", "C", 2, 3, "signature"),
    ]
    assert silent(clauses, ("Insurance", "Parties", "Mine"), CATALOGUE) == ([0, 2], [0])
    assert silent(clauses[1:2], LABELS, CATALOGUE) == ([], [1, 2, 3])


def test_examples_of_clauses() -> None:
    clause = Clause("c1", "d", " Tenant pays.\n", 0, 14, "body", "1", ("Rent", "Base Rent"))
    (example,) = as_examples([clause])
    assert example == AnnotatedClause("c1", "Tenant pays.", (), "d", "Base Rent", 0)


def test_flags_are_ordered_by_clause_and_falling_probability() -> None:
    flagged = flag_contract(scored([[0.9, 0.6, 0.8, 0.7], [0.9, 0.1, 0.2, 0.3], [0.9, 0.5, 0.49, 0.99]]), CATALOGUE)
    assert pairs(flagged) == [
        ("c1", "Audit Rights"),
        ("c1", "Cap On Liability"),
        ("c1", "Insurance"),
        ("c3", "Cap On Liability"),
        ("c3", "Insurance"),
    ]
    assert [flag.score for flag in flagged.flags] == pytest.approx([0.8, 0.7, 0.6, 0.99, 0.5])
    assert all(flag.evidence == () for flag in flagged.flags)
    assert (flagged.notes, flagged.timings, flagged.adapter) == (("a note",), {"total_s": 1.0}, None)


def test_every_label_has_its_own_threshold_and_the_shift_moves_all() -> None:
    contract = scored([[0, 0.3, 0.3, 0.8]], thresholds=(0.5, 0.25, 0.4, 0.9))
    assert pairs(flag_contract(contract, CATALOGUE)) == [("c1", "Insurance")]
    # Log-odds of 0.8 and 0.9 are 1.39 and 2.20, of 0.3 and 0.4 -0.85 and -0.41.
    assert pairs(flag_contract(contract, CATALOGUE, shift=-0.5)) == [("c1", "Audit Rights"), ("c1", "Insurance")][::-1]
    assert len(flag_contract(contract, CATALOGUE, shift=-1).flags) == 3
    assert flag_contract(contract, CATALOGUE, shift=0.5).flags == ()
    counts = [len(flag_contract(contract, CATALOGUE, shift=shift).flags) for shift in np.arange(-5, 5.5, 0.5)]
    assert counts == sorted(counts, reverse=True)


def test_only_shown_labels_are_flagged() -> None:
    contract = scored([[0.9, 0.9, 0.9, 0.9]])
    assert ("c1", "Parties") not in pairs(flag_contract(contract, CATALOGUE))
    assert pairs(flag_contract(contract, CATALOGUE, shown=["Parties", "Nobody Knows"])) == [("c1", "Parties")]
    assert flag_contract(contract, CATALOGUE, shown=[]).flags == ()


def test_missing_are_expected_labels_that_no_clause_carries() -> None:
    assert flag_contract(scored([[0, 0, 0, 0.9]]), CATALOGUE).missing == ("Insurance",)
    assert flag_contract(scored([[0, 0.9, 0, 0.9]]), CATALOGUE).missing == ()
    assert flag_contract(scored([[0, 0.4, 0, 0]]), CATALOGUE).missing == ("Insurance", "Cap On Liability")
    assert flag_contract(scored([[0, 0.4, 0, 0]]), CATALOGUE, shift=-1).missing == ("Cap On Liability",)
    assert flag_contract(scored([[0, 0, 0, 0]]), CATALOGUE, shown=["Parties", "Audit Rights"]).missing == ("Parties",)


def test_what_is_usual_depends_on_the_kind_of_contract() -> None:
    judged = scored([[0, 0, 0, 0]])
    lease = flag_contract(judged, CATALOGUE)
    assert (lease.kind, lease.usual) == ("lease", ("Insurance", "Cap On Liability"))
    licence = flag_contract(replace(judged, document=document("LICENCE\n\nOne. The Licensee pays.")), CATALOGUE)
    assert (licence.kind, licence.missing) == ("licence", ("Audit Rights",))
    other = flag_contract(replace(judged, document=document("DEED\n\nOne.")), CATALOGUE)
    assert (other.kind, other.missing) == ("general", ("Insurance",))


def test_evidence_is_asked_once_for_all_flags_in_their_order() -> None:
    asked: list[list[tuple[str, str]]] = []

    def evidence(wanted: Sequence[tuple[str, str]]) -> list[tuple[SimilarClause, ...]]:
        asked.append(list(wanted))
        return [(SimilarClause(f"like {text}", (name,), "b", 0.5),) for text, name in wanted]

    flagged = flag_contract(scored([[0, 0.6, 0.7, 0], [0, 0, 0, 0.9]]), CATALOGUE, evidence=evidence)
    assert asked == [[("text 1", "Audit Rights"), ("text 1", "Insurance"), ("text 2", "Cap On Liability")]]
    assert [(flag.evidence[0].text, flag.evidence[0].labels) for flag in flagged.flags] == [
        ("like text 1", ("Audit Rights",)),
        ("like text 1", ("Insurance",)),
        ("like text 2", ("Cap On Liability",)),
    ]
    flag_contract(scored([[0, 0, 0, 0]]), CATALOGUE, evidence=evidence)
    assert len(asked) == 1


def test_notes_come_from_the_document_and_from_the_look_at_its_text() -> None:
    model = ScriptedClauseModel(lambda _clause: [0.0] * 4)
    notes = score_contract(document(warnings=("Tracked insertions were kept.",)), model, CATALOGUE).notes
    assert notes[0] == "Tracked insertions were kept."
    assert len(notes) == 2
    assert "very short" in notes[1]


@pytest.mark.parametrize("text", ["", " \n ", "LEASE\n\n- 4 -\n\nSignatures\n\nBy: ______"])
def test_a_text_without_a_clause_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="No clause was found in lease.txt"):
        score_contract(document(text), ScriptedClauseModel(lambda _clause: [0.0] * 4), CATALOGUE)


def test_too_many_clauses_are_refused_before_they_are_judged() -> None:
    model = ScriptedClauseModel(lambda _clause: [0.0] * 4)
    with pytest.raises(DocumentError, match=r"lease.txt has 5,001 clauses, more than the 5,000"):
        score_contract(document("Tenant pays.\n\n" * 5_001), model, CATALOGUE)
    assert model.asked == []
    assert len(score_contract(document("Tenant pays.\n\n" * 5_000), model, CATALOGUE).clauses) == 5_000


def test_progress_is_passed_on_and_an_exception_in_it_ends_the_work() -> None:
    shares: list[float] = []
    score_contract(document(), ScriptedClauseModel(lambda _clause: [0.0] * 4), CATALOGUE, shares.append)
    assert shares[-1] == 1
    assert shares == sorted(shares)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_contract(document(), ScriptedClauseModel(lambda _clause: [0.0] * 4), CATALOGUE, stop)


def test_a_probability_that_is_no_number_is_never_a_flag() -> None:
    contract = scored([[0, math.nan, 0.9, 0]])
    assert pairs(flag_contract(contract, CATALOGUE, shift=-5)) == [("c1", "Audit Rights")]


def test_a_model_of_one_label_and_a_document_with_blocks() -> None:
    model = ScriptedClauseModel(lambda _clause: [0.9], labels=("Insurance",))
    text = "Insured sums\n\nTenant | 1,000"
    blocks = (Block("heading", 0, 12, 1), Block("table_row", 14, len(text)))
    result = score_contract(document(text, blocks=blocks), model, CATALOGUE)
    assert pairs(flag_contract(result, CATALOGUE)) == [("c2", "Insurance")]


# --- by rule --------------------------------------------------------------------------------------------------------

NO_LIMIT = "The Consultant shall indemnify the Client against all losses, without any limit."
DELAY = "The Consultant pays EUR 1,000 for each day of delay."


def test_what_plain_wording_makes_certain_is_flagged_whatever_the_model_and_the_slider_say() -> None:
    labels = ("Uncapped Liability", "Liquidated Damages", "Governing Law")
    catalogue = {name: Label(name, "", "high", "", "", liability=name != "Governing Law") for name in labels}
    model = ScriptedClauseModel(lambda clause: [0.02, 0.9 if "EUR" in clause.text else 0.01, 0.0], labels)
    judged = score_contract(document(f"1. Liability\n\n{NO_LIMIT}\n\n2. Time\n\n{DELAY}"), model, catalogue)
    flags = flag_contract(judged, catalogue).flags
    assert [(flag.label, flag.rule, round(flag.score, 2)) for flag in flags] == [
        ("Uncapped Liability", "liability without limit", 0.02),
        ("Liquidated Damages", "", 0.9),
    ]
    sure = flag_contract(judged, catalogue, shift=5.0).flags
    assert [(flag.label, bool(flag.rule)) for flag in sure] == [
        ("Uncapped Liability", True),
        ("Liquidated Damages", True),
    ]
    assert [flag.label for flag in flag_contract(judged, catalogue, shown=("Liquidated Damages",)).flags] == [
        "Liquidated Damages"
    ]


def test_a_rule_gives_no_label_that_the_model_does_not_know_and_none_to_what_binds_nobody() -> None:
    model = ScriptedClauseModel(lambda _clause: [0.0] * 4)
    assert score_contract(document(f"1. Liability\n\n{NO_LIMIT}"), model, CATALOGUE).rules == {}
    meaning = '"Inspection" means that the Landlord may inspect the books.'
    judged = score_contract(document(f"1. Audit\n\n{meaning}\n\nThe Landlord may inspect the books."), model, CATALOGUE)
    assert {(judged.clauses[row].kind, judged.labels[column]) for row, column in judged.rules} == {
        ("body", "Audit Rights")
    }
    assert [clause.kind for clause in judged.clauses if "Inspection" in clause.text] == ["definition"]
