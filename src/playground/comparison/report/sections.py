"""Sections of the HTML report beyond the runs' own figures: break-even, what changes, examples, the article's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from playground.comparison.charts.over_time import (
    break_even_figure,
    learning_curve_figure,
    stale_facts_figure,
    way_colours,
)
from playground.comparison.claims.article import ArticleEvidence, ArticleRow, article_rows
from playground.comparison.claims.break_even import TITLES, YOURS, Assumption, Assumptions
from playground.comparison.claims.provenance import Provenance, elsewhere_words
from playground.comparison.examples import ShownAnswer, ShownExample
from playground.comparison.figures import TechniqueFigures
from playground.comparison.report.extras import (
    ReportAnswer,
    ReportBreakEven,
    ReportExamples,
    ReportExtras,
    break_even_of,
)
from playground.comparison.report.markup import Charts, shown
from playground.comparison.technique_styles import style_of
from playground.comparison.words import plain

_LONGEST_ANSWER, _LONGEST_CLAUSE, _LONGEST_ASKED = 700, 1_500, 300
_CLASSES = {"holds": "holds", "partly": "partly", "not here": "not-here"}


def break_even_section(figures: Sequence[TechniqueFigures], extras: ReportExtras, charts: Charts) -> Iterator[str]:
    """Yield the crossing in a sentence, its chart, and every assumption with its source."""
    found = break_even_of(figures, extras)
    if found is None:
        return
    yield "<h3>From how many requests on fine-tuning pays</h3>"
    yield f"<p><strong>{shown(found.result.sentence)}</strong></p>"
    yield f'<p class="quiet">{shown(_break_even_words(found))}</p>'
    colours = way_colours(found.prompting, found.tuned)
    yield charts.html(break_even_figure(found.assumptions, found.result, colours=colours, unit=found.unit))
    yield '<div class="wide"><table class="assumptions">\n<thead><tr><th scope="col">Assumption</th>'
    yield '<th scope="col" class="number">Value</th><th scope="col">Where it is from</th></tr></thead>\n<tbody>'
    for name in (one.name for one in fields(Assumptions)):
        one: Assumption = getattr(found.assumptions, name)
        value = f"{_number(one.value)} {shown(one.unit)}"
        yield f'<tr><th scope="row">{shown(TITLES[name])}</th><td class="number">{value}</td>'
        yield f"<td>{shown(one.source)}</td></tr>"
    yield "</tbody></table></div>"


def _break_even_words(found: ReportBreakEven) -> str:
    """Return which techniques are compared, and whether anybody chose the assumptions."""
    prompting = found.prompting.title if found.prompting else "Prompting that was not measured"
    tuned = found.tuned.title if found.tuned else "fine-tuning that was not measured"
    techniques = f"{prompting} on {'a hosted model' if found.hosted else 'the machine itself'} against {tuned}"
    if found.is_default:
        return (
            f"{techniques}, under default assumptions: what was measured in its place and ordinary values for the "
            "rest. On the page each value can be changed."
        )
    own = sum(getattr(found.assumptions, one.name).source == YOURS for one in fields(Assumptions))
    changed = f"{own} value{'' if own == 1 else 's'} changed by hand" if own else "no value changed by hand"
    return f"{techniques}, under the assumptions as they stood on the page when this was written: {changed}."


def change_section(scenario: str, extras: ReportExtras, charts: Charts) -> Iterator[str]:
    """Yield the learning curve of Scenario B, or what a policy change did in Scenario A."""
    evidence = extras.evidence
    if evidence is None:
        return
    if scenario == "contract_clauses" and evidence.curve is not None:
        yield "<h3>How many examples are needed</h3>"
        points = [replace(point, strategy=plain(point.strategy)) for point in evidence.curve.points]
        yield charts.html(learning_curve_figure(points, n=evidence.curve.provenance.n))
        yield from _stamp(scenario, evidence, evidence.curve.provenance, evidence.curve.end_words)
    if scenario == "return_policy" and evidence.stale is not None:
        yield "<h3>What happens when the facts change</h3>"
        rows = [replace(row, title=plain(row.title)) for row in evidence.stale.figures]
        yield charts.html(stale_facts_figure(rows, n=evidence.stale.provenance.n))
        yield from _stamp(scenario, evidence, evidence.stale.provenance)


def _stamp(scenario: str, evidence: ArticleEvidence, provenance: Provenance, note: str = "") -> Iterator[str]:
    """Yield what has to be known of a chart of evidence: where it is from, and how that differs from the figures."""
    own = [one for one in evidence.figures if one.scenario == scenario]
    lines = [note, f"{provenance.stamp}.", elsewhere_words(provenance, own)]
    yield f'<p class="quiet">{"<br>".join(shown(line) for line in lines if line)}</p>'


def examples_section(examples: ReportExamples | None) -> Iterator[str]:
    """Yield the examples on which techniques differ, each folded, with what was expected and every answer."""
    if examples is None or not examples.shown:
        return
    yield "<h3>Where the techniques differ</h3>"
    yield (
        f'<p class="quiet">{len(examples.shown):,} of {examples.total:,} examples on which some techniques were right '
        "and others wrong, those that most techniques were asked first. Long texts are shortened.</p>"
    )
    for example, answers in examples.shown:
        yield from _example(example, answers)


def _example(example: ShownExample, answers: Sequence[ReportAnswer]) -> Iterator[str]:
    right = sum(one.answer.right for one in answers)
    yield (
        f'<details class="example"><summary>{_short(example.title, _LONGEST_ASKED)}'
        f'<span class="small">{_short(example.where, _LONGEST_ASKED)}; {right} of {len(answers)} right</span></summary>'
    )
    if example.text:
        yield f"<blockquote>{_short(example.text, _LONGEST_CLAUSE)}</blockquote>"
    yield f"<p><strong>Expected:</strong> {_short(example.expected, _LONGEST_ANSWER)}</p>"
    yield '<div class="wide"><table class="answers"><tbody>'
    for one in answers:
        yield (
            f'<tr><th scope="row"><span class="dot" style="background:{style_of(one.strategy).colour}"></span>'
            f"{shown(one.name)}</th><td>{one.answer.verdict}</td>"
            f'<td class="answer">{_answer(one.answer)}</td></tr>'
        )
    yield "</tbody></table></div></details>"


def _answer(answer: ShownAnswer) -> str:
    parts = [_short(answer.answer, _LONGEST_ANSWER)] if answer.answer else []
    parts += [
        f'<span class="small">{_short(words, _LONGEST_ASKED)}</span>' for words in (answer.error, answer.facts) if words
    ]
    return "".join(parts)


def article_section(extras: ReportExtras) -> Iterator[str]:
    """Yield the article's table: what it says, what was measured here, whether that agrees and by which rule."""
    if extras.evidence is None:
        return
    yield "<section>\n<h2>The article's table, measured here</h2>"
    yield '<p class="quiet">Computed from the recorded runs and evidence files of the project alone.</p>'
    if extras.problems:
        yield '<ul class="notes">' + "".join(f"<li>{shown(one)}</li>" for one in extras.problems) + "</ul>"
    yield '<div class="wide"><table class="article">\n<thead><tr><th scope="col"></th>'
    yield "".join(f'<th scope="col">{words}</th>' for words in ("The article says", "Measured here", "Verdict"))
    yield "</tr></thead>\n<tbody>"
    for row in article_rows(extras.evidence):
        yield _article_row(row)
    yield "</tbody></table></div>\n</section>"


def _article_row(row: ArticleRow) -> str:
    measured = "".join(f"<p>{shown(line)}</p>" for line in row.measured)
    command = f"<code>{shown(row.command)}</code>" if row.command else ""
    files = ", ".join(dict.fromkeys(one.path for one in row.evidence if one.path))
    evidence = f'<span class="small">Evidence: {shown(files)}</span>' if files else ""
    return (
        f'<tr><th scope="row">{shown(row.title)}</th><td>Prompting: {shown(row.prompting)}<br>Fine-tuning: '
        f"{shown(row.fine_tuning)}</td><td>{measured}{command}{evidence}</td>"
        f'<td class="verdict {_CLASSES.get(row.verdict or "", "open")}"><strong>{shown(row.verdict_words)}</strong>'
        f'<span class="small">{shown(row.rule)}</span></td></tr>'
    )


def _short(text: str, longest: int) -> str:
    """Return escaped text, cut before it is escaped."""
    return shown(text if len(text) <= longest else f"{text[: longest - 1]}…")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"
