"""A comparison as one HTML file that needs nothing else, viewed without a network: tables, paired tests, charts.

With what is at hand beside the runs (``report_extras``) also break-even, learning curve, stale facts, the examples on
which techniques differ and the article's table.

A content security policy in the file allows its own two scripts by their hashes (plotly.js and the lines that draw) and
no request to anywhere; everything that comes from rows is escaped. The charts are data, not script.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from playground.comparison.costs import CostBasis
from playground.comparison.figures import FEWEST_EXAMPLES, PairedDifference, TechniqueFigures, Times
from playground.comparison.report.extras import ReportExtras
from playground.comparison.report.markup import Charts, shown
from playground.comparison.report.sections import (
    article_section,
    break_even_section,
    change_section,
    examples_section,
)
from playground.comparison.report.style import DRAW_JS, REPORT_CSS
from playground.comparison.runs_compared import ComparedTechniques, named_figures
from playground.comparison.technique_styles import style_of
from playground.measuring.estimates import Estimate
from playground.pricing import describe_cost, prices_date
from playground.text.normalise import normalise_text

CHARTS_MODULE = "playground.comparison.charts.techniques"
SIGNIFICANT = 0.05
_FIGURE_CHARTS = ("accuracy_cost_figure", "first_token_figure", "latency_figure", "tokens_figure")
_PRICED_CHARTS = ("accuracy_cost_figure",)
_HEAT_MAP_CHART = "heat_map_figure"
_SCENARIO_TITLES = {"return_policy": "Return policy", "contract_clauses": "Contract clauses"}
_UNKNOWN = "—"


def comparison_html(
    compared: Sequence[ComparedTechniques], *, written_at: str, extras: ReportExtras | None = None
) -> str:
    """Return the report as one self-contained HTML document.

    Args:
        compared: the runs' techniques, a section a scenario.
        written_at: the time in ISO 8601, UTC.
        extras: what is at hand beside the runs; without, the report holds their own figures alone.
    """
    charts = Charts()
    body: list[str] = [
        "<header>\n<h1>Techniques compared</h1>",
        f'<p class="quiet">Written {shown(written_at[:16].replace("T", " "))} UTC from recorded rows, one for each '
        "example and technique; every figure is computed from them. Brackets hold 95 % intervals.</p>\n</header>",
        "<main>",
    ]
    for one in compared:
        body += _scenario(one, charts, extras)
    body += article_section(extras) if extras else ()
    body += _method()
    scripts = [_plotly_js(), DRAW_JS] if charts.drawn else []
    body += ["</main>", *(f"<script>{script}</script>" for script in scripts)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>Techniques compared</title>\n<style>{REPORT_CSS}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _policy(scripts: Sequence[str]) -> str:
    """Return the content security policy: these scripts by their hashes, and no request to anywhere."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    # plotly.js sets styles on the elements that it makes, so styles cannot be limited to our own.
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _scenario(compared: ComparedTechniques, charts: Charts, extras: ReportExtras | None) -> Iterator[str]:
    yield f"<section>\n<h2>{shown(_SCENARIO_TITLES.get(compared.scenario, compared.scenario))}</h2>"
    if not compared.figures:
        yield "<p>The run has no row that can be compared.</p>"
    if any(one.is_small for one in compared.figures):
        yield (
            f"<p><strong>Fewer than {FEWEST_EXAMPLES} examples</strong> where the table says so: take those figures as "
            "a hint, not as a result.</p>"
        )
    if compared.notes:
        items = "\n".join(f"<li>{shown(note)}</li>" for note in compared.notes)
        yield f'<ul class="notes">\n{items}\n</ul>'
    if compared.figures:
        yield from _table(compared)
    basis = extras.basis if extras else None
    yield from (charts.html(figure) for figure in _charts_of(compared, basis))
    if basis is not None and compared.figures:
        yield f'<p class="quiet">Cost: {shown(basis.source)}</p>'
    if compared.differences:
        yield from _differences(compared)
    if extras is not None:
        # plotly reads a few HTML tags in its texts; a name from a row must not be taken for one.
        yield from break_even_section([_plain(one) for one in named_figures(compared)], extras, charts)
        yield from change_section(compared.scenario, extras, charts)
        yield from examples_section(extras.examples.get(compared.scenario))
    yield "</section>"


def _table(compared: ComparedTechniques) -> Iterator[str]:
    headings = ("Technique", "n", "Accuracy", "First token, p50 / p95", "Total, p50 / p95", "Tokens in", "Tokens out")
    yield '<p class="quiet">Times, tokens and cost are for one request; what that is stands under each name.</p>'
    yield '<div class="wide"><table class="figures">\n<thead><tr>'
    for place, heading in enumerate((*headings, "Price of tokens, 1,000 requests", "Errors")):
        yield f'<th scope="col"{_class("number") if place else ""}>{heading}</th>'
    yield "</tr></thead>\n<tbody>"
    for one, name in zip(compared.figures, compared.names, strict=True):
        yield _row(one, name)
    yield "</tbody></table></div>"
    yield "<h3>Where and when it was measured</h3>"
    yield '<div class="wide"><table class="measured">\n<thead><tr>'
    yield "".join(f'<th scope="col">{heading}</th>' for heading in ("Technique", "Date", "", "Machine", "Commit"))
    yield "</tr></thead>\n<tbody>"
    for one, name in zip(compared.figures, compared.names, strict=True):
        yield (
            f'<tr><th scope="row">{shown(name)}</th><td>{shown(one.started_at[:10] or _UNKNOWN)}</td>'
            f"<td>{'recorded run' if one.recorded else 'measured here and now'}</td>"
            f"<td>{shown(one.machine)}</td><td>{shown(one.commit)}</td></tr>"
        )
    yield "</tbody></table></div>"


def _row(one: TechniqueFigures, name: str) -> str:
    model = one.model_id if one.adapter is None else f"{one.model_id}, adapter {one.adapter}"
    small = f'<span class="small">fewer than {FEWEST_EXAMPLES}</span>' if one.is_small else ""
    sample = f'<span class="small">{shown(one.sample_words)}</span>' if one.sample else small
    unreadable = f'<span class="small">{one.unreadable:,} answers unreadable</span>' if one.unreadable else ""
    price = None if one.token_cost_usd is None else 1_000 * one.token_cost_usd
    cells = (
        f"{one.n:,}{sample}",
        f'{_rate(one.accuracy)}<span class="small">{shown(one.accuracy_name)}</span>',
        _times(one.first_token_s),
        _times(one.total_s),
        _count(one.input_tokens),
        _count(one.output_tokens),
        shown(describe_cost(price)),
        f"{one.errors:,}{unreadable}",
    )
    return (
        f'<tr><th scope="row"><span class="dot" style="background:{style_of(one.strategy).colour}"></span>'
        f'{shown(name)}<span class="small">{shown(model)}</span>'
        f'<span class="small">per {shown(one.unit)}</span></th>'
        + "".join(f'<td class="number">{cell}</td>' for cell in cells)
        + "</tr>"
    )


def _differences(compared: ComparedTechniques) -> Iterator[str]:
    yield "<h3>Which differences are real</h3>"
    yield (
        '<p class="quiet">Share of right answers of the first minus that of the second, on what both were asked. '
        "p is two-sided; p (Holm) allows for the number of tests in this table.</p>"
    )
    yield '<div class="wide"><table class="differences">\n<thead><tr><th scope="col">First</th>'
    yield '<th scope="col">Second</th>'
    for heading in ("Shared", "Difference", "p", "p (Holm)"):
        yield f'<th scope="col" class="number">{heading}</th>'
    yield '<th scope="col">In words</th></tr></thead>\n<tbody>'
    for one, adjusted in zip(compared.differences, compared.adjusted_p, strict=True):
        yield (
            f'<tr><th scope="row">{shown(one.first)}</th><td>{shown(one.second)}</td>'
            f'<td class="number">{one.n:,}</td><td class="number">{_points(one.difference)}</td>'
            f'<td class="number">{_p_value(one.p_value)}</td><td class="number">{_p_value(adjusted)}</td>'
            f"<td>{_in_words(one, adjusted)}</td></tr>"
        )
    yield "</tbody></table></div>"


def _in_words(one: PairedDifference, adjusted: float) -> str:
    small = f" (fewer than {FEWEST_EXAMPLES} shared)" if one.n < FEWEST_EXAMPLES else ""
    if adjusted >= SIGNIFICANT:
        return f"no difference shown{small}"
    better = one.first if one.difference.value > 0 else one.second
    return f'<span class="real">{shown(better)} is better</span>{small}'


def _method() -> Iterator[str]:
    yield (
        "<section>\n<h2>How it was computed</h2>\n"
        "<p>Rates have Wilson or bootstrap intervals, percentiles of times bootstrap intervals, all with a fixed seed. "
        "A request that failed counts as wrong. Differences of single answers are tested by McNemar's exact test with "
        "Newcombe's interval, those of clauses by a bootstrap over contracts.</p>\n"
        f"<p>Prices of tokens are those of {shown(prices_date())}; tokens of a model on one's own machine have none, "
        "and what that machine costs is not in the table.</p>\n</section>"
    )


def _charts_of(compared: ComparedTechniques, basis: CostBasis | None) -> list[Any]:
    """Return the plotly figures of a scenario, as many as the charts module offers and the figures allow."""
    if not compared.figures or importlib.util.find_spec(CHARTS_MODULE) is None:
        return []
    charts = importlib.import_module(CHARTS_MODULE)
    # plotly reads a few HTML tags in its texts; a name from a row must not be taken for one.
    figures = [_plain(one) for one in named_figures(compared)]
    drawn = [
        getattr(charts, name)(figures, **({"basis": basis} if basis and name in _PRICED_CHARTS else {}))
        for name in _FIGURE_CHARTS
        if hasattr(charts, name)
    ]
    if compared.heat_map.columns and hasattr(charts, _HEAT_MAP_CHART):
        drawn.append(getattr(charts, _HEAT_MAP_CHART)(compared.heat_map))
    return [figure for figure in drawn if figure is not None]


def _plain(one: TechniqueFigures) -> TechniqueFigures:
    def cleaned(text: str) -> str:
        return normalise_text(text).replace("<", "\u2039").replace(">", "\u203a")

    return replace(
        one,
        title=cleaned(one.title),
        strategy=cleaned(one.strategy),
        model_id=cleaned(one.model_id),
        adapter=None if one.adapter is None else cleaned(one.adapter),
        machine=cleaned(one.machine),
        commit=cleaned(one.commit),
        tokens={cleaned(name): mean for name, mean in one.tokens.items()},
    )


@functools.lru_cache(maxsize=1)
def _plotly_js() -> str:
    """Return plotly.js as a script element may hold it; the hash is over the text as a parser reads it."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _class(name: str) -> str:
    return f' class="{name}"'


def _rate(estimate: Estimate | None) -> str:
    if estimate is None:
        return _UNKNOWN
    low, high = f"{100 * estimate.low:.1f}", f"{100 * estimate.high:.1f}"
    return f'{100 * estimate.value:.1f} %<span class="range">[{low}, {high}]</span>'


def _points(estimate: Estimate) -> str:
    """Return a difference of two shares in percentage points."""
    low, high = f"{100 * estimate.low:+.1f}", f"{100 * estimate.high:+.1f}"
    return f'{100 * estimate.value:+.1f} points<span class="range">[{low}, {high}]</span>'


def _times(times: Times | None) -> str:
    if times is None:
        return _UNKNOWN
    ranges = [f"[{_seconds(one.low)}, {_seconds(one.high)}]" for one in (times.p50, times.p95)]
    return f'{_seconds(times.p50.value)} / {_seconds(times.p95.value)} s<span class="range">{" / ".join(ranges)}</span>'


def _seconds(value: float) -> str:
    """Return seconds with as many digits as a table needs: clauses take milliseconds, answers seconds."""
    if value >= 1:
        return f"{value:.2f}"
    return f"{value:#.3g}" if value >= 1e-4 else f"{value:.6f}"


def _count(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.1f}"


def _p_value(value: float) -> str:
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"
