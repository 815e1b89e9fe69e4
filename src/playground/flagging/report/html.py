"""A flagged contract as one HTML file that needs nothing else: no network, no script, of the contract nothing but text.

A content security policy in the file forbids every request and every style but its own, so that a hole in the escaping
would still lead nowhere. The filter by risk is CSS alone. What it looks like stands in the folder ``templates``.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.clauses.contract_kind import CONTRACT_KINDS, kind_sentence
from playground.flagging.report.risk_style import RISK_COLOURS, RISK_LINES, RISK_ORDER, RISK_SIGNS, RISK_TITLES
from playground.flagging.report.rows import (
    OVERLOOKS,
    Correction,
    ReportRow,
    deviates,
    full_place,
    label_of,
    missing_labels,
    missing_wanted,
    place,
    reason,
    report_rows,
    side_of,
    stance_lines,
    sureness,
)
from playground.text.html_page import as_it_stands, load_templates, policy_hash
from playground.text.label_titles import label_title
from playground.types import FlaggedContract, Label, Risk

if TYPE_CHECKING:
    import jinja2

NOT_ADVICE = (
    "This is not legal advice. A statistical model marked these clauses: it overlooks some and marks others wrongly. "
    "A lawyer has to read the contract."
)
NO_PAGES = "by clause number and heading; this kind of file has no pages before a program lays it out"
_MOST_EVIDENCE_CHARACTERS = 700
_VERDICTS = {
    "confirmed": "Confirmed by the reader",
    "rejected": "Rejected by the reader",
    "added": "Added by the reader",
}


@dataclass(frozen=True, slots=True)
class NumberedFlag:
    """A flag with its number in the report, from 1."""

    number: int
    row: ReportRow


@dataclass(frozen=True, slots=True)
class ContractPart:
    """A clause, or the text between two: its words without line ends around them, and what was flagged in it.

    Attributes:
        new_page: the page on which it starts, where that is another than before; else None.
        risks: those of flags that no reader rejected, from the gravest.
    """

    words: str
    is_heading: bool = False
    new_page: int | None = None
    flags: tuple[NumberedFlag, ...] = ()
    risks: tuple[Risk, ...] = ()


def flag_report_html(
    result: FlaggedContract,
    labels: Mapping[str, Label],
    *,
    provenance: Mapping[str, str],
    corrections: Sequence[Correction] = (),
) -> str:
    """Return a report of a flagged contract as one self-contained HTML document.

    Args:
        result: the contract with its flags; all its text is untrusted and escaped.
        labels: what is known of each label, by name; a label that is not in it is shown by its name alone.
        provenance: what a reader needs to know of how the flags came about, as shown ("Thresholds": "balanced"); model,
            adapter, file and the hash of the text are taken from ``result`` unless given.
        corrections: a reader's decisions; rejected flags are shown struck through and not counted.
    """
    flags = [NumberedFlag(number, row) for number, row in enumerate(report_rows(result, labels, corrections), start=1)]
    standing = _standing(flags)
    style = _style()
    return (
        _templates()
        .get_template("report.html")
        .render(
            result=result,
            title=" ".join(result.document.title.split()),
            allowed=policy_hash(style),
            style=as_it_stands(style),
            counted=_counted(result, flags),
            risk_counts=Counter(flag.row.label.risk for flag in standing),
            groups=_by_label(standing),
            side=side_of(labels),
            deviations=[group for group in _by_label(standing) if deviates(group[1][0].row)],
            missing_wanted=missing_wanted(result, labels, corrections),
            missing=[label_of(name, labels) for name in missing_labels(result, corrections)],
            kind=CONTRACT_KINDS[result.kind],
            kind_sentence=kind_sentence(result.kind),
            notes=list(dict.fromkeys((*result.notes, *result.document.warnings))),
            parts=_parts(result, flags),
            provenance=_provenance(result, provenance).items(),
        )
    )


def _standing(flags: Sequence[NumberedFlag]) -> list[NumberedFlag]:
    return [flag for flag in flags if flag.row.verdict != "rejected"]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _counted(result: FlaggedContract, flags: Sequence[NumberedFlag]) -> str:
    """Return how many flags stand, on how many clauses, and how many were rejected, in words."""
    standing = _standing(flags)
    flagged = len({flag.row.clause.id for flag in standing})
    line = f"{_count(len(standing), 'flag')} on {flagged:,} of {_count(len(result.clauses), 'clause')}"
    rejected = len(flags) - len(standing)
    return f"{line}; {_count(rejected, 'more flag')} rejected by the reader" if rejected else line


def _by_label(flags: Sequence[NumberedFlag]) -> list[tuple[Label, list[NumberedFlag]]]:
    """Return the flags of each label: what deviates from a playbook, then the gravest, most flags, by name."""
    groups: dict[str, list[NumberedFlag]] = {}
    for flag in flags:
        groups.setdefault(flag.row.label.name, []).append(flag)
    labelled = [(group[0].row.label, group) for group in groups.values()]
    return sorted(
        labelled,
        key=lambda one: (not deviates(one[1][0].row), RISK_ORDER.index(one[0].risk), -len(one[1]), one[0].name),
    )


def _parts(result: FlaggedContract, flags: Sequence[NumberedFlag]) -> Iterator[ContractPart]:
    """Yield the whole text in order. Clauses cover it; should they not, nothing of it may be lost."""
    of_clause: dict[str, list[NumberedFlag]] = {}
    for flag in flags:
        of_clause.setdefault(flag.row.clause.id, []).append(flag)
    text, position, page = result.document.text, 0, None
    for clause in result.clauses:
        yield ContractPart(text[position : clause.start].strip("\n"))
        own = of_clause.get(clause.id, [])
        risks = {flag.row.label.risk for flag in _standing(own)}
        is_new = clause.page is not None and clause.page != page
        yield ContractPart(
            text[max(position, clause.start) : clause.end].strip("\n"),
            is_heading=clause.kind == "heading",
            new_page=clause.page if is_new else None,
            flags=tuple(own),
            risks=tuple(risk for risk in RISK_ORDER if risk in risks),
        )
        page = clause.page if is_new else page
        position = max(position, clause.end)
    yield ContractPart(text[position:].strip("\n"))


def _timing(name: str, seconds: float) -> str:
    return f"{name.removesuffix('_s').replace('_', ' ')} {seconds:.2f} s"


def _provenance(result: FlaggedContract, provenance: Mapping[str, str]) -> dict[str, str]:
    known = {
        "File": result.document.source,
        "Kind of contract": kind_sentence(result.kind),
        "Places": "" if result.document.page_starts else NO_PAGES,
        "SHA-256 of the text": result.document.sha256,
        "Model": result.model_id,
        "Adapter": result.adapter or "none",
        "Time taken": ", ".join(_timing(name, seconds) for name, seconds in result.timings.items()),
    }
    given = {name.casefold() for name in provenance}
    return {name: value for name, value in known.items() if value and name.casefold() not in given} | dict(provenance)


@functools.cache
def _templates() -> jinja2.Environment:
    """Return the report's templates with the values and the ways of writing a value that they use."""
    templates = load_templates(__package__)
    templates.globals |= {
        "full_place": full_place,
        "label_title": label_title,
        "not_advice": NOT_ADVICE,
        "overlooks": OVERLOOKS,
        "place": place,
        "reason": reason,
        "stance_lines": stance_lines,
        "signs": RISK_SIGNS,
        "sureness": sureness,
        "titles": RISK_TITLES,
        "verdicts": _VERDICTS,
    }
    templates.filters["shortened"] = _shortened
    return templates


def _style() -> str:
    """Return the style sheet with the colours of the risks filled in."""
    risks = [{"name": risk, "line": RISK_LINES[risk], "colours": RISK_COLOURS[risk]} for risk in RISK_ORDER]
    return _templates().get_template("report.css").render(risks=risks)


def _shortened(text: str) -> str:
    text = text.strip()
    if len(text) <= _MOST_EVIDENCE_CHARACTERS:
        return text
    return f"{text[:_MOST_EVIDENCE_CHARACTERS].rstrip()} … ({len(text):,} characters)"
