"""A comparison as one HTML file that needs nothing else, viewed without a network: tables, paired tests, charts.

With what is at hand beside the runs (``extras``) also break-even, learning curve, stale facts, the examples on
which techniques differ and the article's table. What it looks like stands in the folder ``templates``.

A content security policy in the file allows its own two scripts by their hashes (plotly.js and the lines that draw) and
no request to anywhere; everything that comes from rows is escaped. The charts are data, not script.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playground.comparison.charts import techniques
from playground.comparison.claims.article import article_rows
from playground.comparison.costs import CostBasis
from playground.comparison.figures import FEWEST_EXAMPLES, TechniqueFigures
from playground.comparison.report.chart_data import Chart, Charts
from playground.comparison.report.extras import ReportExamples, ReportExtras
from playground.comparison.report.sections import BreakEvenSection, ChangeSection, break_even_section, change_section
from playground.comparison.runs_compared import ComparedTechniques, named_figures
from playground.comparison.words import plain
from playground.pricing import describe_cost, prices_date
from playground.text.html_page import as_it_stands, load_templates, policy_hash

if TYPE_CHECKING:
    import jinja2

SIGNIFICANT = 0.05
_LONGEST_ANSWER, _LONGEST_CLAUSE, _LONGEST_ASKED = 700, 1_500, 300


@dataclass(frozen=True, slots=True)
class ScenarioSection:
    """What the template shows of a scenario; None for what is not at hand.

    Attributes:
        is_small: a technique was asked too few examples for its figures to be a result.
        cost_source: how the chart of accuracy against cost prices a request, "" where it was not told.
    """

    title: str
    compared: ComparedTechniques
    is_small: bool
    charts: tuple[Chart, ...]
    cost_source: str
    break_even: BreakEvenSection | None
    change: ChangeSection | None
    examples: ReportExamples | None


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
    sections = [_section(one, charts, extras) for one in compared]
    scripts = scripts_that_draw() if charts.drawn else ()
    return (
        _templates()
        .get_template("report.html")
        .render(
            written_at=written_at[:16].replace("T", " "),
            sections=sections,
            article=article_rows(extras.evidence) if extras and extras.evidence else None,
            problems=extras.problems if extras else (),
            prices_date=prices_date(),
            allowed=as_it_stands(" ".join(policy_hash(script) for script in scripts) or "'none'"),
            scripts=[as_it_stands(script) for script in scripts],
        )
    )


def _section(compared: ComparedTechniques, charts: Charts, extras: ReportExtras | None) -> ScenarioSection:
    # plotly reads a few HTML tags in its texts; a name from a row must not be taken for one.
    figures = [_plain(one) for one in named_figures(compared)]
    basis = extras.basis if extras else None
    return ScenarioSection(
        title=compared.title or compared.scenario,
        compared=compared,
        is_small=any(one.is_small for one in compared.figures),
        charts=tuple(charts.add(figure) for figure in _figure_charts(figures, compared, basis)),
        cost_source=basis.source if basis else "",
        break_even=break_even_section(figures, extras, charts) if extras else None,
        change=change_section(compared.scenario, extras, charts) if extras else None,
        examples=extras.examples.get(compared.scenario) if extras else None,
    )


def _figure_charts(
    figures: Sequence[TechniqueFigures], compared: ComparedTechniques, basis: CostBasis | None
) -> list[Any]:
    """Return the plotly figures of a scenario, as many as its figures allow."""
    if not figures:
        return []
    drawn = [
        techniques.accuracy_cost_figure(figures, basis=basis),
        techniques.first_token_figure(figures),
        techniques.latency_figure(figures),
        techniques.tokens_figure(figures),
        techniques.heat_map_figure(compared.heat_map) if compared.heat_map.columns else None,
    ]
    return [figure for figure in drawn if figure is not None]


def _plain(one: TechniqueFigures) -> TechniqueFigures:
    return replace(
        one,
        title=plain(one.title),
        strategy=plain(one.strategy),
        model_id=plain(one.model_id),
        adapter=None if one.adapter is None else plain(one.adapter),
        machine=plain(one.machine),
        commit=plain(one.commit),
        tokens={plain(name): mean for name, mean in one.tokens.items()},
    )


@functools.cache
def _templates() -> jinja2.Environment:
    """Return the report's templates with the values and the ways of writing a value that they use."""
    templates = load_templates(__package__)
    templates.globals |= {
        "describe_cost": describe_cost,
        "fewest": FEWEST_EXAMPLES,
        "longest_answer": _LONGEST_ANSWER,
        "longest_asked": _LONGEST_ASKED,
        "longest_clause": _LONGEST_CLAUSE,
        "significant": SIGNIFICANT,
        "verdict_classes": {"holds": "holds", "partly": "partly", "not here": "not-here"},
    }
    templates.filters |= {"cut": _cut, "p_value": _p_value, "rounded": _rounded, "seconds": _seconds}
    return templates


@functools.lru_cache(maxsize=1)
def _plotly_js() -> str:
    """Return plotly.js as a script element may hold it; the hash is over the text as a parser reads it."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def scripts_that_draw() -> tuple[str, str]:
    """Return the scripts of a page that holds charts as ``Charts`` makes them: plotly.js and the lines that draw."""
    return _plotly_js(), _draw_js()


def comparison_css() -> str:
    """Return the look of a report, for a page of its own that is to look like it."""
    return _templates().get_template("report.css").render()


def _draw_js() -> str:
    """Return the lines that draw the charts, letter for letter as they stand in the file."""
    return _templates().get_template("draw.js").render()


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


def _seconds(value: float) -> str:
    """Return seconds with as many digits as a table needs: clauses take milliseconds, answers seconds."""
    if value >= 1:
        return f"{value:.2f}"
    return f"{value:#.3g}" if value >= 1e-4 else f"{value:.6f}"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
