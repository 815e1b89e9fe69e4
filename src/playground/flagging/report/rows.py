"""What every export shows: one row a flag, in the order of the contract, with what a reader decided about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.types import Clause, FlaggedContract, Label, SimilarClause, Welcome

Verdict = Literal["confirmed", "rejected", "added"]

OVERLOOKS = (
    "That is no all-clear: the flagger overlooks clauses, most often everyday wording and rare kinds. "
    "Read the contract."
)
WELCOME: dict[Welcome, str] = {
    "unwelcome": "deviates from the playbook, such a clause is unwelcome.",
    "wanted": "such a clause is wanted; read whether its words are good enough.",
    "neutral": "it depends on its words.",
}
_MOST_HEADING = 60  # characters of a heading in a place


@dataclass(frozen=True, slots=True)
class Correction:
    """A reader's decision about a label on a clause: the flag is right, is wrong, or was missed."""

    clause_id: str
    label: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A flag with its clause. ``score`` is None where a reader added the flag: nobody estimated a probability.

    ``rule`` names the rule that flagged it where the model would not have, as in ``types.Flag``.
    """

    clause: Clause
    label: Label
    score: float | None
    evidence: tuple[SimilarClause, ...] = ()
    verdict: Verdict | None = None
    rule: str = ""


def report_rows(
    result: FlaggedContract, labels: Mapping[str, Label], corrections: Sequence[Correction] = ()
) -> tuple[ReportRow, ...]:
    """Return the flags in the order of the clauses and, within one, of falling score; added ones last.

    A rejected flag stays, marked as rejected: whether to show it is the export's choice. Of several corrections of one
    flag the last holds; a correction for a clause that is not in the contract is left out.

    Where ``labels`` are those of one side (``playbook.for_side``), what deviates from its playbook comes first.

    Raises:
        KeyError: a flag names a clause that the contract does not have.
    """
    clauses = {clause.id: clause for clause in result.clauses}
    verdicts = {(correction.clause_id, correction.label): correction.verdict for correction in corrections}
    rows = []
    for flag in result.flags:
        verdict = verdicts.pop((flag.clause_id, flag.label), None)
        rows.append(
            ReportRow(
                clause=clauses[flag.clause_id],
                label=label_of(flag.label, labels),
                score=flag.score,
                evidence=flag.evidence,
                # Adding what is there already says that it is right.
                verdict="confirmed" if verdict == "added" else verdict,
                rule=flag.rule,
            )
        )
    for (clause_id, name), verdict in verdicts.items():
        if verdict != "rejected" and clause_id in clauses:
            rows.append(ReportRow(clauses[clause_id], label_of(name, labels), score=None, verdict="added"))
    return tuple(
        sorted(rows, key=lambda row: (not deviates(row), row.clause.start, row.score is None, -(row.score or 0.0)))
    )


def deviates(row: ReportRow) -> bool:
    """Tell whether a flag stands against the playbook of the reader's side: such a clause is unwelcome to it."""
    stance = row.label.stance
    return stance is not None and stance.clause == "unwelcome" and row.verdict != "rejected"


def side_of(labels: Mapping[str, Label]) -> str:
    """Return the side that the labels were turned to, "" without one."""
    return next((label.stance.side for label in labels.values() if label.stance), "")


def missing_wanted(
    result: FlaggedContract, labels: Mapping[str, Label], corrections: Sequence[Correction] = ()
) -> tuple[Label, ...]:
    """Return the labels that the side wants, that are usual in such a contract, and that no flag carries."""
    missing = (label_of(name, labels) for name in missing_labels(result, corrections))
    return tuple(label for label in missing if label.stance and label.stance.clause == "wanted")


def stance_lines(label: Label) -> tuple[tuple[str, str], ...]:
    """Return what the playbook says of a label, as (title, words); nothing without a side."""
    stance = label.stance
    if stance is None:
        return ()
    lines = (
        (f"For the {stance.side}", WELCOME[stance.clause]),
        ("Acceptable", stance.acceptable),
        ("Fallback", stance.fallback),
        ("Note", stance.note),
    )
    return tuple((title, words) for title, words in lines if words)


def missing_labels(result: FlaggedContract, corrections: Sequence[Correction] = ()) -> tuple[str, ...]:
    """Return the usual labels that no flag carries, a reader's decisions heeded: added ones count, rejected do not."""
    standing = {row.label.name for row in report_rows(result, {}, corrections) if row.verdict != "rejected"}
    return tuple(name for name in result.usual or result.missing if name not in standing)


def label_of(name: str, labels: Mapping[str, Label]) -> Label:
    """Return the label, or one that says no more than its name: users train on labels of their own."""
    return labels.get(name) or Label(name, question="", risk="informational", why="", check="")


def percent(score: float | None) -> str:
    """Return a probability for people: whole per cent, and never a certainty that no model has."""
    if score is None:
        return "added by the reader"
    if score > 0.99:
        return "> 99%"
    return "< 1%" if score < 0.01 else f"{score:.0%}"


def sureness(row: ReportRow) -> str:
    """Return how sure a flag is, for people: its probability, "by rule", or that a reader added it."""
    return "by rule" if row.rule else percent(row.score)


def reason(row: ReportRow) -> str:
    """Return where a flag comes from, in words."""
    if row.rule:
        return f"by rule: {row.rule} (the model alone: probability {percent(row.score)})"
    return "added by the reader" if row.score is None else f"probability {percent(row.score)}"


def place(clause: Clause) -> str:
    """Return where a clause stands, briefly: "7.2, page 3", or "7.2, “Term”" where the format has no pages.

    A number alone would say little there: "(a)" occurs many times. The offset where there is nothing else.
    """
    marks = _number_and_page(clause)
    if clause.page is None and clause.heading_path:
        innermost = " ".join(clause.heading_path[-1].split())
        cut = innermost if len(innermost) <= _MOST_HEADING else f"{innermost[:_MOST_HEADING].rstrip()} …"
        marks.append(f"“{cut}”")
    return ", ".join(marks) or f"character {clause.start:,}"


def full_place(clause: Clause) -> str:
    """Return where a clause stands with all the headings above it: "7.2, page 3 · Term > Renewal"."""
    above = heading(clause)
    return " · ".join(part for part in (", ".join(_number_and_page(clause)), above) if part) or place(clause)


def _number_and_page(clause: Clause) -> list[str]:
    return [part for part in (clause.number, "" if clause.page is None else f"page {clause.page}") if part]


def heading(clause: Clause) -> str:
    """Return the headings above a clause as one line, outermost first."""
    return " > ".join(" ".join(part.split()) for part in clause.heading_path)
