"""A contract with its flags -> HTML. Every character of the contract is escaped; only tags written here are in it.

Streamlit's sanitiser is the second wall, not the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.flagging.report import ReportRow
from playground.flagging.report.risk_style import RISK_COLOURS, RISK_LINES, RISK_ORDER, RISK_SIGNS, RISK_TITLES
from playground.flagging.report.rows import sureness
from playground.text.label_titles import label_title, label_titles
from playground.types import Clause, Risk, SimilarClause
from playground.ui.shared.markup import escape_html

PART_CHARACTERS = 60_000
"""A longer contract is shown in parts: a browser slows down long before our 300,000."""

_MOST_EVIDENCE = 420
_LEADER = re.compile(r"[ ]?(?:\.[ ]?){8,}")
# A line of 45 characters or more did not end where its author wanted a new line.
_WRAPPED = re.compile(r"(?<=[^\n]{45})[ ]*\n[ ]*(?=\S)")


@dataclass(frozen=True, slots=True)
class Part:
    """Clauses ``first`` to ``last`` (not included) of a contract."""

    first: int
    last: int


def parts_of(clauses: Sequence[Clause], most_characters: int = PART_CHARACTERS) -> tuple[Part, ...]:
    """Cut a contract into parts of about equal length, between clauses; one part when it is short enough."""
    length = clauses[-1].end - clauses[0].start if clauses else 0
    count = max(1, -(-length // most_characters))
    parts, first = [], 0
    for number in range(1, count + 1):
        end = clauses[0].start + length * number // count if clauses else 0
        last = first
        while last < len(clauses) and (clauses[last].end <= end or last == first or number == count):
            last += 1
        if last > first:
            parts.append(Part(first, last))
        first = last
    return tuple(parts) or (Part(0, 0),)


def part_with(parts: Sequence[Part], clauses: Sequence[Clause], clause_id: str) -> int:
    """Return the number, from 1, of the part that holds a clause; 1 when none does."""
    for number, part in enumerate(parts, start=1):
        if any(clause.id == clause_id for clause in clauses[part.first : part.last]):
            return number
    return 1


def contract_html(
    clauses: Sequence[Clause], rows: Sequence[ReportRow], *, current: str = "", probabilities: bool = True
) -> str:
    """Return clauses as HTML, flagged ones coloured by their gravest risk, with a tag for each flag in words.

    Args:
        clauses: in order; white space between them is kept.
        rows: the flags; rejected ones are not marked, those of other clauses ignored.
        current: id of the clause to stand out.
        probabilities: whether scores are probabilities; others are not printed.
    """
    by_clause: dict[str, list[ReportRow]] = {}
    for row in rows:
        if row.verdict != "rejected":
            by_clause.setdefault(row.clause.id, []).append(row)
    parts = [_clause_html(clause, by_clause.get(clause.id, ()), current, probabilities) for clause in clauses]
    # Focusable, so that the box around it is scrolled with the keyboard.
    region = '<div role="region" aria-label="The contract text" tabindex="0">'
    return f'<div class="contract">{region}{"".join(parts)}</div></div>'


def _clause_html(clause: Clause, rows: Sequence[ReportRow], current: str, probabilities: bool) -> str:
    body = clause.text.rstrip()
    space = escape_html(clause.text[len(body) :])
    text = escape_html(_flowing(body))
    here = " current" if clause.id == current else ""
    anchor = f"clause-{escape_html(clause.id)}"
    if not rows:
        kind = f"kind-{clause.kind}"
        return f'<span class="clause {kind} {anchor}{here}">{text}</span>{space}'
    risk = min((row.label.risk for row in rows), key=RISK_ORDER.index)
    tags = "".join(tag_html(row, probabilities=probabilities) for row in rows)
    return f'{tags}<mark class="clause risk-{risk} {anchor}{here}">{text}</mark>{space}'


def _flowing(text: str) -> str:
    """Return text as a browser wraps it well: lines wrapped by hand joined, the dots of a table of contents cut."""
    text = _LEADER.sub(" … ", text)
    if "|" in text or "\t" in text:  # the rows of a table
        return text
    return _WRAPPED.sub(" ", text)


def tag_html(row: ReportRow, *, probabilities: bool = True) -> str:
    """Return a flag as a small tag: sign and name of the risk, label, probability."""
    risk, done = row.label.risk, "✓ " if row.verdict in ("confirmed", "added") else ""
    score = f" {sureness(row)}" if row.rule or (probabilities and row.score is not None) else ""
    name = RISK_TITLES[risk].removesuffix(" risk")
    return (
        f'<span class="flag-tag tag-{risk}">{done}{RISK_SIGNS[risk]} {name} · '
        f"{escape_html(label_title(row.label.name))}{escape_html(score)}</span> "
    )


def excerpt(text: str, most_characters: int) -> str:
    """Return a clause on one line, cut between words where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= most_characters else f"{line[:most_characters].rsplit(' ', 1)[0]} …"


def evidence_html(evidence: Sequence[SimilarClause]) -> str:
    """Return similar annotated clauses as a part that opens at a click, without a script."""
    items = "".join(
        f"<li><q>{escape_html(excerpt(similar.text, _MOST_EVIDENCE))}</q>"
        f'<div class="flag-place">similarity {similar.similarity:.2f} · {escape_html(label_titles(similar.labels))} · '
        f"{escape_html(similar.contract)}</div></li>"
        for similar in evidence
    )
    count = len(evidence)
    return (
        f'<details class="flag-evidence"><summary>{count} similar annotated clause{"" if count == 1 else "s"}</summary>'
        f"<ul>{items}</ul></details>"
    )


def count_chips_html(counts: Mapping[str, int], risks: Mapping[str, Risk]) -> str:
    """Return how often each label was flagged, as chips coloured by risk."""
    chips = "".join(
        f'<span class="flag-tag tag-{risks.get(name, "informational")}">{escape_html(label_title(name))} '
        f"<b>{count}</b></span>"
        for name, count in counts.items()
    )
    return f'<div class="flag-chips">{chips}</div>'


def risk_css() -> str:
    """Return the style rules of the risks, from the same table as the exports; light or dark as the page is."""
    rules = []
    for risk, scheme in RISK_COLOURS.items():
        text = f"light-dark({scheme.light.text}, {scheme.dark.text})"
        background = f"light-dark({scheme.light.background}, {scheme.dark.background})"
        line = f"light-dark({scheme.light.line}, {scheme.dark.line})"
        rules.append(f"mark.risk-{risk} {{ background: {background}; border-bottom: 3px {RISK_LINES[risk]} {line}; }}")
        rules.append(f".tag-{risk} {{ color: {text}; background: {background}; border: 1.5px solid {line}; }}")
    return "\n".join(rules)
