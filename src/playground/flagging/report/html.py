"""A flagged contract as one HTML file that needs nothing else: no network, no script, of the contract nothing but text.

A content security policy in the file forbids every request and every style but its own, so that a hole in the escaping
would still lead nowhere. The filter by risk is CSS alone.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from playground.clauses.contract_kind import CONTRACT_KINDS, kind_sentence
from playground.flagging.report.html_style import report_css
from playground.flagging.report.risk_style import RISK_ORDER, RISK_SIGNS, RISK_TITLES
from playground.flagging.report.rows import (
    Correction,
    ReportRow,
    full_place,
    label_of,
    missing_labels,
    percent,
    place,
    report_rows,
)
from playground.text.normalise import normalise_text
from playground.types import Clause, FlaggedContract, Label, Risk, SimilarClause

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

_Numbered = tuple[int, ReportRow]  # the number of a flag in the report, from 1


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
    rows = list(enumerate(report_rows(result, labels, corrections), start=1))
    css = report_css()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = _shown(" ".join(result.document.title.split()))
    body = "\n".join(
        (
            *_header(result, rows, title),
            *_summary(rows),
            *_missing(result, labels, corrections),
            *_notes(result),
            *_contract(result, rows),
            *_provenance(result, provenance),
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Flagged clauses: {title}</title>\n<style>{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _shown(text: str) -> str:
    """Return text as HTML shows it letter for letter, without what is invisible (controls, bidi overrides)."""
    return html.escape(normalise_text(text), quote=True)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _tag(risk: Risk) -> str:
    return f'<span class="tag is-{risk}">{RISK_SIGNS[risk]} {RISK_TITLES[risk]}</span>'


def _standing(rows: Sequence[_Numbered]) -> list[_Numbered]:
    return [(number, row) for number, row in rows if row.verdict != "rejected"]


def _header(result: FlaggedContract, rows: Sequence[_Numbered], title: str) -> Iterator[str]:
    standing = _standing(rows)
    flagged = len({row.clause.id for _, row in standing})
    line = f"{_count(len(standing), 'flag')} on {flagged:,} of {_count(len(result.clauses), 'clause')}"
    rejected = len(rows) - len(standing)
    if rejected:
        line += f"; {_count(rejected, 'more flag')} rejected by the reader"
    yield f'<header>\n<p class="kicker">Flagged clauses</p>\n<h1 dir="auto">{title}</h1>'
    yield f'<p class="quiet"><bdi>{_shown(result.document.source)}</bdi> · {line}</p>'
    yield f'<p class="advice">{NOT_ADVICE}</p>\n</header>'


def _summary(rows: Sequence[_Numbered]) -> Iterator[str]:
    standing = _standing(rows)
    yield '<section id="summary">\n<h2>Summary</h2>'
    if not standing:
        yield "<p>No clause was flagged. That does not mean that the contract holds no risk.</p>\n</section>"
        return
    risks = Counter(row.label.risk for _, row in standing)
    yield '<div class="risks" role="group" aria-label="Risks to show">'
    for risk in RISK_ORDER:
        yield (
            f'<label class="risk is-{risk}"><input type="checkbox" id="show-{risk}" checked>'
            f'<span class="count">{risks[risk]}</span> {RISK_SIGNS[risk]} {RISK_TITLES[risk]}</label>'
        )
    yield '</div>\n<p class="quiet hint">Untick a risk to hide its flags.</p>'
    yield '<div class="wide"><table>\n<thead><tr><th scope="col">Label</th><th scope="col">Risk</th>'
    yield '<th scope="col" class="number">Flags</th><th scope="col">Clauses</th></tr></thead>\n<tbody>'
    by_label: dict[str, list[_Numbered]] = {}
    for number, row in standing:
        by_label.setdefault(row.label.name, []).append((number, row))
    for name, group in sorted(by_label.items(), key=lambda item: (_gravity(item[1]), -len(item[1]), item[0])):
        risk = group[0][1].label.risk
        links = " ".join(
            f'<a href="#flag-{number}">{_shown(place(row.clause))} ({html.escape(percent(row.score))})</a>'
            for number, row in group
        )
        yield (
            f'<tr class="is-{risk}"><td class="name">{_shown(name)}</td><td>{_tag(risk)}</td>'
            f'<td class="number">{len(group)}</td><td class="places">{links}</td></tr>'
        )
    yield "</tbody></table></div>\n</section>"


def _gravity(group: Sequence[_Numbered]) -> int:
    return RISK_ORDER.index(group[0][1].label.risk)


def _missing(result: FlaggedContract, labels: Mapping[str, Label], corrections: Sequence[Correction]) -> Iterator[str]:
    missing = missing_labels(result, corrections)
    if not missing:
        return
    yield '<section id="missing">\n<h2>Usual, but not found</h2>'
    yield f'<p class="quiet">{kind_sentence(result.kind)} Such a clause is usual in '
    yield f"{CONTRACT_KINDS[result.kind]}; none was found here.</p>"
    yield '<ul class="plain">'
    for name in missing:
        why = label_of(name, labels).why
        yield f'<li><span class="name">{_shown(name)}</span>{": " + _shown(why) if why else ""}</li>'
    yield "</ul>\n</section>"


def _notes(result: FlaggedContract) -> Iterator[str]:
    notes = dict.fromkeys((*result.notes, *result.document.warnings))
    if notes:
        items = "\n".join(f"<li>{_shown(note)}</li>" for note in notes)
        yield f'<section id="notes">\n<h2>Notes</h2>\n<ul class="plain">\n{items}\n</ul>\n</section>'


def _contract(result: FlaggedContract, rows: Sequence[_Numbered]) -> Iterator[str]:
    flags: dict[str, list[_Numbered]] = {}
    for number, row in rows:
        flags.setdefault(row.clause.id, []).append((number, row))
    yield '<main id="contract">\n<h2>The contract</h2>'
    text, position, page = result.document.text, 0, None
    for clause in result.clauses:
        # Clauses cover the text; should they not, nothing of it may be lost.
        yield from _unflagged(text[position : clause.start])
        if clause.page is not None and clause.page != page:
            page = clause.page
            yield f'<p class="page">Page {page}</p>'
        yield from _clause(clause, text[max(position, clause.start) : clause.end], flags.get(clause.id, []))
        position = max(position, clause.end)
    yield from _unflagged(text[position:])
    yield "</main>"


def _unflagged(text: str) -> Iterator[str]:
    if text.strip():
        yield f'<div class="clause"><div class="said"><div class="words">{_words(text)}</div></div></div>'


def _words(text: str) -> str:
    return _shown(text.strip("\n"))


def _clause(clause: Clause, text: str, flags: Sequence[_Numbered]) -> Iterator[str]:
    kind = " heading" if clause.kind == "heading" else ""
    if not flags:
        if text.strip():
            yield f'<div class="clause{kind}"><div class="said"><div class="words">{_words(text)}</div></div></div>'
        return
    standing = {row.label.risk for _, row in _standing(flags)}
    risks = [risk for risk in RISK_ORDER if risk in standing]
    marks = "".join(f" has-{risk}" for risk in risks)
    yield f'<div class="clause flagged{kind}{marks}">\n<div class="said">'
    if risks:
        yield f'<p class="tags">{"".join(_tag(risk) for risk in risks)}</p>'
    yield f'<div class="words">{_words(text)}</div></div>\n<div class="flags">'
    for number, row in flags:
        yield _flag(number, row)
    yield "</div>\n</div>"


def _flag(number: int, row: ReportRow) -> str:
    label = row.label
    probability = "" if row.score is None else f"<span>probability {html.escape(percent(row.score))}</span>"
    verdict = f"<strong>{_VERDICTS[row.verdict]}</strong>" if row.verdict else ""
    parts = [
        f'<article class="flag is-{label.risk}{" rejected" if row.verdict == "rejected" else ""}" id="flag-{number}">',
        f"<h3>{_shown(label.name)}</h3>",
        f'<div class="top">{_tag(label.risk)}{probability}{verdict}</div>',
        f'<p class="quiet" dir="auto">{_shown(full_place(row.clause))}</p>',
    ]
    if label.why:
        parts.append(f"<p><strong>Why it matters:</strong> {_shown(label.why)}</p>")
    if label.check:
        parts.append(f"<p><strong>Check:</strong> {_shown(label.check)}</p>")
    if row.evidence:
        alike = "".join(_alike(similar) for similar in row.evidence)
        parts.append(f"<details><summary>Similar annotated clauses ({len(row.evidence)})</summary>{alike}</details>")
    return "".join(parts) + "</article>"


def _alike(similar: SimilarClause) -> str:
    text = similar.text.strip()
    if len(text) > _MOST_EVIDENCE_CHARACTERS:
        text = f"{text[:_MOST_EVIDENCE_CHARACTERS].rstrip()} … ({len(text):,} characters)"
    labels = ", ".join(similar.labels) or "no label"
    return (
        f'<div class="alike"><blockquote>{_shown(text)}</blockquote>'
        f'<p class="quiet">similarity {similar.similarity:.2f} · {_shown(labels)} · '
        f"<bdi>{_shown(similar.contract)}</bdi></p></div>"
    )


def _timing(name: str, seconds: float) -> str:
    return f"{name.removesuffix('_s').replace('_', ' ')} {seconds:.2f} s"


def _provenance(result: FlaggedContract, provenance: Mapping[str, str]) -> Iterator[str]:
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
    lines = {name: value for name, value in known.items() if value and name.casefold() not in given} | dict(provenance)
    yield '<footer id="provenance">\n<h2>How these flags came about</h2>\n<dl>'
    for name, value in lines.items():
        yield f"<dt>{_shown(name)}</dt><dd>{_shown(value)}</dd>"
    yield f"<dt>Advice</dt><dd>{NOT_ADVICE}</dd>\n</dl>\n</footer>"
