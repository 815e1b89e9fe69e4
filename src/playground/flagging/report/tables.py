"""A flagged contract for spreadsheets (CSV) and for programs (JSON)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from playground.flagging.report.rows import (
    Correction,
    ReportRow,
    deviates,
    heading,
    missing_labels,
    missing_wanted,
    report_rows,
    side_of,
)
from playground.text.spreadsheet import spreadsheet_cell, spreadsheet_label
from playground.types import FlaggedContract, Label, SimilarClause

COLUMNS = (
    *("document", "clause_number", "page", "heading", "start", "end", "label", "risk", "probability", "text"),
    *("why", "check", "evidence", "rule"),
)
"""``evidence`` is a line for each similar annotated clause, parted by " | ".

``probability`` is in [0, 1] with four decimals; ``start`` and ``end`` are offsets into the extracted text. ``page``
is empty where the format has no pages: the clause's number and its headings say the place then. ``rule`` names the
rule that flagged a clause which the model's probability would not have."""
SIDE_COLUMNS = ("side", "deviates", "acceptable", "fallback", "note")
"""More columns where the labels are those of one side; ``deviates`` is yes or empty."""


def flag_report_csv(
    result: FlaggedContract, labels: Mapping[str, Label], corrections: Sequence[Correction] = ()
) -> bytes:
    """Return one row a flag as CSV (RFC 4180, UTF-8 with a byte order mark, which Excel needs to read it as UTF-8).

    A cell that a spreadsheet would take for a formula begins with an apostrophe, and so does a clause's number that it
    would take for another one ("1.10", "(1)"). With ``corrections`` there is a last
    column ``review``: confirmed, rejected, added or empty.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    side = side_of(labels)
    columns = (*COLUMNS, *SIDE_COLUMNS) if side else COLUMNS
    writer.writerow((*columns, "review") if corrections else columns)
    for row in report_rows(result, labels, corrections):
        clause = row.clause
        cells: list[str | int] = [
            spreadsheet_cell(result.document.source),
            spreadsheet_label(clause.number),
            "" if clause.page is None else clause.page,
            spreadsheet_cell(heading(clause)),
            clause.start,
            clause.end,
            spreadsheet_cell(row.label.name),
            row.label.risk,
            "" if row.score is None else f"{row.score:.4f}",
            spreadsheet_cell(clause.text.strip()),
            spreadsheet_cell(row.label.why),
            spreadsheet_cell(row.label.check),
            spreadsheet_cell(" | ".join(_evidence_line(similar) for similar in row.evidence)),
            spreadsheet_cell(row.rule),
        ]
        if side:
            cells += _side_cells(row)
        writer.writerow([*cells, row.verdict or ""] if corrections else cells)
    return buffer.getvalue().encode("utf-8-sig")


def _side_cells(row: ReportRow) -> list[str]:
    stance = row.label.stance
    if stance is None:
        return [""] * len(SIDE_COLUMNS)
    words = [spreadsheet_cell(text) for text in (stance.acceptable, stance.fallback, stance.note)]
    return [stance.side, "yes" if deviates(row) else "", *words]


def flag_report_json(
    result: FlaggedContract, labels: Mapping[str, Label], corrections: Sequence[Correction] = ()
) -> dict[str, object]:
    """Return what ``flag --json`` prints: every clause with its flags, offsets into the extracted text.

    ``page`` is None where the format has no pages: ``number`` and ``heading`` say the place then.
    A flag has the key ``review`` only where a correction speaks of it, ``evidence`` only where there is some, and
    ``rule`` only where a rule flagged what the model would not have. Of labels turned to one side there are
    ``side``, ``deviations`` and ``missing_wanted``, and ``playbook`` on a flag; the ``score`` of an added flag is None.
    """
    flags: dict[str, list[dict[str, object]]] = {clause.id: [] for clause in result.clauses}
    for row in report_rows(result, labels, corrections):
        flags[row.clause.id].append(_flag_object(row))
    found: dict[str, object] = {
        "document": result.document.source,
        "clauses": [
            {
                "id": clause.id,
                "start": clause.start,
                "end": clause.end,
                "text": clause.text,
                "flags": flags[clause.id],
                "page": clause.page,
                "number": clause.number,
                "heading": heading(clause),
            }
            for clause in result.clauses
        ],
        "kind": result.kind,
        "missing": list(missing_labels(result, corrections)),
        "timings": dict(result.timings),
        "model": result.model_id,
        "adapter": result.adapter,
        "notes": list(result.notes),
        "sha256": result.document.sha256,
    }
    if side := side_of(labels):
        found["side"] = side
        found["deviations"] = [
            {"clause": row.clause.id, "label": row.label.name, "risk": row.label.risk}
            for row in report_rows(result, labels, corrections)
            if deviates(row)
        ]
        found["missing_wanted"] = [label.name for label in missing_wanted(result, labels, corrections)]
    return found


def _flag_object(row: ReportRow) -> dict[str, object]:
    label = row.label
    found: dict[str, object] = {"label": label.name, "score": row.score, "risk": label.risk}
    found |= {"why": label.why, "check": label.check}
    if label.stance:
        stance = label.stance
        found["playbook"] = {
            "side": stance.side,
            "clause": stance.clause,
            "acceptable": stance.acceptable,
            "fallback": stance.fallback,
            "note": stance.note,
        }
    if row.rule:
        found["rule"] = row.rule
    if row.verdict:
        found["review"] = row.verdict
    if row.evidence:
        found["evidence"] = [
            {
                "text": one.text,
                "labels": list(one.labels),
                "contract": one.contract,
                "similarity": round(one.similarity, 4),
            }
            for one in row.evidence
        ]
    return found


def _evidence_line(similar: SimilarClause) -> str:
    labels = ", ".join(similar.labels) or "no label"
    return f"{similar.similarity:.2f} {labels} ({similar.contract}): {' '.join(similar.text.split())}"
