"""A reader's decisions as training data: JSON lines that ``annotations.read_json_lines`` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from playground.flagging.report import Correction, ReportRow
from playground.types import Clause

MIME = "application/jsonl"


def corrections_jsonl(
    clauses: Sequence[Clause], rows: Sequence[ReportRow], corrections: Sequence[Correction], contract: str
) -> str:
    """Return one line for each clause that the reader decided about: text, labels, contract and heading.

    ``labels`` are those that the clause carries after the decisions: confirmed and added ones, and flags that the
    reader saw beside them and let stand. A clause whose only flag was rejected has none: a negative. ``rejected``
    names what was wrong, for whoever reads the file.
    """
    decided = {correction.clause_id for correction in corrections}
    standing: dict[str, list[str]] = {}
    rejected: dict[str, list[str]] = {}
    for row in rows:
        into = rejected if row.verdict == "rejected" else standing
        into.setdefault(row.clause.id, []).append(row.label.name)
    for correction in corrections:
        # A decision holds whether or not the flag is shown at the moment.
        shown = [*standing.get(correction.clause_id, []), *rejected.get(correction.clause_id, [])]
        if correction.label not in shown:
            into = rejected if correction.verdict == "rejected" else standing
            into.setdefault(correction.clause_id, []).append(correction.label)
    lines = [
        json.dumps(
            {
                "text": clause.text.strip(),
                "labels": standing.get(clause.id, []),
                "contract": contract,
                "heading": clause.heading_path[-1] if clause.heading_path else "",
                "rejected": rejected.get(clause.id, []),
            },
            ensure_ascii=False,
        )
        for clause in clauses
        if clause.id in decided
    ]
    return "".join(f"{line}\n" for line in lines)
